"""Who writes strategies: the starter library of classics."""
