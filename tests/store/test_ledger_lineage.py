"""The ledger brings old files up to date, keeps lineage, programs and segments to the bit, and is fast with many."""

from __future__ import annotations

import math
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.store.ledger import Conditions, Ledger
from clawd.store.ledger_file import SCHEMA
from clawd.store.registry import Registry
from clawd.store.trial import FIGURES, Segments, Trial

CONDITIONS = Conditions("daily bars", 1_000, 2_000, 0.0005, 0.0002)


def segments(seed: int, length: int = 60) -> Segments:
    numbers = np.random.default_rng(seed).normal(size=(2, length))
    return Segments(np.full(length, 8), numbers[0], numbers[1] ** 2)


def trial(number: int = 0, **changes: Any) -> Trial:
    made = Trial(
        content_hash=f"{number:064x}",
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
        bars=480,
        trades=40,
        sharpe=number / 7,
        mean=0.0004,
        capital=10_000.0,
        run="r1",
        seed=7,
        parents=(f"{number - 1:064x}",) if number else (),
        origin="mutation:window" if number else "random",
        program=f'{{"mutant":{number}}}',
    )
    return replace(made, **changes)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


# Old files


OLD = (
    "content_hash, family_hash, data_fingerprint, first_ts, last_ts, fee, slippage, author, name, recorded_at,"
    " code_version, bars, trades, sharpe, mean, sd, skew, kurtosis, total_return, max_drawdown, turnover, extra, looks"
)


def old_file(path: Path, count: int) -> None:
    """A ledger as the first version of the program left it."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    for statement in SCHEMA.statements:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id={SCHEMA.application_id}")
    connection.execute("PRAGMA user_version=1")
    for number in range(count):
        values = (
            f"{number:064x}",
            "f",
            "daily bars",
            1_000,
            2_000,
            0.0005,
            0.0002,
            "person",
            f"old {number}",
            5,
            "0.1",
        )
        results = (480, 3, 1.5, None, None, None, None, 0.1, 0.2, 3.0, '{"old":1}', 2)
        marks = ", ".join("?" * 23)
        connection.execute(f"INSERT INTO trials({OLD}) VALUES ({marks})", (*values, *results))
    connection.commit()
    connection.close()


def test_an_old_file_is_brought_up_to_date_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    old_file(path, 3)
    with Ledger.open(path) as ledger:
        assert ledger.distinct() == 3
        first = next(ledger.trials())
        assert (first.name, first.looks, first.extra, first.sharpe) == ("old 0", 2, {"old": 1}, 1.5)
        assert (first.run, first.seed, first.parents, first.origin, first.program) == ("", None, (), "", "")
        assert first.segments is None
        assert math.isnan(first.exposure) and math.isnan(first.capital) and math.isnan(first.mean)
        assert ledger.record([trial(1), trial(5)]) == 1  # what was tried then is not new
        assert [(each.name, each.looks) for each in ledger.trials()] == [
            ("old 0", 2), ("old 1", 3), ("old 2", 2), ("mutant 5", 1),
        ]  # fmt: skip
    with Ledger.open(path) as again:
        assert again.distinct() == 4


def layout(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(path)
    found = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall())
    connection.close()
    return found


def test_a_migrated_file_is_laid_out_like_a_new_one(tmp_path: Path) -> None:
    old_file(tmp_path / "old.sqlite", 2)
    for name in ("old.sqlite", "new.sqlite"):
        Ledger.open(tmp_path / name).close()
    assert layout(tmp_path / "old.sqlite") == layout(tmp_path / "new.sqlite")


def test_two_processes_may_migrate_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    old_file(path, 2)
    code = (
        "import sys, time; from pathlib import Path; from clawd.store.ledger import Ledger\n"
        "while time.time() < float(sys.argv[2]): pass\n"
        "print(Ledger.open(Path(sys.argv[1])).distinct())"
    )
    at = repr(time.time() + 0.6)
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(path), at], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [child.communicate(timeout=60)[0] for child in children] == ["2\n"] * 3


def test_a_file_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger.open(path) as ledger:
        ledger._connection.execute("PRAGMA user_version=3")
    for opened in (Ledger, Registry):
        with pytest.raises(ClawdError, match="newer clawd"):
            opened.open(path)


# To the bit


@given(
    st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1),
            st.floats(width=64),
            st.floats(width=64),
        ),
        max_size=70,
    )
)
def test_segments_read_back_to_the_bit(rows: list[tuple[int, float, float]]) -> None:
    bars, returns, squares = ([row[place] for row in rows] for place in range(3))
    made = Segments(np.array(bars, np.int64), np.array(returns, float), np.array(squares, float))
    back = Segments.from_bytes(made.to_bytes())
    assert back == made
    assert back.returns.tobytes() == np.array(returns, float).tobytes()
    assert back.bars.tolist() == bars
    assert back.returns.flags.writeable


def test_equal_segments_are_those_of_equal_bits() -> None:
    one = Segments(np.array([1]), np.array([0.0]), np.array([math.nan]))
    assert one == Segments(np.array([1]), np.array([0.0]), np.array([math.nan]))
    assert one != Segments(np.array([1]), np.array([-0.0]), np.array([math.nan]))
    assert one != Segments(np.array([2]), np.array([0.0]), np.array([math.nan]))
    assert one != "segments"


def test_crooked_segments_are_refused() -> None:
    with pytest.raises(ValueError, match="equal length"):
        Segments(np.array([1, 2]), np.array([0.0]), np.array([0.0]))
    with pytest.raises(ValueError, match="three rows"):
        Segments.from_bytes(b"x" * 25)


@given(st.lists(st.floats(), min_size=len(FIGURES), max_size=len(FIGURES)))
@example([-0.0] * len(FIGURES))
@example([math.inf, -math.inf, math.nan, 5e-324, -5e-324, 0.1, 1e308, 3.0, -3.0, 0.0, 2.0**53])
def test_figures_read_back_to_the_bit(values: list[float]) -> None:
    made = trial(**dict(zip(FIGURES, values, strict=True)))
    with Ledger(Path("memory"), _in_memory()) as ledger:
        ledger.record([made])
        (back,) = ledger.trials()
    wanted, found = ([getattr(each, name) for name in FIGURES] for each in (made, back))
    for one, other in zip(wanted, found, strict=True):
        assert (math.isnan(one) and math.isnan(other)) or np.float64(one).tobytes() == np.float64(other).tobytes()


def _in_memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in (*SCHEMA.statements, *SCHEMA.migrations[0]):
        connection.execute(statement)
    return connection


# Lineage, programs, segments


def test_a_lineage_names_every_ancestor_once_the_nearest_first(ledger: Ledger) -> None:
    ledger.record([trial(number) for number in range(4)])
    cross = trial(9, parents=(trial(3).content_hash, trial(1).content_hash), origin="crossover")
    ledger.record([cross, replace(cross, fee=0.1, parents=(), origin="file")])
    found = ledger.lineage(cross.content_hash)
    assert [(each.name, each.generations) for each in found] == [
        ("mutant 9", 0), ("mutant 3", 1), ("mutant 1", 1), ("mutant 2", 2), ("mutant 0", 2),
    ]  # fmt: skip
    assert found[0].origin == "crossover"
    assert found[-1].parents == ()
    assert ledger.lineage("nobody") == ()


def test_a_lineage_that_goes_in_a_circle_ends(ledger: Ledger) -> None:
    ledger.record([trial(1, parents=(trial(2).content_hash,)), trial(2, parents=(trial(1).content_hash,))])
    assert [each.name for each in ledger.lineage(trial(1).content_hash)] == ["mutant 1", "mutant 2"]


def test_a_program_is_kept_once_for_its_strategy(ledger: Ledger) -> None:
    assert ledger.strategy(trial().content_hash) is None
    ledger.record([trial(program="")])
    assert ledger.strategy(trial().content_hash) is None
    ledger.record([trial(program="first")])  # known, and its program is not
    ledger.record([trial(program="second", fee=0.1)])
    assert ledger.strategy(trial().content_hash) == "first"
    assert {each.program for each in ledger.trials()} == {"first"}


def test_segments_are_added_to_a_trial_that_had_none_but_only_of_the_same_capital(ledger: Ledger) -> None:
    ledger.record([trial(0), trial(1)])
    ledger.record([trial(0, segments=segments(1)), trial(1, segments=segments(1), capital=5.0)])
    ledger.record([trial(0, segments=segments(2))])
    assert [each.segments for each in ledger.trials()] == [segments(1), None]


def test_what_is_known_is_found_under_the_same_conditions_only(ledger: Ledger) -> None:
    made = [trial(number, segments=segments(number)) for number in range(1_500)]
    ledger.record([*made, trial(1_500, fee=0.1), trial(1_501, last_ts=3_000), trial(1_502, data_fingerprint="hours")])
    hashes = [trial(number).content_hash for number in range(1_600)]
    found = ledger.known("daily bars", 1_000, 2_000, 0.0005, 0.0002, hashes)
    assert found == {each.content_hash: each for each in made}
    assert ledger.known("daily bars", 1_000, 2_000, 0.0005, 0.0002, []) == {}
    assert list(ledger.known("hours", 1_000, 2_000, 0.0005, 0.0002, hashes)) == [hashes[1_502]]


def test_conditions_are_counted_by_their_segments(ledger: Ledger) -> None:
    ledger.record([trial(number, segments=segments(number)) for number in range(3)])
    ledger.record([trial(number, fee=0.1) for number in range(9)])
    assert list(ledger.conditions().items()) == [(CONDITIONS, 3), (replace(CONDITIONS, fee=0.1), 0)]


def test_segments_come_as_a_matrix(ledger: Ledger) -> None:
    ledger.record([trial(number, segments=segments(number)) for number in range(10)])
    ledger.record([trial(10), trial(11, segments=segments(11, 30)), trial(12, segments=segments(12), run="r2")])
    matrix = ledger.segments(CONDITIONS)
    assert matrix is not None
    assert matrix.content_hashes == tuple(trial(number).content_hash for number in (*range(10), 12))
    for place, number in enumerate((*range(10), 12)):
        assert Segments(matrix.bars, matrix.returns[place], matrix.squares[place]) == segments(number)
    two = ledger.segments(CONDITIONS, run="r2")
    assert two is not None and two.returns.shape == (1, 60)
    some = ledger.segments(CONDITIONS, content_hashes=[trial(3).content_hash, trial(10).content_hash])
    assert some is not None and some.content_hashes == (trial(3).content_hash,)
    assert ledger.segments(replace(CONDITIONS, fee=0.1)) is None
    assert ledger.segments(CONDITIONS, run="r3") is None


def test_of_too_many_segments_evenly_spaced_ones_are_given(ledger: Ledger) -> None:
    ledger.record([trial(number, segments=segments(number)) for number in range(101)])
    matrix = ledger.segments(CONDITIONS, most=5)
    assert matrix is not None
    assert matrix.content_hashes == tuple(trial(number).content_hash for number in (0, 25, 50, 75, 100))


def test_segments_that_were_cut_at_other_bars_are_left_out(ledger: Ledger) -> None:
    other = replace(segments(1), bars=np.arange(60))
    ledger.record([trial(0, segments=segments(0)), trial(1, segments=other), trial(2, segments=segments(2))])
    matrix = ledger.segments(CONDITIONS)
    assert matrix is not None
    assert matrix.content_hashes == (trial(0).content_hash, trial(2).content_hash)
    assert matrix.returns.shape == (2, 60)


# Nothing is taken back


@pytest.mark.parametrize("column", ["sharpe", "author", "parents", "id", "capital", "seed", "recorded_at"])
def test_what_was_recorded_cannot_be_changed(ledger: Ledger, column: str) -> None:
    ledger.record([trial(seed=None)])
    with pytest.raises(sqlite3.IntegrityError, match="as it was recorded"):
        ledger._connection.execute(f"UPDATE trials SET {column} = 77")
    assert [replace(each, looks=1) for each in ledger.trials()] == [trial(seed=None)]


def test_every_column_is_guarded() -> None:
    trigger = next(statement for statement in SCHEMA.migrations[0] if "TRIGGER trials_keep" in statement)
    connection = _in_memory()
    columns = {row[1] for row in connection.execute("PRAGMA table_info(trials)")}
    connection.close()
    for column in columns:
        assert f"NEW.{column}" in trigger and f"OLD.{column}" in trigger


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trials SET looks = looks - 1",
        "INSERT OR REPLACE INTO trials SELECT * FROM trials",
        "INSERT OR REPLACE INTO trials SELECT 99, t.content_hash, t.family_hash, t.data_fingerprint, first_ts, last_ts,"
        " fee, slippage, author, name, 1, code_version, 1, 1, 9, 9, 9, 9, 9, 9, 9, 9, '{}', 1, 9, 9, 9, '', 9, '[]', ''"
        " FROM trials t",
        "UPDATE segments SET data = x''",
        "DELETE FROM segments",
        "INSERT OR REPLACE INTO segments VALUES (1, x'')",
        "UPDATE strategies SET program = ''",
        "DELETE FROM strategies",
        "INSERT OR REPLACE INTO strategies SELECT content_hash, '' FROM trials",
    ],
)
def test_nothing_is_replaced_or_deleted(ledger: Ledger, statement: str) -> None:
    ledger.record([trial(segments=segments(1))])
    with pytest.raises(sqlite3.IntegrityError, match="stays"):
        ledger._connection.execute(statement)
    assert list(ledger.trials()) == [trial(segments=segments(1))]


# Many


def test_many_trials_are_recorded_and_found_fast(tmp_path: Path) -> None:
    """A fifth of what a quiet machine does: 20,000 a second are wanted, and others use this one too."""
    made = [trial(number, segments=segments(number)) for number in range(20_000)]
    hashes = [each.content_hash for each in made[::4]]
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        began = time.process_time()
        for start in range(0, len(made), 500):
            ledger.record(made[start : start + 500])
        recorded = time.process_time() - began
        began = time.process_time()
        found = ledger.known("daily bars", 1_000, 2_000, 0.0005, 0.0002, hashes)
        looked_up = time.process_time() - began
    assert len(found) == len(hashes)
    assert len(made) / recorded > 4_000
    assert len(hashes) / looked_up > 4_000


CHILD = """
import sys
from pathlib import Path
import numpy as np
from clawd.store.ledger import Ledger
from clawd.store.trial import Segments, Trial

def trial(number):
    return Trial(
        content_hash=str(number), family_hash="f", data_fingerprint="d", first_ts=1, last_ts=2, fee=0.0, slippage=0.0,
        author="a", name="n", recorded_at=1, code_version="v", bars=1, trades=1, program=f"p{number}",
        segments=Segments(np.arange(60), np.full(60, number / 3), np.zeros(60)),
    )

first = int(sys.argv[2])
with Ledger.open(Path(sys.argv[1])) as ledger:
    while True:
        ledger.record([trial(first + number) for number in range(200)])
        first += 200
        print(first, flush=True)
"""


def test_a_kill_leaves_no_half_batch_in_any_table(tmp_path: Path) -> None:
    path, chance, reported = tmp_path / "ledger.sqlite", random.Random(6), 0
    for _ in range(4):
        with Ledger.open(path) as ledger:
            first = ledger.distinct()
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path), str(first)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        reported = int(child.stdout.readline())
        time.sleep(chance.uniform(0, 0.04))
        child.send_signal(signal.SIGKILL)
        for line in child.communicate()[0].split("\n")[:-1]:
            reported = int(line)
        with Ledger.open(path) as ledger:
            count = ledger.distinct()
            assert count >= reported > first
            assert count % 200 == 0
            for number, each in enumerate(ledger.trials()):
                assert each.program == f"p{number}"
                assert each.segments == Segments(np.arange(60), np.full(60, number / 3), np.zeros(60))
            assert ledger._count("SELECT COUNT(*) FROM strategies") == count
            assert ledger._count("SELECT COUNT(*) FROM segments") == count
