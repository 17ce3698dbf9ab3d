"""Copies of a journal: what is exported from one database is the same journal when another has taken it over."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.store.journal import GENESIS, JSON, Journal, open_journal
from clawd.store.journal_copy import back_up, export_line, read_export

texts = st.text()  # no half of a surrogate pair; NUL and line separators are in it
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
records = st.lists(
    st.tuples(
        st.integers(-(2**63), 2**63 - 1),
        st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1),
        st.dictionaries(texts, values, max_size=4),
    ),
    max_size=6,
)


def exported(journal: Journal) -> bytes:
    return "".join(export_line(entry) + "\n" for entry in journal.entries()).encode()


def adopted(journal: Journal, export: bytes) -> int:
    return journal.adopt(read_export(export.splitlines(keepends=True), "export"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=records)
def test_the_other_database_comes_to_the_same_hashes(
    new_place: Callable[[], Path | str], tmp_path: Path, server: str, batch: list[tuple[int, str, dict[str, JSON]]]
) -> None:
    first = new_place()
    other = tmp_path / f"other-{os.urandom(6).hex()}.db" if isinstance(first, str) else f"{server}?journal=o{_unique()}"
    with open_journal(first) as one, open_journal(other) as two:
        one.append(batch)
        export = exported(one)
        assert adopted(two, export) == len(batch)
        assert two.verify_chain(one.head) == len(batch)
        assert list(two.entries()) == list(one.entries())
        assert exported(two) == export
        if batch:
            assert two.append([(0, "more", {})])[0].seq == len(batch) + 1


def _unique() -> str:
    return os.urandom(8).hex()


def test_halves_of_surrogate_pairs_are_refused_by_both(where: Path | str) -> None:
    with open_journal(where) as journal:
        for body in ({"x": "\ud800"}, {"\udfff": 1}):
            with pytest.raises(UnicodeEncodeError):
                journal.append([(1, "fill", body)])
        with pytest.raises(ValueError, match="printable"):
            journal.append([(1, "fi\udc80ll", {})])
        assert journal.head == (0, GENESIS)


LINES = 8


@pytest.fixture
def export(tmp_path: Path) -> list[bytes]:
    with open_journal(tmp_path / "source.db") as journal:
        journal.append([(i, "fill", {"price": f"{i}.5"}) for i in range(LINES)])
        return exported(journal).splitlines(keepends=True)


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (lambda lines: [*lines[:3], lines[3].replace(b"3.5", b"4.5"), *lines[4:]], "entry 4 is broken: its hash"),
        (lambda lines: [*lines[:3], lines[3].replace(b'"ts":3', b'"ts":4'), *lines[4:]], "entry 4 is broken: its hash"),
        (lambda lines: lines[:3] + lines[4:], "entry 4 is broken: it is missing, 5 comes next"),
        (lambda lines: lines[1:], "entry 1 is broken: it is missing, 2 comes next"),
        (lambda lines: [*lines, lines[-1]], "entry 9 is broken: it is missing, 8 comes next"),
        (lambda lines: [*lines[:-1], lines[-1][:40]], "export, line 8: this is not JSON"),
        (lambda lines: [b"\xff\xfe\n", *lines], "export, line 1: this is not JSON"),
        (lambda lines: [b"[1,2]\n", *lines], "export, line 1: this is not an entry"),
        (lambda lines: [b'{"seq":1}\n', *lines], "export, line 1: this is not an entry"),
        (
            lambda lines: [lines[0].replace(b'"ts":0', b'"ts":false'), *lines[1:]],
            "export, line 1: this is not an entry",
        ),
        (lambda lines: [lines[0].replace(b'"0.5"', b"NaN"), *lines[1:]], "entry 1 is broken"),
        (lambda lines: [lines[0].replace(b'"ts":0', b'"ts":9223372036854775808'), *lines[1:]], "64 bits"),
        (lambda lines: [lines[0].replace(b"fill", b"fi\\u0000l"), *lines[1:]], "one printable word"),
    ],
)
def test_an_export_that_was_changed_is_refused_whole(
    where: Path | str, export: list[bytes], tamper: Callable[[list[bytes]], list[bytes]], message: str
) -> None:
    with open_journal(where) as journal:
        with pytest.raises(ClawdError, match=message):
            journal.adopt(read_export(tamper(export), "export"))
        assert journal.head == (0, GENESIS)
        assert journal.adopt(read_export([b"\n", *export, b"  \n"], "export")) == LINES
        with pytest.raises(ClawdError, match="has 8 entries already"):
            journal.adopt(read_export(export, "export"))
        assert journal.verify_chain() == LINES


# Backup

CHILD = """
import sys
from clawd.store.journal import open_journal
with open_journal(sys.argv[1]) as journal:
    for i in range(100_000):
        last = journal.append([(i, "fill", {"text": "x" * (i % 300)})] * 7)[-1]
        print(last.seq, last.hash, flush=True)
"""


def test_a_backup_beside_a_running_writer_is_one_moment_of_the_journal(where: Path | str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHILD, str(where)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            for _ in range(20):
                seq, digest = child.stdout.readline().split()
            heads = []
            with open_journal(where, read_only=True) as journal:
                for number in range(5):
                    heads.append(back_up(journal, tmp_path / "copies" / f"{number}.copy"))
            assert child.poll() is None
        finally:
            child.kill()
    assert heads == sorted(heads)
    assert heads[0][0] >= int(seq)
    with open_journal(where, read_only=True) as journal:
        for number, head in enumerate(heads):
            assert head[0] % 7 == 0
            assert journal.verify_chain(head) >= head[0]
            copy = tmp_path / "copies" / f"{number}.copy"
            assert sorted(copy.parent.glob(f"{copy.name}*")) == [copy]
            restored: Path | str = copy
            if isinstance(where, str):
                restored = tmp_path / f"restored-{number}.db"
                with open_journal(restored) as target:
                    adopted(target, copy.read_bytes())
            with open_journal(restored, read_only=True) as opened:
                assert opened.verify_chain((int(seq), digest)) == head[0]
                assert opened.head == head


def test_a_backup_overwrites_nothing_and_leaves_nothing_half(where: Path | str, tmp_path: Path) -> None:
    with open_journal(where) as journal:
        journal.append([(1, "fill", {})])
        there = tmp_path / "there"
        there.write_text("mine")
        with pytest.raises(ClawdError, match="something here already"):
            back_up(journal, there)
        assert there.read_text() == "mine"
        with pytest.raises(ClawdError):
            back_up(journal, there / "copy")
        (tmp_path / "empty").mkdir()
        assert back_up(journal, tmp_path / "empty" / "copy") == journal.head
        assert [path.name for path in (tmp_path / "empty").iterdir()] == ["copy"]


def test_a_broken_journal_has_no_backup(tmp_path: Path, url: str, behind: Callable[..., object]) -> None:
    with open_journal(url) as journal:
        journal.append([(i, "fill", {}) for i in range(3)])
    behind(url, "UPDATE journal SET ts = 9 WHERE seq = 2")
    with open_journal(url, read_only=True) as journal, pytest.raises(ClawdError, match="entry 2 is broken"):
        back_up(journal, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []
