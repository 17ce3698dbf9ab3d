"""A study from its tasks to its results, wherever they are worked on: each result once, in whatever order it comes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clawd.cluster.pool import Crew, cores, pool
from clawd.cluster.study import Key, Result, Study
from clawd.cluster.task import Done, Outcome, split
from clawd.core.panel import Panel
from clawd.engine.population import Evaluation

if TYPE_CHECKING:  # Ray is an extra
    from clawd.cluster.ray_cluster import RayCrew

#: Into how many tasks for each worker a crew's study is cut: none of them is the one that all wait for.
_TASKS_A_WORKER: Final = 2


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a study is.

    Attributes:
        done: results that there are, those known before and those that failed included.
        total: results asked for; what is the same counts once.
        failed: how many of those that came in this run have no figures.
        rate: bars of all instruments times strategies a second, in this run; 0 before the first.
        seconds_left: at this rate, NaN while it is not known.
    """

    done: int
    total: int
    failed: int
    rate: float
    seconds_left: float


@dataclass(frozen=True, eq=False)
class Step:
    """Some results have come.

    Attributes:
        results: those that nobody had before.
        progress: with them.
    """

    results: tuple[Result, ...]
    progress: Progress


def run_study(
    study: Study,
    *,
    workers: int | None = None,
    cluster: str | None = None,
    known: Mapping[Key, Result] | None = None,
    stop: Callable[[], bool] = lambda: False,
    crew: Crew | RayCrew | None = None,
) -> Iterator[Step]:
    """Evaluate a study and give its results as they come; the first step has none, and says how much there is to do.

    Args:
        study: what to evaluate.
        workers: processes on this machine; one for each core when None.
        cluster: ``host:port`` of a Ray cluster to use instead.
        known: results of an earlier run, which are not worked on again.
        stop: asked often; true ends the run, and what has come remains.
        crew: who does it, of :func:`hired`, for the study's own markets; ``workers`` and ``cluster`` are not asked.

    Raises:
        ClawdError: when no worker can be started, the cluster does not answer, or its code is another.
        ValueError: when a crew was hired for other markets.
    """
    known = known or {}
    if crew is not None and any(one is not other for one, other in zip(crew.markets, study.markets, strict=True)):
        raise ValueError("the crew was hired for other markets")
    tasks = split(study, known, 1 if crew is None else _TASKS_A_WORKER * crew.workers)
    if crew is not None:
        arrivals = crew.do(tasks, stop)
    elif cluster is None:
        arrivals = pool(tasks, study.markets, workers or cores(), stop)
    else:
        from clawd.cluster.ray_cluster import ray_cluster  # noqa: PLC0415  (Ray is an extra)

        arrivals = ray_cluster(tasks, study.markets, cluster, stop)
    wanted = set(study.keys)
    yield from counted(arrivals, wanted, wanted & known.keys(), sum(task.bars for task in tasks), time.monotonic)


@contextmanager
def hired(
    markets: Sequence[Panel], *, workers: int | None = None, cluster: str | None = None
) -> Iterator[Crew | RayCrew]:
    """Whoever does one study after another over the same bars, without being started for each.

    Args:
        markets: of every study.
        workers: processes on this machine; one for each core when None.
        cluster: ``host:port`` of a Ray cluster to use instead.

    Raises:
        ClawdError: when the cluster does not answer.
    """
    if cluster is None:
        with Crew(markets, workers or cores()) as crew:
            yield crew
    else:
        from clawd.cluster.ray_cluster import RayCrew  # noqa: PLC0415  (Ray is an extra)

        with RayCrew(markets, cluster) as ray_crew:
            yield ray_crew


def counted(
    arrivals: Generator[Done, None, None], wanted: set[Key], have: set[Key], bars: int, clock: Callable[[], float]
) -> Iterator[Step]:
    """Every key once, however often it arrives.

    Args:
        arrivals: what comes back.
        wanted: every key of the study.
        have: those that are known already.
        bars: the work that there is, in bars of all instruments times strategies.
        clock: seconds.
    """
    began, worked, failed = clock(), 0.0, 0
    yield Step((), _progress(len(have), len(wanted), failed, 0.0, bars, 0.0))
    with closing(arrivals):  # at once, not when the collector comes by: it holds processes
        for done in arrivals:
            fresh = [
                _result(key, outcome, done.given_up)
                for key, outcome in zip(done.task.keys, done.outcomes, strict=True)
                if key not in have
            ]
            have.update(result.key for result in fresh)
            failed += sum(result.failure is not None for result in fresh)
            worked += done.task.bars * len(fresh) / len(done.task.keys)
            yield Step(tuple(fresh), _progress(len(have), len(wanted), failed, worked, bars, clock() - began))


def _result(key: Key, outcome: Outcome, given_up: bool) -> Result:
    if isinstance(outcome, str):
        return Result(key, None, outcome, given_up)
    if isinstance(outcome, Evaluation):
        return Result(key, outcome.metrics, evaluation=outcome)
    return Result(key, outcome)


def _progress(done: int, total: int, failed: int, worked: float, bars: float, seconds: float) -> Progress:
    rate = worked / seconds if seconds > 0 else 0.0
    return Progress(done, total, failed, rate, (bars - worked) / rate if rate > 0 else math.nan)
