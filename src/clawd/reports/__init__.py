"""Results for people: a backtest as one HTML page, and its fills as a table for other programs."""
