"""Execution: an account at a venue, from an agent's decision to the verified end of its orders and exits."""
