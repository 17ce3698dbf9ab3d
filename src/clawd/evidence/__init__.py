"""How much is known about a strategy, so that looking often, trying much and hiding crashes buy nothing."""
