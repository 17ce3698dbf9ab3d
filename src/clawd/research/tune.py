"""Values for the numbers of one strategy, chosen by Optuna and counted by the ledger like any other trial.

Optuna is asked and told in batches, in an order that hangs on nothing but the seed. The best of many variants is never
shown alone: beside it stands what luck would have shown, and how many variants there were.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np

from clawd.authors.evolution.objectives import Objectives, Outcome, objectives
from clawd.authors.evolution.stages import SEGMENTS, stages_of
from clawd.authors.parameter_grid import Variant, parameter_grid
from clawd.core.clock import Clock
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError, suggestion
from clawd.core.panel import Panel
from clawd.engine.backtest import run_backtest
from clawd.evidence.sharpe import deflated_sharpe, expected_maximum, moments
from clawd.language.expression import LARGEST_NUMBER
from clawd.language.node import literal
from clawd.language.strategy import Strategy
from clawd.research.search import Evaluator, Order
from clawd.store.ledger import Ledger

AUTHOR: Final = "optuna"

_BATCH: Final = 50
#: Optuna's default sampler remembers everything that it was told, and thinks the longer about the next the more that
#: is. After so many a genetic sampler, which only remembers its population, goes on.
_MODELLED: Final = 500
_POPULATION: Final = 50
#: Choices for each variant wanted before it is given up that there are any more.
_PATIENCE: Final = 4
_SPREAD: Final = 3.0


@dataclass(frozen=True, slots=True)
class Range:
    """Where a number is looked for, both ends included.

    Attributes:
        low, high: the ends.
        step: of the grid; None for any number between them.
        whole: whether it is a whole number, such as a window.
    """

    low: float
    high: float
    step: float | None
    whole: bool


@dataclass(frozen=True, eq=False)
class Tuned:
    """What came of it.

    Attributes:
        best: the variant with the highest median Sharpe ratio over the folds, None where none traded.
        objectives: of the best.
        sharpe: annual, of the best over all bars.
        by_luck: annual Sharpe ratio to expect of the best of so many, were none of them better than nothing.
        deflated: the chance that the best is better than luck makes the best of all distinct trials in the ledger.
        tried: distinct variants that were evaluated.
        distinct: trials in the ledger.
    """

    best: Variant | None
    objectives: Objectives | None
    sharpe: float
    by_luck: float
    deflated: float
    tried: int
    distinct: int


@dataclass(frozen=True, eq=False)
class TuneStep:
    """How far it is.

    Attributes:
        tried: distinct variants that were evaluated.
        trials: how many are wanted.
        remembered: how many the ledger knew already.
        best: the median Sharpe ratio of the best so far, NaN before there is one.
        tuned: the result; of the last step only.
    """

    tried: int
    trials: int
    remembered: int
    best: float
    tuned: Tuned | None = None


def read_range(text: str) -> tuple[str, tuple[float, float, float | None]]:
    """The name and the ends, and the step where there is one, in ``length=10:100`` or ``length=10:100:5``.

    Raises:
        ClawdError: when it is neither.
    """
    name, equals, words = text.partition("=")
    numbers = [_finite(word, text) for word in words.split(":")] if equals else []
    if not name.strip() or len(numbers) not in (2, 3) or not numbers[0] < numbers[1]:
        raise ClawdError(
            f"`{text}` is not a range", hint="NAME=LOW:HIGH or NAME=LOW:HIGH:STEP, such as length=10:100:5"
        )
    if len(numbers) == 3 and not numbers[2] > 0:
        raise ClawdError(f"the step of `{text}` must be above 0")
    return name.strip(), (numbers[0], numbers[1], numbers[2] if len(numbers) == 3 else None)


def _finite(word: str, text: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not abs(number) <= LARGEST_NUMBER:
        raise ClawdError(f"`{word.strip()}` in `{text}` is not a number", hint="such as length=10:100:5")
    return number


def ranges_of(strategy: Strategy, given: Mapping[str, tuple[float, float, float | None]]) -> dict[str, Range]:
    """Where each number of a strategy's ``[let]`` is looked for: where it was said, else around the value it has.

    A number that is written whole stays whole. Where nothing is said, a number is looked for between a third and three
    times its value, 0 between -1 and 1. Where some numbers are given a range, the others keep their values.

    Raises:
        ClawdError: when it has no such number, or none at all.
    """
    numbers = {name: float(text) for name, text in strategy.let.items() if _is_number(text)}
    for name in given:
        if name not in numbers:
            known = f"it has {', '.join(numbers)}" if numbers else "name a number under [let] and use it in the target"
            raise ClawdError(
                f"the strategy has no parameter `{name}`", where=strategy.name, hint=suggestion(name, numbers) or known
            )
    if not numbers:
        raise ClawdError(
            "the strategy has no numbers to tune",
            where=strategy.name,
            hint="name numbers under [let] and use them in the target",
        )
    return {
        name: _given(value, *given[name]) if name in given else _around(value)
        for name, value in numbers.items()
        if not given or name in given
    }


def _given(value: float, low: float, high: float, step: float | None) -> Range:
    whole = value.is_integer() and low.is_integer() and high.is_integer() and (step is None or step.is_integer())
    return Range(low, high, step, whole)


def _around(value: float) -> Range:
    if value == 0.0:
        return Range(-1.0, 1.0, None, False)
    low, high = sorted((value / _SPREAD, value * _SPREAD))
    if not value.is_integer():
        return Range(low, high, None, False)
    return Range(float(math.ceil(low)), float(math.floor(high)), None, True)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def tune(
    strategy: Strategy,
    ranges: Mapping[str, Range],
    panel: Panel,
    ledger: Ledger,
    *,
    trials: int,
    seed: int,
    costs: Costs,
    capital: Decimal,
    clock: Clock,
    run: str = "",
    workers: int | None = None,
    cluster: str | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[TuneStep]:
    """Look for the numbers with the highest median Sharpe ratio over the purged folds, net of costs.

    A variant that cannot be built, such as one with a window of 0, is told to Optuna as a failure and not counted. One
    that was tried before is told what came of it then, and not counted again.

    Args:
        strategy: what is varied.
        ranges: where each number is looked for; the others keep their values.
        panel: the bars.
        ledger: where every evaluation is recorded, and looked up before it is made.
        trials: how many distinct variants are tried, fewer where there are no more.
        seed: where every choice comes from.
        costs, capital, clock, run, workers, cluster, stop: as of :func:`~clawd.research.search.search`.

    Raises:
        ClawdError: when Optuna is not installed, or there are fewer bars than segments.
    """
    if panel.times.size < SEGMENTS:
        raise ClawdError(f"{panel.times.size} bars are too few to tune on", hint=f"at least {SEGMENTS}")
    chooser = _Chooser(ranges, seed)
    stage = stages_of(panel.times.size)[-1]
    found: dict[str, tuple[Variant, Outcome | None, float]] = {}
    best = math.nan
    with Evaluator(
        panel,
        [stage],
        ledger,
        costs=costs,
        capital=capital,
        run=run,
        seed=seed,
        clock=clock,
        workers=workers,
        cluster=cluster,
        author=AUTHOR,
    ) as evaluator:
        while len(found) < trials and chooser.asked < _PATIENCE * trials + _BATCH and not stop():
            room = trials - len(found)
            asked = [(number, _variant(strategy, values)) for number, values in chooser.ask(_BATCH)]
            new: dict[str, Variant] = {}
            for _, variant in asked:
                content = variant.strategy.content_hash if variant else ""
                if variant is not None and content not in found and len(new) < room:
                    new.setdefault(content, variant)
            orders = [Order(each.strategy, content, "tpe", (strategy.content_hash,)) for content, each in new.items()]
            outcomes = evaluator.evaluate(orders, stage, stop)
            if outcomes is None:
                break
            worth = _median_sharpes(outcomes, panel.bars_per_year)
            for (content, variant), outcome, value in zip(new.items(), outcomes, worth, strict=True):
                found[content] = variant, outcome, value
            for number, each in asked:
                known = found.get(each.strategy.content_hash) if each else None
                chooser.tell(number, known[2] if known else math.nan)
            best = max((value for _, _, value in found.values() if not math.isnan(value)), default=math.nan)
            yield TuneStep(len(found), trials, evaluator.remembered, best)
        remembered = evaluator.remembered
    tuned = _tuned(found, panel, ledger, costs, capital)
    yield TuneStep(len(found), trials, remembered, best, tuned)


def _variant(strategy: Strategy, values: Mapping[str, float]) -> Variant | None:
    """The strategy with other numbers, None where it would be none."""
    try:
        (variant,) = parameter_grid(strategy, {name: (literal(value),) for name, value in values.items()})
    except ClawdError:
        return None
    return variant


def _median_sharpes(outcomes: Sequence[Outcome | None], bars_per_year: float) -> list[float]:
    """NaN for what has no figures or never held a position."""
    traded = [outcome for outcome in outcomes if outcome is not None and outcome.exposure > 0]
    worth = iter(objectives(traded, [1] * len(traded), None, bars_per_year))
    return [next(worth).sharpe if outcome is not None and outcome.exposure > 0 else math.nan for outcome in outcomes]


def _tuned(
    found: Mapping[str, tuple[Variant, Outcome | None, float]],
    panel: Panel,
    ledger: Ledger,
    costs: Costs,
    capital: Decimal,
) -> Tuned:
    rated = [(value, variant, outcome) for variant, outcome, value in found.values() if not math.isnan(value)]
    distinct = ledger.distinct()
    if not rated:
        return Tuned(None, None, math.nan, math.nan, math.nan, len(found), distinct)
    outcomes = [outcome for _, _, outcome in rated if outcome is not None]
    worth = objectives(outcomes, [each.strategy.target.size for _, each, _ in rated], None, panel.bars_per_year)
    at = max(range(len(rated)), key=lambda index: (rated[index][0], -index))
    best = rated[at][1]
    spread = float(np.std([each.whole for each in worth], ddof=1)) if len(worth) > 1 else math.nan
    shape = moments(run_backtest(best.strategy, panel, costs, capital).net_returns)
    scale = math.sqrt(panel.bars_per_year)
    deflated = deflated_sharpe(
        shape.sharpe,
        shape.bars,
        shape.skew,
        shape.kurtosis,
        trials=max(distinct, len(found)),
        trials_sd=spread / scale,
    )
    return Tuned(
        best, worth[at], shape.sharpe * scale, spread * expected_maximum(len(found)), deflated, len(found), distinct
    )


class _Chooser:
    """Optuna, asked and told by number."""

    def __init__(self, ranges: Mapping[str, Range], seed: int) -> None:
        self._optuna = _optuna()
        self._ranges = dict(ranges)
        self._seed = seed
        sampler = self._optuna.samplers.TPESampler(seed=seed)
        self._study = self._optuna.create_study(direction="maximize", sampler=sampler)
        self._open: dict[int, Any] = {}
        self.asked = 0

    def ask(self, count: int) -> list[tuple[int, dict[str, float]]]:
        """The numbers of some choices, and the values of each."""
        if self.asked >= _MODELLED and not isinstance(self._study.sampler, self._optuna.samplers.NSGAIISampler):
            self._study.sampler = self._optuna.samplers.NSGAIISampler(seed=self._seed, population_size=_POPULATION)
        chosen = []
        for _ in range(count):
            trial = self._study.ask()
            self._open[trial.number] = trial
            chosen.append((trial.number, {name: _chosen(trial, name, each) for name, each in self._ranges.items()}))
        self.asked += count
        return chosen

    def tell(self, number: int, value: float) -> None:
        """What came of a choice; NaN for nothing."""
        trial = self._open.pop(number)
        if math.isnan(value):
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, value)


def _chosen(trial: Any, name: str, each: Range) -> float:
    if each.whole:
        return float(trial.suggest_int(name, int(each.low), int(each.high), step=int(each.step or 1)))
    if each.step is not None:
        steps = math.floor((each.high - each.low) / each.step + 1e-9)
        return float(f"{each.low + trial.suggest_int(name, 0, steps) * each.step:.12g}")
    return float(f"{trial.suggest_float(name, each.low, each.high):.6g}")


def _optuna() -> Any:
    try:
        import optuna  # noqa: PLC0415  (an extra, and a second to import)
    except ModuleNotFoundError:
        raise ClawdError("Optuna is not installed", hint="pip install 'clawd-bot[tune]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
