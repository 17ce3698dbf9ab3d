"""Orders that are held: until people approve them, and until the market touches what a venue cannot hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from dealer_worlds import ALL, SECOND, D, World

from clawd.core.events import HeldUntil
from clawd.core.orders import Order, OrderKind, OrderType, TimeInForce
from clawd.execution.life_cycle import OrderState
from clawd.execution.waiting import Consent
from clawd.venues.venue import Submit


@dataclass
class People:
    """Orders above a size wait for them."""

    above: Decimal
    says: Consent = Consent.WAITING
    asked: list[Order] = field(default_factory=list)
    used: list[Order] = field(default_factory=list)

    def reasons(self, order: Order) -> Sequence[str]:
        return ["it is large"] if abs(order.size) > self.above else []

    def consent(self, order: Order, now: int) -> Consent:
        self.asked.append(order)
        return self.says

    def use(self, order: Order, now: int) -> bool:
        if order in self.used:
            return False
        self.used.append(order)
        return True


def submits(world: World) -> list[Order]:
    return [each.approved.order for each in world.wire.sent if isinstance(each, Submit)]


# Approvals.


@pytest.fixture
def people() -> People:
    return People(D(2))


@pytest.fixture
def world(people: People) -> World:
    return World(approvals=lambda _: people).ready()


def test_a_large_entry_waits_through_a_restart_and_is_sent_as_it_was_signed(world: World, people: People) -> None:
    order = world.order(size=D(3))
    small = world.order("b", size=D(1))
    assert world.dealer.propose(order).outcome == "allow"
    world.dealer.propose(small)
    assert submits(world) == [small]
    world.wait()
    world.crash()
    world.ready_again()
    assert world.dealer.propose(order).code == "DUPLICATE"
    assert set(world.account.held) == {order.id}
    assert submits(world) == [small]
    people.says = Consent.GIVEN
    world.wait()
    assert submits(world) == [small, order]
    assert people.used == [order]
    assert set(people.asked) == {order}
    world.through()
    assert world.account.orders[order.id].state is OrderState.ACCEPTED
    assert not world.account.held
    assert world.dealer.propose(order).code == "DUPLICATE"


def test_what_would_be_smaller_now_than_what_was_signed_waits_on(world: World, people: People) -> None:
    order = world.order(size=D(8))
    world.dealer.propose(order)
    world.hold("a", "ETH", D(2))  # it takes a part of the agent's budget
    world.hold("a", "BTC", D(2))
    people.says = Consent.GIVEN
    world.wait()
    assert order not in submits(world)
    assert not people.used
    assert set(world.account.held) == {order.id}


def test_what_people_refuse_is_never_sent(world: World, people: People) -> None:
    order = world.order(size=D(3))
    world.dealer.propose(order)
    people.says = Consent.REFUSED
    world.wait()
    people.says = Consent.GIVEN
    world.wait()
    assert submits(world) == []
    assert not world.account.held


def test_an_approval_that_was_used_by_another_sends_nothing(world: World, people: People) -> None:
    order = world.order(size=D(3))
    world.dealer.propose(order)
    people.used.append(order)
    people.says = Consent.GIVEN
    world.wait()
    assert submits(world) == []
    assert not world.account.held


def test_an_order_that_makes_a_position_smaller_never_waits_for_people(world: World, people: People) -> None:
    people.above = D(100)
    world.hold("a", "BTC", D(5))
    people.above = D(0)
    order = world.order(size=D(-5), kind=OrderKind.CLOSING)
    world.dealer.propose(order)
    assert submits(world)[-1] == order


def test_a_halt_and_a_cancellation_drop_what_waits(world: World, people: People) -> None:
    first, second = world.order(size=D(3)), world.order("b", size=D(3))
    world.dealer.propose(first)
    world.dealer.propose(second)
    assert world.dealer.cancel(first.id, "TEST")
    assert not world.dealer.cancel(first.id, "TEST")
    world.dealer.halt("me")
    assert not world.account.held
    people.says = Consent.GIVEN
    world.wait()
    assert submits(world) == []


def test_a_pause_drops_what_waits_of_its_agent_alone(world: World, people: People) -> None:
    first, second = world.order(size=D(3)), world.order("b", size=D(3))
    world.dealer.propose(first)
    world.dealer.propose(second)
    world.dealer.pause("a", "me", "news", 1)
    assert set(world.account.held) == {second.id}
    people.says = Consent.GIVEN
    world.wait()
    assert submits(world) == [second]
    assert people.used == [second], "an approval that is not used is not used up"
    world.crash()
    world.ready_again()
    assert world.dealer.propose(world.order(size=D(3))).code == "AGENT_PAUSED"
    world.dealer.unpause("a", "me", "", 2)
    world.wait()
    assert submits(world) == [second], "what was dropped stays dropped"
    again = world.order(size=D(3))
    assert world.dealer.propose(again).outcome == "allow"
    world.wait()
    assert submits(world) == [second, again]


def test_approvals_that_are_taken_away_send_nothing(people: People) -> None:
    world = World(approvals=lambda _: people).ready()
    world.dealer.propose(world.order(size=D(3)))
    world.approvals = None
    world.crash()
    world.ready_again()
    world.wait()
    assert submits(world) == []
    assert not world.account.held


# What is watched here.

NO_STOPS = replace(ALL, order_types=frozenset({OrderType.MARKET, OrderType.LIMIT}))


@pytest.fixture
def plain() -> World:
    """At a venue that knows market and limit orders only."""
    return World(can=NO_STOPS).ready()


def test_a_stop_that_the_venue_cannot_hold_goes_out_when_it_is_touched(plain: World) -> None:
    plain.hold()
    stop = plain.order(size=D(-1), kind=OrderKind.STOP, type=OrderType.STOP, level=D(95))
    assert plain.dealer.propose(stop).outcome == "allow"
    sent = len(submits(plain))
    plain.crash()
    plain.ready_again()
    plain.price("BTC", D("95.01"))
    assert len(submits(plain)) == sent
    plain.price("BTC", D(95))
    last = submits(plain)[-1]
    assert (last.id, last.type, last.size, last.level) == (stop.id, OrderType.MARKET, D(-1), None)
    plain.through()
    plain.trade(stop.id)
    plain.through()
    assert plain.account.sizes() == {}
    plain.price("BTC", D(90))
    assert len(submits(plain)) == sent + 1


def test_a_trailing_stop_follows_the_best_price_and_remembers_it(plain: World) -> None:
    plain.hold()
    trail = plain.order(size=D(-1), kind=OrderKind.STOP, type=OrderType.TRAILING_STOP, trail=D(4))
    plain.dealer.propose(trail)
    sent = len(submits(plain))
    for price in (101, 103, 102, 106, 103):
        plain.price("BTC", D(price))
    assert plain.account.held[trail.id].order.level == 102
    plain.crash()
    plain.ready_again()
    plain.price("BTC", D("102.01"))
    assert len(submits(plain)) == sent
    plain.price("BTC", D(102))
    assert submits(plain)[-1].id == trail.id


def test_a_trailing_stop_above_a_short_falls_with_the_price(plain: World) -> None:
    plain.hold(size=D(-1))
    trail = plain.order(size=D(1), kind=OrderKind.STOP, type=OrderType.TRAILING_STOP, trail=D(4))
    plain.dealer.propose(trail)
    for price in (99, 95, 98):
        plain.price("BTC", D(price))
    assert plain.account.held[trail.id].order.level == 99
    plain.price("BTC", D(99))
    assert submits(plain)[-1].id == trail.id


def test_a_stop_that_waits_goes_with_its_position_and_never_closes_more_than_is_left(plain: World) -> None:
    plain.hold(size=D(3))
    stop = plain.order(size=D(-3), kind=OrderKind.STOP, type=OrderType.STOP, level=D(95))
    plain.dealer.propose(stop)
    part = plain.order(size=D(-2), kind=OrderKind.CLOSING)
    plain.dealer.propose(part)
    plain.through()
    plain.trade(part.id)
    plain.through()
    plain.price("BTC", D(94))
    assert submits(plain)[-1].size == -1
    plain.through()
    plain.trade(stop.id)
    plain.through()
    plain.hold()
    other = plain.order(size=D(-1), kind=OrderKind.STOP, type=OrderType.STOP, level=D(90))
    plain.dealer.propose(other)
    rest = plain.order(size=D(-1), kind=OrderKind.CLOSING)
    plain.dealer.propose(rest)
    plain.through()
    plain.trade(rest.id)
    plain.through()
    assert not plain.account.held


def test_a_stop_limit_that_is_touched_becomes_its_limit_order(plain: World) -> None:
    name = plain.order(type=OrderType.STOP_LIMIT, level=D(102), limit=D(103))
    assert plain.dealer.propose(name).outcome == "allow"
    assert submits(plain) == []
    plain.price("BTC", D(102))
    (order,) = submits(plain)
    assert (order.id, order.type, order.limit, order.level) == (name.id, OrderType.LIMIT, D(103), None)


def test_an_entry_that_is_touched_is_judged_as_things_are_then(plain: World) -> None:
    order = plain.order(type=OrderType.STOP, level=D(102))
    assert plain.dealer.propose(order).outcome == "allow"
    plain.dealer.reduce("me")
    plain.price("BTC", D(102))
    assert submits(plain) == []
    assert not plain.account.held


def test_an_entry_that_was_signed_and_is_touched_is_sent_as_it_was_signed_or_not_at_all(people: People) -> None:
    people.says = Consent.GIVEN
    for crowded in (False, True):
        world = World(can=NO_STOPS, approvals=lambda _: people).ready()
        order = world.order(size=D(8), type=OrderType.STOP, level=D(102))
        world.dealer.propose(order)
        world.wait()
        assert people.used[-1] == order
        assert world.account.held[order.id].until is HeldUntil.TOUCHED
        if crowded:
            world.hold("a", "ETH", D(2))  # it takes a part of the agent's budget
            world.hold("a", "BTC", D(2))
        world.price("BTC", D(102))
        sent = [each.size for each in submits(world) if each.id == order.id]
        assert sent == ([] if crowded else [D(8)])
        assert not world.account.held
        people.used.clear()


def test_a_pause_takes_the_entries_of_its_agent_off_and_nobody_elses() -> None:
    """Also while the way to the venue is not open: they are taken off when it is."""
    world = World().ready()
    world.hold("a", "ETH")
    stop = world.order("a", "ETH", D(-1), kind=OrderKind.STOP, type=OrderType.STOP, level=D(9))
    assert world.dealer.propose(stop).outcome == "allow"
    own, other = (world.enter(agent, type=OrderType.LIMIT, limit=D(99)) for agent in ("a", "b"))
    world.through()
    world.disconnect()
    world.dealer.receive()
    world.dealer.pause("a", "me", "", 1)
    world.connect()
    world.through()
    world.ready_again()
    working = {name for name, resting in world.venue.orders.items() if resting.working}
    assert working == {other, stop.id}
    assert world.account.orders[own].state is OrderState.CANCELLED


def test_an_entry_that_waits_in_the_queue_is_given_up_by_a_pause() -> None:
    world = World().ready()
    with world.dealer.writer.batch():  # nothing is sent before the batch ends
        name = world.enter("a")
        other = world.enter("b")
        world.dealer.pause("a", "me", "", 1)
    assert [order.id for order in submits(world)] == [other]
    assert world.account.orders[name].state is OrderState.REJECTED


def test_a_pause_leaves_the_stop_that_is_watched_here_and_drops_the_entry(plain: World) -> None:
    plain.hold()
    stop = plain.order(size=D(-1), kind=OrderKind.STOP, type=OrderType.STOP, level=D(95))
    entry = plain.order(symbol="ETH", type=OrderType.STOP, level=D(12))
    plain.dealer.propose(stop)
    plain.dealer.propose(entry)
    plain.dealer.pause("a", "me", "", 1)
    assert set(plain.account.held) == {stop.id}
    plain.price("ETH", D(12))
    plain.price("BTC", D(95))
    assert submits(plain)[-1].id == stop.id


def test_an_entry_that_waits_for_the_one_before_it_to_be_off_is_refused_once_its_agent_is_paused() -> None:
    world = World().ready()
    old = world.enter(type=OrderType.LIMIT, limit=D(99))
    world.through()
    by = world.order(type=OrderType.LIMIT, limit=D(98))
    assert world.dealer.replace(old, by) is None
    world.dealer.pause("a", "me", "", 1)
    world.through()
    assert by.id not in world.account.orders
    assert by.id not in [order.id for order in submits(world)]


def test_what_is_held_ends_with_its_time() -> None:
    world = World(approvals=lambda _: People(D(2))).ready()
    expires = world.clock.now() + 20 * SECOND
    order = world.order(size=D(3), type=OrderType.LIMIT, limit=D(99), time_in_force=TimeInForce.GTD, expires=expires)
    assert world.dealer.propose(order).outcome == "allow"
    world.wait(19)
    assert world.account.held
    world.wait(2)
    assert not world.account.held


def test_a_stop_that_is_watched_here_stays_until_its_position_is_closed(plain: World) -> None:
    plain.hold()
    stop = plain.order(size=D(-1), kind=OrderKind.STOP, type=OrderType.STOP, level=D(95))
    entry = plain.order("b", type=OrderType.STOP, level=D(102))
    plain.dealer.propose(stop)
    plain.dealer.propose(entry)
    plain.dealer.flatten("me")
    assert set(plain.account.held) == {stop.id}
    plain.through()
    (closing,) = plain.account.working_of("a", "BTC")
    plain.trade(closing.order.id)
    plain.through()
    assert not plain.account.held
