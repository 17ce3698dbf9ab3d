"""Rows that share places, batches, histories that move: whatever the layout, every program has its own values."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from clawd.core.panel import Panel
from clawd.engine import kernel, runtime
from clawd.engine.evaluator import Evaluator
from clawd.engine.graph import lower
from clawd.engine.population import evaluate as figures
from clawd.engine.rows import align
from clawd.engine.runtime import Runtime
from clawd.language.node import Node, walk
from engine.panels import evaluate, evaluate_nodes, program, random_panel
from engine.test_causality import random_strategies
from engine.test_population import CAPITAL, COSTS

STRATEGIES = random_strategies(11, 60)
#: Programs and parts of them: inputs, constants, conditions, prices, what is looked back at and what is not.
PARTS = [*walk(*(strategy.target for strategy in STRATEGIES))]


def in_batches(programs: list[Node], batches: list[int], bars: Panel, random: Random) -> np.ndarray:
    """[N, I, T]: the values of programs, each read when its batch has been computed, in calls of any length."""
    graph = lower(programs, bars, batches)
    evaluator = Evaluator(graph, len(bars.instruments))
    result, start = np.empty((len(programs), *bars.close.shape)), 0
    while start < bars.times.size:
        end = min(bars.times.size, start + random.choice((1, 2, 40, 700)))
        for first, last in evaluator.blocks(bars.between(start, end)):
            done, read = graph.leaves, 0
            for batch, row in enumerate(graph.ends):
                kernel.run(done, row, *evaluator.arrays)
                done = max(done, int(row))
                for index in range(read, read + batches[batch]):
                    align(graph.roots[index], *evaluator.memory, result[index, :, start + first : start + last])
                read += batches[batch]
        start = end
    return result


@pytest.mark.parametrize(("seed", "instruments"), [(0, 1), (1, 2), (2, 3), (3, 8), (4, 3), (5, 8)])
def test_a_program_is_kept_until_its_batch_has_been_read(seed: int, instruments: int) -> None:
    """Programs that are inputs, constants, parts of others, or there twice; batches of none, one and many."""
    random = Random(seed)
    bars = random_panel(seed, instruments=max(3, instruments), bars=900, holes=0.15)
    fitting = [
        node
        for node in PARTS
        if instruments >= 3 or not {"asset", "spread_position"} & {part.operator for part in walk(node)}
    ]
    bars = bars.select(bars.symbols[:instruments])
    programs = [random.choice(fitting) for _ in range(150)]
    batches: list[int] = []
    while (left := len(programs) - sum(batches)) > 0:
        batches.append(min(left, random.choice((0, 1, 1, 5, 32))))
    found = in_batches(programs, batches, bars, random)
    wanted = {node.text: evaluate_nodes([node], bars)[0] for node in programs}
    for node, values in zip(programs, found, strict=True):
        np.testing.assert_array_equal(values, wanted[node.text], err_msg=node.text)


def test_two_threads_decide_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = random_panel(3, bars=400, holes=0.1)
    alone = Runtime(STRATEGIES, bars).targets(bars)
    monkeypatch.setattr(runtime, "LARGE_FLEET", 1)
    for strategies in (STRATEGIES, STRATEGIES[:1], []):
        halves = Runtime(strategies, bars)
        for first, last in ((0, 1), (1, 90), (90, 400)):
            targets, ranges = halves.targets(bars.between(first, last))
            np.testing.assert_array_equal(targets, alone[0][: len(strategies), :, first:last])
            if len(strategies) == len(STRATEGIES):
                np.testing.assert_array_equal(ranges, alone[1][:, :, first:last])


@pytest.mark.parametrize("size", (1, 31, 2_000))
def test_the_longest_window_and_the_shortest(size: int) -> None:
    """Windows far longer than a block, and an instrument that has only some of the bars."""
    bars = random_panel(9, instruments=2, bars=8_000, holes=0.1, silent=0.0)
    for name, direct in (("ts_mean", np.mean), ("ts_max", np.max), ("ts_quantile", np.median)):
        last = ", 0.5" if name == "ts_quantile" else ""
        for w in (1, 5_000):
            node = program(f"neg({name}(close, {w}{last}))")
            evaluator = Evaluator(graph := lower([node], bars), 2)
            found = [
                evaluator.advance(bars.between(t, min(t + size, 8_000)), [graph.roots[0]])[0]
                for t in range(0, 8_000, size)
            ]
            for row, every in enumerate(np.concatenate(found, axis=1)):
                own, values = bars.close[row][bars.present[row]], every[bars.present[row]]
                assert np.isnan(values[: w - 1]).all()
                for end in (w - 1, w, own.size - 1):
                    assert -values[end] == pytest.approx(direct(own[end - w + 1 : end + 1]), rel=1e-12)


def test_an_instrument_without_a_bar_in_a_block_goes_on_where_it_was() -> None:
    bars = random_panel(10, instruments=3, bars=3_000, holes=0.0)
    gap = bars.close.copy()
    gap[1, 500:2_400] = np.nan
    holed = replace(bars, close=gap)
    for text in ("ema(close, 9)", "ts_std(close, 30)", "delay(close, 40)", "close / open", "cs_rank(close)"):
        found = evaluate(text, holed)[1]
        assert np.isnan(found[500:2_400]).all()
        if "cs" in text:
            continue
        kept = np.r_[0:500, 2_400:3_000]
        names = ("open", "high", "low", "close", "volume", "funding")
        dense = replace(
            bars.select("B"),
            times=bars.times[kept],
            **{name: getattr(bars, name)[1:2, kept] for name in names},
            series={},
        )
        np.testing.assert_array_equal(found[kept], evaluate(text, dense)[0], err_msg=text)


def test_a_market_of_one_bar_and_a_population_of_one() -> None:
    bars = random_panel(12, instruments=3, bars=100, holes=0.0)
    for first, last in ((0, 1), (0, 100), (99, 100)):
        whole = figures(STRATEGIES, bars, COSTS, CAPITAL, first, last)
        for index in (0, 31, 32, 59):
            assert str(figures([STRATEGIES[index]], bars, COSTS, CAPITAL, first, last)) == str((whole[index],))
    single = bars.between(50, 51)
    assert all(each.bars == 1 and each.trades == 0 for each in figures(STRATEGIES, single, COSTS, CAPITAL))
