"""Steps of conditions: 1 is true, 0 is false, and nothing missing is true."""

from __future__ import annotations

import numpy as np

from clawd.core.panel import Floats
from clawd.engine.steps.step import step


@step("gt")
def gt(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return 1.0 if x > y else 0.0


@step("between")
def between(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return 1.0 if p[0] <= x <= p[1] else 0.0


@step("and")
def both(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return 1.0 if x == 1.0 and y == 1.0 else 0.0


@step("or")
def either(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return 1.0 if x == 1.0 or y == 1.0 else 0.0


@step("not")
def negation(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return 0.0 if x == 1.0 else 1.0


@step("where")
def where(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    return y if x == 1.0 else z


@step("cross_up", state=1)
def cross_up(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    # The state is 0 while the bar before is unknown, 1 when x was not above y, 2 when it was.
    before = s[0]
    if x != x or y != y:
        s[0] = 0.0
        return 0.0
    s[0] = 2.0 if x > y else 1.0
    return 1.0 if before == 1.0 and x > y else 0.0


@step("count_true", state=lambda p: 3 + int(p[0]))
def count_true(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    w = int(p[0])
    at = int(s[0])
    now = 1.0 if x == 1.0 else 0.0
    s[2] += now - s[3 + at]
    s[3 + at] = now
    s[0] = (at + 1) % w
    s[1] = min(s[1] + 1.0, w)
    return s[2] / w if s[1] == w else np.nan


@step("latch", state=1)
def latch(s: Floats, p: Floats, x: float, y: float, z: float) -> float:
    if y == 1.0:
        s[0] = 0.0
    elif x == 1.0:
        s[0] = 1.0
    return s[0]
