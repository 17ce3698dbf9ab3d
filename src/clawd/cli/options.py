"""Options that several commands share, and how they are read."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from clawd.authors.starter import find_starter
from clawd.core.clock import parse_time
from clawd.core.errors import ClawdError
from clawd.language.strategy import Strategy, load_strategy
from clawd.server.address import PORT
from clawd.store.journal import is_url

DataOption = Annotated[
    str,
    typer.Option("--data", help="where the bars come from: sample, catalog, or a folder of CSV or Parquet files"),
]
UniverseOption = Annotated[
    str | None,
    typer.Option("--universe", metavar="A,B,...", help="instruments to take, separated by commas; all when left out"),
]
BarOption = Annotated[
    str | None, typer.Option("--bar", metavar="SIZE", help="size of the bars where there are several, such as 1h")
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="first bar traded, a date or time, UTC; earlier bars warm up"),
]
ToOption = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="no bar that opens at or after this is read")
]
CapitalOption = Annotated[
    str, typer.Option("--capital", metavar="AMOUNT", help="quote currency; exposures are shares of it")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1, help="the same seed goes the same way")]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", metavar="COUNT", min=1, max=1024, help="processes; else one for each core")
]
ClusterOption = Annotated[
    str | None, typer.Option("--cluster", metavar="HOST:PORT", help="a Ray cluster to use instead of this machine")
]
JournalOption = Annotated[
    str | None,
    typer.Option(
        "--journal",
        metavar="PATH_OR_URL",
        help="a journal outside the home: a file, or postgresql://USER@HOST/DATABASE?journal=NAME",
    ),
]
HostOption = Annotated[
    str, typer.Option("--host", help="address of the pages; another than the loopback needs a password")
]
PortOption = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65_535, help=f"port of the pages; else {PORT}, or one that is free"),
]
PublicUrlOption = Annotated[
    str | None,
    typer.Option(
        "--public-url",
        metavar="URL",
        help="where browsers reach a proxy that adds TLS, such as https://HOST; with a password",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="for programs")]


def refuse_both(workers: int | None, cluster: str | None) -> None:
    """Work is done by processes here or by a cluster.

    Raises:
        ClawdError: when both are asked for.
    """
    if workers is not None and cluster is not None:
        raise ClawdError("--workers and --cluster exclude each other", hint="leave one out")


def journal_named(journal: str) -> Path | str:
    """Where the journal of ``--journal`` lies: a file, or the URL of a server.

    Raises:
        ClawdError: when nothing is named.
    """
    if not journal:
        raise ClawdError("no journal is named", where="--journal", hint="a file, or a URL of PostgreSQL")
    return journal if is_url(journal) else Path(journal)


def read_strategy(name: str) -> Strategy:
    """The strategy in a file, or the starter strategy of a name."""
    path = Path(name)
    if path.suffix in (".toml", ".json") or path.exists() or "/" in name:
        return load_strategy(path)
    return find_starter(name)


def read_amount(text: str, option: str) -> Decimal:
    """An amount of money.

    Raises:
        ClawdError: when it is none, or not above 0 and at most a billion.
    """
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ClawdError(f"`{text}` is not an amount of money", where=option, hint="such as 250.50") from None
    if not amount.is_finite() or not 0 < amount <= 10**9:
        raise ClawdError(f"an amount above 0 and at most a billion is needed, not {text}", where=option)
    return amount


def read_time(text: str | None, option: str) -> int | None:
    """UTC nanoseconds of a date or a time; as of :func:`clawd.core.clock.parse_time`."""
    return None if text is None else parse_time(text, option)
