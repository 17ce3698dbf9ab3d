"""One campaign in one world: the whole pipeline unchanged, in a home of its own, and what is true of what it found."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Final

from clawd.core.clock import SystemClock
from clawd.core.costs import Costs
from clawd.evidence.levels import wealth_to_reach
from clawd.language.strategy import Strategy, parse_json
from clawd.research.campaign import Concluded, campaign
from clawd.research.judgement import Judgement
from clawd.research.periods import split
from clawd.research.worlds.planted import CAPITAL, World
from clawd.research.worlds.surrogates import Rows
from clawd.research.worlds.truth import Making, expected_gains, oracle_evidence
from clawd.store.ledger import Ledger

#: The level at which the naive pipeline believes a backtest.
NAIVE_LEVEL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Experiment:
    """A campaign to run.

    Attributes:
        kind: ``noise``, ``planted``, ``mixed`` or ``hidden``.
        making: of its world.
        sharpe: of the oracle, 0 where there is none.
        bars: of the world.
        budget: distinct strategies that the search may try.
        seed: of the world and the search.
    """

    kind: str
    making: Making
    sharpe: float
    bars: int
    budget: int
    seed: int


@dataclass(frozen=True, slots=True)
class Found:
    """What became of an experiment.

    Attributes:
        experiment: which one.
        trials: distinct strategies that were tried.
        true, false: promotions with and without an edge in this world.
        naive_true, naive_false: whether the naive pipeline promoted its best, and whether that has an edge.
        finalists, true_finalists: how many there were, and how many of them have an edge.
        knocked: how many of those passed the gates; ``true_knocked`` of these have an edge.
        held_back: gates that the best finalist with an edge failed.
        wealth: the most that the evidence of one with an edge came to, 0 where none knocked.
        oracle_wealth: the most that the oracle's evidence came to on the same bars, NaN without one.
        seconds: that it took.
    """

    experiment: Experiment
    trials: int
    true: int
    false: int
    naive_true: int
    naive_false: int
    finalists: int
    true_finalists: int
    knocked: int
    true_knocked: int
    held_back: tuple[str, ...]
    wealth: float
    oracle_wealth: float
    seconds: float

    @property
    def oracle_proven(self) -> bool:
        """Whether the oracle, had it been the first hypothesis, would have been proven on the same bars."""
        return self.oracle_wealth >= wealth_to_reach(1, 0)

    @property
    def missed(self) -> str | None:
        """At which stage a planted edge was lost, None where it was found or there was none."""
        if self.experiment.making.edge is None or self.true:
            return None
        if not self.true_finalists:
            return "search"
        return "wealth" if self.true_knocked else "gates"


def run_experiment(
    experiment: Experiment, rows: Rows, costs: Costs, stop: Callable[[], bool] = lambda: False
) -> Found | None:
    """Run a campaign in a temporary home and hold what it found against the truth; None when it was stopped."""
    began = time.monotonic()
    world = experiment.making.world(rows, experiment.bars, experiment.seed)
    with tempfile.TemporaryDirectory(prefix="clawd-world-") as folder:
        home = Path(folder)
        concluded: Concluded | None = None
        for stage in campaign(
            world.panel,
            home,
            budget=experiment.budget,
            seed=experiment.seed,
            costs=costs,
            capital=CAPITAL,
            clock=SystemClock(),
            workers=1,
            stop=stop,
        ):
            if isinstance(stage, Concluded):
                concluded = stage
        if concluded is None:
            return None
        naive = naive_choice(home, world, costs)
    return _held_against_truth(experiment, rows, costs, world, concluded, naive, began)


def _held_against_truth(
    experiment: Experiment,
    rows: Rows,
    costs: Costs,
    world: World,
    concluded: Concluded,
    naive: Strategy | None,
    began: float,
) -> Found:
    judged = concluded.judgements
    strategies = [each.strategy for each in judged] + ([naive] if naive is not None else [])
    gains = expected_gains(strategies, experiment.making, rows, costs, CAPITAL, experiment.seed)
    true = [mean > 0.0 for mean, _ in gains]
    edged = [each for each, has in zip(judged, true, strict=False) if has]
    proven = [has for each, has in zip(judged, true, strict=False) if each.proven]
    knocked = [each for each in edged if each.evidence is not None]
    oracle = float("nan")
    if world.oracle is not None:
        oracle = oracle_evidence(world, split(experiment.bars).vault, costs, CAPITAL).peak
    return Found(
        experiment=experiment,
        trials=concluded.strategies,
        true=sum(proven),
        false=len(proven) - sum(proven),
        naive_true=int(naive is not None and true[-1]),
        naive_false=int(naive is not None and not true[-1]),
        finalists=len(judged),
        true_finalists=len(edged),
        knocked=sum(each.evidence is not None for each in judged),
        true_knocked=len(knocked),
        held_back=_failed(edged[0]) if edged else (),
        wealth=max((each.evidence.peak for each in knocked if each.evidence is not None), default=0.0),
        oracle_wealth=oracle,
        seconds=time.monotonic() - began,
    )


def _failed(judgement: Judgement) -> tuple[str, ...]:
    return tuple(gate.name for gate in judgement.gates if not gate.passed)


def naive_choice(home: Path, world: World, costs: Costs) -> Strategy | None:
    """What the naive pipeline makes of the same trials: the best in-sample Sharpe ratio, believed where p < 0.05."""
    until = int(world.panel.times[split(world.panel.times.size).selection - 1])
    with Ledger.open(home / "ledger.sqlite") as ledger:
        tried = [each for each in ledger.trials() if each.last_ts == until and each.sharpe == each.sharpe]
        if not tried:
            return None
        best = max(tried, key=lambda each: each.sharpe)
        program = ledger.strategy(best.content_hash)
    years = best.bars / world.panel.bars_per_year
    believed = NormalDist().cdf(best.sharpe * years**0.5) > 1.0 - NAIVE_LEVEL
    return parse_json(program) if believed and program is not None else None
