"""The fill rules, each one compiled function on one position. `docs/fill-rules.md` states them with worked tables.

The batch simulator and the live path (agent, exit manager, paper venue) call these same functions, so a backtest and a
paper run of the same bars trade alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats
from clawd.core.reason import Reason
from clawd.engine.compiled import compiled

#: An entry whose open lies further from the decision's close than this share is cancelled: the price has run away.
ENTRY_BAND = 0.2

#: A change of exposure below this is rounding, not a decision.
SMALLEST_CHANGE = 1e-9

#: One position of one strategy in one instrument. Prices are in quote currency, sizes in lots, sides are 1 and -1.
POSITION = np.dtype(
    [
        ("lots", np.float64),  # signed size held
        ("average", np.float64),  # average entry price
        ("stop", np.float64),  # level of the stop, 0 while flat
        ("trail", np.float64),  # level of the trailing stop, 0 where there is none
        ("take", np.float64),  # level of the target, 0 where there is none
        ("best", np.float64),  # best price since entry
        ("trail_distance", np.float64),
        ("held", np.float64),  # bars held
        ("shut", np.float64),  # side that an exit closed and that may not be entered again yet
        ("shut_bars", np.float64),  # bars since then
        ("acted", np.float64),  # exposure last acted on; NaN when the next decision must act
        ("closing", np.float64),  # signed lots of the market order that makes the position smaller
        ("closing_reason", np.float64),
        ("opening", np.float64),  # signed lots of the market order that makes it larger
        ("opening_reason", np.float64),
        ("reference", np.float64),  # close of the bar on which the opening order was decided
        (
            "stop_distance",
            np.float64,
        ),  # of the opening order: a distance, or minus a share of the entry price
        ("trail_distance_next", np.float64),
        ("take_distance", np.float64),
    ],
    align=True,
)

_ENTRY, _INCREASE, _REDUCE, _SIGNAL = (int(r) for r in (Reason.ENTRY, Reason.INCREASE, Reason.REDUCE, Reason.SIGNAL))
_STOP, _TRAIL, _TAKE, _TIME, _RUIN = (
    int(r) for r in (Reason.STOP, Reason.TRAIL, Reason.TAKE, Reason.TIME, Reason.RUIN)
)

rule = compiled


@rule
def to_tick(price: float, tick: float) -> float:
    """The nearest price on the grid of ticks, as the float nearest to its decimal: books and simulator agree."""
    steps = np.round(price / tick)
    per_unit = np.round(1.0 / tick)
    if abs(per_unit * tick - 1.0) < 1e-9:
        return steps / per_unit
    scale = 1.0
    while abs(np.round(tick * scale) - tick * scale) > 1e-9 * tick * scale and scale < 1e12:
        scale *= 10.0
    return steps * np.round(tick * scale) / scale


@rule
def market_price(open_price: float, side: float, slippage: float, tick: float) -> float:
    """A market order fills at the next open, worse by the slippage. ``side`` is 1 for a purchase."""
    return to_tick(open_price * (1.0 + side * slippage), tick)


@rule
def in_band(open_price: float, reference: float) -> bool:
    """Whether an entry decided at ``reference`` may still fill at this open."""
    return abs(open_price / reference - 1.0) <= ENTRY_BAND


@rule
def stop_level(position: Any) -> float:
    """The level that protects the position now: the nearer of stop and trailing stop."""
    if position.trail == 0.0:
        return position.stop
    if position.lots > 0.0:
        return max(position.stop, position.trail)
    return min(position.stop, position.trail)


@rule
def stop_reason(position: Any) -> int:
    """Which of the two it is; the fixed stop where they coincide."""
    return _STOP if stop_level(position) == position.stop else _TRAIL


@rule
def liquidation_price(average: float) -> float:
    """Where an isolated short has lost its margin, which is its whole notional."""
    return 2.0 * average


@rule
def closing_price(open_price: float, held: float, average: float, slippage: float, tick: float) -> float:
    """A market order that makes a position of a signed size smaller: a short never pays more than its margin covers."""
    if held > 0.0:
        return market_price(open_price, -1.0, slippage, tick)
    return min(market_price(open_price, 1.0, slippage, tick), to_tick(liquidation_price(average), tick))


@rule
def stop_price(
    level: float,
    side: float,
    average: float,
    open_price: float,
    at_open: bool,
    extreme: float,
    slippage: float,
    tick: float,
) -> float:
    """The price at which a stop fills, NaN while it is not touched.

    Args:
        level: of the stop.
        side: of the position that it protects.
        average: entry price of the position; a short never loses more than its margin.
        open_price: of the bar.
        at_open: whether only the open is looked at, for the stops that the bar opens beyond.
        extreme: the bar's low for a long position, its high for a short one.
        slippage, tick: as for a market order.
    """
    beyond = open_price <= level if side > 0.0 else open_price >= level
    if beyond:
        price = open_price
    elif not at_open and (extreme <= level if side > 0.0 else extreme >= level):
        price = level
    else:
        return np.nan
    price = market_price(price, -side, slippage, tick)
    return price if side > 0.0 else min(price, to_tick(liquidation_price(average), tick))


@rule
def take_price(level: float, side: float, open_price: float, at_open: bool, extreme: float, tick: float) -> float:
    """The price at which a profit target fills, NaN while it is not touched: a limit order, so without slippage."""
    beyond = open_price >= level if side > 0.0 else open_price <= level
    if beyond:
        return to_tick(open_price, tick)
    if not at_open and (extreme >= level if side > 0.0 else extreme <= level):
        return to_tick(level, tick)
    return np.nan


@rule
def distance_at(distance: float, price: float) -> float:
    """An exit's distance at an entry price: as it is, or the share of the price that a negative one stands for."""
    return distance if distance >= 0.0 else -distance * price


@rule
def book_opening(position: Any, lots: float, price: float, tick: float) -> None:
    """Enter or enlarge: a new position gets its levels, an enlarged one keeps them, but for a short's margin."""
    if position.lots == 0.0:
        side = np.sign(lots)
        position.average = price
        position.best = price
        position.held = 0.0
        lowest = tick
        position.stop = price - side * distance_at(position.stop_distance, price)
        if side > 0.0:
            position.stop = max(position.stop, lowest)
        else:
            position.stop = min(position.stop, liquidation_price(price))
        position.stop = to_tick(position.stop, tick)
        position.trail_distance = distance_at(position.trail_distance_next, price)
        position.trail = 0.0
        if position.trail_distance > 0.0:
            position.trail = to_tick(max(price - side * position.trail_distance, lowest), tick)
        position.take = 0.0
        if position.take_distance != 0.0:
            position.take = to_tick(max(price + side * distance_at(position.take_distance, price), lowest), tick)
    else:
        position.average = (position.average * position.lots + price * lots) / (position.lots + lots)
        if position.lots < 0.0:
            position.stop = min(position.stop, to_tick(liquidation_price(position.average), tick))
    position.lots += lots
    position.opening = 0.0


@rule
def book_closing(position: Any, lots: float, reason: float) -> None:
    """Make smaller or leave: after an exit the side is shut until the signal has been renewed."""
    side = np.sign(position.lots)
    position.lots += lots
    position.closing = 0.0
    if position.lots == 0.0:
        position.average = 0.0
        position.stop = 0.0
        position.trail = 0.0
        position.take = 0.0
        position.best = 0.0
        position.trail_distance = 0.0
        position.held = 0.0
        if reason == _STOP or reason == _TRAIL or reason == _TAKE or reason == _TIME:
            position.shut = side
            position.shut_bars = 0.0
            if reason != _TIME:
                position.acted = 0.0


@rule
def after_bar(position: Any, high: float, low: float, traded: bool, tick: float) -> None:
    """Age the position by a bar and move its trailing stop, which never moves back. Not before the bar is over."""
    if position.shut != 0.0:
        position.shut_bars += 1.0
    if position.lots == 0.0:
        return
    position.held += 1.0
    if not traded:
        return
    if position.lots > 0.0:
        position.best = max(position.best, high)
        if position.trail_distance > 0.0:
            position.trail = max(position.trail, to_tick(max(position.best - position.trail_distance, tick), tick))
    else:
        position.best = min(position.best, low)
        if position.trail_distance > 0.0:
            position.trail = min(position.trail, to_tick(position.best + position.trail_distance, tick))


@rule
def reopen(position: Any, target: float, cooldown: float) -> bool:
    """Whether a side that an exit shut may be entered again: the signal was renewed, or the cooldown is over."""
    if position.shut == 0.0:
        return False
    return np.sign(target) != position.shut or (cooldown > 0.0 and position.shut_bars >= cooldown)


@rule
def wanted_lots(exposure: float, capital: float, price: float, lot: float) -> float:
    """The signed size, in whole lots and never more than asked, of an exposure of the capital at a price."""
    return np.sign(exposure) * np.floor(abs(exposure) * capital / (price * lot))


@rule
def decide(
    positions: NDArray[np.void],
    targets: Floats,
    close: Floats,
    present: NDArray[np.bool_],
    distances: Floats,
    capital: float,
    lot: Floats,
    time: float,
    cooldown: float,
    ruined: bool,
) -> None:
    """Turn the targets of a closed bar into market orders for the next: fills ``closing`` and ``opening``.

    Args:
        positions: [I] of :data:`POSITION`.
        targets: [I], the latest target of each instrument; NaN where it never had one.
        close: [I], the close of the bar.
        present: [I], whether the instrument has the bar; without one nothing is decided.
        distances: [3, I], of stop, trail and take: a distance, minus a share of the entry price, or 0 for none.
        capital: the agent's capital in quote currency.
        lot: [I], lot sizes.
        time: bars after which a position is closed, 0 for never.
        cooldown: bars after which a shut side opens again, 0 for only with the signal.
        ruined: true when the capital is lost: everything is closed.

    Gross exposure never exceeds the capital: if the targets add up to more than 1, all are scaled down alike.
    """
    effective = np.zeros(targets.size)
    gross = 0.0
    for i in range(targets.size):
        position = positions[i]
        target = targets[i] if targets[i] == targets[i] and not ruined else 0.0
        if present[i]:
            if position.lots != 0.0 and time > 0.0 and position.held >= time:
                if position.shut != np.sign(position.lots):
                    position.shut = np.sign(position.lots)
                    position.shut_bars = 0.0
            elif reopen(position, target, cooldown):
                position.shut = 0.0
        if position.shut != 0.0 and np.sign(target) == position.shut:
            target = 0.0
        effective[i] = target
        gross += abs(target)
    for i in range(targets.size):
        if not present[i]:
            continue
        position = positions[i]
        exposure = effective[i] / max(1.0, gross)
        if abs(exposure - position.acted) < SMALLEST_CHANGE:
            continue
        wanted = wanted_lots(exposure, capital, close[i], lot[i])
        position.closing, position.opening = 0.0, 0.0
        position.acted = exposure
        held = position.lots
        if held != 0.0 and (wanted == 0.0 or np.sign(wanted) != np.sign(held)):
            position.closing = -held
            position.closing_reason = _RUIN if ruined else _TIME if position.shut == np.sign(held) else _SIGNAL
        elif abs(wanted) < abs(held):
            position.closing = wanted - held
            position.closing_reason = _REDUCE
            continue
        if wanted == 0.0 or wanted == held:
            continue
        if np.sign(wanted) == np.sign(held):
            if np.sign(held) * (close[i] - position.average) < 0.0:
                position.acted = np.nan  # no adding to a loser: asked again at the next bar
                continue
            position.opening = wanted - held
            position.opening_reason = _INCREASE
        else:
            if distances[0, i] == 0.0 or distances[0, i] != distances[0, i]:
                position.acted = np.nan  # no stop, no entry
                continue
            position.opening = wanted
            position.opening_reason = _ENTRY
        position.reference = close[i]
        position.stop_distance = distances[0, i]
        position.trail_distance_next = distances[1, i]
        position.take_distance = distances[2, i]
