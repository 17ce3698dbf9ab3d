"""Snapshots spare a start the fold of what lies behind them, and are believed only where they fit their journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from clawd.store.journal import Journal, open_journal
from clawd.store.snapshot import SnapshotIgnoredWarning

Change = Callable[..., None]


@pytest.fixture
def change(behind: Callable[..., list[tuple[object, ...]]]) -> Change:
    """Change a journal behind its back, wherever it lies."""

    def changed(where: Path | str, statement: str) -> None:
        if isinstance(where, str):
            behind(where, statement)
            return
        with closing(sqlite3.connect(where)) as connection:
            for trigger in ("journal_keeps", "journal_holds"):
                connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
            connection.execute(statement)
            connection.commit()

    return changed


def counted(journal: Journal, start: int = 0) -> int:
    """The fold of these tests: the sum of what was filled."""
    found = journal.latest_snapshot("sum", "v1")
    total, after = (int(found.body), found.seq) if found else (start, 0)
    return total + sum(int(str(entry.body["size"])) for entry in journal.entries(after))


def filled(where: Path | str, *kept_at: int) -> None:
    """Ten fills of 1 to 10, with snapshots after some of them."""
    with open_journal(where) as journal:
        for size in range(1, 11):
            journal.append([(size, "fill", {"size": str(size)})])
            if size in kept_at:
                journal.keep_snapshot(*journal.head, "sum", "v1", str(counted(journal)).encode())


def test_a_snapshot_and_the_rest_come_to_the_same_as_all_of_it(where: Path | str) -> None:
    filled(where, 4, 7)
    with open_journal(where, read_only=True) as journal:
        found = journal.latest_snapshot("sum", "v1")
        assert found is not None
        assert (found.seq, found.body) == (7, b"28")
        assert found.hash == [entry.hash for entry in journal.entries()][6]
        assert counted(journal) == 55
        assert journal.verify_chain() == 10
        assert journal.latest_snapshot("sum", "v2") is None
        assert journal.latest_snapshot("other", "v1") is None


def test_the_last_two_of_the_last_version_stay(where: Path | str) -> None:
    with open_journal(where) as journal:
        entries = journal.append([(i, "fill", {}) for i in range(6)])
        for entry in entries[:4]:
            journal.keep_snapshot(entry.seq, entry.hash, "sum", "v1", b"")
            journal.keep_snapshot(entry.seq, entry.hash, "other", "v1", b"")
        assert [each[0] for each in journal._storage.snapshots("sum", "v1")] == [4, 3]
        journal.keep_snapshot(4, entries[3].hash, "sum", "v1", b"anew")
        assert [each[3] for each in journal._storage.snapshots("sum", "v1")] == [b"anew", b""]
        journal.keep_snapshot(1, entries[0].hash, "sum", "v2", b"\0\xff")
        assert not journal._storage.snapshots("sum", "v1")
        found = journal.latest_snapshot("sum", "v2")
        assert found is not None
        assert found.body == b"\0\xff"
        assert len(journal._storage.snapshots("other", "v1")) == 2


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE snapshots SET body = CAST('29' AS {blob}) WHERE seq = 7", "it is damaged"),
        ("UPDATE snapshots SET hash = digest WHERE seq = 7", "it is damaged"),
        ("UPDATE snapshots SET digest = hash WHERE seq = 7", "it is damaged"),
        ("UPDATE snapshots SET seq = 8 WHERE seq = 7", "it is damaged"),
        ("UPDATE journal SET hash = 'x' WHERE seq = 7", "an entry that the journal does not have"),
        ("DELETE FROM journal WHERE seq > 6", "an entry that the journal does not have"),
    ],
)
def test_one_that_does_not_fit_is_passed_over_for_the_one_before(
    where: Path | str, change: Change, statement: str, why: str
) -> None:
    filled(where, 4, 7)
    change(where, statement.format(blob="bytea" if isinstance(where, str) else "BLOB"))
    with open_journal(where, read_only=True) as journal, pytest.warns(SnapshotIgnoredWarning, match=why):
        found = journal.latest_snapshot("sum", "v1")
    assert found is not None
    assert (found.seq, found.body) == (4, b"10")


def test_a_snapshot_of_another_version_under_a_new_name_is_not_believed(where: Path | str, change: Change) -> None:
    filled(where, 7)
    change(where, "UPDATE snapshots SET version = 'v2'")
    with open_journal(where, read_only=True) as journal, pytest.warns(SnapshotIgnoredWarning, match="damaged"):
        assert journal.latest_snapshot("sum", "v2") is None


def test_a_snapshot_stands_on_an_entry_of_its_journal(where: Path | str) -> None:
    with open_journal(where) as journal:
        (entry,) = journal.append([(1, "fill", {})])
        for seq, digest in ((2, entry.hash), (1, "0" * 64), (0, "0" * 64)):
            with pytest.raises(ValueError, match="stands on an entry"):
                journal.keep_snapshot(seq, digest, "sum", "v1", b"")
        for fold, version in (("", "v1"), ("sum", "a\nb"), ("su\0m", "v1"), ("sum", "\ud800")):
            with pytest.raises(ValueError, match="printable"):
                journal.keep_snapshot(1, entry.hash, fold, version, b"")


def test_a_snapshot_survives_where_the_journal_grows_on(where: Path | str) -> None:
    filled(where, 10)
    with open_journal(where) as journal:
        journal.append([(11, "fill", {"size": "11"})])
        assert counted(journal) == 66
