"""Exits at a venue: what rests, what is watched, and how one takes another's place, on a venue that can misbehave."""

from __future__ import annotations

from decimal import Decimal

import pytest
from exit_venue import SECOND, Bench, capabilities_of

from clawd.core.account_events import (
    UNATTRIBUTED,
    AgentStopped,
    ProtectionLapsed,
    ProtectionOverdue,
    ProtectionRestored,
    TradeAdopted,
)
from clawd.core.orders import OrderKind, OrderType
from clawd.core.reason import Reason
from clawd.execution.life_cycle import OrderState
from clawd.execution.watch import watched

D = Decimal
TARGET = {"stop": {"percent": 5}, "take": {"percent": 10}}
HALVES = {"stop": {"percent": 5}, "take": [{"percent": 4, "share": 0.5}, {"percent": 8, "share": 0.5}]}
TRAIL = {"stop": {"percent": 5}, "trail": {"percent": 3}}


def opened(
    bench: Bench, exits: dict[str, object] = TARGET, distances: list[float] | None = None, size: str = "1"
) -> Bench:
    bench.quote("100")
    bench.open(size, exits, distances or [5.0, 0, 0, 0, 10.0])
    bench.settle()
    return bench


def test_an_entry_gets_its_stop_and_its_target_at_the_venue() -> None:
    bench = opened(Bench())
    assert bench.exits() == [("stop", D("95.00"), D(-1)), ("take", D("110.00"), D(-1))]
    assert bench.account.agents["a1"].holdings["AAA"].stop == D("95.00")
    stop, target = bench.working(OrderKind.STOP)[0], bench.working(OrderKind.TAKE)[0]
    assert stop.group == target.group is not None, "what closes the whole position hangs together"
    assert watched(bench.account, "a1", "AAA") == []


def test_a_short_has_its_exits_on_the_other_side() -> None:
    bench = opened(Bench(), size="-1")
    assert bench.exits() == [("stop", D("105.00"), D(1)), ("take", D("90.00"), D(1))]
    bench.quote("105")
    bench.settle()
    assert bench.size == 0 and bench.exits() == []


def test_an_entry_without_a_plan_gets_the_plain_stop_of_its_distance() -> None:
    bench = Bench()
    bench.open("2", None, stop_distance="7.5")
    bench.settle()
    assert bench.exits() == [("stop", D("92.50"), D(-2))]
    bench.restart()
    bench.settle()
    assert bench.exits() == [("stop", D("92.50"), D(-2))]


def test_a_position_of_nobody_is_left_alone() -> None:
    bench = Bench()
    bench.enter(TradeAdopted(trade="x", symbol="AAA", size=D(3), price=D(100), fee=D(0), venue_time=bench.now))
    bench.settle()
    assert bench.check() == [] and bench.venue.live == {}
    assert bench.account.agents[UNATTRIBUTED].size("AAA") == 3


# Partial fills.


def test_partial_fills_of_an_entry_enlarge_the_exits_and_leave_the_levels_of_the_first() -> None:
    bench = Bench()
    bench.quote("100")
    bench.open("3", TARGET, [5.0, 0, 0, 0, 10.0], level="200", id="e")
    for size, price in (("1", "100"), ("0.5", "101"), ("1.5", "102")):
        bench.venue.trade("e", D(size), D(price))
        bench.settle()
        assert bench.exits() == [("stop", D("95.00"), -bench.size), ("take", D("110.00"), -bench.size)]
    held = bench.manager.protection("a1", "AAA")
    assert held is not None and held.position["average"] == pytest.approx((100 + 50.5 + 153) / 3)


def test_a_target_filled_in_part_lets_its_rest_rest_and_the_stop_shrinks() -> None:
    """freqtrade#1519: a partial take profit, and what is left keeps its stop and its own targets."""
    bench = opened(Bench(), HALVES, [5.0, 0, 0, 0, 4.0, 8.0], size="2")
    assert bench.exits() == [
        ("stop", D("95.00"), D(-2)),
        ("take", D("104.00"), D(-1)),
        ("take", D("108.00"), D(-1)),
    ]
    first = next(order for order in bench.venue.live.values() if order.level == D("104.00"))
    bench.venue.price = D(104)
    bench.venue.match(first.id, D("0.3"))
    bench.settle()
    assert bench.size == D("1.7")
    assert bench.exits() == [
        ("stop", D("95.00"), D("-1.7")),
        ("take", D("104.00"), D("-0.7")),
        ("take", D("108.00"), D("-1.0")),
    ]
    assert first.id in bench.venue.live, "it is the same order that goes on resting"
    bench.restart()
    bench.settle()
    assert first.id in bench.venue.live, "and a restart does not forget how much of it has filled"
    bench.quote("104")
    bench.settle()
    assert bench.exits() == [("stop", D("95.00"), D("-1.0")), ("take", D("108.00"), D("-1.0"))]
    bench.quote("108")
    bench.settle()
    assert bench.size == 0 and bench.exits() == []


def test_an_enlarged_position_keeps_its_stop_for_its_whole_size() -> None:
    """jesse#599: the stop after adding to a short was that of the first size."""
    bench = opened(Bench(), {"stop": {"percent": 5}}, [5.0], size="-1")
    bench.quote("97")
    bench.open("-2", None, reason=Reason.INCREASE, stop_distance="8")
    bench.settle()
    assert bench.exits() == [("stop", D("105.00"), D(3))]
    bench.quote("105")
    bench.settle()
    assert bench.size == 0 and bench.venue.net == 0 and bench.exits() == []


def test_an_entry_to_enlarge_is_dropped_once_a_target_has_closed_a_part() -> None:
    bench = opened(Bench(), HALVES, [5.0, 0, 0, 0, 4.0, 8.0], size="2")
    bench.open("1", None, reason=Reason.INCREASE, level="120", id="more")
    bench.settle()
    assert bench.account.orders["more"].state is OrderState.ACCEPTED
    bench.quote("104")
    bench.settle()
    assert bench.account.orders["more"].state is OrderState.CANCELLED


# Replacing.


def trail_up(bench: Bench, price: str) -> None:
    """A bar whose high is the price, so that the trailing stop moves."""
    bench.now += 60 * SECOND
    bench.quote(price)
    bench.bar(bench.now - 30 * SECOND, float(price), float(price), float(price))


@pytest.mark.parametrize("exits", [None, 2])
def test_the_old_stop_goes_only_once_the_venue_has_the_new_one(exits: int | None) -> None:
    """freqtrade#8045, #7526: a gap while a stop on the exchange is replaced."""
    bench = opened(Bench(capabilities_of(exits)), TRAIL, [5.0, 3.0])
    assert bench.exits() == [("stop", D("97.00"), D(-1))]
    trail_up(bench, "110")
    assert bench.exits() == [("stop", D("97.00"), D(-1)), ("stop", D("107.00"), D(-1))]
    assert [order.level for order in bench.working(OrderKind.STOP)] == [D("97.00"), D("107.00")]
    bench.keep()
    assert len(bench.venue.live) == 2, "the new one is not acknowledged: the old one stays"
    bench.deliver()
    assert bench.exits() == [("stop", D("107.00"), D(-1))]


def test_a_venue_that_can_replace_does_it_with_no_moment_between() -> None:
    bench = opened(Bench(capabilities_of(1, replace=True)), TRAIL, [5.0, 3.0])
    trail_up(bench, "110")
    assert bench.exits() == [("stop", D("107.00"), D(-1))]
    bench.settle()
    assert bench.exits() == [("stop", D("107.00"), D(-1))]


def test_where_only_one_fits_the_level_is_watched_while_the_stop_is_replaced() -> None:
    bench = opened(Bench(capabilities_of(1)), TRAIL, [5.0, 3.0])
    trail_up(bench, "110")
    assert bench.exits() == [], "the old one is off"
    assert [each.level for each in watched(bench.account, "a1", "AAA")] == [D("107.00")]
    bench.now += SECOND
    bench.quote("106.5")  # within the gap
    bench.settle()
    assert bench.size == 0 and bench.venue.net == 0
    assert bench.venue.trades[-1][2:] == (D(-1), D("106.5"))


def test_where_only_one_fits_and_the_price_is_not_known_the_old_stop_stays() -> None:
    bench = opened(Bench(capabilities_of(1)), TRAIL, [5.0, 3.0])
    bench.now += 60 * SECOND
    bench.bar(bench.now - 30 * SECOND, 110.0, 110.0, 110.0)
    assert bench.exits() == [("stop", D("97.00"), D(-1))]
    bench.quote("110")
    bench.settle()
    assert bench.exits() == [("stop", D("107.00"), D(-1))]


def test_a_refused_new_stop_leaves_the_old_one_and_is_watched_and_asked_for_again() -> None:
    bench = opened(Bench(), TRAIL, [5.0, 3.0])
    bench.venue.refuse = 1
    trail_up(bench, "110")
    bench.settle()
    assert bench.exits() == [("stop", D("97.00"), D(-1))]
    assert [each.level for each in watched(bench.account, "a1", "AAA")] == [D("107.00")]
    bench.now += 2 * SECOND
    bench.settle()
    assert bench.exits() == [("stop", D("107.00"), D(-1))]


def test_a_refused_stop_is_not_asked_for_in_a_circle() -> None:
    bench = Bench()
    bench.open("1", {"stop": {"percent": 5}})
    bench.venue.refuse = 1_000
    bench.settle()
    first = 1_000 - bench.venue.refuse
    for _ in range(100):
        bench.now += SECOND // 10
        bench.settle()
    assert first == 1 and 1_000 - bench.venue.refuse <= 5


def test_an_orphan_stop_is_taken_off_when_the_position_is_gone() -> None:
    """freqtrade#11608: a stop left at the exchange after the position was closed opens another."""
    bench = opened(Bench())
    bench.close("-1")
    bench.settle()
    assert bench.size == 0 and bench.exits() == []
    assert bench.account.protection("a1", "AAA") is None


def test_a_position_that_is_entered_again_gets_its_stop_beside_the_one_that_is_being_taken_off() -> None:
    bench = opened(Bench(), {"stop": {"percent": 5}}, [5.0])
    bench.close("-1")
    bench.venue.price, bench.now = D(104), bench.now + SECOND
    bench.open("2", {"stop": {"percent": 5}}, [5.0])
    while any(said[0] != "cancelled" for said in bench.venue.said):
        bench.deliver(next(place for place, said in enumerate(bench.venue.said) if said[0] != "cancelled"))
    assert bench.exits() == [("stop", D("99.00"), D(-2))]
    bench.settle()
    assert bench.exits() == [("stop", D("99.00"), D(-2))]


def test_a_target_that_is_on_its_way_is_not_sent_again_when_the_price_comes_to_it() -> None:
    bench = Bench()
    bench.quote("100")
    bench.open("1", TARGET, [5.0, 0, 0, 0, 10.0])
    bench.deliver()
    bench.deliver()  # the fill; the exits are sent and not acknowledged
    assert [placed.state for placed in bench.account.working()] == [OrderState.SUBMITTED] * 2
    assert not bench.quote("110", move=False)
    bench.venue.move(D(110))
    bench.settle()
    assert bench.size == bench.venue.net == 0


def test_of_two_exits_at_a_venue_without_reduce_only_one_works_at_a_time() -> None:
    bench = opened(Bench(capabilities_of(reduce_only=False)))
    assert bench.exits() == [("stop", D("95.00"), D(-1))], "two of them could both fill"
    bench.now += SECOND
    bench.quote("110")
    assert bench.exits() == [], "the stop makes room first"
    bench.settle()
    assert bench.size == D(1)
    bench.quote("110")
    bench.settle()
    assert bench.size == 0 and bench.venue.net == 0


def test_the_agent_may_close_at_a_venue_without_reduce_only_once_no_exit_works() -> None:
    bench = opened(Bench(capabilities_of(reduce_only=False)))
    bench.keep(leaving=True)
    assert bench.exits() == []
    bench.by_hand = True
    while bench.venue.said:
        bench.deliver()
    assert not bench.keep(leaving=True)
    bench.close("-1")
    bench.by_hand = False
    bench.settle()
    assert bench.venue.net == 0 and bench.exits() == []


def test_an_exit_that_opened_a_position_is_closed_at_once() -> None:
    """Without reduce-only a stop can fill beside the order that closes."""
    bench = opened(Bench(capabilities_of(reduce_only=False)), {"stop": {"percent": 5}}, [5.0])
    bench.close("-1")
    bench.venue.move(D(95))
    bench.settle()
    assert bench.size == bench.venue.net == D(-1)
    assert bench.account.protection("a1", "AAA") is None
    assert [type(fact) for fact in bench.check()] == [ProtectionLapsed, ProtectionOverdue]
    bench.settle()
    assert bench.size == bench.venue.net == 0


# Which of two rests where only one fits.


def test_where_only_one_exit_fits_the_stop_rests_and_the_target_is_watched() -> None:
    """OctoBot swaps the active order; here the stop always has the place, and the target trades from here."""
    bench = opened(Bench(capabilities_of(1)))
    assert bench.exits() == [("stop", D("95.00"), D(-1))]
    bench.now += SECOND
    bench.quote("109.99")
    bench.settle()
    assert bench.exits() == [("stop", D("95.00"), D(-1))]
    bench.quote("110.01")
    bench.settle()
    assert bench.size == 0 and bench.exits() == []
    assert bench.venue.trades[-1][3] == D("110.01")
    assert bench.account.agents["a1"].realised == D("10.01")


def test_a_target_never_has_the_place_that_another_agents_stop_needs() -> None:
    bench = Bench(capabilities_of(2), agents=("a1", "a2"))
    bench.quote("100")
    bench.open("1", TARGET, [5.0, 0, 0, 0, 10.0])
    bench.settle()
    assert len(bench.exits("a1")) == 2
    bench.open("2", TARGET, [6.0, 0, 0, 0, 10.0], agent="a2")
    bench.settle()
    assert bench.exits("a1") == [("stop", D("95.00"), D(-1))]
    assert bench.exits("a2") == [("stop", D("94.00"), D(-2))]


def test_a_venue_that_holds_no_stops_has_them_watched() -> None:
    bench = opened(Bench(capabilities_of(types=frozenset({OrderType.MARKET}))))
    assert bench.exits() == []
    bench.now += SECOND
    bench.quote("94.9")
    bench.settle()
    assert bench.size == 0
    assert bench.account.orders[bench.venue.trades[-1][1]].order.kind is OrderKind.STOP


def test_exits_live_on_when_their_agent_is_stopped() -> None:
    bench = opened(Bench(), TRAIL, [5.0, 3.0])
    bench.enter(AgentStopped(agent="a1", why="FIRED"))
    trail_up(bench, "110")
    bench.settle()
    assert bench.exits() == [("stop", D("107.00"), D(-1))]
    assert bench.working(OrderKind.STOP)[0].reason is Reason.TRAIL
    bench.quote("107")
    bench.settle()
    assert bench.size == 0 and bench.exits() == []


def test_the_rest_of_an_entry_goes_with_the_position_that_it_opened() -> None:
    bench = Bench()
    bench.quote("100")
    bench.open("3", {"stop": {"percent": 5}}, level="200", id="e")
    bench.venue.trade("e", D(1), D(100))
    bench.settle()
    bench.quote("94")
    bench.settle()
    assert bench.size == 0 and bench.venue.live == {}


# Restarts, and outcomes that nobody knows.


@pytest.mark.parametrize("exits", [None, 1])
def test_stops_and_targets_are_there_after_a_restart(exits: int | None) -> None:
    """OctoBot#3190, hummingbot-api#243: the position was left with no stop, no target and no timer."""
    bench = opened(Bench(capabilities_of(exits)), {**TARGET, "time": 3}, [5.0, 0, 0, 0, 10.0])
    before, memory = bench.exits(), bench.account.protection("a1", "AAA")
    bench.restart()
    bench.quote("100")
    bench.settle()
    assert bench.exits() == before and bench.account.protection("a1", "AAA") == memory
    for bar in range(3):
        assert bench.size == 1, f"held for {bar} of 3 bars"
        bench.now += 60 * SECOND
        bench.quote("100")
        bench.bar(bench.now - 60 * SECOND, 101.0, 99.0, 100.0)
        bench.bar(bench.now - 60 * SECOND, 101.0, 99.0, 100.0)  # told twice
        if bar == 1:
            bench.restart()
            bench.quote("100")
        bench.settle()
    assert bench.size == 0 and bench.exits() == []
    assert bench.account.orders[bench.venue.trades[-1][1]].order.reason is Reason.TIME


def test_a_crash_between_the_fill_and_the_stop_is_made_good() -> None:
    bench = Bench()
    bench.open("1", TARGET, [5.0, 0, 0, 0, 10.0])
    bench.restart()  # the fill was never heard
    assert bench.size == 1
    bench.settle()
    assert bench.exits() == [("stop", D("95.00"), D(-1)), ("take", D("110.00"), D(-1))]


def test_a_lost_stop_is_doubled_only_reduce_only_and_the_spare_one_goes() -> None:
    bench = Bench()
    bench.quote("100")
    bench.open("1", {"stop": {"percent": 5}})
    bench.deliver()
    bench.deliver()
    bench.venue.said.clear()  # the stop arrived, its acknowledgement did not
    bench.lose_outcomes()
    assert len(watched(bench.account, "a1", "AAA")) == 1
    bench.keep()
    bench.keep()
    assert bench.exits() == [("stop", D("95.00"), D(-1))] * 2
    bench.settle()
    bench.query()
    bench.settle()
    assert bench.exits() == [("stop", D("95.00"), D(-1))]
    assert [placed.state for placed in bench.account.working()] == [OrderState.ACCEPTED]


def test_without_reduce_only_a_lost_stop_is_waited_for() -> None:
    bench = Bench(capabilities_of(reduce_only=False))
    bench.quote("100")
    bench.open("1", {"stop": {"percent": 5}})
    bench.deliver()
    bench.deliver()
    bench.venue.said.clear()
    bench.lose_outcomes()
    bench.settle()
    assert len(bench.venue.live) == 1


# Never naked.


def test_a_stop_that_is_not_acknowledged_is_naked_time_that_ends_in_closing() -> None:
    bench = Bench()
    bench.open("1", {"stop": {"percent": 5}})
    bench.deliver()
    bench.deliver()
    bench.venue.live.clear()
    bench.venue.said.clear()  # the stop never arrived, and there are no quotes
    facts = bench.check()
    assert [type(fact) for fact in facts] == [ProtectionLapsed]
    bench.now += 9 * SECOND
    assert bench.check() == []
    bench.restart()  # the clock survives it
    bench.lose_outcomes()
    bench.venue.refuse = 1
    bench.now += SECOND
    facts = bench.check()
    assert [type(fact) for fact in facts] == [ProtectionOverdue]
    assert facts[0].seconds == 10.0
    bench.settle()
    assert bench.size == 1, "the venue refused to close"
    bench.venue.live.clear()
    bench.venue.said.clear()
    for placed in list(bench.account.working()):
        if placed.state is OrderState.ACCEPTED:
            bench.hear(("cancelled", placed.order.id, "VENUE"))
    bench.by_hand = True
    for _ in range(30):
        bench.now += SECOND
        bench.check()
    bench.by_hand = False
    bench.settle()
    assert bench.size == 0, "it is asked again until it is closed"


def test_a_watch_over_stale_quotes_is_none() -> None:
    bench = opened(Bench(capabilities_of(types=frozenset({OrderType.MARKET}))))
    assert bench.check() == []
    bench.now += 6 * SECOND
    assert [type(fact) for fact in bench.check()] == [ProtectionLapsed]
    bench.quote("100")
    assert [type(fact) for fact in bench.check()] == [ProtectionRestored]
    assert bench.account.naked_since == {"a1": {}}


def test_a_clock_that_is_set_back_neither_makes_old_quotes_fresh_nor_lets_a_naked_position_be() -> None:
    bench = opened(Bench(capabilities_of(types=frozenset({OrderType.MARKET}))))
    bench.now -= 3600 * SECOND
    assert [type(fact) for fact in bench.check()] == [ProtectionLapsed], "the quote is from a time that has not come"
    bench.quote("100")
    assert [type(fact) for fact in bench.check()] == [ProtectionRestored]
    bench.now += 6 * SECOND
    assert [type(fact) for fact in bench.check()] == [ProtectionLapsed]
    bench.now -= 3600 * SECOND
    bench.quotes.clear()
    assert [type(fact) for fact in bench.check()] == [ProtectionOverdue]
    bench.now += 11 * SECOND
    assert bench.check() == [], "it is being closed, and the answer is waited for"
    bench.settle()
    assert bench.size == 0


def test_what_was_refused_before_the_clock_was_set_back_is_asked_for_again() -> None:
    bench = Bench()
    bench.open("1", {"stop": {"percent": 5}})
    bench.venue.refuse = 1
    bench.settle()
    assert bench.exits() == []
    bench.now -= 3600 * SECOND
    bench.settle()
    assert bench.exits() == [("stop", D("95.00"), D(-1))]


def test_a_stop_that_the_price_has_passed_and_that_does_not_fill_is_none() -> None:
    bench = opened(Bench())
    bench.now += SECOND
    bench.quote("94", move=False)  # the venue holds the stop and does nothing
    assert [type(fact) for fact in bench.check()] == [ProtectionLapsed]
    for _ in range(10):
        bench.now += SECOND
        bench.quote("94", move=False)
        facts = bench.check()
    assert [type(fact) for fact in facts] == [ProtectionOverdue]
    bench.settle()
    assert bench.size == 0 and bench.exits() == []
