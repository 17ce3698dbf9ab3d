"""The search: the same ledger from the same seed whoever evaluates, whatever befalls it; and edges that are found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pytest
from search_worlds import CAPITAL, COSTS, follows, market, rows, searched

import clawd
from clawd.authors.evolution.family import family
from clawd.authors.evolution.objectives import Outcome, whole_sharpe
from clawd.authors.evolution.stages import SEGMENTS, Stage, stages_of, verdicts
from clawd.authors.evolution.sweep import simple_strategies
from clawd.core.clock import SystemClock
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.engine.population import evaluate_in_segments
from clawd.language.grow import random_population
from clawd.language.strategy import Strategy, parse_json
from clawd.research.search import Evaluator, Order, search, vocabulary_of
from clawd.store.ledger import Ledger

BUDGET = 330


@pytest.fixture(scope="module")
def panel() -> Panel:
    return market(1, edge=follows(12))


@pytest.fixture(scope="module")
def whole(panel: Panel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger of a search that nothing befell."""
    path = tmp_path_factory.mktemp("whole") / "ledger.sqlite"
    searched(panel, path, BUDGET)
    return path


def test_the_ledger_is_the_same_with_one_worker_and_with_two(panel: Panel, whole: Path, tmp_path: Path) -> None:
    searched(panel, tmp_path / "two.sqlite", BUDGET, workers=2)
    expected = rows(whole)
    assert rows(tmp_path / "two.sqlite") == expected
    assert len(expected) > 3 * BUDGET, "trials, segments and programs"


def test_another_seed_tries_other_strategies(panel: Panel, whole: Path, tmp_path: Path) -> None:
    searched(panel, tmp_path / "other.sqlite", 100, seed=2)
    with Ledger.open(tmp_path / "other.sqlite") as other, Ledger.open(whole) as ledger:
        here, there = ({trial.content_hash for trial in each.trials()} for each in (other, ledger))
    assert len(here - there) > 30


def test_every_trial_says_where_it_comes_from(panel: Panel, whole: Path) -> None:
    stages = {(stage.last - stage.first): stage for stage in stages_of(panel.times.size)}
    with Ledger.open(whole) as ledger:
        trials = list(ledger.trials())
        assert ledger.distinct_strategies() == BUDGET
        known = {trial.content_hash for trial in trials}
        for trial in trials:
            stage = stages[trial.bars]
            assert (trial.run, trial.seed, trial.author, trial.looks) == ("test", 1, "evolution", 1)
            assert trial.segments is not None
            assert trial.segments.bars.size == stage.segments
            assert trial.first_ts == panel.times[stage.first]
            assert trial.last_ts == panel.times[stage.last - 1]
            assert set(trial.parents) <= known
            assert parse_json(trial.program).content_hash == trial.content_hash
        origins = {trial.origin for trial in trials}
    assert {"simple", "random", "crossover", "mutation:window"} <= origins


def test_what_was_evaluated_is_what_a_study_of_it_alone_gives(panel: Panel, whole: Path) -> None:
    stage = stages_of(panel.times.size)[-1]
    with Ledger.open(whole) as ledger:
        trials = [trial for trial in ledger.trials() if trial.bars == stage.bars][:10]
    for trial in trials:
        (alone,) = evaluate_in_segments([parse_json(trial.program)], panel, COSTS, CAPITAL, segments=SEGMENTS)
        assert trial.segments is not None
        assert np.array_equal(trial.segments.returns, alone.returns)
        assert trial.sharpe == alone.metrics.sharpe or np.isnan(alone.metrics.sharpe)


def test_what_the_ledger_knows_is_not_evaluated_again(
    panel: Panel, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "copy.sqlite"
    path.write_bytes(whole.read_bytes())
    before = rows(path)

    def refuses(*_: object, **__: object) -> None:
        raise AssertionError("nothing is left to be evaluated")

    monkeypatch.setattr("clawd.research.search.run_study", refuses)
    last = searched(panel, path, BUDGET)[-1]
    assert last.finished
    assert last.remembered == last.trials > BUDGET
    assert rows(path) == before, "not even a look is added"


def test_with_another_capital_it_is_another_evaluation_of_the_same_trial(
    panel: Panel, whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "copy.sqlite"
    path.write_bytes(whole.read_bytes())
    with Ledger.open(path) as ledger:
        steps = list(
            search(
                panel,
                ledger,
                budget=100,
                seed=1,
                costs=COSTS,
                capital=Decimal(77),
                run="poor",
                clock=SystemClock(),
                workers=1,
            )
        )
    assert steps[-1].remembered == 0


def test_a_search_that_is_stopped_goes_on_where_it_was(panel: Panel, whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "stopped.sqlite"
    last = searched(panel, path, BUDGET, stop=lambda: _count(path) > 300)[-1]
    assert not last.finished
    assert 0 < len(rows(path)) < len(rows(whole))
    last = searched(panel, path, BUDGET)[-1]
    assert last.finished
    assert last.remembered > 0
    assert rows(path) == rows(whole)


SCRIPT = """
import sys
from pathlib import Path
from search_worlds import follows, market, searched

if __name__ == "__main__":
    searched(market(1, edge=follows(12)), Path(sys.argv[1]), int(sys.argv[2]), workers=2)
"""


@pytest.mark.parametrize("shares", [(0.4,), pytest.param((0.2, 0.6), marks=pytest.mark.long)])
def test_a_search_that_is_killed_and_started_again_leaves_the_same_ledger(
    whole: Path, tmp_path: Path, shares: tuple[float, ...]
) -> None:
    """Once in the middle; twice goes on from where a search that had gone on was killed."""
    script, path = tmp_path / "script.py", tmp_path / "killed.sqlite"
    script.write_text(SCRIPT)
    paths = os.pathsep.join((str(Path(clawd.__file__).parents[1]), str(Path(__file__).parent)))
    command = [sys.executable, str(script), str(path), str(BUDGET)]
    environment = {**os.environ, "PYTHONPATH": paths}
    wanted = len(rows(whole))
    for share in shares:
        process = subprocess.Popen(command, env=environment, start_new_session=True)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None and _count(path) < share * wanted:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(60)
        assert 0 < _count(path) < wanted, "killed in the middle"
    subprocess.run(command, env=environment, check=True, timeout=120)
    assert rows(path) == rows(whole)


def _count(path: Path) -> int:
    try:
        return len(rows(path)) if path.exists() else 0
    except Exception:  # it is being laid out
        return 0


# What it finds.


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_planted_edge_is_found(seed: int, tmp_path: Path) -> None:
    """Two thousand bars, an edge of Sharpe ratio 3 whose window is on no grid, 700 strategies.

    As a long proof in another world, too.
    """
    panel = market(seed + 10, bars=2000, edge=follows(13))
    last = searched(panel, tmp_path / "ledger.sqlite", 700, seed=seed, workers=2)[-1]
    best = last.elites[0]
    assert best.objectives.sharpe > 1.8
    unseen = market(seed + 10_000, bars=5000, edge=follows(13))
    (again,) = evaluate_in_segments([best.strategy], unseen, COSTS, CAPITAL, segments=1)
    assert again.metrics.sharpe > 1.0, "in another world with the same edge: 14 years, which err by a quarter"


def test_an_edge_in_one_instrument_alone_is_found(tmp_path: Path) -> None:
    def third(past: np.ndarray) -> np.ndarray:
        side = np.zeros(len(past))
        side[2] = -2.0 * np.sign(past[2, -2:].sum())  # of half the noise, with four instruments
        return side

    panel = market(5, bars=2000, edge=third)
    last = searched(panel, tmp_path / "ledger.sqlite", 900, workers=2)[-1]
    best = last.elites[0]
    assert best.strategy.universe == ("C",)
    assert best.cell.family == "reversal"
    assert best.objectives.sharpe > 1.5


def test_the_elites_are_the_best_first_and_of_many_kinds(panel: Panel, tmp_path: Path) -> None:
    last = searched(panel, tmp_path / "ledger.sqlite", 700, workers=2)[-1]
    ratios = [elite.objectives.sharpe for elite in last.elites]
    assert ratios == sorted(ratios, reverse=True)
    assert min(ratios) > 0
    assert len({elite.cell for elite in last.elites}) >= 8
    assert len({elite.cell.family for elite in last.elites}) >= 4
    assert len({elite.outcome.returns.tobytes() for elite in last.elites}) == len(ratios), "none does what another does"
    assert {each.strategy.content_hash for each in last.front} <= {each.strategy.content_hash for each in last.elites}


def test_what_a_present_book_does_already_is_worth_less(panel: Panel, tmp_path: Path) -> None:
    alone = searched(panel, tmp_path / "one.sqlite", 225)[-1]
    best = alone.elites[0]
    beside = searched(panel, tmp_path / "two.sqlite", 225, present_book=[best.outcome.returns])[-1]
    marginal = {each.strategy.content_hash: each.objectives.marginal for each in beside.elites}
    assert marginal.get(best.strategy.content_hash, 0.0) < 1e-6 < best.objectives.marginal


def test_the_first_looks_seldom_drop_what_all_folds_would_rank_first() -> None:
    """In three worlds with an edge of Sharpe ratio 3, of 300 simple strategies each."""
    first = five = left_over = 0
    for seed, window in enumerate((5, 10, 20)):
        world = market(40 + seed, bars=1500, edge=follows(window))
        everybody = [*islice(simple_strategies(vocabulary_of(world), world.symbols, intraday=False, longest=180), 300)]
        stages, kinds = stages_of(world.times.size), [family(each.target) for each in everybody]
        left = list(range(len(everybody)))
        for stage in stages[:-1]:
            outcomes = _outcomes([everybody[index] for index in left], world, stage)
            said = verdicts(outcomes, [kinds[index] for index in left], stage)
            left = [index for index, word in zip(left, said, strict=True) if word == "passed"]
        best = np.argsort(-whole_sharpe(_outcomes(everybody, world, stages[-1]), 365.0), kind="stable")
        first += best[0] in left
        five += len({*best[:5].tolist()} & {*left})
        left_over += len(left)
    assert left_over <= 0.2 * 900, "most are dropped"
    assert first == 3, "the best of each world"
    assert five >= 12, "and most of the next"


def _outcomes(strategies: Sequence[Strategy], world: Panel, stage: Stage) -> list[Outcome]:
    part = world.between(stage.start, stage.last)
    first = stage.first - stage.start
    return [
        Outcome(
            bars=each.bars,
            returns=each.returns,
            squares=each.squares,
            trades=each.metrics.trades,
            turnover=each.metrics.turnover,
            exposure=each.metrics.exposure,
            net_exposure=each.net_exposure,
            costs=0.0,
        )
        for each in evaluate_in_segments(strategies, part, COSTS, CAPITAL, first, segments=stage.segments)
    ]


# What it is given.


def test_the_vocabulary_is_that_of_the_market() -> None:
    world = market(3)
    rows_ = np.zeros(world.times.size)
    rich = Panel(
        **{
            **world.__dict__,
            "series": {"vix": rows_, "book:imbalance5": rows_, "model:mu": rows_, "deriv:basis": rows_},
            "groups": {"sector": np.zeros(4, np.int64)},
        }
    )
    vocabulary = vocabulary_of(rich)
    assert vocabulary.names == {
        "ext": ("vix",),
        "book": ("imbalance5",),
        "model": ("mu",),
        "deriv": ("basis",),
    }
    assert (vocabulary.instruments, vocabulary.groups) == (("A", "B", "C", "D"), ("sector",))
    alone = vocabulary_of(world.select(["B"]).between(0, 400))
    assert not {"xs_portfolio", "asset", "share_by", "spread_position"} & set(alone.operators)
    assert max(alone.windows) <= 100
    silent = vocabulary_of(Panel(**{**world.__dict__, "volume": np.full(world.close.shape, np.nan)}))
    assert "volume" not in silent.operators


@pytest.mark.parametrize(("bars", "budget"), [(59, 10), (300, 0)])
def test_too_few_bars_and_no_budget_are_refused(bars: int, budget: int, tmp_path: Path) -> None:
    with pytest.raises(ClawdError):
        searched(market(1, bars=bars), tmp_path / "ledger.sqlite", budget)


def test_a_short_market_of_one_instrument_can_be_searched(tmp_path: Path) -> None:
    last = searched(market(4, bars=80, instruments=1), tmp_path / "ledger.sqlite", 120)[-1]
    assert last.finished
    assert last.strategies == 120


def test_a_strategy_without_figures_spoils_no_other(panel: Panel, tmp_path: Path) -> None:
    stage = stages_of(panel.times.size)[-1]
    good, bad = random_population(Random(1), 2, vocabulary_of(panel))
    object.__setattr__(bad, "universe", ("NOPE",))
    orders = [Order(each, each.content_hash, "random") for each in (bad, good)]
    with (
        Ledger.open(tmp_path / "ledger.sqlite") as ledger,
        Evaluator(
            panel,
            [stage],
            ledger,
            costs=Costs(*[Decimal(0)] * 2),
            capital=CAPITAL,
            run="",
            seed=0,
            clock=SystemClock(),
            workers=1,
        ) as evaluator,
    ):
        outcomes = evaluator.evaluate(orders, stage)
        assert outcomes is not None
        assert outcomes[0] is None
        assert outcomes[1] is not None
        assert ledger.distinct() == 1
