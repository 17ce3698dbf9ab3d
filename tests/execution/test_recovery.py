"""Starting is replaying the journal and asking the venue: what was under way, what was missed, what is not ours."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dealer_worlds import SECOND, T0, D, ListJournal, World, opened

from clawd.core.account_events import UNATTRIBUTED
from clawd.core.errors import ClawdError
from clawd.core.orders import OrderKind, OrderType
from clawd.core.reports import OrderReport, VenueState
from clawd.execution.life_cycle import OrderState
from clawd.execution.order_ids import client_id
from clawd.execution.reconciliation import DIFFERENCE
from clawd.execution.recovery import open_account, recover, replay
from clawd.venues.venue import Submit


@pytest.fixture
def world() -> World:
    return World().ready()


def rounds(world: World, count: int = 8, seconds: float = 10) -> None:
    for _ in range(count):
        world.wait(seconds)
        world.through()


def submitted(world: World, name: str) -> int:
    return sum(isinstance(each, Submit) and each.approved.order.id == name for each in world.wire.sent)


def foreign(world: World, name: str | None, venue_order: str = "f1") -> OrderReport:
    now = world.clock.now()
    return OrderReport("model", name, venue_order, "BTC", VenueState.ACCEPTED, D(2), D(0), now, now, limit=D(50))


# What was under way.


def test_an_order_that_was_written_and_not_sent_is_unknown_and_never_sent_again(world: World) -> None:
    name = world.enter()
    world.wire.there.clear()  # the process died before it could send
    world.wire.sent.clear()
    world.crash()
    assert world.account.orders[name].state is OrderState.UNKNOWN
    assert world.account.blocked("a", "BTC") == "ORDER_UNKNOWN"
    rounds(world, 12)
    assert world.account.orders[name].state is OrderState.MISSING
    assert submitted(world, name) == 0
    assert world.dealer.propose(world.order()).outcome == "allow"


def test_an_order_that_was_sent_and_filled_while_nobody_listened_is_booked_once(world: World) -> None:
    name = world.enter()
    world.wire.to_venue()
    world.trade(name, D("0.4"))
    world.crash()
    world.trade(name)
    world.wire.back.clear()
    rounds(world)
    assert world.account.orders[name].state is OrderState.FILLED
    assert world.account.agents["a"].size("BTC") == 1
    assert submitted(world, name) == 1
    world.agree()
    world.crash()
    rounds(world)
    world.agree()


def test_a_cancellation_that_was_written_is_asked_for_again(world: World) -> None:
    name = world.enter(type=OrderType.LIMIT, limit=D(90))
    world.through()
    world.dealer.cancel(name, "TEST")
    world.wire.there.clear()
    world.crash()
    rounds(world)
    assert world.account.orders[name].state is OrderState.CANCELLED
    assert not world.venue.orders[name].working


def test_an_order_that_ended_while_nobody_listened_is_found_out(world: World) -> None:
    name = world.enter(type=OrderType.LIMIT, limit=D(90))
    world.through()
    world.venue.end(name, VenueState.EXPIRED)
    world.crash()
    rounds(world)
    assert world.account.orders[name].state is OrderState.EXPIRED


def test_one_of_a_group_that_filled_before_the_crash_takes_the_other_off_after_it(world: World) -> None:
    one = world.enter(type=OrderType.LIMIT, limit=D(90), group="g")
    two = world.enter(type=OrderType.STOP, level=D(110), group="g")
    world.through()
    world.trade(one)
    world.crash()
    rounds(world)
    assert world.account.orders[one].state is OrderState.FILLED
    assert world.account.orders[two].state is OrderState.CANCELLED
    assert not world.venue.orders[two].working


def test_trading_starts_when_the_books_agree_and_not_before(world: World) -> None:
    world.crash()
    assert world.dealer.propose(world.order()).code == "NOT_READY"
    world.venue.cash -= D(5)
    world.through()
    assert world.dealer.propose(world.order()).code == "NOT_READY"
    rounds(world)
    assert world.dealer.propose(world.order()).outcome == "allow"


# What is not ours.


def test_orders_of_others_are_adopted_once_and_never_cancelled(world: World) -> None:
    report = replace(world.venue.account(0), orders=(foreign(world, None), foreign(world, "by-hand", "f2")))
    sent = len(world.wire.sent)
    world.wire.arrived += [report, replace(report, venue_time=report.venue_time + 1)]
    world.dealer.receive()
    assert world.account.foreign_orders == {"f1": "BTC", "f2": "BTC"}
    assert world.journal.kinds.count("OrderAdopted") == 2
    assert len(world.wire.sent) == sent
    assert world.account.blocked("a", "BTC") is None


def test_an_order_with_an_id_of_ours_that_the_journal_does_not_know_blocks_its_instrument(world: World) -> None:
    name = client_id("main", "a", "BTC", 1, OrderKind.OPENING)
    world.wire.arrived.append(foreign(world, name))
    world.dealer.receive()
    assert world.account.blocked("b", "BTC") == UNATTRIBUTED
    assert world.account.blocked("b", "ETH") is None
    assert any("ORDER_NOT_IN_JOURNAL" in text for _, text in world.dealer.alarms)


def test_a_trade_that_was_missed_and_is_nobodys_is_adopted_once(world: World) -> None:
    world.venue.by_hand("BTC", D("0.123"), D("33.3333"))
    rounds(world)
    world.agree()
    world.crash()
    rounds(world)
    world.agree()
    assert world.journal.kinds.count("TradeAdopted") == 1
    assert world.account.blocked("a", "BTC") == UNATTRIBUTED


# Differences.


def test_a_difference_blocks_at_once_is_booked_when_it_stands_and_only_once(world: World) -> None:
    world.venue.positions["ETH"] += D(7)
    rounds(world, 1, 31)
    assert world.account.blocked("a", "ETH") == DIFFERENCE
    assert world.account.sizes() == {}
    rounds(world, 1, 6)
    assert world.account.sizes() == {"ETH": D(7)}
    assert world.account.agents[UNATTRIBUTED].size("ETH") == 7
    assert world.account.blocked("a", "ETH") == UNATTRIBUTED
    rounds(world)
    world.crash()
    rounds(world)
    assert world.journal.kinds.count("DifferenceBooked") == 1
    assert any("no trade explains it" in text for _, text in world.dealer.alarms) or world.dealer.alarms == []
    world.agree()


def test_a_difference_that_goes_away_was_none(world: World) -> None:
    world.venue.positions["ETH"] += D(7)
    rounds(world, 1, 31)
    world.venue.positions["ETH"] -= D(7)
    rounds(world, 1, 31)
    assert world.account.blocked("a", "ETH") is None
    assert "DifferenceBooked" not in world.journal.kinds
    assert world.dealer.ready


def test_the_same_report_twice_is_not_a_difference_that_stands(world: World) -> None:
    report = replace(world.venue.account(0), positions={"ETH": D(7)})
    world.wire.arrived += [report, report, report]
    world.dealer.receive()
    assert "DifferenceBooked" not in world.journal.kinds


def test_a_report_from_before_a_trade_that_is_booked_shows_no_difference(world: World) -> None:
    name = world.enter()
    world.through()
    before = world.venue.account(0)
    world.trade(name)
    world.through()
    world.wire.arrived.append(before)
    world.dealer.receive()
    assert "EntriesBlocked" not in world.journal.kinds
    assert world.dealer.ready


def test_cash_that_nobody_explains_is_booked_and_said(world: World) -> None:
    world.venue.cash -= D("0.0000000001")
    rounds(world)
    world.agree()
    assert world.account.agents[UNATTRIBUTED].cash == D("-0.0000000001")
    assert any("more cash than the books" in text for _, text in world.dealer.alarms)


def test_figures_that_are_no_numbers_are_no_reconciliation(world: World) -> None:
    report = world.venue.account(0)
    for lie in ({"cash": D("NaN")}, {"positions": {"BTC": D("Infinity")}}):
        world.wire.arrived.append(replace(report, venue_time=world.venue.time(), **lie))  # type: ignore[arg-type]
        world.dealer.receive()
        assert not world.dealer.ready
        assert world.account.sizes() == {}
        rounds(world, 2)
        assert world.dealer.ready


# The journal.


def test_what_cannot_be_replayed_says_which_entry(world: World) -> None:
    empty = ListJournal()
    with pytest.raises(ClawdError, match="the journal is empty"):
        replay(empty.entries())
    broken = ListJournal()
    broken.texts = [*world.journal.texts, world.journal.texts[1]]
    with pytest.raises(ClawdError, match=f"entry {len(broken.texts)}.*funded twice"):
        replay(broken.entries())
    broken.texts = [*world.journal.texts, (1, "Nonsense", "{}")]
    with pytest.raises(ClawdError, match="a Nonsense of the journal cannot be read"):
        replay(broken.entries())
    broken.texts = world.journal.texts[1:]
    with pytest.raises(ClawdError, match="before the account was opened"):
        replay(broken.entries())
    broken.texts = [*world.journal.texts, world.journal.texts[0]]
    with pytest.raises(ClawdError, match="cannot stand in the journal"):
        replay(broken.entries())


def test_a_journal_of_another_venue_is_not_gone_on_with(world: World) -> None:
    journal = ListJournal()
    open_account(journal, opened(venue="elsewhere"), T0)
    with pytest.raises(ClawdError, match="at elsewhere, the venue is model"):
        recover(journal, world.wire, world.markets, world.limits, world.clock)


def test_a_clock_that_was_set_back_keeps_nothing_waiting(world: World) -> None:
    world.hold()
    world.clock.set(T0 - 5 * 86_400 * SECOND)
    world.see_prices()
    order = world.order(size=D(-1), kind=OrderKind.CLOSING)
    assert world.dealer.propose(order).outcome == "allow"
    name = order.id
    world.wire.there.clear()
    rounds(world, 15)
    assert world.account.orders[name].state is OrderState.MISSING


def test_a_venue_whose_clock_is_days_ahead_is_not_believed(world: World) -> None:
    name = world.enter()
    world.through()
    world.venue.said += 400 * 86_400 * SECOND
    world.trade(name)
    world.through()
    assert world.account.orders[name].state is OrderState.FILLED
    assert world.account.venue_time < T0 + 86_400 * SECOND
    assert any("CLOCK" in text for _, text in world.dealer.alarms)


def test_a_report_from_days_ahead_does_not_make_us_deaf_to_those_of_today(world: World) -> None:
    report = replace(world.venue.account(0), venue_time=T0 + 400 * 86_400 * SECOND)
    world.wire.arrived.append(report)
    world.dealer.receive()
    assert world.account.venue_time < T0 + 86_400 * SECOND
    assert world.account.reconciled < T0 + 86_400 * SECOND
    name = world.enter()
    world.through()
    world.venue.trade(name, D(1), D(100))  # nobody is told
    rounds(world)
    world.agree()
    world.dealer.flatten("me")
    world.through()
    (closing,) = world.account.working_of("a", "BTC")
    world.trade(closing.order.id)
    world.through()
    rounds(world)
    assert not world.account.flattening
