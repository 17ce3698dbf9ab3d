"""Steps over a window of the last w bars, this one included: missing while any value in the window is."""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats
from clawd.engine.steps.arithmetic import SMALLEST_DIVISOR
from clawd.engine.steps.logarithm import log_of
from clawd.engine.steps.step import step, window
from clawd.engine.steps.sums import FEW, LIVES, LOST, LOST_SUM, add_deviations, deviations, path_of, sum_of


@step("delay", history=window, bounded=True)
def delay(x: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = x[t]


@step("delta", history=window)
def delta(p: Floats, x: Floats, out: Floats) -> None:
    now = x[int(p[0]) :]
    for t in range(out.size):
        out[t] = now[t] - x[t]


@step("ret", history=window)
def ret(p: Floats, x: Floats, out: Floats) -> None:
    now = x[int(p[0]) :]
    for t in range(out.size):
        out[t] = now[t] / x[t] - 1.0 if abs(x[t]) >= SMALLEST_DIVISOR else np.nan


@njit(nogil=True, error_model="numpy")
def _sums(s: Floats, w: int, x: Floats, divisor: float, out: Floats) -> None:
    # State: values since the last missing one, bars since the sum was rebuilt, run of equal values, sum, and its
    # largest size since rebuilt.
    clean, age, run, total, largest = int(s[0]), int(s[1]), int(s[2]), s[3], s[4]
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
        if clean > w:
            total += v - x[t]
            largest = max(largest, abs(total))
            age += 1
        if clean == w or age > LIVES * w or not LOST_SUM * largest <= abs(total) < np.inf:
            total, age = sum_of(x, t + 1, w), 0
            largest = abs(total)
        out[t] = v * (w / divisor) if run >= w else total / divisor
    s[0], s[1], s[2], s[3], s[4] = clean, age, run, total, largest


@step("ts_sum", state=5, history=window)
def ts_sum(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _sums(s, int(p[0]), x, 1.0, out)


@step("ts_mean", state=5, history=window)
def ts_mean(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _sums(s, int(p[0]), x, p[0], out)


@step("ts_mad", state=5, history=window)
def ts_mad(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    w = int(p[0])
    if out.size < FEW:
        _sums(s, w, x, p[0], out)
        for t in range(out.size):
            out[t] = deviations(x, t + 1, w, out[t]) / w
        return
    means = np.empty(out.size)
    _sums(s, w, x, p[0], means)
    add_deviations(x, w, means, out)
    for t in range(out.size):
        out[t] /= w


@step("ts_prod", history=window)
def ts_prod(p: Floats, x: Floats, out: Floats) -> None:
    # Something missing makes the product missing by itself.
    w = int(p[0])
    if out.size < FEW:
        for t in range(out.size):
            product = 1.0
            for k in range(t + 1, t + w + 1):
                product *= x[k]
            out[t] = product
        return
    out[:] = 1.0
    whole = w - w % 4
    for k in range(1, whole + 1, 4):
        a, b, c, d = x[k:], x[k + 1 :], x[k + 2 :], x[k + 3 :]
        for t in range(out.size):
            out[t] = out[t] * a[t] * b[t] * c[t] * d[t]
    for k in range(whole + 1, w + 1):
        a = x[k:]
        for t in range(out.size):
            out[t] *= a[t]


@step("decay_linear", state=6, history=window)
def decay_linear(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # State: values since the last missing one, bars since rebuilt, run of equal values, plain sum, weighted sum, and
    # the largest size of that since rebuilt.
    w = int(p[0])
    clean, age, run, total, weighted, largest = int(s[0]), int(s[1]), int(s[2]), s[3], s[4], s[5]
    weights = 0.5 * w * (w + 1.0)
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
        if clean > w:
            weighted += w * v - total
            total += v - x[t]
            largest = max(largest, abs(weighted))
            age += 1
        if clean == w or age > LIVES * w or not LOST_SUM * largest <= abs(weighted) < np.inf:
            total, weighted, age = 0.0, 0.0, 0
            for k in range(1, w + 1):
                total += x[t + k]
                weighted += k * x[t + k]
            largest = abs(weighted)
        out[t] = v if run >= w else weighted / weights
    s[0], s[1], s[2], s[3], s[4], s[5] = clean, age, run, total, weighted, largest


@step("efficiency", state=4, history=lambda p: int(p[0]) + 1)
def efficiency(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # State: values since the last missing one, bars since the path was rebuilt, its length, the longest since.
    w = int(p[0])
    clean, age, path, longest = int(s[0]), int(s[1]), s[2], s[3]
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
        net = abs(v - x[t + 1])
        if clean > w + 1:
            path += abs(v - x[t + w]) - abs(x[t + 1] - x[t])
            longest = max(longest, path)
            age += 1
        if clean == w + 1 or age > LIVES * w or not LOST * longest < path < np.inf:
            path, age = path_of(x, t + 1, w), 0
            longest = path
        out[t] = min(1.0, net / path) if 0.0 < path < np.inf else np.nan
    s[0], s[1], s[2], s[3] = clean, age, path, longest


@step("frac_diff", state=lambda p: int(p[1]))
def frac_diff(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # The weights follow the order and the window among the parameters, the newest value's first. The state is how many
    # values have been seen, at most w - 1, and the logarithms of the last w - 1.
    w = int(p[1])
    weights, before = p[2:], s[1:]
    logs = np.empty(w - 1 + out.size)
    seen = int(s[0])
    for k in range(w - 1):
        logs[k] = before[k] if k >= w - 1 - seen else np.nan
    now = logs[w - 1 :]
    for t in range(out.size):
        now[t] = log_of(x[t])
    if out.size < FEW:
        for t in range(out.size):
            total = 0.0
            for k in range(w):
                total += weights[k] * logs[w - 1 - k + t]
            out[t] = total
    else:
        out[:] = 0.0
        whole = w - w % 4
        for k in range(0, whole, 4):
            a, b, c, d = logs[w - 1 - k :], logs[w - 2 - k :], logs[w - 3 - k :], logs[w - 4 - k :]
            to_a, to_b, to_c, to_d = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
            for t in range(out.size):
                out[t] = out[t] + to_a * a[t] + to_b * b[t] + to_c * c[t] + to_d * d[t]
        for k in range(whole, w):
            a, to_a = logs[w - 1 - k :], weights[k]
            for t in range(out.size):
                out[t] += to_a * a[t]
    for k in range(w - 1):
        before[k] = logs[out.size + k]
    s[0] = min(seen + out.size, w - 1)
