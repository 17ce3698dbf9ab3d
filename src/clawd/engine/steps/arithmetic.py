"""Steps of arithmetic. None of them has state."""

from __future__ import annotations

import numpy as np

from clawd.core.panel import Floats
from clawd.engine.steps.step import step

SMALLEST_DIVISOR = 1e-12


@step("add")
def add(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return x + y


@step("sub")
def sub(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return x - y


@step("mul")
def mul(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return x * y


@step("div")
def div(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    if abs(y) < SMALLEST_DIVISOR:
        return np.nan
    return x / y


@step("neg")
def neg(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return -x


@step("abs")
def absolute(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return abs(x)


@step("sign")
def sign(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return np.sign(x)


@step("log")
def log(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return np.log(x) if x > 0.0 else np.nan


@step("sqrt")
def sqrt(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return np.sign(x) * np.sqrt(abs(x))


@step("min2")
def min2(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    if x != x or y != y:
        return np.nan
    return x if x < y else y


@step("max2")
def max2(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    if x != x or y != y:
        return np.nan
    return x if x > y else y


@step("clip")
def clip(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    if x != x:
        return np.nan
    return min(max(x, p[0]), p[1])


@step("squash")
def squash(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return np.tanh(x)
