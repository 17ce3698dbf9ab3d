"""What is going on: the journal that is followed, what it tells, and the frames that open pages are sent."""
