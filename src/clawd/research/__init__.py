"""The way from a search to the door of real money: what may be looked at when, and who may knock."""
