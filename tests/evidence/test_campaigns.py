"""Whole campaigns through all statistics: noise knocks in vain, a real edge is let in, copies open no door."""

from __future__ import annotations

import arch.data.sp500
import numpy as np
import pytest

from clawd.core.panel import Floats
from clawd.evidence.bootstrap import step_down
from clawd.evidence.cross_validation import split_sharpes
from clawd.evidence.effective_trials import cluster, effective_trials, spread_of_luck
from clawd.evidence.gates import (
    Gate,
    all_passed,
    cross_validation_gate,
    deflated_sharpe_gate,
    overfitting_gate,
    superiority_gate,
)
from clawd.evidence.multiple_testing import benjamini_yekutieli
from clawd.evidence.overfitting import probability_of_overfitting
from clawd.evidence.segments import Segments
from clawd.evidence.sharpe import moments, probabilistic_sharpe

FINALISTS = 20


def judged(returns: Floats, seed: int = 0) -> tuple[int, float, list[Gate]]:
    """The best of all trials, the naive confidence in it, and its gates: float64 [T, N] net returns."""
    bars, trials = returns.shape
    segments = Segments.of(returns, 60)
    sharpes = segments.sharpes(np.ones((1, 60), dtype=bool))[:, 0]
    finalists = np.argsort(-sharpes)[:FINALISTS]
    best = int(finalists[0])
    pool = Segments(segments.sums[finalists], segments.squares[finalists], segments.counts)
    found = [moments(returns[:, k]) for k in finalists]
    confidence = np.array([probabilistic_sharpe(m.sharpe, m.bars, m.skew, m.kurtosis) for m in found])
    spread = spread_of_luck(sharpes, cluster(segments.sums), bars)
    gates = [
        deflated_sharpe_gate(found[0], trials=trials, trials_sd=spread),
        overfitting_gate(probability_of_overfitting(pool)),
        superiority_gate(
            float(step_down(returns[:, finalists], resamples=200, seed=seed, block=5).adjusted[0]),
            float(benjamini_yekutieli(1 - confidence).adjusted[0]),
        ),
        cross_validation_gate(split_sharpes(segments)[best]),
    ]
    return best, float(confidence[0]), gates


@pytest.mark.parametrize(("edge", "expected"), [(0.0, False), (0.25, True)])
def test_noise_knocks_in_vain_and_a_real_edge_is_let_in(edge: float, expected: bool) -> None:
    """Two hundred trials over a thousand bars: all of them noise, or one with a ratio of 0.25 a bar."""
    let_in = 0
    for seed in range(10):
        returns = np.random.default_rng(seed).standard_normal((1_000, 200)) * 0.01
        returns[:, 17] += edge * 0.01
        best, _, gates = judged(returns, seed)
        let_in += all_passed(gates)
        assert not expected or best == 17
    assert (let_in >= 7) if expected else (let_in == 0)


def crossings(market: Floats, cost: float = 0.0005) -> Floats:
    """float64 [T, N] net returns of long or short by two moving averages, N = 108."""
    log_price = np.cumsum(np.log1p(market))
    total = np.concatenate(([0.0], np.cumsum(log_price)))

    def average(length: int) -> Floats:
        out = np.full(len(market), np.nan)
        out[length - 1 :] = (total[length:] - total[:-length]) / length
        return out

    trials = []
    for slow in range(20, 260, 20):
        for fast in range(2, 20, 2):
            held = np.sign(np.nan_to_num(average(fast) - average(slow)))
            held = np.concatenate(([0.0], held[:-1]))  # decided at the close, held from the next bar on
            trials.append(held * market - cost * np.abs(np.diff(held, prepend=0.0)))
    return np.column_stack(trials)


MARKET = arch.data.sp500.load()["Close"].pct_change().dropna().to_numpy()


def test_moving_averages_find_nothing_in_days_without_an_order() -> None:
    """Twenty years of the S&P 500, without their drift and shuffled: a hundred rules, and no one is let in."""
    naive = 0
    for seed in range(20):
        shuffled = np.random.default_rng(seed).permutation(MARKET - MARKET.mean())
        _, confidence, gates = judged(crossings(shuffled, cost=0.0), seed)
        naive += confidence >= 0.95
        assert not all_passed(gates)
        assert not gates[0].passed
    assert naive >= 4, "control: by itself the best of a hundred looks good far more often than one in twenty"


def test_days_with_an_order_are_let_in() -> None:
    """The same days with gains that follow upon gains, strong enough to live on after costs."""
    let_in = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        shuffled = rng.permutation(MARKET - MARKET.mean())
        drift = np.repeat(rng.choice([-1.0, 1.0], size=len(MARKET) // 120 + 1), 120)[: len(MARKET)] * 0.15
        _, _, gates = judged(crossings(shuffled + drift * MARKET.std()), seed)
        let_in += gates[0].passed and gates[2].passed and gates[3].passed
    assert let_in >= 4


def test_a_flood_of_copies_does_not_lower_the_bar() -> None:
    returns = crossings(np.random.default_rng(3).permutation(MARKET - MARKET.mean()))
    rng = np.random.default_rng(4)
    *_, honest = judged(returns)
    copies = returns[:, [5]] + rng.standard_normal((len(returns), 1_000)) * 1e-4
    *_, flooded = judged(np.hstack((returns, copies)))
    assert flooded[0].value < honest[0].value
    known = effective_trials(Segments.of(np.hstack((returns, copies)), 60).sums)
    assert known.effective_rank < known.clusters < 120
