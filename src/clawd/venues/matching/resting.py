"""Our orders that rest on one side of one book, by price and then by time."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from clawd.data.book_replay import BID
from clawd.venues.matching.working import Working


class Resting:
    """Our orders of one side."""

    __slots__ = ("_keys", "_queues", "_sign")

    def __init__(self, side: int) -> None:
        self._sign = 1 if side == BID else -1
        self._keys: list[int] = []  # prices, of asks with a minus sign, so that the best is the last
        self._queues: dict[int, list[Working]] = {}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def __iter__(self) -> Iterator[Working]:
        """All of them, the best price first, the oldest of a price first."""
        for key in reversed(self._keys):
            yield from self._queues[self._sign * key]

    @property
    def best(self) -> int | None:
        return self._sign * self._keys[-1] if self._keys else None

    def at(self, price: int) -> list[Working]:
        return self._queues.get(price, [])

    def until(self, price: int) -> list[Working]:
        """Those at a price and at better ones, the best first."""
        return list(self._until(price))

    def _until(self, price: int) -> Iterator[Working]:
        for key in reversed(self._keys):
            if key < self._sign * price:
                return
            yield from self._queues[self._sign * key]

    def add(self, order: Working) -> None:
        assert order.limit is not None
        queue = self._queues.get(order.limit)
        if queue is None:
            insort(self._keys, self._sign * order.limit)
            self._queues[order.limit] = queue = []
        insort(queue, order, key=lambda each: each.priority)

    def remove(self, order: Working) -> None:
        assert order.limit is not None
        queue = self._queues[order.limit]
        del queue[next(place for place, each in enumerate(queue) if each is order)]
        if not queue:
            del self._queues[order.limit]
            del self._keys[bisect_left(self._keys, self._sign * order.limit)]
