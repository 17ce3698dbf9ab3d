"""The gates on planted data: what they must let through, what they must not, and what each choice buys."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from research_worlds import COSTS, MONEY, market, strategy_of, tried

from clawd.core.panel import Panel
from clawd.data.align import fingerprint
from clawd.evidence.eprocess import EProcess
from clawd.evidence.gates import Gate
from clawd.evidence.overfitting import probability_of_overfitting
from clawd.evidence.segments import Segments
from clawd.language.grow import random_population
from clawd.language.strategy import Strategy
from clawd.language.vocabulary import Vocabulary
from clawd.research.finalists import Candidate, finalists
from clawd.research.judgement import Judgement, gates, to_json
from clawd.research.tried import Tried, tried_on
from clawd.store.ledger import Ledger
from clawd.store.registry import Hypothesis

CROWD = random_population(Random(5), 300, Vocabulary())
WINDOWS = (5, 8, 12, 18, 27)


def follow(window: int, instrument: str) -> Strategy:
    strategy = strategy_of(
        f"signal_if(close > ts_mean(close, {window}), close < ts_mean(close, {window}))", f"{instrument} {window}"
    )
    return replace(strategy, universe=(instrument,))


def searched(panel: Panel, home: Path, strategies: Sequence[Strategy]) -> tuple[list[Candidate], Tried]:
    """The finalists of some strategies, and what was tried on the way."""
    print_ = fingerprint(panel)
    with Ledger.open(home / "ledger.sqlite") as ledger:
        ledger.record(tried(strategies, panel, COSTS, MONEY, "r", 1, 1))
        known = ledger.known(
            print_, int(panel.times[0]), int(panel.times[-1]), float(COSTS.fee), float(COSTS.slippage),
            [each.content_hash for each in strategies],
        )  # fmt: skip
        order = sorted(strategies, key=lambda each: -np.nan_to_num(known[each.content_hash].sharpe))
        found = [each for each in finalists(order, panel, COSTS, MONEY) if each.rejection is None]
        return found, tried_on(ledger, found, panel, print_, COSTS)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Candidate], Tried]:
    return searched(market(1_500, 4, seed=21), tmp_path_factory.mktemp("noisy"), CROWD)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Candidate], Tried]:
    """Eight instruments with the same kind of edge: the finalists are different bets on it, all about equally good."""
    panel = market(1_500, 8, drift=0.15, hold=30, seed=21)
    best = [follow(window, f"X{row}") for row in range(8) for window in WINDOWS]
    return searched(panel, tmp_path_factory.mktemp("shared"), [*CROWD, *best])


def overfitting_of_finalists_alone(found: Sequence[Candidate]) -> float:
    returns = np.array([each.result.net_returns for each in found if each.result is not None])
    return probability_of_overfitting(Segments.of(returns.T, 60), 10).probability


def test_finalists_that_share_an_edge_are_no_sign_of_overfitting(shared: tuple[list[Candidate], Tried]) -> None:
    found, search = shared
    assert len(found) == 20
    assert overfitting_of_finalists_alone(found) > 0.2, "which of the best is the best is a coin's question"
    assert probability_of_overfitting(search.pool, 10).probability <= 0.2


def test_the_best_of_noise_is_overfitted(noisy: tuple[list[Candidate], Tried]) -> None:
    found, search = noisy
    assert probability_of_overfitting(search.pool, 10).probability > 0.4
    assert overfitting_of_finalists_alone(found) > 0.4


def test_the_pool_has_each_behaviour_once_and_every_finalist(noisy: tuple[list[Candidate], Tried]) -> None:
    found, search = noisy
    assert 20 < len(search.pool.sums) < 300
    own = np.array([each.result.net_returns.sum() for each in found if each.result is not None])
    np.testing.assert_allclose(search.pool.sums[: len(found)].sum(axis=1), own, rtol=1e-9)
    assert (search.pool.sums.sum(axis=1) > 0).all()
    correlations = np.corrcoef(search.pool.sums)
    np.fill_diagonal(correlations, 0.0)
    assert correlations.max() < 0.9


def test_the_spread_on_noise_is_that_of_luck(noisy: tuple[list[Candidate], Tried]) -> None:
    assert noisy[1].spread * math.sqrt(1_499) == pytest.approx(1.0, abs=0.15)


def test_an_edge_is_not_charged_for_being_true(tmp_path: Path) -> None:
    """Where much of what is tried has an edge, the ratios spread far wider than luck spreads them."""
    panel = market(1_500, 4, drift=0.4, hold=30, seed=21)
    strategies = [*CROWD[:100], *(follow(window, f"X{row}") for row in range(4) for window in range(4, 29))]
    with_an_edge = np.array([trial.sharpe for trial in tried(strategies, panel, COSTS, MONEY, "r", 1, 1)])
    assert np.nanstd(with_an_edge / 365.25**0.5) * math.sqrt(1_499) > 2.0
    assert searched(panel, tmp_path, strategies)[1].spread * math.sqrt(1_499) < 1.3


def test_what_was_tried_elsewhere_is_counted_too(tmp_path: Path) -> None:
    panel, other = market(600, 2, seed=1), market(600, 2, seed=2)
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        ledger.record(tried(CROWD[:50], other, COSTS, MONEY, "", 0, 1))
    assert searched(panel, tmp_path, [*CROWD[40:60], follow(9, "X0")])[1].trials == 71


def test_the_gates_of_an_edge_and_of_noise(
    shared: tuple[list[Candidate], Tried], noisy: tuple[list[Candidate], Tried]
) -> None:
    names = ["deflated-sharpe", "overfitting", "cross-validation", "endurance", "selection", "superiority"]
    later = np.random.default_rng(1)
    for (found, search), edge in ((shared, 0.25), (noisy, 0.0)):
        selections = [later.normal(edge * 0.01, 0.01, 500) for _ in found]
        every = gates(found, selections, search, looks=len(found), runs=1)
        assert [[gate.name for gate in own] for own in every] == [names] * len(found)
        passed = [all(gate.passed for gate in own) for own in every]
        assert passed[0] if edge else not any(passed)


def test_who_did_not_trade_on_the_selection_does_not_pass(shared: tuple[list[Candidate], Tried]) -> None:
    found, search = shared
    (own,) = gates(found[:1], [np.zeros(500)], search, looks=1, runs=1)
    failed = {gate.name for gate in own if not gate.passed}
    assert {"selection", "superiority"} <= failed


def test_each_look_and_each_campaign_is_charged_for(shared: tuple[list[Candidate], Tried]) -> None:
    found, search = shared
    returns = np.random.default_rng(3).normal(0.0012, 0.01, 500)

    def value(looks: int, runs: int) -> float:
        (own,) = gates(found[:1], [returns], search, looks=looks, runs=runs)
        return own[-1].value

    assert value(1, 1) < value(20, 2) < value(200, 20)


def judgement(found: Candidate, passed: bool = True) -> Judgement:
    gate = Gate("endurance", 0.6 if passed else 0.4, 0.5, passed, "what is left")
    return Judgement(1, found, 1.0, (gate,))


def test_what_is_said_of_it(shared: tuple[list[Candidate], Tried]) -> None:
    found = shared[0][0]
    claim = Hypothesis(3, "h", "n", "a", "1d X0", 0.0, 0.0, 1, 0, 120.0, 1, "r")
    held_back = judgement(found, passed=False)
    turned_away = replace(judgement(found), refusal="it moves like hypothesis 2 (x), which is registered already")
    nothing = replace(judgement(found), hypothesis=claim, evidence=EProcess())
    some = replace(nothing, evidence=EProcess().after(0.5, 1.0))
    proof = replace(nothing, evidence=EProcess((math.log(500),) * 6, 10, math.log(500)))
    assert held_back.verdict == "on paper: held back by endurance"
    assert turned_away.verdict.startswith("on paper: it moves like hypothesis 2")
    assert "wealth 1 of 120" in nothing.verdict
    assert some.verdict.startswith("on paper at wealth 1.4")
    assert proof.verdict == "proven, waiting for you: it reached wealth 120, and HOT needs a person and a venue"
    assert [each.proven for each in (held_back, turned_away, nothing, some, proof)] == [False] * 4 + [True]
    assert not replace(proof, evidence=EProcess((math.log(500),) * 6, 10, math.log(500), broken=True)).proven


def test_it_is_written_as_json_without_nan(shared: tuple[list[Candidate], Tried]) -> None:
    found = replace(shared[0][0], delayed=None)
    gate = Gate("selection", math.nan, 0.0, False, "m")
    text = json.dumps(to_json(Judgement(1, found, math.nan, (gate,))), allow_nan=False)
    assert json.loads(text)["delayed_sharpe"] is None
    assert json.loads(text)["gates"][0]["value"] is None
