"""The fill rules once more, written from `docs/fill-rules.md` alone: objects and dictionaries, one bar after the other.

Slow and plain on purpose. Prices that must be compared are whole numbers of ticks, so nothing is touched by rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal

BAND = 0.2
SMALLEST_CHANGE = 1e-9


@dataclass
class Order:
    """A market order for the next bar that trades."""

    lots: float
    reason: str
    reference: float = 0.0
    distances: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass
class Held:
    """An open position. Levels are in ticks."""

    lots: float
    average: float
    stop: int
    trail: int | None
    take: int | None
    trail_distance: float
    best: float
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
    distances: tuple[float, float, float]


@dataclass
class Rules:
    capital: float
    fee: float = 0.0
    slippage: float = 0.0
    time: int = 0
    cooldown: int = 0


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
            _after_the_bar(trader, bar)
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
            if reason in ("stop", "trail", "take", "time"):
                trader.shut, trader.shut_bars = (1 if lots < 0 else -1), 0
            if reason in ("stop", "trail", "take"):
                trader.acted = 0.0
            trader.held = None

    # 1. Market orders that close or make smaller.
    if trader.closing and trader.held:
        leave(
            trader.closing.lots,
            _market(trader, bar.open, trader.closing.lots, rules.slippage, trader.held),
            trader.closing.reason,
        )
    trader.closing = None
    # 2. Exits that the bar opens beyond.
    if trader.held and (exit_ := _exit(trader, bar, rules.slippage, at_open=True)):
        leave(-trader.held.lots, *exit_)
    # 3. Market orders that open or make larger.
    order, trader.opening = trader.opening, None
    if order and not (order.reason == "increase" and trader.held is None):
        if abs(bar.open / order.reference - 1) > BAND:
            trader.acted = None
        else:
            price = _market(trader, bar.open, order.lots, rules.slippage, None)
            fills.append((order.lots, price, order.reason))
            if trader.held:
                _enlarge(trader, trader.held, order.lots, price)
            else:
                trader.held = _entered(trader, order, price)
    # 4. Exits that the bar touches.
    if trader.held and (exit_ := _exit(trader, bar, rules.slippage, at_open=False)):
        leave(-trader.held.lots, *exit_)
    return fills


def _market(trader: Trader, price: float, lots: float, slippage: float, covered: Held | None) -> float:
    """Price of a market or stop order; whatever makes a short smaller never pays more than its margin covers."""
    ticks = trader.ticks(price * (1 + slippage if lots > 0 else 1 - slippage))
    if covered and covered.side < 0:
        ticks = min(ticks, trader.ticks(2 * covered.average))
    return trader.price(ticks)


def _exit(trader: Trader, bar: Bar, slippage: float, at_open: bool) -> tuple[float, str] | None:
    held = trader.held
    assert held is not None
    side = held.side
    opened = trader.ticks(bar.open)
    against, along = (bar.low, bar.high) if side > 0 else (bar.high, bar.low)
    stop, reason = held.stop, "stop"
    if held.trail is not None and side * held.trail > side * held.stop:
        stop, reason = held.trail, "trail"
    if side * opened <= side * stop:
        return _market(trader, bar.open, -side, slippage, held), reason
    if not at_open and side * trader.ticks(against) <= side * stop:
        return _market(trader, trader.price(stop), -side, slippage, held), reason
    if held.take is not None:
        if side * opened >= side * held.take:
            return trader.price(opened), "take"
        if not at_open and side * trader.ticks(along) >= side * held.take:
            return trader.price(held.take), "take"
    return None


def _entered(trader: Trader, order: Order, price: float) -> Held:
    side = 1 if order.lots > 0 else -1
    stop, trail, take = (size if size >= 0 else -size * price for size in order.distances)
    level = max(trader.ticks(price - side * stop), 1)
    if side < 0:
        level = min(level, trader.ticks(2 * price))
    return Held(
        lots=order.lots,
        average=price,
        stop=level,
        trail=max(trader.ticks(price - side * trail), 1) if trail > 0 else None,
        take=max(trader.ticks(price + side * take), 1) if take > 0 else None,
        trail_distance=trail,
        best=price,
    )


def _enlarge(trader: Trader, held: Held, lots: float, price: float) -> None:
    held.average = (held.average * held.lots + price * lots) / (held.lots + lots)
    held.lots += lots
    if held.side < 0:
        held.stop = min(held.stop, trader.ticks(2 * held.average))


def _after_the_bar(trader: Trader, bar: Bar) -> None:
    if trader.shut:
        trader.shut_bars += 1
    held = trader.held
    if held is None:
        return
    held.bars += 1
    if bar.volume == 0:
        return
    side = held.side
    held.best = max(held.best, bar.high) if side > 0 else min(held.best, bar.low)
    if held.trail is not None:
        moved = max(trader.ticks(held.best - side * held.trail_distance), 1)
        if side * moved > side * held.trail:
            held.trail = moved


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
        loses = bar.close < trader.held.average if held > 0 else bar.close > trader.held.average
        if loses:
            trader.acted = None
        else:
            trader.opening = Order(wanted - held, "increase", bar.close, bar.distances)
    elif bar.distances[0] == 0 or math.isnan(bar.distances[0]):
        trader.acted = None
    else:
        trader.opening = Order(wanted, "entry", bar.close, bar.distances)
