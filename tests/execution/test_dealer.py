"""The dealer: one decision one order, facts before effects, what a venue says wrongly."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from dealer_worlds import SECOND, D, World

from clawd.core.account_events import UNATTRIBUTED, AdoptionDecided, TradingState
from clawd.core.errors import ClawdError
from clawd.core.orders import OrderKind, OrderType, TimeInForce
from clawd.core.reports import FillReport, OrderReport, RequestFailed, RequestKind, VenueState
from clawd.execution.life_cycle import OrderState
from clawd.execution.order_ids import client_id, is_ours
from clawd.venues.venue import Cancel, Query, ReportAccount, Request, Submit

PRICE = D(100)


@pytest.fixture
def world() -> World:
    return World().ready()


def submits(world: World, name: str | None = None) -> list[Submit]:
    return [each for each in world.wire.sent if isinstance(each, Submit) and name in (None, each.approved.order.id)]


def fill_of(world: World, name: str, size: Decimal, trade: str = "x1", price: Decimal = PRICE) -> FillReport:
    now = world.clock.now()
    venue_order = world.venue.orders[name].venue_order
    return FillReport("model", trade, name, venue_order, "BTC", size, price, D("0.01"), False, now, now)


def tell(world: World, *reports: object) -> None:
    world.wire.arrived += reports  # type: ignore[arg-type]
    world.dealer.receive()


# One decision, one order.


def test_an_entry_is_written_before_it_is_sent_and_fills(world: World) -> None:
    order = world.order()
    written_when_sent = []
    send = world.wire.send

    def watched(request: Request) -> None:
        written_when_sent.append(world.journal.kinds[-2:])
        send(request)

    world.wire.send = watched  # type: ignore[method-assign]
    world.dealer.propose(order)
    assert written_when_sent == [["VerdictGiven", "OrderSubmitted"]]
    assert world.journal.kinds[-2:] == ["VerdictGiven", "OrderSubmitted"]
    assert [each.approved.order for each in submits(world)] == [order]
    world.through()
    assert world.account.orders[order.id].state is OrderState.ACCEPTED
    world.trade(order.id, D("0.4"))
    world.trade(order.id)
    world.through()
    assert world.account.orders[order.id].state is OrderState.FILLED
    assert world.account.agents["a"].size("BTC") == 1
    world.agree()


def test_the_same_id_is_refused_and_never_sent_again_whatever_became_of_it(world: World) -> None:
    order = world.order()
    assert world.dealer.propose(order).outcome == "allow"
    for _ in range(3):
        verdict = world.dealer.propose(order)
        assert (verdict.outcome, verdict.code) == ("refuse", "DUPLICATE")
        world.through()
    world.crash()
    assert world.dealer.propose(order).code == "DUPLICATE"
    world.through()
    assert len(submits(world, order.id)) == 1


def test_a_journal_that_fails_sends_nothing_and_stops_the_dealer(world: World) -> None:
    sent = len(world.wire.sent)
    world.journal.fails = True
    with pytest.raises(OSError, match="disk is full"):
        world.dealer.propose(world.order())
    assert len(world.wire.sent) == sent
    world.journal.fails = False
    for step in (world.dealer.work, lambda: world.dealer.propose(world.order()), lambda: world.dealer.halt("me")):
        with pytest.raises(ClawdError, match="the journal did not take what happened"):
            step()
    assert len(world.wire.sent) == sent
    world.crash()
    assert len(world.account.orders) == 0


def test_ids_are_short_deterministic_and_tell_decisions_apart() -> None:
    one = client_id("main", "a", "BTC", 5, OrderKind.OPENING)
    assert one == client_id("main", "a", "BTC", 5, OrderKind.OPENING)
    assert len(one) <= 32
    assert set(one) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    others = {
        client_id("main", "b", "BTC", 5, OrderKind.OPENING),
        client_id("main", "a", "ETH", 5, OrderKind.OPENING),
        client_id("main", "a", "BTC", 6, OrderKind.OPENING),
        client_id("main", "a", "BTC", 5, OrderKind.CLOSING),
        client_id("main", "a", "BTC", 5, OrderKind.OPENING, 1),
        client_id("main", "aB", "TC", 5, OrderKind.OPENING),
        client_id("other", "a", "BTC", 5, OrderKind.OPENING),
        one,
    }
    assert len(others) == 8
    assert is_ours(one, "main")
    assert not is_ours(one, "other")
    assert not is_ours("by-hand", "main")


def test_nothing_is_entered_before_the_books_agree_with_the_venue() -> None:
    world = World()
    world.see_prices()
    assert world.dealer.propose(world.order()).code == "NOT_READY"
    world.ready()
    assert world.dealer.propose(world.order()).outcome == "allow"


def test_an_agent_that_is_none_an_instrument_that_is_none_and_a_size_that_is_none_are_refused(world: World) -> None:
    for order in (
        world.order(agent="nobody"),
        world.order(agent=UNATTRIBUTED),
        replace(world.order(), symbol="XXX"),
        world.order(size=D("NaN")),
        world.order(size=D("Infinity")),
        world.order(reference=D("NaN")),
        world.order(size=D(-1), kind=OrderKind.CLOSING, reference=D("NaN")),
        world.order(stop_distance=D("-Infinity")),
        world.order(type=OrderType.TRAILING_STOP, trail=D(1)),
    ):
        assert world.dealer.propose(order).outcome == "refuse"
    assert not submits(world)
    world.dealer.work()


# What the venue says late, twice, or wrongly.


def test_a_fill_before_the_acknowledgement_and_the_same_fill_again(world: World) -> None:
    name = world.enter()
    world.wire.to_venue()
    accepted = world.wire.back.pop(0)
    world.trade(name)
    filled, fill = world.wire.back
    world.wire.back.clear()
    tell(world, fill, fill, filled, accepted, fill)
    assert world.account.orders[name].state is OrderState.FILLED
    assert world.account.agents["a"].size("BTC") == 1
    assert world.account.anomalies == 0
    world.agree()


def test_an_order_that_is_said_to_have_ended_waits_for_the_trades_that_it_had(world: World) -> None:
    name = world.enter()
    world.through()
    world.trade(name, D("0.3"))
    _, fill = world.wire.back
    world.wire.back.clear()
    (off,) = world.venue.end(name, VenueState.CANCELLED)
    tell(world, off)
    assert world.account.orders[name].state.working
    tell(world, fill)
    assert world.account.orders[name].state is OrderState.CANCELLED
    assert world.account.orders[name].filled == D("0.3")
    world.agree()


def test_a_fill_that_never_comes_by_itself_is_fetched(world: World) -> None:
    name = world.enter()
    world.through()
    world.trade(name)
    world.wire.back.pop()  # the fill is lost, the state is not
    world.through()
    assert world.account.agents["a"].size("BTC") == 0
    for _ in range(8):
        world.wait()
        world.through()
    assert world.account.orders[name].state is OrderState.FILLED
    world.agree()


def test_a_fill_after_the_cancellation_is_booked(world: World) -> None:
    name = world.enter()
    world.through()
    assert world.dealer.cancel(name, "TEST")
    assert not world.dealer.cancel(name, "TEST")
    world.trade(name, D("0.4"))
    state, fill = world.wire.back
    world.wire.back.clear()
    now = world.clock.now()
    tell(world, replace(state, state=VenueState.CANCELLED, filled=D(0), venue_time=now))
    assert world.account.orders[name].state is OrderState.CANCELLED
    tell(world, fill)
    placed = world.account.orders[name]
    assert (placed.state, placed.filled) == (OrderState.CANCELLED, D("0.4"))
    assert world.account.agents["a"].size("BTC") == D("0.4")


def test_an_overfill_books_what_fits_and_adopts_the_rest_with_exactly_its_cash(world: World) -> None:
    name = world.enter(size=D("0.3"))
    world.through()
    cash = world.account.cash
    price = D("33.333333333")
    world.venue.orders[name].filled = D("0.1")
    fill = replace(fill_of(world, name, D("0.7"), price=price), fee=D("0.0123456789"))
    tell(world, fill, fill)
    account = world.account
    assert account.orders[name].state is OrderState.FILLED
    assert account.agents["a"].size("BTC") == D("0.3")
    assert account.agents[UNATTRIBUTED].size("BTC") == D("0.4")
    assert account.cash == cash - (D("0.7") * price).quantize(D("1e-10")) - D("0.0123456789")
    assert account.blocked("b", "BTC") == UNATTRIBUTED
    assert account.blocked("b", "ETH") is None
    assert world.dealer.propose(world.order("b")).outcome == "refuse"
    assert any("OVERFILL" in text for _, text in world.dealer.alarms)


def test_a_trade_by_hand_blocks_its_instrument_until_a_person_decides(world: World) -> None:
    world.wire.back += world.venue.by_hand("BTC", D(2), D(100))
    world.through()
    world.agree()
    assert world.account.agents[UNATTRIBUTED].size("BTC") == 2
    assert world.account.blocked("a", "BTC") == UNATTRIBUTED
    world.dealer.enter(AdoptionDecided(symbol="BTC", by="me"))
    assert world.account.blocked("a", "BTC") is None


@pytest.mark.parametrize(
    "lie",
    [
        {"price": D(0)},
        {"price": D(-5)},
        {"price": D("NaN")},
        {"size": D("NaN")},
        {"size": D(0)},
        {"size": D(-1)},
        {"fee": D("Infinity")},
        {"fee": D(10_000)},
        {"symbol": "XXX"},
        {"symbol": "ETH"},
        {"trade": ""},
        {"venue": "elsewhere"},
    ],
    ids=str,
)
def test_a_fill_that_cannot_be_books_nothing(world: World, lie: dict[str, object]) -> None:
    name = world.enter()
    world.through()
    cash = world.account.cash
    tell(world, replace(fill_of(world, name, D(1)), **lie))  # type: ignore[arg-type]
    assert world.account.cash == cash
    assert world.account.sizes() == {}
    assert world.account.anomalies == 1
    assert world.dealer.alarms
    world.crash()
    assert world.account.cash == cash


@pytest.mark.parametrize(
    "lie",
    [
        {"size": D(2)},
        {"size": D(-1)},
        {"filled": D(2)},
        {"filled": D(-1)},
        {"filled": D("NaN")},
        {"symbol": "ETH"},
        {"venue_order": "other"},
        {"state": VenueState.FILLED, "filled": D("0.5")},
    ],
    ids=str,
)
def test_a_state_that_cannot_be_changes_nothing(world: World, lie: dict[str, object]) -> None:
    name = world.enter()
    world.through()
    before = world.account.orders[name]
    report = world.venue.handle(Query(name, "BTC"))[0]
    assert isinstance(report, OrderReport)
    tell(world, replace(report, **lie))  # type: ignore[arg-type]
    assert world.account.orders[name] == before
    assert world.account.anomalies == 1
    assert any(isinstance(request, ReportAccount) for request in world.wire.there)


def test_a_rejection_after_a_part_has_filled_keeps_the_part(world: World) -> None:
    name = world.enter()
    world.through()
    world.trade(name, D("0.5"))
    world.wire.back += world.venue.end(name, VenueState.REJECTED)
    world.through()
    placed = world.account.orders[name]
    assert (placed.state, placed.filled) == (OrderState.REJECTED, D("0.5"))
    world.agree()


# Outcomes that are not known.


def test_an_order_without_an_answer_is_unknown_blocks_and_is_asked_about_never_resent(world: World) -> None:
    name = world.enter()
    world.wire.there.clear()  # lost on the way
    world.wait(6)
    assert world.account.orders[name].state is OrderState.UNKNOWN
    assert world.account.blocked("a", "BTC") == "ORDER_UNKNOWN"
    assert world.account.blocked("a", "ETH") is None
    assert world.account.blocked("b", "BTC") is None
    world.through()
    assert world.account.orders[name].state is OrderState.UNKNOWN, "it may still be on its way"
    for _ in range(120):
        world.wait()
        world.through()
    assert world.account.orders[name].state is OrderState.MISSING
    assert world.account.blocked("a", "BTC") is None
    assert len(submits(world, name)) == 1


def test_one_answer_that_there_is_no_such_order_is_not_enough_nor_is_its_repetition(world: World) -> None:
    name = world.enter()
    world.wire.there.clear()
    world.wait(6)
    world.through()
    world.wait(40)
    queries = [request for request in world.wire.there if isinstance(request, Query)]
    assert queries
    report = world.venue.handle(queries[0])[0]
    world.wire.there.clear()
    tell(world, report, report, report)
    assert world.account.orders[name].state is OrderState.UNKNOWN
    world.wait(60)
    tell(world, report)
    assert world.account.orders[name].state is OrderState.UNKNOWN
    world.through()
    assert world.account.orders[name].state is OrderState.MISSING


def test_an_order_that_arrives_after_it_was_given_up_is_taken_off(world: World) -> None:
    name = world.enter()
    late = world.wire.there.pop()
    for _ in range(120):
        world.wait()
        world.through()
    assert world.account.orders[name].state is OrderState.MISSING
    world.wire.there.append(late)
    world.through()
    assert world.account.orders[name].state is OrderState.CANCELLED
    assert not world.venue.orders[name].working


def test_a_server_error_and_a_disconnection_leave_the_outcome_unknown_until_the_venue_says(world: World) -> None:
    first, second = world.enter("a"), world.enter("b")
    world.wire.to_venue()
    world.wire.to_venue()
    world.wire.back.clear()
    tell(world, RequestFailed("model", first, RequestKind.SUBMIT, False, "500", world.clock.now()))
    assert world.account.orders[first].state is OrderState.UNKNOWN
    world.disconnect()
    world.dealer.receive()
    assert world.account.orders[second].state is OrderState.UNKNOWN
    assert world.dealer.propose(world.order(symbol="ETH")).code == "NOT_READY"
    sent = len(world.wire.sent)
    world.wait(2)
    assert len(world.wire.sent) == sent, "nothing is sent into a way that is closed"
    world.connect()
    world.through()
    world.wait(1)
    world.through()
    assert world.account.orders[first].state is OrderState.ACCEPTED
    assert world.account.orders[second].state is OrderState.ACCEPTED
    assert world.dealer.ready


def test_a_refusal_is_a_refusal_and_a_repeated_one_changes_nothing(world: World) -> None:
    world.venue.accepts = False
    name = world.enter()
    world.wire.to_venue()
    (refusal,) = world.wire.back
    world.wire.back.clear()
    tell(world, refusal, refusal)
    assert world.account.orders[name].state is OrderState.REJECTED
    assert world.account.anomalies == 0


def test_an_order_that_is_refused_as_a_double_of_itself_is_not_taken_for_refused(world: World) -> None:
    name = world.enter()
    world.wire.there *= 2  # the network repeats the request
    world.wire.to_venue()
    world.wire.to_venue()
    world.wire.back.reverse()  # and the refusal of the second overtakes the acknowledgement
    world.through()
    assert world.account.orders[name].state is OrderState.ACCEPTED
    assert "OrderRejected" not in world.journal.kinds


# Too many requests.


def test_while_the_venue_wants_silence_cancels_wait_and_old_entries_are_given_up(world: World) -> None:
    resting = world.enter("b", type=OrderType.LIMIT, limit=D(90))
    world.through()
    now = world.clock.now()
    tell(world, RequestFailed("model", None, RequestKind.ACCOUNT, True, "429", now, now + 20 * SECOND))
    sent = len(world.wire.sent)
    name = world.enter()
    world.dealer.cancel(resting, "TEST")
    other = world.enter("a", "ETH")
    assert world.dealer.cancel(other, "TEST"), "what was never sent is off at once"
    assert world.account.orders[other].state is OrderState.REJECTED
    world.wait(11)
    assert len(world.wire.sent) == sent
    assert world.account.orders[name].state is OrderState.REJECTED
    world.wait(10)
    assert next(type(request) for request in world.wire.sent[sent:]) is Cancel
    assert not submits(world, name)
    assert not submits(world, other)


def test_a_closing_order_waits_as_long_as_it_must(world: World) -> None:
    world.hold()
    now = world.clock.now()
    tell(world, RequestFailed("model", None, RequestKind.QUERY, True, "429", now, now + 60 * SECOND))
    name = world.order(kind=OrderKind.CLOSING, size=D(-1))
    world.dealer.propose(name)
    world.wait(30)
    assert not submits(world, name.id)
    world.wait(31)
    assert len(submits(world, name.id)) == 1
    assert world.account.orders[name.id].state is OrderState.SUBMITTED


# Cancelling and replacing.


def test_a_cancel_without_an_answer_is_asked_again(world: World) -> None:
    name = world.enter(type=OrderType.LIMIT, limit=D(90))
    world.through()
    world.dealer.cancel(name, "TEST")
    world.wire.there.clear()
    for _ in range(3):
        world.wait(2)
    world.through()
    assert world.account.orders[name].state is OrderState.CANCELLED


def test_a_cancel_that_overtook_its_order_does_not_leave_it_believed_to_work(world: World) -> None:
    name = world.enter(type=OrderType.LIMIT, limit=D(90))
    world.dealer.cancel(name, "TEST")
    world.wire.there.reverse()
    world.wire.to_venue()
    world.wire.to_us()
    world.dealer.receive()
    assert world.account.orders[name].state is OrderState.UNKNOWN
    world.through()
    assert world.account.orders[name].state is OrderState.CANCELLED
    assert not world.venue.orders[name].working


def test_a_replacement_waits_until_the_old_order_is_off_where_the_venue_cannot_replace(world: World) -> None:
    old = world.enter(type=OrderType.LIMIT, limit=D(90))
    world.through()
    new = world.order(type=OrderType.LIMIT, limit=D(91))
    assert world.dealer.replace(old, new) is None
    assert not submits(world, new.id)
    world.through()
    assert world.account.orders[old].state is OrderState.CANCELLED
    assert world.account.orders[new.id].state is OrderState.ACCEPTED


def test_a_replacement_is_dropped_when_the_old_order_filled_first(world: World) -> None:
    old = world.enter(type=OrderType.LIMIT, limit=D(90))
    world.through()
    new = world.order(type=OrderType.LIMIT, limit=D(91))
    world.dealer.replace(old, new)
    world.trade(old)
    world.through()
    assert world.account.orders[old].state is OrderState.FILLED
    assert new.id not in world.account.orders


def test_a_gtd_order_is_taken_off_where_the_venue_does_not_know_the_time(world: World) -> None:
    can = replace(world.wire.can, times_in_force=frozenset({TimeInForce.GTC}))
    world = World(can=can).ready()
    expires = world.clock.now() + 20 * SECOND
    name = world.enter(type=OrderType.LIMIT, limit=D(90), time_in_force=TimeInForce.GTD, expires=expires)
    world.through()
    world.crash()
    world.ready()
    world.wait(15)
    world.through()
    assert world.account.orders[name].state is OrderState.ACCEPTED
    world.wait(6)
    world.through()
    assert world.account.orders[name].state is OrderState.CANCELLED


# Groups.


def test_one_cancels_the_other(world: World) -> None:
    one = world.enter(type=OrderType.LIMIT, limit=D(90), group="g")
    two = world.enter(type=OrderType.STOP, level=D(110), group="g")
    alone = world.enter("b", type=OrderType.LIMIT, limit=D(90), group="g")
    world.through()
    world.trade(one, D("0.2"))
    world.through()
    assert world.account.orders[two].state is OrderState.CANCELLED
    assert world.account.orders[one].state is OrderState.PARTIALLY_FILLED
    assert world.account.orders[alone].state is OrderState.ACCEPTED


def test_two_exits_that_both_fill_turn_nobody(world: World) -> None:
    world.hold()
    stop = world.order(kind=OrderKind.STOP, size=D(-1), type=OrderType.STOP, level=D(95), group="x")
    take = world.order(kind=OrderKind.TAKE, size=D(-1), type=OrderType.LIMIT, limit=D(105), group="x")
    for order in (stop, take):
        assert world.dealer.propose(order).outcome == "allow"
    world.through()
    world.trade(stop.id)
    world.trade(take.id)
    world.through()
    assert world.account.agents["a"].size("BTC") == -1
    assert any("CLOSED_TOO_MUCH" in text for _, text in world.dealer.alarms)
    (closing,) = world.account.working_of("a", "BTC")
    assert (closing.order.kind, closing.order.size) == (OrderKind.CLOSING, D(1))
    world.trade(closing.order.id)
    world.through()
    assert world.account.agents["a"].size("BTC") == 0
    world.agree()


def test_the_state_of_a_dealer_is_the_replay_of_its_journal(world: World) -> None:
    world.hold()
    world.dealer.halt("me")
    before = world.account
    world.crash()
    after = world.account
    assert (after.orders, after.agents, after.trades, after.state) == (
        before.orders,
        before.agents,
        before.trades,
        TradingState.HALTED,
    )


# What waits, and what changes meanwhile.


def hold_back(world: World, seconds: int) -> None:
    now = world.clock.now()
    tell(world, RequestFailed("model", None, RequestKind.QUERY, True, "429", now, now + seconds * SECOND))


def test_a_closing_order_that_waits_is_not_sent_when_its_position_was_closed_meanwhile(world: World) -> None:
    world.hold()
    stop = world.order(kind=OrderKind.STOP, size=D(-1), type=OrderType.STOP, level=D(95))
    world.dealer.propose(stop)
    world.through()
    hold_back(world, 20)
    closing = world.order(kind=OrderKind.CLOSING, size=D(-1))
    world.dealer.propose(closing)
    world.trade(stop.id)
    world.through()
    assert world.account.orders[closing.id].state is OrderState.REJECTED
    world.wait(30)
    world.through()
    assert not submits(world, closing.id)
    assert world.account.sizes() == {}


def test_what_was_decided_before_the_way_broke_is_not_sent_when_it_opens(world: World) -> None:
    world.hold()
    world.disconnect()
    world.dealer.receive()
    closing = world.order(kind=OrderKind.CLOSING, size=D(-1))
    assert world.dealer.propose(closing).outcome == "allow"
    world.wait(600)
    world.connect()
    world.through()
    assert world.account.orders[closing.id].state is OrderState.REJECTED
    assert not submits(world, closing.id)


def test_a_venue_cannot_silence_us_for_ever_nor_can_a_clock_that_is_set_back(world: World) -> None:
    world.hold()
    hold_back(world, 10**9)
    closing = world.order(kind=OrderKind.CLOSING, size=D(-1))
    world.dealer.propose(closing)
    world.wait(599)
    assert not submits(world, closing.id)
    assert any("wants to hear nothing" in text for _, text in world.dealer.alarms)
    world.wait(2)
    assert submits(world, closing.id)
    world.through()
    world.trade(closing.id)
    world.through()
    world.hold("b")
    hold_back(world, 100)
    other = world.order("b", kind=OrderKind.CLOSING, size=D(-1))
    world.dealer.propose(other)
    world.clock.set(world.clock.now() - 86_400 * SECOND)
    world.dealer.work()
    assert submits(world, other.id)


def test_a_venue_that_wants_fewer_requests_and_does_not_say_until_when_gets_a_moment(world: World) -> None:
    world.hold()
    tell(world, RequestFailed("model", None, RequestKind.QUERY, True, "429", world.clock.now()))
    closing = world.order(kind=OrderKind.CLOSING, size=D(-1))
    world.dealer.propose(closing)
    assert not submits(world, closing.id)
    world.wait(1)
    assert submits(world, closing.id)


def test_lies_that_are_repeated_are_entered_once_and_flood_nothing(world: World) -> None:
    name = world.enter()
    world.through()
    sent, entries = len(world.wire.sent), len(world.journal.texts)
    lie = fill_of(world, name, D(1), price=D(-1))
    tell(world, *[lie] * 100)
    assert len(world.journal.texts) == entries + 1
    assert len(world.wire.sent) == sent + 1


def test_an_order_that_nobody_answers_for_is_said_out_loud(world: World) -> None:
    world.enter()
    world.wire.there.clear()
    for _ in range(20):
        world.wait(30)
        world.wire.there.clear()
    assert any("is still unknown" in text for _, text in world.dealer.alarms)


def test_an_order_that_has_ended_and_works_at_the_venue_is_taken_off(world: World) -> None:
    name = world.enter(type=OrderType.LIMIT, limit=D(90))
    world.through()
    (lie,) = world.venue.handle(Query(name, "BTC"))
    assert isinstance(lie, OrderReport)
    tell(world, replace(lie, state=VenueState.CANCELLED))
    assert world.account.orders[name].state is OrderState.CANCELLED
    for _ in range(4):
        world.wait(31)
        world.through()
    assert not world.venue.orders[name].working
    assert any("ENDED_ORDER_WORKS" in text for _, text in world.dealer.alarms)


def test_trades_that_are_never_told_end_their_order_and_are_a_difference(world: World) -> None:
    name = world.enter()
    world.through()
    world.trade(name)
    world.wire.back.pop()
    world.venue.fills.clear()  # the venue has forgotten the trade, and not what it came to
    for _ in range(10):
        world.wait(6)
        world.through()
    placed = world.account.orders[name]
    assert (placed.state, placed.filled) == (OrderState.CANCELLED, 0)
    world.agree()
    assert world.account.agents[UNATTRIBUTED].size("BTC") == 1
    assert world.account.blocked("a", "BTC") == UNATTRIBUTED


def test_one_report_without_the_trades_of_an_order_that_has_ended_is_not_enough(world: World) -> None:
    name = world.enter()
    world.through()
    world.trade(name)
    (state, fill), world.wire.back = world.wire.back, []
    tell(world, state)
    without = replace(world.venue.account(0), fills=(), positions={})
    tell(world, without, without)
    assert world.account.orders[name].state.working, "the trades may still be on their way"
    tell(world, fill)
    assert world.account.orders[name].state is OrderState.FILLED


def test_what_the_venue_holds_beside_our_instruments_is_said_and_left_alone(world: World) -> None:
    world.venue.positions["DUST"] = D(5)
    world.wait(31)
    world.through()
    assert world.account.sizes() == {}
    assert world.dealer.ready
    world.dealer.flatten("me")
    world.wait()
    world.through()
    assert not world.account.flattening


def test_an_order_that_the_venue_made_smaller_ends_with_what_it_filled(world: World) -> None:
    name = world.enter(size=D(2))
    world.through()
    world.venue.orders[name].order = replace(world.venue.orders[name].order, size=D(1))
    world.trade(name)
    world.through()
    placed = world.account.orders[name]
    assert (placed.state, placed.filled) == (OrderState.CANCELLED, 1)
    world.agree()


def test_a_closing_order_with_a_figure_that_is_none_is_refused_and_breaks_nothing(world: World) -> None:
    world.hold()
    order = world.order(size=D(-1), kind=OrderKind.CLOSING, reference=D("NaN"))
    assert world.dealer.propose(order).code == "PRICE_INVALID"
    assert world.dealer.propose(replace(order, reference=None)).outcome == "allow"
