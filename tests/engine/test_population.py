"""A population's figures are those of each strategy's own backtest, whatever the threads, groups and neighbours."""

from __future__ import annotations

import dataclasses
import math
from decimal import Decimal
from random import Random

import numpy as np
import pytest

from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.engine import population
from clawd.engine.backtest import run_backtest
from clawd.engine.metrics import Metrics
from clawd.engine.population import evaluate, evaluate_in_segments
from clawd.language.strategy import Strategy, parse_toml
from engine.panels import random_panel
from language.random_programs import strategy_toml

COSTS, CAPITAL = Costs(Decimal("0.001"), Decimal("0.0005")), Decimal(10_000)


def some_strategies(seed: int, count: int) -> list[Strategy]:
    random = Random(seed)
    return [
        dataclasses.replace(parse_toml(strategy_toml(random, 1 + n % 5)), bar=None, universe=None) for n in range(count)
    ]


def alone(strategies: list[Strategy], bars: Panel, first: int, last: int | None = None) -> list[Metrics]:
    return [run_backtest(strategy, bars, COSTS, CAPITAL, first, last).metrics for strategy in strategies]


def assert_same(found: Metrics, expected: Metrics, strategy: Strategy) -> None:
    for name, value in dataclasses.asdict(expected).items():
        given = getattr(found, name)
        same = math.isnan(given) if math.isnan(value) else math.isclose(given, value, rel_tol=1e-9, abs_tol=1e-12)
        assert same, f"{name}: {given} is not {value} in {strategy.target.text}"


@pytest.mark.parametrize("seed", range(3))
def test_the_figures_are_those_of_each_strategy_alone(seed: int) -> None:
    bars = random_panel(seed, instruments=3, bars=700, holes=0.05)
    strategies = some_strategies(seed, 80)
    found = evaluate(strategies, bars, COSTS, CAPITAL, first=50)
    expected = alone(strategies, bars, 50)
    assert sum(figures.trades > 0 for figures in expected) > 20
    for strategy, one, other in zip(strategies, found, expected, strict=True):
        assert_same(one, other, strategy)


@pytest.mark.parametrize("cooldown", [0, 3, 30])
def test_long_waits_of_a_single_instrument_are_those_of_each_strategy_alone(cooldown: int) -> None:
    """Where nothing is kept but sums, flat stretches are passed many bars at once."""
    bars = random_panel(7, instruments=1, bars=2_500, holes=0.01)
    rules = f"[exits]\nstop = {{ percent = 1 }}\ntake = {{ percent = 1 }}\ncooldown = {cooldown}"
    rules = rules if cooldown else rules.replace("\ncooldown = 0", "")
    strategies = [
        parse_toml(f'name = "{window} {level}"\n[position]\ntarget = "{target}"\n{rules}')
        for window in (5, 20, 60)
        for level in (0.5, 1.0, 2.0)
        for target in (
            f"hysteresis(ts_zscore(close, {window}), {level}, 0)",
            f"long_only(sign(ts_zscore(close, {window}) - {level}))",
            f"rebalance(long_short(ts_zscore(close, {window}) * {level}), 50)",
        )
    ]
    found, expected = evaluate(strategies, bars, COSTS, CAPITAL, first=70), alone(strategies, bars, 70)
    assert sum(figures.trades > 10 for figures in expected) > 20
    for strategy, one, other in zip(strategies, found, expected, strict=True):
        assert_same(one, other, strategy)


def test_threads_groups_batches_and_order_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = random_panel(4, instruments=3, bars=400)
    strategies = some_strategies(4, 70)
    whole = evaluate(strategies, bars, COSTS, CAPITAL, threads=1)
    assert str(evaluate(strategies, bars, COSTS, CAPITAL, threads=2)) == str(whole)
    monkeypatch.setattr(population, "GROUP", 13)
    monkeypatch.setattr(population, "BATCH", 5)
    assert str(evaluate(strategies, bars, COSTS, CAPITAL, threads=3)) == str(whole)
    assert str(evaluate(strategies[::-1], bars, COSTS, CAPITAL)) == str(whole[::-1])


def test_a_window_of_bars_is_traded_and_the_ones_before_it_only_warm_up() -> None:
    bars = random_panel(5, instruments=3, bars=900, holes=0.0)
    strategies = some_strategies(5, 30)
    for first, last in ((0, 900), (300, 700), (513, 514), (600, 600)):
        found = evaluate(strategies, bars, COSTS, CAPITAL, first, last)
        for strategy, one, other in zip(strategies, found, alone(strategies, bars, first, last), strict=True):
            assert one.bars == last - first
            assert_same(one, other, strategy)


@pytest.mark.parametrize("first", [0, 61])
def test_the_segments_are_sums_over_the_curve_of_each_strategys_own_backtest(first: int) -> None:
    bars = random_panel(8, instruments=3, bars=500, holes=0.05)
    strategies = some_strategies(8, 40)
    found = evaluate_in_segments(strategies, bars, COSTS, CAPITAL, first, segments=60)
    for strategy, figures, each in zip(
        strategies, evaluate(strategies, bars, COSTS, CAPITAL, first), found, strict=True
    ):
        assert str(each.metrics) == str(figures)
        curve = run_backtest(strategy, bars, COSTS, CAPITAL, first).net_returns
        assert each.bars.sum() == curve.size
        assert each.bars.size == 60
        assert np.ptp(each.bars) <= 1
        parts = np.split(curve, np.cumsum(each.bars)[:-1])
        np.testing.assert_allclose(each.returns, [part.sum() for part in parts], rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(each.squares, [(part**2).sum() for part in parts], rtol=1e-7, atol=1e-13)


@pytest.mark.parametrize(("target", "side"), [("long_short(1)", 1), ("long_short(-0.5)", -1)])
def test_net_exposure_has_the_sign_of_the_position(target: str, side: int) -> None:
    bars = random_panel(9, instruments=2, bars=300, holes=0.0)
    toml = f'name = "x"\n[position]\ntarget = "{target}"\n[exits]\nstop = {{ percent = 90 }}\n'
    (each,) = evaluate_in_segments([parse_toml(toml)], bars, COSTS, CAPITAL, segments=3)
    assert each.metrics.exposure > 0.1
    assert each.net_exposure == pytest.approx(side * each.metrics.exposure)


def test_fewer_bars_than_segments_are_refused() -> None:
    bars = random_panel(9, instruments=1, bars=30)
    with pytest.raises(ClawdError, match="20 bars cannot be cut into 60 segments"):
        evaluate_in_segments(some_strategies(1, 1), bars, COSTS, CAPITAL, 10, segments=60)


def test_each_strategy_trades_the_instruments_of_its_own_universe() -> None:
    bars = random_panel(6, instruments=3, bars=300)
    strategies = some_strategies(6, 20)
    strategies += [dataclasses.replace(strategy, universe=("A", "C")) for strategy in strategies[:10]]
    strategies = [strategy for strategy in strategies if '"B"' not in strategy.target.text]
    found = evaluate(strategies, bars, COSTS, CAPITAL)
    for strategy, one, other in zip(strategies, found, alone(strategies, bars, 0), strict=True):
        assert_same(one, other, strategy)


def test_a_strategy_that_does_not_fit_the_market_is_refused_by_name() -> None:
    bars = random_panel(7, instruments=3, bars=50)
    misfit = dataclasses.replace(some_strategies(8, 1)[0], name="lost", universe=("Z",))
    with pytest.raises(ClawdError, match="lost"):
        evaluate([*some_strategies(7, 3), misfit], bars, COSTS, CAPITAL)


def test_an_empty_population_has_no_figures() -> None:
    assert evaluate([], random_panel(8, bars=20), COSTS, CAPITAL) == ()
