"""Options that several commands share, and how they are read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from clawd.authors.starter import find_starter
from clawd.core.clock import parse_duration
from clawd.core.errors import ClawdError
from clawd.data.market import Market, load_market
from clawd.language.strategy import Strategy, load_strategy

DataOption = Annotated[
    str,
    typer.Option("--data", help="where the bars come from: sample, catalog, or a folder of Parquet or CSV files"),
]
UniverseOption = Annotated[
    str | None, typer.Option("--universe", help="instruments to take, separated by commas; all when left out")
]
BarOption = Annotated[str | None, typer.Option("--bar", help="size of the bars where there are several, such as 1h")]


def read_market(data: str, universe: str | None, bar: str | None) -> Market:
    """The market that the options name."""
    names = [name.strip() for name in (universe or "").split(",") if name.strip()]
    try:
        size = parse_duration(bar) if bar else None
    except ValueError as error:
        raise ClawdError(str(error), where="--bar") from None
    return load_market(data, names or None, size)


def read_strategy(name: str) -> Strategy:
    """The strategy in a file, or the starter strategy of a name."""
    path = Path(name)
    if path.suffix in (".toml", ".json") or path.exists() or "/" in name:
        return load_strategy(path)
    return find_starter(name)


def read_time(text: str | None, option: str) -> int | None:
    """UTC nanoseconds of a date or a time.

    Raises:
        ClawdError: when it is neither.
    """
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ClawdError(
            f"`{text}` is not a date such as 2015-06-30 or a time such as 2015-06-30T12:00", where=option
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return int(moment.timestamp()) * 1_000_000_000
