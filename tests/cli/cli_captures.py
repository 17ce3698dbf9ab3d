"""Captured quotes and trades of a made-up market, for the commands that trade or read accounts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

BEGAN = 1_723_161_600 * 1_000  # 2024-08-09, midnight, milliseconds

FOLLOWS = """\
name = "follows"
[position]
target = "long_short(sign(ret(close, 2)))"
[exits]
stop = { percent = 0.1 }
"""


def captures(folder: Path, seconds: int = 120) -> list[str]:
    """Ten quotes and two trades a second near 100, which turns every twenty seconds."""
    random = np.random.default_rng(3)
    count = seconds * 10
    times = BEGAN + np.arange(count) * 100
    drift = np.where(np.arange(count) // 200 % 2 == 0, 0.01, -0.01)
    middle = np.round(1_000 + np.cumsum(drift + random.normal(0, 0.01, count)), 2)
    quotes = {
        "ts": times * 10**6,
        "exch_ms": times,
        "update_id": np.arange(1, count + 1),
        "bid": np.round(middle - 0.01, 2),
        "bid_qty": np.round(random.uniform(1, 3, count), 2),
        "ask": np.round(middle + 0.01, 2),
        "ask_qty": np.round(random.uniform(1, 3, count), 2),
    }
    of = np.arange(2, count, 5)
    trades = {
        "ts": times[of] * 10**6,
        "exch_ms": times[of],
        "trade_id": np.arange(1, of.size + 1),
        "price": quotes["bid"][of],
        "qty": np.round(random.uniform(0.1, 1, of.size), 2),
        "buyer_is_maker": np.ones(of.size, np.bool_),
    }
    paths = [folder / "bbo.parquet", folder / "trades.parquet"]
    for path, columns in zip(paths, (quotes, trades), strict=True):
        pl.DataFrame(columns).write_parquet(path)
    return [str(path) for path in paths]
