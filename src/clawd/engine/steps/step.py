"""The table of steps by operator name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numba import njit

StateSize = Callable[[Sequence[float]], int]


@dataclass(frozen=True, slots=True)
class Step:
    """A compiled step.

    Attributes:
        operator: the operator's name.
        function: the compiled function.
        state_size: how many floats of state it needs, from its parameters.
        across: whether it runs across the instruments of one bar.
    """

    operator: str
    function: Any
    state_size: StateSize
    across: bool


STEPS: dict[str, Step] = {}


def step(
    operator: str, *, state: int | StateSize = 0, across: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function and enter it in the table as the step of an operator."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        compiled: Callable[..., Any] = njit(nogil=True, error_model="numpy")(function)
        size: StateSize = state if callable(state) else lambda _: state
        STEPS[operator] = Step(operator, compiled, size, across)
        return compiled

    return enter
