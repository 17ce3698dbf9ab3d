"""Steps across the instruments of one bar. Only instruments that have the bar and a value take part."""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats
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


@step("cs_rank", across=True)
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


@step("asset", across=True)
def asset(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    out[:] = x[int(p[0])]


@step("xs_portfolio", across=True)
def xs_portfolio(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    mean = _mean(x)
    gross = 0.0
    for value in x:
        if value == value:
            gross += abs(value - mean)
    for i in range(x.size):
        out[i] = (x[i] - mean) / gross if x[i] == x[i] and gross > 1e-12 else 0.0


@step("share_by", across=True)
def share_by(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    total = 0.0
    for i in range(x.size):
        if x[i] == x[i] and x[i] != 0.0 and y[i] > 0.0:
            total += y[i]
    for i in range(x.size):
        out[i] = x[i] * y[i] / total if x[i] == x[i] and x[i] != 0.0 and y[i] > 0.0 else 0.0
