"""Rounding onto the venue's grid: on the grid, as near as it can be, and never towards more risk."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.risk.reserve import position_reserve
from clawd.risk.rounding import whole_lots
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


@given(prices, prices, sizes, steps, sides)
def test_what_is_reserved_never_grows_by_rounding(
    mark: Decimal, way: Decimal, size: Decimal, lot: Decimal, side: int
) -> None:
    stop = mark - side * min(way, mark / 2)
    held = side * abs(size)
    before = position_reserve(held, mark, stop, LIMITS.costs)
    assert position_reserve(whole_lots(held, lot), mark, stop, LIMITS.costs) <= before


@pytest.mark.parametrize("precision", [6, 28, 60])
def test_the_precision_of_the_thread_changes_nothing(precision: int) -> None:
    """0.9999999999 lots divide to 1.00000 at six digits."""
    with decimal.localcontext(prec=precision):
        assert whole_lots(Decimal("0.9999999999"), Decimal(1)) == 0


def test_worked_examples() -> None:
    lot = Decimal("0.001")
    assert whole_lots(Decimal("0.0029"), lot) == Decimal("0.002")
    assert whole_lots(Decimal("-0.0029"), lot) == Decimal("-0.002")
    assert str(whole_lots(Decimal("0.002900000000000000001"), lot)) == "0.002"
    assert whole_lots(Decimal("0.0009"), lot) == 0
