"""The story of a strategy: gathered without a look at a sealed bar, and every run counted."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from research_worlds import COSTS, MONEY, Tick, author_of, market, strategy_of

from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.engine.backtest import run_backtest
from clawd.language.grow import random_population
from clawd.language.strategy import parse_toml
from clawd.language.vocabulary import Vocabulary
from clawd.reports.story import Story
from clawd.research.campaign import Concluded, campaign
from clawd.research.neighbourhood import MOST_NEIGHBOURS, neighbourhood
from clawd.research.story import find, regimes, tell
from clawd.store.ledger import Ledger
from clawd.store.registry import Registry

FOLLOW = strategy_of("signal_if(close > ts_mean(close, 10), close < ts_mean(close, 10))", "follow")


@pytest.fixture(scope="module")
def edged() -> Panel:
    return market(1_500, drift=0.6, hold=30, volatility=0.04, seed=4)


def told(panel: Panel, home: Path) -> Story:
    return tell(FOLLOW, panel, home, costs=COSTS, capital=MONEY, clock=Tick())


def concluded(panel: Panel, home: Path) -> Concluded:
    author = author_of([FOLLOW, *random_population(Random(3), 30, Vocabulary())])
    stages = campaign(panel, home, budget=9, seed=1, costs=COSTS, capital=MONEY, clock=Tick(), author=author)
    end = list(stages)[-1]
    assert isinstance(end, Concluded)
    return end


def test_after_a_campaign_it_tells_what_the_campaign_found(tmp_path: Path, edged: Panel) -> None:
    best = concluded(edged, tmp_path).judgements[0]
    story = told(edged, tmp_path)
    assert story.run
    assert [gate.name for gate in story.gates] == [gate.name for gate in best.gates]
    assert [gate.value for gate in story.gates] == pytest.approx([gate.value for gate in best.gates], nan_ok=True)
    assert story.selection == best.selection_sharpe
    assert story.verdict == best.verdict
    assert best.evidence is not None
    assert story.wealth[-1] == best.evidence.wealth
    assert story.stressed == best.finalist.stressed_sharpe
    assert story.lineage[0].origin == "random"


def test_before_one_it_says_so_and_looks_at_nothing_sealed(tmp_path: Path, edged: Panel) -> None:
    changed = {name: getattr(edged, name).copy() for name in ("open", "high", "low", "close")}
    for values in changed.values():
        values[:, 900:] *= 7
    one, other = told(edged, tmp_path / "a"), told(replace(edged, **changed), tmp_path / "b")
    assert "not judged by a campaign" in one.verdict
    assert math.isnan(one.selection)
    assert [gate.name for gate in one.gates] == ["deflated-sharpe", "overfitting", "cross-validation", "endurance"]
    assert (one.stressed, one.endured, one.neighbours) == (other.stressed, other.endured, other.neighbours)
    assert one.result.panel.times.size == 900
    with Registry.open(tmp_path / "a" / "ledger.sqlite") as registry:
        assert registry.looks() == ()


def test_a_market_that_has_grown_does_not_open_what_was_sealed(tmp_path: Path) -> None:
    grown = market(2_400, drift=0.6, hold=30, volatility=0.04, seed=4)
    concluded(grown.between(0, 1_500), tmp_path)
    assert told(grown, tmp_path).result.panel.times.tolist() == grown.times[:900].tolist()


def test_every_run_is_a_trial_and_the_second_telling_is_none(tmp_path: Path, edged: Panel) -> None:
    story = told(edged, tmp_path)
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.distinct() == 2 + len(story.neighbours)
        assert ledger.distinct_strategies() == 1 + len(story.neighbours)
    told(edged, tmp_path)
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.distinct() == 2 + len(story.neighbours)


def test_a_neighbour_is_the_strategy_written_with_the_other_number(tmp_path: Path, edged: Panel) -> None:
    story = told(edged, tmp_path)
    assert [each.change for each in story.neighbours] == ["ts_mean window 10 → 8", "ts_mean window 10 → 14"]
    for window, neighbour in zip((8, 14), story.neighbours, strict=True):
        written = strategy_of(f"signal_if(close > ts_mean(close, {window}), close < ts_mean(close, {window}))")
        result = run_backtest(written, edged.between(0, 900), COSTS, MONEY)
        assert neighbour.sharpe == pytest.approx(result.metrics.sharpe, rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_neighbours_are_others_valid_and_few(seed: int) -> None:
    for strategy in random_population(Random(seed), 20, Vocabulary()):
        found = list(neighbourhood(strategy))
        hashes = {each.content_hash for _, each in found}
        assert len(hashes) == len(found) <= MOST_NEIGHBOURS
        assert strategy.content_hash not in hashes
        for _, each in found[:3]:
            assert parse_toml(each.to_toml()).content_hash == each.content_hash


def test_it_is_found_by_file_name_and_hash(tmp_path: Path, edged: Panel) -> None:
    end = concluded(edged, tmp_path)
    path = sorted(end.folder.glob("*.toml"))[0]
    expected = end.judgements[0].strategy.content_hash
    assert find(str(path), tmp_path).content_hash == expected
    assert find(expected[:8], tmp_path).content_hash == expected
    assert find("follow", tmp_path).content_hash == FOLLOW.content_hash
    with pytest.raises(ClawdError, match="no strategy is called so"):
        find("nobody", tmp_path)
    with pytest.raises(ClawdError, match="no strategy is called so"):
        find(expected[:3], tmp_path)


def test_two_of_one_name_are_told_apart_by_their_hashes(tmp_path: Path, edged: Panel) -> None:
    told(edged, tmp_path)
    with pytest.raises(ClawdError, match="3 strategies are called so"):
        find("follow", tmp_path)


def test_regimes_are_known_before_the_bars_that_they_hold(edged: Panel) -> None:
    """The last bar's own move changes what was earned on it and never which market it is counted to."""
    result = run_backtest(FOLLOW, edged, COSTS, MONEY)
    close = edged.close.copy()
    close[:, -1] *= 5
    moved = replace(result, panel=replace(edged, close=close))
    assert regimes(moved) == regimes(result)
    by_name = {each.name: each for each in regimes(result)}
    assert by_name["rising"].share + by_name["falling"].share == pytest.approx(1.0)
    mean = sum(by_name[name].share * by_name[name].annual_return for name in ("calm", "wild"))
    assert mean == pytest.approx(float(result.net_returns[60:].mean()) * 365.25)
    assert regimes(run_backtest(FOLLOW, edged.between(0, 120), COSTS, MONEY)) == ()
    assert not np.isnan([each.sharpe for each in regimes(result)]).any()


def test_one_that_does_not_fit_the_market_is_refused(tmp_path: Path, edged: Panel) -> None:
    with pytest.raises(ClawdError, match="no instrument Y"):
        tell(replace(FOLLOW, universe=("Y",)), edged, tmp_path, costs=COSTS, capital=MONEY, clock=Tick())
