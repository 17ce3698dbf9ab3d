"""The 101 formulaic alphas in clawd's language mean what the paper's formulas mean."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from alphas.paper import Formula, Market
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from engine.panels import evaluate

HERE = Path(__file__).parent
DATA = HERE.parents[1].parent / "shared" / "data"
ALPHAS: dict[str, dict[str, str]] = tomllib.loads((HERE / "alphas.toml").read_text())
LEVELS = {"sector": 2, "industry": 3, "subindustry": 4}

#: A disturbance of a billionth of what goes into a sum is a million times what rounding does to it. What it changes by
#: more than the tolerance is a tie that rounding broke, such as between two correlations of ranks.
DISTURBANCE, TOLERANCE = 1e-9, 1e-6


def panel_of(columns: dict[str, np.ndarray], hours: int, seed: int) -> Panel:
    """Bars [I, T] of a market whose instruments are spread over groups, each with a market value that changes."""
    rng = np.random.default_rng(seed)
    instruments, bars = columns["close"].shape
    supply = np.exp(rng.normal(10, 2, (instruments, 1)) + np.cumsum(rng.normal(0, 0.01, (instruments, bars)), axis=1))
    return Panel(
        instruments=tuple(Instrument(f"I{i}", Decimal("0.01"), Decimal("0.001")) for i in range(instruments)),
        bar=hours * NANOSECONDS_PER_DAY // 24,
        times=10_957 * NANOSECONDS_PER_DAY + np.arange(bars) * hours * NANOSECONDS_PER_DAY // 24,
        funding=np.zeros((instruments, bars)),
        bars_per_year=365.0 * 24 / hours,
        series={"cap": supply * np.nan_to_num(columns["close"])},
        groups={name: np.arange(instruments) % size for name, size in LEVELS.items()},
        **columns,
    )


@cache
def random_market() -> Panel:
    """Twelve instruments, 600 days: prices from 0.3 to 60, holes, a late listing, days without volume or of unknown
    volume; in the last four, prices and volumes swing from day to day, so that short correlations are seldom missing.
    """
    rng = np.random.default_rng(1)
    shape = (12, 600)
    swings = np.where(np.arange(600) % 2, 0.5, -0.5) * rng.uniform(0.5, 1.5, shape)
    swings[:8] = 0
    drift = np.cumsum(rng.normal(0, 0.01, 600) + rng.normal(0, 0.02, shape), axis=1)
    drift[8:] /= 4
    close = np.geomspace(0.3, 60, 12)[:, None] * np.exp(drift + 0.06 * swings)
    opened = close * np.exp(rng.normal(0, 0.01, shape))
    high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0, 0.01, shape)))
    low = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0, 0.01, shape)))
    volume = np.exp(rng.normal(8, 0.8, shape) + swings * np.linspace(0, 6, 600))
    volume[:8][rng.random((8, 600)) < 0.01] = 0
    volume[:8][rng.random((8, 600)) < 0.005] = np.nan
    absent = rng.random(shape) < 0.02
    absent[8:] &= rng.random((4, 600)) < 0.1
    absent[0, :70] = True
    columns = {"open": opened, "high": high, "low": low, "close": close, "volume": volume}
    return panel_of({name: np.where(absent, np.nan, values) for name, values in columns.items()}, 24, 2)


@cache
def coins() -> Panel:
    """Ten coins, the last 1,200 hours of real bars."""
    tables = [pl.read_parquet(path).tail(1_200) for path in sorted(DATA.glob("binance_*USDT_1h.parquet"))]
    assert all(table["ts"].equals(tables[0]["ts"]) for table in tables)
    columns = {name: np.array([table[name] for table in tables]) for name in ("open", "high", "low", "close", "volume")}
    return panel_of(columns, 1, 3)


def market_of(panel: Panel) -> Market:
    return Market(
        open=panel.open,
        high=panel.high,
        low=panel.low,
        close=panel.close,
        volume=panel.volume,
        vwap=(panel.high + panel.low + panel.close) / 3,
        cap=panel.series["cap"],
        groups={name: [str(code) for code in codes] for name, codes in panel.groups.items()},
    )


@cache
def markets(panel: Panel) -> tuple[Market, ...]:
    """The market, and four times the same with what is summed disturbed."""
    plain = market_of(panel)
    return plain, *(replace(plain, disturbance=DISTURBANCE, seed=seed, known={}) for seed in range(4))


def apart(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Where two results are not the same, missing being the same as missing."""
    size = np.nanmedian(np.abs(expected))
    far = np.abs(found - expected) > TOLERANCE * (np.abs(expected) + size)
    return far | (np.isnan(found) != np.isnan(expected))


def compare(number: str, panel: Panel, least: float) -> tuple[int, int]:
    """Values known and values compared of an alpha. At least a share of those known must not hang on rounding."""
    plain, *others = markets(panel)
    expected = Formula(ALPHAS[number]["paper"], plain).value()
    hangs = np.any([apart(Formula(ALPHAS[number]["paper"], other).value(), expected) for other in others], axis=0)
    found = evaluate(ALPHAS[number]["clawd"], panel)
    known = ~np.isnan(expected)
    assert not np.any(apart(found, expected) & ~hangs), f"{np.argwhere(apart(found, expected) & ~hangs)[:3]}"
    assert (known & ~hangs).sum() >= least * known.sum()
    assert np.unique(expected[known & ~hangs]).size > 1
    return int(known.sum()), int((known & ~hangs).sum())


@pytest.mark.parametrize("number", ALPHAS)
def test_an_alpha_is_the_formula_of_the_paper(number: str) -> None:
    known, compared = compare(number, random_market(), least=0.6)
    assert compared >= 150
    assert compared <= known


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the real market data is not at {DATA}")
@pytest.mark.parametrize("number", ALPHAS)
def test_an_alpha_is_the_formula_of_the_paper_on_real_coins(number: str) -> None:
    compare(number, coins(), least=0.6)


def test_the_alphas_are_those_of_the_paper() -> None:
    assert list(ALPHAS) == [str(number) for number in range(1, 102)]
