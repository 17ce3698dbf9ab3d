"""Numbers as people read them."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from clawd.core.instrument import Instrument
from clawd.reports import formats
from clawd.reports.formats import axis_number, counted, moment, money, number, percent, rate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (number(1234.567), "1,234.57"),
        (number(-1234.5, 0), "−1,234"),
        (number(0.004, signed=True), "0.00"),
        (number(-0.004, signed=True), "0.00"),
        (number(0.006, signed=True), "+0.01"),
        (number(math.nan), "—"),
        (number(math.inf), "—"),
        (percent(0.1234), "12.3%"),
        (percent(-0.0004, 2, signed=True), "−0.04%"),
        (percent(math.nan), "—"),
        (money(99_999.994), "99,999.99"),
        (money(123_456.7), "123,457"),
        (money(999_999.4), "999,999"),
        (money(999_999.6), "1.00M"),
        (money(-20_020_000, signed=True), "−20.02M"),
        (money(math.nan), "—"),
        (axis_number(0.25, 2), "0.25"),
        (axis_number(2.5e-9, 10), "2.5e−9"),
        (axis_number(-3e-9, 9), "−3e−9"),
        (axis_number(0.0, 10), "0.0000000000"),
        (rate(Decimal("0.0005")), "0.05%"),
        (rate(Decimal("0")), "0%"),
        (rate(Decimal("0.1")), "10%"),
        (counted(1, "bar"), "1 bar"),
        (counted(1_234, "bar"), "1,234 bars"),
        (counted(0, "loss", "losses"), "0 losses"),
        (moment(1_700_006_400 * 10**9), "2023-11-15"),
        (moment(1_700_006_400 * 10**9, clock=True), "2023-11-15 00:00"),
        (moment(1_700_010_060 * 10**9), "2023-11-15 01:01"),
    ],
)
def test_a_number_is_written(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize(
    ("capital", "decimals"), [("10000", 2), ("100", 2), ("10", 2), ("1", 3), ("0.01", 5), ("1E+6", 2), ("1E-30", 10)]
)
def test_a_small_account_has_more_decimals(capital: str, decimals: int) -> None:
    assert formats.money_decimals(Decimal(capital)) == decimals


@pytest.mark.parametrize(
    ("tick", "highest", "decimals"),
    [
        ("0.01", 67_000.0, 2),
        ("0.10", 67_000.0, 1),
        ("0.0000001", 1_228.1, 2),
        ("1E-8", 0.00001234, 8),
        ("1E-15", 0.00001234, 10),
        ("5", 4_000.0, 0),
        ("0.01", 0.0, 2),
    ],
)
def test_prices_have_the_decimals_of_the_tick_unless_it_says_nothing(tick: str, highest: float, decimals: int) -> None:
    assert formats.price_decimals(Instrument("X", Decimal(tick), Decimal(1)), highest) == decimals


@pytest.mark.parametrize(
    ("lot", "largest", "decimals"), [("1", 250.0, 0), ("0.001", 0.25, 3), ("1E-9", 1.8, 4), ("1E-9", 0.0, 4)]
)
def test_sizes_have_the_decimals_of_the_lot_unless_it_says_nothing(lot: str, largest: float, decimals: int) -> None:
    assert formats.size_decimals(Instrument("X", Decimal(1), Decimal(lot)), largest) == decimals
