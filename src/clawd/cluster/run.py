"""A study from its tasks to its results, wherever they are worked on: each result once, in whatever order it comes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

from clawd.cluster.pool import cores, pool
from clawd.cluster.study import Key, Result, Study
from clawd.cluster.task import Done, Outcome, split
from clawd.engine.population import Evaluation


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
) -> Iterator[Step]:
    """Evaluate a study and give its results as they come; the first step has none, and says how much there is to do.

    Args:
        study: what to evaluate.
        workers: processes on this machine; one for each core when None.
        cluster: ``host:port`` of a Ray cluster to use instead.
        known: results of an earlier run, which are not worked on again.
        stop: asked often; true ends the run, and what has come remains.

    Raises:
        ClawdError: when no worker can be started, the cluster does not answer, or its code is another.
    """
    known = known or {}
    tasks = split(study, known)
    if cluster is None:
        arrivals = pool(tasks, study.markets, workers or cores(), stop)
    else:
        from clawd.cluster.ray_cluster import ray_cluster  # noqa: PLC0415  (Ray is an extra)

        arrivals = ray_cluster(tasks, study.markets, cluster, stop)
    wanted = set(study.keys)
    yield from counted(arrivals, wanted, wanted & known.keys(), sum(task.bars for task in tasks), time.monotonic)


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
