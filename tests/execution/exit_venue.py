"""A small account, a venue that can misbehave, and whoever stands between them: what exits are tested on.

It keeps the journal as text and builds the account anew from it at a restart, so what is not written down is lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from clawd.core.account_events import (
    AccountOpened,
    AgentFunded,
    CancelRefused,
    CancelRequested,
    ExitsPlanned,
    OrderAccepted,
    OrderExpired,
    OrderMissing,
    OrderRejected,
    OutcomeLost,
)
from clawd.core.event import Event
from clawd.core.events import OrderCancelled, OrderFilled, OrderSubmitted, read_event
from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind, OrderType, TimeInForce
from clawd.core.reason import Reason
from clawd.core.reports import Quote
from clawd.execution.account import Account
from clawd.execution.exit_manager import ExitManager, Requests
from clawd.execution.life_cycle import OrderState
from clawd.execution.placement import rests
from clawd.execution.watch import WatchLimits
from clawd.venues.venue import Capabilities

SECOND = 1_000_000_000
INSTRUMENT = Instrument("AAA", tick=Decimal("0.01"), lot=Decimal("0.1"))
ALL_TYPES = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP})


def capabilities_of(
    exits: int | None = None,
    *,
    replace: bool = False,
    reduce_only: bool = True,
    types: frozenset[OrderType] = ALL_TYPES,
) -> Capabilities:
    return Capabilities(types, frozenset({TimeInForce.GTC, TimeInForce.IOC}), reduce_only, True, replace, exits)


@dataclass
class SmallVenue:
    """One instrument, traded at one price. What it says waits in ``said`` until it is delivered, lost or doubled."""

    capabilities: Capabilities
    price: Decimal = Decimal(100)
    live: dict[str, Order] = field(default_factory=dict)
    filled: dict[str, Decimal] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    trades: list[tuple[str, str, Decimal, Decimal]] = field(default_factory=list)
    net: Decimal = Decimal(0)
    said: list[tuple[str, ...]] = field(default_factory=list)
    refuse: int = 0
    opened_by_exits: bool = False
    fill_at: Callable[[Order, Decimal], Decimal] = lambda order, price: price

    def submit(self, order: Order, replaces: str | None = None) -> None:
        exits = [each for each in self.live.values() if each.kind is not OrderKind.OPENING and each.id != replaces]
        resting = order.kind is not OrderKind.OPENING and order.type is not OrderType.MARKET
        resting = resting and order.time_in_force is TimeInForce.GTC
        most = self.capabilities.exits
        if self.refuse:
            self.refuse -= 1
            self._end(order.id, "rejected", "NO")
            return
        if resting and most is not None and len(exits) >= most:
            self._end(order.id, "rejected", "TOO_MANY_EXITS")
            return
        if order.reduces and self.capabilities.reduce_only and self.net * order.size >= 0:
            self._end(order.id, "rejected", "NOT_REDUCING")
            return
        if replaces is not None:
            if replaces not in self.live:
                self._end(order.id, "rejected", "NOTHING_TO_REPLACE")
                return
            del self.live[replaces]
            self._end(replaces, "cancelled", "REPLACED")
        self.live[order.id] = order
        self.said.append(("accepted", order.id))
        self.match(order.id)
        if not resting and order.id in self.live and order.time_in_force is TimeInForce.IOC:
            del self.live[order.id]
            self._end(order.id, "expired", "")

    def cancel(self, order: str) -> None:
        if self.live.pop(order, None) is None:
            self.said.append(("refused_cancel", order))
        else:
            self._end(order, "cancelled", "ASKED")

    def move(self, price: Decimal) -> None:
        """The market moves: what it touches trades, stops first."""
        self.price = price
        for order in sorted(self.live.values(), key=lambda each: each.kind is not OrderKind.STOP):
            self.match(order.id)

    def match(self, name: str, most: Decimal | None = None) -> None:
        """Let an order trade if the price is there, all of it or at the most so much."""
        order = self.live.get(name)
        if order is None or not is_due(order, self.price):
            return
        rest = order.size - self.filled.get(name, Decimal(0))
        if order.reduces and self.capabilities.reduce_only:
            if self.net * rest >= 0:
                del self.live[name]
                self._end(name, "cancelled", "NOTHING_TO_REDUCE")
                return
            rest = min(abs(rest), abs(self.net)) * (1 if rest > 0 else -1)
        if most is not None:
            rest = min(abs(rest), most) * (1 if rest > 0 else -1)
        self.trade(name, rest, self.fill_at(order, self.price))

    def trade(self, name: str, size: Decimal, price: Decimal) -> None:
        order = self.live[name]
        self.opened_by_exits |= order.reduces and (self.net * size >= 0 or abs(size) > abs(self.net))
        self.net += size
        self.filled[name] = self.filled.get(name, Decimal(0)) + size
        trade = f"t{len(self.trades) + 1}"
        self.trades.append((trade, name, size, price))
        self.said.append(("fill", name, trade, str(size), str(price)))
        if self.filled[name] == order.size:
            del self.live[name]
            self.ended[name] = "filled"

    def _end(self, name: str, how: str, code: str) -> None:
        self.ended[name] = how
        self.said.append((how, name, code))


def is_due(order: Order, price: Decimal) -> bool:
    buys = order.size > 0
    if order.type is OrderType.MARKET:
        return True
    assert order.level is not None
    if order.type is OrderType.STOP:
        return price >= order.level if buys else price <= order.level
    return price <= order.level if buys else price >= order.level


class Bench:
    """One account with its exit manager before a small venue, both in the hands of a test."""

    def __init__(
        self,
        capabilities: Capabilities | None = None,
        instrument: Instrument = INSTRUMENT,
        agents: tuple[str, ...] = ("a1",),
        limits: WatchLimits | None = None,
    ) -> None:
        self.instrument = instrument
        self.limits = limits or WatchLimits()
        self.venue = SmallVenue(capabilities or capabilities_of())
        self.now = 1_700_000_000 * SECOND
        self.journal: list[tuple[int, str]] = []
        self.quotes: dict[str, Quote] = {}
        self.number = 0
        self.by_hand = False
        opened = AccountOpened(
            account="x",
            venue="small",
            code="",
            cash=Decimal(1_000_000),
            symbols=[instrument.symbol],
            ticks=[instrument.tick],
            lots=[instrument.lot],
            fee=Decimal(0),
            slippage=Decimal(0),
            day_loss_limit=Decimal(1000),
            leverage=Decimal(1),
        )
        self._start(Account.begin(opened))
        for agent in agents:
            self.enter(AgentFunded(agent=agent, capital=Decimal(100_000)))

    def _start(self, account: Account) -> None:
        self.account = account
        self.manager = ExitManager(
            account, {self.instrument.symbol: self.instrument}, self.venue.capabilities, self.limits
        )

    def enter(self, event: Event) -> None:
        self.account.apply(event, self.now)
        self.journal.append((self.now, json.dumps([event.kind, event.model_dump(mode="json")], allow_nan=False)))

    # What is asked.

    def open(
        self,
        size: str,
        exits: dict[str, object] | None = None,
        distances: list[float] | None = None,
        *,
        agent: str = "a1",
        reason: Reason = Reason.ENTRY,
        stop_distance: str = "5",
        bar: int = 60 * SECOND,
        id: str | None = None,
        level: str | None = None,
    ) -> str:
        """Send an entry, with its exits written down before it."""
        self.number += 1
        order = Order(
            id or f"entry{self.number}",
            agent,
            self.instrument.symbol,
            OrderKind.OPENING,
            Decimal(size),
            reason,
            type=OrderType.MARKET if level is None else OrderType.STOP,
            level=None if level is None else Decimal(level),
            stop_distance=Decimal(stop_distance),
        )
        if exits is not None:
            self.enter(
                ExitsPlanned(
                    order=order.id,
                    agent=agent,
                    symbol=order.symbol,
                    exits=exits,
                    distances=[*(distances or [5.0]), *[0.0] * 8][:8],
                    bar=bar,
                )
            )
        self.send(order)
        return order.id

    def close(self, size: str, agent: str = "a1", reason: Reason = Reason.SIGNAL) -> str:
        self.number += 1
        order = Order(f"close{self.number}", agent, self.instrument.symbol, OrderKind.CLOSING, Decimal(size), reason)
        self.send(order)
        return order.id

    def send(self, order: Order, replaces: str | None = None) -> None:
        self._gate(order, replaces)
        self.enter(OrderSubmitted.of(order, replaces))
        self.venue.submit(order, replaces)

    def _gate(self, order: Order, replaces: str | None) -> None:
        """What the gate would refuse of an exit is a mistake of whoever asked for it."""
        if not order.reduces:
            return
        held = self.account.agents[order.agent].size(order.symbol)
        waits = order.kind in (OrderKind.STOP, OrderKind.TAKE) and order.type is not OrderType.MARKET
        beside = Decimal(0)
        for each in self.account.working_of(order.agent, order.symbol):
            if each.order.size * order.size < 0 or not each.order.reduces:
                continue
            if waits and each.order.kind is order.kind and each.order.type is not OrderType.MARKET:
                if each.order.id != replaces and (order.group is None or each.order.group != order.group):
                    beside += abs(each.rest)
            elif not waits and (each.order.kind is OrderKind.CLOSING or each.order.type is OrderType.MARKET):
                beside += abs(each.rest)
        assert held * order.size < 0, (order, held)
        assert abs(order.size) <= abs(held) - beside, (order, held, beside)
        assert order.size % self.instrument.lot == 0
        assert order.level is None or order.level % self.instrument.tick == 0

    def do(self, requests: Requests) -> bool:
        for order, why in requests.cancel:
            self.enter(CancelRequested(order=order, why=why))
            self.venue.cancel(order)
        for asked in requests.submit:
            self.send(asked.order, asked.replaces)
        return bool(requests)

    def keep(self, leaving: bool = False) -> bool:
        did = False
        for agent in list(self.account.agents):
            requests = self.manager.keep(agent, self.instrument.symbol, self.quotes, self.now, leaving)
            did |= self.do(requests)
        return did

    def quote(self, price: str | Decimal, *, move: bool = True) -> bool:
        """A fresh quote; the venue's market moves with it unless said otherwise."""
        value = Decimal(price)
        if move:
            self.venue.move(value)
        quote = Quote(self.instrument.symbol, value, Decimal(1), value, Decimal(1), self.now, self.now)
        self.quotes[quote.symbol] = quote
        return self.do(self.manager.on_quote(quote, self.now))

    def check(self) -> list[Event]:
        """The watch over what is naked."""
        facts, requests = self.manager.on_naked(self.quotes, self.now)
        for fact in facts:
            self.enter(fact)
        self.do(requests)
        return facts

    def bar(self, time: int, high: float, low: float, close: float, ranges: dict[int, float] | None = None) -> None:
        facts = self.manager.after_bar(self.instrument.symbol, 60 * SECOND, time, high, low, close, True, ranges or {})
        for fact in facts:
            self.enter(fact)
        self.do(self.manager.on_time(self.now))
        self.after()

    def after(self) -> None:
        """What follows every fact, unless the test does it by hand."""
        if not self.by_hand:
            self.keep()

    # What the venue says.

    def settle(self) -> None:
        """Deliver all, and do what follows, until there is nothing more to be said."""
        for _ in range(200):
            while self.venue.said:
                self.deliver()
            if not self.keep():
                return
        raise AssertionError("the exits never come to rest")

    def deliver(self, place: int = 0) -> None:
        """One thing that the venue said is heard."""
        self.hear(self.venue.said.pop(place))
        self.after()

    def hear(self, said: tuple[str, ...]) -> None:
        what, name, *rest = said
        placed = self.account.orders[name]
        order, state = placed.order, placed.state
        match what:
            case "accepted":
                self.enter(OrderAccepted(order=name, venue_order=name, venue_time=self.now))
                self.manager.refusals.forget(order)
            case "rejected" if state.working:
                self.enter(OrderRejected(order=name, code=rest[0], venue_time=self.now))
                self.manager.refusals.note(order, self.now)
            case "cancelled" if state not in (OrderState.FILLED, OrderState.REJECTED):
                self.enter(
                    OrderCancelled(
                        order=name, agent=order.agent, symbol=order.symbol, order_kind=order.kind, why=rest[0]
                    )
                )
            case "refused_cancel":
                self.enter(CancelRefused(order=name, code="GONE"))
                self.manager.refusals.note_cancel(name, self.now)
            case "expired":
                self.enter(OrderExpired(order=name, venue_time=self.now))
            case "missing" if state is OrderState.UNKNOWN:
                self.enter(OrderMissing(order=name))
            case "fill" if rest[0] not in self.account.trades:
                self.fill(name, rest[0], Decimal(rest[1]), Decimal(rest[2]))

    def fill(self, name: str, trade: str, size: Decimal, price: Decimal) -> None:
        order = self.account.orders[name].order
        fill = OrderFilled(
            order=name,
            agent=order.agent,
            symbol=order.symbol,
            order_kind=order.kind,
            time=self.now,
            size=size,
            price=price,
            fee=Decimal(0),
            slippage=Decimal(0),
            reason=order.reason,
            trade=trade,
        )
        self.enter(fill)
        for fact in self.manager.after_fill(fill):
            self.enter(fact)

    def lose_outcomes(self) -> None:
        """Nobody knows what became of what was under way."""
        for placed in list(self.account.working()):
            if placed.state in (OrderState.SUBMITTED, OrderState.PENDING_CANCEL):
                self.enter(OutcomeLost(order=placed.order.id, why="TIMEOUT"))

    def query(self) -> None:
        """The venue is asked about everything that works, and tells the truth."""
        for placed in list(self.account.working()):
            name = placed.order.id
            for trade, of, size, price in self.venue.trades:
                if of == name:
                    self.hear(("fill", name, trade, str(size), str(price)))
            if name in self.venue.live:
                if self.account.orders[name].state is OrderState.UNKNOWN:
                    self.hear(("accepted", name))
            elif name in self.venue.ended:
                if self.venue.ended[name] != "filled":
                    self.hear((self.venue.ended[name], name, "QUERIED"))
            elif self.account.orders[name].state is OrderState.UNKNOWN:
                self.hear(("missing", name))

    def restart(self) -> None:
        """All that is not in the journal is gone; what was under way is asked about."""
        self.venue.said.clear()
        self.quotes = {}
        account = Account.begin(self.account.start)
        for time, text in self.journal:
            kind, body = json.loads(text)
            account.apply(read_event(kind, body), time)
        self._start(account)
        self.lose_outcomes()
        self.query()
        for fact in self.manager.reattached():
            self.enter(fact)

    # What is seen.

    @property
    def size(self) -> Decimal:
        return self.account.agents["a1"].size(self.instrument.symbol)

    def exits(self, agent: str = "a1") -> list[tuple[str, Decimal | None, Decimal]]:
        """What rests at the venue for an agent, stops first."""
        found = [
            (order.kind.value, order.level, order.size - self.venue.filled.get(order.id, Decimal(0)))
            for order in self.venue.live.values()
            if order.agent == agent and order.reduces
        ]
        return sorted(found, key=lambda each: (each[0], each[1] or Decimal(0)))

    def working(self, kind: OrderKind) -> list[Order]:
        return [
            replace(each.order, size=each.rest)
            for each in self.account.working_of("a1", self.instrument.symbol)
            if each.order.kind is kind and rests(each)
        ]
