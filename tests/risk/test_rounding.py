"""Rounding onto the venue's grid: on the grid, as near as it can be, and never towards more risk."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.risk.reserve import entry_reserve_per_unit, position_reserve
from clawd.risk.rounding import limit_on_tick, stop_on_tick, whole_lots
from risk.cases import LIMITS

steps = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.sampled_from([1, 2, 5, 25, 3, 7]), st.integers(-9, 2)
)
prices = st.decimals(Decimal("0.0001"), Decimal(10**6), places=9)
sizes = st.decimals(Decimal(-(10**6)), Decimal(10**6), places=9)
sides = st.sampled_from([1, -1])


def on_grid(value: Decimal, step: Decimal) -> bool:
    return (Fraction(value) / Fraction(step)).denominator == 1


@given(sizes, steps)
def test_a_size_is_never_larger_and_misses_less_than_a_lot(size: Decimal, lot: Decimal) -> None:
    rounded = whole_lots(size, lot)
    assert on_grid(rounded, lot)
    assert rounded * size >= 0
    assert abs(Fraction(size)) - Fraction(lot) < abs(Fraction(rounded)) <= abs(Fraction(size))


@given(prices, sides, steps)
def test_a_limit_gives_away_no_more(price: Decimal, side: int, tick: Decimal) -> None:
    rounded = limit_on_tick(price, side, tick)
    assert on_grid(rounded, tick)
    given_up = side * (Fraction(rounded) - Fraction(price))
    assert -Fraction(tick) < given_up <= 0


@given(prices, sides, steps)
def test_a_stop_comes_nearer(level: Decimal, side: int, tick: Decimal) -> None:
    rounded = stop_on_tick(level, side, tick)
    assert on_grid(rounded, tick)
    nearer = side * (Fraction(rounded) - Fraction(level))
    assert 0 <= nearer < Fraction(tick)


@given(prices, prices, sizes, steps, steps, sides)
def test_what_is_reserved_never_grows_by_rounding(
    mark: Decimal, level: Decimal, size: Decimal, tick: Decimal, lot: Decimal, side: int
) -> None:
    level = stop_on_tick(mark - side * min(level, mark / 2), side, tick)  # a stop on its own side, and on the grid
    exact = mark - side * abs(mark - level)
    rounded = stop_on_tick(exact, side, tick)
    held = side * abs(size)
    assert abs(whole_lots(held, lot)) <= abs(held)
    before = position_reserve(held, mark, exact, LIMITS.costs)
    assert position_reserve(whole_lots(held, lot), mark, exact, LIMITS.costs) <= before
    if side > 0 and 0 < rounded <= mark:
        # The way to the stop shrinks by more than what leaving costs there grows.
        assert position_reserve(held, mark, rounded, LIMITS.costs) <= before


@given(prices, steps, sides)
def test_a_rounded_limit_reserves_no_more_for_a_buyer(price: Decimal, tick: Decimal, side: int) -> None:
    rounded = limit_on_tick(price, 1, tick)
    if rounded > 0:
        distance = price / 10
        assert entry_reserve_per_unit(rounded, distance, 1, LIMITS.costs) <= entry_reserve_per_unit(
            price, distance, 1, LIMITS.costs
        )


@pytest.mark.parametrize("precision", [6, 28, 60])
def test_the_precision_of_the_thread_changes_nothing(precision: int) -> None:
    """0.9999999999 lots divide to 1.00000 at six digits."""
    with decimal.localcontext(prec=precision):
        assert whole_lots(Decimal("0.9999999999"), Decimal(1)) == 0
        assert limit_on_tick(Decimal("99.99999999"), 1, Decimal(1)) == 99
        assert stop_on_tick(Decimal("100.00000001"), 1, Decimal(1)) == 101


def test_worked_examples() -> None:
    lot, tick = Decimal("0.001"), Decimal("0.05")
    assert whole_lots(Decimal("0.0029"), lot) == Decimal("0.002")
    assert whole_lots(Decimal("-0.0029"), lot) == Decimal("-0.002")
    assert str(whole_lots(Decimal("0.002900000000000000001"), lot)) == "0.002"
    assert whole_lots(Decimal("0.0009"), lot) == 0
    assert limit_on_tick(Decimal("100.04"), 1, tick) == Decimal("100.00")
    assert limit_on_tick(Decimal("100.04"), -1, tick) == Decimal("100.05")
    assert stop_on_tick(Decimal("95.01"), 1, tick) == Decimal("95.05")
    assert stop_on_tick(Decimal("105.04"), -1, tick) == Decimal("105.00")
    assert stop_on_tick(Decimal("95.05"), 1, tick) == Decimal("95.05")
