"""Steps that turn signals into the wanted position. What is missing is flat."""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats
from clawd.engine.steps.step import step


@njit(nogil=True, error_model="numpy")
def known(x: float) -> float:
    return x if x == x else 0.0


@step("long_short", bounded=True)
def long_short(x: Floats, out: Floats) -> None:
    for t in range(out.size):
        v = x[t] if x[t] < 1.0 else 1.0
        v = v if v > -1.0 else -1.0
        out[t] = v if x[t] == x[t] else 0.0


@step("long_only", bounded=True)
def long_only(x: Floats, out: Floats) -> None:
    for t in range(out.size):
        v = x[t] if x[t] < 1.0 else 1.0
        v = v if v > 0.0 else 0.0
        out[t] = v if x[t] == x[t] else 0.0


@step("signal_if", state=1, bounded=True)
def signal_if(s: Floats, x: Floats, y: Floats, out: Floats) -> None:
    # Both at once say nothing new, so the side stays.
    side = s[0]
    for t in range(out.size):
        side = 1.0 if x[t] > y[t] else -1.0 if y[t] > x[t] else side
        out[t] = side
    s[0] = side


@step("hysteresis", state=1, bounded=True)
def hysteresis(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    side, enter, leave = s[0], p[0], p[1]
    for t in range(out.size):
        v = x[t]
        if v != v or abs(v) < leave:
            side = 0.0
        if abs(v) > enter:
            side = 1.0 if v > 0.0 else -1.0
        elif side * v < 0.0:
            side = 0.0
        out[t] = side
    s[0] = side


@step("gate", bounded=True)
def gate(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    for t in range(out.size):
        v = known(x[t])
        out[t] = v if y[t] == 1.0 else p[0] * v


@step("blend", bounded=True)
def blend(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = p[0] * known(x[t]) + (1.0 - p[0]) * known(y[t])


@step("smooth", state=2, bounded=True)
def smooth(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    seeded, level = s[0], s[1]
    alpha = 2.0 / (p[0] + 1.0)
    for t in range(out.size):
        if seeded == 0.0:
            seeded, level = 1.0, known(x[t])
        else:
            level += alpha * (known(x[t]) - level)
        out[t] = level
    s[0], s[1] = seeded, level


@step("min_hold", state=2, bounded=True)
def min_hold(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    held, since, least = s[0], s[1], p[0]
    for t in range(out.size):
        wanted = known(x[t])
        since += 1.0
        if np.sign(wanted) == np.sign(held):
            held = wanted
        elif held == 0.0 or since >= least:
            held, since = wanted, 0.0
        out[t] = held
    s[0], s[1] = held, since


@step("rebalance", state=2, bounded=True)
def rebalance(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    held, age = s[0], s[1]
    for t in range(out.size):
        if age == 0.0:
            held = known(x[t])
        age = age + 1.0 if age + 1.0 < p[0] else 0.0
        out[t] = held
    s[0], s[1] = held, age


@step("no_trade_band", state=1, bounded=True)
def no_trade_band(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    held = s[0]
    for t in range(out.size):
        wanted = known(x[t])
        if abs(wanted - held) > p[0] or wanted == 0.0:
            held = wanted
        out[t] = held
    s[0] = held


@step("scale_to_vol", bounded=True)
def scale_to_vol(p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    for t in range(out.size):
        scaled = min(1.0, max(-1.0, known(x[t]) * p[0] / y[t]))
        out[t] = scaled if y[t] > 0.0 else 0.0


@step("kelly", bounded=True)
def kelly(p: Floats, x: Floats, y: Floats, z: Floats, out: Floats) -> None:
    for t in range(out.size):
        variance = z[t] * z[t]
        share = p[0] * np.sign(x[t]) * y[t] / variance
        out[t] = x[t] * min(1.0, share) if variance > 0.0 and share > 0.0 else 0.0
