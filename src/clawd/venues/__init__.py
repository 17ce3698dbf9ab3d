"""Venues: one adapter a file. The paper venue is one of them."""
