"""The registry of operators: the one list that the parser, the engine and the documentation read.

Each operator is causal: its value at a bar depends on that bar and earlier ones of the same instrument, or of other
instruments at the same bar. There is no operator that shifts forward, so a look into the future cannot be written.
"""

from __future__ import annotations

from clawd.language.operators.arithmetic import ARITHMETIC
from clawd.language.operators.cross_section import CROSS_SECTION
from clawd.language.operators.inputs import CLOCK_NAMES, INPUTS
from clawd.language.operators.logic import LOGIC
from clawd.language.operators.macros import MACROS
from clawd.language.operators.operator import LONGEST_WINDOW, Operator
from clawd.language.operators.position import POSITION
from clawd.language.operators.recursive import RECURSIVE
from clawd.language.operators.rolling import ROLLING

__all__ = ["CLOCK_NAMES", "LONGEST_WINDOW", "OPERATORS", "Operator"]

OPERATORS: dict[str, Operator] = {
    operator.name: operator
    for group in (INPUTS, ARITHMETIC, LOGIC, ROLLING, RECURSIVE, CROSS_SECTION, POSITION, MACROS)
    for operator in group
}
