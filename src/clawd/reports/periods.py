"""The calendar of a run: months, years, and the spans that an axis or a table is cut into. All UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import NANOSECONDS_PER_DAY, Floats
from clawd.reports.formats import moment

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_UNITS = (
    ("s", (1, 5, 15, 30)),
    ("m", (1, 5, 15, 30)),
    ("h", (1, 3, 6, 12)),
    ("D", (1, 2, 7, 14)),
    ("M", (1, 3, 6)),
    ("Y", (1, 2, 5, 10, 20, 50, 100, 1_000)),
)


@dataclass(frozen=True, slots=True)
class Period:
    """A span of bars.

    Attributes:
        first, last: indices of its first bar and of the one after its last.
        name: for a table, such as ``2008``, ``Mar 2008`` or ``2008-03-12``.
        tick: for an axis, shorter.
    """

    first: int
    last: int
    name: str
    tick: str


def periods(times: NDArray[np.int64], most: int) -> tuple[Period, ...]:
    """Bars cut at the finest round steps of the calendar that give at most so many spans.

    Args:
        times: opens of the bars, UTC nanoseconds, rising.
        most: at least 1.
    """
    if not times.size:
        return ()
    daily = not (times % NANOSECONDS_PER_DAY).any()
    for unit, steps in _UNITS:
        if daily and unit in "smh":
            continue
        since = times.astype("datetime64[ns]").astype(f"datetime64[{unit}]").astype(np.int64)
        # Weeks begin on Monday; 1970 began on a Thursday and is a round year only when counted from 0.
        offset = {"D": 3, "Y": 1970}.get(unit, 0)
        for step in steps:
            cuts = np.flatnonzero(np.diff((since + offset) // step)) + 1
            if cuts.size < most:
                edges = [0, *cuts.tolist(), times.size]
                return tuple(Period(first, last, *_names(int(times[first]), unit)) for first, last in pairwise(edges))
    return (Period(0, times.size, *_names(int(times[0]), "Y")),)


def _names(time: int, unit: str) -> tuple[str, str]:
    year, month, day = (int(word) for word in moment(time)[:10].split("-"))
    clock = moment(time, clock=True)[11:]
    if unit == "Y":
        return str(year), str(year)
    if unit == "M":
        name = f"{MONTHS[month - 1]} {year}"
        return name, name
    date = f"{day} {MONTHS[month - 1]}"
    if unit == "D":
        return moment(time)[:10], date
    return moment(time, clock=True), date if time % NANOSECONDS_PER_DAY == 0 else clock[: 8 if unit == "s" else 5]


def ticks(times: NDArray[np.int64], most: int = 14) -> list[tuple[float, str]]:
    """Where the labels of a time axis stand, as a share of its width, and what they say."""
    spans = periods(times, most)
    # The first bar rarely begins a span, so it is labelled only where nothing else would be.
    if len(spans) == 1:
        return [(0.0, spans[0].name)]
    return [(span.first / times.size, span.tick) for span in spans[1:]]


def monthly_returns(times: NDArray[np.int64], net_returns: Floats) -> dict[tuple[int, int], float]:
    """The return of each year and month that has bars, by the opens of the bars. Returns add up.

    Args:
        times: [T], opens of the bars, UTC nanoseconds.
        net_returns: [T], shares of the capital.
    """
    if not times.size:
        return {}
    months = times.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
    edges = np.flatnonzero(np.diff(months, prepend=months[0] - 1))
    sums: Sequence[float] = np.add.reduceat(net_returns, edges).tolist()
    return {
        (1970 + int(month) // 12, int(month) % 12 + 1): total for month, total in zip(months[edges], sums, strict=True)
    }
