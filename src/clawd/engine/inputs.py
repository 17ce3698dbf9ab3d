"""Inputs of programs: the values of bars, calendars and named series."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from clawd.core.errors import ClawdError, suggestion
from clawd.core.panel import NANOSECONDS_PER_DAY, Floats, Panel
from clawd.language.node import Node

_FIELDS = ("open", "high", "low", "close", "volume")

#: What stands before the name of each kind of series among the series of a panel.
_PREFIXES: Mapping[str, str] = {"ext": "", "book": "book:", "deriv": "deriv:", "model": "model:"}

INPUTS = frozenset({*_FIELDS, *_PREFIXES, "vwap", "clock", "const"})


def check_series(leaf: Node, panel: Panel) -> None:
    """Refuse an input that the market does not have.

    Raises:
        ClawdError: with what it has.
    """
    prefix = _PREFIXES.get(leaf.operator)
    if prefix is None or prefix + str(leaf.parameters[0]) in panel.series:
        return
    name = str(leaf.parameters[0])
    kind = "" if leaf.operator == "ext" else f"{leaf.operator} "
    found = [key.removeprefix(prefix) for key in panel.series if key.startswith(prefix) and (prefix or ":" not in key)]
    known = f"the market has {', '.join(sorted(found)) or 'none'}"
    raise ClawdError(f'the market has no {kind}series "{name}"', hint=suggestion(name, found) or known)


def values_of(leaf: Node, panel: Panel) -> Floats:
    """[I, T], or [1, T] where it is the same for all instruments: the values of an input on a panel."""
    name = leaf.operator
    if name in _FIELDS:
        values: Floats = getattr(panel, name)
        return values
    if name == "vwap":
        typical = (panel.high + panel.low + panel.close) / 3.0
        return typical if panel.vwap is None else np.where(np.isnan(panel.vwap), typical, panel.vwap)
    if name == "const":
        return np.full((1, panel.times.size), float(leaf.parameters[0]))
    if name == "clock":
        return _calendar(str(leaf.parameters[0]), panel.times, panel.bar)[np.newaxis]
    return np.atleast_2d(panel.series[_PREFIXES[name] + str(leaf.parameters[0])])


def _calendar(name: str, times: NDArray[np.int64], bar: int) -> Floats:
    moments = times.astype("datetime64[ns]")
    days = moments.astype("datetime64[D]")
    months = moments.astype("datetime64[M]")
    month_day = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    if name == "hour":
        values = (moments - days).astype("timedelta64[h]").astype(np.int64)
    elif name == "weekday":
        values = (days.astype(np.int64) + 3) % 7
    elif name == "month_day":
        values = month_day
    elif name == "month":
        values = months.astype(np.int64) % 12 + 1
    elif name == "minutes_to_close":
        # From the close of the bar to the end of the UTC day in which the bar ends.
        return ((-(times + bar)) % NANOSECONDS_PER_DAY) / 60e9
    else:
        # The turn of the month: its last five calendar days and its first three, known from the calendar alone.
        length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
        values = (month_day <= 3) | (month_day > length - 5)
    return values.astype(np.float64)
