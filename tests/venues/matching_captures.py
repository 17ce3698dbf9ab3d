"""The captures of real books, as streams."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path

from clawd.core.instrument import Instrument
from clawd.data.capture import MarketEvent, read_captures

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

INSTRUMENTS = {
    "binancespot_BTCUSDT_20240808": Instrument("BTCUSDT", Decimal("0.01"), Decimal("0.00001")),
    "binanceusdm_BTCUSDT_20240808": Instrument("BTCUSDT", Decimal("0.1"), Decimal("0.001")),
    "coinbase_BTCUSD_20210417": Instrument("BTCUSD", Decimal("0.01"), Decimal("0.00000001")),
    "bitstamp_BTCUSD_20150501": Instrument("BTCUSD", Decimal("0.01"), Decimal("0.00000001")),
}


@cache
def stream(name: str, *kinds: str) -> tuple[MarketEvent, ...]:
    """The messages of these kinds of captures of an instrument."""
    return tuple(read_captures([DATA / f"{kind}_{name}.parquet" for kind in kinds], INSTRUMENTS[name]))
