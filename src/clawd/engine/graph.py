"""Programs lowered to arrays: one graph for any number of programs, with shared parts computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clawd.core.errors import ClawdError, suggestion
from clawd.core.panel import Floats, Panel
from clawd.engine.kernel import CODES
from clawd.engine.steps import STEPS
from clawd.language.node import Node, walk

_FIELDS = ("open", "high", "low", "close", "volume")
_LEAVES = (*_FIELDS, "clock", "ext", "const")


@dataclass(frozen=True, eq=False)
class Graph:
    """A topologically ordered graph, as data for the kernel.

    Attributes:
        leaves: the L inputs and constants, in the order of the first rows of values.
        codes: int64 [N], the step of each node.
        inputs: int64 [N, 3], rows of its inputs.
        parameters, parameter_at: the parameters of node n are ``parameters[parameter_at[n]:parameter_at[n + 1]]``.
        state_at: the same for the columns of the state.
        rows: row of values that holds each node, by canonical text.
    """

    leaves: tuple[Node, ...]
    codes: NDArray[np.int64]
    inputs: NDArray[np.int64]
    parameters: Floats
    parameter_at: NDArray[np.int64]
    state_at: NDArray[np.int64]
    rows: Mapping[str, int]

    @property
    def size(self) -> int:
        """Rows of values: leaves and nodes."""
        return len(self.leaves) + len(self.codes)


def lower(programs: Sequence[Node], panel: Panel) -> Graph:
    """The graph of some programs on the instruments of a panel.

    Raises:
        ClawdError: when a program names an instrument or a series that the panel does not have.
    """
    nodes = list(walk(*programs))
    leaves = tuple(node for node in nodes if node.operator in _LEAVES)
    steps = [node for node in nodes if node.operator not in _LEAVES]
    for leaf in leaves:
        if leaf.operator == "ext" and leaf.parameters[0] not in panel.series:
            name = str(leaf.parameters[0])
            known = f"the market has {', '.join(sorted(panel.series)) or 'none'}"
            raise ClawdError(f'the market has no series "{name}"', hint=suggestion(name, panel.series) or known)
    rows = {node.text: row for row, node in enumerate([*leaves, *steps])}
    inputs = np.zeros((len(steps), 3), np.int64)
    parameters: list[float] = []
    parameter_at, state_at = [0], [0]
    for index, node in enumerate(steps):
        inputs[index, : len(node.inputs)] = [rows[child.text] for child in node.inputs]
        own = _numbers(node, panel)
        parameters += own
        parameter_at.append(len(parameters))
        state_at.append(state_at[-1] + STEPS[node.operator].state_size(own))
    return Graph(
        leaves=leaves,
        codes=np.array([CODES[node.operator] for node in steps], np.int64),
        inputs=inputs,
        parameters=np.array(parameters, np.float64),
        parameter_at=np.array(parameter_at, np.int64),
        state_at=np.array(state_at, np.int64),
        rows=rows,
    )


def _numbers(node: Node, panel: Panel) -> list[float]:
    numbers: list[float] = []
    for value in node.parameters:
        if not isinstance(value, str):
            numbers.append(float(value))
        elif value in panel.symbols:
            numbers.append(float(panel.symbols.index(value)))
        else:
            known = suggestion(value, panel.symbols) or f"the market has {', '.join(panel.symbols)}"
            raise ClawdError(f'the market has no instrument "{value}"', hint=known)
    if node.operator == "vol_forecast":
        numbers.append(panel.bars_per_year)
    return numbers


def leaf_values(leaf: Node, panel: Panel) -> Floats:
    """[I, T] or a shape that broadcasts to it: the values of an input or constant on a panel."""
    name = leaf.operator
    if name in _FIELDS:
        values: Floats = getattr(panel, name)
        return values
    if name == "const":
        return np.full((1, 1), float(leaf.parameters[0]))
    if name == "ext":
        return panel.series[str(leaf.parameters[0])][np.newaxis]
    return _calendar(str(leaf.parameters[0]), panel.times)[np.newaxis]


def _calendar(name: str, times: NDArray[np.int64]) -> Floats:
    moments = times.astype("datetime64[ns]")
    days = moments.astype("datetime64[D]")
    months = moments.astype("datetime64[M]")
    month_day = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    if name == "hour":
        values = (moments - days).astype("timedelta64[h]").astype(np.int64)
    elif name == "weekday":
        values = (days.astype(np.int64) + 3) % 7
    elif name == "month_day":
        values = month_day
    elif name == "month":
        values = months.astype(np.int64) % 12 + 1
    else:
        # The turn of the month: its last five calendar days and its first three, known from the calendar alone.
        length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
        values = (month_day <= 3) | (month_day > length - 5)
    return values.astype(np.float64)
