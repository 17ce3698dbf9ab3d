"""Orders that the gate let through and that are held here: for people, for the market, or for exits to be off.

They are facts, so a restart finds them as they were. They reserve nothing, and so each is judged by the gate once more
in the moment in which it is to be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Protocol

from clawd.core.account_events import OrderDropped
from clawd.core.event import Event
from clawd.core.events import HeldUntil, OrderFilled, OrderHeld, OrderMoved
from clawd.core.orders import Order, OrderKind, OrderType
from clawd.core.reports import Quote
from clawd.execution.account import HeldOrder
from clawd.execution.quotes import Quotes
from clawd.execution.writer import Writer
from clawd.risk.verdict import Outcome, Verdict

#: What can be watched here where a venue cannot hold it, because it does nothing before it is touched.
WATCHED: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})

#: A trailing stop's level is written down when it has moved by this share of its distance.
_STEP: Final = Decimal("0.1")


class Consent(Enum):
    """What people say to an order that waits for them."""

    GIVEN = "given"
    WAITING = "waiting"
    REFUSED = "refused"


class Approvals(Protocol):
    """Whom large orders wait for."""

    def reasons(self, order: Order) -> Sequence[str]:
        """Why an order has to wait; nothing where it has not."""
        ...

    def consent(self, order: Order, now: int) -> Consent:
        """Where it stands. The first time this asks for approvals; asked again, it is the request that there is."""
        ...

    def use(self, order: Order, now: int) -> bool:
        """Use the approval up, for exactly this order; whether it was there to be used."""
        ...


class Waiting:
    """The orders that are held.

    Args:
        writer: of the account.
        quotes: the market.
        approvals: whom large orders wait for, None where none do.
        judge: puts an order before the gate as it is now, without sending or writing anything down.
        send: puts an order before the gate and sends what it approves.
    """

    def __init__(
        self,
        writer: Writer,
        quotes: Quotes,
        approvals: Approvals | None,
        judge: Callable[[Order], Verdict],
        send: Callable[[Order], Verdict],
    ) -> None:
        self._writer = writer
        self._quotes = quotes
        self._approvals = approvals
        self._judge = judge
        self._send = send
        self._levels: dict[str, Decimal] = {}
        writer.observers.append(self._entered)

    def reason(self, order: Order) -> HeldUntil | None:
        """What an order has to wait for before it is sent, None where it has not."""
        return HeldUntil.APPROVED if self._needs_people(order) else self._reason_here(order)

    def _needs_people(self, order: Order) -> bool:
        return not order.reduces and self._approvals is not None and bool(self._approvals.reasons(order))

    def _reason_here(self, order: Order) -> HeldUntil | None:
        """What an order has to wait for that people have nothing to do with."""
        can = self._writer.venue.capabilities
        if order.type in WATCHED and order.type not in can.order_types:
            return HeldUntil.TOUCHED
        if can.reduce_only or order.kind not in (OrderKind.CLOSING, OrderKind.OPENING):
            return None
        leaving = self._writer.account.leaving(order.agent, order.symbol)
        return HeldUntil.ALONE if leaving or (order.reduces and self._exits_of(order)) else None

    def _exits_of(self, order: Order) -> bool:
        """Whether another order works that would close the position, or may: its outcome is not known."""
        working = self._writer.account.working_of(order.agent, order.symbol)
        return any(placed.order.kind is not OrderKind.OPENING for placed in working)

    def hold(self, order: Order, until: HeldUntil) -> None:
        """Hold an order that the gate let through."""
        if order.type is OrderType.TRAILING_STOP and order.level is None:
            order = replace(order, level=self._first_level(order))
        self._writer.enter(OrderHeld.of(order, until))

    def drop(self, order: str, why: str) -> bool:
        """Never send an order that is held; whether it was."""
        if order not in self._writer.account.held:
            return False
        self._levels.pop(order, None)
        self._writer.enter(OrderDropped(order=order, why=why))
        return True

    def drop_entries(self, why: str, agent: str | None = None) -> None:
        """Never send the entries that are held: of one agent, or of all."""
        for held in list(self._writer.account.held.values()):
            if not held.order.reduces and agent in (None, held.order.agent):
                self.drop(held.order.id, why)

    def work(self) -> None:
        """Send what people have approved, and drop what they have not, or whose time is over."""
        now = self._writer.clock.now()
        for held in list(self._writer.account.held.values()):
            order = held.order
            if order.expires is not None and now >= order.expires:
                self.drop(order.id, "EXPIRED")
            elif held.until is HeldUntil.APPROVED:
                self._ask(order, now)
        self.release()

    def release(self) -> None:
        """Send what waited for the exits of its position to be off, once the venue has said so of each."""
        alone = [held.order for held in self._writer.account.held.values() if held.until is HeldUntil.ALONE]
        for order in sorted(alone, key=lambda order: not order.reduces):  # what is left goes before what is entered
            if order.id in self._writer.account.held:
                self._alone(order)

    def _alone(self, order: Order) -> None:
        if self._exits_of(order):
            return
        if not order.reduces and self._writer.account.agents[order.agent].size(order.symbol) * order.size < 0:
            self.drop(order.id, "POSITION_KEPT")  # what was to be left first is still there
            return
        self._send_rest(order)

    def quote(self, quote: Quote) -> None:
        """The market has moved: trailing stops follow it, and what it touches is sent."""
        for held in list(self._writer.account.held.values()):
            if held.order.symbol == quote.symbol and held.until is HeldUntil.TOUCHED:
                self._follow(held, quote)

    def _ask(self, order: Order, now: int) -> None:
        if self._approvals is None:
            self.drop(order.id, "NO_APPROVALS")
            return
        consent = self._approvals.consent(order, now)
        if consent is Consent.REFUSED:
            self.drop(order.id, "NOT_APPROVED")
        elif consent is Consent.GIVEN:
            # What was signed is sent as it was signed or not at all: nothing of it may shrink.
            if self._judge(order).outcome is not Outcome.ALLOW:
                return
            if not self._approvals.use(order, now):
                self.drop(order.id, "NOT_APPROVED")
            elif (until := self._reason_here(order)) is not None:
                self.hold(order, until)
            else:
                self._send(order)

    def _follow(self, held: HeldOrder, quote: Quote) -> None:
        order = held.order
        level = self._levels.get(order.id, order.level)
        price = quote.bid if order.size < 0 else quote.ask
        if order.trail is not None:
            wanted = price + order.trail if order.size > 0 else price - order.trail
            if level is None or (wanted < level if order.size > 0 else wanted > level):
                level = self._levels[order.id] = wanted
                if order.level is None or abs(level - order.level) >= _STEP * order.trail:
                    self._writer.enter(OrderMoved(order=order.id, level=level, size=order.size))
        if level is not None and (price >= level if order.size > 0 else price <= level):
            self._touched(order)

    def _touched(self, order: Order) -> None:
        """The market is there: it goes out as what it becomes, under the same id."""
        becomes = OrderType.LIMIT if order.type is OrderType.STOP_LIMIT else OrderType.MARKET
        self._send_rest(order, type=becomes, level=None, trail=None)
        self._levels.pop(order.id, None)

    def _send_rest(self, order: Order, **changes: Any) -> None:
        """Send an order, with changes; of one that reduces what others have not closed meanwhile."""
        size = order.size
        if order.reduces:
            position = self._writer.account.agents[order.agent].size(order.symbol)
            most = min(abs(size), abs(position)) if position * size < 0 else Decimal(0)
            size = most if size > 0 else -most
        if not size:
            self.drop(order.id, "POSITION_CLOSED")
            return
        becomes = replace(order, size=size, **changes)
        if self._needs_people(order) and self._judge(becomes).outcome is Outcome.SHRINK:
            self.drop(order.id, "NOT_AS_APPROVED")  # it was signed before it was held for the market or an exit
            return
        verdict = self._send(becomes)
        if verdict.outcome is Outcome.REFUSE:
            self.drop(order.id, verdict.code)

    def _first_level(self, order: Order) -> Decimal | None:
        mark = self._quotes.mark(order.symbol)
        if mark is None or order.trail is None:
            return None
        return mark + order.trail if order.size > 0 else mark - order.trail

    def _entered(self, event: Event) -> None:
        """What was to make a position smaller goes with it."""
        if not isinstance(event, OrderFilled) or not self._writer.account.held:
            return
        if self._writer.account.agents[event.agent].size(event.symbol):
            return
        for held in list(self._writer.account.held.values()):
            if held.order.reduces and (held.order.agent, held.order.symbol) == (event.agent, event.symbol):
                self.drop(held.order.id, "POSITION_CLOSED")
