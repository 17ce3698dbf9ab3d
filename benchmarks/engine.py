"""The engine against TA-Lib, against a hand-written kernel, and against itself."""

from __future__ import annotations

from decimal import Decimal

import numba
import numpy as np

from benchmarks.measure import Result, seconds, walk
from clawd.authors.starter import starter_library
from clawd.core.costs import Costs
from clawd.engine.backtest import run_backtest
from clawd.engine.evaluator import Evaluator
from clawd.engine.graph import lower
from clawd.engine.runtime import Runtime
from clawd.language.builder import build
from clawd.language.node import Node
from clawd.language.strategy import parse_toml

EMA_CROSS = """
name = "EMA crossover with every exit"
[position]
target = "signal_if(ema(close, 20) > ema(close, 60), ema(close, 60) > ema(close, 20))"
[exits]
stop = { percent = 1 }
trail = { percent = 0.8 }
take = { percent = 2 }
time = 600
"""


def operators() -> Result:
    """Six rolling and recursive operators over a million bars, beside TA-Lib's."""
    import talib  # noqa: PLC0415  (a development dependency)

    panel = walk(1_000_000)
    texts = (
        "ts_mean(close, 30)",
        "ts_std(close, 20)",
        "ts_max(high, 60)",
        "rsi(close, 14)",
        "atr(14)",
        "ts_slope(close, 14)",
    )
    nodes = [node for text in texts if isinstance(node := build(text), Node)]
    graph = lower(nodes, panel)
    rows = [graph.rows[node.text] for node in nodes]
    high, low, close = panel.high[0], panel.low[0], panel.close[0]

    def ours() -> object:
        return Evaluator(graph, 1).advance(panel, rows)

    def theirs() -> object:
        return (
            talib.SMA(close, 30),
            talib.STDDEV(close, 20),
            talib.MAX(high, 60),
            talib.RSI(close, 14),
            talib.ATR(high, low, close, 14),
            talib.LINEARREG_SLOPE(close, 14),
        )

    work = len(texts) * close.size
    return Result("operators", work / seconds(ours), "operator-bars/s", "TA-Lib", work / seconds(theirs))


@numba.njit
def _floor(open_, high, low, close, cash, fee, slip):
    """The same rule written by hand for this one strategy: what a general engine cannot beat."""
    fast = slow = close[0]
    lots = entry = best = 0.0
    held, wanted, shut = 0, 0.0, 0.0
    for t in range(close.size):
        if wanted != np.sign(lots):
            price = open_[t] * (1 + slip * np.sign(wanted - lots))
            size = wanted * cash / close[t - 1]
            cash -= (size - lots) * price + abs(size - lots) * price * fee
            lots, entry, best, held = size, price, price, 0
        if lots != 0.0:
            side = np.sign(lots)
            stop = max(entry * 0.99, best * 0.992) if side > 0 else min(entry * 1.01, best * 1.008)
            take = entry * (1 + 0.02 * side)
            price = 0.0
            if (low[t] <= stop) if side > 0 else (high[t] >= stop):
                price = min(open_[t], stop) if side > 0 else max(open_[t], stop)
                price *= 1 - slip * side
            elif (high[t] >= take) if side > 0 else (low[t] <= take):
                price = take
            held += 1
            if price > 0.0 or held >= 600:
                price = close[t] if price == 0.0 else price
                cash += lots * price - abs(lots) * price * fee
                lots, shut = 0.0, side
            best = max(best, high[t]) if side > 0 else min(best, low[t])
        fast += 2.0 / 21.0 * (close[t] - fast)
        slow += 2.0 / 61.0 * (close[t] - slow)
        wanted = 1.0 if fast > slow else -1.0
        if wanted == shut:
            wanted = 0.0
        else:
            shut = 0.0
    return cash + lots * close[-1]


def backtest() -> Result:
    """One EMA crossover with every exit over 100,000 bars, reports and fills included, beside a kernel of its own."""
    panel = walk(100_000)
    strategy = parse_toml(EMA_CROSS)
    costs, capital = Costs(Decimal("0.001"), Decimal("0.0002")), Decimal(10_000)
    fields = tuple(field[0].copy() for field in (panel.open, panel.high, panel.low, panel.close))
    ours = seconds(lambda: run_backtest(strategy, panel, costs, capital))
    floor = seconds(lambda: _floor(*fields, 10_000.0, 0.001, 0.0002))
    bars = panel.times.size
    return Result("backtest", bars / ours, "bars/s", "hand-written numba kernel, no report", bars / floor)


def bar_by_bar() -> Result:
    """The starter library fed one bar at a time, as when trading, beside the same bars in one block."""
    panel = walk(5_000, instruments=10)
    strategies = starter_library()

    def one_at_a_time() -> None:
        runtime = Runtime(strategies, panel)
        for bar in range(1_000):
            runtime.advance(panel.between(bar, bar + 1))

    work = 1_000 * len(strategies) * len(panel.instruments)
    block = panel.between(0, 1_000)
    single = seconds(one_at_a_time, repeat=3)
    batch = seconds(lambda: Runtime(strategies, panel).advance(block), repeat=3)
    return Result("bar-by-bar", work / single, "strategy-bars/s", "the same bars as one block", work / batch)
