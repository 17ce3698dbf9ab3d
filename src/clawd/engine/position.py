"""A position and its exits: the part of the fill rules that remembers. `docs/fill-rules.md` states it with tables.

The batch simulator and the live path (agent, exit manager, paper venue, books) call these same compiled functions, so a
backtest and a paper run of the same bars trade alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from clawd.core.reason import Reason
from clawd.engine.plan import BREAK_EVEN, CHANDELIER, DISTANCES, STOP, TAKE, TARGETS, TRAIL
from clawd.engine.prices import Grid, distance_at, liquidation_price, rule, to_tick

#: One position of one strategy in one instrument. Prices are in quote currency, sizes in lots, sides are 1 and -1.
#: A zeroed record is a flat position that has seen nothing.
POSITION = np.dtype(
    [
        ("lots", np.float64),  # signed size held
        ("average", np.float64),  # average entry price
        ("entry", np.float64),  # price of the first fill
        ("stop", np.float64),  # levels, each 0 where there is none
        ("trail", np.float64),
        ("chandelier", np.float64),
        ("break_even", np.float64),
        ("take", np.float64, (TARGETS,)),
        ("best", np.float64),  # best price since entry
        ("trail_distance", np.float64),  # distances, as they were at the entry
        ("break_even_distance", np.float64),
        ("take_distance", np.float64, (TARGETS,)),
        ("taken", np.float64),  # lots that targets have closed, not signed
        ("held", np.float64),  # bars held
        ("shut", np.float64),  # side that an exit closed and that may not be entered again yet
        ("shut_bars", np.float64),  # bars since then
        ("acted", np.float64),  # exposure last acted on; NaN when the next decision must act
        ("closing", np.float64),  # signed lots of the market order that makes the position smaller
        ("closing_reason", np.float64),
        ("opening", np.float64),  # signed lots of the market order that makes it larger
        ("opening_reason", np.float64),
        ("reference", np.float64),  # close of the bar on which the opening order was decided
        # Of the opening order, by place in the plan: a distance, minus a share of the entry price, or 0 for none.
        ("distances", np.float64, (DISTANCES,)),
        ("target", np.float64),  # latest wanted exposure, from -1 to 1
        ("mark", np.float64),  # latest close
        ("episode", np.float64),  # cash that the position has brought so far, fees paid, funding left out
    ],
    align=True,
)

_STOP, _TRAIL, _CHANDELIER, _BREAK_EVEN = (
    int(reason) for reason in (Reason.STOP, Reason.TRAIL, Reason.CHANDELIER, Reason.BREAK_EVEN)
)
_TAKE, _TIME = int(Reason.TAKE), int(Reason.TIME)

#: A share of a size in lots that lies this close below a whole number is that number: 0.29 × 100 lots are 29.
_WHOLE = 1.0 + 1e-12


@rule
def stop_level(position: Any) -> float:
    """The level that protects the position now: the nearest of its stops."""
    level = position.stop
    if position.lots > 0.0:
        return max(level, position.trail, position.chandelier, position.break_even)
    if position.trail != 0.0:
        level = min(level, position.trail)
    if position.chandelier != 0.0:
        level = min(level, position.chandelier)
    if position.break_even != 0.0:
        level = min(level, position.break_even)
    return level


@rule
def stop_reason(position: Any) -> int:
    """Which of the stops it is; where several coincide the first of stop, trailing stop, chandelier, break-even."""
    level = stop_level(position)
    if level == position.stop:
        return _STOP
    if level == position.trail:
        return _TRAIL
    return _CHANDELIER if level == position.chandelier else _BREAK_EVEN


@rule
def target_after(position: Any, plan: Any, place: int) -> int:
    """The next target that is not taken yet, nearest first; -1 after the last.

    Args:
        place: the target before it, -1 for the nearest. Of equal levels the one that is written first comes first.
    """
    side = np.sign(position.lots)
    before = side * position.take[place] if place >= 0 else -np.inf
    found = -1
    for k in range(plan.targets):
        level = side * position.take[k]
        if level == 0.0 or level < before or (level == before and k <= place):
            continue
        if found < 0 or level < side * position.take[found]:
            found = k
    return found


@rule
def target_lots(position: Any, plan: Any, place: int) -> float:
    """The size, not signed, that a target would close: its share of what is held and of what targets have taken.

    Whole lots, never more than the nearer targets leave. The furthest closes all that is left where the shares add up
    to the whole position.
    """
    left = abs(position.lots)
    full = left + position.taken
    k = target_after(position, plan, -1)
    while k >= 0:
        following = target_after(position, plan, k)
        size = min(np.floor(plan.share[k] * full * _WHOLE), left)
        if following < 0 and plan.whole:
            size = left
        if k == place:
            return size
        left -= size
        k = following
    return 0.0


@rule
def next_target(position: Any, plan: Any) -> int:
    """The nearest target that would close something, -1 where there is none."""
    k = target_after(position, plan, -1)
    while k >= 0 and target_lots(position, plan, k) == 0.0:
        k = target_after(position, plan, k)
    return k


@rule
def book_opening(position: Any, lots: float, price: float, grid: Grid) -> None:
    """Enter or enlarge: a new position gets its levels, an enlarged one keeps them, but for a short's margin."""
    if position.lots == 0.0:
        _set_levels(position, np.sign(lots), price, grid)
    else:
        position.average = (position.average * position.lots + price * lots) / (position.lots + lots)
        if position.lots < 0.0:
            position.stop = min(position.stop, to_tick(liquidation_price(position.average), grid))
    position.lots += lots
    position.opening = 0.0


@rule
def _set_levels(position: Any, side: float, price: float, grid: Grid) -> None:
    position.average = price
    position.entry = price
    position.best = price
    position.held = 0.0
    position.taken = 0.0
    stop = price - side * distance_at(position.distances[STOP], price)
    stop = max(stop, grid[0]) if side > 0.0 else min(stop, liquidation_price(price))
    position.stop = to_tick(stop, grid)
    position.trail_distance = distance_at(position.distances[TRAIL], price)
    position.trail = _behind(price, side, position.trail_distance, grid)
    position.chandelier = _behind(price, side, distance_at(position.distances[CHANDELIER], price), grid)
    position.break_even_distance = distance_at(position.distances[BREAK_EVEN], price)
    position.break_even = 0.0
    for k in range(TARGETS):
        position.take_distance[k] = distance_at(position.distances[TAKE + k], price)
        position.take[k] = 0.0
        if position.take_distance[k] > 0.0:
            position.take[k] = to_tick(max(price + side * position.take_distance[k], grid[0]), grid)


@rule
def _behind(price: float, side: float, distance: float, grid: Grid) -> float:
    """A level that lies a distance behind a price, 0 where the distance is none or not known."""
    return to_tick(max(price - side * distance, grid[0]), grid) if distance > 0.0 else 0.0


@rule
def book_closing(position: Any, lots: float, reason: float) -> None:
    """Make smaller or leave: after an exit the side is shut until the signal has been renewed."""
    side = np.sign(position.lots)
    position.lots += lots
    position.closing = 0.0
    if position.lots == 0.0:
        position.average = 0.0
        position.entry = 0.0
        position.stop = 0.0
        position.trail = 0.0
        position.chandelier = 0.0
        position.break_even = 0.0
        position.best = 0.0
        position.trail_distance = 0.0
        position.break_even_distance = 0.0
        position.taken = 0.0
        position.held = 0.0
        for k in range(TARGETS):
            position.take[k] = 0.0
            position.take_distance[k] = 0.0
        if (_STOP <= reason <= _TIME) or reason == _CHANDELIER or reason == _BREAK_EVEN:
            position.shut = side
            position.shut_bars = 0.0
            if reason != _TIME:
                position.acted = 0.0


@rule
def book_target(position: Any, place: int, lots: float) -> None:
    """Close the part of a target. What it took is not bought back: an order to enlarge the position is dropped."""
    position.take[place] = 0.0
    position.taken += abs(lots)
    book_closing(position, lots, _TAKE)


@rule
def after_bar(
    position: Any, plan: Any, high: float, low: float, traded: bool, average_range: float, grid: Grid
) -> None:
    """Age the position by a bar and move its levels. Not before the bar is over.

    Args:
        average_range: the average true range of the chandelier at the close, NaN where it is not known.
    """
    if position.shut != 0.0:
        position.shut_bars += 1.0
    if position.lots != 0.0:
        position.held += 1.0
        move_targets(position, plan, grid)
        if traded:
            move_stops(position, plan, high, low, average_range, grid)


@rule
def move_targets(position: Any, plan: Any, grid: Grid) -> None:
    """Put the targets that decay where they belong after the bars that the position was held."""
    side = np.sign(position.lots)
    for k in range(plan.targets):
        if plan.decay[k] > 0.0 and position.take[k] != 0.0:
            rest = position.take_distance[k] * max(1.0 - position.held / plan.decay[k], 0.0)
            position.take[k] = to_tick(max(position.entry + side * rest, grid[0]), grid)


@rule
def move_stops(position: Any, plan: Any, high: float, low: float, average_range: float, grid: Grid) -> bool:
    """Move the stops of a position after a bar that traded, never back. Returns whether one may have moved."""
    side = 1.0 if position.lots > 0.0 else -1.0
    moved = False
    along = high if side > 0.0 else low
    if side * along > side * position.best:
        position.best = along
        if position.trail_distance > 0.0:
            position.trail = _nearer(position.trail, position.best - side * position.trail_distance, side, grid)
            moved = True
    if plan.size[CHANDELIER] > 0.0 and average_range > 0.0:
        level = position.best - side * plan.size[CHANDELIER] * average_range
        if position.chandelier == 0.0 or side * level > side * position.chandelier:
            position.chandelier = _nearer(position.chandelier, level, side, grid)
            moved = True
    if position.break_even_distance > 0.0:
        # The margins spare most bars the grid; a level on it that would move lies within them.
        ahead = side * (position.best - position.average) - position.break_even_distance
        gain = side * (position.average - position.break_even)
        if ahead > -grid[0] and (position.break_even == 0.0 or gain > 0.25 * grid[0]):
            start = to_tick(max(position.average + side * position.break_even_distance, grid[0]), grid)
            if side * position.best >= side * start:
                position.break_even = _nearer(position.break_even, position.average, side, grid)
                moved = True
    return moved


@rule
def _nearer(level: float, candidate: float, side: float, grid: Grid) -> float:
    """A level moved to a candidate on the grid, unless that were back; 0 is no level yet."""
    moved = to_tick(max(candidate, grid[0]), grid)
    return moved if level == 0.0 or side * moved > side * level else level
