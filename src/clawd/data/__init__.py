"""Bars, funding and outside series: read, checked, catalogued, and aligned into a panel."""
