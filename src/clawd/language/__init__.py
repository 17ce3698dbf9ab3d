"""The strategy language: one declarative program over prices and signals, in text, JSON and canonical form."""
