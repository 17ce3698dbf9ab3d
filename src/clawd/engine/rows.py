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
    moving: Integers,
    needs: Integers,
    cursor: Integers,
    counts: Integers,
    capacity: int,
) -> None:
    """Before a block: where an instrument's bars would not fit behind its history, move the history to the front.

    Args:
        capacity: bars that fit behind a history.
    """
    for i in range(cursor.size):
        if cursor[i] + counts[i] <= capacity:
            continue
        for row in range(at.size):
            if moving[row] == 1 and cursor[i] > 0:
                first = at[row] + i * stride[row] - needs[row]
                for k in range(needs[row]):
                    arena[first + k] = arena[first + cursor[i] + k]
        cursor[i] = 0


@compiled
def load(
    values: Floats,
    row: int,
    arena: Floats,
    at: Integers,
    stride: Integers,
    moving: Integers,
    cursor: Integers,
    place: Integers,
) -> None:
    """Put the values [I or 1, T] of an input into its row, without the bars that an instrument does not have."""
    for i in range(place.shape[0]):
        own = values[i if values.shape[0] > 1 else 0]
        first = _start(row, i, at, stride, moving, cursor)
        for t in range(place.shape[1]):
            if place[i, t] >= 0:
                arena[first + place[i, t]] = own[t] if abs(own[t]) < np.inf else np.nan


@rule
def _start(row: int, i: int, at: Integers, stride: Integers, moving: Integers, cursor: Integers) -> int:
    """Where the bars of the block at hand begin, of a row and an instrument."""
    return int(at[row] + i * stride[row] + moving[row] * cursor[i])


@rule
def _is_whole(place: Integers) -> bool:
    """Whether an instrument has every bar of the block."""
    return bool(place[0] == 0 and place[-1] == place.size - 1)


@compiled
def align(
    row: int,
    arena: Floats,
    at: Integers,
    stride: Integers,
    moving: Integers,
    cursor: Integers,
    place: Integers,
    out: Floats,
) -> None:
    """Copy a row out to [I, T], NaN for the bars that an instrument does not have."""
    for i in range(place.shape[0]):
        first = _start(row, i, at, stride, moving, cursor)
        bars = place.shape[1]
        if _is_whole(place[i]):
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
    moving: Integers,
    cursor: Integers,
    place: Integers,
    out: Floats,
) -> None:
    """The exposures [N, I, T] that programs want: within -1 and 1, and 0 while an instrument is warming up.

    Args:
        rows, lookbacks: [M], of some programs.
        members: [M], their places among the N.
        seen: [I], bars of their own that the instruments had before the block.
    """
    for n in range(rows.size):
        row = rows[n]
        for i in range(place.shape[0]):
            first = _start(row, i, at, stride, moving, cursor)
            own, bars = out[members[n], i], place.shape[1]
            ready = lookbacks[n] - seen[i]  # bars of its own in the block until the warm-up is over
            if _is_whole(place[i]):
                values = stretch(arena, first, bars)
                for t in range(bars):
                    own[t] = exposure_of(values[t])
                for t in range(min(ready, bars)):
                    own[t] = 0.0
                continue
            for t in range(bars):
                value = exposure_of(arena[first + place[i, t]]) if place[i, t] >= ready else 0.0
                own[t] = value if place[i, t] >= 0 else np.nan
