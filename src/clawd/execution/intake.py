"""What a venue says about orders and trades, turned into facts.

Reports may be late, twice, out of order, or wrong. Each is held against the account: what is known already changes
nothing, what can be true becomes a fact, and what cannot is entered as an anomaly and changes no figure. Money that has
moved is always booked: what no order of ours accounts for goes to the book of the unattributed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from clawd.core.account_events import (
    UNATTRIBUTED,
    CancelRefused,
    CancelRequested,
    EntriesBlocked,
    OrderAccepted,
    OrderAdopted,
    OrderExpired,
    OrderRejected,
    TradeAdopted,
)
from clawd.core.event import Event
from clawd.core.events import OrderCancelled, OrderFilled
from clawd.core.money import booked_amount, cash_of_fill
from clawd.core.orders import OrderKind
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.core.reports import FillReport, OrderReport, RequestFailed, RequestKind, VenueState
from clawd.execution.life_cycle import OrderState, PlacedOrder, Trigger, after
from clawd.execution.order_ids import is_ours
from clawd.execution.timing import Timing
from clawd.execution.unknown import Outcomes
from clawd.execution.writer import Writer
from clawd.venues.venue import Cancel, ReportAccount

_ZERO: Final = Decimal(0)

_ENDS: Final = {
    VenueState.CANCELLED: Trigger.CANCELLED,
    VenueState.REJECTED: Trigger.REJECTED,
    VenueState.EXPIRED: Trigger.EXPIRED,
}

#: What a venue says when it wants to hear less.
_TOO_MANY: Final = frozenset({"429", "RATE_LIMIT"})


@dataclass(slots=True)
class Early:
    """The end of an order, told before all of its trades.

    Attributes:
        report: that told it.
        since: when it came, UTC nanoseconds.
        missed: reports on the whole account since then that did not tell the trades either.
    """

    report: OrderReport
    since: int
    missed: int = 0


class Intake:
    """Takes the reports on single orders and trades."""

    def __init__(self, writer: Writer, outcomes: Outcomes, timing: Timing) -> None:
        self._writer = writer
        self._outcomes = outcomes
        self._timing = timing
        self._symbols = frozenset(writer.account.start.symbols)
        self._by_venue_order: dict[str, str] = {}
        self._early: dict[str, Early] = {}
        for placed in writer.account.orders.values():
            if placed.venue_order is not None:
                self._by_venue_order[placed.venue_order] = placed.order.id
        writer.observers.append(self._entered)

    # Orders.

    def order(self, report: OrderReport) -> None:
        """The venue said in which state an order is."""
        placed = self._known(report.order, report.venue_order)
        if placed is None:
            self._foreign(report)
            return
        if report.state is VenueState.NOT_FOUND:
            self._outcomes.not_found(placed, report)
            return
        if fault := self._order_fault(placed, report):
            self._wrong("ORDER_REPORT_WRONG", fault, placed)
            return
        self._outcomes.answered(placed.order.id)
        given_up = placed.state is OrderState.MISSING
        trigger = _ENDS.get(report.state)
        behind = abs(report.filled) > abs(placed.filled)
        if trigger is None or behind:
            self._accept(placed, report)
            placed = self._writer.account.orders[placed.order.id]
        if behind and (trigger is not None or report.state is VenueState.FILLED):
            # It has ended, and a part of what it has traded was not told yet: it is not over before that is booked.
            self._early.setdefault(placed.order.id, Early(report, self._writer.clock.now()))
        elif trigger is not None:
            self._end(placed, report, trigger)
        elif report.state is VenueState.FILLED:
            self._end_smaller(placed, report)
        elif placed.order.id not in self._early:
            self._take_off_again(placed, given_up)

    def overdue(self) -> bool:
        """Whether an order has ended for a while, and its trades have still not been told."""
        now = self._writer.clock.now()
        return any(not 0 <= now - early.since < self._timing.answer for early in self._early.values())

    def waits_for_trades(self, symbol: str | None = None) -> bool:
        """Whether trades of an order, or of one in an instrument, are known of and not told yet."""
        return any(symbol in (None, early.report.symbol) for early in self._early.values())

    def give_up_trades(self, venue_time: int) -> None:
        """A report on the whole account came. An order that had ended before it, and whose trades two such reports have
        not told, ends without them."""
        for name, early in list(self._early.items()):
            if early.report.venue_time >= venue_time:
                continue
            early.missed += 1
            if early.missed < 2:
                continue
            del self._early[name]
            placed, told = self._writer.account.orders[name], early.report.filled
            self._wrong("FILLS_NOT_TOLD", f"{told} of it filled, and trades of only {placed.filled} were told", placed)
            if placed.state.working:
                self._end(placed, replace(early.report, code="FILLS_NOT_TOLD"), Trigger.CANCELLED)

    def _accept(self, placed: PlacedOrder, report: OrderReport) -> None:
        """The venue has the order, or has had it."""
        stepped = after(placed, Trigger.ACCEPTED)
        if stepped is None:
            return
        if placed.state is OrderState.REJECTED:  # what it is now has to be asked
            self._wrong("REJECTED_ORDER_WORKS", f"it was refused, and is said to be {report.state}", placed)
        news = report.venue_order is not None and placed.venue_order is None
        if news or stepped.state is not placed.state:
            self._writer.enter(
                OrderAccepted(
                    order=placed.order.id, venue_order=report.venue_order, venue_time=self.moment(report.venue_time)
                )
            )
        if stepped.state is OrderState.UNKNOWN:
            self._outcomes.lose(stepped, "REJECTED_ORDER_WORKS")

    def _end_smaller(self, placed: PlacedOrder, report: OrderReport) -> None:
        """An order is said to have filled whole: so it has, unless the venue has made it smaller."""
        if placed.state.working:
            self._end(placed, replace(report, code="MADE_SMALLER"), Trigger.CANCELLED)

    def _end(self, placed: PlacedOrder, report: OrderReport, trigger: Trigger) -> None:
        stepped = after(placed, trigger)
        if stepped is None:
            self._wrong("ENDED_TWICE", f"it is {placed.state}, and is said to be {report.state}", placed)
            return
        if stepped.state is placed.state:
            return
        order, when = placed.order, self.moment(report.venue_time)
        event: Event
        if trigger is Trigger.REJECTED:
            event = OrderRejected(order=order.id, code=report.code or "REJECTED", venue_time=when)
        elif trigger is Trigger.EXPIRED:
            event = OrderExpired(order=order.id, venue_time=when)
        else:
            event = cancelled(placed, placed.cancel_why or report.code or "VENUE", when)
        self._writer.enter(event)

    def _take_off_again(self, placed: PlacedOrder, given_up: bool) -> None:
        """An order turned up that was being cancelled while nobody knew of it, or that had been given up."""
        order = placed.order
        if placed.state not in (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED):
            return
        if given_up or placed.cancel_why:
            self._writer.enter(CancelRequested(order=order.id, why=placed.cancel_why or "TOO_LATE"))
            self._writer.ask(Cancel(order.id, order.symbol))

    def _foreign(self, report: OrderReport) -> None:
        """An order that is none of those that we know."""
        account = self._writer.account
        working = report.state in (VenueState.ACCEPTED, VenueState.PARTIALLY_FILLED)
        if report.venue_order is None or report.venue_order in account.foreign_orders or not working:
            return
        if not _finite(report.size) or not isinstance(report.symbol, str):
            return
        self._writer.enter(
            OrderAdopted(
                venue_order=report.venue_order,
                symbol=report.symbol,
                size=report.size,
                venue_time=self.moment(report.venue_time),
            )
        )
        if report.order is not None and is_ours(report.order, account.start.account):
            self._writer.anomaly(
                "ORDER_NOT_IN_JOURNAL",
                f"{report.order} has an id as we give them, and the journal knows nothing of it",
                order=report.order,
                symbol=report.symbol,
            )
            self.block(report.symbol)

    def _order_fault(self, placed: PlacedOrder, report: OrderReport) -> str | None:
        """What cannot be in a report on an order, None where all of it can."""
        order, size, filled = placed.order, report.size, report.filled
        if report.symbol != order.symbol:
            return f"it is in {order.symbol}, not in {report.symbol}"
        if not _finite(size) or size * order.size <= 0 or abs(size) > abs(order.size):
            return f"its size is {order.size}, not {size}"
        if not _finite(filled) or filled * size < 0 or abs(filled) > abs(size):
            return f"{filled} of {size} cannot have filled"
        if report.venue_order is not None and placed.venue_order not in (None, report.venue_order):
            return f"it is {placed.venue_order} at the venue, not {report.venue_order}"
        if report.state is VenueState.FILLED and filled != size:
            return f"only {filled} of {size} have filled"
        if report.state in _ENDS and abs(filled) < abs(placed.filled):
            return f"{placed.filled} of it have filled, not {filled}"
        return None

    # Trades.

    def fill(self, report: FillReport) -> None:
        """The venue said that something of the account traded."""
        account = self._writer.account
        placed = self._known(report.order, report.venue_order)
        if fault := self._fill_fault(report):
            self._wrong("FILL_WRONG", fault, placed)
            return
        if report.trade in account.trades:
            return
        if placed is None:
            if report.order is not None and is_ours(report.order, account.start.account):
                self._writer.anomaly("ORDER_NOT_IN_JOURNAL", f"{report.order} filled {report.size}", order=report.order)
            self._adopt(report, report.trade, report.size, cash_of_fill(report.size, report.price) - report.fee)
            return
        order = placed.order
        if report.symbol != order.symbol or report.size * order.size < 0:
            self._wrong("FILL_WRONG", f"{report.size} {report.symbol} cannot fill {order.size} {order.symbol}", placed)
            return
        fits = min(abs(report.size), abs(order.size - placed.filled))
        fits = fits if report.size > 0 else -fits
        flow = cash_of_fill(report.size, report.price) - report.fee
        if fits:
            fee = report.fee if fits == report.size else booked_amount(report.fee * fits / report.size)
            flow -= cash_of_fill(fits, report.price) - fee
            self._outcomes.answered(order.id)
            self._writer.enter(self._filled(placed, report, fits, fee))
            given_up, placed = placed.state is OrderState.MISSING, account.orders[order.id]
            if placed.state is OrderState.UNKNOWN:
                self._outcomes.lose(placed, "REJECTED_ORDER_FILLED")
            self._take_off_again(placed, given_up)
        if fits != report.size:
            excess = report.size - fits
            self._wrong("OVERFILL", f"{report.size} filled where {fits} were left, trade {report.trade}", placed)
            self._adopt(report, f"{report.trade}/excess" if fits else report.trade, excess, flow)
        early, placed = self._early.get(order.id), account.orders[order.id]
        if early is not None and abs(placed.filled) >= abs(early.report.filled):
            del self._early[order.id]
            if (trigger := _ENDS.get(early.report.state)) is not None:
                self._end(placed, early.report, trigger)
            else:
                self._end_smaller(placed, early.report)

    def _filled(self, placed: PlacedOrder, report: FillReport, size: Decimal, fee: Decimal) -> OrderFilled:
        order = placed.order
        wanted = order.level if order.kind is OrderKind.STOP and order.level is not None else order.reference
        worse = _ZERO if wanted is None else booked_amount((report.price - wanted) * size)
        return OrderFilled(
            order=order.id,
            agent=order.agent,
            symbol=order.symbol,
            order_kind=order.kind,
            time=self.moment(report.venue_time),
            size=size,
            price=report.price,
            fee=fee,
            slippage=worse,
            reason=order.reason,
            trade=report.trade,
            maker=report.maker,
        )

    def _adopt(self, report: FillReport, trade: str, size: Decimal, flow: Decimal) -> None:
        """A trade, or what is left of one, goes to the unattributed, with exactly the cash that it moved."""
        self._writer.enter(
            TradeAdopted(
                trade=trade,
                symbol=report.symbol,
                size=size,
                price=report.price,
                fee=cash_of_fill(size, report.price) - flow,
                venue_time=self.moment(report.venue_time),
            )
        )
        self._writer.alarm(f"{size} {report.symbol} was traded at {report.price} by no order of ours: {report.trade}")
        self.block(report.symbol)

    def _fill_fault(self, report: FillReport) -> str | None:
        if report.symbol not in self._symbols:
            return f"{report.symbol} is no instrument of this account"
        if not all(map(_finite, (report.size, report.price, report.fee))) or not report.size or report.price <= 0:
            return f"a trade of {report.size} at {report.price} for {report.fee} cannot be"
        if abs(report.fee) > abs(report.size) * report.price:
            return f"a fee of {report.fee} is more than the trade of {report.size} at {report.price}"
        if not report.trade:
            return "a trade without an id cannot be told from its repetition"
        return None

    # Requests.

    def failed(self, report: RequestFailed) -> None:
        """A request was refused, or nobody knows what became of it."""
        if report.retry_at is not None or report.code in _TOO_MANY:
            now, timing = self._writer.clock.now(), self._timing
            # Exits have to go out some time: no venue silences us for longer than this.
            until = min(report.retry_at or now + timing.first_query, now + timing.longest_silence)
            self._writer.queue.hold(now, until)
            if until - now > timing.longest_query:
                self._writer.alarm(f"{report.venue} wants to hear nothing for {(until - now) // 10**9} s")
        placed = None if report.order is None else self._writer.account.orders.get(report.order)
        if placed is None:
            return
        order = placed.order
        match report.request:
            case RequestKind.SUBMIT | RequestKind.REPLACE:
                self._not_taken(placed, report)
            case RequestKind.CANCEL if placed.state.working and report.refused and report.code not in _TOO_MANY:
                if placed.venue_order is None and not placed.filled:  # it may come there after its cancellation
                    self._outcomes.lose(placed, "CANCEL_REFUSED")
                elif placed.state is OrderState.PENDING_CANCEL:
                    self._writer.enter(CancelRefused(order=order.id, code=report.code))
                    self._outcomes.doubt(placed)
            case _:  # cancellations and questions are asked again by themselves
                pass

    def _not_taken(self, placed: PlacedOrder, report: RequestFailed) -> None:
        """An order was refused, or may not have arrived."""
        order = placed.order
        if self._writer.queue.has(order.id):
            return  # it has not been sent: this is about something else
        before = None if placed.replaces is None else self._writer.account.orders.get(placed.replaces)
        if before is not None and before.state.working:
            self._outcomes.doubt(before)
        # That there is such an order already says that it was sent, which it was only once.
        if not report.refused or report.code.startswith("DUPLICATE"):
            if placed.state in (OrderState.SUBMITTED, OrderState.PENDING_CANCEL) and placed.venue_order is None:
                self._outcomes.lose(placed, report.code or "NO_ANSWER")
        elif placed.venue_order is None and placed.state.working:
            self._writer.enter(OrderRejected(order=order.id, code=report.code or "REJECTED", venue_time=None))

    # Steps that several share.

    def block(self, symbol: str) -> None:
        """Nobody enters an instrument until a person has decided about what is not ours in it."""
        if all((block.symbol, block.why) != (symbol, UNATTRIBUTED) for block in self._writer.account.blocks):
            self._writer.enter(EntriesBlocked(symbol=symbol, agent=None, why=UNATTRIBUTED))

    def _known(self, order: str | None, venue_order: str | None) -> PlacedOrder | None:
        orders = self._writer.account.orders
        if order is not None:
            return orders.get(order)
        return orders.get(self._by_venue_order.get(venue_order, "")) if venue_order is not None else None

    def _wrong(self, what: str, detail: str, placed: PlacedOrder | None) -> None:
        order = None if placed is None else placed.order.id
        symbol = None if placed is None else placed.order.symbol
        if self._writer.anomaly(what, detail, order=order, symbol=symbol):
            self._writer.ask(ReportAccount(self.since()))

    def since(self) -> int:
        """From when on a report on the account has to tell the fills."""
        return max(self._writer.account.reconciled - self._timing.overlap, 0)

    def moment(self, venue_time: int) -> int:
        """The venue's time of something; where it is days ahead of ours, the latest that was believed before."""
        now, before = self._writer.clock.now(), self._writer.account.venue_time
        if venue_time > now + NANOSECONDS_PER_DAY:
            days = (venue_time - now) // NANOSECONDS_PER_DAY
            self._writer.anomaly("CLOCK", f"the venue's clock is {days} days ahead of ours")
            return max(now, before)
        return venue_time

    def _entered(self, event: Event) -> None:
        if isinstance(event, OrderAccepted) and event.venue_order is not None:
            self._by_venue_order[event.venue_order] = event.order


def cancelled(placed: PlacedOrder, why: str, venue_time: int | None) -> OrderCancelled:
    """The fact that an order is off."""
    order = placed.order
    return OrderCancelled(
        order=order.id,
        agent=order.agent,
        symbol=order.symbol,
        order_kind=order.kind,
        why=why,
        venue_time=venue_time,
    )


def _finite(figure: object) -> bool:
    return isinstance(figure, Decimal) and figure.is_finite()
