"""Which markets there are to study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clawd.core.clock import duration
from clawd.data import catalog, sample
from clawd.store.ledger_file import ledger_path
from clawd.store.registry import Registry


@dataclass(frozen=True, slots=True)
class Listed:
    """An instrument of a market, at one size of its bars.

    Attributes:
        symbol: of the instrument.
        bar: such as ``1d``.
        first, last: opens of its first and last bar, UTC nanoseconds.
        bars: how many it has.
    """

    symbol: str
    bar: str
    first: int
    last: int
    bars: int


@dataclass(frozen=True, slots=True)
class MarketListing:
    """A market that can be studied.

    Attributes:
        data: what it is called: ``sample`` or ``catalog``.
        instruments: by symbol and size.
        sealed_from: the open of the first bar that is held back from authors, None where none is.
    """

    data: str
    instruments: tuple[Listed, ...]
    sealed_from: int | None


def list_markets(home: Path) -> tuple[MarketListing, ...]:
    """The sample market, and the catalog where it has bars.

    Raises:
        ClawdError: when a file of the catalog is broken.
    """
    listed = {"sample": _sample(), "catalog": _catalog(home / "catalog")}
    return tuple(
        MarketListing(data, instruments, _sealed_from(home, instruments))
        for data, instruments in listed.items()
        if instruments
    )


def _sample() -> tuple[Listed, ...]:
    found = []
    for symbol in sample.SYMBOLS:
        times = sample.sample_bars(symbol).frame["ts"]
        found.append(Listed(symbol, duration(sample.BAR), int(times.min()), int(times.max()), times.len()))  # type: ignore[arg-type]
    return tuple(found)


def _catalog(root: Path) -> tuple[Listed, ...]:
    return tuple(
        Listed(each.symbol, duration(each.bar), each.first, each.last, each.rows)
        for each in catalog.entries(root)
        if each.kind == "bars" and each.symbol and each.bar and each.first is not None and each.last is not None
    )


def _sealed_from(home: Path, instruments: tuple[Listed, ...]) -> int | None:
    path = ledger_path(home)
    if not path.exists():
        return None
    with Registry.open(path) as registry:
        return registry.sealed_from(each.symbol for each in instruments)
