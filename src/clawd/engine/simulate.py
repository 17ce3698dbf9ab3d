"""The bar simulator: the fill rules looped over history in one compiled function that can stop and go on at any bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats
from clawd.core.reason import Reason
from clawd.engine.account import ACCOUNT, book_fill, close_bar, open_account
from clawd.engine.compiled import compiled
from clawd.engine.decision import SMALLEST_CHANGE, admitted, decide, exposure_of, place_orders, update_shut
from clawd.engine.plan import CHANDELIER, TARGETS
from clawd.engine.position import (
    POSITION,
    after_bar,
    book_closing,
    book_opening,
    book_target,
    move_stops,
    move_targets,
    stop_level,
    stop_reason,
    target_after,
    target_lots,
)
from clawd.engine.prices import Grid, closing_price, grid_of, in_band, market_price, rule, stop_price, take_price

#: A fill: index of the bar, index of the instrument, signed lots, price, fee paid, and reason.
FILL = np.dtype(
    [
        ("bar", np.int64),
        ("instrument", np.int64),
        ("lots", np.float64),
        ("price", np.float64),
        ("fee", np.float64),
        ("reason", np.int64),
    ],
    align=True,
)

#: Fills that an instrument can have in a bar: a closing, an opening, and targets and a stop at the open and within.
MOST_FILLS = 4 + 2 * TARGETS

#: Bars that :func:`simulate` hands over at a time.
BLOCK = 4096

#: Bars for which a decaying target is kept an eye on at a time.
_AHEAD = 16.0

_TAKE, _INCREASE = int(Reason.TAKE), int(Reason.INCREASE)


@rule
def stop_fill(
    position: Any, open_price: float, high: float, low: float, at_open: bool, slippage: float, grid: Grid
) -> float:
    """Price at which the stops close a position within a bar, NaN where they do not."""
    side = np.sign(position.lots)
    against = low if side > 0.0 else high
    return stop_price(stop_level(position), side, position.average, open_price, at_open, against, slippage, grid)


@rule
def target_fill(
    position: Any, place: int, open_price: float, high: float, low: float, at_open: bool, grid: Grid
) -> float:
    """Price at which a target closes its part of a position within a bar, NaN where it does not."""
    side = np.sign(position.lots)
    along = high if side > 0.0 else low
    return take_price(position.take[place], side, open_price, at_open, along, grid)


@rule
def _record(
    fills: NDArray[np.void],
    count: int,
    t: int,
    i: int,
    lots: float,
    price: float,
    paid: float,
    reason: int,
) -> int:
    if fills.size == 0:
        return count
    row = fills[count]
    row.bar, row.instrument, row.lots, row.price, row.fee, row.reason = t, i, lots, price, paid, reason
    return count + 1


@rule
def _exits(
    position: Any,
    plan: Any,
    account: Any,
    open_price: float,
    high: float,
    low: float,
    at_open: bool,
    capital: float,
    fee: float,
    slippage: float,
    grid: Grid,
    lot: float,
    fills: NDArray[np.void],
    count: int,
    t: int,
    i: int,
) -> int:
    """Let the exits of a position close what they close: the stop first and all of it, else the targets in turn."""
    price = stop_fill(position, open_price, high, low, at_open, slippage, grid)
    if price == price:
        lots, reason = -position.lots, stop_reason(position)
        book_closing(position, lots, reason)
        paid = book_fill(account, position, lots, price, reason, capital, fee, slippage, lot)
        return _record(fills, count, t, i, lots, price, paid, reason)
    place = target_after(position, plan, -1)
    while place >= 0:
        price = target_fill(position, place, open_price, high, low, at_open, grid)
        if price != price:
            break
        following = target_after(position, plan, place)
        lots = -np.sign(position.lots) * target_lots(position, plan, place)
        if lots != 0.0:
            book_target(position, place, lots)
            paid = book_fill(account, position, lots, price, _TAKE, capital, fee, slippage, lot)
            count = _record(fills, count, t, i, lots, price, paid, _TAKE)
        place = following if position.lots != 0.0 else -1
    return count


@rule
def _trade(
    position: Any,
    plan: Any,
    account: Any,
    open_price: float,
    high: float,
    low: float,
    capital: float,
    fee: float,
    slippage: float,
    grid: Grid,
    lot: float,
    fills: NDArray[np.void],
    count: int,
    t: int,
    i: int,
) -> int:
    """What happens to a position and its orders within a bar that traded."""
    if position.closing == 0.0 and position.opening == 0.0 and not _touched(position, plan, open_price, high, low):
        return count
    if position.closing != 0.0 and position.lots != 0.0:
        lots = np.sign(position.closing) * min(abs(position.closing), abs(position.lots))
        reason = int(position.closing_reason)
        price = closing_price(open_price, position.lots, position.average, slippage, grid)
        book_closing(position, lots, reason)
        paid = book_fill(account, position, lots, price, reason, capital, fee, slippage, lot)
        count = _record(fills, count, t, i, lots, price, paid, reason)
    position.closing = 0.0
    if _touched(position, plan, open_price, open_price, open_price):
        count = _exits(
            position, plan, account, open_price, high, low, True, capital, fee, slippage, grid, lot, fills, count, t, i
        )
    if position.opening != 0.0:
        if position.opening_reason == _INCREASE and (position.lots == 0.0 or position.taken > 0.0):
            position.opening = 0.0
        elif not in_band(open_price, position.reference):
            position.opening = 0.0
            position.acted = np.nan
        else:
            lots = position.opening
            reason = int(position.opening_reason)
            price = market_price(open_price, np.sign(lots), slippage, grid)
            book_opening(position, lots, price, grid)
            paid = book_fill(account, position, lots, price, reason, capital, fee, slippage, lot)
            count = _record(fills, count, t, i, lots, price, paid, reason)
    if _touched(position, plan, open_price, high, low):
        count = _exits(
            position, plan, account, open_price, high, low, False, capital, fee, slippage, grid, lot, fills, count, t, i
        )
    return count


@rule
def _touched(position: Any, plan: Any, open_price: float, high: float, low: float) -> bool:
    """Whether a bar comes to a stop or a target of a position."""
    if position.lots == 0.0:
        return False
    side = 1.0 if position.lots > 0.0 else -1.0
    first, top, bottom = side * open_price, side * high, side * low
    if min(first, top, bottom) <= side * stop_level(position):
        return True
    highest = max(first, top, bottom)
    for k in range(plan.targets):
        if position.take[k] != 0.0 and highest >= side * position.take[k]:
            return True
    return False


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
def _pay_funding(position: Any, account: Any, close: float, rate: float, lot: float) -> None:
    charge = position.lots * lot * close * rate
    account.cash -= charge
    account.funding += charge


@rule
def _quiet_bars(
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
    """Go on over bars of a single instrument on which nothing is traded or ordered, and return the first other one.

    It does what :func:`advance` would do to such bars, with the same results to the last bit.
    """
    length = close.shape[1]
    acted = position.acted
    if acted != acted:
        return t
    recording = equity.size > 0
    if position.lots == 0.0:
        first = t
        target = position.target
        while t < length:
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
    if position.shut != 0.0 or account.ruined:
        return t
    side = np.sign(position.lots)
    stop = side * stop_level(position)
    # Where decaying targets lie is looked at anew only when one may be near, and every so many bars.
    take = _nearest_target(position, plan, _AHEAD, grid)
    until = position.held + _AHEAD
    window = plan.window[CHANDELIER] if plan.size[CHANDELIER] > 0.0 else -1
    size = position.lots * lot
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
                _pay_funding(position, account, close[0, t], rate, lot)
        value = size * position.mark
        close_bar(account, value, abs(value))
        if recording:
            equity[t], exposure[t] = account.equity, abs(value) / capital
        t += 1
        if account.ruined:
            # What has just been ruined is closed by the decision at this close.
            if present[0, t - 1]:
                _decide_ruin(position, plan, close, ranges, t - 1, capital, lot)
            break
    move_targets(position, plan, grid)
    return t


@rule
def _decide_ruin(position: Any, plan: Any, close: Floats, ranges: Floats, t: int, capital: float, lot: float) -> None:
    update_shut(position, plan, True)
    place_orders(position, plan, admitted(position, True), close[0, t], ranges, 0, t, capital, lot, True)


@compiled
def advance(
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
    positions: NDArray[np.void],
    account: Any,
    capital: float,
    fee: float,
    slippage: float,
    tick: Floats,
    lot: Floats,
    fills: NDArray[np.void],
    equity: Floats,
    exposure: Floats,
) -> int:
    """Run one strategy over the bars that follow those of the call before.

    Blocks of any size give what one call gives, to the last bit: all that is remembered is in ``positions`` and
    ``account``.

    Args:
        open_, high, low, close, volume, funding: [I, T] of a panel.
        present: [I, T], whether the bar exists.
        targets: [I, T], wanted exposure at the close of each bar; held to -1 to 1, flat where it is not a number, and
            not looked at where the bar is missing.
        ranges: [K, I, T], average true ranges at each close, quote currency.
        plan: the exits, of :data:`~clawd.engine.plan.PLAN`.
        positions: [I] of :data:`~clawd.engine.position.POSITION`, zeroed before the first call.
        account: of :data:`~clawd.engine.account.ACCOUNT`, zeroed before the first call.
        capital: quote currency.
        fee, slippage: shares per side.
        tick, lot: [I].
        fills: where fills go in order of time (:data:`FILL`, bars counted from the start of the block): room for
            :data:`MOST_FILLS` of each instrument and bar, or empty to keep none.
        equity, exposure: [T], where the equity at each close goes, quote currency, and the gross exposure, a share of
            the capital; or empty to keep none.

    Returns:
        The number of fills written.
    """
    instruments, length = close.shape
    open_account(account, capital)
    grid = grid_of(tick[0])
    window = plan.window[CHANDELIER] if plan.size[CHANDELIER] > 0.0 else -1
    recording = equity.size > 0
    count = 0
    t = 0
    while t < length:
        if instruments == 1 and positions[0].closing == 0.0 and positions[0].opening == 0.0:
            t = _quiet_bars(
                t,
                open_,
                high,
                low,
                close,
                volume,
                funding,
                present,
                targets,
                ranges,
                plan,
                positions[0],
                account,
                capital,
                grid,
                lot[0],
                equity,
                exposure,
            )
            if t == length:
                break
        worth, gross = 0.0, 0.0
        for i in range(instruments):
            position = positions[i]
            if present[i, t]:
                if instruments > 1 and (position.lots != 0.0 or position.opening != 0.0):
                    grid = grid_of(tick[i])
                traded = volume[i, t] != 0.0
                if traded:
                    count = _trade(
                        position,
                        plan,
                        account,
                        open_[i, t],
                        high[i, t],
                        low[i, t],
                        capital,
                        fee,
                        slippage,
                        grid,
                        lot[i],
                        fills,
                        count,
                        t,
                        i,
                    )
                average_range = ranges[window, i, t] if window >= 0 else np.nan
                after_bar(position, plan, high[i, t], low[i, t], traded, average_range, grid)
                position.target = exposure_of(targets[i, t])
                position.mark = close[i, t]
                if funding[i, t] != 0.0:
                    _pay_funding(position, account, close[i, t], funding[i, t], lot[i])
            value = position.lots * lot[i] * position.mark
            worth += value
            gross += abs(value)
        close_bar(account, worth, gross)
        if recording:
            equity[t], exposure[t] = account.equity, gross / capital
        if instruments > 1:
            decide(positions, plan, close, present, ranges, t, capital, lot, account.ruined)
        elif present[0, t]:
            update_shut(positions[0], plan, account.ruined)
            wanted = admitted(positions[0], account.ruined)
            place_orders(positions[0], plan, wanted, close[0, t], ranges, 0, t, capital, lot[0], account.ruined)
        t += 1
    return count


@dataclass(frozen=True, eq=False)
class Simulation:
    """A strategy's whole run over bars.

    Attributes:
        fills: of :data:`FILL`, in order of time.
        equity: [T], quote currency, at each close.
        exposure: [T], gross, as a share of the capital, at each close.
        positions: [I] of :data:`~clawd.engine.position.POSITION`, at the end.
        account: of :data:`~clawd.engine.account.ACCOUNT`, at the end.
    """

    fills: NDArray[np.void]
    equity: Floats
    exposure: Floats
    positions: NDArray[np.void]
    account: np.void


def simulate(
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
    funding: Floats,
    present: NDArray[np.bool_],
    targets: Floats,
    ranges: Floats,
    plan: np.void,
    capital: float,
    fee: float,
    slippage: float,
    tick: Floats,
    lot: Floats,
) -> Simulation:
    """Run one strategy over bars from the start, with everything recorded; arguments as for :func:`advance`."""
    instruments, length = close.shape
    columns = (open_, high, low, close, volume, funding, present, targets, ranges)
    positions, account = np.zeros(instruments, POSITION), np.zeros(1, ACCOUNT)[0]
    equity, exposure = np.empty(length), np.empty(length)
    room = np.empty(MOST_FILLS * instruments * min(BLOCK, length), FILL)
    found = []
    for start in range(0, length, BLOCK):
        block = slice(start, start + BLOCK)
        count = advance(
            *(np.ascontiguousarray(column[..., block]) for column in columns),
            plan,
            positions,
            account,
            capital,
            fee,
            slippage,
            tick,
            lot,
            room,
            equity[block],
            exposure[block],
        )
        rows = room[:count].copy()
        rows["bar"] += start
        found.append(rows)
    return Simulation(
        fills=np.concatenate(found) if found else np.empty(0, FILL),
        equity=equity,
        exposure=exposure,
        positions=positions,
        account=account,
    )
