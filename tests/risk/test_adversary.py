"""An adversary that knows the rules, against the gate and the account: how much can be lost in a UTC day.

It chooses what is asked for, where prices go and whether they jump, when orders fill, how much of them and how badly,
what is cancelled, when a day ends, and when the process dies. The venue is honest about money: an entry fills at the
market with no more than the slippage that costs promise, and a stop at its level or, where the market has jumped beyond
it, at the market, with that slippage. A ledger of its own, which shares no code with the account, says what is lost.

What no reserve can cover is measured fill by fill as what it gave up beyond its reserved price, and it is all that may
be lost beyond the limit. Three ways in which a gate of this kind is known to be wrong are put in, and must be found.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from clawd.core.account_events import (
    AccountOpened,
    AgentFunded,
    CancelRequested,
    DayBegan,
    OutcomeLost,
    ProtectionChanged,
    ProtectionEnded,
)
from clawd.core.costs import Costs
from clawd.core.event import Event
from clawd.core.events import OrderCancelled, OrderFilled, OrderSubmitted
from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind, OrderType
from clawd.core.reason import Reason
from clawd.execution.account import Account
from clawd.execution.holding import Holding
from clawd.execution.life_cycle import PlacedOrder
from clawd.execution.view import MarketNow, VenueNow, View
from clawd.risk.gate import Code, Outcome, approve
from clawd.risk.limits import Limits
from clawd.risk.reserve import leaving_rate
from clawd.risk.snapshot import Snapshot

DAY, SECOND = 86_400 * 10**9, 10**9
SYMBOLS = ("AAA", "BBB")
LIMIT, CASH = Decimal(10), Decimal(1000)
AGENTS = {"a001": Decimal(800), "a002": Decimal(200)}
COSTS = Costs(Decimal("0.002"), Decimal("0.001"))
ROUNDING = Decimal("1e-6")


@dataclass
class Ledger:
    """The venue's money, kept by nothing but addition.

    Attributes:
        beyond: of the open day, what fills gave up beyond their reserved price.
        deepest: the largest loss of a day less what was beyond in it, over all days.
    """

    cash: Decimal = CASH
    sizes: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    day_equity: Decimal = CASH
    beyond: Decimal = Decimal(0)
    deepest: Decimal = Decimal(0)

    def fill(self, symbol: str, size: Decimal, price: Decimal) -> Decimal:
        fee = abs(size) * price * COSTS.fee
        self.cash -= size * price + fee
        self.sizes[symbol] += size
        return fee

    def equity(self, marks: dict[str, Decimal]) -> Decimal:
        return self.cash + sum((size * marks[symbol] for symbol, size in self.sizes.items()), Decimal(0))

    def loss(self, marks: dict[str, Decimal]) -> Decimal:
        return self.day_equity - self.equity(marks)


shares = st.decimals("0.01", "0.3", places=3)
slips = st.sampled_from([Decimal(0), COSTS.slippage / 2, COSTS.slippage])


class Adversary(RuleBasedStateMachine):
    """The game. What the gate believes may be falsified by a subclass; what the ledger says may not."""

    believed: Costs = COSTS

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.now = 100 * DAY
        self.number = 0
        self.journal: list[tuple[Event, int]] = []
        self.markets = {
            symbol: MarketNow(Instrument(symbol, Decimal("0.01"), Decimal("0.0001")), Decimal(100), self.now)
            for symbol in SYMBOLS
        }
        opened = AccountOpened(
            account="x",
            venue="paper",
            code="",
            cash=CASH,
            symbols=list(SYMBOLS),
            ticks=[Decimal("0.01")] * 2,
            lots=[Decimal("0.0001")] * 2,
            fee=self.believed.fee,
            slippage=self.believed.slippage,
            day_loss_limit=LIMIT,
            leverage=Decimal(20),
        )
        self.opened = opened
        self.view = View(
            Account.begin(opened),
            self.markets,
            VenueNow("paper", connected=True),
            Limits(LIMIT, Decimal(20), self.believed, 10 * SECOND, Decimal("0.9")),
        )
        for agent, capital in AGENTS.items():
            self.enter(AgentFunded(agent=agent, capital=capital))
        self.begin_day()

    # The platform's side.

    @property
    def account(self) -> Account:
        return self.view.account

    @property
    def marks(self) -> dict[str, Decimal]:
        return self.view.marks()

    def enter(self, event: Event) -> None:
        self.account.apply(event, self.now)
        self.journal.append((event, self.now))

    def begin_day(self) -> None:
        equity = self.account.equity(self.marks)
        values = {agent: self.account.agents[agent].value(self.marks) for agent in AGENTS}
        self.enter(DayBegan(day=self.now // DAY, equity=equity, agents=values, marks=self.marks))
        self.ledger.day_equity = self.ledger.equity(self.marks)
        self.ledger.beyond = Decimal(0)

    def shown(self, order: Order) -> Snapshot:
        return self.view.snapshot(order, self.now)

    def send(self, order: Order) -> PlacedOrder | None:
        verdict, approved = approve(order, self.shown(order), self.view.limits)
        if order.reduces:
            assert verdict.outcome is Outcome.ALLOW, verdict
        if approved is None:
            assert verdict.code is not Code.FIGURE_UNKNOWN, verdict
            return None
        self.enter(OrderSubmitted.of(approved.order))
        return self.account.orders[order.id]

    def order(self, agent: str, symbol: str, kind: OrderKind, size: Decimal, reason: Reason, **more: Any) -> Order:
        self.number += 1
        return Order(f"o{self.number}", agent, symbol, kind, size, reason, reference=self.marks[symbol], **more)

    def fill(self, placed: PlacedOrder, size: Decimal, price: Decimal) -> None:
        order = placed.order
        fee = self.ledger.fill(order.symbol, size, price)
        self.number += 1
        self.enter(
            OrderFilled(
                order=order.id,
                agent=order.agent,
                symbol=order.symbol,
                order_kind=order.kind,
                time=self.now,
                size=size,
                price=price,
                fee=fee,
                slippage=Decimal(0),
                reason=order.reason,
                trade=f"t{self.number}",
            )
        )

    def protect(self, agent: str, symbol: str, stop: Decimal) -> None:
        self.enter(ProtectionChanged(agent=agent, symbol=symbol, stop=stop, targets=[], memory={}))

    def leave(self, agent: str, symbol: str, kind: OrderKind, reason: Reason, price: Decimal) -> None:
        placed = self.send(self.order(agent, symbol, kind, -self.account.agents[agent].size(symbol), reason))
        assert placed is not None
        self.fill(placed, placed.order.size, price)
        self.enter(ProtectionEnded(agent=agent, symbol=symbol))

    def holdings(self, symbol: str) -> list[tuple[str, Holding]]:
        found = [(agent, self.account.agents[agent].holdings.get(symbol)) for agent in AGENTS]
        return [(agent, holding) for agent, holding in found if holding is not None]

    def filled_entry(self, placed: PlacedOrder, part: Decimal, slip: Decimal, reserved: bool) -> None:
        """An entry trades at the market, and its stop is where the order says, or where the position's stop is."""
        order = placed.order
        side = 1 if order.size > 0 else -1
        rest = order.size - placed.filled
        size = (rest * part).quantize(Decimal("0.0001")) or rest
        price = self.marks[order.symbol] * (1 + side * slip)
        assert order.stop_distance is not None
        assert order.reference is not None
        before = self.account.agents[order.agent].holdings.get(order.symbol)
        stop = price - side * order.stop_distance
        if before is not None and before.stop is not None and (before.size + size) * before.size > 0:
            stop = before.stop
        self.fill(placed, size, price)
        holding = self.account.agents[order.agent].holdings.get(order.symbol)
        if holding is not None:
            self.protect(order.agent, order.symbol, stop)
        costs = leaving_rate(COSTS)
        # The fee of the way in and what slipped there, the way to the stop, and leaving there.
        worst = side * (self.marks[order.symbol] - stop) + side * (price - self.marks[order.symbol])
        worst += price * COSTS.fee + max(stop, Decimal(0)) * costs
        promised_stop = order.reference - side * order.stop_distance
        promised = order.stop_distance + order.reference * costs + max(promised_stop, Decimal(0)) * costs
        self.ledger.beyond += abs(size) * max(worst - (promised if reserved else Decimal(0)), Decimal(0))
        self.touch(order.symbol)

    def touch(self, symbol: str, jumped: bool = False, slip: Decimal = COSTS.slippage) -> None:
        """Stops that the market has reached trade: at their level, or where the market is if it jumped there."""
        mark = self.marks[symbol]
        for agent, holding in self.holdings(symbol):
            side = 1 if holding.size > 0 else -1
            if holding.stop is None or side * (mark - holding.stop) > 0:
                continue
            left_at = mark if jumped or mark != holding.stop else holding.stop
            self.ledger.beyond += abs(holding.size) * side * (holding.stop - left_at) * (1 - side * leaving_rate(COSTS))
            self.leave(agent, symbol, OrderKind.STOP, Reason.STOP, left_at * (1 - side * slip))

    def go(self, symbol: str, price: Decimal, slip: Decimal = COSTS.slippage) -> None:
        """The market goes to a price and through every price on the way."""
        market = self.markets[symbol]
        while True:
            mark = self.marks[symbol]
            on_the_way = [
                holding.stop
                for _, holding in self.holdings(symbol)
                if holding.stop is not None and min(mark, price) <= holding.stop <= max(mark, price)
            ]
            if not on_the_way:
                break
            market.price = min(on_the_way, key=lambda stop: abs(stop - mark))
            self.touch(symbol, slip=slip)
        market.price = price
        self.tick()

    def tick(self) -> None:
        self.now += SECOND // 1000
        for market in self.markets.values():
            market.price_time = self.now

    # The adversary's side.

    @initialize(prices=st.tuples(st.integers(5, 500), st.integers(5, 500)))
    def prices_are(self, prices: tuple[int, int]) -> None:
        for symbol, price in zip(SYMBOLS, prices, strict=True):
            self.markets[symbol].price = Decimal(price)
        self.tick()

    @rule(
        agent=st.sampled_from(list(AGENTS)),
        symbol=st.sampled_from(SYMBOLS),
        side=st.sampled_from([1, -1]),
        distance=shares,
        much=st.sampled_from([Decimal("0.02"), Decimal("0.3"), Decimal(1), Decimal(3), Decimal(30)]),
        at_once=st.booleans(),
    )
    def ask(self, agent: str, symbol: str, side: int, distance: Decimal, much: Decimal, at_once: bool) -> None:
        """An entry, of what the whole limit would bear, times something; it may trade before anything else happens."""
        mark = self.marks[symbol]
        holding = self.account.agents[agent].holdings.get(symbol)
        away = mark * distance
        if holding is not None and holding.stop is not None:
            away = abs(mark - holding.stop)  # a position that is enlarged keeps its stop
        size = (much * LIMIT / (mark * distance)).quantize(Decimal("0.0001")) * side
        more = {"stop_distance": away, "type": OrderType.MARKET}
        if size and away:
            placed = self.send(self.order(agent, symbol, OrderKind.OPENING, size, Reason.ENTRY, **more))
            if placed is not None and at_once:
                self.filled_entry(placed, Decimal(1), COSTS.slippage, reserved=True)

    @rule(side=st.sampled_from([1, -1]), distance=shares)
    def everyone_asks_for_all_there_is(self, side: int, distance: Decimal) -> None:
        for agent in AGENTS:
            for symbol in SYMBOLS:
                self.ask(agent, symbol, side, distance, Decimal(5), True)

    def working(self) -> list[PlacedOrder]:
        return list(self.account.working())

    @precondition(lambda self: self.working())
    @rule(data=st.data(), part=st.sampled_from([Decimal("0.1"), Decimal("0.5"), Decimal(1)]), slip=slips)
    def an_entry_trades(self, data: st.DataObject, part: Decimal, slip: Decimal) -> None:
        self.filled_entry(data.draw(st.sampled_from(self.working())), part, slip, reserved=True)

    @precondition(lambda self: self.working())
    @rule(data=st.data(), heard=st.booleans())
    def an_entry_is_cancelled(self, data: st.DataObject, heard: bool) -> None:
        """Asked for; and that it is off may be heard, or not yet."""
        order = data.draw(st.sampled_from(self.working())).order
        self.enter(CancelRequested(order=order.id, why="REPLACED"))
        if heard:
            self.enter(
                OrderCancelled(
                    order=order.id, agent=order.agent, symbol=order.symbol, order_kind=order.kind, why="REPLACED"
                )
            )

    @precondition(lambda self: self.late())
    @rule(data=st.data(), slip=slips)
    def a_fill_is_told_after_the_cancellation(self, data: st.DataObject, slip: Decimal) -> None:
        """Its reserve was given back in good faith: what it can lose is beyond, all of it."""
        self.filled_entry(data.draw(st.sampled_from(self.late())), Decimal("0.5"), slip, reserved=False)

    def late(self) -> list[PlacedOrder]:
        return [
            placed
            for placed in self.account.orders.values()
            if placed.order.kind is OrderKind.OPENING and placed.state == "cancelled" and not placed.filled
        ]

    @precondition(lambda self: self.working())
    @rule(data=st.data())
    def an_outcome_is_lost(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self.working())).order
        self.enter(OutcomeLost(order=order.id, why="TIMEOUT"))

    @rule(symbol=st.sampled_from(SYMBOLS), factor=st.decimals("0.7", "1.4", places=3), slip=slips)
    def the_market_moves(self, symbol: str, factor: Decimal, slip: Decimal) -> None:
        self.go(symbol, self.marks[symbol] * factor, slip)

    @rule(symbol=st.sampled_from(SYMBOLS), agent=st.sampled_from(list(AGENTS)), part=st.sampled_from([2, 10]))
    def the_market_comes_near_a_stop(self, symbol: str, agent: str, part: int) -> None:
        """Most of what a position can lose is lost, and nothing of it is taken yet."""
        holding = self.account.agents[agent].holdings.get(symbol)
        if holding is not None and holding.stop is not None and holding.stop > 0:
            self.go(symbol, holding.stop + (self.marks[symbol] - holding.stop) / part)

    @rule(symbol=st.sampled_from(SYMBOLS), factor=st.decimals("0.5", "1.6", places=3), slip=slips)
    def the_market_jumps(self, symbol: str, factor: Decimal, slip: Decimal) -> None:
        self.markets[symbol].price = self.marks[symbol] * factor
        self.touch(symbol, jumped=True, slip=slip)
        self.tick()

    @rule(agent=st.sampled_from(list(AGENTS)), symbol=st.sampled_from(SYMBOLS), slip=slips)
    def an_agent_closes(self, agent: str, symbol: str, slip: Decimal) -> None:
        holding = self.account.agents[agent].holdings.get(symbol)
        if holding is not None:
            side = 1 if holding.size > 0 else -1
            self.leave(agent, symbol, OrderKind.CLOSING, Reason.SIGNAL, self.marks[symbol] * (1 - side * slip))

    @rule(agent=st.sampled_from(list(AGENTS)), symbol=st.sampled_from(SYMBOLS), part=st.decimals(0, 1, places=2))
    def a_stop_follows(self, agent: str, symbol: str, part: Decimal) -> None:
        holding = self.account.agents[agent].holdings.get(symbol)
        if holding is not None and holding.stop is not None:
            nearer = holding.stop + (self.marks[symbol] - holding.stop) * part * Decimal("0.99")
            self.protect(agent, symbol, nearer)

    @rule()
    def a_day_ends(self) -> None:
        """What the night takes over must fit the new day: stops come nearer until it does; see the fleet's `_protect`.

        Entries that still work are taken off first, and those that are not heard of are counted.
        """
        for placed in self.working():
            self.enter(
                OrderCancelled(
                    order=placed.order.id,
                    agent=placed.order.agent,
                    symbol=placed.order.symbol,
                    order_kind=placed.order.kind,
                    why="DAY",
                )
            )
        far = {
            (agent, symbol): abs(self.marks[symbol] - holding.stop)
            for symbol in SYMBOLS
            for agent, holding in self.holdings(symbol)
            if holding.stop is not None
        }
        for nearer in (Decimal(1), Decimal("0.5"), Decimal("0.2"), Decimal("0.05"), Decimal("0.001")):
            for (agent, symbol), distance in far.items():
                side = 1 if self.account.agents[agent].size(symbol) > 0 else -1
                self.protect(agent, symbol, self.marks[symbol] - side * distance * nearer)
            if self.still_to_come() <= LIMIT:
                break
        else:
            for agent, symbol in far:
                self.an_agent_closes_at_the_market(agent, symbol)
        self.now += DAY
        self.tick()
        self.begin_day()

    def an_agent_closes_at_the_market(self, agent: str, symbol: str) -> None:
        self.leave(agent, symbol, OrderKind.CLOSING, Reason.BUDGET, self.marks[symbol])

    def still_to_come(self) -> Decimal:
        """From the marks to the stops, with what leaving costs; computed here."""
        total = Decimal(0)
        for symbol in SYMBOLS:
            for _, holding in self.holdings(symbol):
                assert holding.stop is not None
                size, mark = abs(holding.size), self.marks[symbol]
                total += size * (abs(mark - holding.stop) + max(mark, holding.stop) * leaving_rate(COSTS))
        return total

    @rule()
    def the_process_dies(self) -> None:
        """All that is left is the journal, read back from the beginning or from a snapshot; it must be the same."""
        account = Account.begin(self.opened)
        for event, time in self.journal:
            account.apply(event, time)
        assert account == self.account
        assert Account.from_json(account.to_json()) == account
        self.view = replace(self.view, account=Account.from_json(account.to_json()))

    @rule()
    def the_worst_comes(self) -> None:
        """Everything that works fills, and then the market goes to every stop there is, down first and then up."""
        for placed in self.working():
            self.filled_entry(placed, Decimal(1), COSTS.slippage, reserved=True)
        for symbol in SYMBOLS:
            for side in (1, -1):
                stops = [
                    holding.stop
                    for _, holding in self.holdings(symbol)
                    if holding.stop is not None and holding.size * side > 0
                ]
                if stops:
                    self.go(symbol, min(stops) if side > 0 else max(stops))

    @invariant()
    def no_day_loses_more_than_the_limit_and_what_was_measured_beyond(self) -> None:
        loss = self.ledger.loss(self.marks)
        self.ledger.deepest = max(self.ledger.deepest, loss - self.ledger.beyond)
        assert loss <= LIMIT + self.ledger.beyond + ROUNDING

    @invariant()
    def the_account_and_the_ledger_agree(self) -> None:
        assert abs(self.account.cash - self.ledger.cash) <= ROUNDING
        assert self.account.sizes() == {symbol: size for symbol, size in self.ledger.sizes.items() if size}

    def teardown(self) -> None:
        self.the_worst_comes()
        self.no_day_loses_more_than_the_limit_and_what_was_measured_beyond()


GAME = settings(
    max_examples=150, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False
)
TestAdversary = Adversary.TestCase
TestAdversary.settings = GAME


@pytest.mark.long
def test_a_long_game_is_not_won_either() -> None:
    run_state_machine_as_test(Adversary, settings=settings(GAME, max_examples=3_000, stateful_step_count=60))


# The game can be won against a gate that is wrong.


class ForgetsCosts(Adversary):
    """Neither entries nor positions reserve what fees and slippage cost."""

    believed = Costs(Decimal(0), Decimal(0))


class ForgetsWorkingOrders(Adversary):
    """Only positions are reserved for."""

    def shown(self, order: Order) -> Snapshot:
        seen = super().shown(order)
        agent = self.account.agents[order.agent]
        own = sum(
            (
                self.account.totals.entry_reserve(self.account.orders[each])
                for ids in agent.orders.values()
                for each in ids
            ),
            Decimal(0),
        )
        return replace(
            seen,
            account=replace(seen.account, reserved=seen.account.reserved - self.account.totals.entry_reserves),
            agent=replace(seen.agent, reserved=seen.agent.reserved - own),
        )


class ForgetsUnrealisedLoss(Adversary):
    """A loss counts once it is taken."""

    def shown(self, order: Order) -> Snapshot:
        seen = super().shown(order)
        if order.reduces:
            return seen
        open_losses = {
            name: sum(
                (
                    max((held.invested - held.size * self.marks[symbol]), Decimal(0))
                    for symbol, held in agent.holdings.items()
                ),
                Decimal(0),
            )
            for name, agent in self.account.agents.items()
        }
        whole, own = sum(open_losses.values(), Decimal(0)), open_losses[order.agent]
        return replace(
            seen,
            account=replace(seen.account, loss=max(seen.account.loss - whole, Decimal(0))),
            agent=replace(seen.agent, loss=max(seen.agent.loss - own, Decimal(0))),
        )


class ForgetsTheDay(Adversary):
    """What was lost today is forgotten with each restart."""

    def shown(self, order: Order) -> Snapshot:
        seen = super().shown(order)
        return replace(seen, account=replace(seen.account, loss=Decimal(0)), agent=replace(seen.agent, loss=Decimal(0)))


@pytest.mark.parametrize("wrong", [ForgetsCosts, ForgetsWorkingOrders, ForgetsUnrealisedLoss, ForgetsTheDay])
def test_the_adversary_finds_a_gate_that_is_wrong(wrong: type[Adversary]) -> None:
    game = settings(GAME, max_examples=3_000, phases=[Phase.generate], derandomize=True, database=None)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(wrong, settings=game)
