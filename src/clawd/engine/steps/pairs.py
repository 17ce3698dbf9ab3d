"""Steps over the pairs of two series in a window."""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats
from clawd.engine.steps.logarithm import log_of
from clawd.engine.steps.step import step, window
from clawd.engine.steps.sums import LIVES, LOST, mean_above

_LONGEST_HALFLIFE = 1_000.0

# What to make of the sums.
_CORRELATION, _COVARIANCE, _BETA, _RESIDUAL = 0, 1, 2, 3


@njit(nogil=True, error_model="numpy")
def _pairs(s: Floats, w: int, x: Floats, y: Floats, what: int, out: Floats) -> None:
    # State: pairs since one was missing, bars since rebuilt, runs of equal x and of equal y, both means above their
    # centres, sums of squares of x and of y, sum of products, the largest of the sums of squares since rebuilt, and the
    # centres: the latest pair when rebuilt.
    clean, age, run_x, run_y = int(s[0]), int(s[1]), int(s[2]), int(s[3])
    mean_x, mean_y, xx, yy, xy, most_x, most_y = s[4], s[5], s[6], s[7], s[8], s[9], s[10]
    centre_x, centre_y = s[11], s[12]
    share, freedom = 1.0 / w, 1.0 / (w - 1)
    for t in range(out.size):
        v, u = x[t + w], y[t + w]
        if v != v or u != u:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        run_x = run_x + 1 if v == x[t + w - 1] else 1
        run_y = run_y + 1 if u == y[t + w - 1] else 1
        if clean < w:
            out[t] = np.nan
            continue
        if clean > w:
            change_x, change_y = v - x[t], u - y[t]
            shift_x, shift_y = change_x * share, change_y * share
            # Of the new pair and the one that leaves, deviations from the means before, added up, less the shift.
            both_x = (v - centre_x - mean_x) + (x[t] - centre_x - mean_x) - shift_x
            both_y = (u - centre_y - mean_y) + (y[t] - centre_y - mean_y) - shift_y
            # The three sums are made alike, so that a series on itself has a slope of exactly one.
            xx += change_x * both_x
            yy += change_y * both_y
            xy += 0.5 * (change_x * both_y + change_y * both_x)
            mean_x += shift_x
            mean_y += shift_y
            most_x, most_y = max(most_x, xx), max(most_y, yy)
            age += 1
        flat_x, flat_y = run_x >= w, run_y >= w
        if flat_x:
            centre_x, mean_x, xx, xy, most_x = v, 0.0, 0.0, 0.0, 0.0
        if flat_y:
            centre_y, mean_y, yy, xy, most_y = u, 0.0, 0.0, 0.0, 0.0
        kept = (flat_x or xx > LOST * most_x) and (flat_y or yy > LOST * most_y)
        if clean == w or age > LIVES * w or not kept:
            centre_x, centre_y = v, u
            mean_x, mean_y = mean_above(x, t + 1, w, v), mean_above(y, t + 1, w, u)
            xx, yy, xy = 0.0, 0.0, 0.0
            for k in range(t + 1, t + w + 1):
                a, b = x[k] - centre_x - mean_x, y[k] - centre_y - mean_y
                xx += a * a
                yy += b * b
                xy += a * b
            age, most_x, most_y = 0, xx, yy
        if what == _COVARIANCE:
            out[t] = 0.0 if flat_x or flat_y else xy * freedom
        elif flat_y or not (0.0 < yy < np.inf and xx < np.inf):
            out[t] = np.nan
        elif what == _CORRELATION:
            # The root of a square is exact, so a series is correlated with itself by exactly one.
            product = xx * yy
            root = np.sqrt(product) if 1e-290 < product < 1e300 else np.sqrt(xx) * np.sqrt(yy)
            out[t] = min(1.0, max(-1.0, xy / root)) if root > 0.0 and not flat_x else np.nan
        elif what == _BETA:
            out[t] = 0.0 if flat_x else xy / yy
        else:
            out[t] = 0.0 if flat_x else v - centre_x - mean_x - xy / yy * (u - centre_y - mean_y)
    s[0], s[1], s[2], s[3] = clean, age, run_x, run_y
    s[4], s[5], s[6], s[7], s[8], s[9], s[10] = mean_x, mean_y, xx, yy, xy, most_x, most_y
    s[11], s[12] = centre_x, centre_y


@step("ts_corr", state=13, history=window, bounded=True)
def ts_corr(s: Floats, p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    _pairs(s, int(p[0]), x, y, _CORRELATION, out)


@step("ts_cov", state=13, history=window)
def ts_cov(s: Floats, p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    _pairs(s, int(p[0]), x, y, _COVARIANCE, out)


@step("ts_beta", state=13, history=window)
def ts_beta(s: Floats, p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    _pairs(s, int(p[0]), x, y, _BETA, out)


@step("ts_resid", state=13, history=window)
def ts_resid(s: Floats, p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    _pairs(s, int(p[0]), x, y, _RESIDUAL, out)


@step("ou_halflife", state=13, history=lambda p: int(p[0]) + 1, bounded=True)
def ou_halflife(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # Pairs of a value with the one before it: the slope of the first on the second is the coefficient of an AR(1).
    _pairs(s, int(p[0]), x[1:], x, _BETA, out)
    for t in range(out.size):
        phi = out[t]
        halflife = -np.log(2.0) / log_of(phi)
        halflife = halflife if (phi < 1.0) & (halflife < _LONGEST_HALFLIFE) else _LONGEST_HALFLIFE
        halflife = halflife if phi > 1e-12 else 0.0
        out[t] = halflife if phi == phi else np.nan
