"""One instrument at a simulated exchange: its book, its last price, and our orders in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from clawd.data.book_replay import ASK, BID
from clawd.data.capture import BookChange, Top
from clawd.venues.matching.book import Book
from clawd.venues.matching.queue import still_ahead
from clawd.venues.matching.resting import Resting
from clawd.venues.matching.rules import Listing
from clawd.venues.matching.working import Working


class Market:
    """One instrument.

    Attributes:
        last: ticks, of the last trade; None before the first.
        resting: our orders in the book, bids and asks.
        stops: ours that wait for their level.
        waiting: ours that wait for a sound book.
    """

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.instrument = listing.instrument
        self.book = Book()
        self.last: int | None = None
        self.resting = Resting(BID), Resting(ASK)
        self.stops: list[Working] = []
        self.waiting: list[Working] = []

    def working(self) -> Iterator[Working]:
        """All our working orders in it."""
        yield from self.resting[BID]
        yield from self.resting[ASK]
        yield from self.stops
        yield from self.waiting

    def place(self, order: Working) -> None:
        """Put a working order where its state says that it is."""
        if order.resting:
            self.resting[order.side].add(order)
        else:
            (self.stops if order.waits_for_level else self.waiting).append(order)

    def take_off(self, order: Working) -> None:
        """Take a working order from where it is; one that is nowhere yet is left alone."""
        if order.resting:
            self.resting[order.side].remove(order)
            return
        for orders in (self.stops, self.waiting):
            orders[:] = [each for each in orders if each is not order]

    def shows(self, event: BookChange | Top, exponent: float | None) -> None:
        """Take in what a message says of the book, and what that says of our places in it."""
        book = self.book
        changes = book.changes(event)
        ours: list[tuple[Working, int, int]] = []
        if self.resting[BID] or self.resting[ASK]:
            for order in self._concerned(event, changes):
                side, price = book.sides[order.side], order.limit
                assert price is not None
                ours.append((order, side.lots.get(price, 0), side.traded.get(price, 0)))
        bids, asks = book.sides
        for of, price, lots in changes:
            (asks if of else bids).set(price, lots)
        book.noted(event)
        for order, before, traded in ours:
            assert order.limit is not None
            shown = book.sides[order.side].shown(order.limit)
            if shown is not None:
                unknown = order.ahead is None
                order.ahead = shown if unknown else still_ahead(order.ahead or 0, before, traded, shown, exponent)

    def _concerned(self, event: BookChange | Top, changes: Sequence[tuple[int, int, int]]) -> Iterator[Working]:
        """Those of our resting orders whose level a message may say something about."""
        if isinstance(event, Top):
            yield from self.resting[BID].until(event.bid)
            yield from self.resting[ASK].until(event.ask)
        elif event.snapshot:
            yield from self.resting[BID]
            yield from self.resting[ASK]
        else:
            for side, price, _ in changes:
                yield from self.resting[side].at(price)

    def doubled_price(self) -> int | None:
        """Twice the price at which positions are valued, in ticks: the middle of the book, else the last trade."""
        top = self.book.top() if self.book.known else None
        if top is not None:
            return top[0] + top[2]
        return None if self.last is None else 2 * self.last

    def plan(self, order: Working, lots: int) -> list[tuple[int, int]]:
        """What an order would take of the visible depth, as (price, lots), best first; none of it ours.

        It ends before the first price at which an order of ours rests.
        """
        opposite = 1 - order.side
        side, ours = self.book.sides[opposite], self.resting[opposite].best
        found = []
        for price in side.prices():
            if lots == 0 or not order.reaches(price) or (ours is not None and not side.better(price, ours)):
                break
            taken = min(side.open(price), lots)
            if taken:
                found.append((price, taken))
                lots -= taken
        return found

    def meets_ours(self, order: Working) -> bool:
        """Whether an order may trade with an order of ours."""
        ours = self.resting[1 - order.side].best
        return ours is not None and order.reaches(ours)

    def state(self) -> dict[str, Any]:
        book = self.book
        return {
            "bids": book.sides[BID].state(),
            "asks": book.sides[ASK].state(),
            "known": book.known,
            "deep": book.deep,
            "time": book.time,
            "last": self.last,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.book.sides[BID].restore(state["bids"])
        self.book.sides[ASK].restore(state["asks"])
        self.book.known, self.book.deep, self.book.time = state["known"], state["deep"], state["time"]
        self.last = state["last"]
