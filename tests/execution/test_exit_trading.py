"""Exits behind the real dealer: gate, journal, a venue and a network, and a crash at every write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest

pytest.importorskip("clawd.execution.trader", reason="there is no trader yet")
from dealer_worlds import ALL, SECOND, ListJournal, World

from clawd.core.orders import Order, OrderKind, OrderType
from clawd.execution.watch import watched

trading = import_module("clawd.execution.trader")
D = Decimal
ONE = D(1)
TARGET: dict[str, Any] = {"stop": {"percent": 5}, "take": {"percent": 10}}
TRAIL: dict[str, Any] = {"stop": {"percent": 5}, "trail": {"percent": 3}, "take": {"percent": 20}}
MINUTE = 60 * SECOND


class Whole:
    """The trader where it does more than its dealer, else the dealer."""

    def __init__(self, trader: Any) -> None:
        self.trader = trader

    def __getattr__(self, name: str) -> Any:
        return getattr(self.trader if name in ("quote", "receive", "work") else self.trader.dealer, name)


class ExitWorld(World):
    """A dealer with its exits."""

    trader: Any

    def start(self) -> Any:
        for market in self.markets.values():
            market.price = market.price_time = market.quote = None
        self.trader = trading.Trader(self.journal, self.wire, self.limits, self.markets, self.clock)
        return Whole(self.trader)

    def plan(self, exits: dict[str, Any], distances: list[float], size: Decimal = ONE) -> str:
        order = self.order(size=size)
        verdict = self.trader.enter(order, exits, [*distances, *[0.0] * 8][:8], MINUTE)
        assert verdict.outcome != "refuse", verdict
        self.through()
        return order.id

    def enter_with(self, exits: dict[str, Any], distances: list[float], size: Decimal = ONE) -> str:
        name = self.plan(exits, distances, size)
        self.trade(name)
        self.through()
        return name

    def resting(self) -> list[tuple[str, Decimal | None, Decimal]]:
        found = [
            (each.order.kind.value, each.order.level, each.rest)
            for each in self.venue.orders.values()
            if each.working and each.order.reduces
        ]
        return sorted(found, key=lambda each: (each[0], each[1] or D(0)))

    def exit(self, kind: OrderKind, type: OrderType | None = None) -> Order:
        return next(
            each.order
            for each in self.venue.orders.values()
            if each.working and each.order.kind is kind and type in (None, each.order.type)
        )


def test_an_entry_gets_its_exits_through_the_gate() -> None:
    world = ExitWorld().ready()
    world.enter_with(TARGET, [5.0, 0, 0, 0, 10.0])
    assert world.resting() == [("stop", D("95.00"), D(-1)), ("take", D("110.00"), D(-1))]
    kinds = world.journal.kinds
    assert kinds.index("ExitsPlanned") < kinds.index("OrderSubmitted"), "written down before the entry is sent"
    fill, change = kinds.index("OrderFilled"), kinds.index("ProtectionChanged")
    assert change > fill


def test_the_fill_and_its_exits_are_one_write() -> None:
    world = ExitWorld().ready()
    name = world.plan(TARGET, [5.0, 0, 0, 0, 10.0])
    writes: list[list[str]] = []
    append = world.journal.append
    world.journal.append = lambda records: (writes.append([kind for _, kind, _ in records]), append(records))[1]  # type: ignore[method-assign]
    world.trade(name)
    world.through()
    write = next(each for each in writes if "OrderFilled" in each)
    assert {"ProtectionChanged", "OrderSubmitted"} <= set(write)


def test_a_target_that_fills_takes_the_stop_off_and_the_other_way_round() -> None:
    for kind, price in ((OrderKind.TAKE, D(110)), (OrderKind.STOP, D(95))):
        world = ExitWorld().ready()
        world.enter_with(TARGET, [5.0, 0, 0, 0, 10.0])
        world.trade(world.exit(kind).id, price=price)
        world.through()
        assert world.resting() == []
        assert world.account.agents["a"].size("BTC") == 0
        assert world.account.protection("a", "BTC") is None


def test_a_trailing_stop_is_replaced_with_the_old_one_resting_until_the_new_one_does() -> None:
    world = ExitWorld().ready()
    world.enter_with(TRAIL, [5.0, 3.0, 0, 0, 20.0])
    world.price("BTC", D(110))
    world.trader.bar("BTC", MINUTE, world.clock.now() - 1, 110.0, 100.0, 110.0, True, {})
    assert len([each for each in world.resting() if each[0] == "stop"]) == 1
    while world.wire.there:
        world.wire.to_venue()
    assert [each[1] for each in world.resting() if each[0] == "stop"] == [D("97.00"), D("107.00")]
    world.through()
    assert [each[1] for each in world.resting() if each[0] == "stop"] == [D("107.00")]


def test_at_a_venue_that_replaces_the_gate_lets_the_new_stop_take_the_place() -> None:
    can = type(ALL)(ALL.order_types, ALL.times_in_force, True, True, True, 1)
    world = ExitWorld(can=can).ready()
    world.enter_with(TRAIL, [5.0, 3.0, 0, 0, 20.0])
    assert world.resting() == [("stop", D("97.00"), D(-1))]
    world.price("BTC", D(110))
    world.trader.bar("BTC", MINUTE, world.clock.now() - 1, 110.0, 100.0, 110.0, True, {})
    world.through()
    assert world.resting() == [("stop", D("107.00"), D(-1))]
    world.price("BTC", D(121))  # the target is watched here
    world.through()
    world.trade(world.exit(OrderKind.TAKE).id, price=D(121))
    world.through()
    assert world.account.agents["a"].size("BTC") == 0 and world.resting() == []


def test_what_fills_in_parts_and_in_one_report_is_followed_one_by_one() -> None:
    world = ExitWorld().ready()
    name = world.plan(TARGET, [5.0, 0, 0, 0, 10.0])
    world.trade(name, D("0.4"), D(100))
    world.trade(name, D("0.6"), D(101))
    world.wire.back.clear()  # only a report on the whole account tells of them, of both at once
    for _ in range(8):
        world.wait(8)
        world.through()
    held = world.trader.exits.protection("a", "BTC")
    assert held is not None and held.position["average"] == pytest.approx(100.6)
    assert world.resting() == [("stop", D("95.00"), D(-1)), ("take", D("110.00"), D(-1))]


def test_a_position_whose_stop_is_never_acknowledged_is_closed() -> None:
    world = ExitWorld().ready()
    name = world.plan({"stop": {"percent": 5}}, [5.0])
    world.trade(name)
    world.wire.back, heard = [], list(world.wire.back)
    world.wire.arrived += heard
    world.dealer.receive()
    world.wire.there.clear()  # the stop never arrives, and no price is seen any more
    for _ in range(20):
        world.wait(1, prices=False)
        world.wire.there = [
            each for each in world.wire.there if getattr(getattr(each, "approved", None), "order", None)
        ]
    assert "ProtectionOverdue" in world.journal.kinds
    closing = [placed for placed in world.account.working() if placed.order.kind is OrderKind.CLOSING]
    assert [placed.order.size for placed in closing] == [D(-1)]


class DyingJournal(ListJournal):
    """Takes so many writes, and then the process dies: before the write, or right after it."""

    left = 10**9
    after = False

    def append(self, records: Sequence[tuple[int, str, Mapping[str, Any]]]) -> None:
        if self.left == 0 and not self.after:
            raise DiedError
        super().append(records)
        if self.left == 0:
            raise DiedError
        self.left -= 1


class DiedError(Exception):
    """The process is gone."""


def scenario(world: ExitWorld) -> list[Callable[[], Any]]:
    """What happens, step by step; a step that finds nothing to do does nothing."""

    def touch(kind: OrderKind, size: Decimal, price: Decimal) -> None:
        for each in list(world.venue.orders.values()):
            if each.working and each.order.kind is kind:
                world.trade(each.order.id, max(size, each.rest) if each.order.size < 0 else size, price)
                break
        world.through()

    def fill_entry(size: Decimal, price: Decimal) -> None:
        for each in list(world.venue.orders.values()):
            if each.working and each.order.kind is OrderKind.OPENING:
                world.trade(each.order.id, min(size, each.rest), price)
        world.through()

    def bar() -> None:
        world.trader.bar("BTC", MINUTE, world.clock.now() - 1, 110.0, 100.0, 110.0, True, {})
        world.through()

    return [
        lambda: world.plan(TRAIL, [5.0, 3.0, 0, 0, 20.0]),
        lambda: fill_entry(D("0.4"), D(100)),
        lambda: fill_entry(D(1), D(101)),
        lambda: world.price("BTC", D(110)),
        bar,
        lambda: touch(OrderKind.TAKE, D("-0.3"), D(120)),
        lambda: world.wait(3),
        lambda: touch(OrderKind.STOP, D(-1), D(107)),
        lambda: world.wait(3),
    ]


def protected(world: ExitWorld) -> None:
    """As soon as the venue has answered, a stop for the whole position works there; a nearer one is watched here."""
    held, event = world.venue.positions["BTC"], world.account.protection("a", "BTC")
    if held:
        assert event is not None
        stops = {level: size for kind, level, size in world.resting() if kind == "stop"}
        assert min(stops.values()) <= -held
        assert event.stop in stops or event.stop in [each.level for each in watched(world.account, "a", "BTC")]


def made_good(world: ExitWorld) -> None:
    """Exits are what the position needs, and nothing else is there."""
    held = world.account.agents["a"].size("BTC")
    assert held == world.venue.positions["BTC"]
    event = world.account.protection("a", "BTC")
    if not held:
        assert event is None and world.resting() == []
        return
    assert event is not None
    expected = [("stop", event.stop, -held), *(("take", each.level, each.size) for each in event.targets)]
    assert world.resting() == expected
    assert watched(world.account, "a", "BTC") == []


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_every_write_leaves_no_position_without_its_exits(after: bool) -> None:
    points = 0
    while True:
        world = ExitWorld()
        world.ready()
        journal = DyingJournal()
        journal.texts, journal.left, journal.after = list(world.journal.texts), points, after
        world.journal = journal
        world.dealer = world.start()
        try:
            world.ready_again()
            for step in scenario(world):
                step()
        except DiedError:
            pass
        else:
            assert points > 12
            return
        journal.left = 10**9
        world.crash()
        world.dealer = world.start()
        world.ready_again()
        protected(world)
        for _ in range(12):  # what was written and never sent is only then known to be missing
            world.wait(6)
            world.through()
        made_good(world)
        points += 1
