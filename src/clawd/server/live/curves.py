"""Series that grow without end and are kept in bounds: the longer they are, the coarser.

What is thinned here is gone, so it is thinned evenly while it grows. A series that lies there whole is thinned by
:mod:`clawd.reports.thinning`, which sees all of it and keeps what stands out.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clawd.reports.thinning import MOST_POINTS


@dataclass(slots=True)
class Curves:
    """Values of several things at common moments, of which every ``stride``-th is kept, and the last.

    Attributes:
        most: so many moments are kept before every other one is dropped.
        times: [K] of the moments kept, UTC nanoseconds.
        stride: of the moments that were added, one in so many is kept.
    """

    most: int = MOST_POINTS
    times: array[int] = field(default_factory=lambda: array("q"))
    stride: int = 1
    _columns: dict[str, tuple[int, array[float]]] = field(default_factory=dict)
    _added: int = 0
    _latest: tuple[int, dict[str, float]] | None = None

    def add(self, time: int, values: Mapping[str, float]) -> None:
        """The values of a moment, which is not before the last one."""
        self._latest = time, dict(values)
        if self._added % self.stride == 0:
            place = len(self.times)
            self.times.append(time)
            for name, value in values.items():
                start, column = self._columns.setdefault(name, (place, array("d")))
                missing = place - start - len(column)
                if missing:
                    column.extend([np.nan] * missing)
                column.append(value)
            if len(self.times) >= self.most:
                self._thin()
        self._added += 1

    @property
    def latest(self) -> dict[str, float]:
        """The values of the last moment."""
        return {} if self._latest is None else self._latest[1]

    def of(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """[K] times and values of one thing since it was there; empty where it never was. The last moment is in it."""
        start, column = self._columns.get(name, (0, array("d")))
        times = np.array(self.times[start : start + len(column)], np.int64)
        values = np.array(column, np.float64)
        if self._latest is not None and name in self._latest[1]:
            time, latest = self._latest[0], self._latest[1][name]
            if not times.size or times[-1] != time:
                return np.append(times, time), np.append(values, latest)
        known = ~np.isnan(values)
        return times[known], values[known]

    def _thin(self) -> None:
        self.times = self.times[::2]
        for name, (start, column) in self._columns.items():
            # A moment stays that has an even place among all, not among those of this thing.
            self._columns[name] = (start + 1) // 2, column[start % 2 :: 2]
        self.stride *= 2


class Bar(NamedTuple):
    """A bar, or several that have become one.

    Times are UTC nanoseconds: when it opened, and when it was told. Prices are in quote currency; a volume that is not
    known is NaN.
    """

    opened: int
    told: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(slots=True)
class BarSeries:
    """Bars of one instrument; when there are too many, two and two become one.

    Attributes:
        most: so many are kept before two and two become one.
        rows: those that are whole.
        merged: how many bars each of them is made of.
    """

    most: int = MOST_POINTS
    rows: list[Bar] = field(default_factory=list)
    merged: int = 1
    _part: list[Bar] = field(default_factory=list)

    def add(self, bar: Bar) -> None:
        """A bar that has closed."""
        self._part.append(bar)
        if len(self._part) < self.merged:
            return
        self.rows.append(merged(self._part))
        self._part = []
        if len(self.rows) >= self.most:
            self.rows = _in_groups(self.rows, 2)
            self.merged *= 2

    def latest(self, most: int = MOST_POINTS) -> list[Bar]:
        """All bars, merged further so that there are at most so many."""
        rows = [*self.rows, merged(self._part)] if self._part else self.rows
        return _in_groups(rows, max(-(-len(rows) // most), 1))


def merged(bars: Sequence[Bar]) -> Bar:
    """Bars that follow one another as one; its volume is known where all of theirs are."""
    return Bar(
        opened=bars[0].opened,
        told=bars[-1].told,
        open=bars[0].open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        close=bars[-1].close,
        volume=sum(bar.volume for bar in bars),
    )


def _in_groups(rows: Sequence[Bar], size: int) -> list[Bar]:
    if size == 1:
        return list(rows)
    return [merged(rows[start : start + size]) for start in range(0, len(rows), size)]


def drawdowns(values: NDArray[np.float64], capital: float) -> NDArray[np.float64]:
    """[K] how far each value lies below the highest before it or the capital, as a share of the capital."""
    if not values.size or capital <= 0:
        return np.zeros(values.size)
    peak = np.maximum.accumulate(np.maximum(values, capital))
    below: NDArray[np.float64] = (peak - values) / capital
    return below
