"""Bars from trades as they come: the same as by a plain sum over all of them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.core.instrument import Instrument
from clawd.data.bar_builder import BarBuilder

SECOND = 10**9
AAA, BBB = (Instrument(name, Decimal("0.01"), Decimal("0.001")) for name in ("AAA", "BBB"))

trades = st.lists(
    st.tuples(
        st.sampled_from(["AAA", "BBB"]),
        st.integers(1, 10_000).map(lambda cents: cents / 100),
        st.integers(1, 1000).map(float),
        st.integers(0, 60 * SECOND),
    ),
    max_size=60,
)


@given(trades)
def test_bars_hold_what_was_traded_within_them(trades: list[tuple[str, float, float, int]]) -> None:
    trades = sorted(trades, key=lambda trade: trade[3])
    builder = BarBuilder([AAA, BBB], 5 * SECOND)
    rows = []
    for symbol, price, size, time in trades:
        rows += builder.closed(time)
        builder.traded(symbol, price, size, time)
    rows += builder.closed(100 * SECOND)
    assert [int(row.times[0]) for row in rows] == sorted({time // (5 * SECOND) * 5 * SECOND for *_, time in trades})
    for row in rows:
        start = int(row.times[0])
        for place, symbol in enumerate(("AAA", "BBB")):
            of = [trade for trade in trades if trade[0] == symbol and start <= trade[3] < start + 5 * SECOND]
            assert bool(row.present[place, 0]) is bool(of)
            if of:
                prices = [trade[1] for trade in of]
                expected = (prices[0], max(prices), min(prices), prices[-1], sum(trade[2] for trade in of))
                found = tuple(float(each[place, 0]) for each in (row.open, row.high, row.low, row.close, row.volume))
                assert found == pytest.approx(expected)


def test_what_comes_after_its_bar_was_closed_changes_nothing_that_was_told() -> None:
    builder = BarBuilder([AAA], SECOND)
    builder.traded("AAA", 10.0, 1.0, 0)
    assert len(builder.closed(SECOND)) == 1
    builder.traded("AAA", 99.0, 1.0, SECOND - 1)
    assert builder.closed(3 * SECOND) == []


def test_a_bar_is_not_over_before_its_end() -> None:
    builder = BarBuilder([AAA], SECOND)
    builder.traded("AAA", 10.0, 1.0, 0)
    assert builder.closed(SECOND - 1) == []


def test_prices_without_trades_make_bars_whose_volume_is_not_known() -> None:
    builder = BarBuilder([AAA], SECOND)
    for price in (10.0, 12.0, 11.0):
        builder.quoted("AAA", price, 5)
    (row,) = builder.closed(SECOND)
    assert (row.open[0, 0], row.high[0, 0], row.low[0, 0], row.close[0, 0]) == (10.0, 12.0, 10.0, 11.0)
    assert np.isnan(row.volume[0, 0])


def test_a_market_without_bars_has_its_instruments() -> None:
    empty = BarBuilder([AAA, BBB], SECOND).empty()
    assert empty.symbols == ("AAA", "BBB")
    assert empty.close.shape == (2, 0)
