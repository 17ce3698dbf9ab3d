"""The processes of this machine: the same results however many there are, and whatever happens to them."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cluster_worlds import (
    CAPITAL,
    COSTS,
    alive,
    children,
    collected,
    crosses,
    dies_of_one,
    dies_once,
    exactly,
    market,
    slow,
    strategy,
    study_of,
    until,
)

from clawd.cluster import task as task_module
from clawd.cluster.pool import pool
from clawd.cluster.run import counted, run_study
from clawd.cluster.shared_bars import Packed, SharedBars, unprotected
from clawd.cluster.study import Study
from clawd.cluster.task import split
from clawd.cluster.work import Work, outcomes
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.engine.backtest import run_backtest

WINDOWS = ((0, 20, 300), (1, 50, 200))


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Study:
    """Twelve strategies over two markets, in four tasks."""
    monkeypatch.setattr(task_module, "MOST_STRATEGIES", 6)
    return study_of(crosses(12), [market(1), market(2, instruments=1, bars=200)], WINDOWS)


def with_work(study: Study, work: Work, workers: int = 2) -> list[str]:
    tasks = split(study)
    steps = counted(
        pool(tasks, study.markets, workers, work=work),
        set(study.keys),
        set(),
        sum(t.bars for t in tasks),
        time.monotonic,
    )
    return exactly(study, collected(steps))


def alone(study: Study) -> list[str]:
    """Every strategy by itself in this process."""
    return [
        repr(run_backtest(each, study.markets[window.market], COSTS, CAPITAL, window.first, window.last).metrics)
        for window in study.windows
        for each in study.strategies
    ]


def test_results_are_those_of_each_strategy_alone_however_many_workers_there_are(study: Study) -> None:
    results = [exactly(study, collected(run_study(study, workers=workers))) for workers in (1, 2, 3)]
    assert results[0] == results[1] == results[2]
    for text, expected in zip(results[0], alone(study), strict=True):
        assert f"metrics={expected}, failure=None" in text


def test_a_strategy_that_is_asked_for_twice_is_evaluated_once(study: Study) -> None:
    twice = study_of([*study.strategies, *study.strategies], study.markets, WINDOWS[:1])
    results = collected(run_study(twice, workers=1))
    assert len(results) == 12
    texts = exactly(twice, results)
    assert texts[:12] == texts[12:]


def test_what_is_known_is_not_worked_on(study: Study) -> None:
    full = collected(run_study(study, workers=1))
    known = dict(list(full.items())[::2])
    first, *steps = run_study(study, workers=1, known=known)
    assert first.progress.done == len(known)
    rest = collected(steps)
    assert not rest.keys() & known.keys()
    assert exactly(study, known | rest) == exactly(study, full)
    before = set(children(os.getpid()))
    (nothing,) = run_study(study, workers=2, known=full)
    assert (nothing.progress.done, nothing.results) == (24, ())
    assert set(children(os.getpid())) <= before, "no process for nothing"


def test_every_task_may_lose_its_worker_and_nothing_is_lost(study: Study, marks: Path) -> None:
    expected = exactly(study, collected(run_study(study, workers=1)))
    assert with_work(study, dies_once) == expected
    assert len(list(marks.iterdir())) == len(split(study)) == 4, "each died once"


def test_a_task_that_kills_three_workers_is_given_up_and_the_rest_goes_on(
    marks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_module, "MOST_STRATEGIES", 1)
    poison = strategy(7, 30, scale="0.5")
    object.__setattr__(poison, "name", "poison")
    study = study_of([*crosses(5), poison], [market(1)])
    done = list(pool(split(study), study.markets, 2, work=dies_of_one))
    assert len(done) == 6
    (lost,) = [each for each in done if each.given_up]
    assert lost.task.strategies == (poison,)
    assert list(lost.outcomes) == [f"given up: 3 workers died over task {lost.task.id}, the last by signal 9"]
    assert len(list(marks.iterdir())) == 3
    assert not any(isinstance(outcome, str) for each in done if each is not lost for outcome in each.outcomes)


def test_a_strategy_that_does_not_fit_fails_alone_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_module, "MOST_STRATEGIES", 50)
    missing = strategy(3, 9, 'universe = ["A", "NOPE"]')
    hourly = strategy(4, 9, 'bar = "1h"')
    good = crosses(9)
    study = study_of([*good[:5], missing, *good[5:], hourly], [market(1)])
    assert len(split(study)) == 1
    results = collected(run_study(study, workers=1))
    failures = [results[key].failure for key in study.keys]
    assert [index for index, failure in enumerate(failures) if failure is not None] == [5, 10]
    assert failures[5] == "cross 3 9: the market has no instrument NOPE (it has A, B)"
    assert "bars of 1h" in str(failures[10])
    assert not results[study.keys[5]].given_up
    expected = collected(run_study(study_of(good, study.markets), workers=1))
    assert {key: repr(results[key]) for key in expected} == {key: repr(each) for key, each in expected.items()}


def test_a_killed_worker_is_missed_even_when_it_is_idle_or_not_ready(study: Study, marks: Path) -> None:
    """Whoever shoots at the workers from outside, at whatever moment."""
    expected = exactly(study, collected(run_study(study, workers=1)))
    rng, results, before = np.random.default_rng(3), {}, set(children(os.getpid()))
    shots = 0
    for step in counted(pool(split(study), study.markets, 2, work=slow), set(study.keys), set(), 1, time.monotonic):
        results |= {each.key: each for each in step.results}
        targets = [pid for pid in set(children(os.getpid())) - before if b"spawn_main" in _command(pid)]
        if shots < 3 and targets:
            shots += 1
            os.kill(int(rng.choice(targets)), signal.SIGKILL)
    assert shots == 3
    assert exactly(study, results) == expected


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_workers_that_cannot_begin_are_an_error(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawd.cluster.pool._serve", _stillborn)
    with pytest.raises(ClawdError, match="die before they begin, the last with exit code 7"):
        list(pool(split(study), study.markets, 2))


def _stillborn(*_: object) -> None:
    sys.exit(7)


def test_a_wish_to_stop_is_heard_within_a_moment(study: Study, marks: Path) -> None:
    wishes: list[int] = []
    before = set(children(os.getpid()))
    arrivals = pool(split(study), study.markets, 2, stop=lambda: bool(wishes), work=slow)
    next(arrivals)
    wishes.append(1)
    assert list(arrivals) == []
    assert not [pid for pid in set(children(os.getpid())) - before if b"spawn_main" in _command(pid)]


def test_an_iterator_that_is_closed_leaves_no_worker(study: Study, marks: Path) -> None:
    before = set(children(os.getpid()))
    steps = run_study(study, workers=2)
    next(steps), next(steps)
    assert [pid for pid in set(children(os.getpid())) - before if b"spawn_main" in _command(pid)]
    steps.close()  # type: ignore[attr-defined]
    assert not [pid for pid in set(children(os.getpid())) - before if b"spawn_main" in _command(pid)]


# Bars.


def test_bars_are_shared_and_not_sent(study: Study) -> None:
    big = study_of(crosses(4), [market(1, instruments=8, bars=20_000)], [(0, 0, 20_000)])
    assert all(len(pickle.dumps(task)) < 20_000 for task in split(big))


def arrays_of(panel: Panel) -> dict[str, np.ndarray]:
    """Every array of a panel, whatever fields it has."""
    found = {}
    for name, value in vars(panel).items():
        found |= (
            {f"{name}.{each}": array for each, array in value.items()} if isinstance(value, dict) else {name: value}
        )
    return {name: value for name, value in found.items() if isinstance(value, np.ndarray)}


@pytest.mark.parametrize("part", [market(4), market(4).between(10, 60), market(4).select(["B"])], ids=str)
def test_arrays_that_are_shared_are_the_same_and_can_be_written(part: Panel) -> None:
    """As a cluster shares them: in memory that is marked as read-only."""
    packed = Packed.of(part)
    assert len(packed.rest) < 2_000, "every array is taken out"
    kept = [np.frombuffer(array.tobytes(), np.uint8) for array in packed.arrays]
    assert not any(array.flags.writeable for array in kept)
    again = packed.over([unprotected(array) for array in kept])
    assert (again.instruments, again.bar, again.bars_per_year) == (part.instruments, part.bar, part.bars_per_year)
    own, shared = arrays_of(part), arrays_of(again)
    assert list(own) == list(shared)
    assert {"times", "close", "funding", "series.mood"} <= set(shared)
    for name, array in shared.items():
        np.testing.assert_array_equal(array, own[name])
        assert array.dtype == own[name].dtype
        assert array.flags.writeable
        assert array.flags.c_contiguous
        assert any(np.shares_memory(array, each) for each in kept), "not copied"


def test_the_file_of_bars_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    bars = SharedBars([market(1)])
    assert list(tmp_path.iterdir()) == []
    bars.close()


# Signals, in processes of their own.

SCRIPT = """
import sys
from cluster_worlds import crosses, endless, market, study_of
from clawd.cluster import task
from clawd.cluster.pool import pool
from clawd.cluster.task import split

if __name__ == "__main__":
    task.MOST_STRATEGIES = 1
    study = study_of(crosses(200), [market(1)])
    list(pool(split(study), study.markets, 2, work=endless))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_no_worker_outlives_the_run(
    number: signal.Signals, marks: Path, importable: None, interruptible: None, tmp_path: Path
) -> None:
    script, shared = tmp_path / "script.py", set(Path("/dev/shm").iterdir())
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        assert until(lambda: len(list(marks.iterdir())) == 2, 60), "both workers are at work"
        family = children(process.pid)
        assert {int(mark.name.split()[1]) for mark in marks.iterdir()} <= set(family)
        # Ctrl-C on a terminal reaches the whole group.
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == -number if number != signal.SIGINT else process.returncode in {1, 130, -2}
    assert until(lambda: not any(map(alive, family)), 10), "somebody is left"
    assert said.count("KeyboardInterrupt") == (number == signal.SIGINT), "only the run itself heard of it"
    assert set(Path("/dev/shm").iterdir()) <= shared
    assert {path.name for path in tmp_path.iterdir()} == {"marks", "script.py"}


def test_the_outcomes_of_a_task_are_those_of_its_strategies() -> None:
    study = study_of(crosses(3), [market(1)])
    (task,) = split(study)
    assert len(outcomes(task, study.markets[0])) == 3
