"""The bar simulator: the fill rules of :mod:`clawd.engine.position`, looped over history in one compiled function."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats
from clawd.core.reason import Reason
from clawd.engine.compiled import compiled
from clawd.engine.position import (
    POSITION,
    after_bar,
    book_closing,
    book_opening,
    closing_price,
    decide,
    in_band,
    market_price,
    rule,
    stop_level,
    stop_price,
    stop_reason,
    take_price,
)

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

_TAKE, _INCREASE = int(Reason.TAKE), int(Reason.INCREASE)


@rule
def exit_fill(
    position: Any, open_price: float, high: float, low: float, at_open: bool, slippage: float, tick: float
) -> tuple[float, int]:
    """Price and reason at which the exits close a position within a bar, NaN where they do not; the stop first."""
    side = np.sign(position.lots)
    against, along = (low, high) if side > 0.0 else (high, low)
    price = stop_price(stop_level(position), side, position.average, open_price, at_open, against, slippage, tick)
    if price == price:
        return price, stop_reason(position)
    if position.take > 0.0:
        price = take_price(position.take, side, open_price, at_open, along, tick)
    return price, _TAKE


@compiled
def simulate(
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
    funding: Floats,
    present: NDArray[np.bool_],
    targets: Floats,
    distances: Floats,
    time: float,
    cooldown: float,
    capital: float,
    fee: float,
    slippage: float,
    tick: Floats,
    lot: Floats,
) -> tuple[NDArray[np.void], Floats, Floats, NDArray[np.void], float]:
    """Run one strategy over bars.

    Args:
        open_, high, low, close, volume, funding: [I, T] of a panel.
        present: [I, T], whether the bar exists.
        targets: [I, T], wanted exposure at the close of each bar, NaN where the bar is missing.
        distances: [3, I, T], of stop, trail and take at each close, as for :func:`~clawd.engine.position.decide`.
        time, cooldown: of the exits, 0 for none.
        capital: quote currency.
        fee, slippage: shares per side.
        tick, lot: [I].

    Returns:
        Fills in order of time (:data:`FILL`); equity at each close [T], quote currency; gross exposure at each close as
        a share of the capital [T]; the positions at the end [I]; funding paid in all.
    """
    instruments, length = close.shape
    positions = np.zeros(instruments, POSITION)
    fills = np.empty(1024, FILL)
    count = 0
    equity, exposure = np.empty(length), np.empty(length)
    cash, funding_paid = capital, 0.0
    marks = np.zeros(instruments)
    latest = np.full(instruments, np.nan)
    ruined = False
    for t in range(length):
        for i in range(instruments):
            if not present[i, t]:
                continue
            position = positions[i]
            traded = volume[i, t] != 0.0
            if traded:
                if count + 4 > fills.size:
                    larger = np.empty(2 * fills.size, FILL)
                    larger[:count] = fills[:count]
                    fills = larger
                first = count
                if position.closing != 0.0 and position.lots != 0.0:
                    size = np.sign(position.closing) * min(abs(position.closing), abs(position.lots))
                    price = closing_price(open_[i, t], position.lots, position.average, slippage, tick[i])
                    fills[count].lots, fills[count].price = size, price
                    fills[count].reason = int(position.closing_reason)
                    count += 1
                    book_closing(position, size, position.closing_reason)
                position.closing = 0.0
                if position.lots != 0.0:
                    price, reason = exit_fill(position, open_[i, t], high[i, t], low[i, t], True, slippage, tick[i])
                    if price == price:
                        fills[count].lots, fills[count].price, fills[count].reason = (
                            -position.lots,
                            price,
                            reason,
                        )
                        count += 1
                        book_closing(position, -position.lots, reason)
                if position.opening != 0.0:
                    if position.opening_reason == _INCREASE and position.lots == 0.0:
                        position.opening = 0.0
                    elif not in_band(open_[i, t], position.reference):
                        position.opening = 0.0
                        position.acted = np.nan
                    else:
                        price = market_price(open_[i, t], np.sign(position.opening), slippage, tick[i])
                        fills[count].lots, fills[count].price = position.opening, price
                        fills[count].reason = int(position.opening_reason)
                        count += 1
                        book_opening(position, position.opening, price, tick[i])
                if position.lots != 0.0:
                    price, reason = exit_fill(position, open_[i, t], high[i, t], low[i, t], False, slippage, tick[i])
                    if price == price:
                        fills[count].lots, fills[count].price, fills[count].reason = (
                            -position.lots,
                            price,
                            reason,
                        )
                        count += 1
                        book_closing(position, -position.lots, reason)
                for k in range(first, count):
                    notional = fills[k].lots * lot[i] * fills[k].price
                    fills[k].bar, fills[k].instrument, fills[k].fee = t, i, abs(notional) * fee
                    cash -= notional + fills[k].fee
            after_bar(position, high[i, t], low[i, t], traded, tick[i])
            marks[i] = close[i, t]
            latest[i] = targets[i, t]
            charge = position.lots * lot[i] * close[i, t] * funding[i, t]
            cash -= charge
            funding_paid += charge
        worth, gross = 0.0, 0.0
        for i in range(instruments):
            value = positions[i].lots * lot[i] * marks[i]
            worth += value
            gross += abs(value)
        equity[t] = cash + worth
        exposure[t] = gross / capital
        ruined = ruined or equity[t] <= 0.0
        decide(
            positions,
            latest,
            close[:, t],
            present[:, t],
            distances[:, :, t],
            capital,
            lot,
            time,
            cooldown,
            ruined,
        )
    return fills[:count].copy(), equity, exposure, positions, funding_paid
