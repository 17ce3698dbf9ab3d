"""Steps across the instruments of one bar. Only instruments that have the bar and a value take part."""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats
from clawd.engine.steps.ranks import ranks_of
from clawd.engine.steps.step import step


@njit(nogil=True, error_model="numpy")
def _mean(x: Floats) -> float:
    total, count = 0.0, 0
    for value in x:
        if value == value:
            total += value
            count += 1
    return total / count if count else np.nan


@step("cs_mean", across=True)
def cs_mean(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    out[:] = _mean(x)


@step("cs_demean", across=True)
def cs_demean(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    mean = _mean(x)
    for i in range(x.size):
        out[i] = x[i] - mean


@step("cs_zscore", across=True)
def cs_zscore(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    mean = _mean(x)
    squares, count = 0.0, 0
    for value in x:
        if value == value:
            squares += (value - mean) ** 2
            count += 1
    deviation = np.sqrt(squares / (count - 1)) if count > 1 else 0.0
    for i in range(x.size):
        out[i] = (x[i] - mean) / deviation if deviation > 1e-12 else np.nan


@step("cs_rank", across=True, bounded=True)
def cs_rank(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    for i in range(x.size):
        below, equal, count = 0.0, 0.0, 0.0
        for value in x:
            if value == value:
                count += 1.0
                if value < x[i]:
                    below += 1.0
                elif value == x[i]:
                    equal += 1.0
        out[i] = (below + 0.5 * (equal + 1.0)) / count if x[i] == x[i] else np.nan


@step("asset", across=True, bounded=True)
def asset(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    out[:] = x[int(p[0])]


@step("xs_portfolio", across=True, bounded=True)
def xs_portfolio(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    mean = _mean(x)
    gross = 0.0
    for value in x:
        if value == value:
            gross += abs(value - mean)
    for i in range(x.size):
        out[i] = (x[i] - mean) / gross if x[i] == x[i] and 1e-12 < gross < np.inf else 0.0


@step("share_by", across=True, bounded=True)
def share_by(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    total = 0.0
    for i in range(x.size):
        if x[i] == x[i] and x[i] != 0.0 and y[i] > 0.0:
            total += y[i]
    for i in range(x.size):
        out[i] = x[i] * y[i] / total if x[i] == x[i] and x[i] != 0.0 and y[i] > 0.0 else 0.0


@step("cs_scale", across=True)
def cs_scale(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    gross = 0.0
    for value in x:
        if value == value:
            gross += abs(value)
    for i in range(x.size):
        out[i] = x[i] / gross if gross > 1e-12 else np.nan


@njit(nogil=True, error_model="numpy")
def _quantile(ordered: Floats, q: float) -> float:
    low, high, share = ranks_of(q, ordered.size)
    return ordered[low] + share * (ordered[high] - ordered[low])


@step("cs_winsor", across=True, bounded=True)
def cs_winsor(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    ordered = np.sort(x[x == x])
    if ordered.size == 0:
        out[:] = np.nan
        return
    q = min(p[0], 1.0 - p[0])
    low, high = _quantile(ordered, q), _quantile(ordered, 1.0 - q)
    for i in range(x.size):
        out[i] = min(high, max(low, x[i])) if x[i] == x[i] else np.nan


@step("cs_group_demean", across=True)
def cs_group_demean(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    # The parameters are the group of each instrument.
    for i in range(x.size):
        total, count = 0.0, 0
        for j in range(x.size):
            if p[j] == p[i] and x[j] == x[j]:
                total += x[j]
                count += 1
        out[i] = x[i] - total / count if count > 0 else np.nan


@step("cs_resid", across=True)
def cs_resid(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    count, mean_x, mean_y = 0, 0.0, 0.0
    for i in range(x.size):
        if x[i] == x[i] and y[i] == y[i]:
            count += 1
            mean_x += x[i]
            mean_y += y[i]
    if count < 2:
        out[:] = np.nan
        return
    mean_x /= count
    mean_y /= count
    squares, products = 0.0, 0.0
    for i in range(x.size):
        if x[i] == x[i] and y[i] == y[i]:
            squares += (y[i] - mean_y) ** 2
            products += (y[i] - mean_y) * (x[i] - mean_x)
    # Where y does not vary, no line can be laid, and only the mean is taken away.
    slope = products / squares if squares > 1e-24 * mean_y * mean_y else 0.0
    for i in range(x.size):
        out[i] = x[i] - mean_x - slope * (y[i] - mean_y)


@step("cs_top", across=True, bounded=True)
def cs_top(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    for i in range(x.size):
        larger, count = 0.0, 0.0
        for value in x:
            if value == value:
                count += 1.0
                larger += value > x[i]
        out[i] = 1.0 if x[i] == x[i] and larger < p[0] * count else 0.0


@step("spread_position", across=True, bounded=True)
def spread_position(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    first, second = int(p[0]), int(p[1])
    out[:] = 0.0
    ratio = y[first]
    if ratio == ratio and x[first] == x[first] and x[second] == x[second]:
        share = x[first] / (1.0 + abs(ratio))
        out[first] = share
        out[second] = -ratio * share
