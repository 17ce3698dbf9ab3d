"""Steps of conditions: 1 is true, 0 is false, and nothing missing is true."""

from __future__ import annotations

import numpy as np

from clawd.core.panel import Floats
from clawd.engine.steps.step import step, window

LONGEST_WAIT = 1_000.0


@step("gt", bounded=True)
def gt(x: Floats, y: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = 1.0 if x[t] > y[t] else 0.0


@step("between", bounded=True)
def between(p: Floats, x: Floats, out: Floats) -> None:
    low, high = p[0], p[1]
    for t in range(out.size):
        out[t] = 1.0 if (x[t] >= low) & (x[t] <= high) else 0.0


@step("and", bounded=True)
def both(x: Floats, y: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = 1.0 if (x[t] == 1.0) & (y[t] == 1.0) else 0.0


@step("or", bounded=True)
def either(x: Floats, y: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = 1.0 if (x[t] == 1.0) | (y[t] == 1.0) else 0.0


@step("not", bounded=True)
def negation(x: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = 0.0 if x[t] == 1.0 else 1.0


@step("where", bounded=True)
def where(x: Floats, y: Floats, z: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = y[t] if x[t] == 1.0 else z[t]


@step("cross_up", history=1, bounded=True)
def cross_up(x: Floats, y: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = 1.0 if (x[t] <= y[t]) & (x[t + 1] > y[t + 1]) else 0.0


@step("count_true", state=2, history=window, bounded=True)
def count_true(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # Conditions are whole numbers, so the sliding count is exact for ever.
    w = int(p[0])
    count, seen = s[0], s[1]
    for t in range(out.size):
        count += 1.0 if x[t + w] == 1.0 else 0.0
        count -= 1.0 if x[t] == 1.0 else 0.0
        seen = min(seen + 1.0, float(w))
        out[t] = count / w if seen == w else np.nan
    s[0], s[1] = count, seen


@step("latch", state=1, bounded=True)
def latch(s: Floats, x: Floats, y: Floats, out: Floats) -> None:
    held = s[0]
    for t in range(out.size):
        held = 0.0 if y[t] == 1.0 else 1.0 if x[t] == 1.0 else held
        out[t] = held
    s[0] = held


@step("bars_since", state=1, bounded=True)
def bars_since(s: Floats, x: Floats, out: Floats) -> None:
    # The state is the wait, counted backwards from the longest so that it begins at 0.
    left = s[0]
    for t in range(out.size):
        left = LONGEST_WAIT if x[t] == 1.0 else max(left - 1.0, 0.0)
        out[t] = LONGEST_WAIT - left
    s[0] = left
