"""Where the stops of a run stood, bar by bar: the simulator itself, walked slowly while something is held."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from clawd.core.costs import Costs
from clawd.core.panel import Floats
from clawd.core.reason import Reason
from clawd.engine.account import ACCOUNT
from clawd.engine.backtest import Decided
from clawd.engine.bar import FILL
from clawd.engine.plan import plan_of
from clawd.engine.position import POSITION, book_closing, book_opening, stop_level
from clawd.engine.prices import grid_of
from clawd.engine.simulate import advance

#: Bars that are walked one by one at most, the latest: a bar costs some 50 microseconds.
MOST_STEPS = 20_000

_OPENS = (int(Reason.ENTRY), int(Reason.INCREASE))


def stop_lines(
    decided: Decided, costs: Costs, capital: Decimal, fills: NDArray[np.void], most: int = MOST_STEPS
) -> Floats:
    """The level at which each position would have been stopped out within each bar.

    It is the nearest of the stops, as it stood while the bar was open: a stop moves when a bar is over, and counts
    from the next. The bar of an entry has the level with which the position was opened.

    Args:
        decided: what was simulated.
        costs, capital: at which it was.
        fills: of the simulation, of :data:`~clawd.engine.bar.FILL`.
        most: bars with something held beyond these are left out, the earliest ones.

    Returns:
        [I, T], quote currency; NaN where nothing was held, and where it was left out.
    """
    panel = decided.panel
    instruments, length = panel.close.shape
    lines = np.full((instruments, length), np.nan)
    held = _held_bars(fills, instruments, length)
    if not held.size:
        return lines
    positions, account = np.zeros(instruments, POSITION), np.zeros(1, ACCOUNT)[0]
    plan = plan_of(decided.strategy.exits, decided.windows)
    columns = (
        panel.open,
        panel.high,
        panel.low,
        panel.close,
        panel.volume,
        panel.funding,
        panel.present,
        decided.decisions.targets,
        decided.decisions.ranges,
    )
    terms = (float(capital), float(costs.fee), float(costs.slippage), panel.ticks, panel.lots)
    nothing, unkept = np.empty(0, FILL), np.empty(0)

    def walk(first: int, last: int) -> None:
        if first < last:
            block = [np.ascontiguousarray(column[..., first:last]) for column in columns]
            advance(*block, plan, positions, account, *terms, nothing, unkept, unkept)

    grids = [grid_of(tick) for tick in panel.ticks.tolist()]
    openings = {(int(row["bar"]), int(row["instrument"])): row for row in fills if row["reason"] in _OPENS}
    done = 0
    for bar in held[-most:].tolist():
        walk(done, bar)
        for i in range(instruments):
            opening = openings.get((bar, i))
            if opening is not None:
                lines[i, bar] = _opened_at(positions[i], opening, grids[i])
            elif positions[i]["lots"] != 0.0:
                lines[i, bar] = stop_level(positions[i])
        walk(bar, bar + 1)
        done = bar + 1
    return lines


def _held_bars(fills: NDArray[np.void], instruments: int, length: int) -> NDArray[np.int64]:
    """The bars within which something was held, rising."""
    held = np.zeros(length, np.bool_)
    for i in range(instruments):
        own = fills[fills["instrument"] == i]
        if not own.size:
            continue
        change = np.zeros(length)
        np.add.at(change, own["bar"], own["lots"])
        after = np.cumsum(change)
        held |= np.round(after) != 0.0
        held[own["bar"]] = True
    return np.flatnonzero(held)


def _opened_at(position: np.void, opening: np.void, grid: tuple[float, float, float]) -> float:
    """The level that a position has once the opening of the bar that comes is filled."""
    after = np.array([position])[0]
    if opening["reason"] == Reason.ENTRY and after["lots"] != 0.0:
        book_closing(after, -after["lots"], float(Reason.SIGNAL))
    book_opening(after, float(opening["lots"]), float(opening["price"]), grid)
    return float(stop_level(after))
