"""The table of steps by operator name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numba import njit

Size = Callable[[Sequence[float]], int]


@dataclass(frozen=True, slots=True)
class Step:
    """A compiled step.

    A step along time is called with a run of bars of one instrument, and with those of ``s, p, x, y, z, out`` that its
    function names: its state, its parameters, its inputs, and what it writes. Each input begins ``history`` bars before
    the first bar of ``out``; a bar from before the beginning is NaN. A step across instruments is called with one bar,
    and with ``p, x, y, out``.

    Attributes:
        operator: the operator's name.
        function: the compiled function.
        arguments: the names of what it takes.
        state: how many floats of state it needs, from its parameters; they begin as zeros.
        history: how many earlier bars of its inputs it looks at, from its parameters.
        across: whether it runs across the instruments of one bar.
        bounded: whether finite inputs can never make it overflow.
    """

    operator: str
    function: Any
    arguments: tuple[str, ...]
    state: Size
    history: Size
    across: bool
    bounded: bool


STEPS: dict[str, Step] = {}


def window(parameters: Sequence[float]) -> int:
    """The first parameter, which is a window."""
    return int(parameters[0])


def step(
    operator: str,
    *,
    state: int | Size = 0,
    history: int | Size = 0,
    across: bool = False,
    bounded: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function and enter it in the table as the step of an operator."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        compiled: Callable[..., Any] = njit(nogil=True, error_model="numpy", inline="always")(function)
        STEPS[operator] = Step(
            operator,
            compiled,
            tuple(inspect.signature(function).parameters),
            _size(state),
            _size(history),
            across,
            bounded,
        )
        return compiled

    return enter


def _size(given: int | Size) -> Size:
    return given if callable(given) else lambda _: given
