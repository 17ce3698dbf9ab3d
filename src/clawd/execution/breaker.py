"""The circuit breaker of a venue: where too much fails in a short time, nothing is entered for a while.

What fails is a request that nobody answered or that a server's error swallowed, a way that broke, and whatever the
venue says that cannot be. Exits and cancellations go on. The breaker closes by itself; what fails then opens it again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

_SECOND: Final = 1_000_000_000


@dataclass(slots=True)
class Breaker:
    """Counts what fails at one venue.

    Attributes:
        most: failures within the window that open it.
        window, pause: nanoseconds in which they are counted, and for which it stays open after the last of them.
    """

    most: int = 5
    window: int = 60 * _SECOND
    pause: int = 300 * _SECOND
    _failures: deque[int] = field(default_factory=deque)
    _opened: int | None = None

    def failed(self, now: int) -> bool:
        """Something failed; whether that has opened it."""
        self._failures.append(now)
        # A clock that was set back leaves failures of a time to come: they count, until there are enough new ones.
        while len(self._failures) > self.most or self._failures[0] <= now - self.window:
            self._failures.popleft()
        if len(self._failures) < self.most:
            return False
        opens = not self.is_open(now)
        self._opened = now
        return opens

    def is_open(self, now: int) -> bool:
        """Whether nothing may be entered now."""
        return self._opened is not None and abs(now - self._opened) < self.pause
