"""Cells as UTC nanoseconds: numbers by their magnitude, ISO and US dates, typed times."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from clawd.core.errors import ClawdError
from clawd.data.numbers import trimmed
from clawd.data.table import Place

_AFTER_LAST = 7_258_118_400  # 2200-01-01, in seconds
_SMALLEST = 100_000_000  # as seconds 1973: what is smaller is an index or a spreadsheet's day
_UNITS = ("seconds", "milliseconds", "microseconds", "nanoseconds")
# Times from 1973 to 2199 in seconds, milliseconds and microseconds lie below these, finer ones above.
_BOUNDS = np.array([10**11, 10**14, 10**17])
_COMPACT = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}

_CLOCK = r"[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
_ISO = (
    r"^(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"
    rf"(?:{_CLOCK}\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d{{2}}:?(?:\d{{2}})?)?)?(?P<half>)$"
)
_US = (
    r"^(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})"
    rf"(?:{_CLOCK}\s*(?P<half>[AaPp][Mm])?)?(?P<zone>)$"
)
_HINT = "times are seconds to nanoseconds since 1970, ISO as 2024-12-31T23:00Z, or US dates as 12/31/2024"


@dataclass(frozen=True)
class _Cells:
    """The cells of a column of times as they stand in the file, to be shown where they are wrong."""

    shown: pl.Series
    lines: pl.Series
    name: str
    place: Place

    def refuse(self, wrong: pl.Series, what: str, hint: str | None = None) -> None:
        """Raises `what`, the first wrong cell in the place of {}, where a row is wrong."""
        if wrong.any():
            first = int(wrong.fill_null(False).arg_max() or 0)
            where = self.place.at(self.lines[first], self.name)
            raise ClawdError(what.replace("{}", f"`{self.shown[first]}`"), where=where, hint=hint)

    def refuse_range(self, seconds: pl.Series) -> None:
        self.refuse(seconds < 0, "the time {} lies before 1970")
        self.refuse(seconds >= _AFTER_LAST, "the time {} lies after 2199")


def nanoseconds(frame: pl.DataFrame, name: str, place: Place) -> pl.Series:
    """The column ``ts`` of a frame as int64 nanoseconds since 1970; times without a zone are taken as UTC.

    Args:
        frame: rows with ``line`` and ``ts``.
        name: the column's name in the file, for errors.
        place: the file, for errors.

    Raises:
        ClawdError: a time is missing, cannot be read, lies before 1970 or after 2199, or numbers are of more
            than one magnitude.
    """
    column = frame["ts"]
    if column.dtype == pl.String:
        column = trimmed(column).replace("", None)
    cells = _Cells(column, frame["line"], name, place)
    cells.refuse(column.is_null(), "the time is missing")
    kind = column.dtype
    if isinstance(kind, pl.Datetime):
        utc = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if kind.time_zone else column
        cells.refuse_range(utc.dt.epoch("s"))
        return utc.dt.epoch("ns")
    if kind == pl.Date:
        days = column.cast(pl.Int32).cast(pl.Int64)
        cells.refuse_range(days * 86_400)
        return days * (86_400 * 10**9)
    if kind.is_integer():
        return _from_integers(column.cast(pl.Int64, strict=False), cells)
    if kind.is_float():
        return _from_floats(column.cast(pl.Float64), cells)
    if kind == pl.String:
        return _from_text(column, cells)
    raise ClawdError(f"column `{name}` holds {kind}, not points in time", where=str(place.path), hint=_HINT)


def _from_integers(values: pl.Series, cells: _Cells) -> pl.Series:
    cells.refuse(values.is_null(), "{} is no time", _HINT)
    dates = _from_compact(values)
    if dates is not None:
        cells.refuse_range(dates)
        return dates * 10**9
    scale = _scale(values, cells)
    cells.refuse_range(values // (10**9 // scale))
    return values * scale


def _from_floats(values: pl.Series, cells: _Cells) -> pl.Series:
    cells.refuse(~values.is_finite() | (values.abs() >= 2.0**63), "{} is no time", _HINT)
    whole = values.floor().cast(pl.Int64)
    if (whole == values).all():
        return _from_integers(whole, cells)
    scale = _scale(whole, cells)
    cells.refuse_range(whole // (10**9 // scale))
    # A float of this size carries about a microsecond; finer digits are noise that would split equal times.
    microseconds = ((values - whole) * (scale / 1_000)).round().cast(pl.Int64)
    return whole * scale + microseconds * 1_000


def _from_compact(values: pl.Series) -> pl.Series | None:
    """Seconds since 1970 where all numbers are written-out dates such as 20241231, else None."""
    text = values.cast(pl.String)
    layout = _COMPACT.get(len(text[0]))
    if layout is None or (text.str.len_chars() != len(text[0])).any():
        return None
    dates = text.str.to_datetime(layout, strict=False, time_unit="us")
    return None if dates.has_nulls() else dates.dt.epoch("s")


def _scale(values: pl.Series, cells: _Cells) -> int:
    """Nanoseconds in the one unit that all whole numbers are in."""
    cells.refuse(values < 0, "the time {} lies before 1970")
    cells.refuse(values < _SMALLEST, "{} is no time", _HINT)
    units = pl.Series(np.searchsorted(_BOUNDS, values.to_numpy(), side="right"))
    first = int(units[0])
    other = units != first
    if other.any():
        unit = _UNITS[int(units.filter(other)[0])]
        what = f"mixed units: the time {{}} is in {unit}, those above it are in {_UNITS[first]}"
        cells.refuse(other, what, "write all times in one unit")
    return int(10 ** (9 - 3 * first))


def _from_text(text: pl.Series, cells: _Cells) -> pl.Series:
    integers = text.cast(pl.Int64, strict=False)
    if not integers.has_nulls():
        return _from_integers(integers, cells)
    numbers = text.cast(pl.Float64, strict=False)
    if not numbers.has_nulls():
        return _from_floats(numbers, cells)
    american = re.match(_US.removesuffix("$"), text[0]) is not None
    parts = text.str.extract_groups(_US if american else _ISO).struct.unnest()
    year, month, day, hour, minute, second, zone, half = (
        pl.col(name) for name in ("year", "month", "day", "hour", "minute", "second", "zone", "half")
    )
    on_the_clock = hour.fill_null("0").cast(pl.Int64)
    after_noon = half.str.to_lowercase() == "pm"
    has_half = half.fill_null("") != ""
    of_24 = pl.when(has_half).then(on_the_clock % 12 + 12 * after_noon).otherwise(on_the_clock)
    moment = pl.format(
        "{}-{}-{} {}:{}:{}", year, month, day, of_24, minute.fill_null("0"), second.fill_null("0")
    ).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
    digits = zone.str.replace(":", "").str.extract(r"^[+-](\d+)$").str.pad_end(4, "0").cast(pl.Int64)
    east = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    offset = east * (digits // 100 * 3_600 + digits % 100 * 60)
    read = parts.select(
        seconds=pl.when(~has_half | on_the_clock.is_between(1, 12)).then(moment.dt.epoch("s")),
        offset=offset.fill_null(0),
        fraction=pl.col("fraction").fill_null("0").str.pad_end(9, "0").cast(pl.Int64),
    )
    cells.refuse(read["seconds"].is_null(), "{} is no time", _HINT)
    seconds = read["seconds"] - read["offset"]
    cells.refuse_range(seconds)
    return seconds * 10**9 + read["fraction"]
