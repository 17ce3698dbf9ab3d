"""The desk: takes agents' orders to the gate, and what the gate approves to the venue, and enters all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from decimal import Decimal
from typing import Any

from clawd.core.account_events import TradingState
from clawd.core.clock import ReplayClock
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import (
    OrderCancelled,
    OrderFilled,
    OrderMoved,
    OrderSubmitted,
)
from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind
from clawd.core.reason import Reason
from clawd.engine.position import stop_reason
from clawd.execution.exits import exit_changes
from clawd.execution.verdicts import verdict_given
from clawd.fleet.agent_book import AgentBook, entry_stop_distance
from clawd.fleet.books import Books
from clawd.risk.gate import approve
from clawd.risk.limit_settings import as_limits
from clawd.risk.limits import Limits
from clawd.risk.snapshot import (
    AccountFacts,
    AgentFacts,
    Cluster,
    MarketFacts,
    PositionFacts,
    Snapshot,
    VenueFacts,
)
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
            price_band=start.price_band,
            **as_limits(start.limits),
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
        moving = {order.id for order, _, _ in changes.move}
        for order, level, size in changes.move:
            self._move(order, level, size, agent, moving)
            moving.remove(order.id)
        for order in changes.submit:
            self.send(order, agent)

    def _move(self, order: Order, level: Decimal, size: Decimal, agent: AgentBook, moving: Set[str]) -> None:
        """Move a resting exit, which is an order like any other to the gate; ``moving`` are those that move with it."""
        moved = replace(order, level=level, size=size)
        verdict, approved = approve(moved, self.snapshot(moved, agent, Decimal(1), moving), self.limits)
        if approved is None:
            raise ClawdError(f"the gate refused to move {order.id} to {size} at {level}: {verdict.code}", where="desk")
        self.enter(OrderMoved(order=order.id, level=level, size=size))
        self.venue.move(order.id, level, size)

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
        if order.kind is OrderKind.OPENING:
            distance = entry_stop_distance(agent.positions[self.books.row(order.symbol)])
            order = replace(order, stop_distance=distance)
        verdict, approved = approve(order, self.snapshot(order, agent, part), self.limits)
        if order.kind in (OrderKind.CLOSING, OrderKind.OPENING):
            self.enter(verdict_given(order, verdict))
        if approved is not None:
            self.enter(OrderSubmitted.of(approved.order))
            self.venue.submit(approved)

    def snapshot(self, order: Order, agent: AgentBook, part: Decimal, replaced: Set[str] = frozenset()) -> Snapshot:
        """What the gate is shown of an order; ``replaced`` are the orders that stand no longer once it does.

        Bars know no quotes, depth, daily volume or margin: a limit that needs one of these lets no entry through. What
        only entries are held against is not counted for the others, which may come in the middle of a bar.
        """
        books, start, entering = self.books, self.books.start, order.kind is OrderKind.OPENING
        row, symbol, nothing = books.row(order.symbol), order.symbol, Decimal(0)
        working = [each for each in books.orders_of(agent.id, symbol) if each.id not in replaced]
        return Snapshot(
            now=self.clock.now(),
            account=self._account_facts() if entering else AccountFacts(self._state(), nothing, nothing),
            agent=AgentFacts(
                id=agent.id,
                active=agent.active,
                paused=agent.paused,
                capital=agent.capital,
                share=self.share_of(agent),
                loss=agent.day_loss(books.marks) if entering else nothing,
                reserved=books.reserved_by(agent) if entering else nothing,
                exposure=books.exposure_of(agent) if entering else nothing,
                orders=self._entries_sent(agent.id) if entering and self._set("agent_orders") else None,
            ),
            position=PositionFacts(
                size=agent.sizes[symbol],
                average=agent.average(symbol),
                opening=_sum(each.size for each in working if each.kind is OrderKind.OPENING),
                closing=_sum(abs(each.size) for each in working if each.kind is OrderKind.CLOSING),
                exits=_sum(abs(each.size) for each in working if each.kind is order.kind and not entering),
                unknown_orders=0,
                blocked=False,
            ),
            market=MarketFacts(
                instrument=self.instruments[symbol],
                price=books.marks.get(symbol),
                price_time=books.mark_times[symbol] + start.bar if symbol in books.marks else None,
                unattributed=nothing,
                blocked=False,
                gross=self._gross(row) if entering and self._set("instrument_gross", "concentration") else None,
                cluster=self._cluster(symbol) if entering and self._set("cluster_share") else None,
            ),
            venue=VenueFacts(
                name="paper",
                connected=True,
                breaker_open=False,
                clock_skew=0,
                gross=self._gross() if entering and self._set("venue_gross") else None,
                orders=self._entries_sent() if entering and self._set("venue_orders") else None,
            ),
            part=part,
        )

    def _account_facts(self) -> AccountFacts:
        books = self.books
        return AccountFacts(
            state=self._state(),
            loss=books.day_loss,
            reserved=books.reserved,
            equity=books.equity if self._set("equity_leverage", "concentration", "cluster_share") else None,
            gross=self._gross() if self._set("account_gross", "equity_leverage") else None,
            net=self._net() if self._set("account_net") else None,
        )

    def _state(self) -> TradingState:
        return self.books.state if self.books.halted_until is None else TradingState.HALTED

    def _set(self, *limits: str) -> bool:
        return any(limit in self.books.start.limits for limit in limits)

    def _gross(self, row: int | None = None) -> Decimal:
        """Notional of all agents' books, in one instrument or in all, once their working orders have filled."""
        return _sum(self.books.exposure_of(agent, row) for agent in self.books.agents.values())

    def _cluster(self, symbol: str) -> Cluster:
        clusters = self.books.start.clusters
        members = [self.books.row(each) for each, name in clusters.items() if name == clusters[symbol]]
        return Cluster(clusters[symbol], _sum(self._gross(row) for row in members))

    def _net(self) -> Decimal:
        entries = _sum(
            order.size * self.books.marks[order.symbol]
            for order in self.books.orders.values()
            if order.kind is OrderKind.OPENING
        )
        return entries + _sum(size * self.books.marks[symbol] for symbol, size in self.books.net_sizes().items())

    def _entries_sent(self, agent: str | None = None) -> int | None:
        """Entries that were sent at this close, by one agent or by all; not known where the window is longer."""
        if self.books.start.bar < self.limits.order_window:
            return None
        return sum(
            isinstance(event, OrderSubmitted) and event.order_kind is OrderKind.OPENING and agent in (None, event.agent)
            for event in self.events
        )

    def share_of(self, agent: AgentBook) -> Decimal:
        """An agent's part of the day's loss limit: by its capital, so that the parts never exceed the whole."""
        return self.limits.day_loss * agent.capital / self.books.start.capital


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
