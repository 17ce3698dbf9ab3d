"""Steps over the powers of deviations in a window: deviation, distance from the mean, skewness, kurtosis."""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats
from clawd.engine.steps.step import step, window
from clawd.engine.steps.sums import LIVES, LOST, mean_above, sum_of

# What to make of the sums.
_DEVIATION, _ZSCORE = 0, 1
_SKEW, _KURT = 0, 1


@njit(nogil=True, error_model="numpy")
def _moments(s: Floats, w: int, x: Floats, what: int, out: Floats) -> None:
    # State: values since the last missing one, bars since rebuilt, run of equal values, mean above a centre, sum of
    # squared deviations, its largest value since rebuilt, and the centre: the latest value when rebuilt.
    clean, age, run, mean, squares, largest, centre = int(s[0]), int(s[1]), int(s[2]), s[3], s[4], s[5], s[6]
    share, freedom = 1.0 / w, 1.0 / (w - 1)
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        run = run + 1 if v == x[t + w - 1] else 1
        if clean < w:
            out[t] = np.nan
            continue
        if run >= w:
            centre, mean, squares, largest, age = v, 0.0, 0.0, 0.0, 0
            out[t] = 0.0 if what == _DEVIATION else np.nan
            continue
        if clean > w:
            old = x[t]
            change, before = v - old, mean
            mean += change * share
            squares += change * (v - centre - mean + (old - centre - before))
            largest = max(largest, squares)
            age += 1
        if clean == w or age > LIVES * w or not squares > LOST * largest:
            centre, squares = v, 0.0
            mean = mean_above(x, t + 1, w, centre)
            for k in range(t + 1, t + w + 1):
                d = x[k] - centre - mean
                squares += d * d
            age, largest = 0, squares
        if what == _DEVIATION:
            out[t] = np.sqrt(squares * freedom)
        else:
            out[t] = (v - centre - mean) / np.sqrt(squares * freedom) if 0.0 < squares < np.inf else np.nan
    s[0], s[1], s[2], s[3], s[4], s[5], s[6] = clean, age, run, mean, squares, largest, centre


@step("ts_std", state=7, history=window)
def ts_std(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _moments(s, int(p[0]), x, _DEVIATION, out)


@step("ts_zscore", state=7, history=window)
def ts_zscore(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _moments(s, int(p[0]), x, _ZSCORE, out)


@njit(nogil=True, error_model="numpy")
def _powers(s: Floats, w: int, x: Floats, what: int, out: Floats) -> None:
    # Sums of the first four powers of deviations from a centre, which follows the window when they are rebuilt. State:
    # values since the last missing one, bars since rebuilt, run of equal values, centre, the four sums, and the largest
    # sum of squared deviations since rebuilt.
    clean, age, run, centre = int(s[0]), int(s[1]), int(s[2]), s[3]
    one, two, three, four, largest = s[4], s[5], s[6], s[7], s[8]
    skew = w * np.sqrt(w - 1.0) / (w - 2.0)
    scale = w * (w + 1.0) * (w - 1.0) / ((w - 2.0) * (w - 3.0))
    share = 1.0 / w
    normal = 3.0 * (w - 1.0) ** 2 / ((w - 2.0) * (w - 3.0))
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        run = run + 1 if v == x[t + w - 1] else 1
        if clean < w:
            out[t] = np.nan
            continue
        if run >= w:
            centre, one, two, three, four, age = v, 0.0, 0.0, 0.0, 0.0, 0
            out[t] = np.nan
            continue
        whole = False
        if clean > w and age < LIVES * w:
            new, old = v - centre, x[t] - centre
            new2, old2 = new * new, old * old
            one += new - old
            two += new2 - old2
            three += new2 * new - old2 * old
            four += new2 * new2 - old2 * old2
            age += 1
            # Near the centre and with no value gone that dwarfed the rest, the sums have kept their digits.
            spread = two - one * one * share
            largest = max(largest, spread)
            whole = one * one < 9.0 * w * spread and largest < 100.0 * spread
        if not whole:
            centre, one, two, three, four, age = sum_of(x, t + 1, w) * share, 0.0, 0.0, 0.0, 0.0, 0
            for k in range(t + 1, t + w + 1):
                d = x[k] - centre
                one += d
                two += d * d
                three += d * d * d
                four += d * d * d * d
            largest = two - one * one * share
        mean = one * share
        second = two - w * mean * mean
        if not 0.0 < second < np.inf:
            out[t] = np.nan
        elif what == _SKEW:
            third = three - 3.0 * mean * two + 2.0 * w * mean * mean * mean
            out[t] = third / (second * np.sqrt(second)) * skew
        else:
            fourth = four - 4.0 * mean * three + 6.0 * mean * mean * two - 3.0 * w * mean * mean * mean * mean
            out[t] = scale * fourth / (second * second) - normal
    s[0], s[1], s[2], s[3] = clean, age, run, centre
    s[4], s[5], s[6], s[7], s[8] = one, two, three, four, largest


@step("ts_skew", state=9, history=window)
def ts_skew(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _powers(s, int(p[0]), x, _SKEW, out)


@step("ts_kurt", state=9, history=window)
def ts_kurt(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _powers(s, int(p[0]), x, _KURT, out)
