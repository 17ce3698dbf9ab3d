"""Moves the values of rows in and out of the evaluator's memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats
from clawd.engine.compiled import compiled
from clawd.engine.decision import exposure_of
from clawd.engine.prices import rule
from clawd.engine.steps.stretch import stretch

Integers = NDArray[np.int64]


@compiled
def make_room(
    arena: Floats,
    at: Integers,
    stride: Integers,
    group: Integers,
    needs: Integers,
    cursor: Integers,
    counts: Integers,
    rooms: Integers,
) -> None:
    """Before a block: where an instrument's bars would not fit behind its history, move the history to the front.

    Args:
        rooms: int64 [G], bars that fit behind the histories of each group.
    """
    full = np.zeros(rooms.size, np.bool_)  # at some instrument at least; the rows of group 0 have no history
    for g in range(1, rooms.size):
        for i in range(counts.size):
            full[g] |= cursor[g, i] + counts[i] > rooms[g]
    for row in range(at.size):
        g = group[row]
        if not full[g]:
            continue
        for i in range(counts.size):
            passed = cursor[g, i]
            if passed > 0 and passed + counts[i] > rooms[g]:
                first = at[row] + i * stride[row] - needs[row]
                for k in range(needs[row]):
                    arena[first + k] = arena[first + passed + k]
    for g in range(1, rooms.size):
        for i in range(counts.size):
            if cursor[g, i] + counts[i] > rooms[g]:
                cursor[g, i] = 0


# An array cut out of another counts its references, which two threads that share it wait for: so single numbers are
# looked up, and stretches taken.


@compiled
def load(
    values: Floats,
    rows: Integers,
    arena: Floats,
    at: Integers,
    stride: Integers,
    group: Integers,
    cursor: Integers,
    place: Integers,
) -> None:
    """Put the values [L, I, T] of inputs into their rows, without the bars that an instrument does not have."""
    for leaf in range(rows.size):
        for i in range(place.shape[0]):
            first = _start(rows[leaf], i, at, stride, group, cursor)
            for t in range(place.shape[1]):
                if place[i, t] >= 0:
                    value = values[leaf, i, t]
                    arena[first + place[i, t]] = value if abs(value) < np.inf else np.nan


@rule
def _start(row: int, i: int, at: Integers, stride: Integers, group: Integers, cursor: Integers) -> int:
    """Where the bars of the block at hand begin, of a row and an instrument."""
    return int(at[row] + i * stride[row] + cursor[group[row], i])


@rule
def _is_whole(place: Integers, i: int) -> bool:
    """Whether an instrument has every bar of the block."""
    last = place.shape[1] - 1
    return bool(place[i, 0] == 0 and place[i, last] == last)


@compiled
def align(
    row: int,
    arena: Floats,
    at: Integers,
    stride: Integers,
    group: Integers,
    cursor: Integers,
    place: Integers,
    out: Floats,
) -> None:
    """Copy a row out to [I, T], NaN for the bars that an instrument does not have."""
    for i in range(place.shape[0]):
        first = _start(row, i, at, stride, group, cursor)
        bars = place.shape[1]
        if _is_whole(place, i):
            values = stretch(arena, first, bars)
            for t in range(bars):
                out[i, t] = values[t]
            continue
        for t in range(bars):
            out[i, t] = arena[first + place[i, t]] if place[i, t] >= 0 else np.nan


@compiled
def wanted(
    rows: Integers,
    lookbacks: Integers,
    members: Integers,
    seen: Integers,
    arena: Floats,
    at: Integers,
    stride: Integers,
    group: Integers,
    cursor: Integers,
    place: Integers,
    out: Floats,
    begin: int,
) -> None:
    """The exposures that programs want: within -1 and 1, and 0 while an instrument is warming up.

    Args:
        rows, lookbacks: [M], of some programs.
        members: [M], their places among the N.
        seen: [I], bars of their own that the instruments had before the block.
        out: contiguous [N, I, T], written from the bar ``begin`` on.
    """
    instruments, bars = place.shape
    for n in range(rows.size):
        row, apart, turn, lookback = at[rows[n]], stride[rows[n]], group[rows[n]], lookbacks[n]
        member = members[n] * instruments
        for i in range(instruments):
            first = row + i * apart + cursor[turn, i]
            own = stretch(out, (member + i) * out.shape[2] + begin, bars)
            ready = lookback - seen[i]  # bars of its own in the block until the warm-up is over
            if _is_whole(place, i):
                values = stretch(arena, first, bars)
                for t in range(bars):
                    own[t] = exposure_of(values[t])
                for t in range(min(ready, bars)):
                    own[t] = 0.0
                continue
            for t in range(bars):
                value = exposure_of(arena[first + place[i, t]]) if place[i, t] >= ready else 0.0
                own[t] = value if place[i, t] >= 0 else np.nan
