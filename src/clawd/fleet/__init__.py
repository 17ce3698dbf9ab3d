"""The fleet: agents as virtual sub-accounts on one account, hired by rank, fired by rule."""
