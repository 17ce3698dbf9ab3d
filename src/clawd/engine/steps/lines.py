"""Steps over the straight line through a window."""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats
from clawd.engine.steps.step import step, window
from clawd.engine.steps.sums import LIVES, sum_of

# What to make of the sums.
_SLOPE, _R2 = 0, 1


@njit(nogil=True, error_model="numpy")
def _line(s: Floats, w: int, x: Floats, what: int, out: Floats) -> None:
    # Sums of deviations from a centre, plain, by age, and squared. State: values since the last missing one, bars since
    # rebuilt, run of equal values, centre, the three sums, and the largest sum of squared deviations since rebuilt.
    clean, age, run, centre = int(s[0]), int(s[1]), int(s[2]), s[3]
    plain, aged, squared, largest = s[4], s[5], s[6], s[7]
    ages = w * (float(w) * w - 1.0) / 12.0
    share, per_age = 1.0 / w, 1.0 / ages
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
            centre, plain, aged, squared, largest, age = v, 0.0, 0.0, 0.0, 0.0, 0
            out[t] = 0.0 if what == _SLOPE else np.nan
            continue
        whole = False
        if clean > w and age < LIVES * w:
            new, old = v - centre, x[t] - centre
            aged += (w - 1) * new - (plain - old)
            plain += new - old
            squared += new * new - old * old
            age += 1
            spread = squared - plain * plain * share
            largest = max(largest, spread)
            whole = plain * plain < 10.0 * w * spread and largest < 1e6 * spread
        if not whole:
            centre, plain, aged, squared, age = sum_of(x, t + 1, w) * share, 0.0, 0.0, 0.0, 0
            for k in range(w):
                d = x[t + 1 + k] - centre
                plain += d
                aged += k * d
                squared += d * d
            largest = squared - plain * plain * share
        common = aged - 0.5 * (w - 1) * plain
        if what == _SLOPE:
            out[t] = common * per_age
        else:
            spread = squared - plain * plain * share
            out[t] = min(1.0, common * common / (ages * spread)) if 0.0 < spread < np.inf else np.nan
    s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = clean, age, run, centre, plain, aged, squared, largest


@step("ts_slope", state=8, history=window)
def ts_slope(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _line(s, int(p[0]), x, _SLOPE, out)


@step("ts_r2", state=8, history=window)
def ts_r2(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _line(s, int(p[0]), x, _R2, out)
