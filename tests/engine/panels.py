"""Markets for the tests of the engine, and the values of expressions on them."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.engine.evaluator import Evaluator
from clawd.engine.graph import lower
from clawd.language.builder import build
from clawd.language.node import Node

STEPS = Decimal("0.01"), Decimal("0.001")
START = 10_957 * NANOSECONDS_PER_DAY  # 2000-01-01, a Saturday


def panel(
    close: np.ndarray,
    *,
    open_: np.ndarray | None = None,
    high: np.ndarray | None = None,
    low: np.ndarray | None = None,
    volume: np.ndarray | None = None,
    series: Mapping[str, np.ndarray] | None = None,
    times: np.ndarray | None = None,
    bars_per_year: float = 365.0,
) -> Panel:
    """Daily bars [I, T] of instruments A, B, C … What is not given follows from the close."""
    close = np.atleast_2d(np.asarray(close, np.float64))
    absent = np.isnan(close)

    def column(given: np.ndarray | None, default: np.ndarray) -> np.ndarray:
        values = default if given is None else np.atleast_2d(np.asarray(given, np.float64))
        return np.where(absent, np.nan, values)

    return Panel(
        instruments=tuple(Instrument("ABCDEFGH"[i], *STEPS) for i in range(close.shape[0])),
        bar=NANOSECONDS_PER_DAY,
        times=START + np.arange(close.shape[1]) * NANOSECONDS_PER_DAY if times is None else times,
        open=column(open_, close),
        high=column(high, close),
        low=column(low, close),
        close=close,
        volume=column(volume, np.ones_like(close)),
        funding=np.zeros_like(close),
        bars_per_year=bars_per_year,
        series=dict(series or {}),
    )


@cache
def real_panel(bars: int = 5_031) -> Panel:
    """Daily bars of the S&P 500 and the Nasdaq composite from 1999 on, as A and B."""
    tables = [_daily(name).head(bars) for name in ("sp500", "nasdaq")]
    columns = {
        name: np.array([table[name.capitalize()].cast(pl.Float64).to_numpy() for table in tables])
        for name in ("open", "high", "low", "close", "volume")
    }
    return panel(
        columns["close"],
        open_=columns["open"],
        high=columns["high"],
        low=columns["low"],
        volume=columns["volume"],
        times=tables[0]["Date"].str.to_date("%m/%d/%Y").cast(pl.Datetime("ns")).cast(pl.Int64).to_numpy(),
        bars_per_year=252.0,
    )


def _daily(name: str) -> pl.DataFrame:
    specification = importlib.util.find_spec("arch")
    assert specification is not None and specification.origin is not None
    return pl.read_csv(Path(specification.origin).parent / "data" / name / f"{name}.csv.gz")


def random_panel(seed: int, instruments: int = 3, bars: int = 300, holes: float = 0.05, silent: float = 0.05) -> Panel:
    """A market of random walks, with bars missing here and there, bars with no volume, and two outside series."""
    rng = np.random.default_rng(seed)
    shape = (instruments, bars)
    common = rng.normal(0.0, 0.01, bars)
    close = 100.0 * np.exp(np.cumsum(common + rng.normal(0.0, 0.02, shape), axis=1))
    close = np.round(close * rng.choice([0.01, 1.0, 300.0], (instruments, 1)), 4)
    opened = np.round(close * np.exp(rng.normal(0.0, 0.005, shape)), 4)
    high = np.maximum(opened, close) + np.round(np.abs(rng.normal(0.0, 0.01, shape)) * close, 4)
    low = np.minimum(opened, close) - np.round(np.abs(rng.normal(0.0, 0.01, shape)) * close, 4)
    volume = np.round(np.exp(rng.normal(5.0, 1.0, shape)), 2)
    volume[rng.random(shape) < silent] = 0.0
    volume[rng.random(shape) < 0.01] = np.nan
    missing = rng.random(shape) < holes
    missing[0, : bars // 8] = True  # one is listed later
    close[missing] = np.nan
    mood = np.round(50 + np.cumsum(rng.normal(0, 3, bars)))
    mood[: bars // 10] = np.nan
    rate = np.where(rng.random(bars) < 0.1, np.nan, rng.normal(0.0, 1.0, bars))
    sigma = np.where(rng.random(shape) < 0.05, np.nan, np.exp(rng.normal(-4.0, 0.3, shape)))
    series = {
        "mood": mood,
        "rate": rate,
        "book:imbalance5": np.clip(rng.normal(0.0, 0.4, shape), -1.0, 1.0),
        "deriv:funding_8h": rng.normal(1e-4, 1e-4, shape),
        "model:mu": rng.normal(0.0, 1e-3, shape),
        "model:sigma": sigma,
    }
    bars_ = panel(close, open_=opened, high=high, low=low, volume=volume, series=series)
    return replace(bars_, groups={"sector": np.arange(instruments) % 2})


def program(expression: str) -> Node:
    """The canonical program of an expression."""
    node = build(expression)
    assert isinstance(node, Node)
    return node


def evaluate_nodes(nodes: Sequence[Node], bars: Panel) -> np.ndarray:
    """[len(nodes), I, T]."""
    graph = lower(nodes, bars)
    return Evaluator(graph, len(bars.instruments)).advance(bars, [graph.rows[node.text] for node in nodes])


def evaluate(expression: str, bars: Panel) -> np.ndarray:
    """[I, T], the values of an expression on a panel."""
    result: np.ndarray = evaluate_nodes([program(expression)], bars)[0]
    return result
