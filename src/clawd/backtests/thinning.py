"""Long series as few points: what stood out still does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats

#: Points of a series that a page is given at most.
MOST_POINTS = 5_000


def kept_places(columns: Sequence[Floats], most: int = MOST_POINTS) -> NDArray[np.int64]:
    """Which places of some columns to show, so that each of them looks as it is.

    The first and the last are among them, and of as many buckets of time as there is room for the lowest and the
    highest of each column.

    Args:
        columns: float64 [T] each, of equal length; at least one. NaN is never an extreme.
        most: places at most, at least 2 + 2 for each column.

    Returns:
        int64, rising; all places where they are no more than ``most``.
    """
    length = columns[0].size
    if length <= most:
        return np.arange(length)
    buckets = max((most - 2) // (2 * len(columns)), 1)
    edges = np.linspace(0, length, buckets + 1).astype(np.int64)
    kept = {0, length - 1}
    for column in columns:
        low, high = np.where(np.isnan(column), np.inf, column), np.where(np.isnan(column), -np.inf, column)
        for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            kept.add(first + int(low[first:last].argmin()))
            kept.add(first + int(high[first:last].argmax()))
    return np.array(sorted(kept), np.int64)


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
