"""The default author: typed genetic programming that asks for evaluations, is told what came, and needs no network."""
