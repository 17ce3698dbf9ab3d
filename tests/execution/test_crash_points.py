"""The process dies at every journal write and every call of the venue of a scenario, before it and after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from dealer_worlds import D, ListJournal, Wire, World

from clawd.core.account_events import UNATTRIBUTED
from clawd.core.orders import OrderKind, OrderType
from clawd.execution.recovery import replay
from clawd.venues.venue import Request, Submit


class DeathError(Exception):
    """The process is gone."""


class Countdown:
    """Lets so many steps happen, and then kills."""

    def __init__(self) -> None:
        self.steps = 0
        self.fatal: int | None = None

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.fatal:
            raise DeathError


class MortalJournal(ListJournal):
    def __init__(self, journal: ListJournal, countdown: Countdown) -> None:
        super().__init__()
        self.texts = journal.texts
        self.countdown = countdown

    def append(self, records: Sequence[tuple[int, str, Mapping[str, Any]]]) -> None:
        self.countdown.step()
        super().append(records)
        self.countdown.step()


class MortalWire(Wire):
    countdown: Countdown

    def send(self, request: Request) -> None:
        self.countdown.step()
        super().send(request)
        self.countdown.step()


def scenario(world: World) -> list[Callable[[], object]]:
    """A day of an account: entries, a part that fills, a cancellation, exits, a trade by hand, a loss, and flat."""
    names: dict[str, str] = {}

    def propose(key: str, **order: Any) -> Callable[[], object]:
        def act() -> None:
            order_ = world.order(**order)
            names.setdefault(key, order_.id)
            world.dealer.propose(order_)

        return act

    def trade(key: str, size: Decimal | None = None) -> Callable[[], object]:
        def act() -> None:
            resting = world.venue.orders.get(names.get(key, ""))
            if resting is not None and resting.working:
                world.trade(resting.order.id, None if size is None else size)

        return act

    def cancel(key: str) -> Callable[[], object]:
        return lambda: world.dealer.cancel(names.get(key, ""), "TEST")

    return [
        propose("one", agent="a", size=D(2)),
        world.through,
        trade("one", D("0.7")),
        world.through,
        propose("two", agent="b", symbol="ETH", size=D(-3), type=OrderType.LIMIT, limit=D(10), group="g"),
        propose("three", agent="b", symbol="ETH", size=D(-2), type=OrderType.LIMIT, limit=D(11), group="g"),
        world.through,
        trade("two", D(-1)),
        cancel("one"),
        world.through,
        propose("stop", agent="a", size=D("-0.7"), kind=OrderKind.STOP, type=OrderType.STOP, level=D(95)),
        world.wait,
        world.through,
        trade("stop", D("-0.3")),
        lambda: world.wire.back.extend(world.venue.by_hand("BTC", D("0.001"), D("99.987654321"))),
        world.through,
        lambda: world.dealer.flatten("me"),
        world.through,
        *[step for _ in range(3) for step in (lambda: close_all(world), world.wait, world.through)],
    ]


def close_all(world: World) -> None:
    for name, resting in list(world.venue.orders.items()):
        if resting.working and resting.order.kind is OrderKind.CLOSING:
            world.trade(name)


def play(fatal: int | None) -> tuple[World, Countdown, int]:
    """Play the scenario with one death in it, and start again after it."""
    world = World().ready()
    countdown = Countdown()
    world.journal = MortalJournal(world.journal, countdown)
    mortal = MortalWire(world.venue, world.wire.can, sent=world.wire.sent)
    mortal.countdown = countdown
    world.wire = mortal
    world.crash()
    world.ready_again()
    countdown.steps, countdown.fatal = 0, fatal
    deaths = 0

    def again() -> None:
        """The person who asked for it sees that it has not been done."""
        if "FlattenBegan" not in world.journal.kinds:
            world.dealer.flatten("me")

    rest = [step for _ in range(40) for step in (lambda: close_all(world), lambda: world.wait(5), world.through)]
    for act in [*scenario(world), again, *rest]:
        try:
            act()
        except DeathError:
            deaths += 1
            world.crash()
    return world, countdown, deaths


def check(world: World) -> None:
    account, venue = world.account, world.venue
    world.agree()
    sent = [each.approved.order.id for each in world.wire.sent if isinstance(each, Submit)]
    assert len(sent) == len(set(sent)), "no order is sent twice"
    assert {each.order.id for each in account.working()} == {
        name for name, resting in venue.orders.items() if resting.working
    }
    for name, resting in venue.orders.items():
        assert account.orders[name].filled == resting.filled
    assert not account.totals.held_by_agents(), "everything of ours is closed"
    assert account.sizes() == {"BTC": D("0.001")}
    assert account.agents[UNATTRIBUTED].size("BTC") == D("0.001")
    assert not account.flattening
    assert world.journal.kinds.count("FlatVerified") == 1
    assert replay(world.journal.entries()) == account


def test_the_scenario_by_itself() -> None:
    world, countdown, deaths = play(None)
    check(world)
    assert deaths == 0
    assert countdown.steps > 60
    assert world.account.orders


POINTS = play(None)[1].steps


@pytest.mark.parametrize("part", range(8))
def test_every_point_of_death_is_recovered_from(part: int) -> None:
    tried = 0
    for fatal in range(1 + part, POINTS + 1, 8):
        world, _, deaths = play(fatal)
        tried += deaths
        check(world)
    assert tried > 5
