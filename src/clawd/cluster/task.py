"""A study cut into tasks: pieces of about a second that a worker does by itself, and that may be done again."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from clawd.cluster.study import Key, Study, Window
from clawd.core.costs import Costs
from clawd.engine.metrics import Metrics
from clawd.engine.population import Evaluation
from clawd.language.strategy import Strategy

#: The figures of a strategy, with segments where they were asked for, or why there are none.
Outcome = Metrics | Evaluation | str

#: Bars of all instruments times strategies that one core evaluates in about a second.
BARS_A_TASK: Final = 10_000_000

#: However few the bars: a task that is lost, or a result that arrives, is never much.
MOST_STRATEGIES: Final = 1_000

#: A task that has taken so many workers with it gets no other.
MOST_DEATHS: Final = 3


@dataclass(frozen=True, eq=False)
class Task:
    """Some strategies over one window.

    Attributes:
        id: a digest of everything the outcome depends on; a task done twice has one outcome.
        window: the bars.
        keys, strategies: what is evaluated, in canonical order, so that those with shared parts are together.
        costs, capital: at which.
        bars: bars of all instruments times strategies, the measure of its work.
        segments: of time, into which the returns are summed up; 0 for none.
    """

    id: str
    window: Window
    keys: tuple[Key, ...]
    strategies: tuple[Strategy, ...]
    costs: Costs
    capital: Decimal
    bars: int
    segments: int = 0


@dataclass(frozen=True, eq=False)
class Done:
    """A task that came back.

    Attributes:
        task: which.
        outcomes: of each strategy in turn, its figures or the reason why there are none.
        given_up: whether there are none because its workers died.
    """

    task: Task
    outcomes: Sequence[Outcome]
    given_up: bool = False


def split(study: Study, known: Collection[Key] = (), parts: int = 1) -> tuple[Task, ...]:
    """The tasks of everything in a study that is not known yet. The same study gives the same tasks.

    Args:
        study: what is evaluated.
        known: what is not evaluated again.
        parts: into how many tasks a window is cut at least, so that all who wait have something to do.
    """
    order = sorted(range(len(study.strategies)), key=lambda index: study.strategies[index].target.text)
    tasks = []
    seen = set(known)
    for window in study.windows:
        cost = window.last * len(study.markets[window.market].instruments)
        size = max(1, min(MOST_STRATEGIES, BARS_A_TASK // cost))
        wanted: dict[Key, Strategy] = {}
        for index in order:
            key = study.key(index, window)
            if key not in seen:
                seen.add(key)
                wanted[key] = study.strategies[index]
        keys = tuple(wanted)
        size = max(1, min(size, -(-len(keys) // parts)))
        for start in range(0, len(keys), size):
            part = keys[start : start + size]
            tasks.append(
                Task(
                    id=_digest(study, part),
                    window=window,
                    keys=part,
                    strategies=tuple(wanted[key] for key in part),
                    costs=study.costs,
                    capital=study.capital,
                    bars=cost * len(part),
                    segments=study.segments,
                )
            )
    return tuple(tasks)


def _digest(study: Study, keys: Sequence[Key]) -> str:
    text = repr((study.costs.fee, study.costs.slippage, study.capital, study.segments, [tuple(key) for key in keys]))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def abandoned(task: Task, how: str) -> Done:
    """The outcome of a task that has killed too many workers."""
    reason = f"given up: {MOST_DEATHS} workers died over task {task.id}, the last {how}"
    return Done(task, (reason,) * len(task.keys), given_up=True)
