"""A market to study: instruments from the sample, the catalog or a folder, looked over and aligned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from clawd.core.clock import iso
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.core.settings import Settings
from clawd.data import catalog, sample
from clawd.data.align import InstrumentBars, NamedSeries, align, fingerprint
from clawd.data.bar_size import bar_size
from clawd.data.bars import RawBars, read_raw_bars, read_times, repaired
from clawd.data.file_name import stem
from clawd.data.finding import Finding
from clawd.data.folder import open_folder
from clawd.data.quality import check
from clawd.data.universe import Offer, chosen, symbols

_FEW_BARS = 10  # at either end of the market that an instrument may lack without a word
_SHOWN = 6
_STALE = 10  # usual spacings of a series, or bars, for which its last value may stand without a word


@dataclass(frozen=True, eq=False)
class Market:
    """A panel and what is known of its making.

    Attributes:
        panel: the instruments, sorted by symbol.
        findings: what the quality report says of each instrument.
        notes: what was decided, repaired and dropped, for people.
        fingerprint: 16 hexadecimal digits of the panel's whole content.
    """

    panel: Panel
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, eq=False)
class _Listing:
    """An instrument as its source has it."""

    symbol: str
    raw: RawBars
    funding: pl.DataFrame | None = None


def load_market(
    source: str | Path,
    universe: Sequence[str] | None = None,
    bar: int | None = None,
    *,
    home: Path | None = None,
) -> Market:
    """The market of a source. The order of names and files never matters.

    Args:
        source: ``sample``, ``catalog``, or a folder of CSV and Parquet files of bars.
        universe: the wanted instruments: symbols, or for a folder stems of files or the instruments in them;
            all that the source has when None or empty.
        bar: duration of a bar in nanoseconds, where there are several.
        home: the folder in which the catalog's folder lies; that of the settings when None.

    Raises:
        ClawdError: the source, an instrument or the bar size does not exist or is ambiguous, or a file cannot
            be read as bars.
    """
    if source == "sample":
        return _sample(universe, bar)
    if source == "catalog":
        return _catalog((Settings().home if home is None else home) / "catalog", universe, bar)
    return _folder(Path(source), universe, bar)


def _sample(universe: Sequence[str] | None, bar: int | None) -> Market:
    offers = [Offer(symbol, symbol, Path(symbol)) for symbol in sample.SYMBOLS]
    meant, size = chosen(offers, universe, bar, lambda _: sample.BAR, "the sample market")
    return _market(
        [_Listing(offer.name, sample.sample_bars(offer.name)) for offer in meant],
        sample.sample_series(),
        size,
    )


def _catalog(root: Path, universe: Sequence[str] | None, bar: int | None) -> Market:
    offers = {
        Offer(entry.symbol, entry.symbol, catalog.bars_path(root, entry.symbol, entry.bar)): entry.bar
        for entry in catalog.entries(root)
        if entry.symbol is not None and entry.bar is not None
    }
    if not offers:
        raise ClawdError("the catalog has no bars", where=str(root), hint="`clawd data import FILE` puts them there")
    meant, size = chosen(list(offers), universe, bar, offers.__getitem__, "the catalog")
    listings = [
        _Listing(offer.name, catalog.load_bars(root, offer.name, size), catalog.load_funding(root, offer.name))
        for offer in meant
    ]
    series = catalog.load_series(root, [offer.name for offer in meant])
    return _market(listings, series, size, catalog.load_groups(root))


def _folder(path: Path, universe: Sequence[str] | None, bar: int | None) -> Market:
    folder = open_folder(path)
    for file, error in folder.broken.items():
        if not universe or stem(file) in universe:
            raise error
    meant, size = chosen(folder.offers, universe, bar, _measured, str(path))
    pairs = zip(symbols(meant), meant, strict=True)
    return _market([_Listing(symbol, read_raw_bars(offer.path)) for symbol, offer in pairs], [], size)


def _measured(offer: Offer) -> int:
    return bar_size(read_times(offer.path), str(offer.path))


def _market(
    listings: Sequence[_Listing],
    series: Sequence[NamedSeries],
    bar: int,
    groups: Mapping[str, Mapping[str, str]] | None = None,
) -> Market:
    findings: list[Finding] = []
    notes: list[str] = []
    instruments = []
    for listing in sorted(listings, key=lambda each: each.symbol):
        findings += check(listing.raw.frame, listing.symbol, bar)
        bars = repaired(listing.raw)
        notes += [f"{listing.symbol}: {note}" for note in bars.notes]
        notes += _funding_notes(listing.symbol, bars.frame, listing.funding)
        instruments.append(InstrumentBars(listing.symbol, bars.frame, listing.funding))
    panel, dropped = align(instruments, series, bar, groups)
    notes += [f"{symbol}: {count:,} broken bar{'' if count == 1 else 's'} dropped" for symbol, count in dropped.items()]
    notes += _span_notes(panel)
    notes += _stale_notes(panel, series)
    return Market(panel, tuple(findings), tuple(notes), fingerprint(panel))


def _span_notes(panel: Panel) -> list[str]:
    """Who joins the market late, and who leaves it early."""
    present, length = panel.present, panel.times.size
    first, last = present.argmax(axis=1), length - 1 - present[:, ::-1].argmax(axis=1)
    notes = []
    for word, missed, edge in (("begin later", first, first), ("end earlier", length - 1 - last, last)):
        there = [row for row in range(len(panel.symbols)) if missed[row] > _FEW_BARS]
        if there:
            shown = ", ".join(f"{panel.symbols[row]} {iso(int(panel.times[edge[row]]))[:10]}" for row in there[:_SHOWN])
            rest = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
            notes.append(f"{word} than the market: {shown}{rest}")
    return notes


def _stale_notes(panel: Panel, series: Sequence[NamedSeries]) -> list[str]:
    """Which series begin after the market, and which end so long before it that their last values say little."""
    end = int(panel.times[-1]) + panel.bar
    spoken: dict[str, list[str]] = {}
    for each in series:
        stamps = each.values["ts"].sort().to_numpy()
        usual = int(np.median(np.diff(stamps))) if stamps.size > 1 else 0
        first, last = int(stamps[0]), int(stamps[-1])
        whose = f" of {each.symbol}" if each.symbol else ""
        if first + each.lag > end:
            spoken.setdefault(f"{whose}: no value is known before the market ends", []).append(each.name)
        elif end - last - each.lag > _STALE * max(usual, panel.bar):
            spoken.setdefault(f"{whose}: the value of {iso(last)} is the last and stands ever after", []).append(
                each.name
            )
    return [", ".join(names) + what for what, names in spoken.items()]


def _funding_notes(symbol: str, bars: pl.DataFrame, funding: pl.DataFrame | None) -> list[str]:
    if funding is None:
        return []
    due = funding["ts"].sort()
    first, last = int(due[0]), int(due[-1])
    if first <= int(bars["ts"][0]) and last >= int(bars["ts"][-1]):
        return []
    return [f"{symbol}: funding is known from {iso(first)} to {iso(last)} and counts as none elsewhere"]
