"""Files of bars: read raw as they are, or refused and repaired until they can be traded on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clawd.core.clock import iso
from clawd.core.errors import ClawdError
from clawd.data.bar_size import bar_size
from clawd.data.columns import PRICES, bar_columns
from clawd.data.numbers import floats
from clawd.data.table import Place, open_table, read_columns
from clawd.data.times import nanoseconds

_ROUNDING = 1e-4  # share of the price by which a volume-weighted price may leave its bar's range


@dataclass(frozen=True, eq=False)
class RawBars:
    """Bars as they stand in a file.

    Attributes:
        frame: ``line`` (int64, the place of the row), ``ts`` (int64, the bar's open, UTC nanoseconds),
            ``open``, ``high``, ``low``, ``close``, ``volume`` (float64, null where missing), and ``funding`` and
            ``vwap`` if the file has them; rows in the file's order.
        place: the file.
        notes: what the reader decided, for people.
    """

    frame: pl.DataFrame
    place: Place
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars in order, without duplicates, with all prices.

    Attributes:
        frame: as `RawBars`, without ``line``; ``ts`` strictly rising.
        bar: duration of a bar in nanoseconds.
        notes: what was decided and repaired, for people.
    """

    frame: pl.DataFrame
    bar: int
    notes: tuple[str, ...]


def read_raw_bars(
    path: Path, columns: Mapping[str, str] | None = None, where: Mapping[str, str] | None = None
) -> RawBars:
    """The bars of a CSV (plain or gzip) or Parquet file as they stand there, whatever their values.

    Args:
        path: the file.
        columns: columns that their names do not tell, such as ``{"close": "Last"}``.
        where: the text that a column must hold, where the file has the bars of several instruments.

    Raises:
        ClawdError: the file is no table of times and prices: missing, broken, without a column, or with cells
            that are no numbers or no times.
    """
    table = open_table(path)
    chosen, notes = bar_columns(table.names, columns, str(path))
    rows = read_columns(table, chosen, where)
    numbers = [floats(rows, role, name, table.place) for role, name in chosen.items() if role != "ts"]
    frame = rows.select("line", nanoseconds(rows, chosen["ts"], table.place).alias("ts"), *numbers)
    if "volume" not in chosen:
        frame = frame.with_columns(volume=pl.lit(None, pl.Float64))
    order = ["line", "ts", *PRICES, "volume", *(name for name in ("funding", "vwap") if name in chosen)]
    return RawBars(frame.select(order), table.place, tuple(notes))


def read_times(path: Path) -> NDArray[np.int64]:
    """The times of a file of bars alone, int64 [n], UTC nanoseconds, in the file's order.

    Raises:
        ClawdError: as `read_raw_bars`.
    """
    table = open_table(path)
    chosen, _ = bar_columns(table.names, None, str(path))
    rows = read_columns(table, {"ts": chosen["ts"]})
    return nanoseconds(rows, chosen["ts"], table.place).to_numpy()


def read_bars(path: Path, columns: Mapping[str, str] | None = None, where: Mapping[str, str] | None = None) -> Bars:
    """The bars of a CSV (plain or gzip) or Parquet file, in order, without duplicates, with all prices.

    Raises:
        ClawdError: as `read_raw_bars`, and as `repaired`.
    """
    return repaired(read_raw_bars(path, columns, where))


def repaired(raw: RawBars) -> Bars:
    """Bars that can be aligned: rows are put in order and repeated rows dropped, which the notes say.

    Bars whose high or low does not enclose their open and close stay: they are a matter of quality. A
    volume-weighted price that no trade of its bar can have made, as 0 where nothing was traded, becomes missing.

    Raises:
        ClawdError: a price is missing, infinite, zero or negative; a volume is negative or infinite; two rows
            of one time differ; or the duration of a bar is not known.
    """
    frame, place = raw.frame, raw.place
    for role in PRICES:
        _refuse(frame, pl.col(role).is_null(), role, "missing", place)
        _refuse(frame, pl.col(role).is_infinite(), role, "infinite", place)
        _refuse(frame, pl.col(role) <= 0, role, "zero or negative", place)
    _refuse(frame, pl.col("volume").is_infinite(), "volume", "infinite", place)
    _refuse(frame, pl.col("volume") < 0, "volume", "negative", place)
    if "funding" in frame.columns:
        _refuse(frame, pl.col("funding").is_infinite(), "funding", "infinite", place)
    bar = bar_size(frame["ts"].to_numpy(), str(place.path))
    ordered, notes = ordered_distinct(frame, place)
    if "vwap" in ordered.columns:
        # Venues round it to fewer digits than their prices have.
        within = pl.col("vwap").is_between(pl.col("low") * (1 - _ROUNDING), pl.col("high") * (1 + _ROUNDING))
        kept = ordered.with_columns(vwap=pl.when(within).then("vwap"))
        outside = kept["vwap"].null_count() - ordered["vwap"].null_count()
        ordered = kept
        if outside:
            prices = "1 vwap is" if outside == 1 else f"{outside:,} vwaps are"
            notes.append(f"{prices} outside the range from low to high, and left out")
    return Bars(ordered, bar, (*raw.notes, *notes))


def ordered_distinct(frame: pl.DataFrame, place: Place) -> tuple[pl.DataFrame, list[str]]:
    """Rows by rising ``ts``, each once and without ``line``, and notes on what was repaired.

    Raises:
        ClawdError: two rows of one time differ.
    """
    notes = []
    values = [name for name in frame.columns if name != "line"]
    if not frame["ts"].is_sorted():
        backward = int((frame["ts"].diff() < 0).sum())
        notes.append(f"{backward:,} of {frame.height:,} rows were out of order and have been sorted")
        frame = frame.sort("ts", maintain_order=True)
    distinct = frame.unique(values, keep="first", maintain_order=True)
    repeated = frame.height - distinct.height
    if repeated:
        notes.append(f"{repeated:,} repeated {'row' if repeated == 1 else 'rows'} dropped")
    twice = distinct.filter(pl.col("ts") == pl.col("ts").shift(1))
    if twice.height:
        time, line = int(twice["ts"][0]), int(twice["line"][0])
        earlier = int(distinct.filter(pl.col("ts") == time)["line"][0])
        count = "1 row has" if twice.height == 1 else f"{twice.height:,} rows have"
        what = f"{count} the time of another row but other values, the first at {iso(time)}"
        hint = (
            f"{place.unit} {earlier} has the same time; keep the right one, or take one of several series with --where"
        )
        raise ClawdError(what, where=place.at(line), hint=hint)
    return distinct.drop("line"), notes


def _refuse(frame: pl.DataFrame, wrong: pl.Expr, role: str, fault: str, place: Place) -> None:
    rows = frame.filter(wrong)
    if rows.height:
        noun = "price" if role in PRICES else role
        what = f"1 {noun} is {fault}" if rows.height == 1 else f"{rows.height:,} {noun}s are {fault}, the first here"
        hint = "leave out a bar that did not happen, never fill it" if role in PRICES else None
        raise ClawdError(what, where=place.at(int(rows["line"][0]), role), hint=hint)
