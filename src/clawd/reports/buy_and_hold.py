"""The plainest alternative to a strategy: buy everything once and keep it."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np

from clawd.core.costs import Costs
from clawd.core.panel import Floats, Panel


def buy_and_hold(panel: Panel, costs: Costs, capital: Decimal) -> Floats:
    """Equity [T] of the capital split equally over the instruments, each bought at its first open and held.

    An instrument is bought at its first bar that trades, in whole lots, worse by the slippage; its share
    pays the fee too, so nothing is borrowed. Until then its share waits as cash. Holding pays funding. A
    missing bar keeps the last close. The end is marked at the close and not sold, as a strategy's open
    positions are.

    Args:
        panel: the bars, as a backtest traded over them.
        costs: fee and slippage.
        capital: quote currency.
    """
    count, length = panel.close.shape
    equity = np.full(length, float(capital))
    for row in range(count):
        equity += _profit(panel, row, costs, float(capital) / count)
    return equity


def _profit(panel: Panel, row: int, costs: Costs, share: float) -> Floats:
    length = panel.times.size
    present = panel.present[row]
    # A bar of no volume trades nothing; an unknown volume, which is NaN, counts as traded.
    tradable = np.flatnonzero(present & (panel.volume[row] != 0.0))
    profit = np.zeros(length)
    if not tradable.size:
        return profit
    first = int(tradable[0])
    instrument = panel.instruments[row]
    tick, lot, fee = float(instrument.tick), float(instrument.lot), float(costs.fee)
    steps = round(float(panel.open[row, first]) * (1.0 + float(costs.slippage)) / tick)
    price = max(steps, 1) * tick
    size = math.floor(share / (price * (1.0 + fee) * lot)) * lot
    latest = np.maximum.accumulate(np.where(present, np.arange(length), first))[first:]
    close = panel.close[row, latest]
    due = np.where(present[first:], panel.funding[row, first:] * close, 0.0)
    profit[first:] = size * (close - price * (1.0 + fee) - np.cumsum(due))
    return profit
