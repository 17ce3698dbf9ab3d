"""Requests on their way to a venue: what makes risk smaller goes first, and all wait while the venue wants it so."""

from __future__ import annotations

from dataclasses import dataclass, field

from clawd.core.orders import Order
from clawd.venues.venue import Cancel, Request, Submit


@dataclass(slots=True)
class RequestQueue:
    """What is written down and not yet sent.

    Attributes:
        open: whether the way to the venue is open.
        silence: from when until when the venue wants to hear nothing, UTC nanoseconds.
    """

    open: bool = True
    silence: tuple[int, int] = (0, 0)
    _waiting: tuple[list[tuple[int, Request]], ...] = field(default_factory=lambda: ([], [], []))

    def put(self, request: Request, now: int) -> None:
        """Let a request wait. Asked for twice, a cancellation or a question waits once."""
        line = self._waiting[_rank(request)]
        if isinstance(request, Submit) or all(waiting != request for _, waiting in line):
            line.append((now, request))

    def take(self, now: int) -> Request | None:
        """The next request that may be sent, None where there is none."""
        if not self.open or self.held(now):
            return None
        for line in self._waiting:
            if line:
                return line.pop(0)[1]
        return None

    def held(self, now: int) -> bool:
        """Whether the venue wants to hear nothing. A clock that was set back is not waited for."""
        return self.silence[0] <= now < self.silence[1]

    def hold(self, now: int, until: int) -> None:
        """Send nothing before a time."""
        self.silence = (now, max(until, self.silence[1]) if self.held(now) else until)

    def has(self, order: str) -> bool:
        """Whether an order waits here, and so has provably not been sent."""
        return any(_is_of(request, order) for line in self._waiting for _, request in line)

    def withdraw(self, order: str) -> bool:
        """Take an order out before it is sent; whether it was there."""
        for line in self._waiting:
            for place, (_, request) in enumerate(line):
                if _is_of(request, order):
                    del line[place]
                    return True
        return False

    def overdue_entries(self, now: int, longest: int) -> list[str]:
        """The entries that have waited too long."""
        return [
            request.approved.order.id
            for since, request in self._waiting[2]
            if isinstance(request, Submit) and not 0 <= now - since < longest
        ]

    def orders(self) -> list[Order]:
        """The orders that wait here."""
        return [request.approved.order for line in self._waiting for _, request in line if isinstance(request, Submit)]


def _rank(request: Request) -> int:
    if isinstance(request, Submit):
        return 0 if request.approved.order.reduces else 2
    return 0 if isinstance(request, Cancel) else 1


def _is_of(request: Request, order: str) -> bool:
    return isinstance(request, Submit) and request.approved.order.id == order
