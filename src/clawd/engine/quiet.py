"""Bars on which nothing happens to a single instrument: most of them, so there is a shorter way through.

It does what :func:`~clawd.engine.simulate.advance` would do to such bars, with the same results to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats
from clawd.engine.account import keep_sums, marked, sums_of
from clawd.engine.bar import pay_funding
from clawd.engine.decision import SMALLEST_CHANGE, admitted, exposure_of, place_orders, update_shut
from clawd.engine.plan import CHANDELIER
from clawd.engine.position import move_stops, move_targets, stop_level
from clawd.engine.prices import Grid, rule
from clawd.engine.steps.stretch import stretch

#: Bars for which a decaying target is kept an eye on at a time.
_AHEAD = 16.0

#: Bars at which a flat position looks at once.
_STRIDE = 16


@rule
def is_quiet(position: Any) -> bool:
    """Whether no order waits and no decision must act."""
    return position.closing == 0.0 and position.opening == 0.0 and position.acted == position.acted


@rule
def flat_bars(
    t: int,
    close: Floats,
    present: NDArray[np.bool_],
    targets: Floats,
    plan: Any,
    position: Any,
    account: Any,
    equity: Floats,
    exposure: Floats,
) -> int:
    """Go on without a position until one is wanted that may be entered, and return the bar at whose close it is."""
    length, acted, recording = close.shape[1], position.acted, equity.size > 0
    first = t
    target = position.target
    look = length if recording else t
    wishes = targets[0]
    while t < length:
        if look <= t <= length - _STRIDE:
            if _is_still(t, present, wishes, plan, position, account.ruined):
                t += _STRIDE
                if position.shut != 0.0:
                    position.shut_bars += _STRIDE
                target = exposure_of(targets[0, t - 1])
                position.mark = close[0, t - 1]
                continue
            look = t + _STRIDE
        if present[0, t]:
            coming = exposure_of(targets[0, t])
            wanted = 0.0 if account.ruined else coming
            if position.shut != 0.0:
                if np.sign(wanted) != position.shut:
                    break
                if plan.cooldown > 0.0 and position.shut_bars + 1.0 >= plan.cooldown:
                    break
                wanted = 0.0
                if abs(acted) >= SMALLEST_CHANGE:
                    break
                position.shut_bars += 1.0
            elif abs(wanted - acted) >= SMALLEST_CHANGE:
                break
            target = coming
            position.mark = close[0, t]
        if recording:
            equity[t], exposure[t] = account.cash, 0.0
        t += 1
    position.target = target
    account.bars += t - first
    return t


@rule
def _is_still(t: int, present: NDArray[np.bool_], wishes: Floats, plan: Any, position: Any, ruined: bool) -> bool:
    """Whether a flat position has all of the next bars and is asked for nothing at them; it may err towards no."""
    coming = stretch(wishes, t, _STRIDE)
    shut, acted, share = position.shut, position.acted, 0.0 if ruined else 1.0
    asked = 0
    if shut == 0.0:
        for k in range(_STRIDE):
            asked += abs(share * exposure_of(coming[k]) - acted) >= SMALLEST_CHANGE
    else:
        if abs(acted) >= SMALLEST_CHANGE or position.shut_bars + _STRIDE >= plan.cooldown > 0.0:
            return False
        for k in range(_STRIDE):
            asked += not share * coming[k] * shut > 0.0
    for k in range(_STRIDE):
        asked += not present[0, t + k]
    return asked == 0


@rule
def held_bars(
    t: int,
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
    funding: Floats,
    present: NDArray[np.bool_],
    targets: Floats,
    ranges: Floats,
    plan: Any,
    position: Any,
    account: Any,
    capital: float,
    grid: Grid,
    lot: float,
    equity: Floats,
    exposure: Floats,
) -> int:
    """Go on with a position until a bar touches an exit or its close asks for an order, and return that bar.

    Not for a position whose side is shut, nor for a ruined account.
    """
    length, acted, recording = close.shape[1], position.acted, equity.size > 0
    side = np.sign(position.lots)
    stop = side * stop_level(position)
    # Where decaying targets lie is looked at anew only when one may be near, and every so many bars.
    take = _nearest_target(position, plan, _AHEAD, grid)
    until = position.held + _AHEAD
    window = plan.window[CHANDELIER] if plan.size[CHANDELIER] > 0.0 else -1
    size = position.lots * lot
    sums, begun = sums_of(account), t
    while t < length:
        if present[0, t]:
            traded = volume[0, t] != 0.0
            if traded:
                first, top, bottom = side * open_[0, t], side * high[0, t], side * low[0, t]
                if min(first, top, bottom) <= stop:
                    break
                if max(first, top, bottom) >= take:
                    move_targets(position, plan, grid)
                    if max(first, top, bottom) >= _nearest_target(position, plan, 0.0, grid):
                        break
            if plan.time > 0.0 and position.held + 1.0 >= plan.time:
                break
            coming = exposure_of(targets[0, t])
            if abs(coming - acted) >= SMALLEST_CHANGE:
                break
            position.held += 1.0
            if traded:
                average_range = ranges[window, 0, t] if window >= 0 else np.nan
                if move_stops(position, plan, high[0, t], low[0, t], average_range, grid):
                    stop = side * stop_level(position)
            if position.held >= until:
                move_targets(position, plan, grid)
                take = _nearest_target(position, plan, _AHEAD, grid)
                until = position.held + _AHEAD
            position.target = coming
            position.mark = close[0, t]
            rate = funding[0, t]
            if rate != 0.0:
                pay_funding(position, account, close[0, t], rate, lot)
        value = size * position.mark
        sums = marked(sums, account.cash, value, abs(value))
        if recording:
            equity[t], exposure[t] = sums[0], abs(value) / capital
        t += 1
        if sums[0] <= 0.0:
            # What has just been ruined is closed by the decision at this close.
            if present[0, t - 1]:
                _decide_ruin(position, plan, close, ranges, t - 1, capital, lot)
            break
    keep_sums(account, sums, t - begun)
    move_targets(position, plan, grid)
    return t


@rule
def _nearest_target(position: Any, plan: Any, bars: float, grid: Grid) -> float:
    """Level, times the side, that no target will be nearer than within some bars; infinite where there is none."""
    side = np.sign(position.lots)
    nearest = np.inf
    for k in range(plan.targets):
        if position.take[k] != 0.0:
            level = side * position.take[k]
            if bars > 0.0 and plan.decay[k] > 0.0:
                level -= bars * position.take_distance[k] / plan.decay[k] + grid[0]
            nearest = min(nearest, level)
    return nearest


@rule
def _decide_ruin(position: Any, plan: Any, close: Floats, ranges: Floats, t: int, capital: float, lot: float) -> None:
    update_shut(position, plan, True)
    place_orders(position, plan, admitted(position, True), close[0, t], ranges, 0, t, capital, lot, True)
