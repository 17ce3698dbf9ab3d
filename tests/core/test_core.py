"""The nouns that everything else speaks of."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.core.clock import ReplayClock, SystemClock, duration, iso, parse_duration, utc_day
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError, suggestion
from clawd.core.instrument import Instrument
from clawd.core.money import (
    booked_amount,
    booked_float,
    booked_price,
    booked_size,
    cash_of_fill,
    fee_of_fill,
    studied,
)
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.core.reason import Reason
from engine.panels import panel

HOUR = NANOSECONDS_PER_DAY // 24


def test_an_error_says_where_what_and_what_would_be_right() -> None:
    error = ClawdError("the price is negative", where="row 3", hint="remove it")
    assert str(error) == "row 3: the price is negative (remove it)"
    assert str(error.at("bars.csv")) == "bars.csv: row 3: the price is negative (remove it)"
    assert str(ClawdError("no bars")) == "no bars"
    assert str(ClawdError("no bars").at("BTC")) == "BTC: no bars"


def test_a_word_nearby_is_suggested_and_one_far_away_is_not() -> None:
    assert suggestion("clse", ["open", "close"]) == "did you mean `close`?"
    assert suggestion("zebra", ["open", "close"]) is None
    assert suggestion("", []) is None


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("90s", 90 * 10**9), ("5m", 300 * 10**9), ("1h", HOUR), ("4h", 4 * HOUR), ("1d", 24 * HOUR), ("2w", 336 * HOUR)],
)
def test_a_duration_is_read_and_written(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds
    assert parse_duration(duration(nanoseconds)) == nanoseconds


@given(st.integers(1, 999_999), st.sampled_from("smhdw"))
def test_a_duration_comes_back_from_its_text(number: int, letter: str) -> None:
    nanoseconds = parse_duration(f"{number}{letter}")
    assert parse_duration(duration(nanoseconds)) == nanoseconds


@pytest.mark.parametrize(
    "text", ["", "h", "0h", "-1h", "1.5h", "1x", "1 h", "1H", "³h", "٣h", "1000000h", "9" * 5000 + "h"]
)
def test_what_is_no_duration_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration such as 5m, 1h or 1d"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ((2024, 2, 29), "2024-02-29"),
        ((2024, 2, 29, 13, 5), "2024-02-29T13:05Z"),
        ((2024, 2, 29, 13, 5, 7), "2024-02-29T13:05:07Z"),
        ((1970, 1, 1), "1970-01-01"),
        ((1969, 12, 31, 23, 59), "1969-12-31T23:59Z"),
    ],
)
def test_a_time_is_written_for_people(moment: tuple[int, ...], text: str) -> None:
    nanoseconds = int(dt.datetime(*moment, tzinfo=dt.UTC).timestamp()) * 10**9  # type: ignore[arg-type, misc]
    assert iso(nanoseconds) == text


def test_a_utc_day_begins_at_midnight() -> None:
    assert utc_day(0) == 0
    assert utc_day(NANOSECONDS_PER_DAY - 1) == 0
    assert utc_day(NANOSECONDS_PER_DAY) == 1
    assert utc_day(-1) == -1


def test_a_replayed_clock_says_what_it_was_told_and_the_machine_s_clock_goes_on() -> None:
    clock = ReplayClock(5)
    assert clock.now() == 5
    clock.set(9)
    assert clock.now() == 9
    before = SystemClock().now()
    assert before <= SystemClock().now()


@given(st.integers(1, 10**12), st.sampled_from(["0.01", "0.05", "0.25", "0.4", "1", "5", "0.00000001"]))
def test_a_price_on_the_grid_is_booked_to_the_tick(steps: int, tick: str) -> None:
    exact = steps * Decimal(tick)
    assert booked_price(float(exact), Decimal(tick)) == exact


@given(st.integers(-(10**12), 10**12), st.sampled_from(["1", "0.001", "0.00000001"]))
def test_a_size_is_booked_in_whole_lots(lots: int, lot: str) -> None:
    assert booked_size(float(lots), Decimal(lot)) == lots * Decimal(lot)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_booked_as_the_shortest_decimal_that_reads_back(value: float) -> None:
    assert float(booked_float(value)) == value
    assert studied(booked_float(value)) == value


amounts = st.decimals(-(10**12), 10**12, places=8, allow_nan=False)
prices = st.decimals(Decimal("1e-8"), 10**7, places=8, allow_nan=False)


@given(amounts, prices)
def test_a_fill_moves_cash_against_its_size_and_its_fee_is_never_negative(size: Decimal, price: Decimal) -> None:
    assert abs(cash_of_fill(size, price) + size * price) <= Decimal("0.5e-10")
    assert cash_of_fill(size, price) == -cash_of_fill(-size, price)
    fee = fee_of_fill(size, price, Decimal("0.0005"))
    assert fee >= 0
    assert fee == fee_of_fill(-size, price, Decimal("0.0005"))


def test_amounts_are_rounded_half_to_even() -> None:
    assert booked_amount(Decimal("0.00000000005")) == 0
    assert booked_amount(Decimal("0.00000000015")) == Decimal("0.0000000002")
    assert booked_amount(Decimal("-0.00000000015")) == Decimal("-0.0000000002")


@given(st.integers(-8, 8), st.floats(1.0, 9.99))
def test_the_steps_of_an_unknown_instrument_follow_its_first_price(power: int, digits: float) -> None:
    one, other = (Instrument.from_first_price("X", digits * scale) for scale in (1.0, 10.0**power))
    assert one.tick.scaleb(power) == other.tick
    assert one.lot.scaleb(-power) == other.lot
    worth = float(other.lot) * digits * 10.0**power
    assert 0.9e-6 < worth < 1.1e-5


def test_costs_are_multiplied_for_stress() -> None:
    assert Costs(Decimal("0.001"), Decimal("0.002")).times(2) == Costs(Decimal("0.002"), Decimal("0.004"))


def test_reasons_have_words_and_only_two_of_them_open() -> None:
    assert [reason.word for reason in Reason if reason.opens] == ["entry", "increase"]
    assert len({reason.word for reason in Reason}) == len(Reason)


def test_a_part_of_a_panel_has_all_of_its_columns() -> None:
    bars = panel(np.array([[1.0, 2.0, np.nan], [4.0, 5.0, 6.0]]), series={"x": np.array([7.0, 8.0, 9.0])})
    assert bars.symbols == ("A", "B")
    np.testing.assert_array_equal(bars.present, [[True, True, False], [True, True, True]])
    late = bars.between(1, 3)
    np.testing.assert_array_equal(late.times, bars.times[1:])
    for name in ("open", "high", "low", "close", "volume", "funding"):
        np.testing.assert_array_equal(getattr(late, name), getattr(bars, name)[:, 1:])
    np.testing.assert_array_equal(late.series["x"], [8.0, 9.0])
    second = bars.select(["B"])
    assert second.symbols == ("B",)
    np.testing.assert_array_equal(second.close, [[4.0, 5.0, 6.0]])
    assert bars.select(["B", "A"]).symbols == ("A", "B")
