"""Long series as few points: what stood out still does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats

#: Points of a series that a page is given at most: more than a screen has columns, for a chart that can be zoomed.
MOST_POINTS: Final = 5_000
#: Points of a series that a report draws at most: it stands still, and all its charts lie in one file.
MOST_DRAWN: Final = 2_000


def kept_places(columns: Sequence[Floats], most: int = MOST_POINTS) -> NDArray[np.int64]:
    """Which places of some columns to show, so that each of them looks as it is.

    The first and the last are among them, and of as many stretches of time as there is room for the lowest and the
    highest of each column.

    Args:
        columns: float64 [T] each, of equal length; at least one. NaN is a gap and no extreme, and a stretch that is
            nothing but gap stays one.
        most: places at most, at least 2 + 2 for each column.

    Returns:
        int64, rising; all places where they are no more than ``most``.
    """
    length = columns[0].size
    if length <= most:
        return np.arange(length)
    fewest = max((most - 2) // (2 * len(columns)), 1)  # so many fit even where no two columns share an extreme
    buckets = (most - 2) // 2
    while buckets > fewest:
        kept = _extremes(columns, buckets)
        if kept.size <= most:
            return kept
        buckets = max(min(int(buckets * most / kept.size), buckets - 1), fewest)
    return _extremes(columns, fewest)


def _extremes(columns: Sequence[Floats], buckets: int) -> NDArray[np.int64]:
    """The first and the last place, and in each bucket those of the lowest and the highest value of each column."""
    length = columns[0].size
    starts = np.unique(np.linspace(0, length, buckets, endpoint=False).astype(np.int64))
    bucket = np.repeat(np.arange(starts.size), np.diff(starts, append=length))
    places = np.arange(length)
    kept = [np.array([0, length - 1])]
    for column in columns:
        for values in (column, -column):
            known = np.where(np.isnan(values), np.inf, values)
            lowest = np.minimum.reduceat(known, starts)
            kept.append(np.minimum.reduceat(np.where(known == lowest[bucket], places, length), starts))
    return np.unique(np.concatenate(kept))


def bar_edges(length: int, most: int = MOST_POINTS) -> NDArray[np.int64]:
    """Where bars are cut when so many are drawn as fewer, wider ones: int64 [bars + 1], from 0 to the length."""
    size = max(-(-length // most), 1)
    return np.append(np.arange(0, length, size), length).astype(np.int64) if length else np.zeros(1, np.int64)


def wider_bars(
    open_: Floats, high: Floats, low: Floats, close: Floats, edges: NDArray[np.int64]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Bars put together: the first open, the highest, the lowest and the last close of each; NaN where none is.

    Args:
        open_, high, low, close: float64 [T], NaN where a bar is missing.
        edges: of :func:`bar_edges`.
    """
    starts = edges[:-1]
    if not starts.size:
        return open_, high, low, close
    wide = edges[1] - edges[0]
    if wide == 1:
        return open_, high, low, close
    places = np.arange(open_.size)
    present = ~np.isnan(close)
    first = np.minimum.reduceat(np.where(present, places, open_.size), starts)
    last = np.maximum.reduceat(np.where(present, places, -1), starts)
    there = last >= 0
    return (
        np.where(there, open_[np.minimum(first, open_.size - 1)], np.nan),
        np.fmax.reduceat(high, starts),
        np.fmin.reduceat(low, starts),
        np.where(there, close[np.maximum(last, 0)], np.nan),
    )
