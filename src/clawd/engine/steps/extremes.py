"""The largest and the smallest of a window, and how long ago they were."""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats
from clawd.engine.steps.step import step, window
from clawd.engine.steps.sums import FEW


@njit(nogil=True, error_model="numpy")
def _extremes(s: Floats, w: int, x: Floats, side: float, out: Floats, ages: bool) -> None:
    """The largest (side 1) or smallest (side -1) of the window, or how long ago it was; the latest of equals.

    State: values since the last missing one, the extreme, bars since it. It is looked for only when it leaves.
    """
    clean, best, since = int(s[0]), s[1], int(s[2])
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        since += 1
        if clean > w and side * v >= side * best:
            best, since = v, 0
        elif clean == w or (clean > w and since >= w):
            best, since = v, 0
            for k in range(1, w):
                if side * x[t + w - k] > side * best:
                    best, since = x[t + w - k], k
        if clean < w:
            out[t] = np.nan
        else:
            out[t] = since / (w - 1.0) if ages else best
    s[0], s[1], s[2] = clean, best, since


@njit(nogil=True, error_model="numpy")
def _extreme_values(s: Floats, w: int, x: Floats, side: float, out: Floats) -> None:
    """The extremes of many windows: of pairs, of pairs of pairs, and so on; NaN wins over everything."""
    if out.size < FEW:
        _extremes(s, w, x, side, out, False)
        return
    size = out.size + w - 1
    best, other = np.empty(size), np.empty(size)
    for t in range(size):
        best[t] = side * x[t + 1]
    width = 1
    while 2 * width <= w:
        size -= width
        _larger(best, width, size, other)
        best, other = other, best
        width *= 2
    _larger(best, w - width, out.size, other)
    for t in range(out.size):
        out[t] = side * other[t]
    _go_on_from(s, w, x[out.size - 1 :], out[out.size - 1])


@njit(nogil=True, error_model="numpy")
def _larger(best: Floats, width: int, size: int, out: Floats) -> None:
    """Of each value and the one some bars later, the larger."""
    after = best[width:]
    for t in range(size):
        a, b = best[t], after[t]
        out[t] = a if (a > b) | (a != a) else b


@njit(nogil=True, error_model="numpy")
def _extreme_ages(s: Floats, w: int, x: Floats, side: float, out: Floats) -> None:
    """How long ago they were, in the same way: each carries the bar where it was."""
    if out.size < FEW:
        _extremes(s, w, x, side, out, True)
        return
    size = out.size + w - 1
    best, other, bar, bar_after = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    for t in range(size):
        best[t] = side * x[t + 1]
        bar[t] = t
    width = 1
    while 2 * width <= w:
        size -= width
        _later(best, bar, width, size, other, bar_after)
        best, other, bar, bar_after = other, best, bar_after, bar
        width *= 2
    _later(best, bar, w - width, out.size, other, bar_after)
    for t in range(out.size):
        out[t] = (t + (w - 1.0) - bar_after[t]) / (w - 1.0) if other[t] == other[t] else np.nan
    last = out.size - 1
    _go_on_from(s, w, x[last:], side * other[last])


@njit(nogil=True, error_model="numpy")
def _later(best: Floats, bar: Floats, width: int, size: int, out: Floats, where: Floats) -> None:
    """Of each value and the one some bars later, the larger, and of equals the later, with the bar where it was."""
    after, bar_after = best[width:], bar[width:]
    for t in range(size):
        a, b, c, d = best[t], after[t], bar[t], bar_after[t]
        stays = (a > b) | (a != a)
        out[t] = a if stays else b
        where[t] = c if stays else d


@njit(nogil=True, error_model="numpy")
def _go_on_from(s: Floats, w: int, last: Floats, best: float) -> None:
    """Leave the state that :func:`_extremes` would have left after the last window, which follows ``last[0]``."""
    clean, since = 0, 0
    for k in range(1, w + 1):
        clean = clean + 1 if last[k] == last[k] else 0
        since = 0 if last[k] == best else since + 1
    s[0], s[1], s[2] = clean + (1 if clean == w else 0), best, since


@step("ts_min", state=3, history=window, bounded=True)
def ts_min(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _extreme_values(s, int(p[0]), x, -1.0, out)


@step("ts_max", state=3, history=window, bounded=True)
def ts_max(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _extreme_values(s, int(p[0]), x, 1.0, out)


@step("ts_argmin", state=3, history=window, bounded=True)
def ts_argmin(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _extreme_ages(s, int(p[0]), x, -1.0, out)


@step("ts_argmax", state=3, history=window, bounded=True)
def ts_argmax(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _extreme_ages(s, int(p[0]), x, 1.0, out)
