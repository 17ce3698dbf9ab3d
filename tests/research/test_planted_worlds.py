"""Planted edges are where they are said to be, as large as they are said to be, and nowhere else."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from surrogate_checks import sample_rows

from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import Floats, Panel
from clawd.engine.backtest import run_backtest
from clawd.engine.population import evaluate
from clawd.research.worlds.planted import CAPITAL, EDGES, HIDDEN, SERIES, Edge, calibrated, noise, planted
from clawd.research.worlds.surrogates import Draws, block_shuffled, phase_randomised

COSTS = Costs(Decimal("0.0005"), Decimal("0.0002"))
EDGE = {kind: edges[1] for kind, edges in EDGES.items()} | {"hidden": HIDDEN}
ALL = [HIDDEN, *(edge for edges in EDGES.values() for edge in edges)]


def sharpe(edge: Edge, strength: float, seeds: range) -> float:
    """Annual, net of costs, of the oracle over fresh worlds of 25 years each."""
    gains, squares = [], []
    for seed in seeds:
        world = planted(block_shuffled(sample_rows(), 6_300, seed), edge, strength, seed)
        assert world.oracle is not None
        (metrics,) = evaluate([world.oracle], world.known, COSTS, CAPITAL)
        gains.append(metrics.annual_return)
        squares.append(metrics.annual_volatility**2)
    return float(np.mean(gains) / math.sqrt(np.mean(squares)))


@pytest.mark.parametrize("kind", ["momentum", "volume", "cross-section", "outside"])
def test_the_oracle_has_the_sharpe_ratio_that_is_claimed(kind: str) -> None:
    """400 fresh years each: the ratio errs by 0.05, and that of the calibration by as much."""
    strengths = calibrated(sample_rows(), EDGE[kind], (1.0, 3.0), COSTS)
    for claimed, strength in strengths.items():
        assert sharpe(EDGE[kind], strength, range(5_000, 5_016)) == pytest.approx(claimed, abs=0.25)


def test_the_claim_is_net_of_the_costs_that_are_asked_for() -> None:
    free = Costs(Decimal(0), Decimal(0))
    cheap, dear = (calibrated(sample_rows(), EDGE["calendar"], (1.0,), costs)[1.0] for costs in (free, COSTS))
    assert 0 < cheap < dear


def _momentum_by_hand(drawn: Draws, strength: float, window: int) -> Floats:
    """The same world a bar at a time, written without the engine: drift follows the sign of the last bars' return."""
    count, length = drawn.shock.shape
    drift = np.zeros((count, length))
    close = np.empty((count, length))
    before = np.full(count, 1e4)
    for t in range(length):
        if t > window:
            drift[:, t] = strength * np.sign(close[:, t - 1] / close[:, t - 1 - window] - 1)
        opened = before * (1 + drawn.gap[:, t])
        sigma = drawn.volatility[:, t]
        close[:, t] = opened * (1 + drift[:, t]) * np.exp(sigma * drawn.shock[:, t] - sigma**2 / 2)
        before = close[:, t]
    return close


def test_the_world_is_the_one_that_follows_from_its_rule_bar_by_bar() -> None:
    drawn = block_shuffled(sample_rows(), 3_000, 8)
    world = planted(drawn, EDGE["momentum"], 0.006, 8)
    np.testing.assert_allclose(world.panel.close, _momentum_by_hand(drawn, 0.006, 9), rtol=1e-9)


@pytest.mark.parametrize("edge", ALL, ids=lambda edge: edge.target)
def test_the_past_does_not_change_when_the_future_does(edge: Edge) -> None:
    drawn = block_shuffled(sample_rows(), 1_500, 21)
    world = planted(drawn, edge, 0.006, 21)
    shock = drawn.shock.copy()
    shock[:, 1_000:] *= -1
    other = planted(replace(drawn, shock=shock), edge, 0.006, 21)
    np.testing.assert_array_equal(other.panel.close[:, :1_000], world.panel.close[:, :1_000])
    np.testing.assert_array_equal(other.drift[:, :1_001], world.drift[:, :1_001])
    assert not np.array_equal(other.panel.close[:, 1_000:], world.panel.close[:, 1_000:])


@pytest.mark.parametrize("edge", ALL, ids=lambda edge: edge.target)
def test_bars_drift_as_they_are_said_to_and_stay_bars(edge: Edge) -> None:
    strength = 0.02
    for surrogate in (block_shuffled, phase_randomised):
        drawn = surrogate(sample_rows(), 4_000, 33)
        world = planted(drawn, edge, strength, 33)
        panel = world.panel
        assert np.abs(world.drift).max() <= strength + 1e-12
        assert (world.drift != 0).mean() > 0.5
        left = (panel.close / panel.open - 1 - world.drift) / drawn.volatility
        right = np.sign(world.drift) * left
        for gains in (left, right):
            assert np.abs(gains.mean(axis=1) / gains.std(axis=1) * math.sqrt(gains.shape[1])).max() < 4.5
        assert (panel.high >= np.maximum(panel.open, panel.close)).all()
        assert (panel.low <= np.minimum(panel.open, panel.close)).all()


def _gain_in_errors(target: str, panels: list[Panel]) -> float:
    strategy = Edge("probe", target).oracle
    returns = np.concatenate([run_backtest(strategy, panel, COSTS.times(0), CAPITAL).net_returns for panel in panels])
    return float(returns.mean() / returns.std() * math.sqrt(returns.size))


def test_what_is_hidden_cannot_be_read_and_other_rules_gain_nothing_from_it() -> None:
    worlds = [planted(block_shuffled(sample_rows(), 6_000, seed), EDGE["hidden"], 0.006, seed) for seed in range(4)]
    for world in worlds:
        assert dict(world.panel.series) == {}
        assert SERIES in world.known.series
        np.testing.assert_array_equal(world.panel.close, world.known.close)
    shown = [world.panel for world in worlds]
    with pytest.raises(ClawdError, match=SERIES):
        _gain_in_errors(EDGE["hidden"].target, shown)
    assert _gain_in_errors(EDGE["hidden"].target, [world.known for world in worlds]) > 20
    for kind in ("momentum", "reversal", "volatility", "volume", "calendar"):
        assert abs(_gain_in_errors(EDGE[kind].target, shown)) < 4


def test_an_outside_series_leads_by_one_bar_and_says_nothing_of_its_own() -> None:
    worlds = [
        planted(block_shuffled(sample_rows(), 6_000, seed), EDGES["outside"][0], 0.006, seed) for seed in range(4)
    ]
    bodies = [np.sign(world.panel.close / world.panel.open - 1)[0] for world in worlds]
    leads = [np.sign(world.panel.series[SERIES]) for world in worlds]
    known = np.concatenate([lead[:-1] * body[1:] for lead, body in zip(leads, bodies, strict=True)])
    assert known.mean() * math.sqrt(known.size) > 8
    series = np.concatenate([world.panel.series[SERIES] for world in worlds])
    assert series.mean() == pytest.approx(0, abs=0.1)
    assert series.std() == pytest.approx(1, abs=0.1)


def test_the_calendar_edge_lies_on_the_bars_after_those_of_the_second_half_of_a_month() -> None:
    world = planted(block_shuffled(sample_rows(), 500, 1), EDGE["calendar"], 0.006, 1)
    days = world.panel.times.astype("datetime64[ns]").astype("datetime64[D]")
    late = (days - days.astype("datetime64[M]")).astype(int) >= 15
    assert (world.drift[:, 1:][:, late[:-1]] > 0).all()
    assert (world.drift[:, 1:][:, ~late[:-1]] < 0).all()


def test_a_world_of_noise_has_no_drift_and_no_rule() -> None:
    drawn = block_shuffled(sample_rows(), 500, 1)
    world = noise(drawn)
    assert world.oracle is None
    assert not world.drift.any()
    np.testing.assert_array_equal(world.panel.close, drawn.panel().close)


def test_an_edge_that_some_instruments_hold_is_in_no_other() -> None:
    drawn = block_shuffled(sample_rows(), 3_000, 4)
    world = planted(drawn, EDGE["cross-section"], 0.01, 4, holders=2)
    assert world.oracle is not None
    assert world.oracle.universe == ("NASDAQ", "SP500")
    assert (world.drift[:2] != 0).mean() > 0.9
    assert not world.drift[2:].any()
    np.testing.assert_array_equal(world.panel.close[2:], drawn.panel().close[2:])
    strength = calibrated(sample_rows(), EDGE["volume"], (2.0,), COSTS, holders=2)[2.0]
    gains, squares = [], []
    for seed in range(5_000, 5_016):
        world = planted(block_shuffled(sample_rows(), 6_300, seed), EDGE["volume"], strength, seed, holders=2)
        assert world.oracle is not None
        (metrics,) = evaluate([world.oracle], world.known, COSTS, CAPITAL)
        gains.append(metrics.annual_return)
        squares.append(metrics.annual_volatility**2)
    assert np.mean(gains) / math.sqrt(np.mean(squares)) == pytest.approx(2.0, abs=0.25)
