"""The catalog: a folder of Parquet files with bars, funding and outside series.

Its layout is ``bars/<symbol>/<bar>.parquet``, ``funding/<symbol>.parquet`` and ``series/<name>.parquet``. A
series' file carries its publication lag in its metadata, so that values and lag are always replaced together.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import polars as pl

from clawd.core.clock import duration, iso, parse_duration
from clawd.core.errors import ClawdError
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.data.align import OutsideSeries
from clawd.data.bars import RawBars, read_bars
from clawd.data.file_name import instrument_in, stem
from clawd.data.series import read_funding, read_series
from clawd.data.table import UNREADABLE, Place

_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-/:]{0,63}")
_SERIES_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LAG = "clawd.lag"
_LONGEST_LAG = 3_653 * NANOSECONDS_PER_DAY


@dataclass(frozen=True, eq=False)
class Draft:
    """A catalog entry that has been read and checked, but not written.

    Attributes:
        kind: ``bars``, ``funding`` or ``series``.
        symbol: the instrument's symbol, or the series' name.
        file: where it will stand, below the catalog.
        frame: its rows.
        lag: a series' publication lag in nanoseconds.
        notes: what was decided and repaired, for people.
    """

    kind: str
    symbol: str
    file: Path
    frame: pl.DataFrame
    lag: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A file of the catalog.

    Attributes:
        kind: ``bars``, ``funding`` or ``series``.
        symbol: the instrument's symbol, or the series' name.
        bar: duration of a bar in nanoseconds, None for funding and series.
        lag: a series' publication lag in nanoseconds, else None.
        first, last: the first and last time, UTC nanoseconds.
        rows: how many rows it has.
        size: of the file, in bytes.
    """

    kind: str
    symbol: str
    bar: int | None
    lag: int | None
    first: int
    last: int
    rows: int
    size: int


def draft_bars(path: Path, symbol: str | None = None, columns: Mapping[str, str] | None = None) -> Draft:
    """A file of bars, ready to be stored under a symbol, by default the one in the file's name.

    Raises:
        ClawdError: the symbol cannot be one, or the file cannot be read as bars.
    """
    name = checked_symbol(instrument_in(stem(path)) if symbol is None else symbol)
    bars = read_bars(path, columns)
    return Draft("bars", name, _bars_file(name, bars.bar), bars.frame, None, bars.notes)


def draft_series(path: Path, name: str, lag: int, columns: Mapping[str, str] | None = None) -> Draft:
    """A file of values, ready to be stored as a series.

    Args:
        path: the file.
        name: what strategies call it: a letter, then letters, digits and underscores.
        lag: how long after its stamp a value is known, in nanoseconds.
        columns: columns that their names do not tell.

    Raises:
        ClawdError: the name cannot be one, the lag is negative or over ten years, or the file cannot be read
            as a series.
    """
    if not _SERIES_NAME.fullmatch(name):
        hint = "a letter, then letters, digits and underscores, such as wti"
        raise ClawdError("this cannot name a series", where=f"`{name}`", hint=hint)
    if not 0 <= lag <= _LONGEST_LAG:
        hint = "a value is known at its stamp or up to ten years later"
        raise ClawdError("this lag cannot be", where=f"lag of {name}", hint=hint)
    values = read_series(path, columns)
    return Draft("series", name, Path("series", f"{name}.parquet"), values.frame, lag, values.notes)


def draft_funding(path: Path, symbol: str, columns: Mapping[str, str] | None = None) -> Draft:
    """A file of funding rates, ready to be stored under a symbol.

    Raises:
        ClawdError: the symbol cannot be one, or the file cannot be read as funding.
    """
    file = Path("funding", f"{_file_name(checked_symbol(symbol))}.parquet")
    values = read_funding(path, columns)
    return Draft("funding", symbol, file, values.frame, None, values.notes)


def describe(draft: Draft) -> str:
    """One line for people: what was read, from when to when, and how many rows."""
    first, last = int(draft.frame["ts"][0]), int(draft.frame["ts"][-1])
    size = f" {draft.file.stem}" if draft.kind == "bars" else ""
    rows = f"{draft.frame.height:,} row{'' if draft.frame.height == 1 else 's'}"
    return f"{draft.kind} {draft.symbol}{size}: {rows}, {iso(first)} to {iso(last)}"


def store(root: Path, drafts: Sequence[Draft], *, replace: bool = False) -> None:
    """Writes entries into the catalog at `root`: all of them, or none where one cannot be.

    Raises:
        ClawdError: an entry exists and `replace` is false, two drafts are for one entry, or the disk refuses.
    """
    files = [draft.file for draft in drafts]
    for draft in drafts:
        where = f"{draft.kind} {draft.symbol}"
        if files.count(draft.file) > 1:
            raise ClawdError("two files would be stored as this one entry", where=where, hint="give each its symbol")
        if (root / draft.file).exists() and not replace:
            raise ClawdError(f"the catalog has this already: {draft.file}", where=where, hint="--replace overwrites it")
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


def entries(root: Path) -> list[Entry]:
    """What the catalog at `root` holds, sorted by kind, symbol and bar; nothing where there is no catalog.

    Raises:
        ClawdError: a file of the catalog is broken.
    """
    found = [_bars_entry(path) for path in root.glob("bars/*/*.parquet") if _is_entry(path)]
    found += [_entry("funding", path) for path in root.glob("funding/*.parquet") if _is_entry(path)]
    found += [_entry("series", path) for path in root.glob("series/*.parquet") if _is_entry(path)]
    return sorted(found, key=lambda entry: (entry.kind, entry.symbol, entry.bar or 0))


def bars_path(root: Path, symbol: str, bar: int) -> Path:
    """Where the bars of a symbol stand."""
    return root / _bars_file(symbol, bar)


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
    path = root / "funding" / f"{_file_name(checked_symbol(symbol))}.parquet"
    return _rows(path, f"funding {symbol}") if path.exists() else None


def load_series(root: Path) -> list[OutsideSeries]:
    """All series of the catalog with their lags, sorted by name.

    Raises:
        ClawdError: a file is broken.
    """
    paths = sorted(path for path in root.glob("series/*.parquet") if _is_entry(path))
    return [OutsideSeries(path.stem, _rows(path, f"series {path.stem}"), _lag(path)) for path in paths]


def checked_symbol(symbol: str) -> str:
    """The symbol, when it is one.

    Raises:
        ClawdError: it is not letters, digits and ``._-/:`` after a letter or digit, or has two dots in a row.
    """
    if not _SYMBOL.fullmatch(symbol) or ".." in symbol:
        hint = "letters, digits and . _ - / : after a letter or digit, as in --symbol BTC/USDT"
        raise ClawdError("this cannot be a symbol", where=f"`{symbol}`", hint=hint)
    return symbol


def _file_name(symbol: str) -> str:
    return quote(symbol, safe="")


def _bars_file(symbol: str, bar: int) -> Path:
    return Path("bars", _file_name(symbol), f"{duration(bar)}.parquet")


def _is_entry(path: Path) -> bool:
    return not path.name.startswith(".")


def _bars_entry(path: Path) -> Entry:
    try:
        bar = parse_duration(path.stem)
    except ValueError as error:
        hint = "files of bars are named by their duration, such as 1h.parquet"
        raise ClawdError("this file does not belong into a catalog", where=str(path), hint=hint) from error
    return _entry("bars", path, symbol=unquote(path.parent.name), bar=bar)


def _entry(kind: str, path: Path, symbol: str | None = None, bar: int | None = None) -> Entry:
    try:
        span = pl.scan_parquet(path).select(first=pl.col("ts").min(), last=pl.col("ts").max(), rows=pl.len()).collect()
        size = path.stat().st_size
    except UNREADABLE as error:
        raise _broken(path) from error
    first, last, rows = (int(value) for value in span.row(0))
    lag = _lag(path) if kind == "series" else None
    return Entry(kind, unquote(path.stem) if symbol is None else symbol, bar, lag, first, last, rows, size)


def _lag(path: Path) -> int:
    try:
        return int(pl.read_parquet_metadata(path)[_LAG])
    except (KeyError, ValueError, *UNREADABLE) as error:
        raise _broken(path) from error


def _rows(path: Path, what: str) -> pl.DataFrame:
    if not path.exists():
        raise ClawdError("the catalog does not have this", where=what, hint="`clawd data list` shows what it has")
    try:
        return pl.read_parquet(path)
    except UNREADABLE as error:
        raise _broken(path) from error


def _broken(path: Path) -> ClawdError:
    return ClawdError("this file of the catalog is broken", where=str(path), hint="import it again with --replace")
