"""Files read and checked for the catalog, but not yet written there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import polars as pl

from clawd.core.clock import duration, iso
from clawd.core.errors import ClawdError
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.data import funding
from clawd.data.bars import read_bars
from clawd.data.book_file import read_book
from clawd.data.file_name import instrument_in, stem
from clawd.data.groups import read_labels
from clawd.data.series import read_funding, read_series

#: Kinds of named series: outside series by their plain name, the others with their kind before it.
SERIES_KINDS = ("series", "book", "deriv", "model")

_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-/:]{0,63}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LONGEST_LAG = 3_653 * NANOSECONDS_PER_DAY


@dataclass(frozen=True, eq=False)
class Draft:
    """A catalog entry that has been read and checked, but not written.

    Attributes:
        kind: ``bars``, ``funding``, ``groups`` or one of `SERIES_KINDS`.
        name: of a series or a classification; None for bars and funding.
        symbol: the instrument's; None for what is of the whole market.
        file: where it will stand, below the catalog.
        frame: its rows.
        lag: a series' publication lag in nanoseconds.
        notes: what was decided and repaired, for people.
    """

    kind: str
    name: str | None
    symbol: str | None
    file: Path
    frame: pl.DataFrame
    lag: int | None
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it is, for people: its kind, name and symbol."""
        return " ".join(filter(None, (self.kind, self.name, self.symbol)))


def draft_bars(
    path: Path,
    symbol: str | None = None,
    columns: Mapping[str, str] | None = None,
    where: Mapping[str, str] | None = None,
) -> Draft:
    """A file of bars, ready to be stored under a symbol, by default the one in the file's name.

    Raises:
        ClawdError: the symbol cannot be one, or the file cannot be read as bars.
    """
    name = checked_symbol(instrument_in(stem(path)) if symbol is None else symbol)
    bars = read_bars(path, columns, where)
    return Draft("bars", None, name, bars_file(name, bars.bar), bars.frame, None, bars.notes)


def draft_series(
    path: Path,
    name: str,
    lag: int | None,
    columns: Mapping[str, str] | None = None,
    *,
    kind: str = "series",
    symbol: str | None = None,
    where: Mapping[str, str] | None = None,
) -> Draft:
    """A file of values, ready to be stored as a series.

    Args:
        path: the file.
        name: what strategies call it: a letter, then letters, digits and underscores.
        lag: how long after its stamp a value is known, in nanoseconds; None is an error that says why.
        columns: columns that their names do not tell.
        kind: one of `SERIES_KINDS`.
        symbol: the instrument that the values are of; None for the whole market.
        where: the text that a column must hold, where the file has several series.

    Raises:
        ClawdError: the name cannot be one, the lag is missing, negative or over ten years, or the file cannot be
            read as a series.
    """
    file = series_file(kind, _checked_name(name, "series"), symbol)
    values = read_series(path, columns, where)
    known = _checked_lag(lag, name, values.frame["ts"], str(path))
    return Draft(kind, name, symbol, file, values.frame, known, (*values.notes, *_midnight_notes(values.frame, known)))


def draft_funding(
    path: Path,
    symbol: str,
    columns: Mapping[str, str] | None = None,
    *,
    lag: int = 0,
    where: Mapping[str, str] | None = None,
) -> list[Draft]:
    """A file of funding rates, ready to be stored under a symbol twice: as cash, and as the feature funding_8h.

    Args:
        path: the file.
        symbol: the instrument's.
        columns: columns that their names do not tell.
        lag: how long after it was booked a rate is known, in nanoseconds. Cash is paid whatever is known.
        where: the text that a column must hold, where the file has several instruments.

    Raises:
        ClawdError: the symbol cannot be one, the lag cannot be, or the file cannot be read as funding.
    """
    file = Path("funding", f"{file_name(checked_symbol(symbol))}.parquet")
    values = read_funding(path, columns, where)
    frame, moved = funding.due(values.frame)
    feature, note = funding.eight_hourly(values.frame)
    twice = frame.filter(pl.col("ts").is_duplicated())
    if twice.height:
        raise ClawdError(f"two rates fall due in one second, at {iso(int(twice['ts'][0]))}", where=str(path))
    known = _checked_lag(lag, symbol, frame["ts"], str(path))
    drafts = [Draft("funding", None, symbol, file, frame, None, (*values.notes, *moved, note))]
    if feature is not None:
        target = series_file("deriv", funding.FEATURE, symbol)
        drafts.append(Draft("deriv", funding.FEATURE, symbol, target, feature, known, ()))
    return drafts


def draft_book(path: Path, symbol: str, lag: int | None) -> list[Draft]:
    """A capture of an order book, ready to be stored as one series of each of its features.

    Args:
        path: the file.
        symbol: the instrument's.
        lag: how long after it was received a book is known to a strategy, in nanoseconds; None is an error.

    Raises:
        ClawdError: the symbol cannot be one, the lag is missing, negative or over ten years, or the file is no
            capture of a book.
    """
    checked_symbol(symbol)
    book = read_book(path)
    drafts = []
    for index, (name, frame) in enumerate(book.frames.items()):
        known = _checked_lag(lag, symbol, frame["ts"], str(path))
        notes = book.notes if index == 0 else ()
        drafts.append(Draft("book", name, symbol, series_file("book", name, symbol), frame, known, notes))
    return drafts


def draft_groups(
    path: Path,
    name: str,
    columns: Mapping[str, str] | None = None,
    where: Mapping[str, str] | None = None,
) -> Draft:
    """A file of labels, ready to be stored as a classification such as ``sector``.

    Raises:
        ClawdError: the name cannot be one, a symbol cannot be one, or the file cannot be read as labels.
    """
    labels = read_labels(path, _checked_name(name, "classification"), columns, where)
    for symbol in labels.frame["symbol"]:
        checked_symbol(symbol)
    return Draft("groups", name, None, Path("groups", f"{name}.parquet"), labels.frame, None, labels.notes)


def describe(draft: Draft) -> str:
    """One line for people: what was read, from when to when, and how many rows."""
    what = draft.title + (f" {draft.file.stem}" if draft.kind == "bars" else "")
    rows = f"{draft.frame.height:,} row{'' if draft.frame.height == 1 else 's'}"
    if draft.kind == "groups":
        return f"{what}: {rows}, {draft.frame['label'].n_unique():,} labels"
    first, last = int(draft.frame["ts"][0]), int(draft.frame["ts"][-1])
    return f"{what}: {rows}, {iso(first)} to {iso(last)}"


def checked_symbol(symbol: str) -> str:
    """The symbol, when it is one.

    Raises:
        ClawdError: it is not letters, digits and ``._-/:`` after a letter or digit, or has two dots in a row.
    """
    if not _SYMBOL.fullmatch(symbol) or ".." in symbol:
        hint = "letters, digits and . _ - / : after a letter or digit, as in --symbol BTC/USDT"
        raise ClawdError("this cannot be a symbol", where=f"`{symbol}`", hint=hint)
    return symbol


def file_name(symbol: str) -> str:
    """A symbol as the name of a file or folder; `urllib.parse.unquote` reverses it."""
    return quote(symbol, safe="")


def bars_file(symbol: str, bar: int) -> Path:
    """Where the bars of a symbol stand, below the catalog."""
    return Path("bars", file_name(symbol), f"{duration(bar)}.parquet")


def series_file(kind: str, name: str, symbol: str | None) -> Path:
    """Where a series stands, below the catalog.

    Raises:
        ClawdError: the symbol cannot be one, or there is no such kind.
    """
    if kind not in SERIES_KINDS:
        raise ClawdError(f"`{kind}` is no kind of series", hint=f"one of {', '.join(SERIES_KINDS)}")
    if symbol is not None:
        return Path("series", "ext" if kind == "series" else kind, name, f"{file_name(checked_symbol(symbol))}.parquet")
    return Path("series", f"{name}.parquet") if kind == "series" else Path("series", kind, f"{name}.parquet")


def _checked_name(name: str, what: str) -> str:
    if not _NAME.fullmatch(name):
        hint = "a letter, then letters, digits and underscores, such as wti"
        raise ClawdError(f"this cannot name a {what}", where=f"`{name}`", hint=hint)
    return name


def _checked_lag(lag: int | None, name: str, stamps: pl.Series, where: str) -> int:
    if lag is None:
        if _at_midnight(stamps):
            what = "every value is stamped at midnight, the start of its day, but a day's value is known only after it"
            hint = "say how long after its stamp it is published: --lag 1d, or more; --lag 0 if at midnight itself"
            raise ClawdError(what, where=where, hint=hint)
        hint = "such as --lag 1h; --lag 0 if a value is known at its very stamp"
        raise ClawdError("how long after its stamp is a value published?", where=where, hint=hint)
    if not 0 <= lag <= _LONGEST_LAG:
        hint = "a value is known at its stamp or up to ten years later"
        raise ClawdError("this lag cannot be", where=f"lag of {name}", hint=hint)
    return lag


def _at_midnight(stamps: pl.Series) -> bool:
    return bool((stamps % NANOSECONDS_PER_DAY == 0).all())


def _midnight_notes(frame: pl.DataFrame, lag: int) -> tuple[str, ...]:
    if lag >= NANOSECONDS_PER_DAY or not _at_midnight(frame["ts"]):
        return ()
    when = f"{duration(lag)} after midnight" if lag else "at midnight"
    return (f"every value is stamped at midnight and seen {when}: a value of the whole day would be seen too early",)
