"""What each bar of a simulated run could lose at the most, known before the bar: the bounds that evidence is bet under.

The bound is what a book can lose when the market closes its doors, never what it usually loses; volatility and stops,
which a gap jumps over, have no say in it. Of a position of L units, with P the price of a fill and x the larger of fee
and funding:

* A long position may go to nothing and loses its mark, ``L mark``, and no more: fee and slippage of the way out and
  funding are shares of what is left, so they cannot take what is not there.
* A short position is closed where its isolated margin is used up, at twice its average price, whatever the open:
  ``L (2 average (1 + x) - mark)``. Whoever was closed out paid a fee and no funding, whoever was not paid funding and
  no fee.
* An entry fills within the price band around its reference or not at all. A purchase may lose what it pays,
  ``L P (1 + fee)``; a sale is paid ``P (1 - fee)`` and may be closed at ``2 P (1 + x)``.
* Where a position turns, it is left and entered at one and the same open. Either that lies in the band, and then the
  old side is closed inside it too; or there is no entry, and the old side may lose everything.

Prices are rounded to ticks, so each is taken a tick worse. The bound of a book is the sum over its instruments: all
may close their doors at once.

Two things would break a bound, and then the evidence ends there (:mod:`clawd.evidence.eprocess`): funding above
:data:`MOST_FUNDING` on a short that is at its margin, and a price that comes to more than twice a short's average on
bars without volume, where nothing trades and nobody is closed out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clawd.core.costs import Costs
from clawd.core.panel import NANOSECONDS_PER_DAY, Floats, Panel
from clawd.engine.account import ACCOUNT
from clawd.engine.backtest import market_of
from clawd.engine.bar import FILL
from clawd.engine.compiled import compiled
from clawd.engine.plan import plan_of
from clawd.engine.position import POSITION
from clawd.engine.prices import ENTRY_BAND, rule
from clawd.engine.runtime import Decisions, Runtime
from clawd.engine.simulate import advance
from clawd.language.strategy import Strategy

#: Funding that a position may pay within a UTC day, a share of its notional, before a bound is broken.
MOST_FUNDING: Final = 0.03

#: Sums of floats and booked amounts round: a bound is wider by this share of itself, and of the capital.
ROUNDING: Final = 1e-9


def most_funding(bar: int) -> float:
    """The most funding that a position may pay within a bar of a duration in nanoseconds, a share of its notional."""
    return MOST_FUNDING * max(1, -(-bar // NANOSECONDS_PER_DAY))


@rule
def position_at_risk(
    position: Any, mark: float, tick: float, lot: float, fee: float, slippage: float, funding: float
) -> float:
    """The most that a position and its working orders can lose until the next close, quote currency.

    Args:
        position: of :data:`~clawd.engine.position.POSITION`, after the decision at the last close.
        mark: the last close.
        tick, lot: of the instrument.
        fee, slippage: shares per side.
        funding: the most that the bar can charge, a share of the notional.
    """
    held = abs(position.lots) * lot
    kept = 0.0
    if position.lots > 0.0:
        kept = held * mark
    elif position.lots < 0.0:
        kept = held * max(_closed_out(position.average, tick, fee, funding) - mark, 0.0)
    if position.opening == 0.0:
        return kept
    lots = position.opening
    top = position.reference * (1.0 + ENTRY_BAND)
    entered = _entry_at_risk(lots, top, tick, lot, fee, slippage, funding)
    if position.lots == 0.0 or position.closing != -position.lots:
        return kept + entered
    bottom = position.reference * (1.0 - ENTRY_BAND)
    if position.lots < 0.0:
        return max(kept, held * (_bought_at(top, tick, fee, slippage) - mark) + entered)
    # What the old side loses falls with the open and what the new one can lose rises, both along straight lines.
    at_top = held * (mark - _sold_at(top, tick, fee, slippage)) + entered
    entered = _entry_at_risk(lots, bottom, tick, lot, fee, slippage, funding)
    return max(kept, at_top, held * (mark - _sold_at(bottom, tick, fee, slippage)) + entered)


@rule
def _entry_at_risk(
    lots: float, price: float, tick: float, lot: float, fee: float, slippage: float, funding: float
) -> float:
    """The most that an entry which fills at an open can lose until the close."""
    size = abs(lots) * lot
    if lots > 0.0:
        return size * _bought_at(price, tick, fee, slippage)
    average = price * (1.0 - slippage) + tick
    return size * (_closed_out(average, tick, fee, funding) - average * (1.0 - fee))


@rule
def _closed_out(average: float, tick: float, fee: float, funding: float) -> float:
    """The most that a unit of a short costs to give back, or is worth at a close with its funding."""
    return (2.0 * average + tick) * (1.0 + max(fee, funding))


@rule
def _bought_at(price: float, tick: float, fee: float, slippage: float) -> float:
    return (price * (1.0 + slippage) + tick) * (1.0 + fee)


@rule
def _sold_at(price: float, tick: float, fee: float, slippage: float) -> float:
    return max(price * (1.0 - slippage) - tick, 0.0) * (1.0 - fee)


@rule
def bound_of(at_risk: float, capital: float) -> float:
    """A bound as a share of the capital, from what all positions have at risk; 0 where that is nothing."""
    return (at_risk / capital) * (1.0 + ROUNDING) + ROUNDING if at_risk > 0.0 else 0.0


@compiled
def walk(
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
    most: float,
    tick: Floats,
    lot: Floats,
    no_fills: NDArray[np.void],
    equity: Floats,
    bounds: Floats,
) -> None:
    """Run one strategy bar by bar, and before each bar note the most that it can lose.

    Args:
        most: the most funding of a bar, a share of the notional.
        no_fills: empty.
        equity, bounds: [T], where the equity at each close goes, quote currency, and the bound of each bar, a share of
            the capital.
        open_, high, low, close, volume, funding, present, targets, ranges, plan, positions, account, capital, fee,
            slippage, tick, lot: as for :func:`~clawd.engine.simulate.advance`.
    """
    instruments, length = close.shape
    columns = np.empty((7, instruments, 1))
    here = np.empty((instruments, 1), np.bool_)
    own_ranges = np.empty((ranges.shape[0], instruments, 1))
    nothing = np.empty(0)
    for t in range(length):
        at_risk = 0.0
        for i in range(instruments):
            position = positions[i]
            if position.lots != 0.0 or position.opening != 0.0:
                at_risk += position_at_risk(position, position.mark, tick[i], lot[i], fee, slippage, most)
            columns[0, i, 0] = open_[i, t]
            columns[1, i, 0] = high[i, t]
            columns[2, i, 0] = low[i, t]
            columns[3, i, 0] = close[i, t]
            columns[4, i, 0] = volume[i, t]
            columns[5, i, 0] = funding[i, t]
            columns[6, i, 0] = targets[i, t]
            here[i, 0] = present[i, t]
            for k in range(ranges.shape[0]):
                own_ranges[k, i, 0] = ranges[k, i, t]
        bounds[t] = bound_of(at_risk, capital)
        advance(
            columns[0],
            columns[1],
            columns[2],
            columns[3],
            columns[4],
            columns[5],
            here,
            columns[6],
            own_ranges,
            plan,
            positions,
            account,
            capital,
            fee,
            slippage,
            tick,
            lot,
            no_fills,
            nothing,
            nothing,
        )
        equity[t] = account.equity


@dataclass(frozen=True, eq=False)
class Stakes:
    """A run as the e-process wants it.

    Attributes:
        net_returns: [T], profit and loss of each bar over the capital, all costs taken off; those of
            :attr:`~clawd.engine.backtest.Backtest.net_returns`, to the last bit.
        bounds: [T], the most that each bar could lose, a share of the capital, known before it; 0 where nothing was
            held or about to be.
    """

    net_returns: Floats
    bounds: Floats


def stakes(
    strategy: Strategy, panel: Panel, costs: Costs, capital: Decimal, first: int = 0, last: int | None = None
) -> Stakes:
    """Net returns and bounds of a strategy; arguments and errors as of :func:`~clawd.engine.backtest.run_backtest`."""
    market = market_of(strategy, panel).between(0, panel.times.size if last is None else last)
    runtime = Runtime([strategy], market)
    length = int(market.times.size)
    decisions = runtime.advance(market)[0].between(first, length)
    return stakes_of(strategy, runtime.windows, decisions, market.between(first, length), costs, capital)


def stakes_of(
    strategy: Strategy, windows: Sequence[int], decisions: Decisions, panel: Panel, costs: Costs, capital: Decimal
) -> Stakes:
    """The same for decisions that were made on a panel's bars by a runtime with these windows."""
    instruments, length = panel.close.shape
    equity, bounds = np.empty(length), np.empty(length)
    columns = (panel.open, panel.high, panel.low, panel.close, panel.volume, panel.funding, panel.present)
    walk(
        *(np.ascontiguousarray(column) for column in (*columns, decisions.targets, decisions.ranges)),
        plan_of(strategy.exits, windows),
        np.zeros(instruments, POSITION),
        np.zeros(1, ACCOUNT)[0],
        float(capital),
        float(costs.fee),
        float(costs.slippage),
        most_funding(panel.bar),
        panel.ticks,
        panel.lots,
        np.empty(0, FILL),
        equity,
        bounds,
    )
    start = float(capital)
    return Stakes(np.diff(equity, prepend=start) / start, bounds)
