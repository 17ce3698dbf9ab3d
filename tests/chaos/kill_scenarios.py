"""The scenarios of the kill matrix: small, lively markets, and what agents and a person decide in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from chaos_world import INSTRUMENTS, RULES, SECOND, START, T0, World, book

from clawd.core.account_events import AdoptionDecided
from clawd.core.orders import OrderKind, OrderType
from clawd.data.book_replay import ASK, BID
from clawd.data.capture import MarketEvent, Print
from clawd.store.switchboard import Switch
from clawd.venues.faults import Fault, Rule

D = Decimal
STEP = 0.5  # seconds between two looks of our process
AWAY = 1.5  # seconds from a kill to the next start
LATE = 10.0  # seconds after which a decision that was not carried out is forgotten
QUIET = 120  # seconds of market behind the end
EXITS = {
    "stop": {"percent": 2},
    "trail": {"percent": 1},
    "take": [{"percent": 1, "share": 0.5}, {"percent": 3, "share": 0.5}],
}
DISTANCES = (-0.02, -0.01, 0, 0, -0.01, -0.03)


@dataclass(frozen=True)
class Decision:
    """An agent's, at so many seconds: an entry of a size, or, with none, leaving."""

    at: float
    agent: str
    symbol: str
    size: str | None = None
    exits: Mapping[str, Any] | None = None
    distances: tuple[float, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """A market by its way-points (seconds, ticks), who does what in it, and what goes wrong in each life of ours."""

    seconds: float
    paths: Mapping[str, tuple[tuple[float, int], ...]]
    decisions: tuple[Decision, ...]
    orders: tuple[tuple[float, Switch], ...] = ()
    by_hand: tuple[tuple[float, str, str], ...] = ()
    adopts: float | None = None
    faults: tuple[Rule, ...] = ()
    reduce_only: bool = True

    def market(self) -> list[MarketEvent]:
        """The whole market, the same every time. The depth is small, so that large orders fill in parts."""
        random, events = Random(7), []
        for half in range(int((self.seconds + QUIET) / STEP)):
            at = half * STEP
            time = T0 + int(at * SECOND)
            for symbol in sorted(START):
                middle = price_at(self.paths[symbol], at)
                if random.random() < 0.5:
                    side = random.choice((BID, ASK))
                    events.append(Print(time, symbol, middle + (1 if side == ASK else -1), 2_500, side))
                lots = (random.randrange(800, 3_000), 4_000, 60_000)
                events.append(book(symbol, time, middle, lots))
        return events


def price_at(path: tuple[tuple[float, int], ...], at: float) -> int:
    """The price on a straight line between two way-points."""
    before = path[0]
    for point in path:
        if point[0] > at:
            share = (at - before[0]) / (point[0] - before[0])
            return round(before[1] + share * (point[1] - before[1]))
        before = point
    return before[1]


_UP_AND_DOWN = {
    "AAA": ((0, 10_000), (6, 10_000), (16, 10_130), (24, 9_960), (34, 9_990), (40, 10_160), (60, 10_120)),
    "BBB": ((0, 4_000), (10, 4_000), (20, 4_030), (30, 4_090), (36, 4_060), (60, 4_070)),
}
_TRADES = (
    Decision(2, "a", "AAA", "8", EXITS, DISTANCES),
    Decision(3, "b", "BBB", "-6", None, (), {"type": OrderType.LIMIT, "limit": D("200.05")}),
    Decision(4, "c", "AAA", "3", EXITS, DISTANCES, {"type": OrderType.STOP, "level": D("100.40")}),
    Decision(27, "b", "AAA", "-4", EXITS, DISTANCES),
    Decision(35, "a", "AAA", "6", EXITS, DISTANCES),
    Decision(38, "c", "BBB", "5", EXITS, DISTANCES),
    Decision(44, "c", "BBB"),
)

SCENARIOS = {
    "trade": Scenario(50, _UP_AND_DOWN, _TRADES),
    "flatten": Scenario(
        36,
        _UP_AND_DOWN,
        (*_TRADES[:3], Decision(28, "a", "AAA", "5", EXITS, DISTANCES)),
        orders=((12, Switch.FLATTEN), (24, Switch.RESUME)),
    ),
    "by-hand": Scenario(
        36,
        _UP_AND_DOWN,
        (*_TRADES[:3], Decision(28, "a", "AAA", "5", EXITS, DISTANCES)),
        by_hand=((8, "AAA", "-2.5"), (9, "BBB", "1.20")),
        adopts=20,
    ),
    "alone": Scenario(
        40,
        _UP_AND_DOWN,
        (
            *_TRADES[:2],
            Decision(5, "c", "AAA", "3", EXITS, DISTANCES),
            Decision(9, "a", "AAA"),
            Decision(22, "c", "AAA"),
            Decision(23.5, "b", "AAA", "4", EXITS, DISTANCES),
            Decision(28, "b", "AAA"),
            Decision(31, "a", "AAA", "5", EXITS, DISTANCES),
        ),
        orders=((34, Switch.FLATTEN), (38, Switch.RESUME)),
        reduce_only=False,
    ),
    "faults": Scenario(
        36,
        _UP_AND_DOWN,
        _TRADES[:5],
        faults=(
            Rule(Fault.SERVER_ERROR_AFTER, "Submit", kind="opening"),
            Rule(Fault.DROP, "FillReport", first=2),
            Rule(Fault.DROP, "Submit", kind="stop", first=2),
            Rule(Fault.TOO_MANY, "Submit", kind="take", first=2, lasts=2 * SECOND),
            Rule(Fault.DISCONNECT_AFTER, "Submit", kind="stop", first=4, lasts=3 * SECOND),
            Rule(Fault.DUPLICATE, "Submit", kind="opening", first=2, times=0),
            Rule(Fault.OLD_AGAIN, "OrderReport", times=0, lasts=2 * SECOND),
        ),
    ),
}


def open_world(name: str, directory: Path, around: Callable[[Any], Any] | None = None) -> World:
    scenario = SCENARIOS[name]
    rules = replace(RULES, reduce_only=scenario.reduce_only)
    return World(directory, script=scenario.faults, market=scenario.market(), around=around, away=AWAY, rules=rules)


def live(world: World, name: str) -> None:
    """Our process, from wherever the files are to the end of the scenario."""
    scenario = SCENARIOS[name]
    done: set[object] = set()
    while world.clock.now() < T0 + int(scenario.seconds * SECOND):
        world.step(STEP)
        _close_bars(world, scenario)
        now = (world.clock.now() - T0) / SECOND
        for number, decision in enumerate(scenario.decisions):
            if decision.at <= now and number not in done and world.trader.dealer.ready:
                done.add(number)
                _decide(world, decision, now)
        for at, symbol, size in scenario.by_hand:
            if at <= now and ("hand", at) not in done:
                done.add(("hand", at))
                world.by_hand.trade(symbol, D(size), name=str(at))  # a second one of that name is refused there
        given = [(number, switch) for number, (at, switch) in enumerate(scenario.orders, 1) if at <= now]
        if given and given[-1] not in done and world.command(given[-1][1], given[-1][0]):
            done.add(given[-1])
        if scenario.adopts is not None and now >= scenario.adopts:
            for block in list(world.trader.account.blocks):
                if block.why == "unattributed":
                    world.trader.dealer.enter(AdoptionDecided(symbol=block.symbol, by="person"))


def _decide(world: World, decision: Decision, now: float) -> None:
    """What was decided before is decided again, word for word; only what is too old is not asked for the first time."""
    time = T0 + int(decision.at * SECOND)
    account = world.trader.account
    if decision.size is None:
        size = account.agents[decision.agent].size(decision.symbol)
        order = world.order(decision.agent, decision.symbol, -size or D(1), time, kind=OrderKind.CLOSING)
        if order.id in account.orders or size:
            world.trader.leave(order)
        return
    order = world.order(decision.agent, decision.symbol, D(decision.size), time, **decision.more)
    if order.id in account.orders or now - decision.at <= LATE:
        world.enter(order, decision.exits, decision.distances)


def _close_bars(world: World, scenario: Scenario) -> None:
    """Bars of ten seconds, told at the first look after their close."""
    now, length = world.clock.now(), 10 * SECOND
    opened = now // length * length - length
    if now - (opened + length) >= int(STEP * SECOND) or opened < T0:
        return
    for symbol, instrument in INSTRUMENTS.items():
        prices = [
            price_at(scenario.paths[symbol], (opened - T0) / SECOND + second) * float(instrument.tick)
            for second in range(11)
        ]
        world.trader.bar(symbol, length, opened, max(prices), min(prices), prices[-1], True, {})
