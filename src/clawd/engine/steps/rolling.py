"""Steps over a sliding window.

A window lives in a ring. Sums slide, and are rebuilt from the ring each time the ring comes round, so an error of
rounding never outlives one window. A window whose values are all equal is recognised by counting, so its deviation is
exactly zero and not a residue of rounding.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats
from clawd.engine.steps.step import step

# Layout of every ring: place of the next value, values seen (up to w), missing values in the ring, length of the run of
# equal values, then what the step keeps, then the ring itself at `base`.
_PLACE, _SEEN, _MISSING, _RUN = 0, 1, 2, 3


@njit(nogil=True, error_model="numpy")
def _push(s: Floats, w: int, base: int, x: float) -> float:
    """Put x into the ring and return the value that it displaced, NaN where there was none."""
    at = int(s[_PLACE])
    leaving = np.nan
    newest = s[base + (at + w - 1) % w]
    if s[_SEEN] == w:
        leaving = s[base + at]
        if leaving != leaving:
            s[_MISSING] -= 1.0
    else:
        s[_SEEN] += 1.0
    if x != x:
        s[_MISSING] += 1.0
        s[_RUN] = 0.0
    elif s[_SEEN] > 1.0 and x == newest:
        s[_RUN] = min(s[_RUN] + 1.0, float(w))
    else:
        s[_RUN] = 1.0
    s[base + at] = x
    s[_PLACE] = (at + 1) % w
    return leaving


@njit(nogil=True, error_model="numpy")
def _whole(s: Floats, w: int) -> bool:
    return s[_SEEN] == w and s[_MISSING] == 0.0


@njit(nogil=True, error_model="numpy")
def _slide_sum(s: Floats, w: int, base: int, x: float) -> float:
    """Slide the sum kept in s[4]; missing values count as nothing."""
    leaving = _push(s, w, base, x)
    if s[_PLACE] == 0.0:
        total = 0.0
        for k in range(w):
            value = s[base + k]
            if value == value:
                total += value
        s[4] = total
    else:
        if x == x:
            s[4] += x
        if leaving == leaving:
            s[4] -= leaving
    return s[4]


@njit(nogil=True, error_model="numpy")
def _slide_moments(s: Floats, w: int, base: int, x: float) -> None:
    """Slide the mean s[4] and the sum of squared deviations s[5] of the values that are not missing (count in s[6])."""
    leaving = _push(s, w, base, x)
    if s[_PLACE] == 0.0:
        count, mean, squares = 0.0, 0.0, 0.0
        for k in range(w):
            value = s[base + k]
            if value == value:
                count += 1.0
                mean += value
        if count > 0.0:
            mean /= count
        for k in range(w):
            value = s[base + k]
            if value == value:
                squares += (value - mean) * (value - mean)
        s[4], s[5], s[6] = mean, squares, count
        return
    if leaving == leaving:
        s[6] -= 1.0
        if s[6] == 0.0:
            s[4], s[5] = 0.0, 0.0
        else:
            change = leaving - s[4]
            s[4] -= change / s[6]
            s[5] -= change * (leaving - s[4])
    if x == x:
        s[6] += 1.0
        change = x - s[4]
        s[4] += change / s[6]
        s[5] += change * (x - s[4])


@njit(nogil=True, error_model="numpy")
def _deviation(s: Floats, w: int) -> float:
    """Sample standard deviation of a whole window kept by _slide_moments."""
    if s[_RUN] == w:
        return 0.0
    return np.sqrt(max(s[5], 0.0) / (w - 1))


@njit(nogil=True, error_model="numpy")
def _leaving_of(s: Floats, w: int, x: float) -> float:
    """x as it was w bars ago, in a ring of w values."""
    return _push(s, w, 4, x)


@step("delay", state=lambda p: 4 + int(p[0]))
def delay(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return _leaving_of(s, int(p[0]), x)


@step("delta", state=lambda p: 4 + int(p[0]))
def delta(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return x - _leaving_of(s, int(p[0]), x)


@step("ret", state=lambda p: 4 + int(p[0]))
def ret(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    before = _leaving_of(s, int(p[0]), x)
    if abs(before) < 1e-12:
        return np.nan
    return x / before - 1.0


@step("ts_sum", state=lambda p: 5 + int(p[0]))
def ts_sum(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    w = int(p[0])
    total = _slide_sum(s, w, 5, x)
    return total if _whole(s, w) else np.nan


@step("ts_mean", state=lambda p: 5 + int(p[0]))
def ts_mean(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    w = int(p[0])
    total = _slide_sum(s, w, 5, x)
    if not _whole(s, w):
        return np.nan
    return x if s[_RUN] == w else total / w


@step("ts_std", state=lambda p: 7 + int(p[0]))
def ts_std(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    w = int(p[0])
    _slide_moments(s, w, 7, x)
    return _deviation(s, w) if _whole(s, w) else np.nan


@step("ts_zscore", state=lambda p: 7 + int(p[0]))
def ts_zscore(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    w = int(p[0])
    _slide_moments(s, w, 7, x)
    if not _whole(s, w):
        return np.nan
    deviation = _deviation(s, w)
    return (x - s[4]) / deviation if deviation > 0.0 else np.nan


@step("ts_rank", state=lambda p: 4 + int(p[0]))
def ts_rank(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    w = int(p[0])
    _push(s, w, 4, x)
    if not _whole(s, w):
        return np.nan
    below, equal = 0.0, 0.0
    for k in range(w):
        value = s[4 + k]
        if value < x:
            below += 1.0
        elif value == x:
            equal += 1.0
    return (below + 0.5 * (equal + 1.0)) / w


@njit(nogil=True, error_model="numpy")
def _extreme(s: Floats, w: int, x: float, side: float) -> float:
    """The largest (side 1) or smallest (side -1) of the last w values: a queue of candidates, each amortised once.

    Layout: bars seen, first candidate's place, number of candidates, bar after the last missing value, then the
    candidates' values and the bars at which they came.
    """
    bar = s[0]
    s[0] += 1.0
    first, size = int(s[1]), int(s[2])
    if size > 0 and s[4 + w + first] <= bar - w:
        first = (first + 1) % w
        size -= 1
    if x != x:
        s[3] = bar + 1.0
    else:
        while size > 0 and side * s[4 + (first + size - 1) % w] <= side * x:
            size -= 1
        last = (first + size) % w
        s[4 + last] = x
        s[4 + w + last] = bar
        size += 1
    s[1], s[2] = float(first), float(size)
    if s[0] < w or (s[3] > 0.0 and bar - (s[3] - 1.0) < w):
        return np.nan
    return s[4 + first]


@step("ts_min", state=lambda p: 4 + 2 * int(p[0]))
def ts_min(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return _extreme(s, int(p[0]), x, -1.0)


@step("ts_max", state=lambda p: 4 + 2 * int(p[0]))
def ts_max(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return _extreme(s, int(p[0]), x, 1.0)


@step("ts_slope", state=lambda p: 6 + int(p[0]))
def ts_slope(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    w = int(p[0])
    before = s[4]
    leaving = _push(s, w, 6, x)
    if s[_PLACE] == 0.0 or s[_MISSING] > 0.0 or leaving != leaving:
        # Rebuilt when the ring comes round and around anything missing; s[4] is the sum, s[5] the sum weighted by age.
        total, weighted = 0.0, 0.0
        first = int(s[_PLACE]) if s[_SEEN] == w else 0
        for k in range(int(s[_SEEN])):
            value = s[6 + (first + k) % w]
            if value == value:
                total += value
                weighted += k * value
        s[4], s[5] = total, weighted
    else:
        s[5] += (w - 1) * x - (before - leaving)
        s[4] = before + x - leaving
    if not _whole(s, w):
        return np.nan
    if s[_RUN] == w:
        return 0.0
    return (s[5] - 0.5 * (w - 1) * s[4]) / (w * (float(w) * w - 1.0) / 12.0)


# Two rings side by side: x's at 9, y's at 9 + w. s[4], s[5] are the means, s[6], s[7], s[8] the sums of squares of x,
# of y, and of products. A pair counts as missing when either is; the run of equal pairs is not used.
@njit(nogil=True, error_model="numpy")
def _slide_pair(s: Floats, w: int, x: float, y: float) -> bool:
    if x != x or y != y:
        x, y = np.nan, np.nan
    at = int(s[_PLACE])
    old_y = s[9 + w + at] if s[_SEEN] == w else np.nan
    old_x = _push(s, w, 9, x)
    s[9 + w + at] = y
    if s[_MISSING] > 0.0 or s[_SEEN] < w:
        return False
    if s[_PLACE] == 0.0 or old_x != old_x:
        mean_x, mean_y = 0.0, 0.0
        for k in range(w):
            mean_x += s[9 + k]
            mean_y += s[9 + w + k]
        mean_x /= w
        mean_y /= w
        xx, yy, xy = 0.0, 0.0, 0.0
        for k in range(w):
            a, b = s[9 + k] - mean_x, s[9 + w + k] - mean_y
            xx += a * a
            yy += b * b
            xy += a * b
        s[4], s[5], s[6], s[7], s[8] = mean_x, mean_y, xx, yy, xy
        return True
    mean_x, mean_y = s[4], s[5]
    shift_x, shift_y = (x - old_x) / w, (y - old_y) / w
    s[6] += (x - mean_x) ** 2 - (old_x - mean_x) ** 2 - w * shift_x * shift_x
    s[7] += (y - mean_y) ** 2 - (old_y - mean_y) ** 2 - w * shift_y * shift_y
    s[8] += (x - mean_x) * (y - mean_y) - (old_x - mean_x) * (old_y - mean_y) - w * shift_x * shift_y
    s[4] = mean_x + shift_x
    s[5] = mean_y + shift_y
    return True


@njit(nogil=True, error_model="numpy")
def _flat(s: Floats, w: int, base: int) -> bool:
    """Whether all values of the ring at base are equal."""
    for k in range(1, w):  # noqa: SIM110  (compiled: a loop that stops early)
        if s[base + k] != s[base]:
            return False
    return True


@step("ts_corr", state=lambda p: 9 + 2 * int(p[0]))
def ts_corr(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    w = int(p[0])
    if not _slide_pair(s, w, x, y) or _flat(s, w, 9) or _flat(s, w, 9 + w):
        return np.nan
    product = s[6] * s[7]
    if product <= 0.0:
        return np.nan
    return min(1.0, max(-1.0, s[8] / np.sqrt(product)))


@step("ts_beta", state=lambda p: 9 + 2 * int(p[0]))
def ts_beta(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    w = int(p[0])
    if not _slide_pair(s, w, x, y) or _flat(s, w, 9 + w) or s[7] <= 0.0:
        return np.nan
    return s[8] / s[7]


@step("efficiency", state=lambda p: 10 + 2 * int(p[0]))
def efficiency(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    # First the ring of absolute changes with its sum, then a ring of values; the value before comes last.
    w = int(p[0])
    values = s[5 + w :]
    before = values[4 + w] if values[_SEEN] > 0.0 else np.nan
    old = _leaving_of(values, w, x)
    values[4 + w] = x
    path = _slide_sum(s, w, 5, abs(x - before))
    if not _whole(s, w) or old != old or path <= 0.0 or (s[_RUN] == w and x == before):
        return np.nan
    return abs(x - old) / path
