"""Worlds whose truth is known, made from real bars: what the pipeline finds in them proves the pipeline."""
