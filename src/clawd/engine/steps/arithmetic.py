"""Steps of one bar: arithmetic on series."""

from __future__ import annotations

import numpy as np

from clawd.core.panel import Floats
from clawd.engine.steps.logarithm import log_of
from clawd.engine.steps.step import step

SMALLEST_DIVISOR = 1e-12


@step("add")
def add(x: Floats, y: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = x[t] + y[t]


@step("sub")
def sub(x: Floats, y: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = x[t] - y[t]


@step("mul")
def mul(x: Floats, y: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = x[t] * y[t]


@step("div")
def div(x: Floats, y: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = x[t] / y[t] if abs(y[t]) >= SMALLEST_DIVISOR else np.nan


@step("neg", bounded=True)
def neg(x: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = -x[t]


@step("abs", bounded=True)
def absolute(x: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = abs(x[t])


@step("sign", bounded=True)
def sign(x: Floats, out: Floats) -> None:
    for t in range(out.size):
        v = x[t]
        out[t] = 1.0 if v > 0.0 else -1.0 if v < 0.0 else v - v


@step("log", bounded=True)
def log(x: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = log_of(x[t])


@step("sqrt", bounded=True)
def sqrt(x: Floats, out: Floats) -> None:
    for t in range(out.size):
        root = np.sqrt(abs(x[t]))
        out[t] = root if x[t] >= 0.0 else -root


@step("signed_pow")
def signed_pow(p: Floats, x: Floats, out: Floats) -> None:
    k = p[0]
    for t in range(out.size):
        size = abs(x[t])
        if k == 0.5:
            power = np.sqrt(size)
        else:
            power = size
            for _ in range(int(k) - 1):
                power *= size
        out[t] = power if x[t] >= 0.0 else -power


@step("pow")
def pow_(x: Floats, y: Floats, out: Floats) -> None:
    for t in range(out.size):
        if x[t] != x[t] or y[t] != y[t]:
            out[t] = np.nan
            continue
        base = min(1e6, max(0.0, x[t]))
        exponent = min(10.0, max(-10.0, y[t]))
        out[t] = base**exponent if base > 0.0 or exponent >= 0.0 else np.nan


@step("as_num", bounded=True)
def as_num(x: Floats, out: Floats) -> None:
    out[:] = x


@step("min2", bounded=True)
def min2(x: Floats, y: Floats, out: Floats) -> None:
    for t in range(out.size):
        smaller = x[t] if x[t] < y[t] else y[t]
        out[t] = smaller if x[t] == x[t] else np.nan


@step("max2", bounded=True)
def max2(x: Floats, y: Floats, out: Floats) -> None:
    for t in range(out.size):
        larger = x[t] if x[t] > y[t] else y[t]
        out[t] = larger if x[t] == x[t] else np.nan


@step("clip", bounded=True)
def clip(p: Floats, x: Floats, out: Floats) -> None:
    low, high = p[0], p[1]
    for t in range(out.size):
        v = x[t] if x[t] < high else high
        v = v if v > low else low
        out[t] = v if x[t] == x[t] else np.nan


@step("squash", bounded=True)
def squash(x: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = np.tanh(x[t])
