"""Execution: exits bound to positions, and the reconciliation of our books with the venue's."""
