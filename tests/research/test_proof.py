"""A claim's curve, its stretches of the calendar, and its level: against folding one bar after another."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.evidence.eprocess import EProcess
from clawd.research.proof import bar_of, curve_of, level_of, stretches_of
from clawd.store.registry import Bet, Hypothesis

DAY = 86_400_000_000_000


def claim(number: int = 3, before: int = 1) -> Hypothesis:
    level = number * (number + 1) * 10 / (before + 1)
    return Hypothesis(number, "hash", "name", "a", "1d BTC", 0.0, 0.0, 1, before, level, 15_000 * DAY, "run")


BARS = st.lists(st.tuples(st.floats(-0.5, 2.0), st.sampled_from([0.0, 0.5, 0.7, 1.3])), max_size=60)


def bets_of(bars: list[tuple[float, float]]) -> tuple[Bet, ...]:
    return tuple(Bet((15_000 + place) * DAY, net if bound else 0.0, bound) for place, (net, bound) in enumerate(bars))


@given(BARS)
def test_a_curve_is_the_fold_of_its_bars(bars: list[tuple[float, float]]) -> None:
    bets, process, expected = bets_of(bars), EProcess(), [1.0]
    for bet in bets:
        process = process.after(bet.net_return, bet.bound)
        expected.append(process.wealth)
    curve = curve_of(claim(), bets)
    assert curve.bars == len(bets)
    assert [value or 0.0 for value in curve.wealth] == pytest.approx(expected, rel=1e-9)
    assert curve.times.tolist() == [15_000 * DAY, *(bet.ts + DAY for bet in bets)]


def test_a_bar_that_loses_more_than_its_bound_ends_it_at_nothing() -> None:
    bets = (*bets_of([(0.1, 0.5)] * 3), Bet(15_003 * DAY, -0.6, 0.5), Bet(15_004 * DAY, 0.5, 0.5))
    wealth = curve_of(claim(), bets).wealth
    assert wealth[3] is not None
    assert wealth[3] > 1
    assert wealth[4:] == [None, None]


@given(BARS, st.integers(4, 30))
def test_of_too_many_points_the_ends_and_the_extremes_stay(bars: list[tuple[float, float]], most: int) -> None:
    whole, short = curve_of(claim(), bets_of(bars)), curve_of(claim(), bets_of(bars), most)
    assert short.times.size <= most
    assert short.bars == whole.bars
    assert short.times[[0, -1]].tolist() == whole.times[[0, -1]].tolist()
    assert (short.log_wealth.min(), short.log_wealth.max()) == (whole.log_wealth.min(), whole.log_wealth.max())
    assert set(zip(short.times, short.log_wealth, strict=True)) <= set(zip(whole.times, whole.log_wealth, strict=True))


@given(BARS)
def test_stretches_hold_every_bar_once(bars: list[tuple[float, float]]) -> None:
    bets = bets_of(bars)
    stretches = stretches_of(bets)
    assert sum(each.bars for each in stretches) == len(bets)
    assert len(stretches) <= 24
    assert math.fsum(each.net_return for each in stretches) == pytest.approx(math.fsum(bet.net_return for bet in bets))
    logs = curve_of(claim(), bets).log_wealth
    ends = np.cumsum([each.bars for each in stretches])
    assert [each.log_wealth for each in stretches] == pytest.approx([logs[end] for end in ends])


def test_stretches_of_a_long_record_are_round_spans_of_the_calendar() -> None:
    stretches = stretches_of(bets_of([(0.01, 0.5)] * 400))
    assert max(each.bars for each in stretches) > 1
    logs = [each.log_wealth for each in stretches]
    assert logs == sorted(logs), "it gains on every bar, so every end lies above the one before"
    first = stretches[0]
    assert first.log_wealth == pytest.approx(curve_of(claim(), bets_of([(0.01, 0.5)] * first.bars)).log_wealth[-1])


@given(st.integers(1, 10**6), st.data())
def test_a_level_is_that_of_the_formula(number: int, data: st.DataObject) -> None:
    before = data.draw(st.integers(0, number - 1))
    why = level_of(claim(number, before))
    alpha = Fraction(1, 10) * Fraction(1, number * (number + 1)) * (before + 1)
    assert why.level == pytest.approx(float(alpha), rel=1e-12)
    assert why.wealth_to_reach == pytest.approx(1 / why.level, rel=1e-12)
    assert why.alpha * why.share * (before + 1) == pytest.approx(why.level, rel=1e-12)


def test_the_size_of_bars_is_read_from_a_market() -> None:
    assert bar_of("1d BTC,ETH") == DAY
    assert bar_of("4h X") == DAY // 6
