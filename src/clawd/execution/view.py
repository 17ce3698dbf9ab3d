"""What the gate is shown of an order at a venue: the account, the market and the venue as they are at this moment.

What it costs grows with the instruments and with what the one agent has, not with the agents. A figure that is not
known is NaN or None there, and the gate then refuses: nothing is guessed here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from clawd.core.account_events import UNATTRIBUTED, TradingState
from clawd.core.clock import utc_day
from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind, OrderType
from clawd.core.reports import Quote
from clawd.execution.account import Account
from clawd.execution.life_cycle import OrderState, PlacedOrder
from clawd.execution.sub_account import SubAccount
from clawd.execution.totals import worst_entry
from clawd.risk.limits import Limits
from clawd.risk.snapshot import (
    AccountFacts,
    AgentFacts,
    Cluster,
    MarginFacts,
    MarketFacts,
    PositionFacts,
    Snapshot,
    VenueFacts,
)

_ZERO: Final = Decimal(0)
_UNKNOWN: Final = Decimal("NaN")


@dataclass(slots=True)
class MarketNow:
    """What is known of an instrument's market. Its feed keeps it up to date.

    Attributes:
        instrument: its steps and the venue's bounds.
        price, price_time: the last, quote currency, and when it was so, UTC nanoseconds.
        quote: the best bid and ask, where there is a feed of them.
        bid_depth, ask_depth: visible size on each side; None for what stands at the best prices.
        day_volume: units traded within a day.
        cluster: name of the instruments that it moves with.
    """

    instrument: Instrument
    price: Decimal | None = None
    price_time: int | None = None
    quote: Quote | None = None
    bid_depth: Decimal | None = None
    ask_depth: Decimal | None = None
    day_volume: Decimal | None = None
    cluster: str | None = None

    def quoted(self, quote: Quote) -> None:
        """Take a quote: its middle is the price."""
        self.quote, self.price, self.price_time = quote, quote.middle, quote.time


@dataclass(slots=True)
class VenueNow:
    """What is known of a venue.

    Attributes:
        name: of the venue.
        connected: whether the way to it is open.
        breaker_open: whether its circuit breaker has cut it off.
        clock_skew: nanoseconds by which its clock is ahead of ours, None where nobody has looked.
        margin: what a position needs to be opened and to be kept, as shares of its notional; None where that is not
            known.
    """

    name: str
    connected: bool = False
    breaker_open: bool = False
    clock_skew: int | None = None
    margin: tuple[Decimal, Decimal] | None = None


@dataclass(slots=True)
class View:
    """What an order is judged by.

    Attributes:
        account: the fold of the journal.
        markets: by symbol.
        venue: that the account is at.
        limits: in force.
    """

    account: Account
    markets: Mapping[str, MarketNow]
    venue: VenueNow
    limits: Limits
    _entries: RecentEntries = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._entries = RecentEntries(self.limits.order_window)
        self._entries.read(self.account)  # now, and not before the first order

    def marks(self) -> dict[str, Decimal]:
        """The last price by symbol, of those that have one."""
        return {symbol: market.price for symbol, market in self.markets.items() if market.price is not None}

    def snapshot(self, order: Order, now: int, part: Decimal = Decimal(1), replaces: str | None = None) -> Snapshot:
        """The facts about an order that is not sent yet.

        Args:
            order: what will be asked for.
            now: UTC nanoseconds.
            part: of what is free of the day's budget, the share that this order may use.
            replaces: our id of the working order whose place it takes, at the venue or by being there before that one
                is cancelled.
        """
        agent, symbol, marks = self.account.agents.get(order.agent), order.symbol, self.marks()
        entering = order.kind is OrderKind.OPENING
        gross = self._gross() if entering else {}
        account = AccountFacts(self._state(), _UNKNOWN, _UNKNOWN)
        if entering:
            account = self._account_facts(marks, gross, now)
        entries = self._entries.counts(self.account, order.agent, now) if entering else (0, 0)
        return Snapshot(
            now=now,
            account=account,
            agent=self._agent_facts(order.agent, agent, marks, entries[0], entering, now),
            position=_position_facts(order, self.account, agent, replaces),
            market=self._market_facts(symbol, gross),
            venue=VenueFacts(
                name=self.venue.name,
                connected=self.venue.connected,
                breaker_open=self.venue.breaker_open,
                clock_skew=self.venue.clock_skew,
                gross=account.gross,
                orders=entries[1],
                margin=self._margin_facts(account),
            ),
            part=part,
        )

    def _state(self) -> TradingState:
        state = self.account.state
        return TradingState.REDUCING if self.account.flattening and state is TradingState.ACTIVE else state

    def _account_facts(self, marks: Mapping[str, Decimal], gross: Mapping[str, Decimal], now: int) -> AccountFacts:
        account, totals = self.account, self.account.totals
        try:
            equity = account.equity(marks)
            return AccountFacts(
                state=self._state(),
                # Before a day is opened nobody knows what it began with.
                loss=max(account.day_equity - equity, _ZERO) if account.day == utc_day(now) else _UNKNOWN,
                reserved=account.reserved(marks),
                equity=equity,
                gross=sum(gross.values(), _ZERO),
                net=sum((size * marks[symbol] for symbol, size in totals.net.items() if size), totals.entries_net),
            )
        except KeyError:  # a position without a mark
            return AccountFacts(self._state(), _UNKNOWN, _UNKNOWN)

    def _agent_facts(
        self, name: str, agent: SubAccount | None, marks: Mapping[str, Decimal], orders: int, entering: bool, now: int
    ) -> AgentFacts:
        if agent is None or name == UNATTRIBUTED or not entering:
            capital = _ZERO if agent is None else agent.capital
            return AgentFacts(name, False, True, capital, _ZERO, _UNKNOWN, _UNKNOWN, _UNKNOWN)
        try:
            loss = agent.day_loss(marks) if self.account.day == utc_day(now) else _UNKNOWN
            reserved = self.account.reserved_by(agent, marks)
            exposure = sum((abs(held.size) * marks[symbol] for symbol, held in agent.holdings.items()), _ZERO)
        except KeyError:
            loss = reserved = exposure = _UNKNOWN
        for placed in self._entries_of(agent):
            exposure += abs(placed.rest) * worst_entry(placed)
        return AgentFacts(
            id=name,
            active=agent.stopped is None,
            paused=agent.paused,
            capital=agent.capital,
            share=self.limits.day_loss * agent.capital / self.account.start.cash,
            loss=loss,
            reserved=reserved,
            exposure=exposure,
            orders=orders,
        )

    def _entries_of(self, agent: SubAccount) -> Iterator[PlacedOrder]:
        for ids in agent.orders.values():
            for order in ids:
                placed = self.account.orders[order]
                if placed.order.kind is OrderKind.OPENING:
                    yield placed

    def _market_facts(self, symbol: str, gross: Mapping[str, Decimal]) -> MarketFacts:
        market = self.markets.get(symbol)
        if market is None:
            nowhere = Instrument(symbol, _UNKNOWN, _UNKNOWN)
            return MarketFacts(nowhere, None, None, unattributed=_UNKNOWN, blocked=True)
        quote, whys = market.quote, [b.why for b in self.account.blocks if b.symbol == symbol and b.agent is None]
        theirs = self.account.agents.get(UNATTRIBUTED)
        undecided = theirs.size(symbol) if theirs is not None and UNATTRIBUTED in whys else _ZERO
        return MarketFacts(
            instrument=market.instrument,
            price=market.price,
            price_time=market.price_time,
            unattributed=undecided,
            blocked=bool(whys) and not undecided,
            bid=None if quote is None else quote.bid,
            ask=None if quote is None else quote.ask,
            quote_time=None if quote is None else quote.time,
            bid_depth=quote.bid_size if market.bid_depth is None and quote is not None else market.bid_depth,
            ask_depth=quote.ask_size if market.ask_depth is None and quote is not None else market.ask_depth,
            day_volume=market.day_volume,
            gross=gross.get(symbol, _ZERO),
            cluster=None if market.cluster is None else self._cluster(market.cluster, gross),
        )

    def _gross(self) -> dict[str, Decimal]:
        """Notional of all positions and working entries by instrument, none netted; NaN for one without a mark."""
        gross = {symbol: notional for symbol, notional in self.account.totals.entries.items() if notional}
        for symbol, size in self.account.totals.gross.items():
            if size:
                market = self.markets.get(symbol)
                held = _UNKNOWN if market is None or market.price is None else size * market.price
                gross[symbol] = gross.get(symbol, _ZERO) + held
        return gross

    def _cluster(self, name: str, gross: Mapping[str, Decimal]) -> Cluster:
        members = (symbol for symbol, market in self.markets.items() if market.cluster == name)
        return Cluster(name, sum((gross.get(symbol, _ZERO) for symbol in members), _ZERO))

    def _margin_facts(self, account: AccountFacts) -> MarginFacts | None:
        if self.venue.margin is None or account.equity is None or account.gross is None:
            return None
        initial, maintenance = self.venue.margin
        return MarginFacts(
            equity=account.equity,
            free=account.equity - initial * account.gross,
            gross=account.gross,
            initial=initial,
            maintenance=maintenance,
        )


def _position_facts(order: Order, account: Account, agent: SubAccount | None, replaces: str | None) -> PositionFacts:
    opening = closing = exits = _ZERO
    unknown = 0
    for placed in account.working_of(order.agent, order.symbol):
        other = placed.order
        unknown += placed.state is OrderState.UNKNOWN
        if other.id in (order.id, replaces):
            continue
        if other.kind is OrderKind.OPENING:
            opening += placed.rest
        elif order.reduces and other.size * order.size < 0:
            continue  # it was to close a position of the other side, and cannot close this one
        elif not _waits(other):
            closing += abs(placed.rest)
        elif other.kind is order.kind and placed.state is not OrderState.PENDING_CANCEL:
            exits += abs(placed.rest) if order.group is None or other.group != order.group else _ZERO
    if not order.reduces:  # what waits here to close the position goes before an entry
        closing += sum((abs(each.size) for each in account.leaving(order.agent, order.symbol)), _ZERO)
    holding = None if agent is None else agent.holdings.get(order.symbol)
    return PositionFacts(
        size=_ZERO if holding is None else holding.size,
        average=None if holding is None else holding.average,
        opening=opening,
        closing=closing,
        exits=exits,
        unknown_orders=unknown,
        blocked=any(block.symbol == order.symbol and block.agent == order.agent for block in account.blocks),
    )


def _waits(order: Order) -> bool:
    """Whether it rests until the market comes to it, as a stop or a target does; the others close at once."""
    return order.kind in (OrderKind.STOP, OrderKind.TAKE) and order.type is not OrderType.MARKET


class RecentEntries:
    """When entries were sent, as far back as they are counted. It reads on in the account where it stopped before.

    Where the account has forgotten that place with the orders of past days, all that it remembers is read once more:
    that is older than any window, and so counts for nothing.

    Args:
        window: nanoseconds.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._last: str | None = None
        self._times: dict[str | None, deque[int]] = {None: deque()}

    def counts(self, account: Account, agent: str, now: int) -> tuple[int, int]:
        """Entries within the window until now: of one agent, and of all."""
        self.read(account)
        return self._count(agent, now), self._count(None, now)

    def read(self, account: Account) -> None:
        """Read on in the orders of the account."""
        new: list[PlacedOrder] = []
        for placed in reversed(account.orders.values()):
            if placed.order.id == self._last:
                break
            new.append(placed)
        if new:
            self._last = new[0].order.id
        for placed in reversed(new):
            if placed.order.kind is OrderKind.OPENING:
                for name in (None, placed.order.agent):
                    self._times.setdefault(name, deque()).append(placed.submitted_at)

    def _count(self, name: str | None, now: int) -> int:
        times = self._times.get(name)
        while times and times[0] <= now - self._window:
            times.popleft()
        return len(times) if times else 0
