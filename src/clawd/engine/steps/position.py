"""Steps that turn signals into the wanted position. What is missing is flat."""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats
from clawd.engine.steps.step import step


@njit(nogil=True, error_model="numpy")
def _known(x: float) -> float:
    return x if x == x else 0.0


@step("long_short")
def long_short(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return min(1.0, max(-1.0, _known(x)))


@step("long_only")
def long_only(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return min(1.0, max(0.0, _known(x)))


@step("signal_if", state=1)
def signal_if(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    # Both at once say nothing new, so the side stays.
    if x == 1.0 and y != 1.0:
        s[0] = 1.0
    elif y == 1.0 and x != 1.0:
        s[0] = -1.0
    return s[0]


@step("hysteresis", state=1)
def hysteresis(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    if x != x or abs(x) < p[1]:
        s[0] = 0.0
    if abs(x) > p[0]:
        s[0] = np.sign(x)
    elif s[0] * x < 0.0:
        s[0] = 0.0
    return s[0]


@step("gate")
def gate(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return _known(x) if y == 1.0 else p[0] * _known(x)


@step("blend")
def blend(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return p[0] * _known(x) + (1.0 - p[0]) * _known(y)


@step("smooth", state=2)
def smooth(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    if s[0] == 0.0:
        s[0], s[1] = 1.0, _known(x)
    else:
        s[1] += 2.0 / (p[0] + 1.0) * (_known(x) - s[1])
    return s[1]


@step("min_hold", state=2)
def min_hold(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    # s[0] is the position held, s[1] the bars since its side last changed.
    wanted = _known(x)
    s[1] += 1.0
    if np.sign(wanted) != np.sign(s[0]):
        if s[0] != 0.0 and s[1] < p[0]:
            return s[0]
        s[1] = 0.0
    s[0] = wanted
    return s[0]


@step("rebalance", state=2)
def rebalance(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    if s[1] == 0.0:
        s[0] = _known(x)
    s[1] = (s[1] + 1.0) % p[0]
    return s[0]


@step("no_trade_band", state=1)
def no_trade_band(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    wanted = _known(x)
    if abs(wanted - s[0]) > p[0] or wanted == 0.0:
        s[0] = wanted
    return s[0]


@step("scale_to_vol")
def scale_to_vol(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    if not y > 0.0:
        return 0.0
    return min(1.0, max(-1.0, _known(x) * p[0] / y))
