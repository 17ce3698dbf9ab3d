"""Every operator of the language, written once.

A step along one instrument is ``step(state, parameters, x, y, z) -> value``; a step across instruments is
``step(parameters, x, y, out)`` over the row of one bar. State starts as zeros and belongs to one node of one
instrument, so an agent's whole memory is one array. The batch evaluator and the live runtime call the same step.

Missing values: a step along an instrument is called only for bars that the instrument has. A rolling value is missing
while any value of its window is; a recursive one skips what is missing. A condition on something missing is false, a
position on something missing is flat.
"""

from clawd.engine.steps import arithmetic, cross_section, logic, position, recursive, rolling
from clawd.engine.steps.step import STEPS, Step

__all__ = ["STEPS", "Step", "arithmetic", "cross_section", "logic", "position", "recursive", "rolling"]
