"""Who writes strategies: the starter library of classics, the grid of parameters, evolution."""
