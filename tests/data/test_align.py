"""The panel holds every bar at its time, nothing else, and knows nothing before it was published."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.data.align import InstrumentBars, NamedSeries, align, fingerprint

HOUR = 3_600 * 10**9
DAY = 24 * HOUR
START = 1_704_067_200 * 10**9  # Monday 2024-01-01

slots = st.sets(st.integers(0, 60), min_size=1, max_size=20)
stamps = st.lists(st.integers(-5 * HOUR, 70 * HOUR), min_size=1, max_size=30, unique=True)


def bars(times: list[int], price: float = 100.0) -> pl.DataFrame:
    prices = [price + index for index in range(len(times))]
    return pl.DataFrame(
        {
            "ts": times,
            "open": prices,
            "high": [value + 2 for value in prices],
            "low": [value - 2 for value in prices],
            "close": [value + 1 for value in prices],
            "volume": prices,
        },
        schema_overrides={"ts": pl.Int64},
    )


def at(hours: set[int]) -> list[int]:
    return [START + hour * HOUR for hour in sorted(hours)]


@given(st.lists(slots, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_panel_is_the_union_of_times_and_missing_stays_missing(held: list[set[int]], random: object) -> None:
    frames = {f"S{index}": bars(at(hours), 10.0**index) for index, hours in enumerate(held)}
    panel, dropped = align([InstrumentBars(symbol, frame) for symbol, frame in frames.items()], [], HOUR)
    assert dropped == {}
    assert panel.times.tolist() == at(set().union(*held))
    assert panel.symbols == tuple(frames)
    for row, frame in enumerate(frames.values()):
        has = np.isin(panel.times, frame["ts"].to_numpy())
        for name in ("open", "high", "low", "close", "volume"):
            values = getattr(panel, name)[row]
            assert values[has].tolist() == frame[name].to_list()
            assert np.isnan(values[~has]).all()
        assert (panel.funding[row][has] == 0).all()
        assert np.isnan(panel.funding[row][~has]).all()


@given(st.lists(slots, min_size=1, max_size=4), st.data())
def test_no_order_matters(held: list[set[int]], data: st.DataObject) -> None:
    instruments = [
        InstrumentBars(f"S{index}", bars(at(hours)), pl.DataFrame({"ts": at(hours), "rate": [0.1] * len(hours)}))
        for index, hours in enumerate(held)
    ]
    series = [NamedSeries(name, pl.DataFrame({"ts": at({1, 2, 3}), "value": [1.0, 2.0, 3.0]}), HOUR) for name in "ab"]
    shuffled = [
        InstrumentBars(each.symbol, each.bars.sample(fraction=1, shuffle=True, seed=7), each.funding)
        for each in data.draw(st.permutations(instruments))
    ]
    first, _ = align(instruments, series, HOUR)
    second, _ = align(shuffled, data.draw(st.permutations(series)), HOUR)
    assert first.symbols == second.symbols
    assert [each.tick for each in first.instruments] == [each.tick for each in second.instruments]
    assert fingerprint(first) == fingerprint(second)


@given(slots, stamps, st.integers(0, 3 * DAY))
def test_a_series_shows_the_latest_value_that_was_published(hours: set[int], offsets: list[int], lag: int) -> None:
    known = sorted(START + offset for offset in offsets)
    values = pl.DataFrame({"ts": known, "value": [float(index) for index in range(len(known))]})
    panel, _ = align([InstrumentBars("S", bars(at(hours)))], [NamedSeries("x", values.reverse(), lag)], HOUR)
    for time, value in zip(panel.times.tolist(), panel.series["x"].tolist(), strict=True):
        published = [index for index, stamp in enumerate(known) if stamp + lag <= time + HOUR]
        assert value == published[-1] if published else np.isnan(value)


@given(slots, stamps)
def test_funding_counts_once_in_the_bar_that_it_falls_due_in(hours: set[int], offsets: list[int]) -> None:
    due = [START + offset for offset in offsets]
    rates = pl.DataFrame({"ts": due, "rate": [2.0**-index for index in range(len(due))]})
    panel, _ = align([InstrumentBars("S", bars(at(hours)), rates)], [], HOUR)
    for time, paid in zip(panel.times.tolist(), panel.funding[0].tolist(), strict=True):
        assert paid == sum(rate for stamp, rate in rates.rows() if time < stamp <= time + HOUR)


def test_funding_of_the_bars_is_used_where_there_is_no_other() -> None:
    frame = bars(at({0, 1})).with_columns(funding=pl.Series([0.5, None]))
    panel, _ = align([InstrumentBars("S", frame)], [], HOUR)
    assert panel.funding.tolist() == [[0.5, 0.0]]


def test_broken_bars_become_missing_and_are_counted() -> None:
    frame = bars(at({0, 1, 2, 3})).with_columns(
        high=pl.Series([102.0, 101.5, 104.0, 105.0]), low=pl.Series([98.0, 99, 103, 101])
    )
    panel, dropped = align([InstrumentBars("A", frame), InstrumentBars("B", bars(at({0, 1, 2, 3})))], [], HOUR)
    assert dropped == {"A": 2}
    assert panel.present.tolist() == [[True, False, False, True], [True] * 4]
    assert np.isnan(panel.volume[0]).tolist() == [False, True, True, False]


def test_an_unknown_volume_is_not_a_missing_bar() -> None:
    panel, _ = align([InstrumentBars("A", bars(at({0, 1})).with_columns(volume=pl.lit(None, pl.Float64)))], [], HOUR)
    assert panel.present.all()
    assert np.isnan(panel.volume).all()


def test_an_instrument_without_whole_bars_is_refused() -> None:
    with pytest.raises(ClawdError, match="A: no bar is left"):
        align([InstrumentBars("A", bars(at({0, 1})).with_columns(high=pl.lit(1.0)))], [], HOUR)


def test_an_instrument_given_twice_is_refused() -> None:
    with pytest.raises(ClawdError, match="A: the instrument is given twice"):
        align([InstrumentBars("A", bars(at({0}))), InstrumentBars("A", bars(at({1})))], [], HOUR)


def test_steps_follow_the_first_price() -> None:
    panel, _ = align([InstrumentBars("A", bars(at({0, 1}), 4_000.0))], [], HOUR)
    assert str(panel.instruments[0].tick) == "0.000001"
    assert panel.instruments[0].lot.logb() == -9


@pytest.mark.parametrize("change", ["value", "time", "symbol", "series", "bar"])
def test_any_change_changes_the_fingerprint(change: str) -> None:
    def made(changed: str) -> str:
        frame = bars(at({0, 1, 3 if changed == "time" else 2}))
        if changed == "value":
            frame = frame.with_columns(volume=pl.col("volume") + 1e-9)
        series = [NamedSeries("y" if changed == "series" else "x", pl.DataFrame({"ts": [START], "value": [1.0]}), 0)]
        symbol = "B" if changed == "symbol" else "A"
        panel, _ = align([InstrumentBars(symbol, frame)], series, HOUR * (2 if changed == "bar" else 1))
        return fingerprint(panel)

    assert made(change) != made("")
    assert len(made("")) == 16
