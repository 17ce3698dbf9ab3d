"""What a journal says of a day: how each agent stood when it opened, and every fact that a backtest knows nothing of.

A day is the bars that open in it. It begins at the close of the bar before, with the decisions that were made there,
for these are what its first bar trades.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from clawd.core.account_events import (
    PAUSED,
    AgentPaused,
    AgentUnpaused,
    FlattenBegan,
    FlatVerified,
    TradingState,
    TradingStateChanged,
)
from clawd.core.clock import iso, utc_day
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import (
    AgentFired,
    AgentHired,
    AgentReleased,
    BarClosed,
    BooksMarked,
    FundingPaid,
    HaltBegan,
    HaltEnded,
    IntentsProposed,
    OrderCancelled,
    OrderFilled,
    OrderSubmitted,
    RunStarted,
    VerdictGiven,
    read_event,
)
from clawd.core.orders import OrderKind
from clawd.core.reason import Reason
from clawd.fleet.books import Books
from clawd.store.journal import Journal

#: Before the first bar of a run.
BEFORE = -1

#: An order's place among those of an agent: open of the bar at whose close it was decided, instrument, kind.
Place = tuple[int, str, OrderKind]

_MARKET = (OrderKind.CLOSING, OrderKind.OPENING)

#: Why we ourselves take an order off; all other words are the venue's.
_OURS = {"REPLACED", "POSITION_CLOSED", Reason.HALT.name, Reason.FIRED.name, PAUSED}

#: Closings that are not the strategy's.
_IMPOSED = {int(Reason.HALT), int(Reason.FIRED), int(Reason.BUDGET)}


@dataclass(frozen=True, slots=True)
class Opening:
    """An agent at a close, before anything was decided there.

    Attributes:
        agent, strategy, rank, capital: who it is; ``rank`` is the place of its strategy among the finalists, from 0.
        bar: open of the bar that has closed, UTC nanoseconds; :data:`BEFORE` before the first.
        positions: [I] of :data:`~clawd.engine.position.POSITION`, of the run's instruments.
        worth: its equity, quote currency.
        active: whether it had its slot.
        orders: ids of its working market orders by instrument and kind.
    """

    agent: str
    strategy: str
    rank: int
    capital: Decimal
    bar: int
    positions: NDArray[np.void]
    worth: Decimal
    active: bool = True
    orders: Mapping[tuple[str, OrderKind], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Halt:
    """A span in which nothing was entered: opens of the bars at whose closes it began and ended, None for not yet."""

    since: int
    until: int | None
    event: HaltBegan | None


@dataclass(frozen=True, slots=True)
class Order:
    """What a person ordered of the whole account, other than to trade.

    Attributes:
        since, until: opens of the bars at whose closes it came and was taken back, None for not yet.
        event: what was ordered.
        flatten: whether everything was closed.
        flat: the bar at whose close the venue was flat.
    """

    since: int
    until: int | None
    event: TradingStateChanged
    flatten: bool = False
    flat: int | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A span in which a person let one agent enter nothing.

    Attributes:
        since, until: opens of the bars at whose closes it began and ended, None for not yet.
        event: with which it began.
    """

    since: int
    until: int | None
    event: AgentPaused


@dataclass(slots=True)
class Facts:
    """What happened to one agent on a day, by the opens of the bars.

    Attributes:
        verdicts: of the gate, on what the strategy asked for.
        orders: ids of the market orders that went to the venue, by where they were decided.
        cuts: closings that the reserve enforced, in lots.
        fills: by the bar in which the journal has them, in its order.
        cancels: the venue's word for each order that it took off in a bar.
        funding: paid, quote currency.
        fired: the bar at whose close the agent lost its slot, and the event where it is of this day.
        halts: of the account.
        ordered: by a person, of the account.
        pauses: by a person, of this agent.
        close: its equity at the end, quote currency.
    """

    verdicts: dict[Place, VerdictGiven] = field(default_factory=dict)
    orders: dict[Place, str] = field(default_factory=dict)
    cuts: dict[tuple[int, str], float] = field(default_factory=dict)
    fills: dict[int, list[OrderFilled]] = field(default_factory=dict)
    cancels: dict[tuple[int, str], str] = field(default_factory=dict)
    funding: dict[tuple[int, str], Decimal] = field(default_factory=dict)
    fired: tuple[int, AgentFired | None] | None = None
    halts: tuple[Halt, ...] = ()
    ordered: tuple[Order, ...] = ()
    pauses: tuple[Pause, ...] = ()
    close: Decimal = Decimal(0)


@dataclass(slots=True)
class Day:
    """A UTC day of a run.

    Attributes:
        day: days since 1970.
        opened: open of the last bar before it; :data:`BEFORE` on the first day.
        last: open of its last bar.
        marks: of the instruments when it opened, quote currency.
        openings, facts: by agent.
        profit: of the whole account, quote currency.
    """

    day: int
    opened: int
    last: int
    marks: dict[str, Decimal] = field(default_factory=dict)
    openings: dict[str, Opening] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)
    profit: Decimal = Decimal(0)


@dataclass(slots=True)
class History:
    """What the fleet saw, and what happened on some days of a run."""

    start: RunStarted
    bars: list[BarClosed]
    days: list[Day]


def events_of(journal: Journal) -> Iterator[Event]:
    """The events of a journal, in order.

    Raises:
        ClawdError: naming the entry that cannot be read.
    """
    for entry in journal.entries():
        try:
            yield read_event(entry.kind, entry.body)
        except (KeyError, ValueError) as error:
            raise ClawdError(
                f"entry {entry.seq} is not a {entry.kind} that this version knows: {error}", where="journal"
            ) from None


def bar_times(journal: Journal) -> list[int]:
    """The opens of the bars that a journal has."""
    return [int(str(entry.body["time"])) for entry in journal.entries() if entry.kind == "BarClosed"]


def full_days(times: Iterable[int], bar: int) -> list[int]:
    """The UTC days whose bars are all there, in order; the last counts once a bar has closed at its end or after.

    Args:
        times: opens of the bars, rising.
        bar: duration of a bar, nanoseconds.
    """
    found = list(times)
    days = sorted({utc_day(time) for time in found})
    return days if days and utc_day(found[-1] + bar) > days[-1] else days[:-1]


def read_history(events: Iterable[Event], times: list[int], days: Iterable[int]) -> History:
    """Fold a journal as far as the days need it.

    Args:
        events: of the journal, from its beginning.
        times: opens of all of its bars.
        days: that are wanted, since 1970, each with bars.

    Raises:
        ClawdError: when an event does not fit the books.
    """
    wanted = sorted(set(days))
    following = dict(zip([BEFORE, *times], times, strict=False))
    spans: dict[int, Day] = {}
    for before, time in following.items():
        day = utc_day(time)
        if day in wanted:
            spans.setdefault(day, Day(day, before, time)).last = time
    stream = iter(events)
    start = next(stream, None)
    if not isinstance(start, RunStarted):
        raise ClawdError("it does not begin with RunStarted", where="journal")
    reader = _Reader(History(start, [], list(spans.values())), following, spans)
    for event in stream:
        if reader.take(event):
            break
    return reader.history


class _Reader:
    """The fold in hand."""

    def __init__(self, history: History, following: Mapping[int, int], spans: Mapping[int, Day]) -> None:
        self.history = history
        self.following = following
        self.spans = spans
        self.books = Books.begin(history.start)
        self.now = BEFORE
        self.fresh = True  # at a close, before anything was decided there
        self.marked = False  # whether all was decided at this close
        self.end = max(day.last for day in spans.values())
        self.worth: dict[str, Decimal] = {}
        self.equity = history.start.capital
        self.imposed: set[Place] = set()
        self.halt: Halt | None = None
        self.order: Order | None = None
        self.pauses: dict[str, Pause] = {}

    def take(self, event: Event) -> bool:
        """Take the next event. Returns whether it was the last that matters."""
        if self.fresh and not isinstance(event, FundingPaid):
            self.fresh = False
            self._open()
        if isinstance(event, BarClosed):
            self.now, self.fresh, self.marked = event.time, True, False
            self.history.bars.append(event)
        # What is decided at a close belongs to the day of the bar that follows; funding to that of its own bar.
        own = isinstance(event, FundingPaid | BarClosed)
        following = self.following.get(self.now, BEFORE)
        day = self.spans.get(utc_day(self.now if own else following)) if own or following != BEFORE else None
        self._halted(event)
        self._ordered(event)
        self._paused(event)
        if day is not None:
            self._note(day, event)
        try:
            self.books.apply(event)
        except ClawdError as error:
            raise error.at(f"journal, bar of {iso(self.now)}") from None
        except (KeyError, ValueError, ArithmeticError) as error:
            raise ClawdError(
                f"the {event.kind} does not fit the books: {error!r}", where=f"bar of {iso(self.now)}"
            ) from None
        if isinstance(event, AgentHired) and day is not None:
            self._stand(day, event.agent)
        if isinstance(event, AgentReleased):  # the books no longer mark it, not even this bar
            for each in (self.spans.get(utc_day(self.now)), day):
                if each is not None and event.agent in each.facts:
                    each.facts[event.agent].close = event.capital
        if isinstance(event, BooksMarked):
            self.marked = True
            return self._mark(event)
        return False

    def _open(self) -> None:
        """A day opens: how everyone stands."""
        following = self.following.get(self.now)
        day = None if following is None else self.spans.get(utc_day(following))
        if day is None or day.opened != self.now:
            return
        day.marks = dict(self.books.marks)
        for agent in self.books.agents.values():
            if not agent.released:
                self._stand(day, agent.id)

    def _stand(self, day: Day, name: str) -> None:
        books = self.books
        agent = books.agents[name]
        orders = {
            (order.symbol, order.kind): order.id
            for order in books.orders.values()
            if order.agent == name and order.kind in _MARKET
        }
        day.openings[name] = Opening(
            agent=name,
            strategy=agent.strategy,
            rank=agent.row,
            capital=agent.capital,
            bar=self.now,
            positions=agent.positions.copy(),
            worth=agent.value(books.marks),
            active=agent.active,
            orders=orders,
        )
        facts = day.facts.setdefault(name, Facts())
        facts.close = agent.value(books.marks)
        if not agent.active:
            facts.fired = (BEFORE, None)
        if self.halt is not None:
            facts.halts = (self.halt,)
        if self.order is not None:
            facts.ordered = (self.order,)
        if name in self.pauses:
            facts.pauses = (self.pauses[name],)

    def _halted(self, event: Event) -> None:
        if isinstance(event, HaltBegan):
            self._set_halt(Halt(self.now, None, event))
        elif isinstance(event, HaltEnded) and self.halt is not None:
            # After a pause of the market a day opens with the bar that ends the pause, not at the close before it.
            until = self.following.get(self.now, self.now + 1) if self.marked else self.now
            self._set_halt(Halt(self.halt.since, until, self.halt.event))
            self.halt = None

    def _set_halt(self, halt: Halt) -> None:
        for day in self.spans.values():
            for facts in day.facts.values():
                if day.last > self.now:
                    facts.halts = (*(each for each in facts.halts if each.since != halt.since), halt)
        self.halt = halt

    def _ordered(self, event: Event) -> None:
        order = self.order
        if isinstance(event, TradingStateChanged):
            if order is not None:
                self._set_order(replace(order, until=self.now))
            self.order = None
            if event.state is not TradingState.ACTIVE:
                self._set_order(Order(self.now, None, event))
        elif isinstance(event, FlattenBegan) and order is not None:
            self._set_order(replace(order, flatten=True))
        elif isinstance(event, FlatVerified) and order is not None:
            self._set_order(replace(order, flat=self.now))

    def _set_order(self, order: Order) -> None:
        for day in self.spans.values():
            for facts in day.facts.values():
                if day.last > self.now:
                    # By identity of the event: two orders of one bar are two.
                    others = (each for each in facts.ordered if each.event is not order.event)
                    facts.ordered = (*others, order)
        self.order = order

    def _paused(self, event: Event) -> None:
        if isinstance(event, AgentPaused):
            self.pauses[event.agent] = Pause(self.now, None, event)
            self._set_pause(event.agent, self.pauses[event.agent])
        elif isinstance(event, AgentUnpaused) and event.agent in self.pauses:
            self._set_pause(event.agent, replace(self.pauses.pop(event.agent), until=self.now))

    def _set_pause(self, agent: str, pause: Pause) -> None:
        for day in self.spans.values():
            facts = day.facts.get(agent)
            if facts is not None and day.last > self.now:
                facts.pauses = (*(each for each in facts.pauses if each.event is not pause.event), pause)

    def _note(self, day: Day, event: Event) -> None:
        """Write down what a backtest would not know."""
        time, bar = self.now, self.following.get(self.now, BEFORE)
        name = getattr(event, "agent", None)
        if name is None or name not in day.facts:
            return
        facts = day.facts[name]
        match event:
            case OrderFilled():
                facts.fills.setdefault(bar, []).append(event)
            case OrderCancelled() if event.why not in _OURS:
                facts.cancels[bar, event.order] = event.why
            case FundingPaid():
                paid = facts.funding.get((time, event.symbol), Decimal(0))
                facts.funding[time, event.symbol] = paid + event.amount
            case AgentFired():
                facts.fired = (time, event)
            case IntentsProposed():
                for wish in event.wishes:
                    place = (time, wish.symbol, OrderKind.CLOSING)
                    self.imposed.discard(place)
                    if not wish.closing:
                        continue
                    if wish.closing_reason in _IMPOSED:
                        self.imposed.add(place)
                    if wish.closing_reason == Reason.BUDGET:
                        facts.cuts[time, wish.symbol] = wish.closing
            case VerdictGiven() if event.order_kind in _MARKET:
                place = (time, event.symbol, event.order_kind)
                if place not in self.imposed:
                    facts.verdicts[place] = event
            case OrderSubmitted() if event.order_kind in _MARKET:
                facts.orders[time, event.symbol, event.order_kind] = event.order
            case _:
                pass

    def _mark(self, event: BooksMarked) -> bool:
        """The books at the end of a bar: the profit of the day so far. Returns whether the last day is over."""
        for day in self.spans.values():
            if day.opened == event.time:
                self.equity = event.equity
            if utc_day(event.time) == day.day:
                day.profit = event.equity - self.equity
                for name, (worth, _) in event.agents.items():
                    if name in day.facts:
                        day.facts[name].close = worth
        return event.time >= self.end
