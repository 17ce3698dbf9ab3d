"""clawd: agents propose, evidence promotes, the gate disposes."""

__version__ = "0.1.0"
