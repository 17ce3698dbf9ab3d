"""The search end to end: breeding, hashing, staged evaluation and the ledger, beside the bare evaluation."""

from __future__ import annotations

import resource
import tempfile
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from benchmarks.measure import Result
from clawd.core.clock import SystemClock
from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.engine.population import evaluate_in_segments
from clawd.engine.warm import warm_up
from clawd.language.strategy import Strategy, parse_json
from clawd.research.search import SearchStep, search
from clawd.store.ledger import Ledger

BARS, INSTRUMENTS, BUDGET, WORKERS = 5_000, 10, 20_000, 2
COSTS, CAPITAL = Costs(Decimal("0.0005"), Decimal("0.0002")), Decimal(10_000)
FLOOR = "population.evaluate of the same strategies over the same bars, two threads"


def days(bars: int = BARS, instruments: int = INSTRUMENTS, seed: int = 7) -> Panel:
    """Seeded random walks of daily bars with a common part, 40 % annual volatility each."""
    rng = np.random.default_rng(seed)
    moves = 0.021 * (0.6 * rng.standard_normal(bars) + 0.8 * rng.standard_normal((instruments, bars)))
    close = 100 * np.exp(np.cumsum(moves, axis=1))
    opened = np.concatenate([np.full((instruments, 1), 100.0), close[:, :-1]], axis=1)
    wicks = 1 + np.abs(rng.normal(0, 0.005, (2, instruments, bars)))
    return Panel(
        instruments=tuple(
            replace(Instrument.from_first_price("DAYS", 100.0), symbol=f"DAYS{row}") for row in range(instruments)
        ),
        bar=NANOSECONDS_PER_DAY,
        times=10_957 * NANOSECONDS_PER_DAY + np.arange(bars) * NANOSECONDS_PER_DAY,
        open=opened,
        high=np.maximum(opened, close) * wicks[0],
        low=np.minimum(opened, close) / wicks[1],
        close=close,
        volume=np.exp(rng.normal(5, 0.5, close.shape)),
        funding=np.zeros(close.shape),
        bars_per_year=365.0,
    )


def research() -> Result:
    """Distinct strategies a second of a whole search over 5,000 bars of ten instruments, beside the floor.

    The machine may be shared, so the processor time of all processes is measured too: a search that has both cores to
    itself takes half of it.
    """
    panel = days()
    warm_up()
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "ledger.sqlite") as ledger:
        before, own = resource.getrusage(resource.RUSAGE_CHILDREN), time.process_time()
        start = time.perf_counter()
        last = _searched(panel, ledger)
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        children = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        main = time.process_time() - own
        parts = {
            bars: [parse_json(trial.program) for trial in ledger.trials() if trial.bars == bars]
            for bars in (BARS // 10, BARS // 5, BARS)
        }
        size = Path(folder, "ledger.sqlite").stat().st_size
    floor, floor_cpu = _floor(panel, parts)
    return Result(
        "research",
        last.strategies / wall,
        "distinct strategies/s",
        FLOOR,
        last.strategies / floor,
        more={
            "seconds": wall,
            "strategies": last.strategies,
            "evaluations": last.trials,
            "all_folds": len(parts[BARS]),
            "cpu_ms_each": 1e3 * (main + children) / last.strategies,
            "cpu_ms_each_main": 1e3 * main / last.strategies,
            "cpu_ms_each_floor": 1e3 * floor_cpu / last.strategies,
            "a_second_by_cpu_on_two_cores": WORKERS * last.strategies / (main + children),
            "ledger_bytes_each": size / last.strategies,
        },
    )


def _searched(panel: Panel, ledger: Ledger) -> SearchStep:
    *_, last = search(
        panel,
        ledger,
        budget=BUDGET,
        seed=1,
        costs=COSTS,
        capital=CAPITAL,
        run="benchmark",
        clock=SystemClock(),
        workers=WORKERS,
    )
    return last


def _floor(panel: Panel, parts: dict[int, list[Strategy]]) -> tuple[float, float]:
    """Seconds, and seconds of processor, of the bare evaluation of the same strategies over as many bars."""
    start, cpu = time.perf_counter(), time.process_time()
    for bars, strategies in parts.items():
        evaluate_in_segments(strategies, panel, COSTS, CAPITAL, 0, bars, segments=6)
    return time.perf_counter() - start, time.process_time() - cpu
