"""One noun a file: the routes, and the models of what they take and say."""
