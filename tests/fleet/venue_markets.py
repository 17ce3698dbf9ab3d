"""A made-up market of quotes and trades that runs and turns, as messages and as capture files."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl

from clawd.core.instrument import Instrument
from clawd.data.capture import MarketEvent, read_captures

BTC = Instrument("BTCUSDT", Decimal("0.1"), Decimal("0.001"))
BEGAN = 1_723_161_600 * 10**9  # 2024-08-09, midnight
SECOND = 10**9


def write_captures(folder: Path, seconds: int = 300, seed: int = 1, began: int = BEGAN) -> list[Path]:
    """A file of quotes, five a second, and one of trades, two a second; prices near 60,000. UTC nanoseconds."""
    random = np.random.default_rng(seed)
    count = seconds * 5
    times = (began + np.arange(count) * (SECOND // 5)) // 10**6
    drift = np.repeat(random.choice([-1.0, 1.0], count // 100 + 1), 100)[:count]
    middle = np.round(60_000 + np.cumsum(drift * 0.6 + random.normal(0, 1.5, count)), 1)
    quotes = {
        "ts": times * 10**6,
        "exch_ms": times,
        "update_id": np.arange(1, count + 1),
        "bid": np.round(middle - 0.1, 1),
        "bid_qty": np.round(random.uniform(0.01, 3, count), 3),
        "ask": np.round(middle + 0.1, 1),
        "ask_qty": np.round(random.uniform(0.01, 3, count), 3),
    }
    of = np.arange(1, count, 3)
    sells = random.random(of.size) < 0.5
    trades = {
        "ts": times[of] * 10**6,
        "exch_ms": times[of],
        "trade_id": np.arange(1, of.size + 1),
        "price": np.where(sells, quotes["bid"][of], quotes["ask"][of]),
        "qty": np.round(random.uniform(0.001, 1, of.size), 3),
        "buyer_is_maker": sells,
    }
    paths = [folder / "bbo.parquet", folder / "trades.parquet"]
    for path, columns in zip(paths, (quotes, trades), strict=True):
        pl.DataFrame(columns).write_parquet(path)
    return paths


def market(folder: Path, seconds: int = 300, seed: int = 1) -> list[MarketEvent]:
    """The same as messages."""
    return read_captures(write_captures(folder, seconds, seed), BTC)
