"""A book rebuilt from what changed in it: new sizes of price levels, or single orders."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from clawd.core.panel import Floats
from clawd.data.order_book import DEPTH, Levels

BID, ASK = 0, 1


@dataclass(frozen=True)
class Message:
    """What a venue sent at once about the levels of a book.

    Attributes:
        time: UTC nanoseconds at which it was known.
        first, last: the numbers of the first and last change in it, as the venue counts them.
        previous: the number of the last change of the message before; None where the venue does not say.
        snapshot: it holds the whole book, not changes.
        levels: (side, price, size) with size 0 for a level that went away.
    """

    time: int
    first: int
    last: int
    previous: int | None
    snapshot: bool
    levels: tuple[tuple[int, float, float], ...]


@dataclass(frozen=True)
class OrderEvent:
    """A single order that was created, changed or deleted; `size` is what is left of it, 0 once deleted."""

    time: int
    order: int
    side: int
    price: float
    size: float


@dataclass(frozen=True, eq=False)
class Replay:
    """What a replay found.

    Attributes:
        levels: the book after each message from the first snapshot on; NaN throughout while it is not known.
        breaks: how many times messages were missing, after which the book was unknown up to the next snapshot.
    """

    levels: Levels
    breaks: int


class _Side:
    """Sizes by price of one side, and its prices in order from the best on."""

    def __init__(self, side: int) -> None:
        self._sign = -1.0 if side == BID else 1.0
        self._keys: list[float] = []  # prices, of bids with a minus sign
        self._sizes: dict[float, float] = {}

    def set(self, price: float, size: float) -> None:
        key = self._sign * price
        if size > 0:
            if key not in self._sizes:
                insort(self._keys, key)
            self._sizes[key] = size
        elif self._sizes.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]

    def size(self, price: float) -> float:
        return self._sizes.get(self._sign * price, 0.0)

    def best(self, count: int) -> tuple[list[float], list[float]]:
        keys = self._keys[:count]
        missing = [np.nan] * (count - len(keys))
        return [self._sign * key for key in keys] + missing, [self._sizes[key] for key in keys] + missing


def replay_levels(messages: Sequence[Message], depth: int = DEPTH) -> Replay:
    """The book after each message, by the rule that venues publish for keeping a local book.

    Nothing is known before a snapshot arrives. Changes that arrived before it but happened after it are applied
    to it, those that it already contains are dropped. Where the numbers show that a message is missing, the book
    is unknown until the next snapshot.

    Venues send the levels near the touch alone. Beyond the last level of the snapshot there may be others that
    have not changed since, so what lies there is unknown; but the best level is known even there, for an older
    and better one would have been reached first.

    Args:
        messages: in the order in which they arrived.
        depth: how many levels of each side are wanted.
    """
    book: tuple[_Side, _Side] | None = None
    waiting: list[Message] = []
    last: int | None = None  # number of the last change in the book; None until a message followed the snapshot
    contained = 0  # number of the last change that the snapshot contains
    breaks = 0
    rows = _Rows(depth)
    reach = (-np.inf, np.inf)  # the last bid and the last ask of the snapshot
    started = False
    for message in messages:
        if message.snapshot:
            book, last, contained, started = (_Side(BID), _Side(ASK)), None, message.last, True
            _apply(book, message)
            reach = _reach(message)
            later, waiting = waiting, []
        else:
            later = [message]
        for change in later:
            if book is None:
                waiting.append(change)
            elif change.last > contained:
                if follows(change, last, contained):
                    _apply(book, change)
                    last = change.last
                else:
                    breaks += 1
                    book, waiting = None, [change]
        if started:
            rows.add(message.time, book)
            if book is not None:
                rows.forget_beyond(reach)
    return Replay(rows.levels(), breaks)


def replay_orders(events: Iterator[OrderEvent] | Sequence[OrderEvent], depth: int = DEPTH) -> Levels:
    """The book after each event, from nothing: orders that rested before are unknown until an event touches them.

    An order of which the end arrives before its beginning, as venues send them, never rests.
    """
    book = _Side(BID), _Side(ASK)
    held: dict[int, OrderEvent] = {}
    ended: set[int] = set()
    rows = _Rows(depth)
    for event in events:
        before = held.pop(event.order, None)
        if before is not None:
            _add(book[before.side], before.price, -before.size)
        if event.size <= 0:
            ended.add(event.order)
        elif event.order not in ended:
            held[event.order] = event
            _add(book[event.side], event.price, event.size)
        rows.add(event.time, book)
    return rows.levels()


class _Rows:
    """The best levels moment by moment."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._unknown = ([np.nan] * depth,) * 4
        self._times: list[int] = []
        self._rows: list[tuple[list[float], ...]] = []

    def add(self, time: int, book: tuple[_Side, _Side] | None) -> None:
        self._times.append(time)
        self._rows.append(
            self._unknown if book is None else (*book[BID].best(self._depth), *book[ASK].best(self._depth))
        )

    def forget_beyond(self, reach: tuple[float, float]) -> None:
        """Makes what lies beyond the last known bid and ask unknown in the newest row, but for the best."""
        bid, bid_size, ask, ask_size = self._rows[-1]
        for level in range(1, self._depth):
            if bid[level] < reach[BID]:
                bid[level] = bid_size[level] = np.nan
            if ask[level] > reach[ASK]:
                ask[level] = ask_size[level] = np.nan

    def levels(self) -> Levels:
        cells: Floats = np.array(self._rows, np.float64).reshape(len(self._rows), 4, self._depth)
        return Levels(np.array(self._times, np.int64), cells[:, 0], cells[:, 1], cells[:, 2], cells[:, 3])


def _reach(snapshot: Message) -> tuple[float, float]:
    bids, asks = ([price for of, price, _ in snapshot.levels if of == side] for side in (BID, ASK))
    return min(bids, default=-np.inf), max(asks, default=np.inf)


def _apply(book: tuple[_Side, _Side], message: Message) -> None:
    for side, price, size in message.levels:
        book[side].set(price, size)


def _add(side: _Side, price: float, change: float) -> None:
    # Sums and differences of sizes of 8 decimals; what is less than half of the last of them is rounding.
    left = side.size(price) + change
    side.set(price, left if left > 0.5e-8 else 0.0)


def follows(change: Message, last: int | None, contained: int) -> bool:
    """Whether no message is missing between this one and the last, or the snapshot where none followed it yet."""
    if last is None:
        return change.first <= contained + 1 if change.previous is None else change.previous <= contained
    return change.first == last + 1 if change.previous is None else change.previous == last
