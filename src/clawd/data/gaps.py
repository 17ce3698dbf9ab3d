"""Bars that should be there and are not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.data.market_hours import open_hours, slot_length

_WEEK = 7 * NANOSECONDS_PER_DAY
_HOLIDAYS = 2


@dataclass(frozen=True)
class Gaps:
    """Holes between bars.

    Attributes:
        after: int64 [G], the opens of the bars before each hole.
        missing: int64 [G], how many bars each hole lacks.
    """

    after: NDArray[np.int64]
    missing: NDArray[np.int64]


def find_gaps(times: NDArray[np.int64], bar: int) -> Gaps:
    """The holes that the market's usual closures do not explain.

    The hours of the week in which the market is open are learned from the bars. Bars missing in closed hours
    are no gap. A market that closes also has holidays, which no rule here knows: a hole beside a closure, and
    any hole between daily bars, is taken for holidays while it lacks no more than two trading days. A market
    that never closes has no holidays.

    Args:
        times: int64 [n], opens of bars, strictly rising.
        bar: duration of a bar in nanoseconds.
    """
    spacings = np.diff(times)
    wide = np.flatnonzero(spacings > 1.5 * bar)
    starts, ends = times[wide] + bar, times[wide + 1]
    is_open = open_hours(times, bar)
    missing = np.rint((_open_time(ends, is_open) - _open_time(starts, is_open)) / bar).astype(np.int64)
    if not is_open.all():
        a_day = is_open.sum() / np.count_nonzero(is_open.reshape(7, -1).any(axis=1)) * slot_length(bar) / bar
        beside_closure = (ends - starts) - missing * bar > bar / 2
        holiday = beside_closure | (bar >= NANOSECONDS_PER_DAY)
        missing[holiday & (missing <= np.ceil(_HOLIDAYS * a_day))] = 0
    kept = missing > 0
    return Gaps(times[wide][kept], missing[kept])


def _open_time(times: NDArray[np.int64], is_open: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Nanoseconds of open time from 1970 to each time."""
    slot = _WEEK // is_open.size
    until = np.concatenate([[0], np.cumsum(is_open)]) * slot
    within = times % _WEEK
    index = within // slot
    partial = np.where(is_open[index], within % slot, 0)
    return np.asarray(times // _WEEK * until[-1] + until[index] + partial, dtype=np.int64)
