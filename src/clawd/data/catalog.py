"""The catalog: a folder of Parquet files with bars, funding, series and labels.

Its layout::

    bars/<symbol>/<bar>.parquet
    funding/<symbol>.parquet
    series/<name>.parquet                    an outside series of the whole market
    series/ext/<name>/<symbol>.parquet       an outside series of one instrument
    series/<kind>/<name>.parquet             a feature (book, deriv) or forecast (model) of the whole market
    series/<kind>/<name>/<symbol>.parquet    of one instrument
    groups/<classification>.parquet

A series' file carries its publication lag in its metadata, so that values and lag are always replaced together.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from clawd.core.clock import duration, parse_duration
from clawd.core.errors import ClawdError, suggestion
from clawd.data.align import NamedSeries
from clawd.data.bars import RawBars
from clawd.data.draft import SERIES_KINDS, Draft, bars_file, checked_symbol, file_name
from clawd.data.funding import FEATURE
from clawd.data.table import UNREADABLE, Place

_LAG = "clawd.lag"
_SHOWN = 6
_SEVERAL = ("book", "funding")  # kinds of which one file makes several entries


@dataclass(frozen=True)
class Entry:
    """A file of the catalog.

    Attributes:
        kind: ``bars``, ``funding``, ``groups``, or one of ``series``, ``book``, ``deriv`` and ``model``.
        name: of a series or a classification, else None.
        symbol: the instrument's; None for what is of the whole market.
        bar: duration of a bar in nanoseconds, None for all but bars.
        lag: a series' publication lag in nanoseconds, else None.
        first, last: the first and last time, UTC nanoseconds; None for labels, which have none.
        rows: how many rows it has.
        size: of the file, in bytes.
    """

    kind: str
    name: str | None
    symbol: str | None
    bar: int | None
    lag: int | None
    first: int | None
    last: int | None
    rows: int
    size: int


def store(root: Path, drafts: Sequence[Draft], *, replace: bool = False) -> None:
    """Writes entries into the catalog at `root`: all of them, or none where one cannot be.

    Raises:
        ClawdError: an entry exists and `replace` is false, two drafts are for one entry, or the disk refuses.
    """
    files = [draft.file for draft in drafts]
    for draft in drafts:
        if files.count(draft.file) > 1:
            what, hint = "two files would be stored as this one entry", "give each its symbol"
            raise ClawdError(what, where=draft.title, hint=hint)
        if (root / draft.file).exists() and not replace:
            what = f"the catalog has this already: {draft.file}"
            raise ClawdError(what, where=draft.title, hint="--replace overwrites it")
    written: list[tuple[Path, Path]] = []
    try:
        for draft in drafts:
            target = root / draft.file
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
            written.append((temporary, target))
            draft.frame.write_parquet(temporary, metadata={} if draft.lag is None else {_LAG: str(draft.lag)})
        for temporary, target in written:
            temporary.replace(target)
    except UNREADABLE as error:
        raise ClawdError(f"the catalog cannot be written: {error}", where=str(root)) from error
    finally:
        for temporary, _ in written:
            temporary.unlink(missing_ok=True)


def remarks(root: Path, drafts: Sequence[Draft]) -> list[str]:
    """Notes on what was stored, for people: symbols without bars, and features that an earlier import left.

    Bars may come later, or have their symbol written otherwise. A file of funding or a capture of a book makes as
    many features as it can; those that it could not make stay what they were.
    """
    traded = {unquote(path.parent.name) for path in _files(root, "bars/*/*.parquet")}
    wanted = {draft.symbol for draft in drafts if draft.symbol is not None}
    for draft in drafts:
        if draft.kind == "groups":
            wanted |= set(draft.frame["symbol"])
    notes = []
    for symbol in sorted(wanted - traded):
        nearest = suggestion(symbol, traded)
        notes.append(f"the catalog has no bars of {symbol}" + (f"; {nearest}" if nearest else " yet"))
    if len(notes) > _SHOWN:
        notes = [*notes[:_SHOWN], f"and {len(notes) - _SHOWN} more such symbols"]
    stored = {root / draft.file for draft in drafts}
    made = {(draft.symbol, "book" if draft.kind == "book" else "deriv") for draft in drafts if draft.kind in _SEVERAL}
    for symbol, kind in sorted((symbol, kind) for symbol, kind in made if symbol is not None):
        feature = FEATURE if kind == "deriv" else "*"
        for path in _files(root, f"series/{kind}/{feature}/{file_name(symbol)}.parquet"):
            if path not in stored:
                notes.append(f"{kind} {path.parent.name} {symbol} is still that of another import")
    return notes


def entries(root: Path) -> list[Entry]:
    """What the catalog at `root` holds, sorted by kind, name, symbol and bar; nothing where there is no catalog.

    Raises:
        ClawdError: a file of the catalog is broken.
    """
    found = [
        _entry(path, "bars", None, unquote(path.parent.name), _bar(path)) for path in _files(root, "bars/*/*.parquet")
    ]
    found += [_entry(path, "funding", None, unquote(path.stem)) for path in _files(root, "funding/*.parquet")]
    found += [_entry(path, "groups", path.stem, None) for path in _files(root, "groups/*.parquet")]
    found += [_entry(path, kind, name, symbol) for path, kind, name, symbol in _series(root)]
    return sorted(found, key=lambda each: (each.kind, each.name or "", each.symbol or "", each.bar or 0))


def bars_path(root: Path, symbol: str, bar: int) -> Path:
    """Where the bars of a symbol stand."""
    return root / bars_file(symbol, bar)


def load_bars(root: Path, symbol: str, bar: int) -> RawBars:
    """The bars of a symbol, as they were stored.

    Raises:
        ClawdError: there is no such entry, or its file is broken.
    """
    path = bars_path(root, checked_symbol(symbol), bar)
    frame = _rows(path, f"bars {symbol} {duration(bar)}")
    return RawBars(frame.with_row_index("line", offset=1), Place(path, "row"), ())


def load_funding(root: Path, symbol: str) -> pl.DataFrame | None:
    """The funding rates of a symbol, ``ts`` and ``rate``, or None where the catalog has none.

    Raises:
        ClawdError: the file is broken.
    """
    path = root / "funding" / f"{file_name(checked_symbol(symbol))}.parquet"
    return _rows(path, f"funding {symbol}") if path.exists() else None


def load_series(root: Path, symbols: Sequence[str]) -> list[NamedSeries]:
    """The series of the whole market and those of some instruments, with their lags.

    Raises:
        ClawdError: a file is broken.
    """
    return [
        NamedSeries(name if kind == "series" else f"{kind}:{name}", _rows(path, f"{kind} {name}"), _lag(path), symbol)
        for path, kind, name, symbol in _series(root)
        if symbol is None or symbol in symbols
    ]


def load_groups(root: Path) -> dict[str, dict[str, str]]:
    """Every classification of the catalog: its labels by symbol.

    Raises:
        ClawdError: a file is broken.
    """
    return {
        path.stem: dict(_rows(path, f"groups {path.stem}", ["symbol", "label"]).iter_rows())
        for path in _files(root, "groups/*.parquet")
    }


def _files(root: Path, pattern: str) -> list[Path]:
    return sorted(path for path in root.glob(pattern) if not path.name.startswith("."))


def _series(root: Path) -> Iterator[tuple[Path, str, str, str | None]]:
    """The file, kind, name and symbol of every series."""
    for path in _files(root, "series/*.parquet"):
        yield path, "series", path.stem, None
    for path in _files(root, "series/*/*.parquet"):
        yield path, _kind(path.parent, path), path.stem, None
    for path in _files(root, "series/*/*/*.parquet"):
        yield path, _kind(path.parent.parent, path), path.parent.name, unquote(path.stem)


def _kind(folder: Path, path: Path) -> str:
    kind = "series" if folder.name == "ext" else folder.name
    if kind not in SERIES_KINDS or folder.name == "series":
        hint = f"series of a kind lie in the folders ext, {', '.join(SERIES_KINDS[1:])}"
        raise ClawdError("this file does not belong into a catalog", where=str(path), hint=hint)
    return kind


def _bar(path: Path) -> int:
    try:
        return parse_duration(path.stem)
    except ValueError as error:
        hint = "files of bars are named by their duration, such as 1h.parquet"
        raise ClawdError("this file does not belong into a catalog", where=str(path), hint=hint) from error


def _entry(path: Path, kind: str, name: str | None, symbol: str | None, bar: int | None = None) -> Entry:
    first: int | None = None
    last: int | None = None
    try:
        rows = pl.scan_parquet(path)
        if kind == "groups":
            count = int(rows.select(pl.len()).collect().item())
        else:
            span = rows.select(first=pl.col("ts").min(), last=pl.col("ts").max(), rows=pl.len()).collect()
            first, last, count = (int(value) for value in span.row(0))
        size = path.stat().st_size
    except (TypeError, *UNREADABLE) as error:
        raise _broken(path) from error
    lag = _lag(path) if kind in SERIES_KINDS else None
    return Entry(kind, name, symbol, bar, lag, first, last, count, size)


def _lag(path: Path) -> int:
    try:
        lag = int(pl.read_parquet_metadata(path)[_LAG])
    except (KeyError, ValueError, *UNREADABLE) as error:
        raise _broken(path) from error
    if lag < 0:
        raise _broken(path)
    return lag


def _rows(path: Path, what: str, columns: list[str] | None = None) -> pl.DataFrame:
    if not path.exists():
        raise ClawdError("the catalog does not have this", where=what, hint="`clawd data list` shows what it has")
    try:
        return pl.read_parquet(path, columns=columns)
    except UNREADABLE as error:
        raise _broken(path) from error


def _broken(path: Path) -> ClawdError:
    return ClawdError("this file of the catalog is broken", where=str(path), hint="import it again with --replace")
