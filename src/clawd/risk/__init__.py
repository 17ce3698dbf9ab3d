"""The gate: what stands between every agent and every venue. Pure functions; it refuses when anything is missing."""
