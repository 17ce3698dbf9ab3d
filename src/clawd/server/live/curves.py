"""Series that grow without end and are kept in bounds: the longer they are, the coarser."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Most points of a series that a page is given.
MOST_POINTS: Final = 5_000


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


@dataclass(slots=True)
class BarSeries:
    """Bars of one instrument; when there are too many, two and two become one.

    Attributes:
        rows: open time in UTC nanoseconds, open, high, low, close and volume (NaN where unknown) of each.
        merged: how many bars each row is made of.
    """

    most: int = 2 * MOST_POINTS
    rows: list[tuple[int, float, float, float, float, float]] = field(default_factory=list)
    merged: int = 1
    _part: tuple[int, float, float, float, float, float] | None = None
    _parts: int = 0

    def add(self, time: int, values: tuple[float, float, float, float, float | None]) -> None:
        """A bar that has closed."""
        opened, high, low, close, volume = values
        row = (time, opened, high, low, close, np.nan if volume is None else volume)
        self._part = row if self._part is None else _merged(self._part, row)
        self._parts += 1
        if self._parts < self.merged:
            return
        self.rows.append(self._part)
        self._part, self._parts = None, 0
        if len(self.rows) >= self.most:
            pairs = zip(self.rows[0::2], self.rows[1::2], strict=False)
            rest = self.rows[-1] if len(self.rows) % 2 else None
            self.rows = [_merged(first, second) for first, second in pairs]
            self.merged *= 2
            if rest is not None:
                self._part, self._parts = rest, self.merged // 2

    def latest(self, most: int = MOST_POINTS) -> list[tuple[int, float, float, float, float, float]]:
        """All bars, merged further so that there are at most so many; the one that is not whole yet included."""
        rows = [*self.rows, self._part] if self._part is not None else list(self.rows)
        size = -(-len(rows) // most)
        if size <= 1:
            return rows
        return [_all_merged(rows[start : start + size]) for start in range(0, len(rows), size)]


def _merged(
    first: tuple[int, float, float, float, float, float], second: tuple[int, float, float, float, float, float]
) -> tuple[int, float, float, float, float, float]:
    time, opened, high, low, _, volume = first
    return time, opened, max(high, second[2]), min(low, second[3]), second[4], volume + second[5]


def _all_merged(
    rows: list[tuple[int, float, float, float, float, float]],
) -> tuple[int, float, float, float, float, float]:
    whole = rows[0]
    for row in rows[1:]:
        whole = _merged(whole, row)
    return whole


def drawdowns(values: NDArray[np.float64], capital: float) -> NDArray[np.float64]:
    """[K] how far each value lies below the highest before it or the capital, as a share of the capital."""
    if not values.size or capital <= 0:
        return np.zeros(values.size)
    peak = np.maximum.accumulate(np.maximum(values, capital))
    below: NDArray[np.float64] = (peak - values) / capital
    return below
