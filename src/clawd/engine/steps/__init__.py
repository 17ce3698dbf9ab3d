"""Every operator of the language, written once.

A step along one instrument runs over a stretch of its own bars; a step across instruments over the row of one bar. What
a step remembers is its state, floats that start as zeros and belong to one node of one instrument, and as many earlier
bars of its inputs as it asks for. So a stretch may be of any length: history in blocks and the market bar by bar give
the same to the last bit.

Missing values: a step along an instrument never meets a bar that the instrument does not have. A rolling value is
missing while any value of its window is; a recursive one skips what is missing. A condition on something missing is
false, a position on something missing is flat.
"""

from clawd.engine.steps import (
    arithmetic,
    cross_section,
    extremes,
    lines,
    logic,
    moments,
    pairs,
    position,
    ranks,
    recursive,
    rolling,
)
from clawd.engine.steps.step import STEPS, Step

__all__ = [
    "STEPS",
    "Step",
    "arithmetic",
    "cross_section",
    "extremes",
    "lines",
    "logic",
    "moments",
    "pairs",
    "position",
    "ranks",
    "recursive",
    "rolling",
]
