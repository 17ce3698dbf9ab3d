"""The bar simulator: the fill rules looped over history in one compiled function that can stop and go on at any bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats
from clawd.engine.account import ACCOUNT, close_bar, open_account
from clawd.engine.bar import FILL, MOST_FILLS, pay_funding, trade_bar
from clawd.engine.compiled import compiled
from clawd.engine.decision import admitted, decide, exposure_of, place_orders, update_shut
from clawd.engine.plan import CHANDELIER
from clawd.engine.position import POSITION, after_bar
from clawd.engine.prices import grid_of
from clawd.engine.quiet import flat_bars, held_bars, is_quiet

#: Bars that :func:`simulate` hands over at a time.
BLOCK = 4096


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
        fills: where fills go in order of time, of :data:`~clawd.engine.bar.FILL`, bars counted from the start of the
            block: room for :data:`~clawd.engine.bar.MOST_FILLS` of each instrument and bar, or empty to keep none.
        equity, exposure: [T], where the equity at each close goes, quote currency, and the gross exposure, a share of
            the capital; or empty to keep none.

    Returns:
        The number of fills written.

    Raises:
        ValueError: where there is too little room for the fills.
    """
    instruments, length = close.shape
    if 0 < fills.size < MOST_FILLS * instruments * length:
        raise ValueError("there is too little room for the fills")
    open_account(account, capital)
    grid = grid_of(tick[0])
    window = plan.window[CHANDELIER] if plan.size[CHANDELIER] > 0.0 else -1
    recording = equity.size > 0
    count = 0
    t = 0
    while t < length:
        if instruments == 1 and is_quiet(positions[0]):
            position = positions[0]
            if position.lots == 0.0:
                t = flat_bars(t, close, present, targets, plan, position, account, equity, exposure)
            elif position.shut == 0.0 and not account.ruined:
                t = held_bars(
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
                    position,
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
                    count = trade_bar(
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
                    pay_funding(position, account, close[i, t], funding[i, t], lot[i])
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
        fills: of :data:`~clawd.engine.bar.FILL`, in order of time.
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
    progress: Callable[[float], None] = lambda share: None,
) -> Simulation:
    """Run one strategy over bars from the start, with everything recorded.

    Args:
        open_, high, low, close, volume, funding, present, targets, ranges, plan, capital, fee, slippage, tick, lot: as
            for :func:`advance`.
        progress: told after every block of bars which share of them is done.
    """
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
        progress(min(start + BLOCK, length) / length)
    return Simulation(
        fills=np.concatenate(found) if found else np.empty(0, FILL),
        equity=equity,
        exposure=exposure,
        positions=positions,
        account=account,
    )
