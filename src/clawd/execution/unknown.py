"""Orders whose outcome is not known yet: asked about until the venue answers, and never sent again.

An order that gets no answer in time is UNKNOWN. It stays so, and its agent may enter nothing in that instrument, until
the venue says what became of it. That it has no such order counts only as the answer to a question that was asked long
enough after the order had been sent, and only when it is said twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from clawd.core.account_events import OrderMissing, OutcomeLost
from clawd.core.event import Event
from clawd.core.events import OrderSubmitted
from clawd.core.reports import OrderReport
from clawd.execution.life_cycle import OrderState, PlacedOrder
from clawd.execution.timing import Timing
from clawd.execution.writer import Writer
from clawd.venues.venue import Cancel, Query, Request, Submit

#: After so many questions without an answer it is said out loud.
_LOUD_AFTER = 5

#: Why an outcome is lost when nobody said anything.
NO_ANSWER: Final = "NO_ANSWER"

_OPEN = (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)


@dataclass(slots=True)
class Watch:
    """What is waited for about one order. Times are of our clock, UTC nanoseconds, but for the venue's.

    Attributes:
        sent_at: when it was sent, None while it waits to be.
        due: when to ask next.
        asked: how many questions were sent.
        asked_at: when the last of them was, None when its answer has been taken.
        asked_after: the venue's clock as it was known then.
        missing_at: the venue's clock when it said that there is no such order, None while it has not, or not in time.
        doubted: whether the venue did not name an order that should be there.
    """

    sent_at: int | None
    due: int
    asked: int = 0
    asked_at: int | None = None
    asked_after: int = 0
    missing_at: int | None = None
    doubted: bool = False


class Outcomes:
    """The orders that an answer is waited for."""

    def __init__(self, writer: Writer, timing: Timing, random: Random) -> None:
        self._writer = writer
        self._timing = timing
        self._random = random
        self._watches: dict[str, Watch] = {}
        writer.observers.append(self._entered)
        writer.sent.append(self._sent)

    def begin(self) -> None:
        """After a replay: whatever has no answer may or may not have been sent, and is asked about."""
        now = self._writer.clock.now()
        for placed in list(self._writer.account.working()):
            never_heard_of = placed.venue_order is None and not placed.filled
            if placed.state is OrderState.SUBMITTED or (placed.state is OrderState.PENDING_CANCEL and never_heard_of):
                self.lose(placed, "RESTART")
            if placed.state not in _OPEN:
                self._watches[placed.order.id] = Watch(sent_at=now, due=now)

    def lose(self, placed: PlacedOrder, why: str) -> None:
        """Nobody knows what became of an order: it is UNKNOWN, and asked about."""
        writer = self._writer
        now = writer.clock.now()
        if placed.state.working and placed.state is not OrderState.UNKNOWN:
            writer.enter(OutcomeLost(order=placed.order.id, why=why))
        watch = self._watches.setdefault(placed.order.id, Watch(sent_at=now, due=now))
        watch.due = min(watch.due, now)

    def connection_lost(self) -> None:
        """What was under way may or may not have arrived."""
        for order, watch in list(self._watches.items()):
            placed = self._writer.account.orders.get(order)
            if placed is not None and placed.state is OrderState.SUBMITTED and watch.sent_at is not None:
                self.lose(placed, "DISCONNECTED")

    def doubt(self, placed: PlacedOrder) -> None:
        """An order that should work was not named by the venue: ask about it."""
        now = self._writer.clock.now()
        watch = self._watches.setdefault(placed.order.id, Watch(sent_at=now, due=now))
        watch.doubted = True

    def answered(self, order: str) -> None:
        """The venue said what became of an order."""
        if (watch := self._watches.get(order)) is not None:
            watch.asked_at, watch.missing_at, watch.doubted = None, None, False

    def not_found(self, placed: PlacedOrder, report: OrderReport) -> None:
        """The venue said that it has no such order."""
        watch, timing = self._watches.get(placed.order.id), self._timing
        if watch is None or watch.sent_at is None or watch.asked_at is None or not placed.state.working:
            return
        if watch.asked_at < watch.sent_at + timing.settling or report.venue_time <= watch.asked_after:
            return
        if placed.state is not OrderState.UNKNOWN:  # it was there before: two more answers are needed
            self.lose(placed, "NOT_FOUND")
            return
        if watch.missing_at is None:
            watch.missing_at, watch.asked_at = report.venue_time, None
        elif report.venue_time > watch.missing_at:
            self._writer.enter(OrderMissing(order=placed.order.id))

    def unresolved(self, symbol: str | None = None) -> bool:
        """Whether any order, or one in an instrument, is still to be heard of."""
        watched = (self._writer.account.orders.get(order) for order in self._watches)
        return any(
            placed is not None
            and placed.state in (OrderState.SUBMITTED, OrderState.UNKNOWN)
            and symbol in (None, placed.order.symbol)
            for placed in watched
        )

    def work(self) -> None:
        """Give up waiting for what is overdue, and ask what is due."""
        now = self._writer.clock.now()
        for order, watch in list(self._watches.items()):
            placed = self._writer.account.orders.get(order)
            if placed is None or not self._waits(placed, watch):
                del self._watches[order]
                continue
            if watch.sent_at is None:
                continue
            if watch.due > now + self._timing.longest_query or watch.sent_at > now:  # the clock was set back
                watch.due, watch.sent_at = now, min(watch.sent_at, now)
            if placed.state is OrderState.SUBMITTED and now >= watch.sent_at + self._timing.answer:
                self.lose(placed, NO_ANSWER)
                placed = self._writer.account.orders[order]
            if now >= watch.due and placed.state is not OrderState.SUBMITTED:
                self._ask(placed, watch, now)

    def _ask(self, placed: PlacedOrder, watch: Watch, now: int) -> None:
        order = placed.order
        if placed.state is OrderState.PENDING_CANCEL:
            self._writer.ask(Cancel(order.id, order.symbol))
        self._writer.ask(Query(order.id, order.symbol))
        watch.due = now + self._timing.backoff(watch.asked, self._random.random())
        watch.asked += 1
        if watch.asked >= _LOUD_AFTER:
            what = placed.state.value.replace("_", " ")
            self._writer.alarm(f"order {order.id} of {order.agent} in {order.symbol} is still {what}")

    def _waits(self, placed: PlacedOrder, watch: Watch) -> bool:
        if placed.state in _OPEN:
            return watch.doubted
        return placed.state.working

    def _entered(self, event: Event) -> None:
        if isinstance(event, OrderSubmitted):
            self._watches[event.order] = Watch(sent_at=None, due=0)

    def _sent(self, request: Request) -> None:
        now, account = self._writer.clock.now(), self._writer.account
        match request:
            case Submit(approved=approved):
                self._watches[approved.order.id] = Watch(sent_at=now, due=now + self._timing.answer)
            case Cancel(order=order) if order in account.orders:
                watch = self._watches.setdefault(order, Watch(sent_at=now, due=0))
                watch.due = max(watch.due, now + self._timing.first_query)
            case Query(order=order) if order in self._watches:
                self._watches[order].asked_at = now
                self._watches[order].asked_after = account.venue_time
            case _:
                pass
