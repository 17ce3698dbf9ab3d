"""Studies larger than one process: strategies over markets and windows, on the cores of this machine or of many."""
