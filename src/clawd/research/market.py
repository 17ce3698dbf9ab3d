"""The market that a person names, and the part of it that he may look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from clawd.core.clock import iso
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.data.align import fingerprint
from clawd.data.market import Market, load_market
from clawd.store.registry import Registry, Seal


def window(panel: Panel, start: int | None, end: int | None) -> tuple[int, int]:
    """The indices of the first bar that opens at or after ``start``, and of the first at or after ``end``.

    Raises:
        ClawdError: when there is no bar between them.
    """
    first = 0 if start is None else int(np.searchsorted(panel.times, start))
    last = panel.times.size if end is None else int(np.searchsorted(panel.times, end))
    if first >= last:
        span = f"{iso(int(panel.times[0]))} to {iso(int(panel.times[-1]))}"
        raise ClawdError("there is no bar between these times", where="from", hint=f"the market has bars from {span}")
    return first, last


def unsealed(market: Market, start: int | None, ledger: Path) -> tuple[Market, str | None]:
    """The market without the bars that are held back from authors, and the line that says so where there are any.

    Args:
        market: the whole of it.
        start: what was asked for as the first bar traded, UTC nanoseconds.
        ledger: where the ledger lies; one that does not exist holds nothing back.

    Raises:
        ClawdError: when only such bars were asked for.
    """
    seal = _seal(market.panel.symbols, ledger)
    if seal is None or seal.selection_from > market.panel.times[-1]:
        return market, None
    since = iso(seal.selection_from)
    line = f"bars from {since} on are sealed for the vault{f' of run {seal.run}' if seal.run else ''}"
    last = int(np.searchsorted(market.panel.times, seal.selection_from))
    if last == 0:
        raise ClawdError(line, hint="every bar of this market is: take another one")
    if start is not None and start >= seal.selection_from:
        raise ClawdError(line, where="from", hint=f"name a time before {since}")
    panel = market.panel.between(0, last)
    return replace(market, panel=panel, fingerprint=fingerprint(panel)), f"{line}: they are not read"


def named_market(data: str, universe: str | None, bar: int | None, home: Path) -> Market:
    """The market of a source, with some of its instruments.

    Args:
        data: ``sample``, ``catalog``, or a folder.
        universe: names with commas between them, None for all.
        bar: duration of a bar in nanoseconds, None where there is one size alone.
        home: the folder in which the catalog's folder lies.

    Raises:
        ClawdError: when they name none.
    """
    if not data:
        raise ClawdError("no source is named", where="data", hint="sample, catalog, or a folder")
    names = [name.strip() for name in (universe or "").split(",") if name.strip()]
    if universe is not None and not names:
        raise ClawdError("no instrument is named", where="universe", hint="leave it out to take all")
    return load_market(data, names or None, bar, home=home)


def _seal(symbols: Sequence[str], ledger: Path) -> Seal | None:
    """The seal that holds the most bars of any of these instruments back."""
    if not ledger.exists():
        return None
    with Registry.open(ledger) as registry:
        return min(registry.seals(symbols), key=lambda seal: seal.selection_from, default=None)
