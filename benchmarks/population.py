"""Populations: random programs, a grid of parameters, growth, and a live bar of a large fleet."""

from __future__ import annotations

import time
from decimal import Decimal
from random import Random

import numba
import numpy as np

from benchmarks.floor import many_rules
from benchmarks.measure import Result, seconds, walk
from clawd.authors.parameter_grid import parameter_grid
from clawd.authors.starter import starter_library
from clawd.core.costs import Costs
from clawd.core.panel import Floats, Panel
from clawd.engine.metrics import Metrics
from clawd.engine.population import evaluate
from clawd.engine.runtime import Runtime
from clawd.language.grow import random_population
from clawd.language.mutation import mutate
from clawd.language.operators import OPERATORS
from clawd.language.strategy import Strategy, parse_toml
from clawd.language.vocabulary import UNTYPED, Vocabulary

BARS = 100_000
# Small, so that few of thousands of strategies without skill are ruined: a ruined one holds still and costs little.
COSTS, CAPITAL = Costs(Decimal("0.00001"), Decimal("0.000002")), Decimal(10_000)
FLOOR = "hand-written EMA rule with every exit, two threads"

GRID = """
name = "EMA crossover with every exit"
[let]
fast = 12
slow = 48
band = 0.001
[position]
target = "hysteresis(ema(close, fast) / ema(close, slow) - 1, band, 0)"
[exits]
stop = { percent = 1 }
trail = { percent = 0.8 }
take = { percent = 2 }
time = 600
"""


def one_market() -> Vocabulary:
    """Every operator that makes sense on a single instrument without outside series."""
    across = {name for name, entry in OPERATORS.items() if entry.group == "cross-section"}
    several = across | {"xs_portfolio", "share_by", "inv_vol", "spread_position"}
    return Vocabulary(operators=tuple(name for name in OPERATORS if name not in UNTYPED | several))


def grown(count: int, seed: int = 1) -> list[Strategy]:
    """Distinct random strategies with exits, of twelve nodes in the median."""
    return random_population(Random(seed), count, one_market())


def run(strategies: list[Strategy], panel: Panel) -> tuple[Metrics, ...]:
    return evaluate(strategies, panel, COSTS, CAPITAL)


def random_programs() -> Result:
    """A thousand random programs with exits, fees and slippage over 100,000 bars, beside the floor."""
    panel, strategies = walk(BARS), grown(1_000)
    work = len(strategies) * BARS
    ours = seconds(lambda: run(strategies, panel), repeat=3)
    floor = seconds(lambda: many_rules(panel, len(strategies)), repeat=3)
    sizes = [strategy.target.size for strategy in strategies]
    figures = run(strategies, panel)
    return Result(
        "random-population",
        work / ours,
        "strategy-bars/s",
        FLOOR,
        work / floor,
        more={
            "seconds": ours,
            "programs": len(strategies),
            "bars": BARS,
            "median_nodes": float(np.median(sizes)),
            **_activity(figures),
        },
    )


def grid() -> Result:
    """Ten thousand combinations of four parameters, read, checked and traded over 100,000 bars, beside the floor."""
    panel = walk(BARS)
    values = {
        "fast": tuple(str(window) for window in range(5, 45, 2)),
        "slow": tuple(str(window) for window in range(50, 300, 5)),
        "band": tuple(f"{0.0002 * step:g}" for step in range(10)),
    }

    def ours() -> tuple[Metrics, ...]:
        variants = parameter_grid(parse_toml(GRID), values)
        return run([variant.strategy for variant in variants], panel)

    start = time.perf_counter()
    figures = ours()
    ours_seconds = time.perf_counter() - start
    part = 1_000
    floor = seconds(lambda: many_rules(panel, part), repeat=3)
    work = 10_000 * BARS
    return Result(
        "parameter-grid",
        work / ours_seconds,
        "strategy-bars/s",
        FLOOR,
        part * BARS / floor,
        more={"seconds": ours_seconds, "combinations": len(figures), "bars": BARS, **_activity(figures)},
    )


def _activity(figures: tuple[Metrics, ...]) -> dict[str, float]:
    """How busy strategies were: positions closed by each, the share that closed one at least, and the share ruined."""
    closed = np.array([each.trades for each in figures])
    ruined = np.array([each.total_return <= -1.0 for each in figures])
    return {"closed_each": float(closed.mean()), "active": float((closed > 0).mean()), "ruined": float(ruined.mean())}


def growth() -> Result:
    """Ten times the bars, and ten times the programs: by how much more than tenfold the cost grows, at worst."""
    programs, bars = 100, 10_000
    strategies, panel = grown(10 * programs), walk(10 * bars)
    few, short = strategies[:programs], panel.between(0, bars)
    once = seconds(lambda: run(few, short), repeat=5)
    more_bars = seconds(lambda: run(few, panel), repeat=3) / (10 * once)
    more_programs = seconds(lambda: run(strategies, short), repeat=3) / (10 * once)
    return Result(
        "growth",
        max(more_bars, more_programs),
        "cost over linear",
        "linear growth",
        1.0,
        less_is_better=True,
        more={"ten_times_the_bars": 10 * more_bars, "ten_times_the_programs": 10 * more_programs},
    )


@numba.njit(nogil=True)
def _crossings(state: Floats, close: Floats, targets: Floats) -> None:
    for n in range(state.shape[0]):
        for i in range(close.size):
            state[n, 0, i] += 2.0 / (n % 40 + 6.0) * (close[i] - state[n, 0, i])
            state[n, 1, i] += 2.0 / (n % 200 + 51.0) * (close[i] - state[n, 1, i])
            targets[n, i] = 1.0 if state[n, 0, i] > state[n, 1, i] else -1.0


def bred(count: int, seed: int = 1) -> list[Strategy]:
    """Distinct descendants of the starter library by up to six mutations each: a fleet as evolution hires it."""
    random, found = Random(seed), {strategy.content_hash: strategy for strategy in starter_library()}
    parents = list(found.values())
    while len(found) < count:
        child = random.choice(parents)
        for _ in range(random.randint(1, 6)):
            child = mutate(random, child, Vocabulary()) or child
        found.setdefault(child.content_hash, child)
    return list(found.values())


def latencies(strategies: list[Strategy], panel: Panel, warm: int) -> Floats:
    """Milliseconds from bar closed to targets ready, for each bar after the first ``warm``."""
    runtime = Runtime(strategies, panel)
    runtime.targets(panel.between(0, warm))
    taken = []
    for bar in range(warm, panel.times.size):
        row = panel.between(bar, bar + 1)
        start = time.perf_counter()
        runtime.targets(row)
        taken.append(time.perf_counter() - start)
    return np.array(taken) * 1e3


def live_bar() -> Result:
    """2,000 agents on 50 instruments: from bar closed to targets ready, 99th percentile of 1,000 bars.

    The fleet is bred from the starter library; a fleet of unrelated random programs, which share little, is beside it.
    """
    agents, instruments, warm, measured = 2_000, 50, 400, 1_000
    panel = walk(warm + measured, instruments)
    taken, random = latencies(bred(agents), panel, warm), latencies(grown(agents), panel, warm)
    state, targets = np.zeros((agents, 2, instruments)), np.empty((agents, instruments))
    closes = np.ascontiguousarray(panel.close.T)
    floor = []
    for bar in range(measured):
        start = time.perf_counter()
        _crossings(state, closes[bar], targets)
        floor.append(time.perf_counter() - start)
    return Result(
        "live-bar",
        float(np.percentile(taken, 99)),
        "ms, 99th percentile",
        "hand-written EMA crossings, one thread",
        float(np.percentile(floor, 99)) * 1e3,
        less_is_better=True,
        more={
            "p50_ms": float(np.percentile(taken, 50)),
            "random_p50_ms": float(np.percentile(random, 50)),
            "random_p99_ms": float(np.percentile(random, 99)),
            "agents": agents,
            "instruments": instruments,
        },
    )
