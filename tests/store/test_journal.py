"""The journal keeps what it was told, in order, through kill -9, and shows every tampering."""

from __future__ import annotations

import hashlib
import json
import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.store.journal import CHUNK, GENESIS, JSON, Durability, Entry, Journal, open_journal
from clawd.store.ledger import Ledger


@pytest.fixture
def journal(where: Path | str) -> Iterator[Journal]:
    with open_journal(where) as opened:
        yield opened


def filled(path: Path | str, count: int = 6) -> tuple[int, str]:
    """A closed journal of a few entries; returns its head."""
    with Journal.open(path) as journal:
        journal.append([(1_000 + i, "fill", {"price": f"{100 + i}.5", "note": "bought ✓"}) for i in range(count)])
        return journal.head


def raw(path: Path, *statements: str) -> None:
    """Change the file behind the journal's back, with its guards taken down."""
    connection = sqlite3.connect(path)
    for trigger in ("journal_keeps", "journal_holds", "journal_grows"):
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def verified(path: Path | str, expected_head: tuple[int, str] | None = None) -> int:
    with Journal.open(path, read_only=True) as journal:
        return journal.verify_chain(expected_head)


# Keeping


def test_entries_come_back_as_they_were_appended(journal: Journal) -> None:
    assert journal.head == (0, GENESIS)
    first = journal.append([(5, "intent", {"b": 1, "a": [None, True, 0.1, "ü\n\0"]}), (4, "verdict", {})])
    second = journal.append([(2**63 - 1, "fill", {"price": "0.10"})])
    assert [entry.seq for entry in first + second] == [1, 2, 3]
    assert list(journal.entries()) == first + second
    assert list(journal.entries(after=2)) == second
    assert journal.head == (3, second[0].hash)
    assert journal.verify_chain() == 3


def test_the_hash_is_the_one_that_is_documented(journal: Journal) -> None:
    journal.append([(7, "intent", {"z": 1, "a": "é"}), (8, "fill", {})])
    first = hashlib.sha256(("0" * 64 + '\n1\n7\nintent\n{"a":"é","z":1}').encode()).hexdigest()
    second = hashlib.sha256((first + "\n2\n8\nfill\n{}").encode()).hexdigest()
    assert [entry.hash for entry in journal.entries()] == [first, second]


def test_many_entries_stream_in_chunks(journal: Journal) -> None:
    count = 2 * CHUNK
    journal.append([(i, "bar", {"i": i}) for i in range(count)])
    assert [entry.body["i"] for entry in journal.entries()] == list(range(count))
    assert [entry.seq for entry in journal.entries(after=count - 1)] == [count]
    assert list(journal.entries(after=count)) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(st.sampled_from(["bar", "fill", "bars", "Bar"]), max_size=30), after=st.integers(0, 40))
def test_the_entries_of_a_kind_are_those_among_all(journal: Journal, kinds: list[str], after: int) -> None:
    journal.append([(1, kind, {"i": i}) for i, kind in enumerate(kinds)])
    for kind in ("bar", "none"):
        assert list(journal.entries_of(kind, after)) == [
            e for e in journal.entries() if e.kind == kind and e.seq > after
        ]


def test_many_entries_of_a_kind_stream_in_chunks(journal: Journal) -> None:
    journal.append([(i, "bar" if i % 3 else "fill", {"i": i}) for i in range(4 * CHUNK)])
    assert [entry.body["i"] for entry in journal.entries_of("bar")] == [i for i in range(4 * CHUNK) if i % 3]


def test_appending_nothing_writes_nothing(journal: Journal) -> None:
    assert journal.append([]) == []
    assert journal.head == (0, GENESIS)


def test_the_chain_goes_on_after_reopening(where: Path | str) -> None:
    path = where / "deep" / "journal.db" if isinstance(where, Path) else where
    head = filled(path)
    with Journal.open(path) as journal:
        assert journal.head == head
        journal.append([(1, "fill", {})])
        assert journal.verify_chain(expected_head=head) == 7
    journal.close()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(st.text(), values, max_size=5), ts=st.integers(-(2**63), 2**63 - 1))
def test_any_json_body_comes_back_equal(journal: Journal, body: dict[str, JSON], ts: int) -> None:
    seq, _ = journal.head
    (written,) = journal.append([(ts, "any", body)])
    (read,) = journal.entries(after=seq)
    assert read == written
    assert json.dumps(read.body, sort_keys=True) == json.dumps(body, sort_keys=True)  # 1 is not 1.0 is not true
    assert read.ts == ts
    assert journal.verify_chain() == seq + 1


def test_numpy_numbers_are_kept_as_numbers(journal: Journal) -> None:
    journal.append([(np.int64(12), "bar", {"close": np.float64(0.1)})])  # type: ignore[list-item]
    (entry,) = journal.entries()
    assert (entry.ts, entry.body) == (12, {"close": 0.1})
    assert journal.verify_chain() == 1


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("fill", {"x": math.nan}, ValueError),
        ("fill", {"x": [{"y": -math.inf}]}, ValueError),
        ("fill", {"x": "\ud800"}, ValueError),
        ("fill", {"x": Decimal("1.5")}, TypeError),
        ("fill", {"x": (1, 2)}, TypeError),
        ("fill", {"x": {1: "a"}}, TypeError),
        ("fill", {"x": {None: "a"}}, TypeError),
        ("fill", {"x": b"a"}, TypeError),
        ("fill", {"x": np.int64(3)}, TypeError),
        ("", {}, ValueError),
        ("two words", {}, ValueError),
        ("two\nlines", {}, ValueError),
    ],
)
def test_what_would_not_read_back_is_refused_and_nothing_of_the_batch_is_kept(
    journal: Journal, kind: str, body: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        journal.append([(1, "good", {}), (2, kind, body)])
    assert journal.head == (0, GENESIS)


@pytest.mark.parametrize("ts", [2**63, 1.5, "1"])
def test_a_time_that_is_not_64_bits_is_refused_and_nothing_of_the_batch_is_kept(journal: Journal, ts: Any) -> None:
    with pytest.raises((OverflowError, TypeError)):
        journal.append([(1, "good", {}), (ts, "bad", {})])
    journal.append([(1, "good", {})])
    assert journal.verify_chain() == 1


def test_a_full_disk_keeps_nothing_of_the_batch(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    head = filled(path)
    with Journal.open(path) as journal:
        journal._storage._connection.execute("PRAGMA max_page_count=8")
        with pytest.raises(ClawdError, match="full"):
            journal.append([(1, "big", {"text": "x" * 1_000}) for _ in range(100)])
        assert journal.head == head
        journal._storage._connection.execute("PRAGMA max_page_count=1000000")
        journal.append([(1, "fill", {})])
        assert journal.verify_chain(expected_head=head) == 7


# Refusing


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET body = '{}' WHERE seq = 2",
        "DELETE FROM journal WHERE seq = 6",
        "DELETE FROM journal",
        "INSERT OR REPLACE INTO journal VALUES (2, 0, 'fill', '{}', 'x')",
        "REPLACE INTO journal VALUES (6, 0, 'fill', '{}', 'x')",
        "INSERT INTO journal VALUES (0, 0, 'fill', '{}', 'x')",
        "INSERT INTO journal VALUES (9, 0, 'fill', '{}', 'x')",
    ],
)
def test_sqlite_itself_refuses_to_change_the_past(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "journal.db"
    head = filled(path)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="journal"):
        connection.execute(statement)
    connection.close()
    assert verified(path, head) == 6


@pytest.mark.parametrize("seq", [1, 3, 6])
@pytest.mark.parametrize("column", ["kind", "body", "hash"])
def test_any_changed_byte_names_its_row(tmp_path: Path, seq: int, column: str) -> None:
    path = tmp_path / "journal.db"
    filled(path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TRIGGER journal_keeps")
    query = f"SELECT CAST({column} AS BLOB) FROM journal WHERE seq = {seq}"
    (value,) = connection.execute(query).fetchone()
    for place in range(len(value)):
        for changed in (value[place] ^ 1, 0, 255):  # 0 and 255 also make text that is no text
            tampered = value[:place] + bytes([changed]) + value[place + 1 :]
            connection.execute(f"UPDATE journal SET {column} = CAST(? AS TEXT) WHERE seq = {seq}", (tampered,))
            with pytest.raises(ClawdError, match=rf"entry {seq} is broken"):
                verified(path)
    connection.execute(f"UPDATE journal SET {column} = CAST(? AS TEXT) WHERE seq = {seq}", (value,))
    connection.close()
    assert verified(path) == 6


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE journal SET ts = ts + 1 WHERE seq = 3", "entry 3 is broken: its hash"),
        ("UPDATE journal SET ts = '1002x' WHERE seq = 3", "entry 3 is broken: its columns are text"),
        ("UPDATE journal SET ts = 1002.5 WHERE seq = 3", "entry 3 is broken: its columns are real"),
        ("UPDATE journal SET body = CAST(body AS BLOB) WHERE seq = 3", "entry 3 is broken: its columns"),
        ("UPDATE journal SET kind = 'fill' || x'0a' || '{}' WHERE seq = 3", "entry 3 is broken"),
        ("DELETE FROM journal WHERE seq = 3", "entry 3 is broken: it is missing, 4 comes next"),
        ("DELETE FROM journal WHERE seq = 1", "entry 1 is broken: it is missing, 2 comes next"),
        (
            "INSERT INTO journal SELECT 0, ts, kind, body, hash FROM journal WHERE seq = 1",
            "entry 0 is broken",
        ),
        (
            "INSERT INTO journal SELECT 7, ts, kind, body, hash FROM journal WHERE seq = 6",
            "entry 7 is broken",
        ),
    ],
)
def test_tampering_names_the_first_broken_row(tmp_path: Path, statement: str, message: str) -> None:
    path = tmp_path / "journal.db"
    filled(path)
    raw(path, statement)
    with pytest.raises(ClawdError, match=message):
        verified(path)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE journal SET ts = ts + 1 WHERE seq = 3", "entry 3 is broken: its hash"),
        ("UPDATE journal SET hash = 'x' WHERE seq = 2", "entry 3 is broken: its hash"),
        ("UPDATE journal SET ts = '1002x' WHERE seq = 3", "entry 3 is broken: its columns"),
        ("DELETE FROM journal WHERE seq = 2", "entry 2 is broken: it is missing, 3 comes next"),
    ],
)
def test_the_entries_of_a_kind_are_held_against_those_before_them(tmp_path: Path, statement: str, message: str) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path) as journal:
        journal.append([(1000 + i, kind, {}) for i, kind in enumerate(["fill", "fill", "bar", "bar"])])
    raw(path, statement)
    with Journal.open(path, read_only=True) as journal, pytest.raises(ClawdError, match=message):
        list(journal.entries_of("bar"))


def test_swapped_rows_name_the_first(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    filled(path)
    raw(
        path,
        *(f"UPDATE journal SET seq = {new} WHERE seq = {old}" for old, new in ((3, 99), (5, 3), (99, 5))),
    )
    with pytest.raises(ClawdError, match="entry 3 is broken: its hash"):
        verified(path)


def test_a_tail_cut_off_shows_only_against_a_known_head(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    head = filled(path)
    raw(path, "DELETE FROM journal WHERE seq > 4")
    assert verified(path) == 4
    with pytest.raises(ClawdError, match="entry 5 is broken: it is missing, and entry 6 was noted"):
        verified(path, head)


def test_a_chain_written_anew_shows_only_against_a_known_head(tmp_path: Path) -> None:
    head = filled(tmp_path / "true.db")
    with Journal.open(tmp_path / "forged.db") as forged:
        forged.append([(1_000 + i, "fill", {"price": "1"}) for i in range(6)])
        assert forged.verify_chain() == 6
        with pytest.raises(ClawdError, match="entry 6 is broken: its hash is not the one that was noted"):
            forged.verify_chain(expected_head=head)


def test_a_damaged_file_is_a_message_and_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    filled(path, count=2_000)
    content = bytearray(path.read_bytes())
    page = 4096 * (len(content) // 4096 // 2)
    content[page : page + 64] = b"\xff" * 64
    path.write_bytes(content)
    with pytest.raises(ClawdError, match=r"entry \d+ is broken"):
        verified(path)
    with Journal.open(path, read_only=True) as journal, pytest.raises(ClawdError):
        list(journal.entries())


# Opening


def test_a_read_only_open_of_nothing_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ClawdError, match="there is no journal here"):
        Journal.open(tmp_path / "new" / "journal.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_cannot_write(where: Path | str) -> None:
    head = filled(where)
    with Journal.open(where, read_only=True) as reader:
        with pytest.raises(RuntimeError, match="read-only"):
            reader.append([(1, "fill", {})])
        with pytest.raises(RuntimeError, match="read-only"):
            reader.keep_snapshot(*head, "books", "1", b"")
        with pytest.raises(RuntimeError, match="read-only"):
            reader.adopt([])


def foreign_sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE journal(seq INTEGER PRIMARY KEY)")
    connection.commit()
    connection.close()


def a_ledger(path: Path) -> None:
    Ledger.open(path).close()


def a_newer_journal(path: Path) -> None:
    filled(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=3")
    connection.close()


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_text("bars, bars, bars\n" * 100), "not a database"),
        (lambda path: path.write_text("x"), "not a clawd journal"),
        (foreign_sqlite, "not a clawd journal"),
        (a_ledger, "not a clawd journal"),
        (a_newer_journal, "layout 3.*newer clawd"),
    ],
)
def test_what_is_not_our_journal_is_refused_and_left_alone(
    tmp_path: Path, make: Any, message: str, read_only: bool
) -> None:
    path = tmp_path / "file"
    make(path)
    before = path.read_bytes()
    with pytest.raises(ClawdError, match=message):
        Journal.open(path, read_only=read_only)
    assert path.read_bytes() == before


def test_places_that_cannot_be_opened_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ClawdError):
        Journal.open(tmp_path)
    with pytest.raises(ClawdError):
        Journal.open(tmp_path / "file" / "journal.db")


def test_an_empty_file_becomes_a_journal_but_is_none_yet(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.touch()
    with pytest.raises(ClawdError, match="still empty"):
        Journal.open(path, read_only=True)
    assert filled(path)[0] == 6


def test_a_path_with_odd_characters_is_that_path(tmp_path: Path) -> None:
    path = tmp_path / "what?mode=ro #1 %41 ü.db"
    filled(path)
    assert verified(path) == 6
    assert path.exists()


# Several processes

CHILD = """
import random, sys
from clawd.store.journal import open_journal
chance = random.Random(int(sys.argv[2]))
with open_journal(sys.argv[1], durability=sys.argv[3]) as journal:
    while True:
        size = chance.randrange(1, 60)
        batch = [(i, "fill", {"text": "x" * chance.randrange(400), "of": size}) for i in range(size)]
        last = journal.append(batch)[-1]
        print(last.seq, last.hash, flush=True)
"""


def start_child(path: Path | str, seed: int = 0, durability: str = "normal") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(path), str(seed), durability]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kill(child: subprocess.Popen[str]) -> list[tuple[int, str]]:
    """Kill -9; returns what the child had reported as committed."""
    child.send_signal(signal.SIGKILL)
    output, _ = child.communicate()
    lines = [line.split() for line in output.split("\n")[:-1]]
    return [(int(seq), digest) for seq, digest in lines]


def reopened(path: Path | str) -> Journal:
    """Open for writing; a server may take a moment to notice that a writer is dead."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return open_journal(path)
        except ClawdError as error:
            if "is writing" not in error.what or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def whole_batches(entries: list[Entry]) -> bool:
    """Whether each batch of the child is there with all that it had."""
    rest = entries
    while rest:
        if rest[0].kind == "recovered":
            rest = rest[1:]
            continue
        size = rest[0].body["of"]
        assert isinstance(size, int)
        if [entry.ts for entry in rest[:size]] != list(range(size)):
            return False
        rest = rest[size:]
    return True


@pytest.mark.parametrize("kills", [6, pytest.param(14, marks=pytest.mark.long)])
def test_a_killed_writer_loses_nothing_that_it_reported(where: Path | str, kills: int) -> None:
    """Half of the first six while it writes with each level of safety, two while it may be opening; more are more."""
    path, chance = where, random.Random(11)
    # The tests' server runs without fsync, and `full` refuses that; one that does not is killed in a test of its own.
    levels = ("normal", "full") if isinstance(where, Path) else ("normal",)
    reported: dict[int, str] = {}
    for kill_number in range(kills):
        child = start_child(path, kill_number, levels[kill_number // 3 % len(levels)])
        assert child.stdout is not None
        if kill_number % 3:  # otherwise it may die while it is still opening the file
            reported.update([(int(seq), digest) for seq, digest in [child.stdout.readline().split()]])
            time.sleep(chance.uniform(0, 0.05))
        else:
            time.sleep(chance.uniform(0.05, 0.4))
        reported.update(kill(child))
        if not reported:
            continue
        head = max(reported.items())
        if kill_number % 2:  # a reader may be the first to see the log that the dead writer left
            assert verified(path, head) >= head[0]
        with reopened(path) as journal:
            assert journal.verify_chain(expected_head=head) >= head[0]
            entries = list(journal.entries())
            assert whole_batches(entries)
            assert reported.items() <= {entry.seq: entry.hash for entry in entries}.items()
            journal.append([(kill_number, "recovered", {})])
    assert len(reported) >= kills // 2


def test_a_second_writer_is_refused_and_readers_are_not(where: Path | str) -> None:
    path = where
    child = start_child(path)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        holder = rf"pid {child.pid}" if isinstance(path, Path) else r"session \d+, from 127.0.0.1"
        with pytest.raises(ClawdError, match=rf"another clawd process \({holder}\) is writing this journal.*stop it"):
            Journal.open(path)
        if isinstance(path, Path):
            path.with_name("link.db").symlink_to(path)
            with pytest.raises(ClawdError, match="is writing"):
                Journal.open(path.with_name("link.db"))
        with Journal.open(path, read_only=True) as reader:
            before = reader.verify_chain()
            while int(child.stdout.readline().split()[0]) <= before:
                pass
            assert reader.verify_chain() > before
            head = reader.head
    finally:
        kill(child)
    with reopened(path) as journal:
        assert journal.verify_chain(expected_head=head) >= head[0]


def test_a_second_writer_in_the_same_process_is_refused_until_the_first_closes(where: Path | str) -> None:
    message = rf"pid {os.getpid()}" if isinstance(where, Path) else r"SELECT pg_terminate_backend\(\d+\)"
    with Journal.open(where), pytest.raises(ClawdError, match=message):
        Journal.open(where)
    reopened(where).close()


def test_a_writer_whose_lock_was_taken_away_neither_forks_the_chain_nor_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path) as first:
        first.append([(1, "fill", {})])
        (tmp_path / "journal.db.lock").unlink()
        with Journal.open(path) as second:
            second.append([(2, "fill", {})])
            for _ in range(2):
                with pytest.raises(ClawdError, match=r"somebody else has written.*end is entry 2.*open it anew"):
                    first.append([(3, "fill", {})])
            second.append([(4, "fill", {})])
        assert [entry.ts for entry in first.entries()] == [1, 2, 4]
        assert first.verify_chain() == 3


def test_entries_are_values() -> None:
    entry = Entry(1, 2, "fill", {}, GENESIS)
    with pytest.raises(AttributeError):
        entry.seq = 2  # type: ignore[misc]


@pytest.mark.parametrize(("durability", "synchronous"), [("normal", 1), ("full", 2)])
def test_durability_is_that_of_every_commit(tmp_path: Path, durability: Durability, synchronous: int) -> None:
    with open_journal(tmp_path / "journal.db", durability=durability) as journal:
        connection = journal._storage._connection  # type: ignore[attr-defined]
        assert connection.execute("PRAGMA synchronous").fetchone() == (synchronous,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
