"""The day's loss limit, what people order, and closing everything until the venue says that it is closed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dealer_worlds import DAY, T0, D, World

from clawd.core.account_events import UNATTRIBUTED, FlattenBegan, TradingState
from clawd.core.errors import ClawdError
from clawd.core.orders import OrderKind, OrderType
from clawd.core.reports import RequestFailed, RequestKind, VenueState
from clawd.execution.life_cycle import OrderState
from clawd.venues.venue import Cancel, ReportAccount, Submit


@pytest.fixture
def world() -> World:
    return World().ready()


def closings(world: World) -> list[str]:
    return [placed.order.id for placed in world.account.working() if placed.order.kind is OrderKind.CLOSING]


def close_all(world: World) -> None:
    """The venue fills what closes, and everything arrives."""
    world.through()
    for name in closings(world):
        world.trade(name)
    world.through()
    world.wait()
    world.through()
    world.wait()
    world.through()


def stop_by_loss(world: World) -> None:
    """A gap goes far beyond the stop of a position of 900."""
    world.hold("a", size=D(9))
    world.price("BTC", D(85))
    world.dealer.work()


def test_at_the_limit_all_is_cancelled_and_closed_and_verified_with_the_venue(world: World) -> None:
    waiting = world.enter("b", "ETH", type=OrderType.LIMIT, limit=D(9))
    world.through()
    stop_by_loss(world)
    account = world.account
    assert (account.state, account.flattening) == (TradingState.HALTED, True)
    assert account.until_day == T0 // DAY + 1
    assert world.dealer.propose(world.order("b")).outcome == "refuse"
    close_all(world)
    assert account.orders[waiting].state is OrderState.CANCELLED
    assert world.account.sizes() == {}
    assert not world.account.flattening
    assert world.journal.kinds.count("FlatVerified") == 1
    world.agree()
    assert world.account.state is TradingState.HALTED


def test_the_limit_counts_what_is_not_realised_and_not_a_cent_less(world: World) -> None:
    world.hold("a", size=D(9))
    spent = D(9) * D(100) * D("0.0007")
    world.price("BTC", D(100) - (D(100) - spent) / 9 + D("0.0001"))
    assert world.account.state is TradingState.ACTIVE
    world.price("BTC", D(100) - (D(100) - spent) / 9)
    assert world.account.state is TradingState.HALTED


def test_flat_is_what_the_venue_says_and_until_then_it_goes_on_loudly(world: World) -> None:
    stop_by_loss(world)
    world.through()
    for _ in range(5):  # the venue refuses to close
        for name in closings(world):
            world.wire.back += world.venue.end(name, VenueState.REJECTED)
        world.through()
        world.wait(61)
        world.through()
    assert world.account.flattening
    assert any("would not close" in text for _, text in world.dealer.alarms)
    attempts = [each for each in world.wire.sent if isinstance(each, Submit) and each.approved.order.reduces]
    assert len({each.approved.order.id for each in attempts}) == len(attempts) >= 4
    close_all(world)
    assert not world.account.flattening
    assert world.venue.positions["BTC"] == 0


def test_an_entry_that_fills_while_it_is_being_cancelled_is_closed_as_well(world: World) -> None:
    late = world.enter("b", "ETH", type=OrderType.LIMIT, limit=D(9))
    world.through()
    stop_by_loss(world)
    world.trade(late)
    close_all(world)
    close_all(world)
    assert world.account.sizes() == {}
    assert not world.account.flattening


def test_a_report_from_before_the_last_trade_verifies_nothing(world: World) -> None:
    stop_by_loss(world)
    world.through()
    before = replace(world.venue.account(0), positions={}, orders=())
    (name,) = closings(world)
    world.trade(name)
    world.through()
    world.wire.arrived.append(before)
    world.dealer.receive()
    assert world.account.flattening
    there = world.venue.account(0)
    world.wire.arrived.append(replace(there, positions={"BTC": D(9)}))
    world.dealer.receive()
    assert world.account.flattening
    assert any("not flat" in text for _, text in world.dealer.alarms)


def test_what_is_not_ours_is_left_alone(world: World) -> None:
    world.wire.back += world.venue.by_hand("ETH", D(3), D(10))
    world.through()
    stop_by_loss(world)
    close_all(world)
    assert not world.account.flattening
    assert world.account.sizes() == {"ETH": D(3)}
    assert world.account.agents[UNATTRIBUTED].size("ETH") == 3


def test_the_halt_survives_a_restart_and_goes_on_closing(world: World) -> None:
    stop_by_loss(world)
    world.wire.there.clear()
    world.crash()
    world.ready_again()
    assert (world.account.state, world.account.flattening) == (TradingState.HALTED, True)
    for _ in range(120):
        world.wait()
        world.through()
    close_all(world)
    assert world.account.sizes() == {}
    assert not world.account.flattening


def test_the_next_day_lifts_the_halt_when_both_clocks_say_so(world: World) -> None:
    stop_by_loss(world)
    close_all(world)
    loss = world.account.day_loss(world.marks())
    assert loss > 100
    world.clock.set(T0 + DAY)  # our clock alone: the venue has said nothing since
    world.see_prices()
    world.dealer.work()
    assert world.account.state is TradingState.HALTED
    assert world.account.day == T0 // DAY
    world.wire.there.clear()
    world.wait(40)
    world.through()
    world.wait()
    assert world.account.day == T0 // DAY + 1
    assert world.account.state is TradingState.ACTIVE
    assert world.account.day_loss(world.marks()) == 0


def test_a_clock_that_jumps_back_opens_no_day_again(world: World) -> None:
    stop_by_loss(world)
    close_all(world)
    day = world.account.day
    world.clock.set(T0 - 3 * DAY)
    for _ in range(5):
        world.wait()
        world.through()
    assert (world.account.day, world.account.state) == (day, TradingState.HALTED)
    world.crash()
    for _ in range(5):
        world.wait()
        world.through()
    assert (world.account.day, world.account.state) == (day, TradingState.HALTED)
    assert world.account.day_loss(world.marks()) > 100


def test_a_persons_halt_ends_with_a_person_only(world: World) -> None:
    resting = world.enter(type=OrderType.LIMIT, limit=D(90))
    world.hold("b")
    world.dealer.halt("me", "holiday")
    world.through()
    assert world.account.orders[resting].state is OrderState.CANCELLED
    assert world.account.agents["b"].size("BTC") == 1, "what is held is kept, with its exits"
    for _ in range(3):
        world.clock.set(world.clock.now() + DAY)
        world.wait()
        world.through()
        world.crash()
        world.through()
    assert world.account.state is TradingState.HALTED
    with pytest.raises(ClawdError, match="allows less"):
        world.dealer.reduce("me")
    world.dealer.resume("me")
    assert world.account.state is TradingState.ACTIVE


def test_the_days_limit_does_not_turn_a_persons_halt_into_one_of_a_day(world: World) -> None:
    world.hold("a", size=D(9))
    world.dealer.halt("me")
    world.price("BTC", D(80))
    world.dealer.work()
    assert world.account.flattening
    assert world.account.until_day is None
    close_all(world)
    world.clock.set(world.clock.now() + DAY)
    for _ in range(3):
        world.wait(31)
        world.through()
    assert world.account.day == T0 // DAY + 1
    assert world.account.state is TradingState.HALTED


def test_nobody_resumes_on_the_day_of_the_limit_or_while_it_is_being_closed(world: World) -> None:
    stop_by_loss(world)
    with pytest.raises(ClawdError, match="still being closed"):
        world.dealer.resume("me")
    close_all(world)
    with pytest.raises(ClawdError, match="until the next UTC day: DAY_LOSS"):
        world.dealer.resume("me")


def test_flatten_closes_everything_and_stays_halted(world: World) -> None:
    world.hold("a")
    world.hold("b", "ETH", D(-2))
    world.dealer.flatten("me")
    close_all(world)
    assert world.account.sizes() == {}
    assert (world.account.state, world.account.until_day) == (TradingState.HALTED, None)
    assert not world.account.flattening
    world.dealer.resume("me")
    assert world.dealer.propose(world.order()).outcome == "allow"


def test_reducing_lets_positions_only_become_smaller(world: World) -> None:
    world.hold("a")
    world.dealer.reduce("me")
    assert world.dealer.propose(world.order("b")).outcome == "refuse"
    assert world.dealer.propose(world.order("a", size=D(-1), kind=OrderKind.CLOSING)).outcome == "allow"


def test_without_prices_nothing_is_entered_and_in_the_end_everything_is_closed(world: World) -> None:
    world.hold("a")
    world.wait(40, prices=False)
    assert not world.dealer.ready
    assert world.dealer.propose(world.order("b", "ETH")).code == "NOT_READY"
    assert world.account.state is TradingState.ACTIVE
    assert any("no fresh price" in text for _, text in world.dealer.alarms)
    for _ in range(32):
        world.wait(30, prices=False)
        world.through()
    assert any(isinstance(event, str) and event == "FlattenBegan" for event in world.journal.kinds)
    assert world.account.flattening


def test_money_that_comes_in_makes_no_room_for_a_loss(world: World) -> None:
    world.hold("a", size=D(9))
    world.venue.cash += D(1000)
    for _ in range(3):
        world.wait(31)
        world.through()
    world.agree()
    assert world.account.agents[UNATTRIBUTED].cash == 1000
    world.price("BTC", D(85))
    assert world.account.state is TradingState.HALTED


def test_a_flatten_began_is_not_begun_again_while_it_goes_on(world: World) -> None:
    stop_by_loss(world)
    for _ in range(5):
        world.wait()
    assert world.journal.kinds.count(FlattenBegan.__name__) == 1
    asked = sum(isinstance(each, ReportAccount) for each in world.wire.sent)
    assert asked < 10
    assert len(closings(world)) == 1


def test_what_a_person_has_said_before_the_halt_of_a_day_holds_after_it(world: World) -> None:
    world.hold("a", size=D(9))
    world.dealer.reduce("me")
    world.price("BTC", D(85))
    close_all(world)
    world.clock.set(T0 + DAY)
    for _ in range(3):
        world.wait(31)
        world.through()
    assert world.account.day == T0 // DAY + 1
    assert world.account.state is TradingState.REDUCING


def test_what_a_person_says_on_a_halted_day_holds_after_it_and_the_day_stays_halted(world: World) -> None:
    stop_by_loss(world)
    close_all(world)
    world.dealer.reduce("me")
    assert (world.account.state, world.account.until_day) == (TradingState.HALTED, T0 // DAY + 1)
    written = len(world.journal.texts)
    world.dealer.reduce("me")
    assert len(world.journal.texts) == written, "it has been said"
    world.crash()
    world.ready_again()
    assert world.account.state is TradingState.HALTED
    states: list[TradingState] = []
    world.clock.set(T0 + DAY)
    for _ in range(40):
        world.wait(2)
        world.through()
        states.append(world.account.state)
    assert set(states) == {TradingState.HALTED, TradingState.REDUCING}, "no moment in between"
    assert world.account.state is TradingState.REDUCING


def test_an_entry_that_could_not_be_cancelled_is_tried_again_but_not_without_a_pause(world: World) -> None:
    name = world.enter("b", type=OrderType.LIMIT, limit=D(99))
    world.through()
    world.dealer.halt("me")
    for _ in range(20):
        world.wire.there.clear()
        if world.account.orders[name].state is OrderState.PENDING_CANCEL:
            refused = RequestFailed("model", name, RequestKind.CANCEL, True, "BUSY", world.clock.now())
            world.wire.arrived.append(refused)
            world.dealer.receive()
        world.wait(0.1)
    asked = [each for each in world.wire.sent if isinstance(each, Cancel)]
    assert 1 < len(asked) < 6
    for _ in range(10):
        world.wait(10)
        world.through()
    assert world.account.orders[name].state is OrderState.CANCELLED


def test_a_position_that_was_turned_is_closed_beside_the_order_that_turned_it(world: World) -> None:
    world.hold("a", "BTC", D(-1))
    closing = world.order("a", "BTC", D(1), kind=OrderKind.CLOSING)
    stop = world.order("a", "BTC", D(1), kind=OrderKind.STOP, type=OrderType.STOP, level=D(105))
    for order in (closing, stop):
        assert world.dealer.propose(order).outcome != "refuse"
    world.through()
    world.trade(stop.id, D(1))
    world.trade(closing.id, D("0.5"))
    world.through()
    assert world.account.agents["a"].size("BTC") == D("0.5")
    world.dealer.flatten("me")
    sold = [each.order for each in world.account.working() if each.order.size < 0]
    assert [(order.kind, order.size) for order in sold] == [(OrderKind.CLOSING, D("-0.5"))]
