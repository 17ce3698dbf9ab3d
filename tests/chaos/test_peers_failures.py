"""What went wrong at other platforms, by the threads in which their users told it, replayed here."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from chaos_world import INSTRUMENTS, LIMIT, SECOND, START, T0, World

from clawd.core.account_events import UNATTRIBUTED, AdoptionDecided
from clawd.core.orders import OrderKind, OrderType
from clawd.core.reports import VenueState
from clawd.execution.life_cycle import OrderState
from clawd.execution.order_ids import client_id
from clawd.risk.gate import Code, Outcome
from clawd.store.switchboard import Switch
from clawd.venues.faults import Fault, Rule

D = Decimal
HALVES = {"stop": {"percent": 2}, "take": [{"percent": 1, "share": 0.5}, {"percent": 4, "share": 0.5}]}
DISTANCES = (-0.02, 0, 0, 0, -0.01, -0.04)


OPEN: list[World] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """The files of a world are closed, however its test ends."""
    yield
    while OPEN:
        OPEN.pop().close()


def ready(*script: Rule, directory: Path | None = None, day_loss: Decimal = LIMIT) -> World:
    """A world in which agents may enter."""
    world = World(directory, script=script, day_loss=day_loss)
    OPEN.append(world)
    run(world, 3)
    assert world.trader.dealer.ready
    return world


def run(world: World, seconds: float, step: float = 0.5) -> None:
    """The market ticks on around its price, so that its feed is heard."""
    for number in range(int(seconds / step)):
        world.prices["AAA"] += (1, -1)[number % 2]
        world.prices["BBB"] += (1, -1)[number % 2]
        world.step(step)


def long_of(world: World, size: str = "2", agent: str = "a") -> str:
    """An agent with a position and its exits."""
    order = world.order(agent, "AAA", D(size))
    verdict = world.enter(order, HALVES, DISTANCES)
    assert verdict.outcome is Outcome.ALLOW, verdict
    run(world, 3)
    return order.id


def working_at_venue(world: World) -> dict[str, tuple[str, Decimal]]:
    """Kind and size, by our id, of the orders that work at the venue."""
    placed = world.trader.account.orders
    return {
        name: (placed[name].order.kind.value, held.left * held.sign * INSTRUMENTS[held.symbol].lot)
        for name, held in world.venue._exchange.orders.items()
        if held.state in (VenueState.ACCEPTED, VenueState.PARTIALLY_FILLED)
    }


def exits_at_venue(world: World) -> list[tuple[str, Decimal]]:
    return sorted(each for each in working_at_venue(world).values() if each[0] in ("stop", "take"))


def fills_of(world: World) -> list[Any]:
    return [entry for entry in world.journal.entries() if entry.kind == "OrderFilled"]


def restarted(world: World, directory: Path | None, away: float = 1.0) -> World:
    """Our process and, where it lies in files, the simulated exchange begin anew."""
    if directory is None:
        world.crash(away)
        return world
    world.close()
    again = World(directory, away=away)
    OPEN.append(again)
    again.prices = dict(world.prices)
    return again


EXITS = [("stop", D(-2)), ("take", D(-1)), ("take", D(-1))]


def test_nautilus_5023_paper_orders_that_rest_are_there_after_a_restart(tmp_path: Path) -> None:
    world = ready(directory=tmp_path)
    order = world.order("a", "AAA", D(2), type=OrderType.LIMIT, limit=D("99.00"))
    world.enter(order)
    run(world, 2)
    assert working_at_venue(world) == {order.id: ("opening", D(2))}
    world = restarted(world, tmp_path)
    run(world, 3)
    assert working_at_venue(world) == {order.id: ("opening", D(2))}
    assert world.trader.account.orders[order.id].state is OrderState.ACCEPTED
    world.prices["AAA"] = 9_890
    run(world, 3)
    assert world.trader.account.agents["a"].size("AAA") == D(2)
    world.calm()


def test_nautilus_4736_a_restart_closes_nothing_and_the_agent_knows_what_it_holds(tmp_path: Path) -> None:
    world = ready(directory=tmp_path)
    long_of(world)
    before = len(world.venue._exchange.account.fills)
    for _ in range(3):
        world = restarted(world, tmp_path)
        run(world, 5)
    assert len(world.venue._exchange.account.fills) == before
    assert world.trader.account.agents["a"].size("AAA") == D(2)
    world.calm()


def test_nautilus_3176_no_restart_sends_an_order_again(tmp_path: Path) -> None:
    world = ready(directory=tmp_path)
    name = long_of(world)
    orders = set(world.venue._exchange.orders)
    time = world.trader.account.orders[name].submitted_at
    for _ in range(4):
        world = restarted(world, tmp_path)
        run(world, 2)
        again = world.enter(world.order("a", "AAA", D(2), time, id=name), HALVES, DISTANCES)
        assert (again.outcome, again.code) == (Outcome.REFUSE, Code.DUPLICATE)
        run(world, 2)
    assert set(world.venue._exchange.orders) == orders
    assert world.wire.submitted == []
    world.calm()


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.SERVER_ERROR_AFTER, Fault.DROP, Fault.DISCONNECT_AFTER])
def test_nautilus_4215_and_hummingbot_493_a_timeout_is_no_failure_and_is_never_sent_again(fault: Fault) -> None:
    world = ready(Rule(fault, "Submit", kind="opening", lasts=5 * SECOND))
    order = world.order("a", "AAA", D(2))
    world.enter(order, HALVES, DISTANCES)
    run(world, 2.5)
    other = world.enter(world.order("a", "AAA", D(1), number=1))
    assert other.outcome is Outcome.REFUSE, "the agent may not enter that instrument before it is known"
    run(world, 60)
    world.calm()
    arrived = fault in (Fault.SERVER_ERROR_AFTER, Fault.DISCONNECT_AFTER)
    assert world.wire.submitted.count(order.id) == 1
    assert world.trader.account.agents["a"].size("AAA") == (D(2) if arrived else D(0))
    assert world.trader.account.orders[order.id].state is (OrderState.FILLED if arrived else OrderState.MISSING)


def test_hummingbot_api_243_and_octobot_3190_stops_targets_and_their_memory_are_there_after_a_restart(
    tmp_path: Path,
) -> None:
    world = ready(directory=tmp_path)
    long_of(world)
    assert exits_at_venue(world) == EXITS
    before = world.trader.exits.protection("a", "AAA")
    world = restarted(world, tmp_path)
    run(world, 3)
    assert exits_at_venue(world) == EXITS
    after = world.trader.exits.protection("a", "AAA")
    assert before is not None and after is not None
    assert (before.position.tobytes(), before.exits) == (after.position.tobytes(), after.exits)
    world.prices["AAA"] = 9_700
    run(world, 3)
    assert world.trader.account.agents["a"].size("AAA") == 0
    assert working_at_venue(world) == {}
    world.calm()


def test_octobot_3190_stops_that_the_venue_has_lost_are_sent_again() -> None:
    world = ready()
    long_of(world)
    for name in list(working_at_venue(world)):
        world.by_hand.cancel(name, "AAA")
    world.crash(2.0)
    run(world, 20)
    assert exits_at_venue(world) == EXITS
    world.calm()


def test_nautilus_3655_and_1190_trades_by_hand_are_booked_blocked_and_left_alone() -> None:
    world = ready()
    long_of(world)
    world.by_hand.trade("AAA", D("3.5"))
    run(world, 3)
    account = world.trader.account
    assert account.agents[UNATTRIBUTED].size("AAA") == D("3.5")
    assert account.agents["a"].size("AAA") == D(2)
    assert exits_at_venue(world) == EXITS, "what is a person's gets no exits of ours"
    assert world.enter(world.order("b", "AAA", D(1))).outcome is Outcome.REFUSE
    assert world.enter(world.order("b", "BBB", D(1))).outcome is Outcome.ALLOW
    world.command(Switch.FLATTEN)
    run(world, 10)
    assert not account.flattening and account.agents[UNATTRIBUTED].size("AAA") == D("3.5")
    world.command(Switch.RESUME)
    world.trader.dealer.enter(AdoptionDecided(symbol="AAA", by="person"))
    assert world.enter(world.order("b", "AAA", D(1), number=1)).outcome is not Outcome.REFUSE
    world.calm()


@pytest.mark.parametrize("restart", [False, True])
def test_lean_ib_249_fills_during_a_disconnect_are_booked_once(restart: bool) -> None:
    world = ready(Rule(Fault.DISCONNECT_AFTER, "AccountReport", first=2, lasts=20 * SECOND))
    long_of(world)
    while world.trader.dealer.ready:
        run(world, 1)
        assert world.clock.now() < T0 + 60 * SECOND, "the way breaks with the second report on the account"
    world.prices["AAA"] = 10_120  # the first target fills while nobody hears it
    run(world, 5)
    assert world.trader.account.agents["a"].size("AAA") == D(2)
    if restart:
        world.crash(1.0)
    run(world, 30)
    assert world.trader.account.agents["a"].size("AAA") == D(1)
    world.calm()
    fills = fills_of(world)
    assert len({entry.body["trade"] for entry in fills}) == len(fills)


def test_freqtrade_9977_the_limit_counts_what_is_not_realised_and_nothing_is_entered_after_it() -> None:
    """No stop arrives, and the market falls without a trade of ours: the loss that is not realised stops everything."""
    world = ready(Rule(Fault.DROP, "Submit", kind="stop", times=0), day_loss=D(40))
    world.enter(world.order("a", "AAA", D(20), stop_distance=D("1.5")))
    run(world, 3)
    account = world.trader.account
    size = account.agents["a"].size("AAA")
    assert size > 0
    fall = D(0)
    while account.state == "active" and fall < D(20):
        world.prices["AAA"] -= 20
        fall += D("0.2")
        world.step(0.2)
    assert (account.state, account.state_why) == ("halted", "DAY_LOSS")
    assert abs(fall - D(40) / size) < D("0.5"), "at the limit, neither before nor after it"
    assert all(entry.body["size"].startswith("-") is False for entry in fills_of(world)), "nothing was realised before"
    refused = world.enter(world.order("b", "BBB", D(1)))
    assert (refused.outcome, refused.code) == (Outcome.REFUSE, Code.HALTED)
    world.calm()
    assert account.agents["a"].size("AAA") == 0
    assert D(10_000) - account.cash < D(40) + size * D("0.5"), "the limit, and what the market ran while it closed"
    world.command(Switch.RESUME)
    assert account.state == "halted", "nobody lifts it on the same day"


def test_hftbacktest_87_ids_never_collide() -> None:
    """Two agents, instruments, kinds, decisions of one moment, and accounts; and the same decision has the same id."""
    names = {
        client_id(account, agent, symbol, time, kind, number)
        for account in ("main", "other")
        for agent in ("a", "b", "a1", "1a")
        for symbol in ("AAA", "BBB", "1AAA")
        for time in range(0, 60 * SECOND, SECOND // 2)
        for kind in OrderKind
        for number in range(2)
    }
    assert len(names) == 2 * 4 * 3 * 120 * len(OrderKind) * 2
    assert client_id("main", "a", "AAA", 5, OrderKind.OPENING) == client_id("main", "a", "AAA", 5, OrderKind.OPENING)


def test_hftbacktest_87_an_id_that_the_venue_calls_a_duplicate_is_asked_about_and_not_lost() -> None:
    world = ready(Rule(Fault.DUPLICATE, "Submit", kind="opening"))
    order = world.order("a", "AAA", D(2))
    world.enter(order, HALVES, DISTANCES)
    run(world, 5)
    assert world.trader.account.agents["a"].size("AAA") == D(2)
    assert exits_at_venue(world) == EXITS
    world.calm()


def test_freqtrade_8328_a_restart_closes_no_trade_that_never_touched_its_stop(tmp_path: Path) -> None:
    """Not even where the price, while we were away, was beyond the first of its targets."""
    world = ready(directory=tmp_path)
    long_of(world)
    world.prices["AAA"] = 10_050
    world = restarted(world, tmp_path, away=600.0)
    run(world, 5)
    assert world.trader.account.agents["a"].size("AAA") == D(2)
    world.calm()


def test_freqtrade_8045_no_exit_is_left_behind_a_closed_position() -> None:
    world = ready()
    long_of(world)
    world.leave("a", "AAA")
    run(world, 3)
    assert working_at_venue(world) == {}
    assert world.venue._exchange.account.positions.get("AAA", 0) == 0
    world.calm()


def test_ccxt_23214_a_stream_that_is_silent_stops_entries_and_then_everything() -> None:
    world = ready(Rule(Fault.SILENCE, "Quote", first=40, lasts=600 * SECOND))
    long_of(world)
    while not world.trader.dealer.hard_stop.blind():
        run(world, 1)
        assert world.clock.now() < world.venue.now + 60 * SECOND
    assert world.enter(world.order("b", "BBB", D(1))).outcome is Outcome.REFUSE
    assert exits_at_venue(world) == EXITS, "what the venue holds protects meanwhile"
    run(world, 120)
    assert world.trader.account.agents["a"].size("AAA") == 0
    assert world.trader.account.state_why == "BLIND"
    world.calm()


def test_the_market_of_these_tests_is_where_it_says() -> None:
    assert ready().prices == START
