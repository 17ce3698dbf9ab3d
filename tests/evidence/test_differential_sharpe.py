"""The differential Sharpe ratio is the derivative of the ratio."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clawd.evidence.differential_sharpe import MovingSharpe


def test_a_worked_example() -> None:
    assert MovingSharpe(0.0005, 1e-4).differential(0.0022573022) == pytest.approx(0.2002067, abs=1e-7)


@given(st.floats(-0.01, 0.01), st.floats(1e-5, 1e-3), st.floats(-0.05, 0.05))
def test_it_is_how_the_ratio_changes(mean: float, variance: float, net_return: float) -> None:
    start = MovingSharpe(mean, mean**2 + variance)
    # A one-sided difference, made better by half the step.
    coarse, fine = ((start.after(net_return, step).ratio - start.ratio) / step for step in (2e-5, 1e-5))
    assume(math.isfinite(coarse))
    assert start.differential(net_return) == pytest.approx(2 * fine - coarse, rel=1e-4, abs=1e-4)


def test_a_step_by_hand() -> None:
    after = MovingSharpe(0.1, 0.05).after(0.3, 0.5)
    assert (after.mean, after.square) == pytest.approx((0.2, 0.07))
    assert after.ratio == pytest.approx(0.2 / math.sqrt(0.03))
    forgetful = MovingSharpe(9.0, 99.0).after(0.3, 1.0)
    assert (forgetful.mean, forgetful.square) == pytest.approx((0.3, 0.09))


def test_without_a_spread_there_is_none() -> None:
    assert math.isnan(MovingSharpe().ratio)
    assert math.isnan(MovingSharpe().differential(0.1))
    for net_return, rate in [(math.nan, 0.1), (math.inf, 0.1), (0.1, 0.0), (0.1, 1.1), (0.1, math.nan)]:
        with pytest.raises(ValueError, match="rate"):
            MovingSharpe().after(net_return, rate)
