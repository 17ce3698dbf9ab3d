"""Steps that carry smoothed values on. What is missing is skipped: the value before stays.

A value that has become larger than floats hold is forgotten: the next one begins anew.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats
from clawd.engine.steps.logarithm import log_of
from clawd.engine.steps.step import step
from clawd.engine.steps.sums import LIVES, LOST, path_of

#: Kaufman's constants: the smoothing of 2 bars and of 30.
_FAST, _SLOW = 2.0 / 3.0, 2.0 / 31.0

#: The covariance in which a Kalman regression starts, in units of the variance of what it observes.
_DIFFUSE = 1e4


@njit(nogil=True, error_model="numpy")
def _follow(level: float, alpha: float, x: Floats, out: Floats) -> float:
    """Let a level follow values of which none is missing. Returns where it is at the end: not finite where one was
    missing after all, or too large."""
    for t in range(out.size):
        level += alpha * (x[t] - level)
        out[t] = level
    return level


@step("ema", state=2)
def ema(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    seeded, level = s[0], s[1]
    alpha = 2.0 / (p[0] + 1.0)
    if seeded == 1.0:
        last = _follow(level, alpha, x, out)
        if abs(last) < np.inf:
            s[1] = last
            return
    for t in range(out.size):
        v = x[t]
        if v != v:
            out[t] = np.nan
            continue
        if seeded == 0.0 or not abs(level) < np.inf:
            seeded, level = 1.0, v
        else:
            level += alpha * (v - level)
        out[t] = level
    s[0], s[1] = seeded, level


@step("rma", state=2)
def rma(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    seen, level, w = s[0], s[1], p[0]
    share = 1.0 / w
    if seen == w:
        last = _follow(level, share, x, out)
        if abs(last) < np.inf:
            s[1] = last
            return
    for t in range(out.size):
        v = x[t]
        if v != v:
            out[t] = np.nan
            continue
        if not abs(level) < np.inf:
            seen, level = 0.0, 0.0
        if seen < w:
            seen += 1.0
            level += v
            if seen < w:
                out[t] = np.nan
                continue
            level /= w
        else:
            level += (v - level) * share
        out[t] = level
    s[0], s[1] = seen, level


@step("ewm_std", state=2)
def ewm_std(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    seeded, level = s[0], s[1]
    alpha = 2.0 / (p[0] + 1.0)
    if seeded == 1.0:
        for t in range(out.size):
            out[t] = x[t] * x[t]
        last = _follow(level, alpha, out, out)
        if abs(last) < np.inf:
            for t in range(out.size):
                out[t] = np.sqrt(out[t])
            s[1] = last
            return
    for t in range(out.size):
        square = x[t] * x[t]
        if not square < np.inf:
            out[t] = np.nan
            continue
        if seeded == 0.0:
            seeded, level = 1.0, square
        else:
            level += alpha * (square - level)
        out[t] = np.sqrt(level)
    s[0], s[1] = seeded, level


@step("vol_forecast", state=3)
def vol_forecast(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # p[1] is the number of bars in a year, which the engine knows from the market.
    seeded, level, before = s[0], s[1], s[2]
    alpha, year = 2.0 / (p[0] + 1.0), p[1]
    if seeded == 1.0:
        out[0] = log_of(x[0] / before) ** 2
        for t in range(1, out.size):
            out[t] = log_of(x[t] / x[t - 1]) ** 2
        last = _follow(level, alpha, out, out)
        if abs(last) < np.inf:
            for t in range(out.size):
                out[t] = np.sqrt(out[t] * year)
            s[1], s[2] = last, x[out.size - 1]
            return
    for t in range(out.size):
        v = x[t]
        if not v > 0.0:
            out[t] = np.nan
            continue
        change = log_of(v / before) if before > 0.0 else np.nan
        if not abs(change) < np.inf:
            out[t] = np.nan
        else:
            if seeded == 0.0:
                seeded, level = 1.0, change * change
            else:
                level += alpha * (change * change - level)
            out[t] = np.sqrt(level * year)
        before = v
    s[0], s[1], s[2] = seeded, level, before


@step("kama", state=6, history=lambda p: int(p[0]) + 1)
def kama(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # Path and missing values are kept as in `efficiency`; the first value is that of the bar before, as in TA-Lib.
    w = int(p[0])
    clean, age, path, seeded, level, longest = int(s[0]), int(s[1]), s[2], s[3], s[4], s[5]
    for t in range(out.size):
        v = x[t + w + 1]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        if clean <= w:
            out[t] = np.nan
            continue
        if clean > w + 1:
            path += abs(v - x[t + w]) - abs(x[t + 1] - x[t])
            longest = max(longest, path)
            age += 1
        if clean == w + 1 or age > LIVES * w or not LOST * longest < path < np.inf:
            path, age = path_of(x, t + 1, w), 0
            longest = path
        net = abs(v - x[t + 1])
        ratio = net / path if path > net else 1.0
        if seeded == 0.0 or not abs(level) < np.inf:
            seeded, level = 1.0, x[t + w]
        speed = ratio * (_FAST - _SLOW) + _SLOW
        level += speed * speed * (v - level)
        out[t] = level
    s[0], s[1], s[2], s[3], s[4], s[5] = clean, age, path, seeded, level, longest


@step("kalman_level", state=3)
def kalman_level(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # The variance of the level, in units of that of the observations, starts at 1 with the first of them.
    seeded, level, variance = s[0], s[1], s[2]
    noise, gain, settled = p[0], 0.0, -1.0
    for t in range(out.size):
        v = x[t]
        if v != v:
            out[t] = np.nan
            continue
        if seeded == 0.0 or not abs(level) < np.inf:
            seeded, level, variance = 1.0, v, 1.0
        else:
            if variance != settled:  # it soon stays as it is, and the gain with it
                settled = variance
                gain = (variance + noise) / (variance + noise + 1.0)
                variance = (variance + noise) * (1.0 - gain)
            level += gain * (v - level)
        out[t] = level
    s[0], s[1], s[2] = seeded, level, variance


@step("kalman_beta", state=7)
def kalman_beta(s: Floats, p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    # log(x / x0) = intercept + slope * log(y / y0) + noise; intercept and slope walk at random.
    first_x, first_y, intercept, slope = s[0], s[1], s[2], s[3]
    aa, ab, bb = s[4], s[5], s[6]
    noise = p[0]
    for t in range(out.size):
        if first_x == 0.0 and x[t] > 0.0 and y[t] > 0.0:
            first_x, first_y = x[t], y[t]
            intercept, slope = 0.0, 1.0
            aa, ab, bb = _DIFFUSE, 0.0, _DIFFUSE
    logs = np.empty(out.size)
    for t in range(out.size):
        logs[t], out[t] = log_of(y[t] / first_y), log_of(x[t] / first_x)
    for t in range(out.size):
        u, v = logs[t], out[t]
        if not (abs(u) < np.inf and abs(v) < np.inf):
            out[t] = np.nan
            continue
        aa += noise
        bb += noise
        to_a, to_b = aa + ab * u, ab + bb * u
        scale = (to_a + 1.0) + to_b * u
        error = v - intercept - slope * u
        intercept += to_a / scale * error
        slope += to_b / scale * error
        aa -= to_a * to_a / scale
        ab -= to_a * to_b / scale
        bb -= to_b * to_b / scale
        out[t] = slope
    s[0], s[1], s[2], s[3] = first_x, first_y, intercept, slope
    s[4], s[5], s[6] = aa, ab, bb


@step("cusum", state=2)
def cusum(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    up, down, k = s[0], s[1], p[0]
    for t in range(out.size):
        v = x[t]
        if v != v:
            out[t] = np.nan
            continue
        up = min(max(0.0, up + v - k), 1e300)
        down = min(max(0.0, down - v - k), 1e300)
        out[t] = up - down
    s[0], s[1] = up, down
