"""Leaving a position at a venue without reduce-only: never two orders that could both close it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from dealer_worlds import ALL
from test_trader import BAR, DISTANCES, HALVES, Bench

from clawd.core.events import HeldUntil
from clawd.core.orders import OrderKind
from clawd.core.reason import Reason
from clawd.core.reports import RequestKind, VenueState
from clawd.risk.gate import Outcome
from clawd.store.switchboard import Switch
from clawd.venues.venue import Cancel, Submit

D = Decimal
PLAIN = replace(ALL, reduce_only=False)
STOP = [("stop", D("95.00"), D(-2))]


class Alone(Bench):
    """A trader at a venue that does not know reduce-only, looked at whenever the venue has heard something."""

    def __init__(self) -> None:
        super().__init__(PLAIN)
        handle = self.venue.handle

        def handled(request: object) -> list[object]:
            reports = handle(request)  # type: ignore[arg-type]
            self.check()
            return reports  # type: ignore[return-value]

        self.venue.handle = handled  # type: ignore[method-assign, assignment]

    def check(self) -> None:
        """What works at the venue and closes is never more than what is held there."""
        closing = sum((abs(each.rest) for each in self.venue.orders.values() if each.order.reduces), D(0))
        assert closing <= abs(self.venue.positions["BTC"]), "two orders that could both fill"

    def leave(self, size: str = "-2") -> str:
        order = self.order(size, OrderKind.CLOSING)
        assert self.trader.leave(order).outcome is Outcome.ALLOW
        return order.id

    def closings(self) -> list[str]:
        """Ids of the closings that were sent."""
        sent = (each.approved.order for each in self.wire.sent if isinstance(each, Submit))
        return [order.id for order in sent if order.kind is OrderKind.CLOSING]

    def dropped(self) -> list[str]:
        return [entry.body["why"] for entry in self.journal.entries() if entry.kind == "OrderDropped"]  # type: ignore[index]


def test_a_closing_goes_when_the_venue_has_said_that_the_stop_is_off() -> None:
    bench = Alone()
    bench.hold()
    assert bench.exits() == STOP, "the stop rests alone"
    name = bench.leave()
    assert bench.trader.account.held[name].until is HeldUntil.ALONE, "it is in the journal, and waits"
    assert isinstance(bench.wire.there[-1], Cancel) and not bench.closings()
    bench.wire.to_venue()
    assert not bench.closings(), "the stop is off, and nobody here knows"
    bench.wire.to_us()
    bench.trader.receive()
    assert bench.closings() == [name]
    bench.through()
    bench.trade(name)
    bench.through()
    assert (bench.size, bench.exits(), bench.trader.account.held) == (0, [], {})


def test_at_a_venue_with_reduce_only_nothing_waits() -> None:
    bench = Bench()
    bench.hold()
    order = bench.order("-2", OrderKind.CLOSING)
    bench.trader.leave(order)
    assert not bench.trader.account.held
    assert any(isinstance(each, Submit) and each.approved.order.id == order.id for each in bench.wire.there)


@pytest.mark.parametrize("steps", range(7))
@pytest.mark.parametrize("lost", [False, True])
def test_a_kill_anywhere_on_the_way_ends_with_one_closing(steps: int, lost: bool) -> None:
    """After so many messages this process dies, with or without what was on its way to the venue."""
    bench = Alone()
    bench.hold()
    name = bench.leave()
    for _ in range(steps):
        if bench.wire.there:
            bench.wire.to_venue()
        elif bench.wire.back:
            bench.wire.to_us()
        else:
            bench.trader.receive()
    if lost:
        bench.wire.there.clear()
    bench.crash()
    for _ in range(150):
        bench.through()
        bench.wait(1)
    assert bench.closings() == [name] or lost
    for closing in bench.closings():
        if closing in bench.venue.orders and bench.venue.orders[closing].working:
            bench.trade(closing)
    bench.through()
    if not lost or bench.size == 0:
        assert (bench.size, bench.venue.positions["BTC"], bench.exits()) == (0, 0, [])
    else:  # the closing never came there: the venue said so, and the position has its stop again
        assert bench.exits() == STOP


def test_a_stop_that_fills_while_it_is_taken_off_leaves_nothing_to_close() -> None:
    bench = Alone()
    bench.hold()
    bench.leave()
    bench.trade(bench.order_of(OrderKind.STOP), price="95")
    bench.through()
    bench.wait(1)
    bench.through()
    assert (bench.size, bench.venue.positions["BTC"], bench.closings()) == (0, 0, [])
    assert bench.dropped() == ["POSITION_CLOSED"]


def test_of_a_stop_that_fills_in_part_the_rest_is_closed() -> None:
    bench = Alone()
    bench.hold()
    name = bench.leave()
    bench.trade(bench.order_of(OrderKind.STOP), "-0.5", "95")
    bench.through()
    assert bench.closings() == [name]
    assert bench.venue.orders[name].order.size == D("-1.5")
    bench.trade(name)
    bench.through()
    assert (bench.size, bench.venue.positions["BTC"]) == (0, 0)


def test_a_cancellation_that_is_refused_is_asked_for_again_and_the_closing_waits_on() -> None:
    bench = Alone()
    bench.hold()
    name = bench.leave()
    stop = bench.order_of(OrderKind.STOP)
    bench.wire.there.clear()
    bench.wire.back.append(bench.venue._failed(stop, RequestKind.CANCEL, "LATER"))
    bench.wire.to_us()
    bench.trader.receive()
    assert not bench.closings()
    for _ in range(4):
        bench.wait(1)
        bench.through()
    assert bench.closings() == [name]


def test_what_is_turned_waits_for_what_is_left() -> None:
    """Long 2, to be short 2: the entry is not sent before the position is closed, or both would be one."""
    bench = Alone()
    bench.hold()
    closing = bench.leave()
    entry, verdict = bench.enter("-2")
    assert verdict.outcome is not Outcome.REFUSE
    assert set(bench.trader.account.held) == {closing, entry}
    bench.through()
    assert bench.closings() == [closing] and entry in bench.trader.account.held
    bench.trade(closing)
    bench.through()
    bench.wait(0.1)
    bench.through()
    assert entry in bench.venue.orders and not bench.trader.account.held
    bench.trade(entry)
    bench.through()
    assert bench.size == D(-2)
    assert [kind for kind, _, _ in bench.exits()] == ["stop"]


def test_an_entry_behind_a_closing_that_never_came_through_is_dropped() -> None:
    bench = Alone()
    bench.hold()
    closing = bench.leave()
    entry, _ = bench.enter("-2")
    bench.through()
    bench.wire.back += bench.venue.end(closing, VenueState.EXPIRED)
    bench.through()
    bench.wait(1)
    bench.through()
    assert bench.dropped() == ["POSITION_KEPT"] and entry not in bench.venue.orders
    assert bench.exits() == STOP, "what is still held has its stop again"


def test_a_flattening_takes_the_exits_off_before_it_closes() -> None:
    bench = Alone()
    bench.hold()
    bench.commands(Switch.FLATTEN, 1)
    for _ in range(5):
        bench.wait(1)
    assert not bench.closings()
    assert bench.journal.kinds.count("OrderHeld") == 1, "it waits once, however often it is looked at"
    for _ in range(20):
        bench.through()
        for name in bench.closings():
            if bench.venue.orders[name].working:
                bench.trade(name)
        bench.through()
        bench.wait(1)
    assert len(bench.closings()) == 1
    assert (bench.size, bench.venue.positions["BTC"]) == (0, 0)
    assert bench.journal.kinds.count("FlatVerified") == 1


def test_a_price_that_comes_to_the_stop_meanwhile_closes_once() -> None:
    bench = Alone()
    bench.hold()
    bench.leave()
    bench.see(BTC="94")
    bench.wire.to_venue()
    bench.wire.to_us()
    bench.trader.receive()
    bench.see(BTC="93")
    bench.through()
    working = [name for name, each in bench.venue.orders.items() if each.working and each.order.reduces]
    assert len(working) == 1
    bench.trade(working[0])
    bench.through()
    bench.wait(1)
    bench.through()
    assert (bench.size, bench.venue.positions["BTC"], bench.trader.account.held) == (0, 0, {})


def test_who_waits_blindly_for_too_long_is_naked_and_closed() -> None:
    """The stop is off and the word of it is lost, and so is the price: the deadline runs, whatever waits."""
    bench = Alone()
    bench.hold()
    bench.leave()
    bench.wire.to_venue()
    bench.wire.back.clear()
    for _ in range(25):
        bench.wait(1, blind=True)
    assert "ProtectionLapsed" in bench.journal.kinds
    assert "ProtectionOverdue" in bench.journal.kinds
    bench.through()  # the query of the stop is answered at last
    for _ in range(15):
        bench.wait(1, blind=True)
        bench.through()
    working = [name for name, each in bench.venue.orders.items() if each.working and each.order.reduces]
    assert len(working) == 1 and bench.venue.orders[working[0]].order.kind is OrderKind.CLOSING


def test_a_part_that_is_left_keeps_its_stop() -> None:
    bench = Alone()
    bench.hold()
    order = replace(bench.order("-0.5", OrderKind.CLOSING), reason=Reason.REDUCE)
    bench.trader.leave(order)
    bench.through()
    bench.trade(order.id)
    bench.through()
    assert bench.size == D("1.5")
    assert bench.exits() == [("stop", D("95.00"), D("-1.5"))]


def test_an_entry_alone_waits_for_nothing() -> None:
    bench = Alone()
    bench.hold("1")
    order = replace(bench.order("1"), reason=Reason.INCREASE)
    bench.see(BTC="101")
    verdict = bench.trader.enter(order, HALVES, DISTANCES, BAR)
    assert verdict.outcome is Outcome.ALLOW
    assert order.id not in bench.trader.account.held
