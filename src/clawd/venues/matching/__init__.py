"""A simulated exchange: orders matched against captured order books and trades."""
