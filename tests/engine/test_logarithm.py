"""The logarithm that loops can take of several bars at once, against decimal arithmetic of forty digits."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np

from clawd.engine.steps.logarithm import log_of
from engine.panels import evaluate, panel


def numbers() -> list[float]:
    rng = np.random.default_rng(0)
    parts = [
        np.exp(rng.uniform(-700.0, 700.0, 1_000)),
        1.0 + rng.normal(0.0, 1e-3, 1_000),
        1.0 + rng.normal(0.0, 1e-12, 200),
        rng.uniform(0.5, 2.0, 1_000),
        2.0 ** -rng.uniform(1_022.0, 1_074.0, 300),  # too small to be normal
        [5e-324, 2.0**-1022, math.sqrt(0.5), math.sqrt(2.0), 1.7976931348623157e308],
    ]
    return [float(x) for x in np.concatenate(parts) if x != 1.0]


def test_it_is_right_to_a_unit_in_the_last_place() -> None:
    with localcontext() as context:
        context.prec = 40
        for x in numbers():
            right = Decimal(x).ln()
            error = abs(Decimal(log_of(x)) - right)
            assert error <= Decimal(float(np.spacing(abs(float(right))))), x


def test_what_has_none() -> None:
    assert log_of(1.0) == 0.0
    assert log_of(math.inf) == math.inf
    for x in (0.0, -0.0, -1.0, -math.inf, math.nan):
        assert math.isnan(log_of(x)), x


def test_many_bars_at_once_give_what_one_gives() -> None:
    x = np.array(numbers())
    found = evaluate('log(ext("x"))', panel(np.ones(x.size), series={"x": x}))[0]
    assert found.tolist() == [log_of(value) for value in x.tolist()]
