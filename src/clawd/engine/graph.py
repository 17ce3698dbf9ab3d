"""Programs lowered to arrays: one graph for any number of programs, with shared parts computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clawd.core.errors import ClawdError, suggestion
from clawd.core.panel import Floats, Panel
from clawd.engine.inputs import INPUTS, check_series
from clawd.engine.kernel import CODES
from clawd.engine.steps import STEPS
from clawd.language.node import Node, walk
from clawd.language.operators import OPERATORS
from clawd.language.types import Parameter

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Graph:
    """A topologically ordered graph, as data for the kernel. A row is a node: first the inputs, then the steps.

    Attributes:
        nodes: the R nodes, in the order of their rows.
        leaves: how many of them are inputs and constants.
        rows: the row of each node, by canonical text.
        roots: int64 [N], the row of each program.
        ends: int64 [B], the row after the last one that a batch of programs and those before it need.
        codes: int64 [R], the step of each row.
        inputs: int64 [R, 3], rows of its inputs.
        backs: int64 [R], how many earlier bars of its inputs a step looks at.
        needs: int64 [R], how many earlier bars of a row the steps that use it look at.
        parameters, parameter_at: those of row r are ``parameters[parameter_at[r]:parameter_at[r + 1]]``.
        state_at: the same for the columns of the state.
        slots: int64 [R], the place that a row shares with others whose values are no longer needed; -1 where a row has
            a place of its own, because something looks back at it.
    """

    nodes: tuple[Node, ...]
    leaves: int
    rows: Mapping[str, int]
    roots: Integers
    ends: Integers
    codes: Integers
    inputs: Integers
    backs: Integers
    needs: Integers
    parameters: Floats
    parameter_at: Integers
    state_at: Integers
    slots: Integers


def lower(programs: Sequence[Node], panel: Panel, batches: Sequence[int] | None = None) -> Graph:
    """The graph of some programs on the instruments of a panel.

    Args:
        programs: in the order in which they will be computed.
        panel: any bars of the market; only its instruments, series, groups and calendar are looked at.
        batches: how many programs each batch has. What a program yields is there until its batch has been computed, and
            then its place is given to others. By default all are one batch.

    Raises:
        ClawdError: when a program names an instrument, a group or a series that the panel does not have.
    """
    walked = list(walk(*programs))
    leaves = [node for node in walked if node.operator in INPUTS]
    for leaf in leaves:
        check_series(leaf, panel)
    nodes = [*leaves, *(node for node in walked if node.operator not in INPUTS)]
    rows = {node.text: row for row, node in enumerate(nodes)}
    count = len(nodes)
    codes, backs, needs = np.full(count, -1, np.int64), np.zeros(count, np.int64), np.zeros(count, np.int64)
    inputs = np.zeros((count, 3), np.int64)
    parameters: list[float] = []
    parameter_at, state_at = [0] * (len(leaves) + 1), [0] * (len(leaves) + 1)
    for row, node in enumerate(nodes[len(leaves) :], len(leaves)):
        step, own = STEPS[node.operator], _numbers(node, panel)
        codes[row], backs[row] = CODES[node.operator], step.history(own)
        for place, child in enumerate(node.inputs):
            inputs[row, place] = rows[child.text]
            needs[rows[child.text]] = max(needs[rows[child.text]], backs[row])
        parameters += own
        parameter_at.append(len(parameters))
        state_at.append(state_at[-1] + step.state(own))
    roots = np.array([rows[program.text] for program in programs], np.int64)
    batch = np.repeat(np.arange(len(batches)), batches) if batches is not None else np.zeros(len(programs), np.int64)
    # A root computed for an earlier program is ready at once; a root that is an input is ready before any step.
    ends = np.full(batch.max(initial=0) + 1, len(leaves))
    np.maximum.at(ends, batch, roots + 1)
    ends = np.maximum.accumulate(ends)
    return Graph(
        nodes=tuple(nodes),
        leaves=len(leaves),
        rows=rows,
        roots=roots,
        ends=ends,
        codes=codes,
        inputs=inputs,
        backs=backs,
        needs=needs,
        parameters=np.array(parameters, np.float64),
        parameter_at=np.array(parameter_at, np.int64),
        state_at=np.array(state_at, np.int64),
        slots=_slots(nodes, len(leaves), inputs, needs, roots, ends[batch]),
    )


def _slots(
    nodes: Sequence[Node], leaves: int, inputs: Integers, needs: Integers, roots: Integers, ends: Integers
) -> Integers:
    """Places for the rows that nothing looks back at, given again once the last row that uses them is computed.

    Args:
        ends: int64 [N], of the batch of each root.
    """
    count = len(nodes)
    last_use = np.arange(count)
    for row in range(leaves, count):
        for place in range(len(nodes[row].inputs)):
            last_use[inputs[row, place]] = row
    for root, end in zip(roots, ends, strict=True):
        # What a program yields is looked at after the last row of its batch, and before the first of the next.
        last_use[root] = max(last_use[root], end - 1)
    dying: list[list[int]] = [[] for _ in range(count + 1)]
    slots, made = np.full(count, -1, np.int64), 0
    free: list[int] = []
    for row, node in enumerate(nodes):
        if needs[row] == 0 and node.operator != "const":
            # The row's own slot is taken before those of its inputs are given back: a step never overwrites what it
            # is reading.
            if free:
                slots[row] = free.pop()
            else:
                slots[row], made = made, made + 1
            dying[last_use[row]].append(row)
        if row >= leaves:
            free.extend(int(slots[done]) for done in dying[row])
        elif dying[row]:
            dying[count].extend(dying[row])  # an input that only a program itself uses
    return slots


def _numbers(node: Node, panel: Panel) -> list[float]:
    """The parameters of a step as numbers, with what it needs to know of the market or has computed once."""
    numbers: list[float] = []
    for kind, value in zip(OPERATORS[node.operator].signature.parameters, node.parameters, strict=True):
        if kind is Parameter.GROUP:
            numbers += _group_codes(str(value), panel)
        elif not isinstance(value, str):
            numbers.append(float(value))
        elif value in panel.symbols:
            numbers.append(float(panel.symbols.index(value)))
        else:
            known = suggestion(value, panel.symbols) or f"the market has {', '.join(panel.symbols)}"
            raise ClawdError(f'the market has no instrument "{value}"', hint=known)
    if node.operator == "vol_forecast":
        numbers.append(panel.bars_per_year)
    if node.operator == "frac_diff":
        numbers += fractional_weights(numbers[0], int(numbers[1]))
    return numbers


def fractional_weights(order: float, window: int) -> list[float]:
    """The first weights of (1 - B)^order, B the step back by a bar (Lopez de Prado 2018, section 5.4)."""
    weights = [1.0]
    for k in range(1, window):
        weights.append(-weights[-1] * (order - k + 1) / k)
    return weights


def _group_codes(name: str, panel: Panel) -> list[float]:
    if name not in panel.groups:
        known = f"the market has {', '.join(sorted(panel.groups)) or 'none'}"
        raise ClawdError(f'the market has no groups "{name}"', hint=suggestion(name, panel.groups) or known)
    return [float(code) for code in panel.groups[name]]
