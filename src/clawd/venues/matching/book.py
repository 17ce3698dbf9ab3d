"""The book that a simulated exchange shows, in whole ticks and lots, and what of it is still to be had."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from clawd.data.book_replay import ASK, BID
from clawd.data.capture import BookChange, Top


class Trust(StrEnum):
    """Whether a book may be taken from; all but the first are also codes of a refusal."""

    SOUND = "SOUND"
    UNKNOWN = "BOOK_UNKNOWN"
    ONE_SIDED = "NO_LIQUIDITY"
    CROSSED = "BOOK_CROSSED"
    STALE = "BOOK_STALE"


class Side:
    """One side: lots by price, and the prices in order.

    Attributes:
        lots: what is shown, by price in ticks.
        taken: what we took of a level. It does not come back when the level shrinks, for the market that is replayed
            never knew of us; it is forgotten when the level grows or goes.
        traded: what was seen to trade at a level since its size was last stated.
        reach: the worst price that is known to be shown; None where all are.
    """

    __slots__ = ("_keys", "_sign", "lots", "reach", "taken", "traded")

    def __init__(self, side: int) -> None:
        self._sign = 1 if side == BID else -1
        self._keys: list[int] = []  # prices, of asks with a minus sign, so that the best is the last
        self.lots: dict[int, int] = {}
        self.taken: dict[int, int] = {}
        self.traded: dict[int, int] = {}
        self.reach: int | None = None

    def set(self, price: int, lots: int) -> None:
        """State a level's size anew."""
        before = self.lots.get(price, 0)
        if lots > 0:
            if not before:
                insort(self._keys, self._sign * price)
            self.lots[price] = lots
        elif before:
            del self.lots[price]
            del self._keys[bisect_left(self._keys, self._sign * price)]
        if self.traded:
            self.traded.pop(price, None)
        if self.taken and price in self.taken:
            if lots > before or lots == 0:
                del self.taken[price]
            else:
                self.taken[price] = min(self.taken[price], lots)

    @property
    def best(self) -> int | None:
        return self._sign * self._keys[-1] if self._keys else None

    def better(self, price: int, than: int) -> bool:
        """Whether an order of this side at a price comes before one at another."""
        return self._sign * (price - than) > 0

    def shown(self, price: int) -> int | None:
        """The lots at a price, 0 where nothing is there, None where the book does not reach so far."""
        if price in self.lots:
            return self.lots[price]
        return 0 if self.reach is None or not self.better(self.reach, price) else None

    def open(self, price: int) -> int:
        """What is still to be had at a price."""
        return max(self.lots.get(price, 0) - self.taken.get(price, 0) - self.traded.get(price, 0), 0)

    def prices(self) -> Iterator[int]:
        """The prices, best first."""
        for key in reversed(self._keys):
            yield self._sign * key

    def state(self) -> dict[str, Any]:
        return {
            "levels": sorted(self.lots.items()),
            "taken": sorted(self.taken.items()),
            "traded": sorted(self.traded.items()),
            "reach": self.reach,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.lots, self.taken, self.traded = (dict(state[name]) for name in ("levels", "taken", "traded"))
        self._keys = sorted(self._sign * price for price in self.lots)
        self.reach = state["reach"]


class Book:
    """Both sides.

    Attributes:
        sides: bids and asks.
        known: whether a whole book was shown and nothing is missing since.
        deep: whether more than the best level was ever shown.
        time: of the last message about it, UTC nanoseconds.
    """

    __slots__ = ("deep", "known", "sides", "time")

    def __init__(self) -> None:
        self.sides = Side(BID), Side(ASK)
        self.known = False
        self.deep = False
        self.time = 0

    def changes(self, event: BookChange | Top) -> Sequence[tuple[int, int, int]]:
        """The levels whose size a message states anew, as (side, price, lots)."""
        if isinstance(event, Top):
            return [*self._top(BID, event.bid, event.bid_lots), *self._top(ASK, event.ask, event.ask_lots)]
        if not event.snapshot:
            return event.levels
        stated = {(side, price) for side, price, _ in event.levels}
        gone = [
            (side, price, 0) for side in (BID, ASK) for price in self.sides[side].lots if (side, price) not in stated
        ]
        return [*gone, *event.levels]

    def _top(self, side: int, price: int, lots: int) -> list[tuple[int, int, int]]:
        """What a best level says: nothing is before it, and where only best levels are shown, nothing else is shown."""
        of = self.sides[side]
        if not self.deep:
            gone = [(side, other, 0) for other in of.lots if other != price]
        else:
            gone = []
            for other in of.prices():
                if not of.better(other, price):
                    break
                gone.append((side, other, 0))
        return [*gone, (side, price, lots)]

    def noted(self, event: BookChange | Top) -> None:
        """Note what a message says of the book as a whole, once its levels are set."""
        self.time = event.time
        if isinstance(event, Top):
            if not self.deep:
                self.known = True
                self.sides[BID].reach, self.sides[ASK].reach = event.bid, event.ask
        elif event.snapshot:
            self.known = self.deep = True
            for side, worst in ((BID, min), (ASK, max)):
                prices = [price for of, price, _ in event.levels if of == side]
                self.sides[side].reach = worst(prices) if prices else None

    def trust(self, now: int, stale: int) -> Trust:
        """Whether it may be taken from, at a time and where silence for longer than `stale` nanoseconds is too long."""
        if not self.known:
            return Trust.UNKNOWN
        bid, ask = self.sides[BID].best, self.sides[ASK].best
        if bid is None or ask is None:
            return Trust.ONE_SIDED
        if bid >= ask:
            return Trust.CROSSED
        return Trust.STALE if now - self.time > stale else Trust.SOUND

    def top(self) -> tuple[int, int, int, int] | None:
        """Best bid, its lots, best ask, its lots; None where one of them is not there."""
        bids, asks = self.sides
        bid, ask = bids.best, asks.best
        return None if bid is None or ask is None else (bid, bids.lots[bid], ask, asks.lots[ask])
