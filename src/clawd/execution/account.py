"""An account at a venue: a fold of its journal and nothing else.

``apply`` is the only way in. It holds the orders and what became of them, the sub-accounts of the agents, the book of
what no agent has done, the exits of each position, the day, and what the account may do. It knows no prices: what
depends on the market of a moment is asked with the marks of that moment, in a time that does not grow with the agents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter

from clawd.core.account_events import (
    UNATTRIBUTED,
    AccountMarked,
    AccountOpened,
    AccountReconciled,
    AdoptionDecided,
    AgentFunded,
    AgentPaused,
    AgentStopped,
    AgentUnpaused,
    AnomalyFound,
    CancelRefused,
    CancelRequested,
    DayBegan,
    DifferenceBooked,
    EntriesBlocked,
    EntriesUnblocked,
    ExitsPlanned,
    FlattenBegan,
    FlatVerified,
    OrderAccepted,
    OrderAdopted,
    OrderDropped,
    OrderExpired,
    OrderMissing,
    OrderRejected,
    OutcomeLost,
    ProtectionChanged,
    ProtectionEnded,
    ProtectionLapsed,
    ProtectionOverdue,
    ProtectionRestored,
    TradeAdopted,
    TradingState,
    TradingStateChanged,
)
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import (
    BarClosed,
    FundingPaid,
    HeldUntil,
    IntentsProposed,
    OrderCancelled,
    OrderFilled,
    OrderHeld,
    OrderMoved,
    OrderSubmitted,
    VerdictGiven,
)
from clawd.core.money import cash_of_fill
from clawd.core.orders import Order
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.execution.holding import Holding
from clawd.execution.life_cycle import OrderState, PlacedOrder, Trigger, after, after_fill
from clawd.execution.stance import Stance
from clawd.execution.sub_account import SubAccount
from clawd.execution.totals import Totals

_ZERO = Decimal(0)

#: Days for which ended orders and the ids of trades are remembered, so that what is told twice is known.
REMEMBERED_DAYS: Final = 3


@dataclass(frozen=True, slots=True)
class Block:
    """No entries in an instrument, for one agent or, None, for all."""

    symbol: str
    agent: str | None
    why: str


@dataclass(frozen=True, slots=True)
class HeldOrder:
    """An order that the gate let through and that is not sent yet, and what it waits for."""

    order: Order
    until: HeldUntil


@dataclass(slots=True)
class Account:
    """Everything that the journal of an account says.

    Attributes:
        start: how it began.
        unallotted: cash that no agent has.
        agents: by id, the unattributed book included once there is something in it.
        orders: those that may still trade, and those that ended in the last days, by our id.
        held: by our id, those that the gate let through and that are not sent yet. They reserve nothing, and are judged
            again before they are sent.
        trades: by the venue's id of a trade, when it was.
        foreign_orders: by the venue's id, working orders there that are none of ours.
        plans: the exits that an entry's position will have, by our id of the entry, for as long as it or they are
            remembered.
        protections: the exits of each position, by agent and symbol.
        naked_since: of each position that nothing protects, since when, or when that was last acted on; by agent and
            symbol, UTC nanoseconds.
        blocks: what may not be entered.
        state, until_day, state_why: what the account may do, until which UTC day (None for no end), and why.
        standing: what a person has said that it may do, which it goes back to when the halt of a day is over.
        flattening: whether everything is being closed.
        day, day_equity: the UTC day that is open (-1 before the first), and the equity with which it opened.
        marks: of the last event that had them; what is booked never depends on them.
        bar_time: open of the last bar that agents have decided on, UTC nanoseconds; -1 before the first.
        time: the latest moment at which a fact was written down, UTC nanoseconds; a clock set back leaves it.
        venue_time: the latest of the venue's clock that a report has told.
        reconciled: the venue's clock when our books last agreed with what it said; 0 before that.
        anomalies: how many were found.
        decided: number of the last decision of a person on the switchboard that was taken in.
    """

    start: AccountOpened
    unallotted: Decimal
    agents: dict[str, SubAccount] = field(default_factory=dict)
    orders: dict[str, PlacedOrder] = field(default_factory=dict)
    held: dict[str, HeldOrder] = field(default_factory=dict)
    trades: dict[str, int] = field(default_factory=dict)
    foreign_orders: dict[str, str] = field(default_factory=dict)
    plans: dict[str, ExitsPlanned] = field(default_factory=dict)
    protections: dict[str, dict[str, ProtectionChanged]] = field(default_factory=dict)
    naked_since: dict[str, dict[str, int]] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    state: TradingState = TradingState.ACTIVE
    until_day: int | None = None
    state_why: str = ""
    standing: TradingState = TradingState.ACTIVE
    flattening: bool = False
    day: int = -1
    day_equity: Decimal = _ZERO
    marks: dict[str, Decimal] = field(default_factory=dict)
    bar_time: int = -1
    time: int = 0
    venue_time: int = 0
    reconciled: int = 0
    anomalies: int = 0
    decided: int = 0
    totals: Annotated[Totals, Field(exclude=True)] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.totals = Totals(self.costs, self.cash)
        for agent in self.agents.values():
            for symbol, holding in agent.holdings.items():
                self.totals.held(agent.id, symbol, holding)
        for placed in self.orders.values():
            self.totals.ordered(placed)

    # What follows from the fold.

    @property
    def costs(self) -> Costs:
        return Costs(self.start.fee, self.start.slippage)

    @property
    def cash(self) -> Decimal:
        """Cash of the whole account."""
        return self.unallotted + sum((agent.cash for agent in self.agents.values()), _ZERO)

    def sizes(self) -> dict[str, Decimal]:
        """The net size of each instrument that is not flat, over all agents and the unattributed book."""
        return {symbol: size for symbol, size in self.totals.net.items() if size}

    def equity(self, marks: Mapping[str, Decimal]) -> Decimal:
        """Worth of the whole account at some marks.

        Raises:
            KeyError: for a position without a mark.
        """
        return self.totals.cash + sum((size * marks[symbol] for symbol, size in self.sizes().items()), _ZERO)

    def day_loss(self, marks: Mapping[str, Decimal]) -> Decimal:
        """Realised and unrealised loss of the open day, not negative. Raises KeyError as `equity` does."""
        return max(self.day_equity - self.equity(marks), _ZERO)

    def reserved(self, marks: Mapping[str, Decimal]) -> Decimal:
        """The worst case still to come of all positions and working entries. Raises KeyError as `equity` does."""
        return self.totals.reserved(self.agents, marks)

    def reserved_by(self, agent: SubAccount, marks: Mapping[str, Decimal]) -> Decimal:
        """The worst case still to come of one agent. Raises KeyError for a position without a mark."""
        total = _ZERO
        if agent.id != UNATTRIBUTED:
            for symbol, holding in agent.holdings.items():
                total += holding.reserved(marks[symbol], self.costs)
        for ids in agent.orders.values():
            total += sum((self.totals.entry_reserve(self.orders[order]) for order in ids), _ZERO)
        return total

    def working(self) -> Iterator[PlacedOrder]:
        """The orders that may still trade."""
        for agent in self.agents.values():
            for ids in agent.orders.values():
                for order in ids:
                    yield self.orders[order]

    def working_of(self, agent: str, symbol: str) -> list[PlacedOrder]:
        """The orders of an agent in an instrument that may still trade, oldest first."""
        book = self.agents.get(agent)
        return [self.orders[order] for order in book.orders.get(symbol, ())] if book else []

    def leaving(self, agent: str, symbol: str) -> list[Order]:
        """What is to close a position of an agent and waits until no exit of it works."""
        return [
            held.order
            for held in self.held.values()
            if held.until is HeldUntil.ALONE
            and held.order.reduces
            and (held.order.agent, held.order.symbol) == (agent, symbol)
        ]

    def blocked(self, agent: str, symbol: str) -> str | None:
        """Why an agent may not enter an instrument, None where it may."""
        for block in self.blocks:
            if block.symbol == symbol and block.agent in (None, agent):
                return block.why
        if any(placed.state is OrderState.UNKNOWN for placed in self.working_of(agent, symbol)):
            return "ORDER_UNKNOWN"
        return None

    def protection(self, agent: str, symbol: str) -> ProtectionChanged | None:
        """The exits of a position, None where there are none."""
        return self.protections.get(agent, {}).get(symbol)

    # The fold.

    @classmethod
    def begin(cls, event: AccountOpened) -> Account:
        """An account that has just been opened."""
        return cls(start=event, unallotted=event.cash)

    def apply(self, event: Event, time: int) -> None:
        """Take a fact into the account.

        Args:
            event: the fact.
            time: when it was written down, UTC nanoseconds.

        Raises:
            ClawdError: when the fact contradicts what is known.
        """
        fold = _FOLDS.get(type(event))
        if fold is None:
            raise ClawdError(f"a {event.kind} cannot stand in the journal of an account", where="journal")
        self.time = max(self.time, time)
        fold(self, event)

    def _agent_funded(self, event: AgentFunded) -> None:
        if event.agent in self.agents or event.agent == UNATTRIBUTED:
            raise ClawdError(f"agent {event.agent} was funded twice", where="journal")
        if event.capital > self.unallotted or event.capital < 0:
            raise ClawdError(
                f"agent {event.agent} was given {event.capital}, only {self.unallotted} were free", where="journal"
            )
        self.unallotted -= event.capital
        self.agents[event.agent] = SubAccount(
            event.agent, event.capital, event.capital, event.capital, about=event.about
        )

    def _agent_stopped(self, event: AgentStopped) -> None:
        self._agent(event.agent).stopped = event.why

    def _agent_paused(self, event: AgentPaused) -> None:
        agent = self._agent(event.agent)
        if agent.paused:
            raise ClawdError(f"agent {event.agent} was paused twice", where="journal")
        agent.paused = True

    def _agent_unpaused(self, event: AgentUnpaused) -> None:
        agent = self._agent(event.agent)
        if not agent.paused:
            raise ClawdError(f"agent {event.agent} was unpaused and had not been paused", where="journal")
        agent.paused = False

    def _order_submitted(self, event: OrderSubmitted) -> None:
        if event.order in self.orders:
            raise ClawdError(f"order {event.order} was submitted twice", where="journal")
        order = event.to_order()
        self.held.pop(order.id, None)
        self._place(PlacedOrder(order, OrderState.SUBMITTED, _ZERO, self.time, replaces=event.replaces))
        self._agent(order.agent).orders.setdefault(order.symbol, []).append(order.id)

    def _order_held(self, event: OrderHeld) -> None:
        if event.order in self.orders:
            raise ClawdError(f"order {event.order} was held after it was submitted", where="journal")
        self._agent(event.agent)
        self.held[event.order] = HeldOrder(event.to_order(), event.until)

    def _order_moved(self, event: OrderMoved) -> None:
        held = self._held_order(event.order)
        self.held[event.order] = replace(held, order=replace(held.order, level=event.level, size=event.size))

    def _order_dropped(self, event: OrderDropped) -> None:
        self._held_order(event.order)
        del self.held[event.order]

    def _order_filled(self, event: OrderFilled) -> None:
        placed = self._order(event.order)
        if event.trade is not None:
            self._note_trade(event.trade, event.time)
        filled = after_fill(placed, event.size)
        if filled is None:
            raise ClawdError(
                f"order {event.order} of {placed.order.size}, {placed.state}, {placed.filled} of it filled, "
                f"cannot have filled another {event.size}",
                where="journal",
            )
        self._book(placed.order.agent, placed.order.symbol, event.size, event.price, event.fee)
        self._place(filled)

    def _trade_adopted(self, event: TradeAdopted) -> None:
        self._note_trade(event.trade, event.venue_time)
        self._unattributed()
        self._book(UNATTRIBUTED, event.symbol, event.size, event.price, event.fee)

    def _difference_booked(self, event: DifferenceBooked) -> None:
        book = self._unattributed()
        book.cash += event.cash
        self.totals.paid(event.cash)
        # What came in without a trade is no profit of the day: it must not make room for a loss. What went out is one,
        # as long as nobody knows better.
        self.day_equity += max(event.cash + event.value, _ZERO)
        if event.symbol is not None and event.size:
            holding = book.holdings.setdefault(event.symbol, Holding())
            holding.size += event.size
            self._held(book, event.symbol, holding)

    def _funding_paid(self, event: FundingPaid) -> None:
        agent = self._agent(event.agent)
        agent.cash -= event.amount
        agent.funding += event.amount
        self.totals.paid(-event.amount)
        if holding := agent.holdings.get(event.symbol):
            holding.episode -= event.amount

    def _order_accepted(self, event: OrderAccepted) -> None:
        placed = self._step(event.order, Trigger.ACCEPTED, event.venue_time)
        self._place(replace(placed, venue_order=event.venue_order or placed.venue_order))

    def _order_rejected(self, event: OrderRejected) -> None:
        self._place(self._step(event.order, Trigger.REJECTED, event.venue_time))

    def _order_expired(self, event: OrderExpired) -> None:
        self._place(self._step(event.order, Trigger.EXPIRED, event.venue_time))

    def _order_cancelled(self, event: OrderCancelled) -> None:
        self._place(self._step(event.order, Trigger.CANCELLED, event.venue_time))

    def _cancel_requested(self, event: CancelRequested) -> None:
        placed = self._step(event.order, Trigger.CANCEL_REQUESTED, None)
        self._place(replace(placed, cancel_why=event.why))

    def _cancel_refused(self, event: CancelRefused) -> None:
        stepped = self._step(event.order, Trigger.CANCEL_REFUSED, None)
        unknown = stepped.state is OrderState.UNKNOWN  # it is still to be taken off when it turns up
        self._place(replace(stepped, cancel_why=stepped.cancel_why if unknown else ""))

    def _outcome_lost(self, event: OutcomeLost) -> None:
        self._place(self._step(event.order, Trigger.OUTCOME_LOST, None))

    def _order_missing(self, event: OrderMissing) -> None:
        self._place(self._step(event.order, Trigger.MISSING, None))

    def _order_adopted(self, event: OrderAdopted) -> None:
        self.foreign_orders[event.venue_order] = event.symbol
        self._saw(event.venue_time)

    def _adoption_decided(self, event: AdoptionDecided) -> None:
        self.decided = max(self.decided, event.decision or 0)
        self.blocks = [block for block in self.blocks if (block.symbol, block.why) != (event.symbol, UNATTRIBUTED)]

    def _entries_blocked(self, event: EntriesBlocked) -> None:
        block = Block(event.symbol, event.agent, event.why)
        if block not in self.blocks:
            self.blocks.append(block)

    def _entries_unblocked(self, event: EntriesUnblocked) -> None:
        block = Block(event.symbol, event.agent, event.why)
        if block not in self.blocks:
            raise ClawdError(f"{event.symbol} was not blocked for {event.why}", where="journal")
        self.blocks.remove(block)

    def _exits_planned(self, event: ExitsPlanned) -> None:
        self.plans[event.order] = event if event.time else event.model_copy(update={"time": self.time})

    def _protection_changed(self, event: ProtectionChanged) -> None:
        agent = self._agent(event.agent)
        holding = agent.holdings.get(event.symbol)
        if holding is None:
            raise ClawdError(f"{event.agent} holds no {event.symbol} that could be protected", where="journal")
        self.protections.setdefault(event.agent, {})[event.symbol] = event
        holding.stop = event.stop
        self._held(agent, event.symbol, holding)

    def _protection_ended(self, event: ProtectionEnded) -> None:
        self.protections.get(event.agent, {}).pop(event.symbol, None)
        if event.shut:
            stances = self._agent(event.agent).stances
            before = stances.get(event.symbol, Stance())
            stances[event.symbol] = Stance(before.acted if event.acted_on else 0.0, event.shut, self.time)

    def _intents_proposed(self, event: IntentsProposed) -> None:
        stances = self._agent(event.agent).stances
        for wish in event.wishes:
            before = stances.get(wish.symbol, Stance())
            shut_at = before.shut_at if before.shut == wish.shut else self.time
            stances[wish.symbol] = Stance(wish.exposure, wish.shut, shut_at)

    def _bar_closed(self, event: BarClosed) -> None:
        self.bar_time = event.time

    def _protection_lapsed(self, event: ProtectionLapsed | ProtectionOverdue) -> None:
        self.naked_since.setdefault(event.agent, {})[event.symbol] = self.time

    def _protection_restored(self, event: ProtectionRestored) -> None:
        self.naked_since.get(event.agent, {}).pop(event.symbol, None)

    def _trading_state_changed(self, event: TradingStateChanged) -> None:
        self.state, self.until_day, self.state_why = event.state, event.until_day, event.why
        if event.until_day is None:
            self.standing = event.state

    def _flatten_began(self, event: FlattenBegan) -> None:
        self.flattening = True

    def _flat_verified(self, event: FlatVerified) -> None:
        self.flattening = False
        self._saw(event.venue_time)

    def _day_began(self, event: DayBegan) -> None:
        if event.day <= self.day:
            raise ClawdError(f"day {event.day} came after day {self.day}", where="journal")
        self.day, self.day_equity, self.marks = event.day, event.equity, event.marks
        for name, value in event.agents.items():
            self._agent(name).day_value = value
        # What the venue may still tell again, because it was told last before a long silence, is remembered as well.
        begins = event.day * NANOSECONDS_PER_DAY
        last = min(begins, self.reconciled or begins)
        horizon = last - REMEMBERED_DAYS * NANOSECONDS_PER_DAY
        self.trades = {trade: time for trade, time in self.trades.items() if time >= horizon}
        self.orders = {
            order: placed
            for order, placed in self.orders.items()
            if placed.ended_at is None or placed.ended_at >= horizon
        }
        # An entry may wait for people before it is sent.
        self.plans = {order: plan for order, plan in self.plans.items() if order in self.orders or plan.time >= horizon}

    def _account_marked(self, event: AccountMarked) -> None:
        self.marks = event.marks

    def _anomaly_found(self, event: AnomalyFound) -> None:
        self.anomalies += 1

    def _account_reconciled(self, event: AccountReconciled) -> None:
        self.reconciled = max(self.reconciled, event.venue_time)
        self._saw(event.venue_time)

    def _noted(self, event: Event) -> None:
        """A fact that is kept for people and changes no figure."""

    # Steps that several facts share.

    def _agent(self, name: str) -> SubAccount:
        if name not in self.agents:
            raise ClawdError(f"there is no agent {name}", where="journal")
        return self.agents[name]

    def _order(self, name: str) -> PlacedOrder:
        if name not in self.orders:
            raise ClawdError(f"there is no order {name}", where="journal")
        return self.orders[name]

    def _held_order(self, name: str) -> HeldOrder:
        if name not in self.held:
            raise ClawdError(f"no order {name} is held", where="journal")
        return self.held[name]

    def _unattributed(self) -> SubAccount:
        return self.agents.setdefault(UNATTRIBUTED, SubAccount(UNATTRIBUTED, _ZERO, _ZERO, _ZERO))

    def _saw(self, venue_time: int | None) -> None:
        if venue_time is not None:
            self.venue_time = max(self.venue_time, venue_time)

    def _note_trade(self, trade: str, venue_time: int) -> None:
        if trade in self.trades:
            raise ClawdError(f"trade {trade} was booked twice", where="journal")
        self.trades[trade] = venue_time
        self._saw(venue_time)

    def _step(self, name: str, trigger: Trigger, venue_time: int | None) -> PlacedOrder:
        placed = self._order(name)
        stepped = after(placed, trigger)
        if stepped is None:
            raise ClawdError(f"order {name} is {placed.state}: it cannot be {trigger}", where="journal")
        self._saw(venue_time)
        return stepped

    def _place(self, placed: PlacedOrder) -> None:
        """Keep an order and the list of those that work up to date."""
        order = placed.order
        before = self.orders.get(order.id)
        if placed.state.working is not (placed.ended_at is None):
            placed = replace(placed, ended_at=None if placed.state.working else self.time)
        self.orders[order.id] = placed
        self.totals.ordered(placed)
        working = self._agent(order.agent).orders
        if before is not None and before.state.working and not placed.state.working:
            working[order.symbol].remove(order.id)
            if not working[order.symbol]:
                del working[order.symbol]
        elif before is not None and placed.state.working and not before.state.working:
            working.setdefault(order.symbol, []).append(order.id)

    def _book(self, name: str, symbol: str, size: Decimal, price: Decimal, fee: Decimal) -> None:
        agent = self._agent(name)
        holding = agent.holdings.setdefault(symbol, Holding())
        flow = cash_of_fill(size, price) - fee
        agent.cash += flow
        agent.fees += fee
        agent.realised += holding.book(size, price, fee)
        self.totals.paid(flow)
        self._held(agent, symbol, holding)

    def _held(self, agent: SubAccount, symbol: str, holding: Holding) -> None:
        self.totals.held(agent.id, symbol, holding)
        if not holding.size:
            agent.holdings.pop(symbol, None)
            self.naked_since.get(agent.id, {}).pop(symbol, None)

    # Snapshots.

    def to_json(self) -> bytes:
        """The whole fold, to be read back by :meth:`from_json`."""
        return _ADAPTER.dump_json(self)

    @classmethod
    def from_json(cls, text: bytes) -> Account:
        """The fold that was written.

        Raises:
            pydantic.ValidationError: when it was not written by this version.
        """
        return _ADAPTER.validate_json(text)


_FOLDS: Final[dict[type[Event], Callable[[Account, Any], None]]] = {
    AgentFunded: Account._agent_funded,
    AgentStopped: Account._agent_stopped,
    AgentPaused: Account._agent_paused,
    AgentUnpaused: Account._agent_unpaused,
    OrderSubmitted: Account._order_submitted,
    OrderHeld: Account._order_held,
    OrderMoved: Account._order_moved,
    OrderDropped: Account._order_dropped,
    OrderFilled: Account._order_filled,
    OrderAccepted: Account._order_accepted,
    OrderRejected: Account._order_rejected,
    OrderExpired: Account._order_expired,
    OrderCancelled: Account._order_cancelled,
    CancelRequested: Account._cancel_requested,
    CancelRefused: Account._cancel_refused,
    OutcomeLost: Account._outcome_lost,
    OrderMissing: Account._order_missing,
    OrderAdopted: Account._order_adopted,
    TradeAdopted: Account._trade_adopted,
    DifferenceBooked: Account._difference_booked,
    AdoptionDecided: Account._adoption_decided,
    FundingPaid: Account._funding_paid,
    EntriesBlocked: Account._entries_blocked,
    EntriesUnblocked: Account._entries_unblocked,
    ExitsPlanned: Account._exits_planned,
    ProtectionChanged: Account._protection_changed,
    ProtectionEnded: Account._protection_ended,
    ProtectionLapsed: Account._protection_lapsed,
    ProtectionRestored: Account._protection_restored,
    ProtectionOverdue: Account._protection_lapsed,
    TradingStateChanged: Account._trading_state_changed,
    FlattenBegan: Account._flatten_began,
    FlatVerified: Account._flat_verified,
    DayBegan: Account._day_began,
    AccountMarked: Account._account_marked,
    AccountReconciled: Account._account_reconciled,
    AnomalyFound: Account._anomaly_found,
    VerdictGiven: Account._noted,
    IntentsProposed: Account._intents_proposed,
    BarClosed: Account._bar_closed,
}

_ADAPTER: Final = TypeAdapter(Account)
