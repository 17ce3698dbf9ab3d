"""Steps that carry one smoothed value on. What is missing is skipped: the value before stays."""

from __future__ import annotations

import numpy as np

from clawd.core.panel import Floats
from clawd.engine.steps.step import step


@step("ema", state=2)
def ema(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    if x != x:
        return np.nan
    if s[0] == 0.0:
        s[0], s[1] = 1.0, x
    else:
        s[1] += 2.0 / (p[0] + 1.0) * (x - s[1])
    return s[1]


@step("rma", state=2)
def rma(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    w = p[0]
    if x != x:
        return np.nan
    if s[0] < w:
        s[0] += 1.0
        s[1] += x
        if s[0] < w:
            return np.nan
        s[1] /= w
    else:
        s[1] += (x - s[1]) / w
    return s[1]


@step("ewm_std", state=2)
def ewm_std(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    square = x * x
    if not square < np.inf:
        return np.nan
    if s[0] == 0.0:
        s[0], s[1] = 1.0, square
    else:
        s[1] += 2.0 / (p[0] + 1.0) * (square - s[1])
    return np.sqrt(s[1])


@step("vol_forecast", state=3)
def vol_forecast(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    # p[1] is the number of bars in a year, which the engine knows from the market.
    if not x > 0.0:
        return np.nan
    before = s[2]
    s[2] = x
    if before == 0.0:
        return np.nan
    change = np.log(x / before)
    if s[0] == 0.0:
        s[0], s[1] = 1.0, change * change
    else:
        s[1] += 2.0 / (p[0] + 1.0) * (change * change - s[1])
    return np.sqrt(s[1] * p[1])
