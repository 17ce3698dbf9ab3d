"""The fill rules once more, written from `docs/fill-rules.md` alone: objects and dictionaries, one bar after the other.

Slow and plain on purpose. Prices that must be compared are whole numbers of ticks, so nothing is touched by rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal

BAND = 0.2
SMALLEST_CHANGE = 1e-9

#: In the order in which they give an exit its reason where they coincide.
STOPS = ("stop", "trail", "chandelier", "break_even")


@dataclass
class Far:
    """How far a level lies: multiples of one of the average true ranges, or a share of the price where it has none."""

    size: float
    window: int | None = None

    def at(self, ranges: tuple[float, ...]) -> tuple[float, bool]:
        """The distance at a close, and whether it is a share of the price that is yet to come."""
        return (self.size, True) if self.window is None else (self.size * ranges[self.window], False)


@dataclass
class Aim:
    """A profit target: its distance, its share of the position, and the bars over which it falls to the entry."""

    far: Far
    share: float = 1.0
    decay: int = 0


@dataclass
class Rules:
    capital: float
    stop: Far
    trail: Far | None = None
    chandelier: Far | None = None
    break_even: Far | None = None
    take: list[Aim] = field(default_factory=list)
    fee: float = 0.0
    slippage: float = 0.0
    time: int = 0
    cooldown: int = 0


@dataclass
class Order:
    """A market order for the next bar that trades, with the average true ranges of its decision."""

    lots: float
    reason: str
    reference: float = 0.0
    ranges: tuple[float, ...] = ()


@dataclass
class Goal:
    """A target of an open position that has not been taken. The level is in ticks."""

    place: int
    aim: Aim
    distance: float
    level: int


@dataclass
class Held:
    """An open position. Levels are in ticks."""

    lots: float
    average: float
    first: float
    stops: dict[str, int]
    goals: list[Goal]
    trail_distance: float
    even_distance: float
    best: float
    taken: float = 0.0
    bars: int = 0

    @property
    def side(self) -> int:
        return 1 if self.lots > 0 else -1


@dataclass
class Trader:
    """One instrument of a strategy: its grid, its position, its working orders, and the side that is shut."""

    tick: float
    lot: float
    held: Held | None = None
    closing: Order | None = None
    opening: Order | None = None
    shut: int = 0
    shut_bars: int = 0
    acted: float | None = 0.0
    target: float = 0.0
    mark: float = 0.0

    def ticks(self, price: float) -> int:
        return round(price / self.tick)

    def price(self, ticks: int) -> float:
        return float(ticks * Decimal(repr(self.tick)))


@dataclass
class Bar:
    open: float
    high: float
    low: float
    close: float
    volume: float
    funding: float
    target: float
    ranges: tuple[float, ...]


@dataclass
class Account:
    """What came of it.

    Attributes:
        fills: bar, instrument, lots, price, fee and reason of each.
        funding: paid in all.
    """

    cash: float
    fills: list[tuple[int, int, float, float, float, str]] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)
    exposure: list[float] = field(default_factory=list)
    funding: float = 0.0


def run(bars: list[list[Bar | None]], ticks: list[float], lots: list[float], rules: Rules) -> Account:
    """Trade the bars of each instrument, None where one is missing."""
    traders = [Trader(tick, lot) for tick, lot in zip(ticks, lots, strict=True)]
    account = Account(cash=rules.capital)
    ruined = False
    for t in range(len(bars[0])):
        today = [row[t] for row in bars]
        for i, (trader, bar) in enumerate(zip(traders, today, strict=True)):
            if bar is None:
                continue
            for size, price, reason in _fills_of_a_bar(trader, bar, rules):
                notional = size * trader.lot * price
                fee = abs(notional) * rules.fee
                account.cash -= notional + fee
                account.fills.append((t, i, size, price, fee, reason))
            _after_the_bar(trader, bar, rules)
            trader.mark = bar.close
            if trader.held:
                paid = trader.held.lots * trader.lot * bar.close * bar.funding
                account.cash -= paid
                account.funding += paid
        values = [trader.held.lots * trader.lot * trader.mark for trader in traders if trader.held]
        account.equity.append(account.cash + sum(values))
        account.exposure.append(sum(abs(value) for value in values) / rules.capital)
        ruined = ruined or account.equity[-1] <= 0
        _decide(traders, today, rules, ruined)
    return account


def _fills_of_a_bar(trader: Trader, bar: Bar, rules: Rules) -> list[tuple[float, float, str]]:
    if bar.volume == 0:
        return []
    fills = []

    def leave(lots: float, price: float, reason: str) -> None:
        held = trader.held
        assert held is not None
        fills.append((lots, price, reason))
        held.lots += lots
        if held.lots == 0:
            if reason in (*STOPS, "take", "time"):
                trader.shut, trader.shut_bars = (1 if lots < 0 else -1), 0
            if reason in (*STOPS, "take"):
                trader.acted = 0.0
            trader.held = None

    def leave_by_exits(at_open: bool) -> None:
        if trader.held and (exit_ := _stopped(trader, bar, rules.slippage, at_open)):
            leave(-trader.held.lots, *exit_)
        while trader.held and (reached := _reached(trader, bar, rules, at_open)):
            goal, lots, price = reached
            trader.held.goals.remove(goal)
            trader.held.taken += lots
            leave(-trader.held.side * lots, price, "take")

    # 1. Market orders that close or make smaller.
    if trader.closing and trader.held:
        leave(
            trader.closing.lots,
            _market(trader, bar.open, trader.closing.lots, rules.slippage, trader.held),
            trader.closing.reason,
        )
    trader.closing = None
    # 2. Exits that the bar opens beyond.
    leave_by_exits(at_open=True)
    # 3. Market orders that open or make larger.
    order, trader.opening = trader.opening, None
    if order and not (order.reason == "increase" and (trader.held is None or trader.held.taken)):
        if abs(bar.open / order.reference - 1) > BAND:
            trader.acted = None
        else:
            price = _market(trader, bar.open, order.lots, rules.slippage, None)
            fills.append((order.lots, price, order.reason))
            if trader.held:
                _enlarge(trader, trader.held, order.lots, price)
            else:
                trader.held = _entered(trader, order, price, rules)
    # 4. Exits that the bar touches.
    leave_by_exits(at_open=False)
    return fills


def _market(trader: Trader, price: float, lots: float, slippage: float, covered: Held | None) -> float:
    """Price of a market or stop order; whatever makes a short smaller never pays more than its margin covers."""
    ticks = trader.ticks(price * (1 + slippage if lots > 0 else 1 - slippage))
    if covered and covered.side < 0:
        ticks = min(ticks, trader.ticks(2 * covered.average))
    return trader.price(ticks)


def _stopped(trader: Trader, bar: Bar, slippage: float, at_open: bool) -> tuple[float, str] | None:
    """Price and reason of the nearest stop, where the bar reaches it."""
    held = trader.held
    assert held is not None
    side = held.side
    nearest = max(side * level for level in held.stops.values())
    reason = next(name for name in STOPS if name in held.stops and side * held.stops[name] == nearest)
    stop = side * nearest
    if side * trader.ticks(bar.open) <= side * stop:
        return _market(trader, bar.open, -side, slippage, held), reason
    against = bar.low if side > 0 else bar.high
    if not at_open and side * trader.ticks(against) <= side * stop:
        return _market(trader, trader.price(stop), -side, slippage, held), reason
    return None


def _reached(trader: Trader, bar: Bar, rules: Rules, at_open: bool) -> tuple[Goal, float, float] | None:
    """The nearest target that closes anything, its size in lots and its price, where the bar reaches it."""
    held = trader.held
    assert held is not None
    side = held.side
    whole = sum(Decimal(repr(aim.share)) for aim in rules.take) >= 1
    full, left = abs(held.lots) + held.taken, abs(held.lots)
    in_turn = sorted(held.goals, key=lambda goal: (side * goal.level, goal.place))
    for goal in in_turn:
        lots = min(float(math.floor(Decimal(repr(goal.aim.share)) * Decimal(full))), left)
        if whole and goal is in_turn[-1]:
            lots = left
        if not lots:
            continue
        opened = trader.ticks(bar.open)
        if side * opened >= side * goal.level:
            return goal, lots, trader.price(opened)
        along = bar.high if side > 0 else bar.low
        if not at_open and side * trader.ticks(along) >= side * goal.level:
            return goal, lots, trader.price(goal.level)
        return None
    return None


def _entered(trader: Trader, order: Order, price: float, rules: Rules) -> Held:
    side = 1 if order.lots > 0 else -1

    def distance(far: Far | None) -> float:
        if far is None:
            return 0.0
        size, is_share = far.at(order.ranges)
        return size * price if is_share else size

    stops = {"stop": max(trader.ticks(price - side * distance(rules.stop)), 1)}
    if side < 0:
        stops["stop"] = min(stops["stop"], trader.ticks(2 * price))
    for name, far in (("trail", rules.trail), ("chandelier", rules.chandelier)):
        if distance(far) > 0:
            stops[name] = max(trader.ticks(price - side * distance(far)), 1)
    goals = [
        Goal(place, aim, distance(aim.far), max(trader.ticks(price + side * distance(aim.far)), 1))
        for place, aim in enumerate(rules.take)
        if distance(aim.far) > 0
    ]
    return Held(
        lots=order.lots,
        average=price,
        first=price,
        stops=stops,
        goals=goals,
        trail_distance=distance(rules.trail),
        even_distance=distance(rules.break_even),
        best=price,
    )


def _enlarge(trader: Trader, held: Held, lots: float, price: float) -> None:
    held.average = (held.average * held.lots + price * lots) / (held.lots + lots)
    held.lots += lots
    if held.side < 0:
        held.stops["stop"] = min(held.stops["stop"], trader.ticks(2 * held.average))


def _after_the_bar(trader: Trader, bar: Bar, rules: Rules) -> None:
    if trader.shut:
        trader.shut_bars += 1
    held = trader.held
    if held is None:
        return
    held.bars += 1
    side = held.side
    for goal in held.goals:
        if goal.aim.decay:
            rest = goal.distance * (1 - min(held.bars, goal.aim.decay) / goal.aim.decay)
            goal.level = max(trader.ticks(held.first + side * rest), 1)
    if bar.volume == 0:
        return
    held.best = max(held.best, bar.high) if side > 0 else min(held.best, bar.low)

    def move(name: str, price: float) -> None:
        level = max(trader.ticks(price), 1)
        if name not in held.stops or side * level > side * held.stops[name]:
            held.stops[name] = level

    if held.trail_distance > 0:
        move("trail", held.best - side * held.trail_distance)
    if rules.chandelier and (distance := rules.chandelier.at(bar.ranges)[0]) > 0:
        move("chandelier", held.best - side * distance)
    if held.even_distance > 0:
        start = max(trader.ticks(held.average + side * held.even_distance), 1)
        if side * trader.ticks(held.best) >= side * start:
            move("break_even", held.average)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _decide(traders: list[Trader], today: list[Bar | None], rules: Rules, ruined: bool) -> None:
    wishes = []
    for trader, bar in zip(traders, today, strict=True):
        if bar is not None:
            trader.target = bar.target
        wish = 0.0 if ruined else trader.target
        if bar is not None:
            if trader.held and rules.time and trader.held.bars >= rules.time:
                if trader.shut != trader.held.side:
                    trader.shut, trader.shut_bars = trader.held.side, 0
            elif trader.shut and (
                _sign(wish) != trader.shut or (rules.cooldown and trader.shut_bars >= rules.cooldown)
            ):
                trader.shut = 0
        wishes.append(0.0 if trader.shut and _sign(wish) == trader.shut else wish)
    gross = sum(abs(wish) for wish in wishes)
    for trader, bar, wish in zip(traders, today, wishes, strict=True):
        if bar is None:
            continue
        exposure = wish / gross if gross > 1 else wish
        if trader.acted is None or abs(exposure - trader.acted) >= SMALLEST_CHANGE:
            _order(trader, bar, exposure, rules, ruined)


def _order(trader: Trader, bar: Bar, exposure: float, rules: Rules, ruined: bool) -> None:
    trader.acted, trader.closing, trader.opening = exposure, None, None
    wanted = _sign(exposure) * math.floor(abs(exposure) * rules.capital / (bar.close * trader.lot))
    held = trader.held.lots if trader.held else 0.0
    if held and _sign(wanted) != _sign(held):
        timed_out = trader.shut == _sign(held)
        trader.closing = Order(-held, "ruin" if ruined else "time" if timed_out else "signal")
    elif abs(wanted) < abs(held):
        trader.closing = Order(wanted - held, "reduce")
        return
    if wanted in (0, held):
        return
    if trader.held and _sign(wanted) == _sign(held):
        if trader.held.taken:
            return
        loses = bar.close < trader.held.average if held > 0 else bar.close > trader.held.average
        if loses:
            trader.acted = None
        else:
            trader.opening = Order(wanted - held, "increase", bar.close)
    elif not rules.stop.at(bar.ranges)[0] > 0:
        trader.acted = None
    else:
        trader.opening = Order(wanted, "entry", bar.close, bar.ranges)
