"""How long a bar lasts, told by the spacing of the bars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clawd.core.clock import duration
from clawd.core.errors import ClawdError
from clawd.core.panel import NANOSECONDS_PER_DAY, NANOSECONDS_PER_SECOND

_LONGEST = 366 * NANOSECONDS_PER_DAY


def bar_size(times: NDArray[np.int64], where: str) -> int:
    """The most common spacing of distinct times, in nanoseconds; of equally common ones the shortest.

    Args:
        times: int64 [n], opens of bars in any order.
        where: the file, for errors.

    Raises:
        ClawdError: there are fewer than two distinct times, or the spacing is not of whole
            seconds or over a year.
    """
    if times.size == 1:
        raise ClawdError(
            "there is only one bar, so its duration is not known", where=where, hint="at least 2 are needed"
        )
    steps = np.diff(np.sort(times))
    steps = steps[steps > 0]
    if not steps.size:
        raise ClawdError(f"all {times.size} rows have the same time", where=where)
    spacings, counts = np.unique(steps, return_counts=True)
    size = int(spacings[np.argmax(counts)])
    if size % NANOSECONDS_PER_SECOND:
        hint = "bars last at least a second; ticks and quotes are not bars"
        raise ClawdError(f"the bars are {size / NANOSECONDS_PER_SECOND:g} s apart", where=where, hint=hint)
    if size > _LONGEST:
        raise ClawdError(f"the bars are {duration(size)} apart", where=where, hint="bars last at most a year")
    return size
