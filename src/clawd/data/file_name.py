"""What the name of a file of bars says: ``binance_BTCUSDT_1h`` is venue, instrument and time frame."""

from __future__ import annotations

import re
from pathlib import Path

_SUFFIXES = (".parquet", ".csv", ".csv.gz")
_QUOTES = ("USD", "USDT", "USDC", "BUSD", "EUR")
_TIME_FRAME = re.compile(r"\d+(s|m|min|h|d|w|mo|M)")


def stem(path: Path) -> str:
    """The file's name without its folder and its table suffix."""
    name = path.name
    suffix = next((suffix for suffix in (*_SUFFIXES, ".gz") if name.lower().endswith(suffix)), path.suffix)
    return name[: len(name) - len(suffix)]


def is_table(path: Path) -> bool:
    """Whether the file's name is that of a CSV or Parquet file, and not hidden."""
    return path.name.lower().endswith(_SUFFIXES) and not path.name.startswith(".")


def instrument_in(name: str) -> str:
    """The instrument in a stem such as ``venue_INSTRUMENT_timeframe[_suffix]``, else the whole stem.

    It is the part before the time frame; of ``BTC_USDT_1h``, where that is a mere quote currency, both parts.
    """
    parts = name.split("_")
    frames = [index for index, part in enumerate(parts) if index and _TIME_FRAME.fullmatch(part)]
    if not frames:
        return name
    first = frames[0]
    if first > 1 and parts[first - 1].upper() in _QUOTES:
        return parts[first - 2] + parts[first - 1]
    return parts[first - 1] or name
