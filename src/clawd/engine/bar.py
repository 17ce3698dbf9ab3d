"""What happens to a position within one bar: the fill rules in the order in which they come."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clawd.core.reason import Reason
from clawd.engine.account import book_fill
from clawd.engine.plan import TARGETS
from clawd.engine.position import (
    book_closing,
    book_opening,
    book_target,
    stop_level,
    stop_reason,
    target_after,
    target_lots,
)
from clawd.engine.prices import Grid, closing_price, in_band, market_price, rule, stop_price, take_price

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
def trade_bar(
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
    touched = min(first, top, bottom) <= side * stop_level(position)
    for k in range(plan.targets):
        touched = touched or (position.take[k] != 0.0 and max(first, top, bottom) >= side * position.take[k])
    return touched


@rule
def pay_funding(position: Any, account: Any, close: float, rate: float, lot: float) -> None:
    charge = position.lots * lot * close * rate
    account.cash -= charge
    account.funding += charge
