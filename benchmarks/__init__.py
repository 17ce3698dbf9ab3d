"""Benchmarks: each measures ours and a peer or a floor in the same run, and prints one JSON line with their ratio."""
