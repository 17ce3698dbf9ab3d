"""Evolution let loose on the bars of the search period: every evaluation a trial of the ledger, none made twice.

The search follows from its seed alone. What the ledger remembers is not evaluated again, so a search that was killed
is taken up by starting it once more: it goes the same way, remembers what it has seen, and comes to new ground.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

import numpy as np

from clawd.authors.evolution.archive import Member
from clawd.authors.evolution.evolution import Batch, Candidate, Evolution
from clawd.authors.evolution.objectives import Outcome
from clawd.authors.evolution.stages import SEGMENTS, Stage
from clawd.cluster.run import hired, run_study
from clawd.cluster.study import Result, Study, Window
from clawd.cluster.trials import trial_of
from clawd.core.clock import Clock
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import NANOSECONDS_PER_DAY, Floats, Panel
from clawd.language.mutation import MUTATIONS
from clawd.language.operators import OPERATORS
from clawd.language.strategy import Strategy
from clawd.language.vocabulary import UNTYPED, WINDOWS, Vocabulary
from clawd.store.ledger import Ledger
from clawd.store.trial import Trial

AUTHOR: Final = "evolution"

#: What the search ends with: a strategy, what came of it over all folds, and what it is worth.
Elite = Member

_OUTSIDE: Final = ("book", "deriv", "model")
_VOLUME: Final = frozenset({"volume", "obv_z", "adv", "mfi"})
#: Windows longer than this share of the bars see too little of themselves.
_LONGEST: Final = 0.25


@dataclass(frozen=True, eq=False)
class SearchStep:
    """How far a search is.

    Attributes:
        generation: from 0.
        stage: what was evaluated last.
        strategies: distinct strategies that were evaluated, in one stage at least; what the budget counts.
        budget: of them.
        trials: evaluations, every stage of a strategy counted.
        remembered: how many of these the ledger knew already.
        front: members that no other dominates, the best Sharpe ratio first.
        fates: how often each operator met each fate.
        elites: all that the archive holds and that earned something, best first; of the last step only.
        finished: whether the budget is spent, or nothing new can be found; of the last step only.
    """

    generation: int
    stage: str
    strategies: int
    budget: int
    trials: int
    remembered: int
    front: tuple[Member, ...]
    fates: Mapping[tuple[str, str], int] = field(default_factory=dict)
    elites: tuple[Elite, ...] = ()
    finished: bool = False


def search(
    panel: Panel,
    ledger: Ledger,
    *,
    budget: int,
    seed: int,
    costs: Costs,
    capital: Decimal,
    run: str,
    clock: Clock,
    workers: int | None = None,
    cluster: str | None = None,
    stop: Callable[[], bool] = lambda: False,
    present_book: Sequence[Floats] = (),
    vocabulary: Vocabulary | None = None,
) -> Iterator[SearchStep]:
    """Search, and say after every batch how far it is; the last step has the elites.

    Args:
        panel: the bars of the search period, and no others.
        ledger: where every evaluation is recorded, and looked up before it is made.
        budget: how many distinct strategies may be evaluated, in one stage at least.
        seed: where every choice comes from.
        costs, capital: at which.
        run: the campaign's name in the ledger.
        clock: for the time of the records.
        workers, cluster: who evaluates, as of :func:`~clawd.cluster.run.run_study`.
        stop: asked often; true ends the search, and what has come remains.
        present_book: float64 [60] each, the returns of the agents of the present book over the same 60 segments of
            these bars, shares of the capital.
        vocabulary: what programs may use; what the panel has when None.

    Raises:
        ClawdError: when there are fewer bars than segments, the budget is none, or nobody can evaluate.
    """
    if panel.times.size < SEGMENTS:
        raise ClawdError(f"{panel.times.size} bars are too few to search on", hint=f"at least {SEGMENTS}")
    if budget < 1:
        raise ClawdError(f"a budget of {budget} strategies buys nothing", where="--budget")
    evolution = Evolution(
        vocabulary or vocabulary_of(panel),
        panel.symbols,
        bars=panel.times.size,
        bars_per_year=panel.bars_per_year,
        seed=seed,
        intraday=panel.bar < NANOSECONDS_PER_DAY,
        book=_book(present_book),
    )
    with Evaluator(
        panel,
        evolution.stages,
        ledger,
        costs=costs,
        capital=capital,
        run=run,
        seed=seed,
        clock=clock,
        workers=workers,
        cluster=cluster,
    ) as evaluator:
        strategies, stage, finished = 0, "", False

        def step() -> SearchStep:
            return SearchStep(
                generation=evolution.generation,
                stage=stage,
                strategies=strategies,
                budget=budget,
                trials=evaluator.trials,
                remembered=evaluator.remembered,
                front=tuple(evolution.front()),
                fates=dict(evolution.fates),
            )

        while not stop():
            batch = evolution.ask(budget - strategies)
            if batch is None:
                finished = True
                break
            outcomes = evaluator.evaluate(*_orders(batch), stop)
            if outcomes is None:
                break
            evolution.tell(outcomes)
            strategies += batch.new
            stage = batch.stage.name
            yield step()
        yield replace(step(), elites=tuple(evolution.elites()), finished=finished)


def vocabulary_of(panel: Panel) -> Vocabulary:
    """What programs may use of a market: its instruments, groups and series, and windows that its bars can fill."""
    names: dict[str, list[str]] = {}
    for series in sorted(panel.series):
        kind, colon, name = series.partition(":")
        names.setdefault(*((kind, [])) if colon and kind in _OUTSIDE else ("ext", [])).append(
            name if colon and kind in _OUTSIDE else series
        )
    left_out = set(UNTYPED)
    if not np.isfinite(panel.volume).any():
        left_out |= _VOLUME
    if len(panel.instruments) < 2:
        left_out |= {name for name, entry in OPERATORS.items() if entry.group == "cross-section"}
        left_out |= {"xs_portfolio", "spread_position", "share_by", "inv_vol"}
    longest = max(5, int(_LONGEST * panel.times.size))
    return Vocabulary(
        operators=tuple(name for name in OPERATORS if name not in left_out),
        windows=tuple(window for window in WINDOWS if window <= longest),
        names={kind: tuple(found) for kind, found in names.items()},
        instruments=panel.symbols if len(panel.instruments) > 1 else (),
        groups=tuple(sorted(panel.groups)),
    )


def _book(members: Sequence[Floats]) -> Floats | None:
    if not members:
        return None
    return np.asarray(np.sum([np.asarray(each, float) for each in members], axis=0))


@dataclass(frozen=True, slots=True)
class Order:
    """A strategy to be evaluated, and what the ledger should know of where it comes from.

    Attributes:
        strategy: what.
        content_hash: of it.
        origin: how it was made.
        parents: content hashes of what it was made from.
    """

    strategy: Strategy
    content_hash: str
    origin: str
    parents: tuple[str, ...] = ()


def _orders(batch: Batch) -> tuple[tuple[Order, ...], Stage]:
    return tuple(map(_order, batch.candidates)), batch.stage


def _order(candidate: Candidate) -> Order:
    origin = {"fresh": "random"}.get(candidate.origin, candidate.origin)
    if origin in MUTATIONS or origin in {"finer", "universe", "calm"}:
        origin = f"mutation:{origin}"
    return Order(candidate.strategy, candidate.content_hash, origin, candidate.parents)


class Evaluator:
    """Evaluates strategies over parts of a panel, through the ledger; to be used in a ``with``.

    A part is a data set of its own, with its own fingerprint: its programs have not seen what came long before it.

    Args:
        panel, ledger, costs, capital, run, seed, clock, workers, cluster: as of :func:`search`.
        stages: over which parts there will be evaluations.
        author: whom the ledger should name.
    """

    def __init__(
        self,
        panel: Panel,
        stages: Sequence[Stage],
        ledger: Ledger,
        *,
        costs: Costs,
        capital: Decimal,
        run: str,
        seed: int,
        clock: Clock,
        workers: int | None = None,
        cluster: str | None = None,
        author: str = AUTHOR,
    ) -> None:
        self.trials = 0
        self.remembered = 0
        self._ledger, self._clock = ledger, clock
        self._parts = {stage.name: panel.between(stage.start, stage.last) for stage in stages}
        self._costs, self._capital = costs, capital
        self._run, self._seed, self._author = run, seed, author
        self._hired = hired(tuple(self._parts.values()), workers=workers, cluster=cluster)

    def __enter__(self) -> Evaluator:
        self._crew = self._hired.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._hired.__exit__(None, None, None)

    def evaluate(
        self, orders: Sequence[Order], stage: Stage, stop: Callable[[], bool] = lambda: False
    ) -> list[Outcome | None] | None:
        """What came of each strategy, in the order asked for; None for what has no figures.

        New results are recorded as they come, in an order that hangs on the strategies alone: those whose turn it is
        at once, the others when all before them are there.

        Returns:
            None when it was stopped before all had come.
        """
        found = self._known(orders, stage)
        self.remembered += len(found)
        new = sorted(
            (order for order in orders if order.content_hash not in found), key=lambda order: order.strategy.target.text
        )
        if new and not self._work(new, stage, stop, found):
            return None
        self.trials += len(orders)
        return [
            None
            if (trial := found.get(order.content_hash)) is None
            else outcome_of(trial, self._parts[stage.name].bars_per_year)
            for order in orders
        ]

    def _known(self, orders: Sequence[Order], stage: Stage) -> dict[str, Trial]:
        """What the ledger has of these, with the same capital and cut into the same segments."""
        study = self._study((), stage)
        window = study.windows[0]
        times = study.markets[window.market].times
        found = self._ledger.known(
            study.fingerprints[window.market],
            int(times[window.first]),
            int(times[window.last - 1]),
            float(self._costs.fee),
            float(self._costs.slippage),
            [order.content_hash for order in orders],
        )
        money = float(self._capital)
        return {
            content_hash: trial
            for content_hash, trial in found.items()
            if trial.capital == money and trial.segments is not None and trial.segments.bars.size == stage.segments
        }

    def _study(self, strategies: tuple[Strategy, ...], stage: Stage) -> Study:
        return Study(
            strategies=strategies,
            markets=tuple(self._parts.values()),
            windows=(Window([*self._parts].index(stage.name), stage.first - stage.start, stage.last - stage.start),),
            costs=self._costs,
            capital=self._capital,
            segments=stage.segments,
        )

    def _work(self, orders: Sequence[Order], stage: Stage, stop: Callable[[], bool], found: dict[str, Trial]) -> bool:
        """Evaluate strategies, record their trials and add them to those found; false when it was stopped."""
        study = self._study(tuple(order.strategy for order in orders), stage)
        results: dict[str, Result] = {}
        at = 0
        for step in run_study(study, crew=self._crew, stop=stop):
            results.update((result.key.strategy, result) for result in step.results)
            trials = []
            while at < len(orders) and (result := results.get(orders[at].content_hash)) is not None:
                trial = self._trial(study, orders[at], result)
                if trial is not None:
                    trials.append(trial)
                    found[trial.content_hash] = trial
                at += 1
            self._ledger.record(trials)
        return at == len(orders)

    def _trial(self, study: Study, order: Order, result: Result) -> Trial | None:
        if result.metrics is None:
            return None
        return trial_of(
            study,
            order.strategy,
            study.windows[0],
            result,
            self._author,
            self._clock.now(),
            origin=order.origin,
            parents=order.parents,
            run=self._run,
            seed=self._seed,
        )


def outcome_of(trial: Trial, bars_per_year: float) -> Outcome:
    """What evolution is told of a trial: the same of a fresh and of a remembered one.

    Raises:
        ValueError: when the trial's segments were not kept.
    """
    segments = trial.segments
    if segments is None:
        raise ValueError("the trial has no segments")
    years = max(trial.bars, 1) / bars_per_year
    turnover = 0.0 if math.isnan(trial.turnover) else trial.turnover
    return Outcome(
        bars=segments.bars,
        returns=segments.returns,
        squares=segments.squares,
        trades=trial.trades,
        turnover=turnover,
        exposure=trial.exposure,
        net_exposure=trial.net_exposure,
        costs=turnover * years * (trial.fee + trial.slippage),
    )
