"""No program sees the future, and history, blocks of it and single bars give the same to the last bit."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from clawd.core.panel import Panel
from clawd.engine.evaluator import Evaluator
from clawd.engine.graph import lower
from clawd.engine.runtime import Decisions, Runtime
from clawd.engine.steps import STEPS
from clawd.language.node import Node, walk
from clawd.language.strategy import Strategy, parse_toml
from clawd.language.types import NUMBER, POSITION
from engine.panels import evaluate_nodes, program, random_panel
from language.random_programs import ACROSS, Writer

PROGRAMS = 300
BARS = 260


def random_strategies(seed: int, count: int, without: frozenset[str] = frozenset()) -> list[Strategy]:
    """Strategies of random programs, of one to six operators deep, with random exits."""
    random = Random(seed)
    found = []
    for index in range(count):
        target = Writer(random, without).write(POSITION, 1 + index % 6)
        exits = random.choice(("{ atr = 2, window = 5 }", "{ percent = 8 }"))
        found.append(
            parse_toml(
                f"name = 'random {index}'\n[position]\ntarget = '{target}'\n[exits]\n"
                f"stop = {exits}\ntake = {{ atr = 3, window = 7 }}"
            )
        )
    return found


STRATEGIES = random_strategies(1, PROGRAMS)


def decisions(bars: Panel, strategies: list[Strategy] = STRATEGIES) -> list[Decisions]:
    return Runtime(strategies, bars).advance(bars)


#: Every part of every program: conditions, prices and numbers show what a position between -1 and 1 would hide.
NODES = [node for node in walk(*(strategy.target for strategy in STRATEGIES)) if node.inputs]


def values(bars: Panel) -> np.ndarray:
    """[N, I, T] of all the nodes."""
    return evaluate_nodes(NODES, bars)


def assert_equal(found: list[Decisions], expected: list[Decisions], strategies: list[Strategy] = STRATEGIES) -> None:
    """To the last bit."""
    for strategy, one, other in zip(strategies, found, expected, strict=True):
        np.testing.assert_array_equal(one.targets, other.targets, err_msg=strategy.target.text)
        np.testing.assert_array_equal(one.ranges, other.ranges, err_msg=str(strategy.exits))


def market(seed: int) -> Panel:
    return random_panel(seed, instruments=3, bars=BARS, holes=0.08)


def test_the_programs_use_every_operator_and_most_of_them_trade() -> None:
    used = {node.operator for strategy in STRATEGIES for node in walk(strategy.target)}
    assert set(STEPS) - used == {"sub"}  # canonical programs add what is negated
    varied = sum(len(np.unique(found.targets[~np.isnan(found.targets)])) > 2 for found in decisions(market(1)))
    assert varied > PROGRAMS * 0.4
    assert len({strategy.target.text for strategy in STRATEGIES}) > PROGRAMS * 0.9


@pytest.mark.parametrize("seed", range(3))
def test_what_was_decided_does_not_change_when_more_bars_come(seed: int) -> None:
    bars = market(seed)
    whole = decisions(bars)
    for last in (1, 2, 30, 117, BARS - 1):
        assert_equal(decisions(bars.between(0, last)), [found.between(0, last) for found in whole])


@pytest.mark.parametrize("seed", range(3))
def test_no_part_of_a_program_sees_the_future(seed: int) -> None:
    bars = market(seed)
    whole = values(bars)
    rng = np.random.default_rng(seed)
    for last in (3, 61, 190):
        np.testing.assert_array_equal(values(bars.between(0, last)), whole[:, :, :last])
        np.testing.assert_array_equal(values(garbled(bars, last, rng))[:, :, :last], whole[:, :, :last])


def test_every_part_of_a_program_is_the_same_in_blocks_of_any_size() -> None:
    bars = market(8)
    whole = values(bars)
    graph = lower(NODES, bars)
    evaluator, random, first = Evaluator(graph, 3), Random(8), 0
    rows = [graph.rows[node.text] for node in NODES]
    while first < BARS:
        last = min(BARS, first + random.choice((1, 1, 3, 17, 50)))
        np.testing.assert_array_equal(evaluator.advance(bars.between(first, last), rows), whole[:, :, first:last])
        first = last


def test_saved_memory_goes_on_as_if_nothing_had_happened() -> None:
    bars = market(8)
    whole = values(bars)
    graph = lower(NODES, bars)
    rows = [graph.rows[node.text] for node in NODES]
    before = Evaluator(graph, 3)
    before.advance(bars.between(0, 100), rows)
    after = Evaluator(graph, 3)
    after.state, after.seen = before.state.copy(), before.seen.copy()
    np.testing.assert_array_equal(after.advance(bars.between(100, BARS), rows), whole[:, :, 100:])


@pytest.mark.parametrize("seed", range(3))
def test_garbage_in_the_future_changes_nothing_before_it(seed: int) -> None:
    bars = market(seed)
    whole = decisions(bars)
    rng = np.random.default_rng(seed)
    for last in (20, 90, 200):
        assert_equal(
            [found.between(0, last) for found in decisions(garbled(bars, last, rng))],
            [found.between(0, last) for found in whole],
        )


def garbled(bars: Panel, first: int, rng: np.random.Generator) -> Panel:
    """The bars with nonsense from one on: spikes, zeros, holes, prices out of order."""

    def nonsense(values: np.ndarray) -> np.ndarray:
        values = values.copy()
        shape = values[..., first:].shape
        values[..., first:] = rng.choice([0.0, 1e-9, 1.0, -5.0, 1e12, np.nan], shape) * rng.normal(1.0, 1.0, shape)
        return values

    columns = {name: nonsense(getattr(bars, name)) for name in ("open", "high", "low", "close", "volume")}
    return replace(bars, **columns, series={name: nonsense(values) for name, values in bars.series.items()})


def test_a_bar_at_a_time_gives_what_history_gives() -> None:
    bars = market(0)
    whole = decisions(bars)
    runtime = Runtime(STRATEGIES, bars)
    for t in range(BARS):
        assert_equal(runtime.advance(bars.between(t, t + 1)), [found.between(t, t + 1) for found in whole])


@pytest.mark.parametrize("seed", range(4))
def test_blocks_of_any_size_give_what_history_gives(seed: int) -> None:
    bars = market(seed)
    whole = decisions(bars)
    runtime, random = Runtime(STRATEGIES, bars), Random(seed)
    first = 0
    while first < BARS:
        last = min(BARS, first + random.choice((1, 2, 7, 31, 64)))
        assert_equal(runtime.advance(bars.between(first, last)), [found.between(first, last) for found in whole])
        first = last


def test_blocks_inside_the_evaluator_are_not_seen_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = market(9)
    whole = decisions(bars)
    for block in (1, 7, 100):
        monkeypatch.setattr("clawd.engine.evaluator.BLOCK", block)
        assert_equal(decisions(bars), whole)


def test_a_strategy_decides_the_same_alone_as_in_a_population() -> None:
    bars = market(5)
    together = decisions(bars)
    windows = Runtime(STRATEGIES, bars).windows
    for strategy, expected in zip(STRATEGIES, together, strict=True):
        found = decisions(bars, [strategy])[0]
        np.testing.assert_array_equal(found.targets, expected.targets, err_msg=strategy.target.text)
        own = [windows.index(window) for window in strategy.exits.windows]
        np.testing.assert_array_equal(found.ranges, expected.ranges[own], err_msg=str(strategy.exits))


def permuted(bars: Panel, order: list[int]) -> Panel:
    columns = ("open", "high", "low", "close", "volume", "funding")
    return replace(
        bars,
        instruments=tuple(bars.instruments[row] for row in order),
        **{name: getattr(bars, name)[order] for name in columns},
    )


@pytest.mark.parametrize("order", [[2, 1, 0], [1, 2, 0]])
def test_the_order_of_the_instruments_does_not_matter(order: list[int]) -> None:
    bars = market(3)
    whole = decisions(bars)
    for strategy, found, expected in zip(STRATEGIES, decisions(permuted(bars, order)), whole, strict=True):
        np.testing.assert_allclose(
            found.targets, expected.targets[order], rtol=1e-9, atol=1e-9, err_msg=strategy.target.text
        )
        np.testing.assert_array_equal(found.ranges, expected.ranges[:, order])


def scaled(bars: Panel, factor: float) -> Panel:
    return replace(bars, **{name: getattr(bars, name) * factor for name in ("open", "high", "low", "close")})


def depends_on_the_currency(root: Node) -> bool:
    """Whether it takes the logarithm of something with a unit: the one number that depends on the currency."""
    return any(node.operator == "log" and node.inputs[0].type.unit != NUMBER for node in walk(root))


# A power of two scales floats exactly. Any other factor rounds, and rounding decides ties: whether a close is above the
# lowest of `close * volume / volume`, say. Few random programs hang on such ties.
EXACT, ROUNDED = (1_024.0, 2.0**-10), (1_000.0, 0.001)


@pytest.mark.parametrize("factor", EXACT + ROUNDED)
def test_prices_in_another_currency_unit_leave_the_targets(factor: float) -> None:
    bars = market(4)
    strategies = [strategy for strategy in STRATEGIES if not depends_on_the_currency(strategy.target)]
    assert len(strategies) > PROGRAMS * 0.8
    unequal = []
    for strategy, found, expected in zip(
        strategies, decisions(scaled(bars, factor), strategies), decisions(bars, strategies), strict=True
    ):
        if not np.allclose(found.targets, expected.targets, rtol=1e-9, atol=1e-9, equal_nan=True):
            unequal.append(strategy.target.text)
        np.testing.assert_allclose(found.ranges, expected.ranges * factor, rtol=1e-9)
    assert len(unequal) <= (0 if factor in EXACT else 0.02 * PROGRAMS), unequal


@pytest.mark.parametrize("factor", EXACT + ROUNDED)
def test_every_part_of_a_program_scales_as_its_unit_says(factor: float) -> None:
    bars = market(4)
    unequal = []
    for node, before, after in zip(NODES, values(bars), values(scaled(bars, factor)), strict=True):
        expected = before * factor ** float(node.type.unit.currency)
        largest = np.nanmax(np.abs(expected), initial=0.0)
        near = np.allclose(after, expected, rtol=1e-7, atol=1e-9 * largest, equal_nan=True)
        if not near and not depends_on_the_currency(node):
            unequal.append(node.text)
    assert len(unequal) <= (0 if factor in EXACT else 0.02 * len(NODES)), unequal


@pytest.mark.parametrize("seed", range(3))
def test_a_program_of_positions_is_finite_and_bounded_wherever_a_bar_exists(seed: int) -> None:
    bars = market(seed)
    values = evaluate_nodes([strategy.target for strategy in STRATEGIES], bars)
    for strategy, found in zip(STRATEGIES, values, strict=True):
        assert np.isfinite(found[bars.present]).all(), strategy.target.text
        assert np.abs(found[bars.present]).max() <= 1.0 + 1e-12, strategy.target.text
        assert np.isnan(np.broadcast_to(found, bars.close.shape)[~bars.present]).all(), strategy.target.text


def test_targets_are_numbers_on_garbage_too() -> None:
    bars = garbled(market(6), 5, np.random.default_rng(0))
    for strategy, found in zip(STRATEGIES, decisions(bars), strict=True):
        assert np.isfinite(found.targets[bars.present]).all(), strategy.target.text
        assert np.abs(found.targets[bars.present]).max() <= 1.0


OWN = random_strategies(2, PROGRAMS, without=ACROSS)


@pytest.mark.parametrize("seed", range(3))
def test_an_instrument_is_its_own_bars_whatever_else_is_in_the_panel(seed: int) -> None:
    """Other instruments and the times that only they have change nothing for a program without a cross-section."""
    bars = market(seed)
    whole = decisions(bars, OWN)
    for row, instrument in enumerate(bars.instruments):
        alone = bars.select([instrument.symbol])
        keep = alone.present[0]
        assert 0 < keep.sum() < BARS
        dense = replace(
            alone,
            times=alone.times[keep],
            **{name: getattr(alone, name)[:, keep] for name in ("open", "high", "low", "close", "volume", "funding")},
            series={name: values[keep] for name, values in alone.series.items()},
        )
        for strategy, found, expected in zip(OWN, decisions(dense, OWN), whole, strict=True):
            np.testing.assert_array_equal(found.targets[0], expected.targets[row][keep], err_msg=strategy.target.text)
            np.testing.assert_array_equal(found.ranges[:, 0], expected.ranges[:, row][:, keep])


def test_a_missing_bar_has_no_target_and_the_warm_up_is_flat() -> None:
    bars = market(7)
    for strategy, found in zip(STRATEGIES, decisions(bars), strict=True):
        np.testing.assert_array_equal(np.isnan(found.targets), ~bars.present)
        for row in range(3):
            own = found.targets[row][bars.present[row]]
            assert not own[: strategy.lookback].any(), strategy.target.text


def test_a_program_that_needs_no_history_decides_on_the_first_bar() -> None:
    bars = random_panel(0, instruments=1, bars=20, holes=0.0)
    strategy = parse_toml('name = "x"\n[position]\ntarget = "long_only(1)"\n[exits]\nstop = { percent = 5 }')
    found = decisions(bars, [strategy])[0]
    assert found.targets[bars.present].tolist() == [1.0] * int(bars.present.sum())
    assert found.ranges.shape == (0, *bars.close.shape)


def test_the_evaluator_shares_what_programs_have_in_common() -> None:
    bars = market(0)
    graph = lower([program("ema(close, 20) - open"), program("long_short(open / ema(close, 20))")], bars)
    assert sorted(graph.rows) == sorted(
        {"close", "open", "ema(close, 20)", "neg(open)", "add(ema(close, 20), neg(open))"}
        | {"div(open, ema(close, 20))", "long_short(div(open, ema(close, 20)))"}
    )
