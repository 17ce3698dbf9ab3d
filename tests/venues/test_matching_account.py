"""What the simulated exchange charges, lends and refuses, and how long everything takes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.core.orders import OrderKind
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.core.reports import FillReport, OrderReport, RequestFailed, RequestKind
from clawd.data.book_replay import ASK, BID
from clawd.data.capture import BookChange
from clawd.venues.matching.queue import still_ahead
from clawd.venues.matching.rules import Delay, FeeTier, Latency, RateLimit, Rules
from clawd.venues.venue import Cancel, Query, Submit
from venues.matching_cases import (
    CHARGED,
    FREE,
    PERPETUAL,
    SECOND,
    SPOT,
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
    venue_of,
)

MS = 10**6


# Fees.


def test_who_takes_pays_the_taker_fee_and_who_rests_the_maker_fee() -> None:
    venue = venue_of(CHARGED)
    (_, taken, _) = sent(venue, order("m", "1"))
    assert isinstance(taken, FillReport)
    assert taken.fee == Decimal("0.050005")  # 100.01 * 0.0005
    sent(venue, order("l", "-1", "100.00"))
    (made, _) = more_market(venue, bought(1, 10_001, 1_000))
    assert isinstance(made, FillReport)
    assert (made.fee, made.price) == (Decimal("0.02"), Decimal(100))
    assert account(venue).cash == Decimal(100_000) - Decimal("100.01") - Decimal("0.050005") + 100 - Decimal("0.02")


def test_a_rebate_is_a_negative_fee_and_fees_are_rounded_half_to_even_at_ten_decimals() -> None:
    rules = Rules((FeeTier(Decimal(0), Decimal("-0.00000000005"), Decimal("0.00000000015")),))
    venue = venue_of(rules)
    sent(venue, order("l", "1", "100.00"))
    (made, _) = more_market(venue, sold(1, 9_999, 1_000))
    assert isinstance(made, FillReport)
    assert made.fee == Decimal("-0.0000000050")
    (_, taken, _) = sent(venue, order("m", "-0.001"))  # 0.09999 * 1.5e-10 = 1.49985e-11
    assert isinstance(taken, FillReport)
    assert taken.fee == Decimal(0)


def test_the_fee_tier_follows_the_volume_of_the_thirty_days_before() -> None:
    tiers = (
        FeeTier(Decimal(0), Decimal(0), Decimal("0.001")),
        FeeTier(Decimal(150), Decimal(0), Decimal("0.0005")),
    )
    venue = venue_of(Rules(tiers, volume=Decimal(100)))

    def rate(id: str) -> Decimal:
        more_market(venue, snapshot(venue.now))
        (_, fill, _) = sent(venue, order(id, "1"))
        assert isinstance(fill, FillReport)
        return fill.fee / fill.price

    assert rate("a") == Decimal("0.001")  # 100 before it
    assert rate("b") == Decimal("0.0005")  # 200.01 before it
    venue.advance(30 * NANOSECONDS_PER_DAY - 1)
    assert rate("c") == Decimal("0.0005")
    venue.advance(30 * NANOSECONDS_PER_DAY)
    assert rate("d") == Decimal("0.001")  # only c is left of it
    with pytest.raises(ClawdError, match="do not rise"):
        Rules(tiers[1:])


def test_the_account_tells_the_fills_since_a_time() -> None:
    venue = venue_of(CHARGED)
    sent(venue, order("a", "1"))
    venue.advance(MS)
    sent(venue, order("b", "1"))
    assert [each.order for each in account(venue).fills] == ["a", "b"]
    assert [each.order for each in account(venue, MS).fills] == ["b"]
    assert account(venue, MS + 1).fills == ()


# What it lends.


def test_spot_is_paid_for_whole_and_never_sold_short() -> None:
    venue = venue_of(CHARGED, listing=SPOT, cash="1000")
    assert states(sent(venue, order("m", "10"))) == [("m", "rejected", "INSUFFICIENT_BALANCE")]
    assert states(sent(venue, order("s", "-1"))) == [("s", "rejected", "INSUFFICIENT_BALANCE")]
    assert states(sent(venue, order("l", "6", "99.90")))[0][1] == "accepted"
    # 599.40 are spoken for, with 0.0005 of it for the fee.
    assert states(sent(venue, order("n", "4.01", "99.90"))) == [("n", "rejected", "INSUFFICIENT_BALANCE")]
    assert states(sent(venue, order("n", "4", "99.90")))[0][1] == "accepted"
    more_market(venue, sold(1, 9_980, 100_000))
    assert account(venue).positions == {"AAA": Decimal(10)}
    assert states(sent(venue, order("a", "-7", "101.00")))[0][1] == "accepted"
    assert states(sent(venue, order("b", "-4", "101.00"))) == [("b", "rejected", "INSUFFICIENT_BALANCE")]
    # An exit that only reduces needs no more than the position.
    assert states(sent(venue, stop("c", "-10", "90.00", kind=OrderKind.STOP)))[0][1] == "accepted"


def test_a_spot_stop_that_is_set_off_beyond_its_level_buys_nothing_it_cannot_pay() -> None:
    venue = venue_of(CHARGED, listing=SPOT, cash="1001")
    assert states(sent(venue, stop("s", "10", "100.02")))[0][1] == "accepted"
    gone = [(ASK, price, 0) for price in (10_001, 10_002, 10_005)]
    reports = more_market(venue, change(1, *gone, (ASK, 10_100, 20_000)))
    assert (fills(reports), states(reports)) == ([], [("s", "cancelled", "INSUFFICIENT_BALANCE")])


def test_equity_carries_the_margin_of_a_perpetual_with_all_its_orders() -> None:
    venue = venue_of(cash="100")  # leverage 10: exposure of 1,000
    assert states(sent(venue, order("m", "11"))) == [("m", "rejected", "INSUFFICIENT_MARGIN")]
    sent(venue, order("m", "5"))
    assert states(sent(venue, order("l", "6", "99.90"))) == [("l", "rejected", "INSUFFICIENT_MARGIN")]
    assert states(sent(venue, order("l", "4", "99.90")))[0][1] == "accepted"
    # The other side is worse only from -10 on; the position is 5.
    assert states(sent(venue, order("s", "-14", "100.10")))[0][1] == "accepted"
    assert states(sent(venue, order("t", "-2", "100.10"))) == [("t", "rejected", "INSUFFICIENT_MARGIN")]
    # A loss of 5 * 10 leaves less to lend; what only reduces is always taken.
    more_market(venue, snapshot(1, (BID, 8_999, 50_000), (ASK, 9_001, 50_000)))
    assert states(sent(venue, order("u", "1", "80.00"))) == [("u", "rejected", "INSUFFICIENT_MARGIN")]
    assert len(fills(sent(venue, order("r", "-5", kind=OrderKind.CLOSING)))) == 1


def test_what_is_replaced_needs_no_cover_of_its_own() -> None:
    for listing in (SPOT, PERPETUAL):
        venue = venue_of(FREE, listing=listing, cash="1000" if listing is SPOT else "100")
        sent(venue, order("a", "9", "99.90"))
        assert states(sent(venue, order("b", "9", "99.80"))) == [
            ("b", "rejected", "INSUFFICIENT_BALANCE" if listing is SPOT else "INSUFFICIENT_MARGIN")
        ]
        assert states(sent(venue, order("b", "9", "99.80"), replaces="a")) == [
            ("a", "cancelled", "REPLACED"),
            ("b", "accepted", ""),
        ]


# Rates.


def test_requests_beyond_the_rate_are_refused_until_the_next_window() -> None:
    rules = replace(FREE, limits=(RateLimit(SECOND, 10),), weights={RequestKind.QUERY: 4, RequestKind.ACCOUNT: 5})
    venue = venue_of(rules)
    venue.advance(SECOND // 2)
    for _ in range(3):
        venue.send(Query("x", "AAA"))
    venue.send(Cancel("x", "AAA"))
    venue.advance(venue.now)
    first, second, refused, cancel = venue.receive()
    assert isinstance(first, OrderReport)
    assert isinstance(second, OrderReport)
    assert isinstance(refused, RequestFailed)
    assert (refused.request, refused.refused, refused.code, refused.retry_at) == (
        RequestKind.QUERY,
        True,
        "429",
        SECOND,
    )
    assert isinstance(cancel, RequestFailed)
    assert cancel.code == "UNKNOWN_ORDER"  # it counts for one, and there was room for it
    sent(venue, order("a", "1"))
    (refused,) = sent(venue, order("b", "1"))
    assert isinstance(refused, RequestFailed)
    assert (refused.order, refused.request) == ("b", RequestKind.SUBMIT)
    venue.advance(SECOND)
    assert len(fills(sent(venue, order("b", "1")))) == 1


# Time.


def test_requests_and_reports_take_their_time() -> None:
    rules = replace(FREE, latency=Latency(Delay(10 * MS), Delay(5 * MS), Delay(3 * MS)))
    venue = venue_of(rules, snapshot(0), bought(8 * MS, 10_001, 5_000), change(9 * MS, (ASK, 10_001, 0)))
    venue.send(Submit(approved(order("m", "1"))))
    venue.advance(2 * MS)
    assert venue.quotes() == []
    venue.advance(3 * MS)
    (quote,) = venue.quotes()
    assert (quote.bid, quote.ask_size, quote.venue_time, quote.time) == (Decimal("99.99"), Decimal(5), 0, 3 * MS)
    venue.advance(15 * MS - 1)
    assert venue.receive() == []
    (trade,) = venue.prints()
    assert (trade.price, trade.size, trade.buyer_took, trade.venue_time, trade.time) == (
        Decimal("100.01"),
        Decimal(5),
        True,
        8 * MS,
        11 * MS,
    )
    assert venue.next_time() == 15 * MS
    venue.advance(15 * MS)
    accepted, fill, _ = venue.receive()
    # The best ask that we saw was gone when our order came.
    assert isinstance(fill, FillReport)
    assert (fill.price, fill.venue_time, fill.time) == (Decimal("100.02"), 10 * MS, 15 * MS)
    assert isinstance(accepted, OrderReport)
    with pytest.raises(ValueError, match="does not go back"):
        venue.advance(1)


def test_a_cancellation_that_comes_too_late_meets_a_filled_order() -> None:
    rules = replace(FREE, latency=Latency(Delay(10 * MS), Delay(5 * MS)))
    venue = venue_of(rules, snapshot(0), sold(15 * MS, 9_990, 9_000))
    venue.send(Submit(approved(order("l", "1", "99.99"))))
    venue.advance(6 * MS)
    venue.send(Cancel("l", "AAA"))
    venue.advance(21 * MS)
    accepted, fill, filled, failed = venue.receive()
    assert fills([fill]) == [("l", "1.000", "99.99", True)]
    assert states([accepted, filled]) == [("l", "accepted", ""), ("l", "filled", "")]
    assert isinstance(failed, RequestFailed)
    assert (failed.code, failed.refused, failed.time) == ("ORDER_FINISHED", True, 21 * MS)


def test_a_stream_that_runs_dry_goes_on_when_more_has_come() -> None:
    class Living:
        def __init__(self) -> None:
            self.come = [snapshot(0)]

        def __iter__(self) -> Living:
            return self

        def __next__(self) -> BookChange:
            if not self.come:
                raise StopIteration
            return self.come.pop(0)

    living, venue = Living(), venue_of()
    venue.follow(living)
    venue.advance(1)
    venue.advance(2)
    living.come.append(change(3, (ASK, 10_001, 0)))
    venue.advance(4)
    assert fills(sent(venue, order("m", "1"))) == [("m", "1.000", "100.02", False)]


def test_drawn_delays_are_the_same_for_a_seed_and_nothing_overtakes() -> None:
    rules = replace(FREE, latency=Latency(Delay(MS, 20 * MS), Delay(MS, 20 * MS)))

    def story(seed: int) -> list[int]:
        venue = venue_of(rules, seed=seed)
        for number in range(30):
            venue.send(Query(f"{number}", "AAA"))
            venue.advance(venue.now + MS)
        venue.advance(10 * SECOND)
        reports = venue.receive()
        assert [each.order for each in reports] == [f"{number}" for number in range(30)]  # type: ignore[union-attr]
        return [each.time for each in reports]

    assert story(1) == story(1)
    assert story(1) != story(2)
    assert story(1) == sorted(story(1))
    draws = [Delay(MS, 20 * MS).draw(3, "report", number) for number in range(4_000)]
    assert min(draws) >= MS
    assert sum(draws) / len(draws) == pytest.approx(21 * MS, rel=0.05)


# Places in the queue.


def test_cancellations_are_shared_between_before_and_behind() -> None:
    # 60 before us, 40 behind; 20 went away without a trade.
    assert still_ahead(60, 100, 0, 80, None) == 60
    assert still_ahead(60, 100, 0, 80, 1.0) == 48  # in proportion
    assert still_ahead(60, 100, 0, 80, 2.0) == 60 - 13  # 20 * 3600 / 5200 = 13.8, and no more than that
    assert still_ahead(60, 100, 0, 10, 1.0) == 6
    assert still_ahead(60, 100, 0, 10, None) == 10
    assert still_ahead(30, 100, 30, 70, 1.0) == 30  # it traded, and that was counted
    assert still_ahead(0, 100, 0, 10, 1.0) == 0
    assert still_ahead(100, 100, 0, 90, 1.0) == 90  # nobody is behind us


@given(
    st.integers(0, 50), st.integers(0, 50), st.integers(0, 60), st.integers(0, 120), st.sampled_from([1.0, 2.0, 3.0])
)
def test_no_model_puts_us_before_the_first_or_behind_the_conservative_one(
    ahead: int, behind: int, traded: int, after: int, exponent: float
) -> None:
    found = still_ahead(ahead, ahead + behind + traded, traded, after, exponent)
    assert 0 <= found <= still_ahead(ahead, ahead + behind + traded, traded, after, None)
    cancelled = ahead + behind - after
    # Whoever is behind cannot have cancelled more than there is.
    assert found >= ahead - max(cancelled, 0)


# Conservation.


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_money_comes_or_goes(data: st.DataObject) -> None:
    venue = venue_of(CHARGED, cash="1000000")
    cash, fees, flow, held = Decimal(1_000_000), Decimal(0), Decimal(0), Decimal(0)
    for number in range(data.draw(st.integers(1, 12))):
        price = data.draw(st.integers(9_990, 10_010))
        size = Decimal(data.draw(st.integers(-9_000, 9_000).filter(bool))) / 1_000
        limit = data.draw(st.sampled_from([None, str(Decimal(price) / 100)]))
        reports = sent(venue, order(f"{number}", str(size), limit))
        happening = data.draw(st.sampled_from([sold, bought]))
        reports += more_market(
            venue,
            happening(venue.now, data.draw(st.integers(9_990, 10_010)), data.draw(st.integers(1, 20_000))),
            snapshot(venue.now),
        )
        for each in reports:
            if isinstance(each, FillReport):
                fees, flow, held = fees + each.fee, flow + each.size * each.price, held + each.size
                rate = Decimal("0.0002") if each.maker else Decimal("0.0005")
                assert each.fee == (abs(each.size) * each.price * rate).quantize(Decimal("1e-10"))
    now = account(venue)
    assert now.cash + fees + flow == cash
    assert now.positions.get("AAA", Decimal(0)) == held
    assert sum((each.fee for each in now.fills), Decimal(0)) == fees
