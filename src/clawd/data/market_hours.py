"""When a market is open, learned from its bars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import NANOSECONDS_PER_DAY

_HOUR = NANOSECONDS_PER_DAY // 24
_WEEK = 7 * NANOSECONDS_PER_DAY
_DAYS_PER_YEAR = 365.25
_TRADING_DAYS_PER_YEAR = 252
_SATURDAY = 2  # days since Thursday, the first of 1970


def never_closes(times: NDArray[np.int64]) -> bool:
    """Whether a market trades through the weekend.

    A lone Saturday session does not make it so: of a market that never closes every seventh bar is on a
    Saturday, and more than every twentieth is asked for.

    Args:
        times: int64 [n], opens of bars.
    """
    saturdays = np.count_nonzero(times // NANOSECONDS_PER_DAY % 7 == _SATURDAY)
    return bool(saturdays > times.size / 20)


def bars_per_year(times: NDArray[np.int64], bar: int) -> float:
    """How many bars a year of this market has.

    A market that never closes has 365.25 days full of bars. Any other has 252 days, each of as many bars as
    the fullest of the first 20 days. Bars of a week or more fill the calendar year.

    Args:
        times: int64 [n], opens of bars, rising.
        bar: duration of a bar in nanoseconds.
    """
    if bar >= _WEEK or never_closes(times):
        return _DAYS_PER_YEAR * NANOSECONDS_PER_DAY / bar
    _, bars_a_day = np.unique(times // NANOSECONDS_PER_DAY, return_counts=True)
    return float(_TRADING_DAYS_PER_YEAR * bars_a_day[:20].max())


def slot_length(bar: int) -> int:
    """The length of the pieces of a week that are open or closed as a whole: a bar, an hour or a day."""
    return min(max(bar, _HOUR), NANOSECONDS_PER_DAY)


def open_hours(times: NDArray[np.int64], bar: int) -> NDArray[np.bool_]:
    """[slots of a week, from Thursday on], true where the market is usually open.

    A market that never closes is open always. Else a day of the week is open when it has bars a fifth as
    often as the busiest one, and a slot of it when four fifths of those days have bars there; with fewer than
    five such days, when any day of the week has.

    Args:
        times: int64 [n], opens of bars, rising.
        bar: duration of a bar in nanoseconds.
    """
    slot = slot_length(bar)
    a_day = NANOSECONDS_PER_DAY // slot
    if NANOSECONDS_PER_DAY % slot or bar > NANOSECONDS_PER_DAY or never_closes(times):
        return np.ones(7 * a_day, dtype=np.bool_)
    filled = _distinct(times // slot)
    dates = _distinct(filled // a_day)
    if dates.size < 2:
        return np.ones(7 * a_day, dtype=np.bool_)
    dates_a_weekday = np.bincount(dates % 7, minlength=7)
    seen = np.zeros((7, a_day))
    np.add.at(seen, (filled // a_day % 7, filled % a_day), 1)
    few = dates_a_weekday < 5
    is_open = np.where(few[:, None], (seen.sum(axis=0) > 0)[None, :], seen >= 0.8 * dates_a_weekday[:, None])
    is_open &= (dates_a_weekday >= 0.2 * dates_a_weekday.max())[:, None]
    return np.asarray(is_open.reshape(-1), dtype=np.bool_)


def _distinct(ordered: NDArray[np.int64]) -> NDArray[np.int64]:
    return ordered[np.diff(ordered, prepend=ordered[0] - 1) > 0]
