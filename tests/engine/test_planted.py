"""The future, planted in a series: with its true lag it earns nothing, with none it earns what the future is worth."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from clawd.core.costs import Costs
from clawd.data.align import InstrumentBars, NamedSeries, align
from clawd.engine.backtest import run_backtest
from clawd.engine.population import evaluate
from clawd.language.strategy import Strategy, parse_toml

HOUR = 3_600 * 10**9
DAY = 24 * HOUR
START = 1_704_067_200 * 10**9  # Monday 2024-01-01
HOURS = 24 * 500
FREE, CAPITAL = Costs(Decimal(0), Decimal(0)), Decimal(10_000)
SEEDS = range(6)


def strategy(position: str) -> Strategy:
    return parse_toml(f"name = 'seer'\n[position]\ntarget = '{position}'\n[exits]\nstop = {{ percent = 90 }}\n")


#: Follow the series, or its surprise.
FOLLOWERS = [
    strategy(text)
    for text in (
        'long_short(sign(ext("leak")))',
        'long_only(sign(ext("leak")))',
        'signal_if(ext("leak") > ts_mean(ext("leak"), 30), ext("leak") < ts_mean(ext("leak"), 30))',
        'long_short(ts_zscore(ext("leak"), 100))',
    )
]


def random_walk(seed: int) -> pl.DataFrame:
    """Hourly bars that know nothing of one another: each opens where the one before closed."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, HOURS)))
    opened = np.concatenate(([100.0], close[:-1]))
    wick = np.exp(np.abs(rng.normal(0.0, 3e-4, HOURS)))
    return pl.DataFrame(
        {
            "ts": START + np.arange(HOURS) * HOUR,
            "open": opened,
            "high": np.maximum(opened, close) * wick,
            "low": np.minimum(opened, close) / wick,
            "close": close,
            "volume": np.ones(HOURS),
        }
    )


def next_bar(bars: pl.DataFrame) -> pl.DataFrame:
    """The return of the next bar, stamped at the close of this one; it is known when the next one closes."""
    coming = bars.with_columns(value=(pl.col("close") / pl.col("open")).log())
    return coming.select("ts", "value")[1:]  # the next bar opens when this one closes


def daily_index(bars: pl.DataFrame) -> pl.DataFrame:
    """The return of each day, stamped at its midnight, a day before anyone can know it."""
    days = bars.with_columns(day=pl.col("ts") // DAY * DAY).group_by("day", maintain_order=True)
    returns = days.agg(value=(pl.col("close").last() / pl.col("open").first()).log())
    return returns.select(ts="day", value="value")


LEAKS = {"next bar": (next_bar, HOUR), "daily index": (daily_index, DAY)}


def scores(leak: str, lag: int, seed: int) -> list[float]:
    """The mean return of each follower, in its sampling errors."""
    bars = random_walk(seed)
    panel, _ = align([InstrumentBars("A", bars)], [NamedSeries("leak", LEAKS[leak][0](bars), lag)], HOUR)
    found = []
    for each in FOLLOWERS:
        returns = run_backtest(each, panel, FREE, CAPITAL).net_returns
        assert np.count_nonzero(returns) > HOURS / 4
        found.append(float(returns.mean() / returns.std() * math.sqrt(returns.size)))
    return found


@pytest.mark.parametrize("leak", LEAKS)
def test_a_lagged_look_ahead_earns_nothing(leak: str) -> None:
    """Returns that are worth nothing have a mean within its sampling error of zero: 4 of them for each run, and 3 for
    the mean over the runs, each run counted once."""
    found = np.array([scores(leak, LEAKS[leak][1], seed) for seed in SEEDS])
    assert np.abs(found).max() < 4.0
    assert np.abs(found.mean(axis=0)).max() < 3.0 / math.sqrt(len(SEEDS))


@pytest.mark.parametrize(("leak", "least"), [("next bar", 50.0), ("daily index", 8.0)])
def test_without_its_lag_the_same_series_earns_a_fortune(leak: str, least: float) -> None:
    """The control: the same run, told too early."""
    assert min(scores(leak, 0, 0)) > least


def test_a_population_sees_no_more_than_a_backtest() -> None:
    bars = random_walk(1)
    for lag, fortune in ((HOUR, False), (0, True)):
        panel, _ = align([InstrumentBars("A", bars)], [NamedSeries("leak", next_bar(bars), lag)], HOUR)
        for figures, each in zip(evaluate(FOLLOWERS, panel, FREE, CAPITAL), FOLLOWERS, strict=True):
            assert figures.total_return == pytest.approx(run_backtest(each, panel, FREE, CAPITAL).metrics.total_return)
            assert (figures.total_return > 2.0) is fortune, each.target.text
