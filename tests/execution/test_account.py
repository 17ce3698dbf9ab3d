"""An account is the fold of its journal: what facts come to, what they cannot be, and what is kept of it."""

from __future__ import annotations

import pytest
from account_facts import AGENTS, Action, actions, begun, plain_cash, plain_sizes, played
from dealer_worlds import D
from hypothesis import given, settings

from clawd.core.account_events import (
    UNATTRIBUTED,
    AccountReconciled,
    AdoptionDecided,
    AgentFunded,
    AgentPaused,
    AgentUnpaused,
    CancelRefused,
    CancelRequested,
    DayBegan,
    DifferenceBooked,
    EntriesBlocked,
    EntriesUnblocked,
    OrderAccepted,
    OrderRejected,
    OutcomeLost,
    ProtectionChanged,
    TradeAdopted,
)
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import HaltEnded, OrderFilled, OrderSubmitted, read_event
from clawd.core.orders import Order, OrderKind
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.core.reason import Reason
from clawd.execution.account import REMEMBERED_DAYS, Account
from clawd.execution.holding import Holding
from clawd.execution.life_cycle import OrderState


def funded() -> Account:
    account = begun()
    for name in AGENTS:
        account.apply(AgentFunded(agent=name, capital=D(1000)), 1)
    return account


def submitted(name: str = "o", size: str = "2", kind: OrderKind = OrderKind.OPENING) -> OrderSubmitted:
    order = Order(name, "a", "BTC", kind, D(size), Reason.ENTRY, reference=D(100), stop_distance=D(5))
    return OrderSubmitted.of(order)


def filled(trade: str, size: str, price: str = "100", fee: str = "0.1", name: str = "o", time: int = 5) -> OrderFilled:
    return OrderFilled(
        order=name,
        agent="a",
        symbol="BTC",
        order_kind=OrderKind.OPENING,
        time=time,
        size=D(size),
        price=D(price),
        fee=D(fee),
        slippage=D(0),
        reason=Reason.ENTRY,
        trade=trade,
    )


def apply(account: Account, *events: Event) -> Account:
    for event in events:
        account.apply(event, account.time + 1)
    return account


@settings(max_examples=200, deadline=None)
@given(actions)
def test_cash_and_sizes_are_those_of_the_facts_to_the_last_digit(script: list[Action]) -> None:
    account, facts = played(script)
    assert account.cash == plain_cash(facts)
    assert account.sizes() == plain_sizes(facts)
    for placed in account.orders.values():
        working = placed.order.id in account.agents[placed.order.agent].orders.get(placed.order.symbol, ())
        assert working is placed.state.working
        assert (placed.ended_at is None) is placed.state.working
    assert sorted(each.order.id for each in account.working()) == sorted(
        each.order.id for each in account.orders.values() if each.state.working
    )


@settings(max_examples=150, deadline=None)
@given(actions)
def test_a_snapshot_reads_back_whole_and_goes_on_as_the_account_would(script: list[Action]) -> None:
    half = len(script) // 2
    account, facts = played(script)
    early, _ = played(script[:half])
    read = Account.from_json(early.to_json())
    assert read == early
    late = facts[len(played(script[:half])[1]) :]
    for event, time in late:
        read.apply(read_event(event.kind, event.model_dump(mode="json")), time)
    assert read == account
    marks = {"BTC": D(100), "ETH": D(100)}
    assert abs(read.reserved(marks) - account.reserved(marks)) < D("1e-40")
    assert read.equity(marks) == account.equity(marks)
    assert read.totals.net == account.totals.net or {k: v for k, v in read.totals.net.items() if v} == account.sizes()


def test_a_position_through_flat_ends_one_episode_and_begins_another() -> None:
    holding = Holding()
    holding.book(D(2), D(100), D("0.2"))
    assert (holding.average, holding.episode) == (100, D("-200.2"))
    realised = holding.book(D(-3), D(110), D("0.3"))
    assert realised == 2 * 10 - D("0.2") - D("0.2")
    assert (holding.size, holding.average, holding.episode) == (-1, 110, D("109.9"))


def test_the_parts_of_a_fee_that_does_not_divide_are_booked_figures() -> None:
    holding = Holding()
    holding.book(D(1), D(100), D(0))
    holding.book(D(-3), D(100), D("0.1"))
    assert holding.episode == 200 - (D("0.1") - D("0.0333333333"))


def test_realised_profit_is_what_the_cash_shows_once_flat() -> None:
    account = apply(funded(), submitted(size="2"), filled("1", "2", "100.01"))
    apply(account, submitted("p", "-2", OrderKind.CLOSING), filled("2", "-0.7", "103.33", name="p"))
    apply(account, filled("3", "-1.3", "99.99", name="p"))
    agent = account.agents["a"]
    assert agent.holdings == {}
    assert agent.realised == agent.cash - agent.capital
    assert agent.fees == D("0.3")


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([AgentFunded(agent="a", capital=D(1))], "funded twice"),
        ([AgentFunded(agent=UNATTRIBUTED, capital=D(1))], "funded twice"),
        ([AgentFunded(agent="x", capital=D(8000))], "only 7000 were free"),
        ([AgentFunded(agent="x", capital=D(-1))], "only 7000 were free"),
        ([AgentPaused(agent="a", by="me", why="", pause=number) for number in (1, 2)], "paused twice"),
        ([AgentUnpaused(agent="a", by="me", why="", pause=1)], "had not been paused"),
        ([AgentPaused(agent="x", by="me", why="", pause=1)], "there is no agent x"),
        ([submitted(), submitted()], "submitted twice"),
        ([filled("1", "1")], "no order o"),
        ([submitted(), filled("1", "1"), filled("1", "1")], "booked twice"),
        ([submitted(), filled("1", "3")], "cannot have filled another 3"),
        ([submitted(), filled("1", "-1")], "cannot have filled another -1"),
        ([submitted(), CancelRefused(order="o", code="x")], "cannot be cancel refused"),
        ([EntriesUnblocked(symbol="BTC", agent=None, why="w")], "was not blocked"),
        ([ProtectionChanged(agent="a", symbol="BTC", stop=D(1), targets=[], memory={})], "holds no BTC"),
        ([HaltEnded(day=1)], "cannot stand in the journal of an account"),
        ([DayBegan(day=5, equity=D(1), agents={}, marks={})] * 2, "came after day 5"),
    ],
)
def test_a_fact_that_contradicts_the_others_is_no_fact(events: list[Event], words: str) -> None:
    account = funded()
    apply(account, *events[:-1])
    with pytest.raises(ClawdError, match=words):
        apply(account, events[-1])


def test_an_order_whose_outcome_is_not_known_blocks_its_agent_and_instrument_only() -> None:
    account = apply(funded(), submitted(), OutcomeLost(order="o", why="w"))
    assert account.blocked("a", "BTC") == "ORDER_UNKNOWN"
    assert account.blocked("a", "ETH") is None
    assert account.blocked("b", "BTC") is None
    apply(account, OrderAccepted(order="o", venue_order="v", venue_time=9))
    assert account.blocked("a", "BTC") is None


def test_an_order_that_is_to_be_cancelled_stays_so_while_nobody_knows_of_it() -> None:
    account = apply(funded(), submitted(), OutcomeLost(order="o", why="w"), CancelRequested(order="o", why="mine"))
    apply(account, CancelRefused(order="o", code="NOT_THERE"))
    assert (account.orders["o"].state, account.orders["o"].cancel_why) == (OrderState.UNKNOWN, "mine")


def test_a_person_decides_about_what_is_unattributed_and_about_nothing_else() -> None:
    account = apply(
        funded(),
        EntriesBlocked(symbol="BTC", agent=None, why=UNATTRIBUTED),
        EntriesBlocked(symbol="BTC", agent=None, why=UNATTRIBUTED),
        EntriesBlocked(symbol="BTC", agent="a", why="OTHER"),
        AdoptionDecided(symbol="BTC", by="me"),
    )
    assert account.blocked("b", "BTC") is None
    assert account.blocked("a", "BTC") == "OTHER"


def test_what_comes_in_without_a_trade_is_no_profit_of_the_day_and_what_goes_out_is_a_loss() -> None:
    marks = {"BTC": D(100)}
    account = apply(funded(), DayBegan(day=5, equity=D(10_000), agents={}, marks={}))
    apply(account, DifferenceBooked(symbol=None, size=D(0), cash=D(50), why="CASH"))
    assert (account.equity(marks), account.day_loss(marks)) == (10_050, 0)
    apply(account, DifferenceBooked(symbol="BTC", size=D(1), cash=D(0), why="POSITION", value=D(100)))
    assert (account.equity(marks), account.day_loss(marks)) == (10_150, 0)
    apply(account, DifferenceBooked(symbol=None, size=D(0), cash=D(-30), why="CASH"))
    assert account.day_loss(marks) == 30


def test_a_clock_that_is_set_back_does_not_set_the_account_back() -> None:
    account = funded()
    account.apply(submitted(), 500)
    account.apply(OutcomeLost(order="o", why="w"), 100)
    assert account.time == 500


def test_what_may_be_told_again_is_remembered_and_the_rest_forgotten() -> None:
    day = NANOSECONDS_PER_DAY
    account = apply(funded(), submitted("old"), submitted("working"))
    account.apply(filled("t1", "2", name="old", time=10 * day), 10 * day)
    apply(account, TradeAdopted(trade="t2", symbol="ETH", size=D(1), price=D(1), fee=D(0), venue_time=20 * day))
    account.apply(AccountReconciled(venue_time=20 * day, orders=0, positions=0), 20 * day)
    account.apply(DayBegan(day=10 + REMEMBERED_DAYS, equity=D(1), agents={}, marks={}), 20 * day)
    assert set(account.trades) == {"t1", "t2"}
    assert set(account.orders) == {"old", "working"}
    account.apply(DayBegan(day=11 + REMEMBERED_DAYS, equity=D(1), agents={}, marks={}), 20 * day)
    assert set(account.trades) == {"t2"}
    assert set(account.orders) == {"working"}


def test_a_long_silence_of_the_venue_forgets_nothing_that_it_may_tell_again() -> None:
    day = NANOSECONDS_PER_DAY
    account = apply(funded(), submitted("old"))
    account.apply(filled("t1", "2", name="old", time=10 * day), 10 * day)
    account.apply(AccountReconciled(venue_time=10 * day, orders=0, positions=0), 10 * day)
    account.apply(DayBegan(day=40, equity=D(1), agents={}, marks={}), 40 * day)
    assert set(account.trades) == {"t1"}
    assert set(account.orders) == {"old"}


def test_a_position_without_a_mark_is_not_valued_at_a_guess() -> None:
    account = apply(funded(), submitted(), filled("1", "2"))
    with pytest.raises(KeyError):
        account.equity({})
    with pytest.raises(KeyError):
        account.reserved({"ETH": D(1)})


def test_a_refused_order_that_works_after_all_is_unknown_until_the_venue_says() -> None:
    account = apply(funded(), submitted(), OrderRejected(order="o", code="x", venue_time=None))
    assert not list(account.working())
    apply(account, OrderAccepted(order="o", venue_order="v", venue_time=1))
    assert [each.state for each in account.working()] == [OrderState.UNKNOWN]
    assert account.blocked("a", "BTC") == "ORDER_UNKNOWN"
    assert account.totals.entry_reserves > 0
