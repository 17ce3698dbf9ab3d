"""The ledger counts every distinct trial once, whoever records it and however they die."""

from __future__ import annotations

import math
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clawd.core.errors import ClawdError
from clawd.store.journal import Journal
from clawd.store.ledger import CHUNK, Ledger
from clawd.store.trial import Segments, Trial


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "deep" / "ledger.db") as opened:
        yield opened


def segments(seed: int, length: int = 60) -> Segments:
    numbers = np.random.default_rng(seed).normal(size=(2, length))
    return Segments(np.full(length, 8), numbers[0], numbers[1] ** 2)


def trial(number: int = 0, **changes: Any) -> Trial:
    made = Trial(
        content_hash=f"content {number}",
        family_hash=f"family {number % 3}",
        data_fingerprint="daily bars",
        first_ts=1_000,
        last_ts=2_000,
        fee=0.0005,
        slippage=0.0002,
        author="evolution",
        name=f"mutant {number}",
        recorded_at=1_700_000_000_000_000_000,
        code_version="0.1.0",
        bars=500,
        trades=40,
        sharpe=1.25,
        mean=0.0004,
        sd=0.006,
        skew=-0.3,
        kurtosis=5.5,
        total_return=0.2,
        max_drawdown=0.07,
        turnover=12.5,
        exposure=0.6,
        net_exposure=-0.2,
        capital=10_000.0,
        run="r1",
        seed=7,
        parents=("content a", "content b"),
        origin="crossover",
        program=f'{{"mutant":{number}}}',
        segments=segments(number),
        extra={"note": "ü", "levels": [1, None]},
    )
    return replace(made, **changes)


def test_a_trial_comes_back_as_it_was_recorded(ledger: Ledger) -> None:
    assert ledger.record([trial()]) == 1
    assert list(ledger.trials()) == [trial()]


def test_an_empty_ledger_counts_nothing(ledger: Ledger) -> None:
    assert ledger.record([]) == 0
    assert (ledger.distinct(), ledger.distinct_strategies(), ledger.families()) == (0, 0, {})
    assert list(ledger.trials()) == []


def test_what_is_undefined_comes_back_as_nan(ledger: Ledger) -> None:
    columns = ("sharpe", "mean", "sd", "skew", "kurtosis", "total_return", "max_drawdown", "turnover")
    undefined: dict[str, Any] = dict.fromkeys(columns, math.nan)
    ledger.record([trial(**undefined)])
    (back,) = ledger.trials()
    assert all(math.isnan(getattr(back, column)) for column in undefined)
    assert ledger._connection.execute("SELECT COUNT(*) FROM trials WHERE sharpe IS NULL").fetchone() == (1,)


def test_the_same_trial_counts_once_and_is_looked_at_again(ledger: Ledger) -> None:
    assert ledger.record([trial(0), trial(1), trial(0)]) == 2
    assert ledger.record([trial(1), trial(0), trial(2), trial(2)]) == 1
    assert ledger.distinct() == 3
    assert [(found.name, found.looks) for found in ledger.trials()] == [
        ("mutant 0", 3),
        ("mutant 1", 2),
        ("mutant 2", 2),
    ]


def test_a_repeat_keeps_what_was_first_recorded(ledger: Ledger) -> None:
    ledger.record([trial()])
    assert ledger.record([trial(name="again", sharpe=9.0, recorded_at=5, author="a person", looks=4)]) == 0
    assert list(ledger.trials()) == [trial(looks=5)]


IDENTITY: dict[str, Any] = {
    "content_hash": "other",
    "data_fingerprint": "other",
    "first_ts": 1,
    "last_ts": 9_000,
    "fee": 0.001,
    "slippage": 0.0,
}


@pytest.mark.parametrize("column", IDENTITY)
def test_each_part_of_its_identity_makes_another_trial(ledger: Ledger, column: str) -> None:
    assert ledger.record([trial(), trial(**{column: IDENTITY[column]})]) == 2


@pytest.mark.parametrize("column", sorted({f.name for f in fields(Trial)} - set(IDENTITY)))
def test_nothing_else_does(ledger: Ledger, column: str) -> None:
    first = trial()
    value = getattr(first, column)
    others: dict[str, Any] = {"extra": {"changed": 1}, "parents": ("content c",), "segments": segments(99)}
    changed: Any = others.get(column, value + "x" if isinstance(value, str) else 1)
    assert ledger.record([first, replace(first, **{column: changed})]) == 1


def test_strategies_and_families_are_counted_across_data_and_costs(ledger: Ledger) -> None:
    ledger.record([trial(number, fee=fee) for number in range(7) for fee in (0.0, 0.001)])
    assert ledger.distinct() == 14
    assert ledger.distinct_strategies() == 7
    assert ledger.families() == {"family 0": 3, "family 1": 2, "family 2": 2}


def test_trials_are_found_by_what_they_are(ledger: Ledger) -> None:
    ledger.record([trial(0), trial(1, author="library"), trial(3, data_fingerprint="hourly bars")])
    assert [found.name for found in ledger.trials(family_hash="family 0")] == ["mutant 0", "mutant 3"]
    assert [found.name for found in ledger.trials(author="library")] == ["mutant 1"]
    assert [found.name for found in ledger.trials(content_hash="content 3", author="evolution")] == ["mutant 3"]
    assert list(ledger.trials(data_fingerprint="hourly bars", author="library")) == []


def test_many_trials_stream_in_order(ledger: Ledger) -> None:
    count = 2 * CHUNK + 1
    assert ledger.record([trial(number) for number in range(count)]) == count
    assert [found.content_hash for found in ledger.trials()] == [f"content {number}" for number in range(count)]


def test_numpy_numbers_are_kept_as_numbers(ledger: Ledger) -> None:
    numbers = trial(first_ts=np.int64(1_000), bars=np.int32(500), fee=np.float64(0.0005), sharpe=np.float32(1.25))
    assert ledger.record([numbers, trial()]) == 1
    assert list(ledger.trials()) == [trial(looks=2)]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"fee": math.nan}, ValueError),
        ({"slippage": math.inf}, ValueError),
        ({"extra": {"x": math.nan}}, ValueError),
        ({"extra": {"x": {1, 2}}}, TypeError),
        ({"bars": 1.5}, TypeError),
        ({"first_ts": 2**63}, OverflowError),
        ({"name": None}, sqlite3.IntegrityError),
    ],
)
def test_a_trial_that_cannot_be_kept_is_refused_with_its_whole_batch(
    ledger: Ledger, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        ledger.record([trial(1), trial(2, **changes)])
    assert ledger.distinct() == 0
    assert ledger.record([trial(1)]) == 1


def test_what_was_tried_cannot_be_deleted(ledger: Ledger) -> None:
    ledger.record([trial()])
    with pytest.raises(sqlite3.IntegrityError, match="stays counted"):
        ledger._connection.execute("DELETE FROM trials")


def test_what_is_not_a_ledger_is_refused(tmp_path: Path) -> None:
    Journal.open(tmp_path / "journal.db").close()
    with pytest.raises(ClawdError, match="not a clawd trial ledger"):
        Ledger.open(tmp_path / "journal.db")
    (tmp_path / "text").write_text("some text that is not a database " * 9)
    with pytest.raises(ClawdError, match="not a database"):
        Ledger.open(tmp_path / "text")


# Several processes

CHILD = """
import sys, time
from pathlib import Path
from clawd.store.ledger import Ledger
from clawd.store.trial import Trial

def trial(number):
    return Trial(
        content_hash=str(number), family_hash="f", data_fingerprint="d", first_ts=1, last_ts=2, fee=0.0,
        slippage=0.0, author="a", name="n", recorded_at=1, code_version="v", bars=1, trades=1,
    )

path, first, stop, batch = Path(sys.argv[1]), *map(int, sys.argv[2:5])
while time.time() < float(sys.argv[5]):
    pass
with Ledger.open(path) as ledger:
    for start in range(first, stop, batch):
        new = ledger.record([trial(number) for number in range(start, start + batch)])
        print(start + batch, new, flush=True)
"""


def start_child(path: Path, first: int, stop: int, batch: int, at: float = 0.0) -> subprocess.Popen[str]:
    arguments = [str(path), str(first), str(stop), str(batch), repr(at)]
    return subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, text=True)


def test_two_processes_may_record_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    at = time.time() + 0.5  # both open and create it in the same moment
    children = [start_child(path, first, first + 2_000, 10, at) for first in (0, 1_000)]
    outputs = [child.communicate(timeout=60)[0] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    new = [int(line.split()[1]) for output in outputs for line in output.splitlines()]
    with Ledger.open(path) as ledger:
        assert ledger.distinct() == sum(new) == 3_000
        looks = {int(found.content_hash): found.looks for found in ledger.trials()}
    assert looks == {number: 2 if 1_000 <= number < 2_000 else 1 for number in range(3_000)}


def test_a_killed_recorder_loses_nothing_that_it_reported_and_leaves_no_half_batch(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    chance = random.Random(5)
    for _ in range(5):
        with Ledger.open(path) as ledger:
            first = ledger.distinct()
        child = start_child(path, first, 10**9, 50)
        assert child.stdout is not None
        reported = int(child.stdout.readline().split()[0])
        time.sleep(chance.uniform(0, 0.05))
        child.send_signal(signal.SIGKILL)
        for line in child.communicate()[0].split("\n")[:-1]:
            reported = int(line.split()[0])
        with Ledger.open(path) as ledger:
            assert ledger.distinct() >= reported > first
            assert ledger.distinct() % 50 == 0
            assert ledger.record([trial(reported)]) == 1  # and the dead one's lock is gone
            ledger.record([trial(reported + number) for number in range(1, 50)])
