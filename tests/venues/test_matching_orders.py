"""Each kind of order at the simulated exchange, counted by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from clawd.core.orders import OrderKind, OrderType
from clawd.core.reports import OrderReport, RequestFailed, RequestKind, VenueState
from clawd.data.book_replay import ASK, BID
from clawd.data.capture import Gap
from clawd.venues.venue import Cancel, Query, Submit
from venues.matching_cases import (
    FOK,
    FREE,
    GTD,
    IOC,
    LEVELS,
    PERPETUAL,
    SECOND,
    account,
    approved,
    bought,
    change,
    fills,
    more_market,
    order,
    sent,
    snapshot,
    sold,
    states,
    stop,
    top,
    venue_of,
)

# Taking.


def test_a_market_order_walks_the_visible_depth() -> None:
    reports = sent(venue_of(), order("m", "12"))
    assert fills(reports) == [("m", "5.000", "100.01", False), ("m", "7.000", "100.02", False)]
    assert states(reports) == [("m", "accepted", ""), ("m", "filled", "")]


def test_beyond_the_visible_depth_nothing_is_there() -> None:
    reports = sent(venue_of(), order("m", "-40"))
    assert fills(reports) == [
        ("m", "-5.000", "99.99", False),
        ("m", "-10.000", "99.98", False),
        ("m", "-20.000", "99.95", False),
    ]
    assert states(reports) == [("m", "accepted", ""), ("m", "cancelled", "NO_LIQUIDITY")]
    last = [each for each in reports if isinstance(each, OrderReport)][-1]
    assert (last.size, last.filled) == (Decimal(-40), Decimal(-35))


def test_what_was_taken_is_not_there_again_before_the_level_grows() -> None:
    venue = venue_of()
    sent(venue, order("one", "4"))
    assert fills(sent(venue, order("two", "2"))) == [
        ("two", "1.000", "100.01", False),
        ("two", "1.000", "100.02", False),
    ]
    more_market(venue, change(1, (ASK, 10_001, 3_000)))  # others took away what was theirs: nothing came
    assert fills(sent(venue, order("three", "1"))) == [("three", "1.000", "100.02", False)]
    more_market(venue, change(2, (ASK, 10_001, 4_000)))  # somebody came
    assert fills(sent(venue, order("four", "1"))) == [("four", "1.000", "100.01", False)]


def test_what_others_traded_is_gone_before_the_book_says_so() -> None:
    venue = venue_of()
    more_market(venue, bought(1, 10_001, 4_000))
    assert fills(sent(venue, order("m", "2"))) == [("m", "1.000", "100.01", False), ("m", "1.000", "100.02", False)]


def test_a_limit_order_takes_no_worse_than_its_limit_and_rests_with_what_is_left() -> None:
    venue = venue_of()
    reports = sent(venue, order("l", "20", "100.02"))
    assert fills(reports) == [("l", "5.000", "100.01", False), ("l", "10.000", "100.02", False)]
    assert states(reports)[-1] == ("l", "partially_filled", "")
    (working,) = account(venue).orders
    assert (working.filled, working.limit) == (Decimal(15), Decimal("100.02"))


def test_immediate_or_cancel_never_rests() -> None:
    reports = sent(venue_of(), order("i", "7", "100.01", time_in_force=IOC))
    assert fills(reports) == [("i", "5.000", "100.01", False)]
    assert states(reports)[-1] == ("i", "cancelled", "IOC_REST")


def test_fill_or_kill_is_all_or_nothing() -> None:
    venue = venue_of()
    reports = sent(venue, order("k", "16", "100.02", time_in_force=FOK))
    assert fills(reports) == []
    assert states(reports)[-1] == ("k", "cancelled", "FOK_NOT_WHOLE")
    assert len(fills(sent(venue, order("whole", "15", "100.02", time_in_force=FOK)))) == 2
    assert states(sent(venue, order("market", "30", time_in_force=FOK)))[-1] == ("market", "cancelled", "FOK_NOT_WHOLE")


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (snapshot(1, (BID, 9_999, 5_000)), "NO_LIQUIDITY"),
        (snapshot(1, (ASK, 9_999, 5_000)), "NO_LIQUIDITY"),
        (change(1, *((side, price, 0) for side, price, _ in LEVELS)), "NO_LIQUIDITY"),
        (change(1, (BID, 10_001, 1_000)), "BOOK_CROSSED"),
        (Gap(1, "AAA"), "BOOK_UNKNOWN"),
    ],
)
def test_a_market_order_finds_no_price_in_a_broken_book(event: object, code: str) -> None:
    venue = venue_of()
    more_market(venue, event)  # type: ignore[arg-type]
    for each in (order("m", "1"), order("i", "1", "101", time_in_force=IOC), order("p", "-1", "105", post_only=True)):
        assert states(sent(venue, each)) == [(each.id, "rejected", code)]


def test_a_silent_book_is_stale() -> None:
    venue = venue_of(replace(FREE, stale=SECOND))
    venue.advance(SECOND)
    assert len(fills(sent(venue, order("m", "1")))) == 1
    venue.advance(SECOND + 1)
    assert states(sent(venue, order("n", "1"))) == [("n", "rejected", "BOOK_STALE")]
    # A limit order is taken on, and takes only from a book that speaks again.
    assert fills(sent(venue, order("l", "1", "100.05"))) == []
    assert fills(more_market(venue, change(2 * SECOND, (ASK, 10_002, 1_000)))) == [("l", "1.000", "100.01", False)]


def test_a_limit_order_waits_for_a_crossed_book_to_uncross() -> None:
    venue = venue_of()
    more_market(venue, change(1, (BID, 10_003, 7_000)))
    assert fills(sent(venue, order("l", "6", "100.02"))) == []
    assert fills(more_market(venue, change(2, (ASK, 10_005, 1_000)))) == []
    reports = more_market(venue, change(3, (BID, 10_003, 0), (ASK, 10_001, 2_000)))
    assert fills(reports) == [("l", "2.000", "100.01", False), ("l", "4.000", "100.02", False)]


# Resting.


def test_a_resting_order_waits_behind_what_is_shown() -> None:
    venue = venue_of()
    sent(venue, order("l", "2", "99.99"))
    assert fills(more_market(venue, sold(1, 9_999, 3_000))) == []  # 2 of 5 are left before us
    reports = more_market(venue, sold(2, 9_999, 3_000))
    assert fills(reports) == [("l", "1.000", "99.99", True)]
    assert states(reports) == [("l", "partially_filled", "")]
    assert fills(more_market(venue, sold(3, 9_999, 9_000))) == [("l", "1.000", "99.99", True)]


def test_who_comes_later_stands_behind_us_and_a_level_that_shrinks_bounds_what_is_before_us() -> None:
    venue = venue_of()
    sent(venue, order("l", "1", "99.99"))
    more_market(venue, change(1, (BID, 9_999, 50_000)), sold(2, 9_999, 4_000), change(3, (BID, 9_999, 46_000)))
    assert fills(more_market(venue, sold(4, 9_999, 1_000))) == []  # that was the last before us
    assert fills(more_market(venue, sold(5, 9_999, 1_000))) == [("l", "1.000", "99.99", True)]
    sent(venue, order("n", "1", "99.98"))
    more_market(venue, change(6, (BID, 9_998, 3_000)))
    assert fills(more_market(venue, sold(7, 9_998, 3_500))) == [("n", "0.500", "99.98", True)]


def test_a_trade_through_our_price_fills_us_but_not_with_more_than_traded() -> None:
    venue = venue_of()
    sent(venue, order("l", "2", "99.99"))
    assert fills(more_market(venue, sold(1, 9_998, 1_500))) == [("l", "1.500", "99.99", True)]


def test_one_trade_is_shared_by_price_and_then_by_time() -> None:
    venue = venue_of()
    sent(
        venue,
        order("late", "1", "99.97"),
        order("a", "1", "99.96"),
        order("b", "1", "99.96"),
        order("best", "1", "99.98"),
    )
    more_market(venue, change(1, (BID, 9_998, 0)))
    # 99.98 is ours alone, so is 99.97; then a before b.
    assert fills(more_market(venue, sold(2, 9_996, 3_500))) == [
        ("best", "1.000", "99.98", True),
        ("late", "1.000", "99.97", True),
        ("a", "1.000", "99.96", True),
        ("b", "0.500", "99.96", True),
    ]


def test_others_who_offer_at_our_price_have_come_to_us() -> None:
    venue = venue_of()
    sent(venue, order("l", "3", "100.00"))
    reports = more_market(venue, change(1, (ASK, 9_999, 2_000), (BID, 9_999, 0)))
    assert fills(reports) == [("l", "2.000", "100.00", True)]


def test_trades_of_the_other_side_leave_us_alone() -> None:
    venue = venue_of()
    sent(venue, order("l", "3", "100.00"), order("s", "-3", "100.02"))
    assert fills(more_market(venue, bought(1, 10_000, 9_000), sold(2, 10_002, 9_000))) == []


def test_best_quotes_alone_say_where_we_stand() -> None:
    venue = venue_of(FREE, top(0, 9_999, 5_000, 10_001, 5_000))
    assert states(sent(venue, order("m", "6")))[-1] == ("m", "cancelled", "NO_LIQUIDITY")
    sent(venue, order("deep", "1", "99.90"), order("at", "1", "99.99"))
    # Nobody showed what rests at 99.90: only a trade through it can tell. The best bid rises and comes back.
    more_market(venue, top(1, 10_000, 1_000, 10_001, 5_000), top(2, 9_999, 4_000, 10_001, 5_000))
    assert fills(more_market(venue, sold(3, 9_999, 4_500))) == [("at", "0.500", "99.99", True)]
    assert fills(more_market(venue, sold(4, 9_990, 9_000))) == [("at", "0.500", "99.99", True)]
    more_market(venue, top(5, 9_990, 2_000, 10_001, 5_000))
    assert fills(more_market(venue, sold(6, 9_990, 2_500))) == [("deep", "0.500", "99.90", True)]
    # The best bid falls below us: we stand alone.
    sent(venue, order("alone", "1", "99.95"))
    assert fills(more_market(venue, sold(7, 9_995, 200))) == [("alone", "0.200", "99.95", True)]


def test_a_snapshot_that_no_longer_reaches_us_says_nothing_of_our_place() -> None:
    venue = venue_of()
    sent(venue, order("l", "1", "99.95"))  # behind 20
    more_market(venue, snapshot(1, (BID, 9_999, 1_000), (ASK, 10_001, 1_000)))
    assert fills(more_market(venue, sold(2, 9_995, 19_000))) == []
    more_market(venue, snapshot(3, (BID, 9_995, 1_000), (ASK, 10_001, 1_000)))
    assert fills(more_market(venue, sold(4, 9_995, 2_000))) == [("l", "1.000", "99.95", True)]


# Post-only, reduce-only, stops, time.


def test_post_only_is_refused_rather_than_take() -> None:
    venue = venue_of()
    assert states(sent(venue, order("p", "1", "100.01", post_only=True))) == [("p", "rejected", "POST_ONLY")]
    assert states(sent(venue, order("q", "1", "100.00", post_only=True))) == [("q", "accepted", "")]


def test_reduce_only_is_capped_to_the_position_and_goes_with_it() -> None:
    venue = venue_of()
    assert states(sent(venue, order("r", "-1", kind=OrderKind.CLOSING))) == [("r", "rejected", "REDUCE_ONLY")]
    sent(venue, order("m", "3"))
    exits = [
        stop("s", "-3", "99.00", kind=OrderKind.STOP),
        order("t", "-3", "100.05", kind=OrderKind.TAKE, level="100.05"),
    ]
    assert [state for _, state, _ in states(sent(venue, *exits))] == ["accepted", "accepted"]
    reports = sent(venue, order("r", "-5", kind=OrderKind.CLOSING))
    assert fills(reports) == [("r", "-3.000", "99.99", False)]
    assert states(reports)[1:] == [
        ("r", "cancelled", "REDUCE_ONLY"),
        ("t", "cancelled", "REDUCE_ONLY"),
        ("s", "cancelled", "REDUCE_ONLY"),
    ]
    assert account(venue).positions == {}
    assert account(venue).orders == ()


def test_an_exchange_that_does_not_know_reduce_only_refuses_it_and_fills_two_exits() -> None:
    venue = venue_of(replace(FREE, reduce_only=False))
    assert not venue.capabilities.reduce_only
    sent(venue, order("m", "3"))
    assert states(sent(venue, order("r", "-1", kind=OrderKind.CLOSING))) == [("r", "rejected", "UNSUPPORTED")]
    plain = [Submit(approved(order(name, "-3", kind=OrderKind.CLOSING)), None, False) for name in ("c", "d")]
    for request in plain:
        venue.send(request)
    venue.advance(venue.now)
    venue.receive()
    assert account(venue).positions == {"AAA": Decimal(-3)}, "nothing there sees to it that only one of them closes"


def test_a_stop_trades_when_its_level_is_reached_and_not_before() -> None:
    venue = venue_of()
    sent(venue, order("m", "3"), stop("s", "-3", "99.90", kind=OrderKind.STOP))
    assert more_market(venue, sold(1, 9_991, 1_000)) == []
    reports = more_market(venue, sold(2, 9_990, 1_000))
    assert fills(reports) == [("s", "-3.000", "99.99", False)]
    assert states(reports) == [("s", "filled", "")]


def test_a_stop_is_also_set_off_by_the_price_that_it_would_trade_at() -> None:
    venue = venue_of()
    sent(venue, stop("b", "1", "100.04"))
    gone = [(ASK, 10_001, 0), (ASK, 10_002, 0)]
    assert fills(more_market(venue, change(1, *gone))) == [("b", "1.000", "100.05", False)]


def test_a_stop_that_is_set_off_in_a_broken_book_waits_for_a_sound_one() -> None:
    venue = venue_of()
    sent(venue, order("m", "3"), stop("s", "-3", "99.90", kind=OrderKind.STOP))
    more_market(venue, change(1, (BID, 10_005, 1_000)))
    assert fills(more_market(venue, sold(2, 9_980, 1_000))) == []
    assert fills(more_market(venue, change(3, (BID, 10_005, 0)))) == [("s", "-3.000", "99.99", False)]


def test_a_stop_limit_order_becomes_a_limit_order() -> None:
    venue = venue_of()
    sent(venue, order("s", "8", "100.01", type=OrderType.STOP_LIMIT, level="100.01"))
    # The best ask stands at the level already.
    (working,) = account(venue).orders
    assert working.filled == Decimal(5)
    sent(venue, order("t", "8", "100.06", type=OrderType.STOP_LIMIT, level="100.10"))
    assert fills(more_market(venue, bought(1, 10_010, 100))) == [("t", "8.000", "100.02", False)]


def test_an_order_good_till_a_time_works_until_it() -> None:
    venue = venue_of()
    assert states(sent(venue, order("g", "1", "100.00", time_in_force=GTD, expires=10)))[0][1] == "accepted"
    venue.follow([sold(10, 9_990, 9_000)])
    venue.advance(20)
    reports = venue.receive()
    assert (fills(reports), states(reports)) == ([], [("g", "expired", "GTD_TIME")])
    assert reports[0].venue_time == 10  # type: ignore[union-attr]
    assert states(sent(venue, order("h", "1", "100.00", time_in_force=GTD, expires=20))) == [
        ("h", "rejected", "GTD_TIME")
    ]


def test_two_orders_of_ours_never_trade_with_one_another() -> None:
    venue = venue_of()
    sent(venue, order("s", "-1", "100.02"))
    reports = sent(venue, order("b", "9", "100.05"))
    assert fills(reports) == [("b", "5.000", "100.01", False)]
    assert states(reports)[-1] == ("b", "cancelled", "SELF_TRADE")
    assert states(sent(venue, order("p", "1", "100.02", post_only=True))) == [("p", "rejected", "SELF_TRADE")]
    assert [each.order for each in account(venue).orders] == ["s"]


# Replacing, cancelling, asking.


def test_a_replacement_takes_the_place_in_one_step_and_keeps_it_only_when_smaller() -> None:
    venue = venue_of()
    sent(venue, order("a", "3", "99.99"))
    more_market(venue, change(1, (BID, 9_999, 9_000)))  # 5 before us, 4 behind
    reports = sent(venue, order("b", "2", "99.99"), replaces="a")
    assert states(reports) == [("a", "cancelled", "REPLACED"), ("b", "accepted", "")]
    assert fills(more_market(venue, sold(2, 9_999, 5_500))) == [("b", "0.500", "99.99", True)]
    more_market(venue, change(3, (BID, 9_999, 4_000)))
    sent(venue, order("c", "2", "99.99"), replaces="b")  # 1.5 was left: it grew, and goes behind the 4
    assert fills(more_market(venue, sold(4, 9_999, 4_000))) == []
    assert fills(more_market(venue, sold(5, 9_999, 500))) == [("c", "0.500", "99.99", True)]


def test_a_replacement_that_is_refused_leaves_the_first_order_at_work() -> None:
    venue = venue_of()
    sent(venue, order("a", "3", "99.99"))
    for bad, code in (
        (order("b", "1", "100.01", post_only=True), "POST_ONLY"),
        (order("b", "1", "99.999"), "TICK_SIZE"),
        (order("b", "-1", "100.01"), "INVALID"),
    ):
        assert states(sent(venue, bad, replaces="a")) == [("b", "rejected", code)]
    assert states(sent(venue, order("b", "1", "99.99"), replaces="nothing")) == [("b", "rejected", "UNKNOWN_ORDER")]
    assert [each.order for each in account(venue).orders] == ["a"]


def test_an_id_works_once() -> None:
    venue = venue_of()
    sent(venue, order("a", "3", "99.99"))
    (failed,) = sent(venue, order("a", "-3"))
    assert isinstance(failed, RequestFailed)
    assert (failed.order, failed.request, failed.refused, failed.code) == ("a", RequestKind.SUBMIT, True, "DUPLICATE")
    (working,) = account(venue).orders
    assert (working.order, working.size, working.filled) == ("a", Decimal(3), Decimal(0))


def test_cancelling_what_works_what_is_finished_and_what_never_was() -> None:
    venue = venue_of()
    sent(venue, order("a", "3", "99.99"))
    for wanted, answer in (("a", "cancelled"), ("a", "ORDER_FINISHED"), ("b", "UNKNOWN_ORDER")):
        venue.send(Cancel(wanted, "AAA"))
        venue.advance(venue.now)
        (report,) = venue.receive()
        if isinstance(report, OrderReport):
            assert (report.state, report.code) == (answer, "REQUESTED")
        else:
            assert isinstance(report, RequestFailed)
            assert (report.request, report.refused, report.code) == (RequestKind.CANCEL, True, answer)


def test_an_order_can_be_asked_about_until_the_retention_is_over() -> None:
    venue = venue_of(replace(FREE, retention=SECOND))
    sent(venue, order("m", "1"))
    for time, state in ((0, VenueState.FILLED), (SECOND, VenueState.FILLED), (SECOND + 1, VenueState.NOT_FOUND)):
        venue.advance(time)
        venue.send(Query("m", "AAA"))
        venue.advance(time)
        (report,) = venue.receive()
        assert isinstance(report, OrderReport)
        assert (report.order, report.state) == ("m", state)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (order("x", "1", symbol="BBB"), "UNKNOWN_SYMBOL"),
        (order("x", "1.0005"), "LOT_SIZE"),
        (order("x", "0"), "INVALID"),
        (order("x", "NaN"), "INVALID"),
        (order("x", "1e70"), "INVALID"),
        (order("x", "1", "1e70"), "INVALID"),
        (order("x", "1", "100.001"), "TICK_SIZE"),
        (order("x", "1", "-1"), "INVALID"),
        (order("x", "0.001", "99.99"), "MIN_NOTIONAL"),
        (order("x", "1", type=OrderType.LIMIT), "INVALID"),
        (order("x", "1", level="100"), "INVALID"),  # a stop that would become a market order
        (order("x", "1", type=OrderType.STOP), "INVALID"),
        (order("x", "1", type=OrderType.TRAILING_STOP, trail=Decimal(1)), "UNSUPPORTED"),
        (stop("x", "1", "100", time_in_force=IOC), "UNSUPPORTED"),
        (order("x", "1", "99", expires=5), "INVALID"),
        (order("x", "1", "99", time_in_force=GTD), "INVALID"),
        (order("x", "1", post_only=True), "INVALID"),
    ],
)
def test_bad_orders_are_refused_with_their_reason_and_leave_no_trace(bad: object, code: str) -> None:
    venue = venue_of(listing=replace(PERPETUAL, least_notional=Decimal(5)))
    assert states(sent(venue, bad)) == [("x", "rejected", code)]  # type: ignore[arg-type]
    venue.send(Query("x", "AAA"))
    venue.advance(venue.now)
    assert states(venue.receive()) == [("x", "not_found", "")]
