"""No value is seen before it was published, whatever its kind, all the way from a file over the catalog to a panel."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.data.catalog import store
from clawd.data.draft import SERIES_KINDS, Draft, draft_bars, draft_book, draft_funding, draft_groups, draft_series
from clawd.data.market import load_market

SECOND = 10**9
HOUR = 3_600 * SECOND
START = 1_704_067_200 * SECOND  # 2024-01-01
BARS = 24
PRICES = ("open", "high", "low", "close")


def written(path: Path, **columns: object) -> Path:
    pl.DataFrame(columns).write_parquet(path)
    return path


def bars(folder: Path, symbol: str, close: np.ndarray | None = None, step: int = HOUR) -> Draft:
    close = np.full(BARS, 100.0) if close is None else close
    times = START + step * np.arange(close.size)
    return draft_bars(written(folder / "bars.parquet", ts=times, **dict.fromkeys(PRICES, close)), symbol)


def key(kind: str, name: str = "x") -> str:
    return name if kind == "series" else f"{kind}:{name}"


def latest(stamps: list[int], values: list[float], lag: int, close: int) -> float:
    """What was last published by a moment, found by looking at every value."""
    found, newest = float("nan"), -1
    for stamp, value in zip(stamps, values, strict=True):
        if stamp + lag <= close and stamp > newest:
            found, newest = value, stamp
    return found


# On a grid of half hours, stamps plus lag often meet a bar's close exactly; single seconds miss it by one.
stamp = st.integers(-20, 60).map(lambda half: START + half * HOUR // 2) | st.integers(-9_000, 90_000).map(
    lambda second: START + second * SECOND
)
lags = st.integers(0, 12).map(lambda half: half * HOUR // 2) | st.integers(0, 7_201).map(lambda second: second * SECOND)
published = st.dictionaries(stamp, st.floats(-1e6, 1e6), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(SERIES_KINDS),
    market=st.none() | st.tuples(published, lags),
    own=st.tuples(published, lags),
    other=st.tuples(published, lags),
)
def test_each_bar_has_the_latest_value_that_was_published_by_its_close(
    kind: str,
    market: tuple[dict[int, float], int] | None,
    own: tuple[dict[int, float], int],
    other: tuple[dict[int, float], int],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drafts = [bars(folder, "A"), bars(folder, "B"), bars(folder, "C")]
        wanted = {"A": own, "B": other, None: market}
        for symbol, given_ in wanted.items():
            if given_ is not None:
                values, lag = given_
                file = written(folder / "x.parquet", ts=list(values), value=list(values.values()))
                drafts.append(draft_series(file, "x", lag, kind=kind, symbol=symbol))
        store(folder / "catalog", drafts)
        panel = load_market("catalog", ["A", "C"], home=folder).panel  # B's values are of no one here
    assert list(panel.series) == [key(kind)]
    found = panel.series[key(kind)]
    assert found.shape == (2, BARS)
    for row, source in enumerate((own, market)):
        for bar in range(BARS):
            close = START + (bar + 1) * HOUR
            expected = np.nan
            if source is not None:
                expected = latest(list(source[0]), list(source[0].values()), source[1], close)
            np.testing.assert_equal(found[row, bar], expected)


@pytest.mark.parametrize("kind", SERIES_KINDS)
@pytest.mark.parametrize(("early", "seen"), [(0, True), (1, True), (-1, False)])
def test_a_value_is_seen_at_the_very_close_and_not_a_nanosecond_sooner(
    tmp_path: Path, kind: str, early: int, seen: bool
) -> None:
    lag = 90 * SECOND
    file = written(tmp_path / "x.parquet", ts=[START + 5 * HOUR - lag - early], value=[7.0])
    store(tmp_path / "catalog", [bars(tmp_path, "A"), draft_series(file, "x", lag, kind=kind, symbol="A")])
    found = load_market("catalog", home=tmp_path).panel.series[key(kind)][0]
    first = int(np.flatnonzero(~np.isnan(found))[0])
    assert first == (4 if seen else 5)


def test_a_series_of_the_market_alone_has_one_row_for_all(tmp_path: Path) -> None:
    file = written(tmp_path / "x.parquet", ts=[START, START + HOUR], value=[1.0, 2.0])
    drafts = [draft_series(file, "x", 0, kind=kind) for kind in SERIES_KINDS]
    store(tmp_path / "catalog", [bars(tmp_path, "A"), bars(tmp_path, "B"), *drafts])
    panel = load_market("catalog", home=tmp_path).panel
    assert sorted(panel.series) == ["book:x", "deriv:x", "model:x", "x"]
    for values in panel.series.values():
        assert values.tolist() == [2.0] * BARS  # the value of 01:00 is known when the bar of 00:00 closes


@pytest.mark.parametrize("kind", SERIES_KINDS)
@pytest.mark.parametrize("symbol", [None, "A"])
def test_a_planted_future_is_useless_unless_its_lag_lies(tmp_path: Path, kind: str, symbol: str | None) -> None:
    """The return of each bar, stamped with the bar's own time, is known when the bar has closed, an hour later."""
    rng = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 2_000)))
    change = np.diff(np.log(close), prepend=np.log(100.0))
    file = written(tmp_path / "x.parquet", ts=START + HOUR * np.arange(close.size), value=change)
    foresight = {}
    for lag in (HOUR, HOUR - 1, 0):
        home = tmp_path / str(lag)
        store(home / "catalog", [bars(tmp_path, "A", close), draft_series(file, "x", lag, kind=kind, symbol=symbol)])
        seen = np.atleast_2d(load_market("catalog", home=home).panel.series[key(kind)])[0]
        foresight[lag] = float(np.corrcoef(seen[:-1], change[1:])[0, 1])
        if lag == HOUR:
            np.testing.assert_array_equal(seen, change)  # at its close a bar's own return is known, and no more
    bound = 4 / np.sqrt(close.size)
    assert abs(foresight[HOUR]) < bound
    assert abs(foresight[HOUR - 1]) < bound
    assert foresight[0] > 0.999  # the test can see a leak


def test_a_planted_future_in_a_book_is_useless_unless_the_receiver_s_clock_lies(tmp_path: Path) -> None:
    """Before each rise bids outweigh asks. The venue shows it 200 ms after a bar closed; a slow clock says before."""
    rng = np.random.default_rng(3)
    step = 10 * SECOND
    change = rng.normal(0, 0.001, 1_000)
    close = 100 * np.exp(np.cumsum(change))
    happened = START + step * np.arange(change.size) + 200_000_000  # of the bar that has just begun
    columns = {
        "ts": happened - 1_270_000_000,
        "bid": np.full(change.size, 99.0),
        "ask": np.full(change.size, 101.0),
        "bid_qty": np.where(change > 0, 3.0, 1.0),
        "ask_qty": np.where(change > 0, 1.0, 3.0),
    }
    foresight = {}
    for honest in (True, False):
        clock = {"exch_ms": happened // 1_000_000} if honest else {}
        file = written(tmp_path / "book.parquet", **columns, **clock)
        home = tmp_path / str(honest)
        store(home / "catalog", [bars(tmp_path, "A", close, step), *draft_book(file, "A", 0)])
        seen = load_market("catalog", home=home).panel.series["book:imbalance1"][0]
        foresight[honest] = float(np.corrcoef(seen[:-1], np.sign(change[1:]))[0, 1])
    assert abs(foresight[True]) < 4 / np.sqrt(change.size)
    assert foresight[False] > 0.999


def test_the_feature_of_funding_waits_for_the_booking_and_the_cash_does_not(tmp_path: Path) -> None:
    due = [START + 8 * HOUR, START + 16 * HOUR]
    file = written(tmp_path / "f.parquet", ts=[due[0] + 2_000_000, due[1]], rate=[0.001, 0.002])
    store(tmp_path / "catalog", [bars(tmp_path, "A"), *draft_funding(file, "A")])
    panel = load_market("catalog", home=tmp_path).panel
    assert np.flatnonzero(panel.funding[0]).tolist() == [7, 15]
    feature = panel.series["deriv:funding_8h"][0]
    assert np.isnan(feature[:8]).all()
    assert feature[8:15].tolist() == [0.001] * 7  # booked 2 ms after the close of bar 7, seen by bar 8
    assert feature[15:].tolist() == [0.002] * 9
    store(tmp_path / "late" / "catalog", [bars(tmp_path, "A"), *draft_funding(file, "A", lag=HOUR)])
    late = load_market("catalog", home=tmp_path / "late").panel
    np.testing.assert_array_equal(late.funding, panel.funding)
    np.testing.assert_array_equal(late.series["deriv:funding_8h"][0, 1:], feature[:-1])


@pytest.mark.parametrize(("interval", "scale"), [(1, 8.0), (4, 2.0), (8, 1.0)])
def test_rates_are_compared_over_eight_hours(tmp_path: Path, interval: int, scale: float) -> None:
    times = START + interval * HOUR * np.arange(12)
    file = written(tmp_path / "f.parquet", ts=times, rate=np.linspace(-1e-4, 1e-4, 12))
    cash, feature = draft_funding(file, "A")
    assert cash.frame["rate"].to_list() == np.linspace(-1e-4, 1e-4, 12).tolist()
    np.testing.assert_allclose(feature.frame["value"].to_numpy(), scale * np.linspace(-1e-4, 1e-4, 12))
    assert (feature.kind, feature.name, feature.symbol, feature.lag) == ("deriv", "funding_8h", "A", 0)


def test_a_missing_rate_does_not_change_the_others(tmp_path: Path) -> None:
    times = np.delete(START + HOUR * np.arange(48), [20, 21, 30])
    _, feature = draft_funding(written(tmp_path / "f.parquet", ts=times, rate=np.full(45, 1e-5)), "A")
    np.testing.assert_allclose(feature.frame["value"].to_numpy(), 8e-5)


@pytest.mark.parametrize("hours", [[0], [0, 8, 12, 13], [0, 1, 2, 3, 11, 19, 27]])
def test_rates_of_unknown_duration_are_cash_and_no_feature(tmp_path: Path, hours: list[int]) -> None:
    file = written(tmp_path / "f.parquet", ts=[START + hour * HOUR for hour in hours], rate=[1e-4] * len(hours))
    (cash,) = draft_funding(file, "A")
    assert cash.kind == "funding"
    assert "not evenly spaced" in cash.notes[-1]


def test_labels_and_weighted_prices_reach_the_panel(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("symbol,sector\nB,tech\nA,tech\nC,bank\nZ,auto\nD,\n")
    (tmp_path / "t.csv").write_text("symbol,label\nZ,x\n")
    weighted = draft_bars(
        written(tmp_path / "w.parquet", ts=START + HOUR * np.arange(BARS), **dict.fromkeys(PRICES, [100.0] * BARS),
                vwap=[100.0, None, 0.0, 100.005, *[100.0] * (BARS - 4)]), "B")  # fmt: skip
    assert weighted.notes == ("1 vwap is outside the range from low to high, and left out",)
    drafts = [bars(tmp_path, "A"), weighted, bars(tmp_path, "C"), bars(tmp_path, "D")]
    labels = [draft_groups(tmp_path / "s.csv", "sector"), draft_groups(tmp_path / "t.csv", "style")]
    store(tmp_path / "catalog", [*drafts, *labels])
    panel = load_market("catalog", home=tmp_path).panel
    assert {name: codes.tolist() for name, codes in panel.groups.items()} == {"sector": [1, 1, 0, -1]}
    assert panel.vwap is not None
    assert np.isnan(panel.vwap[[0, 2, 3]]).all()
    np.testing.assert_array_equal(panel.vwap[1, :5], [100.0, np.nan, np.nan, 100.005, 100.0])
    alone = load_market("catalog", ["A", "C"], home=tmp_path).panel
    assert alone.vwap is None
    assert alone.groups["sector"].tolist() == [1, 0]


def test_a_series_that_says_nothing_of_the_market_is_told(tmp_path: Path) -> None:
    times = START + HOUR * np.arange(3)
    for name, shift in (("early", -HOUR * 100), ("late", HOUR * 100), ("now", HOUR * 20)):
        file = written(tmp_path / f"{name}.parquet", ts=times + shift, value=[1.0, 2.0, 3.0])
        store(tmp_path / "catalog", [draft_series(file, name, 0)])
    store(tmp_path / "catalog", [bars(tmp_path, "A")])
    assert load_market("catalog", home=tmp_path).notes == (
        "early: the value of 2023-12-27T22:00Z is the last and stands ever after",
        "late: no value is known before the market ends",
    )
