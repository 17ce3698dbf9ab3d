"""What the gate is shown of an account at a venue: every figure against a sum over everything there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.account_events import (
    UNATTRIBUTED,
    AccountOpened,
    AdoptionDecided,
    AgentFunded,
    AgentPaused,
    AgentStopped,
    AgentUnpaused,
    CancelRequested,
    DayBegan,
    EntriesBlocked,
    FlattenBegan,
    OrderAccepted,
    OutcomeLost,
    ProtectionChanged,
    TradeAdopted,
    TradingState,
    TradingStateChanged,
)
from clawd.core.costs import Costs
from clawd.core.event import Event
from clawd.core.events import OrderFilled, OrderSubmitted
from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind, OrderType
from clawd.core.reason import Reason
from clawd.core.reports import Quote
from clawd.execution.account import Account
from clawd.execution.view import MarketNow, VenueNow, View
from clawd.risk.gate import Code, Outcome, judge
from clawd.risk.limits import Limits
from clawd.risk.snapshot import Cluster, MarginFacts

DAY, SECOND = 86_400 * 10**9, 10**9
NOW = 100 * DAY + 5 * SECOND
ZERO = Decimal(0)
SYMBOLS = ("AAA", "BBB", "CCC")
COSTS = Costs(Decimal("0.001"), Decimal("0.0005"))
LIMITS = Limits(Decimal(100), Decimal(3), COSTS, 60 * SECOND, Decimal("0.2"))


class Scene:
    """An account whose journal is written by hand, and its view."""

    def __init__(self, limits: Limits = LIMITS, day: int | None = NOW // DAY) -> None:
        opened = AccountOpened(
            account="x",
            venue="paper",
            code="",
            cash=Decimal(1000),
            symbols=list(SYMBOLS),
            ticks=[Decimal("0.01")] * 3,
            lots=[Decimal("0.001")] * 3,
            fee=COSTS.fee,
            slippage=COSTS.slippage,
            day_loss_limit=limits.day_loss,
            leverage=limits.leverage,
        )
        markets = {
            symbol: MarketNow(Instrument(symbol, Decimal("0.01"), Decimal("0.001")), Decimal(price), NOW)
            for symbol, price in zip(SYMBOLS, (100, 50, 20), strict=True)
        }
        self.view = View(Account.begin(opened), markets, VenueNow("paper", True, clock_skew=5), limits)
        self.number = 0
        for agent, capital in (("a001", 600), ("a002", 400)):
            self.tell(AgentFunded(agent=agent, capital=Decimal(capital)))
        if day is not None:
            values = {"a001": Decimal(600), "a002": Decimal(400)}
            self.tell(DayBegan(day=day, equity=Decimal(1000), agents=values, marks=self.view.marks()))

    def tell(self, event: Event, time: int = NOW) -> None:
        self.view.account.apply(event, time)

    def order(self, agent: str, symbol: str, kind: OrderKind, size: str | Decimal, **more: Any) -> Order:
        self.number += 1
        mark = self.view.markets[symbol].price
        if kind is OrderKind.OPENING:
            more = {"stop_distance": Decimal(5), **more}
        return Order(f"o{self.number}", agent, symbol, kind, Decimal(size), Reason.ENTRY, reference=mark, **more)

    def work(self, agent: str, symbol: str, kind: OrderKind, size: str | Decimal, at: int = NOW, **more: Any) -> Order:
        order = self.order(agent, symbol, kind, size, **more)
        self.tell(OrderSubmitted.of(order), at)
        return order

    def fill(self, order: Order, size: str | Decimal, price: str | Decimal) -> None:
        self.number += 1
        self.tell(
            OrderFilled(
                order=order.id,
                agent=order.agent,
                symbol=order.symbol,
                order_kind=order.kind,
                time=NOW,
                size=Decimal(size),
                price=Decimal(price),
                fee=ZERO,
                slippage=ZERO,
                reason=order.reason,
                trade=f"t{self.number}",
            )
        )

    def hold(self, agent: str, symbol: str, size: str, price: str, stop: str | None = None, at: int = NOW) -> None:
        self.fill(self.work(agent, symbol, OrderKind.OPENING, size, at), size, price)
        if stop is not None:
            self.tell(ProtectionChanged(agent=agent, symbol=symbol, stop=Decimal(stop), targets=[], memory={}))


ENTRY = OrderKind.OPENING


def test_a_new_account_may_enter() -> None:
    scene = Scene()
    order = scene.order("a001", "AAA", ENTRY, "1")
    assert judge(order, scene.view.snapshot(order, NOW), LIMITS).outcome is Outcome.ALLOW


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_sum_is_the_sum_over_all_there_is(data: st.DataObject) -> None:
    """Totals that are kept up to date are compared with a walk over every position and order."""
    scene = Scene()
    view, account = scene.view, scene.view.account
    for symbol in SYMBOLS:
        view.markets[symbol].cluster = "two" if symbol != "CCC" else "one"
    for _ in range(data.draw(st.integers(1, 12))):
        agent, symbol = data.draw(st.sampled_from(["a001", "a002"])), data.draw(st.sampled_from(SYMBOLS))
        size = Decimal(data.draw(st.integers(1, 20)) * data.draw(st.sampled_from([1, -1])))
        order = scene.work(agent, symbol, ENTRY, size)
        part = Decimal(data.draw(st.integers(0, abs(int(size))))) * (1 if size > 0 else -1)
        if part:
            scene.fill(order, part, data.draw(st.sampled_from(["19", "52", "100"])))
            holding = account.agents[agent].holdings.get(symbol)
            if holding is not None and data.draw(st.booleans()):
                stop = Decimal(30) if holding.size < 0 else Decimal(10)
                scene.tell(ProtectionChanged(agent=agent, symbol=symbol, stop=stop, targets=[], memory={}))
    asking = scene.order("a001", "AAA", ENTRY, "1")
    shown, marks = view.snapshot(asking, NOW), view.marks()

    def walked(weight: Callable[[str, str, Decimal, Decimal], Decimal]) -> Decimal:
        total = ZERO
        for name, agent in account.agents.items():
            for symbol, holding in agent.holdings.items():
                total += weight(name, symbol, holding.size, marks[symbol])
        for placed in account.orders.values():
            order = placed.order
            if placed.state.working and placed.rest:
                assert order.reference is not None
                total += weight(order.agent, order.symbol, placed.rest, order.reference)
        return total

    assert shown.account.gross == walked(lambda _, __, size, price: abs(size) * price)
    assert shown.account.net == walked(lambda _, __, size, price: size * price)
    assert shown.market.gross == walked(lambda _, s, size, price: abs(size) * price if s == "AAA" else ZERO)
    assert shown.market.cluster == Cluster(
        "two", walked(lambda _, s, size, price: abs(size) * price if s != "CCC" else ZERO)
    )
    assert shown.agent.exposure == walked(lambda a, _, size, price: abs(size) * price if a == "a001" else ZERO)
    equity = account.unallotted
    for agent in account.agents.values():
        equity += agent.cash + sum((h.size * marks[symbol] for symbol, h in agent.holdings.items()), ZERO)
    assert shown.account.equity == equity
    assert shown.account.loss == max(1000 - equity, ZERO)
    own = account.agents["a001"]
    worth = own.cash + sum((h.size * marks[symbol] for symbol, h in own.holdings.items()), ZERO)
    assert shown.agent.loss == max(600 - worth, ZERO)
    assert shown.account.reserved == sum((account.reserved_by(agent, marks) for agent in account.agents.values()), ZERO)
    assert shown.venue.gross == shown.account.gross


def test_the_share_of_the_days_limit_is_by_capital() -> None:
    scene = Scene()
    shares = [scene.view.snapshot(scene.order(agent, "AAA", ENTRY, "1"), NOW).agent.share for agent in ("a001", "a002")]
    assert shares == [Decimal(60), Decimal(40)]


# What is not known lets nothing in.


def refusal(scene: Scene, order: Order, now: int = NOW, limits: Limits = LIMITS) -> Code:
    verdict = judge(order, scene.view.snapshot(order, now), limits)
    assert verdict.outcome is Outcome.REFUSE
    return verdict.code


def test_a_day_that_has_not_been_opened_has_no_loss() -> None:
    """Nor has one after the clock has changed, forth or back."""
    for scene, now in ((Scene(day=None), NOW), (Scene(), NOW + DAY), (Scene(), NOW - DAY)):
        for market in scene.view.markets.values():
            market.price_time = now
        order = scene.order("a001", "AAA", ENTRY, "1")
        shown = scene.view.snapshot(order, now)
        assert shown.account.loss.is_nan()
        assert shown.agent.loss.is_nan()
        assert refusal(scene, order, now) is Code.FIGURE_UNKNOWN


def test_a_position_that_cannot_be_valued_lets_nothing_in_anywhere() -> None:
    scene = Scene()
    scene.hold("a002", "BBB", "1", "50", stop="45")
    scene.view.markets["BBB"].price = None
    assert refusal(scene, scene.order("a001", "AAA", ENTRY, "1")) is Code.FIGURE_UNKNOWN


def test_an_agent_or_an_instrument_that_does_not_exist_enters_nothing() -> None:
    scene = Scene()
    order = scene.order("a001", "AAA", ENTRY, "1")
    assert refusal(scene, replace(order, agent="nobody")) is Code.AGENT_NOT_ACTIVE
    assert refusal(scene, replace(order, symbol="ZZZ")) is Code.SIZE_INVALID


def test_a_stopped_agent_and_the_book_of_nobody_enter_nothing() -> None:
    scene = Scene()
    scene.tell(AgentStopped(agent="a001", why="DRAWDOWN"))
    scene.tell(TradeAdopted(trade="x", symbol="CCC", size=Decimal(1), price=Decimal(20), fee=ZERO, venue_time=NOW))
    order = scene.order("a001", "AAA", ENTRY, "1")
    assert refusal(scene, order) is Code.AGENT_NOT_ACTIVE
    assert refusal(scene, replace(order, agent=UNATTRIBUTED)) is Code.AGENT_NOT_ACTIVE


def test_a_paused_agent_enters_nothing_and_leaves_what_it_holds() -> None:
    scene = Scene()
    scene.hold("a001", "AAA", "1", "100", stop="95")
    entry, closing = scene.order("a001", "BBB", ENTRY, "1"), scene.order("a001", "AAA", OrderKind.CLOSING, "-1")

    def outcome(order: Order) -> Outcome:
        return judge(order, scene.view.snapshot(order, NOW), LIMITS).outcome

    assert outcome(entry) is Outcome.ALLOW
    scene.tell(AgentPaused(agent="a001", by="owner", why="tired", pause=1))
    assert refusal(scene, entry) is Code.AGENT_PAUSED
    assert outcome(replace(entry, agent="a002")) is Outcome.ALLOW
    assert outcome(closing) is Outcome.ALLOW
    scene.tell(AgentUnpaused(agent="a001", by="owner", why="", pause=2))
    assert outcome(entry) is Outcome.ALLOW


@pytest.mark.parametrize("state", [TradingState.REDUCING, TradingState.HALTED])
def test_what_the_account_may_do_is_what_the_journal_says(state: TradingState) -> None:
    scene = Scene()
    scene.hold("a001", "AAA", "1", "100", stop="95")
    scene.tell(TradingStateChanged(state=state, by="owner", why="tired"))
    assert refusal(scene, scene.order("a001", "BBB", ENTRY, "1")).lower() == state
    closing = scene.order("a001", "AAA", OrderKind.CLOSING, "-1")
    assert judge(closing, scene.view.snapshot(closing, NOW), LIMITS).outcome is Outcome.ALLOW


def test_while_everything_is_being_closed_nothing_is_entered() -> None:
    scene = Scene()
    scene.tell(FlattenBegan(by="owner", why="tired"))
    assert refusal(scene, scene.order("a001", "AAA", ENTRY, "1")) is Code.REDUCING


def test_an_unattributed_position_blocks_until_a_person_has_decided() -> None:
    scene = Scene()
    scene.tell(TradeAdopted(trade="x", symbol="AAA", size=Decimal(3), price=Decimal(90), fee=ZERO, venue_time=NOW))
    scene.tell(EntriesBlocked(symbol="AAA", agent=None, why=UNATTRIBUTED))
    assert refusal(scene, scene.order("a001", "AAA", ENTRY, "1")) is Code.UNATTRIBUTED
    scene.tell(AdoptionDecided(symbol="AAA", by="owner"))
    order = scene.order("a001", "AAA", ENTRY, "1")
    shown = scene.view.snapshot(order, NOW)
    assert judge(order, shown, LIMITS).outcome is Outcome.ALLOW
    assert shown.market.gross == 300, "it still counts as what the account holds"


def test_a_block_is_of_one_agent_or_of_all() -> None:
    scene = Scene()
    scene.tell(EntriesBlocked(symbol="AAA", agent="a001", why="person"))
    scene.tell(EntriesBlocked(symbol="BBB", agent=None, why="person"))
    assert refusal(scene, scene.order("a001", "AAA", ENTRY, "1")) is Code.BLOCKED
    assert refusal(scene, scene.order("a002", "BBB", ENTRY, "1")) is Code.BLOCKED
    other = scene.order("a002", "AAA", ENTRY, "1")
    assert judge(other, scene.view.snapshot(other, NOW), LIMITS).outcome is Outcome.ALLOW


def test_an_order_whose_outcome_is_lost_blocks_its_agent_in_its_instrument() -> None:
    scene = Scene()
    lost = scene.work("a001", "AAA", ENTRY, "1")
    scene.tell(OutcomeLost(order=lost.id, why="TIMEOUT"))
    assert refusal(scene, scene.order("a001", "AAA", ENTRY, "1")) is Code.ORDER_UNKNOWN
    for agent, symbol in (("a001", "BBB"), ("a002", "AAA")):
        order = scene.order(agent, symbol, ENTRY, "1")
        assert judge(order, scene.view.snapshot(order, NOW), LIMITS).outcome is Outcome.ALLOW
    scene.tell(OrderAccepted(order=lost.id, venue_order="v1", venue_time=NOW))
    order = scene.order("a001", "AAA", ENTRY, "1")
    assert judge(order, scene.view.snapshot(order, NOW), LIMITS).outcome is Outcome.ALLOW


# What works already.


def test_what_closes_at_once_and_what_rests_are_told_apart() -> None:
    scene = Scene()
    scene.hold("a001", "AAA", "10", "100", stop="95")
    stop = scene.work("a001", "AAA", OrderKind.STOP, "-10", type=OrderType.STOP, level=Decimal(95))
    scene.work("a001", "AAA", OrderKind.TAKE, "-4", type=OrderType.LIMIT, level=Decimal(110))
    closing = scene.work("a001", "AAA", OrderKind.CLOSING, "-3")
    scene.fill(closing, "-1", "100")
    touched = scene.work("a001", "AAA", OrderKind.STOP, "-1")
    scene.work("a001", "AAA", ENTRY, "2")
    scene.work("a002", "AAA", ENTRY, "7")

    def position(kind: OrderKind, size: str, replaces: str | None = None, **more: Any) -> Any:
        return scene.view.snapshot(scene.order("a001", "AAA", kind, size, **more), NOW, replaces=replaces).position

    resting = {"type": OrderType.STOP, "level": Decimal(96)}
    facts = position(OrderKind.STOP, "-9", **resting)
    assert (facts.size, facts.opening, facts.closing, facts.exits) == (9, 2, 3, 10)
    assert position(OrderKind.STOP, "-9", replaces=stop.id, **resting).exits == 0
    assert position(OrderKind.TAKE, "-1", type=OrderType.LIMIT, level=Decimal(120)).exits == 4
    assert position(OrderKind.CLOSING, "-1").closing == 3
    assert position(OrderKind.CLOSING, "-1", replaces=touched.id).closing == 2
    assert refusal(scene, scene.order("a001", "AAA", OrderKind.CLOSING, "-6.001")) is Code.NOT_REDUCING
    # A stop on its way off makes room for the next; an order that closes may still fill.
    scene.tell(CancelRequested(order=stop.id, why="MOVED"))
    scene.tell(CancelRequested(order=closing.id, why="REPLACED"))
    assert position(OrderKind.STOP, "-9", **resting).exits == 0
    assert position(OrderKind.CLOSING, "-1").closing == 3


def test_orders_of_one_group_do_not_add_up() -> None:
    scene = Scene()
    scene.hold("a001", "AAA", "10", "100", stop="95")
    scene.work("a001", "AAA", OrderKind.TAKE, "-10", type=OrderType.LIMIT, level=Decimal(110), group="g")
    same = scene.order("a001", "AAA", OrderKind.TAKE, "-10", type=OrderType.LIMIT, level=Decimal(120), group="g")
    assert judge(same, scene.view.snapshot(same, NOW), LIMITS).outcome is Outcome.ALLOW
    assert refusal(scene, replace(same, group="h")) is Code.NOT_REDUCING
    assert refusal(scene, replace(same, group=None)) is Code.NOT_REDUCING


# The market and the venue.


def test_a_quote_is_the_price_the_sides_and_the_depth() -> None:
    scene = Scene()
    market = scene.view.markets["AAA"]
    market.quoted(Quote("AAA", Decimal(99), Decimal(2), Decimal(101), Decimal(3), NOW - 7, NOW - 5))
    facts = scene.view.snapshot(scene.order("a001", "AAA", ENTRY, "1"), NOW).market
    assert (facts.price, facts.price_time, facts.quote_time) == (100, NOW - 5, NOW - 5)
    assert (facts.bid, facts.ask, facts.bid_depth, facts.ask_depth) == (99, 101, 2, 3)
    market.bid_depth = Decimal(50)
    assert scene.view.snapshot(scene.order("a001", "AAA", ENTRY, "1"), NOW).market.bid_depth == 50


def test_the_margin_is_of_everything_that_is_held_and_works() -> None:
    scene = Scene()
    scene.hold("a001", "AAA", "2", "100", stop="95")
    scene.work("a002", "BBB", ENTRY, "-4")
    scene.view.venue.margin = (Decimal("0.25"), Decimal("0.1"))
    facts = scene.view.snapshot(scene.order("a001", "CCC", ENTRY, "1"), NOW).venue.margin
    assert facts == MarginFacts(Decimal(1000), Decimal(900), Decimal(400), Decimal("0.25"), Decimal("0.1"))


def test_a_venue_that_nobody_has_reached_yet_is_not_connected() -> None:
    scene = Scene()
    scene.view.venue = VenueNow("paper")
    assert refusal(scene, scene.order("a001", "AAA", ENTRY, "1")) is Code.VENUE_DISCONNECTED


# How often.


def test_entries_are_counted_within_the_window_and_after_a_restart_as_before() -> None:
    limits = replace(LIMITS, agent_orders=3, venue_orders=4, order_window=10 * SECOND)
    scene = Scene(limits)
    expected: list[tuple[int, str]] = []
    for step in range(40):
        now = NOW + step * SECOND * 3
        agent = "a001" if step % 3 else "a002"
        for market in scene.view.markets.values():
            market.price_time = now
        if step % 5 == 0:  # what is not an entry does not count
            scene.hold("a002", "CCC", "1", "20", at=now)
            closing = scene.order("a002", "CCC", OrderKind.CLOSING, "-1")
            scene.tell(OrderSubmitted.of(closing), now)
            expected.append((now, "a002"))
        order = scene.order(agent, "AAA", ENTRY, "0.001")
        again = View(
            Account.from_json(scene.view.account.to_json()), scene.view.markets, scene.view.venue, scene.view.limits
        )
        recent = [name for time, name in expected if time > now - 10 * SECOND]
        for view in (scene.view, again):
            shown = view.snapshot(order, now)
            assert (shown.agent.orders, shown.venue.orders) == (recent.count(agent), len(recent))
        scene.tell(OrderSubmitted.of(order), now)
        expected.append((now, agent))


def test_entries_are_still_counted_once_past_days_are_forgotten() -> None:
    limits = replace(LIMITS, agent_orders=3, order_window=10 * SECOND)
    scene = Scene(limits)
    ended = scene.work("a001", "AAA", ENTRY, "1")
    scene.fill(ended, "1", "100")
    assert scene.view.snapshot(scene.order("a001", "AAA", ENTRY, "1"), NOW).agent.orders == 1
    later = NOW + 5 * DAY
    scene.tell(DayBegan(day=later // DAY, equity=Decimal(1000), agents={}, marks=scene.view.marks()), later)
    assert ended.id not in scene.view.account.orders
    scene.work("a001", "BBB", ENTRY, "1", at=later)
    for _ in range(2):
        assert scene.view.snapshot(scene.order("a001", "AAA", ENTRY, "1"), later).agent.orders == 1


def test_a_position_that_two_closing_orders_have_turned_is_closed_beside_what_is_left_of_them() -> None:
    """What was to close the short does not close the long: counted with it, the long could not be closed at all."""
    scene = Scene()
    scene.hold("a001", "BBB", "-9", "50", stop="55")
    lost = scene.work("a001", "BBB", OrderKind.CLOSING, "9")
    scene.tell(OutcomeLost(order=lost.id, why="DISCONNECTED"))
    other = scene.work("a001", "BBB", OrderKind.STOP, "9")
    scene.fill(lost, "4", "55")
    scene.fill(other, "9", "55")
    assert scene.view.account.agents["a001"].size("BBB") == 4
    closing = scene.order("a001", "BBB", OrderKind.CLOSING, "-4")
    verdict = judge(closing, scene.view.snapshot(closing, NOW), LIMITS)
    assert (verdict.outcome, verdict.allowed) == (Outcome.ALLOW, Decimal(-4))
    scene.work("a001", "BBB", OrderKind.CLOSING, "-4")
    again = scene.order("a001", "BBB", OrderKind.CLOSING, "-4")
    assert judge(again, scene.view.snapshot(again, NOW), LIMITS).outcome is Outcome.REFUSE
