"""How often somebody may call: moving windows, counted by caller and by address."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

Kind = Literal["read", "change", "sign-in", "stranger", "address", "everyone"]

#: A page asks for a dozen things when it opens, and for some at every bar; a person decides a few things a minute.
RATES: Final[Mapping[Kind, str]] = {
    "read": "3000/minute",  # by caller: all the tabs of a browser are one
    "change": "300/minute",  # by caller
    "sign-in": "10/minute;60/hour",  # attempts, by address
    "stranger": "120/minute",  # calls of nobody we know, by address: guessed keys among them
    "address": "6000/minute",  # everything, by address
    "everyone": "300/hour",  # attempts with a password, from all addresses together
}


@dataclass(slots=True)
class Rates:
    """Counts calls, in memory: a server that starts again begins at zero."""

    allowed: Mapping[Kind, str] = field(default_factory=lambda: RATES)
    _items: dict[Kind, list[RateLimitItem]] = field(init=False)
    _limiter: SlidingWindowCounterRateLimiter = field(init=False)

    def __post_init__(self) -> None:
        self._items = {kind: [parse(each) for each in text.split(";")] for kind, text in self.allowed.items()}
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def hit(self, kind: Kind, who: str) -> int | None:
        """Count a call.

        Returns:
            None where it is allowed, else after how many seconds it is worth another try.
        """
        # All windows are asked: who is refused by the longer one is told its end, not that of the shorter.
        waits = [self._wait(item, kind, who) for item in self._items[kind] if not self._limiter.hit(item, kind, who)]
        return max(waits, default=None)

    def _wait(self, item: RateLimitItem, kind: Kind, who: str) -> int:
        ends = self._limiter.get_window_stats(item, kind, who).reset_time
        # The library reads the machine's clock itself.
        return max(1, math.ceil(ends - time.time()))
