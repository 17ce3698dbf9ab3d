"""What a file of funding rates says: when cash falls due, and what the latest rate was."""

from __future__ import annotations

import numpy as np
import polars as pl

from clawd.core.clock import duration
from clawd.core.panel import NANOSECONDS_PER_SECOND

FEATURE = "funding_8h"
_EIGHT_HOURS = 8 * 3_600 * NANOSECONDS_PER_SECOND
_REGULAR = 0.9  # share of the spacings that must be the usual one


def due(booked: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Rates at the whole seconds in which they fell due, and notes on what was moved.

    Venues stamp some rates milliseconds late, when they booked them; moved back, a rate counts in the bar that
    closed then. This is for cash, which is paid whatever was known; `eight_hourly` never moves a stamp.

    Args:
        booked: ``ts`` and ``rate``, in order.
    """
    moved = booked.with_columns(pl.col("ts") // NANOSECONDS_PER_SECOND * NANOSECONDS_PER_SECOND)
    count = int((moved["ts"] != booked["ts"]).sum())
    notes = [f"{count:,} {'stamp' if count == 1 else 'stamps'} moved back to the whole second"] if count else []
    return moved, notes


def eight_hourly(booked: pl.DataFrame) -> tuple[pl.DataFrame | None, str]:
    """The feature `funding_8h`: each rate as it would be over 8 hours, at the time at which it was booked.

    A venue that settles every hour states rates of an hour, which are an eighth of the usual ones; rates of
    venues can only be compared over one duration. The file's usual spacing is taken for the venue's interval.

    Args:
        booked: ``ts`` and ``rate``, in order, each time once.

    Returns:
        ``ts`` and ``value``, or None where the spacing is not regular; and a note that says which.
    """
    spacings = np.diff(booked["ts"].to_numpy())
    # Stamps that are milliseconds late make spacings that are milliseconds off.
    minutes = np.round(spacings / (60 * NANOSECONDS_PER_SECOND)).astype(np.int64)
    found, counts = np.unique(minutes[minutes > 0], return_counts=True)
    if not found.size or counts.max() < _REGULAR * spacings.size:
        return None, f"no {FEATURE}: the rates are not evenly spaced, so what duration they are for is not known"
    interval = int(found[np.argmax(counts)]) * 60 * NANOSECONDS_PER_SECOND
    scale = _EIGHT_HOURS / interval
    values = booked.select("ts", value=pl.col("rate") * scale)
    times = "" if scale == 1 else f", times {scale:g}"
    return values, f"{FEATURE}: a rate every {duration(interval)}{times}"
