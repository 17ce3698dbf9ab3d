"""Haircuts against closed forms and the paper's example."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from clawd.evidence.haircut import bonferroni_haircut, holm_haircut, yekutieli_haircut

MONTHLY = math.sqrt(12)


@pytest.mark.parametrize(
    ("annual", "bars", "trials", "p", "adjusted_p", "left", "share"),
    [
        (1.0, 240, 10, 1.1975058908159019e-05, 0.00011975058908159019, 0.8745581991759459, 0.1254418008240541),
        (1.0, 240, 100, 1.1975058908159019e-05, 0.001197505890815902, 0.7331736399024333, 0.26682636009756666),
        (1.0, 240, 200, 1.1975058908159019e-05, 0.002395011781631804, 0.6862665040320329, 0.31373349596796707),
        (0.75, 120, 10, 0.019310820496796423, 0.19310820496796421, 0.4138936991966439, 0.4481417344044748),
        (2.0, 120, 200, 4.621030642926673e-09, 9.242061285853346e-07, 1.637414083239794, 0.18129295838010295),
        (1.5, 120, 1000, 5.892472679710996e-06, 0.005892472679710996, 0.8867670328243181, 0.4088219781171213),
    ],
)
def test_worked_examples(
    annual: float, bars: int, trials: int, p: float, adjusted_p: float, left: float, share: float
) -> None:
    found = bonferroni_haircut(np.array([annual / MONTHLY]), bars, trials)
    assert found.p_values[0] == pytest.approx(p, rel=1e-9)
    assert found.adjusted_p_values[0] == pytest.approx(adjusted_p, rel=1e-9)
    assert found.adjusted[0] * MONTHLY == pytest.approx(left, rel=1e-9)
    assert found.share[0] == pytest.approx(share, rel=1e-9)


def test_evaluating_trading_strategies() -> None:
    # Harvey and Liu (2014): ten years at 0.92, t = 2.91; of 200 tests the best must reach 3.66, for normal returns.
    annual, years = 0.92, 10
    assert annual * math.sqrt(years) == pytest.approx(2.9092954473549093)
    assert stats.norm.isf(0.05 / 200 / 2) == pytest.approx(3.6622599308877013)
    bars = 10**7  # so many that Student's law is the normal one
    found = bonferroni_haircut(np.array([annual * math.sqrt(years / bars)]), bars, 200)
    assert found.adjusted_p_values[0] == pytest.approx(0.7244887010127592, rel=1e-4)
    enough = bonferroni_haircut(np.array([3.6622599308877013 / math.sqrt(bars)]), bars, 200)
    assert enough.adjusted_p_values[0] == pytest.approx(0.05, rel=1e-4)


def test_holm_and_yekutieli_by_hand() -> None:
    bars = 240
    sharpes = np.array([0.1, 0.3, -0.25])
    p = 2 * stats.t.sf(np.abs(sharpes) * math.sqrt(bars), bars - 1)
    holm = holm_haircut(sharpes, bars)
    np.testing.assert_allclose(holm.adjusted_p_values, [p[0], 3 * p[1], 2 * p[2]])
    harmonic = 1 + 1 / 2 + 1 / 3
    yekutieli = yekutieli_haircut(sharpes, bars)
    np.testing.assert_allclose(
        yekutieli.adjusted_p_values, [p[0] * harmonic, p[1] * 3 * harmonic, p[2] * 1.5 * harmonic]
    )
    for found in (holm, yekutieli):
        expected = np.sign(sharpes) * stats.t.isf(found.adjusted_p_values / 2, bars - 1) / math.sqrt(bars)
        np.testing.assert_allclose(found.adjusted, expected)
    assert holm.share[0] == pytest.approx(0.0, abs=1e-9)


def test_equal_ratios_are_cut_too() -> None:
    assert (yekutieli_haircut(np.full(50, 0.2), 240).share > 0.05).all()


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.integers(2, 5_000))
def test_nothing_is_added_and_the_best_stays_the_best(row: list[float], bars: int) -> None:
    sharpes = np.array(row)
    for found in (
        bonferroni_haircut(sharpes, bars, len(row)),
        holm_haircut(sharpes, bars),
        yekutieli_haircut(sharpes, bars),
    ):
        assert (np.abs(found.adjusted) <= np.abs(sharpes)).all()
        assert (found.adjusted * sharpes >= 0).all()
        moved = sharpes != 0
        assert ((found.share[moved] >= 0) & (found.share[moved] <= 1)).all()
        assert np.isnan(found.share[~moved]).all()
        order = np.argsort(np.abs(sharpes))
        assert (np.diff(np.abs(found.adjusted)[order]) >= -1e-9).all()


def test_a_ratio_beyond_all_p_values_keeps_what_it_has() -> None:
    found = bonferroni_haircut(np.array([3.0]), 5_000, 100)
    assert found.p_values[0] == 0.0
    assert found.adjusted[0] == 3.0


def test_what_does_not_exist_counts_and_what_cannot_be_is_refused() -> None:
    found = holm_haircut(np.array([0.3, math.nan]), 240)
    assert found.adjusted_p_values[0] == pytest.approx(2 * found.p_values[0])
    assert np.isnan([found.p_values[1], found.adjusted_p_values[1], found.adjusted[1], found.share[1]]).all()
    with pytest.raises(ValueError, match="as many trials"):
        bonferroni_haircut(np.zeros(3), 100, 2)
    with pytest.raises(ValueError, match="two bars"):
        holm_haircut(np.zeros(3), 1)
    with pytest.raises(ValueError, match="finite"):
        holm_haircut(np.array([math.inf]), 100)
