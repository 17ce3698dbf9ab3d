"""The desk: takes agents' orders to the gate, and what the gate approves to the venue, and enters all of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from clawd.core.account_events import TradingState
from clawd.core.clock import ReplayClock
from clawd.core.costs import Costs
from clawd.core.event import Event
from clawd.core.events import (
    OrderCancelled,
    OrderFilled,
    OrderMoved,
    OrderSubmitted,
    VerdictGiven,
)
from clawd.core.instrument import Instrument
from clawd.core.money import booked_float
from clawd.core.orders import Order, OrderKind
from clawd.core.reason import Reason
from clawd.engine.position import stop_reason
from clawd.execution.exits import exit_changes
from clawd.fleet.agent_book import AgentBook, entry_stop_distance
from clawd.fleet.books import Books
from clawd.risk.gate import approve
from clawd.risk.snapshot import Limits, Snapshot
from clawd.venues.paper import Bar, CancelReport, FillReport, PaperVenue, Phase

Record = tuple[int, str, dict[str, Any]]


class Desk:
    """Books, gate and venue, with the records of the bar at hand that are not yet in the journal.

    Attributes:
        books: what the journal says, with the records of this bar.
        venue: where the approved orders rest.
        events: of this bar, in order.
        records: the same as they go into the journal, in one transaction.
    """

    def __init__(
        self, books: Books, venue: PaperVenue, instruments: Mapping[str, Instrument], clock: ReplayClock
    ) -> None:
        self.books = books
        self.venue = venue
        self.instruments = instruments
        self.clock = clock
        self.events: list[Event] = []
        self.records: list[Record] = []
        start = books.start
        self.limits = Limits(
            day_loss=start.day_loss_limit,
            leverage=start.leverage,
            costs=Costs(start.fee, start.slippage),
            longest_silence=start.bar,
        )

    def enter(self, event: Event) -> None:
        """Apply an event to the books and note it for the journal."""
        self.books.apply(event)
        self.events.append(event)
        self.records.append((self.clock.now(), event.kind, event.model_dump(mode="json")))

    def match(self, bars: Mapping[str, Bar], time: int) -> None:
        """Let the venue trade a bar, and keep the exits right after every fill."""
        for phase in Phase:
            if not any(order.symbol in bars for order in self.venue.orders.values()):
                return
            averages = {
                order.id: self.books.agents[order.agent].average(order.symbol) or Decimal(0)
                for order in self.venue.orders.values()
                if order.reduces
            }
            for report in self.venue.match(phase, bars, averages):
                if isinstance(report, CancelReport):
                    self.cancel(report.order, report.why)
                elif report.order.id in self.books.orders:
                    self._fill(report, time)

    def _fill(self, report: FillReport, time: int) -> None:
        order = report.order
        agent = self.books.agents[order.agent]
        position = agent.positions[self.books.row(order.symbol)]
        reason = Reason(int(stop_reason(position))) if order.kind is OrderKind.STOP else order.reason
        self.enter(
            OrderFilled(
                order=order.id,
                agent=order.agent,
                symbol=order.symbol,
                order_kind=order.kind,
                time=time,
                size=order.size,
                price=report.price,
                fee=report.fee,
                slippage=report.slippage,
                reason=reason,
            )
        )
        self.venue.settle(order.id, order.symbol, order.size, report.price, report.fee)
        self.keep_exits(agent, order.symbol, time)

    def keep_exits(self, agent: AgentBook, symbol: str, time: int) -> None:
        """Make the exits at the venue what the position needs now."""
        position = agent.positions[self.books.row(symbol)]
        resting = self.books.orders_of(agent.id, symbol)
        if not resting and not agent.sizes[symbol]:
            return
        changes = exit_changes(
            agent.id, self.instruments[symbol], position, agent.plan, agent.sizes[symbol], resting, time
        )
        for order in changes.cancel:
            self.cancel(order, "POSITION_CLOSED")
        for order, level, size in changes.move:
            self.enter(OrderMoved(order=order.id, level=level, size=size))
            self.venue.move(order.id, level, size)
        for order in changes.submit:
            self.send(order, agent)

    def cancel(self, order: Order, why: str) -> None:
        """Take an order off the venue."""
        self.enter(
            OrderCancelled(order=order.id, agent=order.agent, symbol=order.symbol, order_kind=order.kind, why=why)
        )
        self.venue.cancel(order.id)

    def replace_market_orders(self, agent: AgentBook, symbol: str, why: str = "REPLACED") -> None:
        """Take off the market orders that have not filled yet: a new decision stands in their place."""
        for order in self.books.orders_of(agent.id, symbol):
            if order.kind in (OrderKind.CLOSING, OrderKind.OPENING):
                self.cancel(order, why)

    def send(self, order: Order, agent: AgentBook, part: Decimal = Decimal(1)) -> None:
        """Put an order before the gate, and send what it approves.

        Args:
            order: what is asked for.
            agent: who asks.
            part: of what is free of the day's budget, the share that this order may use.
        """
        verdict, approved = approve(order, self.snapshot(order, agent, part), self.limits)
        if order.kind in (OrderKind.CLOSING, OrderKind.OPENING):
            self.enter(
                VerdictGiven(
                    order=order.id,
                    agent=order.agent,
                    symbol=order.symbol,
                    order_kind=order.kind,
                    outcome=verdict.outcome,
                    code=verdict.code,
                    asked=order.size,
                    allowed=verdict.allowed,
                    numbers={name: str(value) for name, value in verdict.numbers.items()},
                )
            )
        if approved is not None:
            self.enter(OrderSubmitted.of(approved.order))
            self.venue.submit(approved)

    def snapshot(self, order: Order, agent: AgentBook, part: Decimal) -> Snapshot:
        """What the gate is shown of an order."""
        books = self.books
        start = books.start
        row = books.row(order.symbol)
        position = agent.positions[row]
        closing = booked_float(position["closing"]) * start.lots[row]
        size = agent.sizes[order.symbol]
        opening = order.kind is OrderKind.OPENING
        return Snapshot(
            now=self.clock.now(),
            halted=books.halted_until is not None or books.state is not TradingState.ACTIVE,
            agent_active=agent.active,
            price=books.marks.get(order.symbol),
            price_time=books.mark_times[order.symbol] + start.bar if order.symbol in books.marks else None,
            lot=start.lots[row],
            position=size + closing if opening else size,
            average=agent.average(order.symbol),
            unknown_orders=0,
            stop_distance=entry_stop_distance(position) if opening else None,
            agent_loss=agent.day_loss(books.marks) if opening else Decimal(0),
            account_loss=books.day_loss if opening else Decimal(0),
            agent_reserved=books.reserved_by(agent) if opening else Decimal(0),
            account_reserved=books.reserved if opening else Decimal(0),
            agent_share=self.share_of(agent),
            part=part,
            agent_capital=agent.capital,
            agent_exposure=books.exposure_of(agent) if opening else Decimal(0),
        )

    def share_of(self, agent: AgentBook) -> Decimal:
        """An agent's part of the day's loss limit: by its capital, so that the parts never exceed the whole."""
        return self.limits.day_loss * agent.capital / self.books.start.capital
