"""Steps of arithmetic. None of them has state."""

from __future__ import annotations

import numpy as np

from clawd.engine.steps.step import step

SMALLEST_DIVISOR = 1e-12


@step("add")
def add(s, p, x, y, z):
    return x + y


@step("sub")
def sub(s, p, x, y, z):
    return x - y


@step("mul")
def mul(s, p, x, y, z):
    return x * y


@step("div")
def div(s, p, x, y, z):
    if abs(y) < SMALLEST_DIVISOR:
        return np.nan
    return x / y


@step("neg")
def neg(s, p, x, y, z):
    return -x


@step("abs")
def absolute(s, p, x, y, z):
    return abs(x)


@step("sign")
def sign(s, p, x, y, z):
    return np.sign(x)


@step("log")
def log(s, p, x, y, z):
    return np.log(x) if x > 0.0 else np.nan


@step("sqrt")
def sqrt(s, p, x, y, z):
    return np.sign(x) * np.sqrt(abs(x))


@step("min2")
def min2(s, p, x, y, z):
    if x != x or y != y:
        return np.nan
    return x if x < y else y


@step("max2")
def max2(s, p, x, y, z):
    if x != x or y != y:
        return np.nan
    return x if x > y else y


@step("clip")
def clip(s, p, x, y, z):
    if x != x:
        return np.nan
    return min(max(x, p[0]), p[1])


@step("squash")
def squash(s, p, x, y, z):
    return np.tanh(x)
