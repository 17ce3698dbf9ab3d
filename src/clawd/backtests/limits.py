"""How much a backtest may take, and how many may wait and are kept."""

from __future__ import annotations

from typing import Final

#: Backtests that wait their turn at most.
MOST_WAITING: Final = 16
#: Backtests that are kept at most; the oldest that are not pinned make room.
MOST_KEPT: Final = 200
#: Seconds that one may take.
LONGEST: Final = 600.0
#: Bytes of memory that the process which runs them may take.
MOST_MEMORY: Final = 4 * 1024**3
#: With which code that process ends when it would take more.
TOO_LARGE: Final = 77
