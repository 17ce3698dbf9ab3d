"""Files with one value a time: outside series and funding rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from clawd.core.errors import ClawdError
from clawd.data.bars import ordered_distinct
from clawd.data.columns import value_columns
from clawd.data.numbers import floats, trimmed
from clawd.data.table import Table, open_table, read_columns
from clawd.data.times import nanoseconds


@dataclass(frozen=True, eq=False)
class Values:
    """One value a time, in order.

    Attributes:
        frame: ``ts`` (int64, UTC nanoseconds, strictly rising) and ``value`` or ``rate`` (float64, never
            missing).
        notes: what was repaired, for people.
    """

    frame: pl.DataFrame
    notes: tuple[str, ...]


def read_series(path: Path, columns: Mapping[str, str] | None = None, where: Mapping[str, str] | None = None) -> Values:
    """The series of a CSV (plain or gzip) or Parquet file. Rows without a value are left out.

    Args:
        path: the file.
        columns: columns that their names do not tell, such as ``{"value": "DCOILWTICO"}``.
        where: the text that a column must hold, where the file has several series: ``{"currency": "BTC"}``.

    Raises:
        ClawdError: the file is no table, a cell is no number or no time, a value is infinite, or two rows of
            one time differ.
    """
    return _read(path, "value", columns, where)


def read_funding(
    path: Path, columns: Mapping[str, str] | None = None, where: Mapping[str, str] | None = None
) -> Values:
    """The funding rates of a file: ``ts``, when one was booked, and ``rate``, a share of the position's value.

    Raises:
        ClawdError: as `read_series`, and when a rate is a whole or more, which is no share.
    """
    values = _read(path, "rate", columns, where)
    largest = values.frame["rate"].abs().max()
    if isinstance(largest, float) and largest >= 1:
        hint = "rates are shares of the position's value, such as 0.0001"
        raise ClawdError(f"a funding rate is {largest:g}", where=str(path), hint=hint)
    return values


def _read(path: Path, role: str, columns: Mapping[str, str] | None, where: Mapping[str, str] | None) -> Values:
    table = open_table(path)
    chosen = value_columns(table.names, _numeric(table), role, columns, str(path))
    rows = read_columns(table, chosen, where)
    values = floats(rows, role, chosen[role], table.place)
    if values.is_infinite().any():
        first = int(values.is_infinite().arg_max() or 0)
        raise ClawdError(f"a {role} is infinite", where=table.place.at(rows["line"][first]))
    frame = rows.select("line", nanoseconds(rows, chosen["ts"], table.place).alias("ts"), values)
    full = frame.drop_nulls(role)
    if full.is_empty():
        raise ClawdError(f"column `{chosen[role]}` has no values", where=str(path))
    blank = frame.height - full.height
    notes = [f"{blank:,} {'row' if blank == 1 else 'rows'} without a value left out"] if blank else []
    ordered, repairs = ordered_distinct(full, table.place)
    return Values(ordered, (*notes, *repairs))


def _numeric(table: Table) -> list[str]:
    """The columns in which the first cell that is not empty is a number."""
    if len(table.names) == 2:
        return list(table.names)
    distinct = [name for name in dict.fromkeys(table.names) if name]
    rows = read_columns(table, {str(index): name for index, name in enumerate(distinct)})
    found = []
    for index, name in enumerate(distinct):
        cells = rows[str(index)].drop_nulls()
        if cells.dtype == pl.String:
            cells = trimmed(cells.head(1)).cast(pl.Float64, strict=False).drop_nulls()
        if cells.dtype.is_numeric() and len(cells):
            found.append(name)
    return found
