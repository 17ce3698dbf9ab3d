"""What the journal of a venue's account says, from close to close: how each agent stood, and what happened to it then.

A bar is lived through from the close before it, with the decisions made there, to its own close.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from clawd.core.account_events import (
    UNATTRIBUTED,
    AccountOpened,
    AgentFunded,
    AgentPaused,
    AgentUnpaused,
    CancelRequested,
    DifferenceBooked,
    ExitsPlanned,
    OrderDropped,
    OrderExpired,
    OrderMissing,
    OrderRejected,
    ProtectionChanged,
    TradeAdopted,
    TradingState,
)
from clawd.core.clock import utc_day
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import (
    BarClosed,
    IntentsProposed,
    OrderCancelled,
    OrderFilled,
    OrderHeld,
    OrderSubmitted,
    VerdictGiven,
    Wish,
    read_event,
)
from clawd.core.instrument import Instrument
from clawd.core.money import booked_float, studied
from clawd.core.orders import Order, OrderKind
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.data.bar_builder import DAYS_A_YEAR
from clawd.execution.account import Account
from clawd.execution.protection import from_event
from clawd.execution.recovery import Written
from clawd.execution.stance import Stance
from clawd.execution.sub_account import SubAccount
from clawd.fleet.venue_decision import capital_of, position_of

#: Orders that decisions make; the others are made by exits.
DECIDED = (OrderKind.CLOSING, OrderKind.OPENING)

_ENDS = OrderRejected | OrderMissing | OrderExpired | OrderCancelled | OrderDropped


@dataclass(frozen=True, eq=False, slots=True)
class Standing:
    """An agent at a close, before anything was decided there.

    Attributes:
        positions: [I] of :data:`~clawd.engine.position.POSITION`, of the account's instruments.
        cash: quote currency.
        sizes: by symbol, those held.
        capital: quote currency that its exposures are shares of, where nothing is paid for whole, and where it is.
        stopped: why it may enter nothing any more, None while it may.
        paused: with what a person paused it, None while it is not.
        waited_for: symbols in which an order of a decision worked, or waited to be sent.
        working: those of them that were at the venue, with what was left of each in lots.
        state: what the account might do.
        late: nanoseconds after the close at which it was heard of.
    """

    positions: NDArray[np.void]
    cash: Decimal
    sizes: Mapping[str, Decimal]
    capital: tuple[float, float]
    stopped: str | None
    paused: AgentPaused | None
    waited_for: frozenset[str]
    working: tuple[tuple[Order, float], ...]
    state: TradingState
    late: int

    def worth(self, marks: Mapping[str, Decimal]) -> Decimal:
        """Cash and what is held, at some marks; quote currency."""
        return self.cash + sum((size * marks[symbol] for symbol, size in self.sizes.items()), Decimal(0))


@dataclass(slots=True)
class Lived:
    """What happened to an agent from one close to the next, its decisions at the first included.

    Attributes:
        wishes: what it decided, by symbol.
        verdicts: of the gate, by our id of the order.
        fills: in the journal's order.
    """

    wishes: dict[str, Wish] = field(default_factory=dict)
    verdicts: dict[str, VerdictGiven] = field(default_factory=dict)
    fills: list[OrderFilled] = field(default_factory=list)


@dataclass(slots=True)
class AgentHistory:
    """One agent, close by close; both lists are by the place of the close among the account's bars.

    Attributes:
        agent, strategy, capital, about: who it is; ``about`` is its strategy as JSON.
        standings: at each close of the days that are wanted.
        lived: from each of them to the next.
    """

    agent: str
    strategy: str
    capital: Decimal
    about: Mapping[str, object]
    standings: dict[int, Standing] = field(default_factory=dict)
    lived: dict[int, Lived] = field(default_factory=dict)


@dataclass(slots=True)
class AccountHistory:
    """An account as its journal tells it.

    Attributes:
        start: how it began.
        bars: that closed, in order.
        marks: by place of the close, the last close of each instrument, quote currency.
        agents: by id.
        plans: of entries, by our id.
        submitted: orders that went to the venue, by our id.
        fills: by our id of the order, with the place of the close before each.
        ends: by our id, why an order left the venue, or never came there, other than by filling.
        held: orders that waited here before they were sent, by our id.
        equity: of the whole account at each close, at its marks.
        unattributed: worth at each close of what no agent has done, quote currency.
        strangers: what happened to it, by place of the close before, in words.
    """

    start: AccountOpened
    bars: list[BarClosed] = field(default_factory=list)
    marks: list[dict[str, Decimal]] = field(default_factory=list)
    agents: dict[str, AgentHistory] = field(default_factory=dict)
    plans: dict[str, ExitsPlanned] = field(default_factory=dict)
    submitted: dict[str, Order] = field(default_factory=dict)
    fills: dict[str, list[tuple[int, OrderFilled]]] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    held: dict[str, Order] = field(default_factory=dict)
    equity: dict[int, Decimal] = field(default_factory=dict)
    unattributed: dict[int, Decimal] = field(default_factory=dict)
    strangers: dict[int, list[str]] = field(default_factory=dict)

    def panel(self) -> Panel:
        """The bars that the fleet saw."""
        start, bars = self.start, self.bars
        values = np.full((5, len(start.symbols), len(bars)), np.nan)
        for column, bar in enumerate(bars):
            for symbol, figures in bar.bars.items():
                values[:, start.symbols.index(symbol), column] = [
                    np.nan if figure is None else figure for figure in figures
                ]
        opens, highs, lows, closes, volumes = values
        return Panel(
            tuple(Instrument(*each) for each in zip(start.symbols, start.ticks, start.lots, strict=True)),
            start.bar,
            np.array([bar.time for bar in bars], np.int64),
            opens,
            highs,
            lows,
            closes,
            volumes,
            funding=np.zeros(values.shape[1:]),
            bars_per_year=DAYS_A_YEAR * NANOSECONDS_PER_DAY / start.bar,
        )


def span_of(times: Sequence[int], day: int) -> range:
    """The places of the closes of a UTC day: from that of the last bar before it to that of its last.

    The first day begins at the close of the first bar: nothing is decided before it.

    Args:
        times: opens of the bars, rising.
        day: since 1970, with a bar.
    """
    inside = [place for place, time in enumerate(times) if utc_day(time) == day]
    return range(max(inside[0] - 1, 0), inside[-1] + 1)


def read_account_history(entries: Iterable[Written], times: Sequence[int], days: Iterable[int]) -> AccountHistory:
    """Fold the journal of an account, and keep how its agents stood at the closes of some days.

    Args:
        entries: of the journal, from its beginning.
        times: opens of all of its bars.
        days: that are wanted, since 1970, each with bars.

    Raises:
        ClawdError: when an entry cannot be read, does not fit those before it, or when the journal is of a version
            that did not say how long its bars are.
    """
    reader: _Reader | None = None
    for entry in entries:
        try:
            event = read_event(entry.kind, entry.body)
        except (KeyError, ValueError) as error:
            raise ClawdError(f"entry {entry.seq} is not a {entry.kind} that this version knows: {error}") from None
        if reader is None:
            if not isinstance(event, AccountOpened):
                raise ClawdError("it does not begin with AccountOpened", where="journal")
            if not event.bar:
                raise ClawdError("this account was begun by a clawd that did not write down how long its bars are")
            wanted = frozenset(place for day in set(days) for place in span_of(times, day))
            reader = _Reader(AccountHistory(event), wanted)
            continue
        try:
            reader.take(event, entry.ts)
        except ClawdError as error:
            raise error.at(f"journal, entry {entry.seq}") from None
    if reader is None:
        raise ClawdError("the journal is empty", where="journal")
    reader.stand()
    return reader.history


class _Reader:
    """The fold in hand."""

    def __init__(self, history: AccountHistory, wanted: frozenset[int]) -> None:
        self.history, self.wanted = history, wanted
        self.account = Account.begin(history.start)
        self.place = -1
        self.heard = 0
        self.fresh = False  # at a close, before anything was decided there
        self.paused: dict[str, AgentPaused] = {}
        self.ended: set[tuple[str, str]] = set()  # agent and symbol of the orders that ended since the close

    def take(self, event: Event, time: int) -> None:
        """Take the next event."""
        if self.fresh and not _moves_exits(event):
            self.stand()
        self.account.apply(event, time)
        self._note(event)
        if isinstance(event, BarClosed):
            self._close(event, time)
        if isinstance(event, _ENDS) and (order := self._order(event.order)) is not None and order.kind in DECIDED:
            self.ended.add((order.agent, order.symbol))

    def _close(self, event: BarClosed, time: int) -> None:
        history = self.history
        self.place, self.heard, self.fresh = self.place + 1, time, True
        self.ended.clear()
        marks = dict(history.marks[-1]) if history.marks else {}
        marks.update({symbol: booked_float(figures[3]) for symbol, figures in event.bars.items()})
        history.bars.append(event)
        history.marks.append(marks)
        if self.place in self.wanted:
            for agent in history.agents.values():
                agent.lived[self.place] = Lived()

    def stand(self) -> None:
        """Write down how everyone stands at the close, where a day that is wanted needs it."""
        history, bars = self.history, self.history.bars
        if not self.fresh:
            return
        self.fresh = False
        if (place := self.place) not in self.wanted:
            return
        marks = history.marks[place]
        history.equity[place] = self.account.equity(marks)
        unattributed = self.account.agents.get(UNATTRIBUTED)
        history.unattributed[place] = unattributed.value(marks) if unattributed is not None else Decimal(0)
        for name, found in history.agents.items():
            found.standings[place] = self._standing(self.account.agents[name], bars[place])

    def _standing(self, agent: SubAccount, bar: BarClosed) -> Standing:
        account, start, history = self.account, self.history.start, self.history
        positions = []
        for symbol, tick, lot in zip(start.symbols, start.ticks, start.lots, strict=True):
            event = account.protection(agent.id, symbol)
            held = None if event is None else from_event(event, Instrument(symbol, tick, lot))
            positions.append(position_of(held, agent.stances.get(symbol, Stance()), self.heard, start.bar))
        lots = dict(zip(start.symbols, start.lots, strict=True))
        orders = [account.orders[order] for ids in agent.orders.values() for order in ids]
        working = [placed for placed in orders if placed.order.kind in DECIDED]
        held_back = [each.order for each in account.held.values() if each.order.agent == agent.id]
        waited_for = {
            order.symbol for order in (*(each.order for each in working), *held_back) if order.kind in DECIDED
        }
        marks = history.marks[self.place]
        return Standing(
            positions=np.array(positions),
            cash=agent.cash,
            sizes={symbol: holding.size for symbol, holding in agent.holdings.items()},
            capital=(studied(agent.capital), capital_of(agent, account.costs, marks, True)),
            stopped=agent.stopped,
            paused=self.paused.get(agent.id),
            waited_for=frozenset(waited_for),
            working=tuple((each.order, float(each.rest / lots[each.order.symbol])) for each in working),
            state=account.state,
            late=self.heard - bar.time - start.bar,
        )

    def _note(self, event: Event) -> None:
        history = self.history
        name = getattr(event, "agent", None)
        own = history.agents.get(name) if isinstance(name, str) else None
        lived = own.lived.get(self.place) if own is not None else None
        match event:
            case ExitsPlanned():
                history.plans[event.order] = event
            case OrderSubmitted():
                history.submitted[event.order] = event.to_order()
            case OrderHeld():
                history.held[event.order] = event.to_order()
            case OrderRejected() | OrderCancelled() | OrderExpired() | OrderMissing() | OrderDropped():
                history.ends[event.order] = _why(event)
            case TradeAdopted():
                self._strange(f"{event.size:+f} {event.symbol} at {event.price:f} by hand")
            case DifferenceBooked():
                self._strange(f"{event.size:+f} {event.symbol or ''} and {event.cash:+f} in cash ({event.why})")
            case OrderFilled():
                history.fills.setdefault(event.order, []).append((self.place, event))
                if lived is not None:
                    lived.fills.append(event)
            case VerdictGiven() if lived is not None:
                lived.verdicts.setdefault(event.order, event)
            case IntentsProposed() if lived is not None and not self._asks_again(event):
                lived.wishes.update({wish.symbol: wish for wish in event.wishes})
            case AgentPaused():
                self.paused[event.agent] = event
            case AgentUnpaused():
                del self.paused[event.agent]
            case AgentFunded():
                strategy = str(event.about.get("name", ""))
                history.agents[event.agent] = AgentHistory(event.agent, strategy, event.capital, event.about)
            case _:
                pass

    def _asks_again(self, event: IntentsProposed) -> bool:
        """Whether an agent only asks for anew what the venue did not take: that is no decision at a close."""
        wish = event.wishes[0]
        return (event.agent, wish.symbol) in self.ended and event.wishes == [
            Wish(symbol=wish.symbol, exposure=None, shut=wish.shut)
        ]

    def _order(self, name: str) -> Order | None:
        placed = self.account.orders.get(name)
        return placed.order if placed is not None else self.history.held.get(name)

    def _strange(self, words: str) -> None:
        self.history.strangers.setdefault(self.place, []).append(words)


def _moves_exits(event: Event) -> bool:
    """Whether a fact after a close is about exits that move with it: all decisions come after those."""
    if isinstance(event, VerdictGiven | OrderSubmitted):
        return event.order_kind not in DECIDED
    return isinstance(event, ProtectionChanged | CancelRequested)


def _why(event: OrderRejected | OrderMissing | OrderExpired | OrderCancelled | OrderDropped) -> str:
    match event:
        case OrderRejected():
            return f"rejected: {event.code}"
        case OrderCancelled():
            return f"cancelled: {event.why}"
        case OrderExpired():
            return "what could not trade at once expired"
        case OrderMissing():
            return "the venue never had it"
        case OrderDropped():
            return f"never sent: {event.why}"
