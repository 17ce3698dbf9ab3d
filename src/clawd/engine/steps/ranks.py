"""Places among the sorted values of a window."""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats
from clawd.engine.steps.step import step, window
from clawd.engine.steps.stretch import stretch
from clawd.engine.steps.sums import FEW


@step("ts_rank", state=1, history=window, bounded=True)
def ts_rank(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    w = int(p[0])
    clean = int(s[0])
    if out.size >= FEW:
        add_places(x, w, out)
    for t in range(out.size):
        v = x[t + w]
        clean = clean + 1 if v == v else 0
        if clean < w:
            out[t] = np.nan
        elif out.size >= FEW:
            out[t] = 0.5 * (out[t] + 1.0) / w
        else:
            below, equal = count_below(x, t + 1, w, v)
            out[t] = (below + 0.5 * (equal + 1.0)) / w
    s[0] = clean


@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "nsz"})
def count_below(x: Floats, first: int, w: int, v: float) -> tuple[int, int]:
    """How many of w values are below v, and how many equal to it."""
    below, equal = 0, 0
    for k in range(first, first + w):
        below += x[k] < v
        equal += x[k] == v
    return below, equal


@njit(nogil=True, error_model="numpy")
def add_places(x: Floats, w: int, out: Floats) -> None:
    """Of the latest of w values at every bar, two for each value below it and one for each that is equal."""
    now = x[w:]
    out[:] = 0.0
    whole = w - w % 4
    for k in range(1, whole + 1, 4):
        a, b, c, d = x[k:], x[k + 1 :], x[k + 2 :], x[k + 3 :]
        for t in range(out.size):
            v = now[t]
            below = (1.0 if a[t] < v else 0.0) + (1.0 if b[t] < v else 0.0)
            below += (1.0 if c[t] < v else 0.0) + (1.0 if d[t] < v else 0.0)
            upto = (1.0 if a[t] <= v else 0.0) + (1.0 if b[t] <= v else 0.0)
            upto += (1.0 if c[t] <= v else 0.0) + (1.0 if d[t] <= v else 0.0)
            out[t] += below + upto
    for k in range(whole + 1, w + 1):
        a = x[k:]
        for t in range(out.size):
            out[t] += (1.0 if a[t] < now[t] else 0.0) + (1.0 if a[t] <= now[t] else 0.0)


@njit(nogil=True, error_model="numpy")
def ranks_of(q: float, w: int) -> tuple[int, int, float]:
    """The two places of w sorted values between which a quantile lies, and how far on from the first."""
    place = q * (w - 1)
    low = min(int(place), w - 1)
    return low, min(low + 1, w - 1), place - low


@njit(nogil=True, error_model="numpy")
def _few_quantiles(s: Floats, w: int, q: float, x: Floats, out: Floats) -> None:
    """The same where the window stays where it is kept: for a single bar, that costs less than two copies of it."""
    low, high, share = ranks_of(q, w)
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            s[0] = 0.0
            out[t] = np.nan
            continue
        s[0] += 1.0
        if s[0] > w:
            take_out(s, w, x[t])
            put_in(s, w - 1, v)
        else:
            put_in(s, int(s[0]) - 1, v)
        out[t] = s[low + 1] + share * (s[high + 1] - s[low + 1]) if s[0] >= w else np.nan


@step("ts_quantile", state=lambda p: 1 + int(p[0]), history=window)
def ts_quantile(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # The window is kept sorted behind the count of values since the last missing one.
    w = int(p[0])
    if out.size < FEW:
        _few_quantiles(s, w, p[1], x, out)
        return
    low, high, share = ranks_of(p[1], w)
    clean = int(s[0])
    # Two copies, each framed by infinities: a bar makes the one from the other. Arrays that change names would be
    # counted at every bar, stretches are not.
    copies, here, there = np.empty(2 * (w + 2)), 0, w + 2
    ordered = stretch(copies, here, w + 2)
    for k in range(w):
        ordered[k + 1] = s[k + 1]
    for first in (here, there):
        copies[first], copies[first + w + 1] = -np.inf, np.inf
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        if clean > w:
            here, there = there, here
            replaced(ordered, x[t], v, stretch(copies, here, w + 2))
            ordered = stretch(copies, here, w + 2)
        else:
            put_in(ordered, clean - 1, v)
        out[t] = ordered[low + 1] + share * (ordered[high + 1] - ordered[low + 1]) if clean >= w else np.nan
    for k in range(w):
        s[k + 1] = ordered[k + 1]
    s[0] = clean


@njit(nogil=True, error_model="numpy")
def put_in(row: Floats, size: int, v: float) -> None:
    """Put v among the ``size`` sorted values that follow the first of a row, which has room for one more."""
    k = size
    while k > 0 and row[k] > v:
        row[k + 1] = row[k]
        k -= 1
    row[k + 1] = v


@njit(nogil=True, error_model="numpy")
def take_out(row: Floats, size: int, v: float) -> None:
    """Take v out of the ``size`` sorted values that follow the first of a row."""
    k = 1
    while k < size and row[k] != v:
        k += 1
    for j in range(k, size):
        row[j] = row[j + 1]


@njit(nogil=True, error_model="numpy")
def replaced(ordered: Floats, old: float, v: float, out: Floats) -> None:
    """A sorted row with v in the place of old, and both ends framed by an infinity: every value in its turn, without a
    search or a branch to guess wrong."""
    last = ordered.size - 1
    here, below, above = ordered[1:last], ordered[: last - 1], ordered[2:]
    inside = out[1:last]
    if v >= old:
        for k in range(inside.size):
            moved = above[k] if above[k] < v else v
            moved = here[k] if here[k] > moved else moved
            inside[k] = here[k] if here[k] < old else moved
    else:
        for k in range(inside.size):
            moved = below[k] if below[k] > v else v
            moved = here[k] if here[k] < moved else moved
            inside[k] = here[k] if here[k] > old else moved
