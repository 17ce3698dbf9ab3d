"""The engine against TA-Lib, against a hand-written kernel, and against itself."""

from __future__ import annotations

from decimal import Decimal

from benchmarks.floor import one_rule
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


def backtest() -> Result:
    """One EMA crossover with every exit over 100,000 bars, reports and fills included, beside a kernel of its own."""
    panel = walk(100_000)
    strategy = parse_toml(EMA_CROSS)
    costs, capital = Costs(Decimal("0.001"), Decimal("0.0002")), Decimal(10_000)
    fields = tuple(field[0].copy() for field in (panel.open, panel.high, panel.low, panel.close))
    ours = seconds(lambda: run_backtest(strategy, panel, costs, capital))
    floor = seconds(lambda: one_rule(*fields, 10_000.0, 0.001, 0.0002, 20, 60))
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
