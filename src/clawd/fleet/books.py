"""The books of a run: a fold of its journal and nothing else.

``apply`` is the only way in. The live loop applies each event as it makes it; a restart and ``clawd journal verify``
apply the same events read back, so there is one truth and no second way to reach it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np

from clawd.core.account_events import (
    PAUSED,
    AgentPaused,
    AgentUnpaused,
    FlattenBegan,
    FlatVerified,
    TradingState,
    TradingStateChanged,
)
from clawd.core.clock import iso
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import (
    AgentFired,
    AgentHired,
    AgentReleased,
    BarClosed,
    BooksMarked,
    DayOpened,
    FundingPaid,
    HaltBegan,
    HaltEnded,
    HypothesisProven,
    IntentsProposed,
    KnowledgeNoted,
    OrderCancelled,
    OrderFilled,
    OrderMoved,
    OrderSubmitted,
    RunFinished,
    RunStarted,
    VerdictGiven,
)
from clawd.core.money import booked_float, fee_of_fill, studied
from clawd.core.orders import Order, OrderKind
from clawd.core.reason import Reason
from clawd.engine.position import (
    after_bar,
    book_closing,
    book_opening,
    book_target,
    next_target,
    stop_reason,
    target_lots,
)
from clawd.engine.prices import Grid, grid_of
from clawd.evidence.eprocess import EProcess
from clawd.evidence.levels import wealth_to_reach
from clawd.evidence.monitor import Monitor, why_to_fire
from clawd.execution.exits import Exit, exits_needed
from clawd.fleet.agent_book import AgentBook, new_positions
from clawd.fleet.claims import Bet
from clawd.fleet.figures import Figures
from clawd.language.exits import Exits, read_exits
from clawd.risk.gate import Outcome


@dataclass(slots=True)
class Books:
    """Everything that a journal says.

    Attributes:
        start: how the run began.
        grids: of prices, of each instrument.
        agents: by id, in the order in which they were hired.
        unallotted: cash of the account that no agent has, quote currency.
        marks, mark_times: the last close by symbol, quote currency, and the open of its bar, UTC nanoseconds.
        orders: resting at the venue, by id.
        let_through: by order id, the sizes that the gate has let through and that were not yet submitted.
        filled_at: open of the bar at hand, UTC nanoseconds, once something filled in it.
        bars: bars closed so far.
        time: open of the last bar, UTC nanoseconds; -1 before the first.
        day: the UTC day that is open, and the equity with which it opened.
        halted_until: the UTC day on which entries are allowed again, None while they are.
        state: what a person allows; ``command`` is the number of the order that says so, 0 for none.
        flattening: whether everything is being closed because a person said so.
        beyond: the largest loss of a day beyond its limit so far: gaps that no reserve covers.
        known_until: the open of the last bar that was shown to who chose the finalists, None for none.
        equity: [T] of the account at each mark, quote currency, for study.
    """

    start: RunStarted
    agents: dict[str, AgentBook] = field(default_factory=dict)
    unallotted: Decimal = Decimal(0)
    marks: dict[str, Decimal] = field(default_factory=dict)
    mark_times: dict[str, int] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    let_through: dict[str, Decimal] = field(default_factory=dict)
    filled_at: int | None = None
    bars: int = 0
    time: int = -1
    day: int = -1
    day_equity: Decimal = Decimal(0)
    halted_until: int | None = None
    state: TradingState = TradingState.ACTIVE
    command: int = 0
    flattening: bool = False
    beyond: Decimal = Decimal(0)
    halts: int = 0
    known_until: int | None = None
    equity_curve: list[float] = field(default_factory=list)
    exposure_curve: list[float] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    finished: bool = False
    grids: tuple[Grid, ...] = field(init=False)
    _figures: Figures = field(default_factory=Figures, compare=False, repr=False)
    _orders_of: dict[str, dict[str, Order]] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        self.grids = tuple(grid_of(studied(tick)) for tick in self.start.ticks)

    @classmethod
    def begin(cls, start: RunStarted) -> Books:
        """The books of a run that has just begun."""
        return cls(start=start, unallotted=start.capital, day_equity=start.capital)

    # What follows from the books.

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self.start.symbols)

    @property
    def costs(self) -> Costs:
        return Costs(self.start.fee, self.start.slippage)

    @property
    def cash(self) -> Decimal:
        """Cash of the whole account: what the agents have and what none of them has."""
        if self._figures.cash is None:
            held = (agent.cash for agent in self.agents.values() if not agent.released)
            self._figures.cash = self.unallotted + sum(held, Decimal(0))
        return self._figures.cash

    @property
    def equity(self) -> Decimal:
        """Worth of the whole account at the last marks."""
        held = sum((size * self.marks[symbol] for symbol, size in self.net_sizes().items()), Decimal(0))
        return self.cash + held

    @property
    def day_loss(self) -> Decimal:
        """Realised and unrealised loss of the open day, not negative."""
        return max(self.day_equity - self.equity, Decimal(0))

    @property
    def reserved(self) -> Decimal:
        """The worst case still to come of every open position and working entry."""
        known = self._figures.reserved
        for name in self.agents.keys() - known.keys():
            self.reserved_by(self.agents[name])
        return sum(map(known.__getitem__, self.agents), Decimal(0))  # in one order, whoever was known before

    def reserved_by(self, agent: AgentBook) -> Decimal:
        """The worst case still to come of one agent."""
        found = self._figures.reserved.get(agent.id)
        if found is None:
            found = agent.position_reserved(self.symbols, self.marks, self.costs) + agent.entry_reserved(
                self.symbols, tuple(self.start.lots), self.costs
            )
            self._figures.reserved[agent.id] = found
        return found

    def exposure_of(self, agent: AgentBook, only: int | None = None) -> Decimal:
        """Notional of an agent's book once its working orders have filled, in all instruments or in that of one row."""
        known = self._figures.exposures.setdefault(agent.id, {})
        total = known.get(only)
        if total is None:
            total = Decimal(0)
            for row, symbol in enumerate(self.symbols):
                position = agent.positions[row]
                if symbol in self.marks and only in (None, row):
                    lots = position["lots"] + position["closing"] + position["opening"]
                    total += abs(booked_float(lots)) * self.start.lots[row] * self.marks[symbol]
            known[only] = total
        return total

    def net_sizes(self) -> dict[str, Decimal]:
        """The sum of the agents' sizes by symbol, which must equal the venue's positions."""
        if self._figures.net_sizes is None:
            sizes: dict[str, Decimal] = {}
            for agent in self.agents.values():
                for symbol, size in agent.sizes.items():
                    if size:
                        sizes[symbol] = sizes.get(symbol, Decimal(0)) + size
            self._figures.net_sizes = {symbol: size for symbol, size in sizes.items() if size}
        return self._figures.net_sizes

    def active_agents(self) -> list[AgentBook]:
        return [agent for agent in self.agents.values() if agent.active]

    def orders_of(self, agent: str, symbol: str) -> list[Order]:
        """The resting orders of an agent in an instrument."""
        return [order for order in self._orders_of.get(agent, {}).values() if order.symbol == symbol]

    def has_orders(self, agent: str) -> bool:
        """Whether an order of an agent rests at the venue."""
        return bool(self._orders_of.get(agent))

    def row(self, symbol: str) -> int:
        return self.start.symbols.index(symbol)

    def marked(self) -> BooksMarked:
        """The figures of this moment, to be entered at the end of a bar."""
        agents = {}
        for agent in self.agents.values():
            if not agent.released:
                equity = agent.value(self.marks)
                agents[agent.id] = (equity, self._evidence_after(agent, equity).wealth)
        return BooksMarked(
            time=self.time,
            cash=self.cash,
            equity=self.equity,
            day_loss=self.day_loss,
            reserved=self.reserved,
            agents=agents,
        )

    # The fold.

    def apply(self, event: Event) -> None:
        """Take a fact into the books.

        Raises:
            ClawdError: when the fact contradicts the books.
        """
        try:
            self._apply(event)
        finally:
            self._figures.forget(event)

    def _apply(self, event: Event) -> None:
        match event:
            case BarClosed():
                self._bar_closed(event)
            case BooksMarked():
                self._books_marked(event)
            case OrderFilled():
                self._order_filled(event)
            case OrderSubmitted():
                self._order_submitted(event)
            case OrderMoved():
                order = self._resting(event.order)
                self._agree_on_exit(order, event.size, event.level)
                self._rest(replace(order, level=event.level, size=event.size))
            case OrderCancelled():
                self._order_cancelled(event)
            case IntentsProposed():
                self._intents_proposed(event)
            case VerdictGiven():
                self._verdict_given(event)
            case FundingPaid():
                agent = self.agents[event.agent]
                agent.cash -= event.amount
                agent.episode[event.symbol] -= event.amount
                agent.funding += event.amount
            case AgentHired():
                self._agent_hired(event)
            case KnowledgeNoted():
                if self.agents or self.known_until is not None:
                    raise ClawdError("what was known is noted before the first agent is hired", where="journal")
                self.known_until = event.until
            case HypothesisProven():
                self._hypothesis_proven(event)
            case AgentFired():
                self._agent_fired(event)
            case AgentReleased():
                self._agent_released(event)
            case AgentPaused() | AgentUnpaused():
                self._agent_paused(event)
            case DayOpened():
                self._day_opened(event)
            case HaltBegan():
                _agree("the day's loss", event.loss, self.day_loss)
                _agree("the limit", event.limit, self.start.day_loss_limit)
                _agree("the loss beyond the limit", event.beyond, event.loss - event.limit)
                self.halted_until = event.until_day
                self.halts += 1
            case HaltEnded():
                self.halted_until = None
            case TradingStateChanged():
                self.state, self.command, self.flattening = event.state, event.command or 0, False
            case FlattenBegan():
                self.flattening = True
            case FlatVerified():
                if self.net_sizes() or self.orders:
                    raise ClawdError("the venue was said to be flat, and the books are not", where="journal")
                self.flattening = False
            case RunFinished():
                _agree("the equity", event.equity, self.equity)
                _agree("the count of bars", event.bars, self.bars)
                self.finished = True
            case _:
                raise ClawdError(f"a {event.kind} cannot stand here", where="journal")

    def _agent_hired(self, event: AgentHired) -> None:
        if event.capital > self.unallotted:
            raise ClawdError(
                f"agent {event.agent} was given {event.capital}, only {self.unallotted} were free",
                where="journal",
            )
        hashes = [str(finalist["content_hash"]) for finalist in self.start.finalists]
        if any(agent.hypothesis == event.hypothesis for agent in self.agents.values()):
            raise ClawdError(f"hypothesis {event.hypothesis} was hired twice", where="journal")
        _agree("the level", event.level, wealth_to_reach(event.hypothesis, event.promotions_before))
        self.unallotted -= event.capital
        self.agents[event.agent] = AgentBook(
            id=event.agent,
            strategy=event.strategy,
            content_hash=event.content_hash,
            rank=event.rank,
            row=hashes.index(event.content_hash),
            capital=event.capital,
            hypothesis=event.hypothesis,
            level=event.level,
            counts_from=event.counts_from,
            cash=event.capital,
            positions=new_positions(len(self.symbols)),
            exits=exits_of(self.start, event.content_hash),
            hired_at=self.time,
            evidence=EProcess() if event.evidence is None else EProcess.from_json(event.evidence),
            equity=event.capital,
            peak=event.capital,
            day_equity=event.capital,
        )

    def _agent_fired(self, event: AgentFired) -> None:
        agent = self.agents[event.agent]
        monitor, drawdown = self.monitor_of(agent), agent.drawdown(self.marks)
        _agree("the drawdown", event.drawdown, drawdown)
        _agree("the limit", event.limit, self.start.max_drawdown)
        _agree("the reason", event.why, why_to_fire(monitor, drawdown, event.limit))
        if event.wealth is not None:
            _agree("the wealth of the bet against it", event.wealth, monitor.wealth)
        if not agent.active:
            raise ClawdError(f"agent {agent.id} was fired twice", where="journal")
        agent.fired = event.why

    def _hypothesis_proven(self, event: HypothesisProven) -> None:
        agent = self.agents[event.agent]
        expected = (agent.hypothesis, agent.evidence.peak, agent.level)
        _agree(f"what {agent.id} has proven", (event.hypothesis, event.wealth, event.level), expected)
        if agent.proven or not agent.evidence.reached(agent.level):
            raise ClawdError(f"the evidence of {agent.id} has not just reached its level", where="journal")
        agent.proven = True

    def _agent_paused(self, event: AgentPaused | AgentUnpaused) -> None:
        agent, paused = self.agents[event.agent], isinstance(event, AgentPaused)
        if agent.released or agent.paused is paused:
            state = "released" if agent.released else "paused" if paused else "not paused"
            raise ClawdError(f"agent {agent.id} is {state} already: a {event.kind} cannot stand here", where="journal")
        agent.paused = paused

    def _agent_released(self, event: AgentReleased) -> None:
        agent = self.agents[event.agent]
        if agent.active or not agent.flat or agent.cash != event.capital:
            raise ClawdError(
                f"agent {agent.id} was released with {event.capital}, the books say {agent.cash}",
                where="journal",
            )
        agent.released = True
        agent.equity = agent.cash
        agent.bound, agent.bet = 0.0, None
        self.unallotted += agent.cash

    def _bar_closed(self, event: BarClosed) -> None:
        if event.time <= self.time:
            raise ClawdError(f"the bar of {iso(event.time)} came after that of {iso(self.time)}", where="journal")
        if self.filled_at not in (None, event.time):
            raise ClawdError(f"orders filled in another bar than that of {iso(event.time)}", where="journal")
        self.filled_at = None
        self.time = event.time
        self.bars += 1
        for symbol, (_, high, low, close, volume) in event.bars.items():
            row = self.row(symbol)
            self.marks[symbol], self.mark_times[symbol] = booked_float(close), event.time
            ranges, traded, grid = event.ranges.get(symbol, {}), volume != 0.0, self.grids[row]
            for agent in self.agents.values():
                if not agent.released:
                    chandelier = agent.exits.chandelier
                    average_range = np.nan if chandelier is None else ranges.get(chandelier.window or 0, np.nan)
                    after_bar(agent.positions[row], agent.plan, high, low, traded, average_range, grid)

    def _order_submitted(self, event: OrderSubmitted) -> None:
        if event.order in self.orders:
            raise ClawdError(f"order {event.order} rests at the venue already", where="journal")
        order = event.to_order()
        if order.kind in (OrderKind.CLOSING, OrderKind.OPENING):
            _agree(f"the size of order {order.id}", order.size, self.let_through.pop(order.id, Decimal(0)))
        else:
            self._agree_on_exit(order, order.size, order.level)
        self._rest(order)

    def _rest(self, order: Order) -> None:
        self.orders[order.id] = order
        self._orders_of.setdefault(order.agent, {})[order.id] = order

    def _take_off(self, order: Order) -> None:
        del self.orders[order.id]
        del self._orders_of[order.agent][order.id]

    def _agree_on_exit(self, order: Order, size: Decimal, level: Decimal | None) -> None:
        """An exit is what the position needs: a stop for the whole of it, or one of its targets."""
        agent, row = self.agents[order.agent], self.row(order.symbol)
        needed = self._exits_needed(agent, row, agent.sizes[order.symbol])
        if order.kind is OrderKind.STOP:
            _agree(f"the size of {order.id}", size, needed[0].size)
            _agree(f"the level of {order.id}", level, needed[0].level)
        elif (size, level) not in [(exit_.size, exit_.level) for exit_ in needed[1:]]:
            raise ClawdError(f"{order.id} is for {size} at {level}, the position has no such target", where="journal")

    def _exits_needed(self, agent: AgentBook, row: int, size: Decimal) -> list[Exit]:
        return exits_needed(agent.positions[row], agent.plan, size, self.start.ticks[row], self.start.lots[row])

    def _order_filled(self, event: OrderFilled) -> None:
        order = self._resting(event.order)
        self._take_off(order)
        agent, row = self.agents[order.agent], self.row(order.symbol)
        position = agent.positions[row]
        found = (event.agent, event.symbol, event.order_kind, event.size)
        _agree(f"the fill of {event.order}", found, (order.agent, order.symbol, order.kind, order.size))
        if event.time <= self.time or self.filled_at not in (None, event.time):
            raise ClawdError(f"the fill of {event.order} at {iso(event.time)} is not of this bar", where="journal")
        self.filled_at = event.time
        _agree("the fee", event.fee, fee_of_fill(event.size, event.price, self.start.fee))
        reason = Reason(stop_reason(position)) if order.kind is OrderKind.STOP else order.reason
        _agree("the reason", event.reason, reason)
        lots = float(event.size / self.start.lots[row])
        agent.book(order.symbol, event.size, event.price, event.fee, event.slippage)
        if order.kind is OrderKind.OPENING:
            book_opening(position, lots, studied(event.price), self.grids[row])
        elif order.kind is OrderKind.TAKE:
            place = next_target(position, agent.plan)
            _agree(f"the size of {event.order}", abs(lots), target_lots(position, agent.plan, place))
            book_target(position, place, lots)
        else:
            book_closing(position, lots, float(event.reason))

    def _order_cancelled(self, event: OrderCancelled) -> None:
        self._take_off(self._resting(event.order))
        position = self.agents[event.agent].positions[self.row(event.symbol)]
        if event.order_kind is OrderKind.OPENING:
            position["opening"] = 0.0
            # An entry that the market, a halt or a pause took away is asked for again.
            if event.why in ("PRICE_BAND", Reason.HALT.name, PAUSED):
                position["acted"] = np.nan

    def _day_opened(self, event: DayOpened) -> None:
        _agree("the equity", event.equity, self.equity)
        if event.day <= self.day:
            raise ClawdError(f"day {event.day} came after day {self.day}", where="journal")
        self._note_beyond()
        self.day, self.day_equity = event.day, event.equity
        for agent in self.agents.values():
            agent.day_equity = agent.value(self.marks)

    def _note_beyond(self) -> None:
        """A halt closes at the next open, so the day's loss may still grow after it began."""
        if self.day >= 0:
            self.beyond = max(self.beyond, self.day_loss - self.start.day_loss_limit)

    def _intents_proposed(self, event: IntentsProposed) -> None:
        agent = self.agents[event.agent]
        for wish in event.wishes:
            position = agent.positions[self.row(wish.symbol)]
            position["acted"] = np.nan if wish.exposure is None else wish.exposure
            if position["shut"] != wish.shut:
                position["shut"], position["shut_bars"] = wish.shut, 0.0
            position["closing"], position["closing_reason"] = wish.closing, wish.closing_reason
            # An entry counts from its verdict on: until then nothing is reserved for it.
            position["opening"], position["opening_reason"] = 0.0, wish.opening_reason
            position["reference"] = wish.reference
            position["distances"] = wish.distances or 0.0

    def _verdict_given(self, event: VerdictGiven) -> None:
        self.outcomes[event.outcome] = self.outcomes.get(event.outcome, 0) + 1
        agent, row = self.agents[event.agent], self.row(event.symbol)
        _agree("the outcome", event.outcome, _outcome(event.allowed, event.asked))
        if event.outcome != Outcome.REFUSE:
            self.let_through[event.order] = event.allowed
        if event.order_kind is OrderKind.OPENING:
            agent.positions[row]["opening"] = float(event.allowed / self.start.lots[row])
        if event.outcome == Outcome.REFUSE:
            agent.refusals += 1
            if event.order_kind is OrderKind.CLOSING:
                agent.positions[row]["closing"] = 0.0

    def _books_marked(self, event: BooksMarked) -> None:
        expected = self.marked()
        if expected != event:
            raise ClawdError(
                f"the books of {iso(event.time)} do not add up: {_difference(event, expected)}",
                where="journal",
            )
        if len(self.equity_curve) != self.bars - 1:
            raise ClawdError(f"the bar of {iso(event.time)} was marked twice", where="journal")
        self._note_beyond()
        ticks, lots = tuple(self.start.ticks), tuple(self.start.lots)
        for agent in self.agents.values():
            if agent.released:
                continue
            self._exits_in_place(agent)
            equity = agent.value(self.marks)
            agent.monitor = self.monitor_of(agent)
            agent.bet = self._bet_of(agent, equity)
            agent.evidence = self._evidence_after(agent, equity)
            agent.equity = equity
            agent.peak = max(agent.peak, equity)
            agent.deepest = max(agent.deepest, (agent.peak - equity) / agent.capital)
            agent.bound = agent.most_to_lose(self.symbols, ticks, lots, self.marks, self.costs, self.start.bar)
        self.equity_curve.append(studied(event.equity))
        gross = sum((agent.exposure(self.marks) for agent in self.agents.values()), Decimal(0))
        self.exposure_curve.append(studied(gross / self.start.capital))

    def _bet_of(self, agent: AgentBook, equity: Decimal) -> Bet | None:
        """The bar at hand as evidence, None where it does not count."""
        if agent.hired_at == self.time or self.time < agent.counts_from:
            return None
        return Bet(self.time, studied((equity - agent.equity) / agent.capital), agent.bound)

    def _evidence_after(self, agent: AgentBook, equity: Decimal) -> EProcess:
        found = self._figures.evidence.get(agent.id)
        if found is None:
            bet = self._bet_of(agent, equity)
            found = agent.evidence if bet is None else agent.evidence.after(bet.net_return, bet.bound)
            self._figures.evidence[agent.id] = found
        return found

    def monitor_of(self, agent: AgentBook) -> Monitor:
        """The evidence that an agent loses, the bar at hand included; of no use once that is marked."""
        if agent.hired_at == self.time:
            return agent.monitor
        found = self._figures.monitors.get(agent.id)
        if found is None:
            net_return = studied((agent.value(self.marks) - agent.equity) / agent.capital)
            found = self._figures.monitors[agent.id] = agent.monitor.after(net_return, agent.bound)
        return found

    def _exits_in_place(self, agent: AgentBook) -> None:
        """Each position has its exits at the venue: a stop for its whole size, and its targets."""
        for row, symbol in enumerate(self.symbols):
            if size := agent.sizes.get(symbol):
                needed = self._exits_needed(agent, row, size)
                resting = self.orders_of(agent.id, symbol)
                for kind, name in ((OrderKind.STOP, "stop"), (OrderKind.TAKE, "targets")):
                    found = [(order.size, order.level) for order in resting if order.kind is kind]
                    expected = [(exit_.size, exit_.level) for exit_ in needed if exit_.kind is kind]
                    _agree(f"the {name} of {agent.id} in {symbol}", found, expected)

    def _resting(self, order: str) -> Order:
        if order not in self.orders:
            raise ClawdError(f"order {order} is not resting at the venue", where="journal")
        return self.orders[order]


def _outcome(allowed: Decimal, asked: Decimal) -> Outcome:
    return Outcome.REFUSE if allowed == 0 else Outcome.ALLOW if allowed == asked else Outcome.SHRINK


def _agree(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise ClawdError(f"{what} is {found}, the fold gives {expected}", where="journal")


def _difference(found: BooksMarked, expected: BooksMarked) -> str:
    for name in ("time", "cash", "equity", "day_loss", "reserved"):
        if getattr(found, name) != getattr(expected, name):
            return f"{name} is {getattr(found, name)}, the fold gives {getattr(expected, name)}"
    for agent in found.agents.keys() | expected.agents.keys():
        if found.agents.get(agent) != expected.agents.get(agent):
            return f"agent {agent} has {found.agents.get(agent)}, the fold gives {expected.agents.get(agent)}"
    return "they differ"


def exits_of(start: RunStarted, content_hash: str) -> Exits:
    """The exits of a finalist, as the journal's beginning states them."""
    finalist = next(each for each in start.finalists if each["content_hash"] == content_hash)
    return read_exits(finalist["strategy"]["exits"])
