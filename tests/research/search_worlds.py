"""Markets with a planted edge, searches over them, and what their ledgers hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from clawd.core.clock import SystemClock
from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Floats, Panel
from clawd.research.search import SearchStep, search
from clawd.store.ledger import Ledger

COSTS, CAPITAL = Costs(Decimal("0.0002"), Decimal("0.0001")), Decimal(10_000)
A_DAY = 0.02

Rule = Callable[[Floats], Floats]


def follows(window: int) -> Rule:
    """Each instrument goes on as it went over so many bars."""
    return lambda past: np.sign(past[:, -window:].sum(axis=1))


def market(seed: int, bars: int = 1200, instruments: int = 4, edge: Rule | None = None, sharpe: float = 3.0) -> Panel:
    """Random walks; where there is an edge, the next bar of each instrument drifts to its side so that holding equal
    parts has about this annual Sharpe ratio before costs."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0.0, A_DAY, (instruments, bars))
    if edge is not None:
        for bar in range(150, bars):
            moves[:, bar] += sharpe / np.sqrt(365.0 * instruments) * A_DAY * edge(moves[:, :bar])
    close = 100.0 * np.exp(np.cumsum(moves, axis=1))
    opened = np.concatenate([np.full((instruments, 1), 100.0), close[:, :-1]], axis=1)
    # The extremes of a Brownian bridge: were wicks longer or shorter, targets or stops would be an edge of their own.
    swing = np.sqrt(moves**2 - 2.0 * A_DAY**2 * np.log(rng.random((2, instruments, bars))))
    return Panel(
        instruments=tuple(Instrument("ABCDEFGH"[i], Decimal("0.0001"), Decimal("0.0001")) for i in range(instruments)),
        bar=NANOSECONDS_PER_DAY,
        times=10_957 * NANOSECONDS_PER_DAY + np.arange(bars) * NANOSECONDS_PER_DAY,
        open=opened,
        high=opened * np.exp(0.5 * (moves + swing[0])),
        low=opened * np.exp(0.5 * (moves - swing[1])),
        close=close,
        volume=np.exp(rng.normal(5.0, 0.5, close.shape)),
        funding=np.zeros(close.shape),
        bars_per_year=365.0,
    )


def searched(panel: Panel, path: Path, budget: int, seed: int = 1, workers: int = 1, **more: Any) -> list[SearchStep]:
    """Every step of a search, recorded in a file."""
    with Ledger.open(path) as ledger:
        return list(
            search(
                panel,
                ledger,
                budget=budget,
                seed=seed,
                costs=COSTS,
                capital=CAPITAL,
                run="test",
                clock=SystemClock(),
                workers=workers,
                **more,
            )
        )


def rows(path: Path) -> list[tuple[object, ...]]:
    """All that a ledger holds, in its order, apart from the times at which it was told."""
    found: list[tuple[object, ...]] = []
    with sqlite3.connect(path) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        ]
        for name in names:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})") if row[1] != "recorded_at"]
            found += [(name, *row) for row in connection.execute(f"SELECT {', '.join(columns)} FROM {name}")]
    connection.close()
    return found
