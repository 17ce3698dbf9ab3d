"""Cells as numbers or text, strictly: whatever is not one is an error with its place."""

from __future__ import annotations

import polars as pl

from clawd.core.errors import ClawdError
from clawd.data.table import Place

_MISSING = ("", "-", ".", "na", "n/a", "#n/a", "nan", "null", "none")


def floats(frame: pl.DataFrame, role: str, name: str, place: Place) -> pl.Series:
    """A column as float64, null where a cell is empty or says that there is no value.

    Args:
        frame: rows with their ``line``.
        role: the column's name in the frame.
        name: its name in the file, for errors.
        place: the file, for errors.

    Raises:
        ClawdError: a cell is not a number.
    """
    column = frame[role]
    if column.dtype.is_numeric() or column.dtype == pl.Null:
        return column.cast(pl.Float64).fill_nan(None)
    if column.dtype != pl.String:
        raise ClawdError(f"column `{name}` holds {column.dtype}, not numbers", where=str(place.path))
    values = column.cast(pl.Float64, strict=False)
    if values.null_count() == column.null_count():
        return values.fill_nan(None)
    text = trimmed(column)
    values = text.cast(pl.Float64, strict=False)
    wrong = values.is_null() & text.is_not_null() & ~text.str.to_lowercase().is_in(_MISSING)
    if wrong.any():
        first = int(wrong.arg_max() or 0)
        count = int(wrong.sum())
        cells = "1 cell is not a number" if count == 1 else f"{count} cells are not numbers, the first of them"
        comma = "write a decimal point and no separators, as in 1234.5" if "," in text[first] else None
        raise ClawdError(f"{cells}: `{text[first]}`", where=place.at(frame["line"][first], name), hint=comma)
    return values.fill_nan(None)


def integers(frame: pl.DataFrame, role: str, name: str, place: Place) -> pl.Series:
    """A column as int64, none of it missing.

    Raises:
        ClawdError: a cell is missing, no whole number, or larger than 64 bits hold.
    """
    column = frame[role]
    if column.dtype == pl.String:
        column = trimmed(column)
    elif not column.dtype.is_numeric() and column.dtype != pl.Null:
        raise ClawdError(f"column `{name}` holds {column.dtype}, not numbers", where=str(place.path))
    values = column.cast(pl.Int64, strict=False)
    wrong = values.is_null() | (values.cast(pl.Float64) != column.cast(pl.Float64, strict=False)).fill_null(True)
    if wrong.any():
        raise ClawdError("this is no whole number", where=place.at(frame["line"][int(wrong.arg_max() or 0)], name))
    return values


def words(frame: pl.DataFrame, role: str, name: str, place: Place) -> pl.Series:
    """A column as text without spaces and quotes around it, null where a cell is empty.

    Raises:
        ClawdError: the column holds lists, bytes or other things that are no words.
    """
    kind = frame[role].dtype
    if kind.is_nested() or kind in (pl.Binary, pl.Object):
        raise ClawdError(f"column `{name}` holds {kind}, not words", where=str(place.path))
    return trimmed(frame[role].cast(pl.String)).replace("", None)


def trimmed(column: pl.Series) -> pl.Series:
    """Text cells without spaces and quotes around them."""
    return column.str.strip_chars(" \t\r\"'")
