"""CSV and Parquet files as tables, read column by column, with every row's line kept for error messages."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import polars as pl

from clawd.core.errors import ClawdError, suggestion

_HEAD_BYTES = 1 << 16
_DELIMITERS = (",", ";", "\t", "|")
# Polars panics on some damaged Parquet files.
UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, EOFError, zlib.error)


@dataclass(frozen=True)
class Place:
    """A file whose rows are counted in `unit`: ``line`` in a text file, ``row`` in a Parquet file."""

    path: Path
    unit: str

    def at(self, line: int, column: str | None = None) -> str:
        """The place of a cell or row, for people."""
        return f"{self.path}, {self.unit} {line}" + (f", column `{column}`" if column else "")


@dataclass(frozen=True)
class Table:
    """What is known of a table before its rows are read.

    Attributes:
        place: the file and what its rows are counted in.
        names: its columns, in order, as they are written.
        delimiter: between the cells of a text file; empty for Parquet.
        first_line: the first line below the header, from 1; the first row of Parquet is 1.
    """

    place: Place
    names: tuple[str, ...]
    delimiter: str
    first_line: int


def open_table(path: Path) -> Table:
    """The columns of a CSV (plain or gzip) or Parquet file, which is told by its content.

    Raises:
        ClawdError: the file is missing, a directory, empty, binary, not UTF-8, or not the Parquet file it is
            named.
    """
    where = str(path)
    if path.is_dir():
        raise ClawdError("this is a directory, not a file", where=where)
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except FileNotFoundError:
        raise ClawdError("there is no such file", where=where) from None
    except OSError as error:
        raise ClawdError(f"cannot be read: {error.strerror}", where=where) from error
    if not magic:
        raise ClawdError("the file is empty", where=where)
    if magic == b"PAR1":
        try:
            names = tuple(pl.read_parquet_schema(path))
        except UNREADABLE as error:
            raise _broken_parquet(where, error) from error
        return Table(Place(path, "row"), names, "", 1)
    if path.suffix.lower() == ".parquet":
        raise ClawdError("this is not a Parquet file, though its name says so", where=where)
    return _text_table(path)


def read_columns(table: Table, columns: Mapping[str, str], where: Mapping[str, str] | None = None) -> pl.DataFrame:
    """The rows of some columns.

    Args:
        table: as opened.
        columns: the new name of each wanted column and its name in the file.
        where: the text that a column of the file must hold, such as ``{"currency": "BTC"}``; other rows are
            left out.

    Returns:
        ``line`` (int64, the place of each row) and the wanted columns: text from a CSV file, typed from
        Parquet. Rows in which every wanted cell is empty are left out.

    Raises:
        ClawdError: the file is broken, has rows with too many or too few cells, or none that is wanted.
    """
    place = table.place
    read = {**columns, **{f"where {name}": _exact(table, name) for name in where or {}}}
    indices = {role: table.names.index(name) for role, name in read.items()}
    frame = _read_text(table, indices) if table.delimiter else _read_parquet(table, read)
    frame = frame.with_row_index("line", offset=table.first_line).cast({"line": pl.Int64})
    frame = frame.filter(~pl.all_horizontal(pl.col(list(columns)).is_null()))
    if frame.is_empty():
        raise ClawdError("there are no rows below the header", where=str(place.path))
    for name, wanted in (where or {}).items():
        column = frame[f"where {name}"]
        if column.dtype.is_nested() or column.dtype == pl.Binary:
            raise ClawdError(f"column `{name}` holds {column.dtype}, not words", where=str(place.path))
        cells = column.cast(pl.String).str.strip_chars(" \t\r\"'")
        frame = frame.filter(cells == wanted)
        if frame.is_empty():
            held = sorted(cells.drop_nulls().unique().to_list())
            listed = ", ".join(held[:12]) + (f" and {len(held) - 12} more" if len(held) > 12 else "")
            hint = suggestion(wanted, held) or f"it holds {listed or 'nothing'}"
            raise ClawdError(f"column `{name}` is `{wanted}` in no row", where=str(place.path), hint=hint)
    return frame.select("line", *columns)


def _exact(table: Table, name: str) -> str:
    if table.names.count(name) != 1:
        what = f"column `{name}` stands more than once" if name in table.names else f"there is no column `{name}`"
        raise ClawdError(what, where=str(table.place.path), hint=suggestion(name, table.names))
    return name


def _read_parquet(table: Table, columns: Mapping[str, str]) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(table.place.path, columns=list(dict.fromkeys(columns.values())))
    except UNREADABLE as error:
        raise _broken_parquet(str(table.place.path), error) from error
    return frame.select(pl.col(name).alias(role) for role, name in columns.items())


def _read_text(table: Table, indices: Mapping[str, int]) -> pl.DataFrame:
    path = table.place.path
    last = max(index for index, name in enumerate(table.names) if name or index == 0)
    wanted = sorted({*indices.values(), last})
    try:
        frame = pl.read_csv(path, separator=table.delimiter, infer_schema=False, columns=wanted)
    except UNREADABLE as error:
        _refuse_ragged(table, last + 1)
        if "utf-8" in str(error):
            raise _not_utf8(str(path)) from error
        reason = str(error).partition("\n")[0]
        raise ClawdError(f"cannot be read as CSV: {reason}", where=str(path)) from error
    frame.columns = [str(index) for index in wanted]
    # Polars fills up short rows; such a row lacks its last cell, and only then are the cells worth counting.
    if frame[str(last)].null_count():
        _refuse_ragged(table, last + 1)
    return frame.select(pl.col(str(index)).alias(role) for role, index in indices.items())


def _refuse_ragged(table: Table, needed: int) -> None:
    """Raises where a row has more cells than the header, or fewer than the header's named columns."""
    path = table.place.path
    try:
        with _open(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
            rows = csv.reader(text, delimiter=table.delimiter)
            for row in rows:
                if any(row) and not needed <= len(row) <= len(table.names):
                    cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
                    what = f"this line has {cells}, the header has {len(table.names)}"
                    raise ClawdError(what, where=table.place.at(rows.line_num))
    except (csv.Error, UnicodeDecodeError, *UNREADABLE):
        return


def _text_table(path: Path) -> Table:
    where = str(path)
    try:
        with _open(path) as file:
            head = file.read(_HEAD_BYTES)
    except UNREADABLE as error:
        raise ClawdError("the gzip file is broken", where=where) from error
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise ClawdError("the text is UTF-16", where=where, hint="save it as UTF-8")
    if b"\0" in head:
        raise ClawdError("this is binary, neither CSV nor Parquet", where=where)
    if b"\r" in head and b"\n" not in head:
        raise ClawdError("lines end with CR alone", where=where, hint="save it with LF or CRLF line ends")
    if len(head) == _HEAD_BYTES and b"\n" not in head:
        raise ClawdError(f"the first line is longer than {_HEAD_BYTES:,} bytes", where=where)
    lines = head.removeprefix(b"\xef\xbb\xbf").splitlines()
    blank = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    if blank == len(lines):
        raise ClawdError("the file is empty", where=where)
    try:
        header = lines[blank].decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(where) from error
    delimiter = max(_DELIMITERS, key=header.count)
    names = tuple(name.strip(" \t\"'") for name in next(csv.reader([header], delimiter=delimiter)))
    if all(name[:1].isdigit() for name in names):
        hint = "the first line names the columns, such as ts,open,high,low,close,volume"
        raise ClawdError("there is no header: the first line holds values", where=where, hint=hint)
    return Table(Place(path, "line"), names, delimiter, first_line=blank + 2)


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if packed else path.open("rb")


def _not_utf8(where: str) -> ClawdError:
    return ClawdError("the text is not UTF-8", where=where, hint="save it as UTF-8")


def _broken_parquet(where: str, error: Exception) -> ClawdError:
    return ClawdError(f"the Parquet file is broken: {str(error).partition(chr(10))[0]}", where=where)
