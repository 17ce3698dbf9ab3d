"""A start from a snapshot comes to what a start from the beginning comes to."""

from __future__ import annotations

from pathlib import Path

from dealer_worlds import D, World

from clawd.execution.recovery import replay
from clawd.execution.snapshots import FOLD, Snapshots, version
from clawd.store.journal import Journal


def copied(world: World, path: Path) -> Journal:
    """The journal of a world on a disk."""
    journal = Journal.open(path / "journal.sqlite")
    journal.append([(entry.ts, entry.kind, entry.body) for entry in world.journal.entries()])
    return journal


def test_a_snapshot_and_what_came_after_it_are_the_whole(tmp_path: Path) -> None:
    world = World().ready()
    world.hold()
    with copied(world, tmp_path) as journal:
        kept = Snapshots(journal, every=5)
        assert kept.latest() is None
        kept.written(world.account)
        found = Snapshots(journal).latest()
        assert found is not None
        account, seq = found
        assert seq == journal.head[0]
        assert account == world.account == replay(journal.entries())
        before = len(world.journal.texts)
        world.hold("b", "ETH", D(-2))
        world.dealer.halt("me")
        world.dealer.pause("a", "me", "", 1)
        journal.append([(ts, entry.kind, entry.body) for entry in world.journal.entries(before) for ts in [entry.ts]])
        assert replay(journal.entries(seq), account) == world.account == replay(journal.entries())


def test_a_dealer_keeps_snapshots_and_starts_from_them(tmp_path: Path) -> None:
    world = World().ready()
    with copied(world, tmp_path) as journal:
        world.journal = journal  # type: ignore[assignment]
        world.crash()
        world.dealer.writer.written.clear()
        world.dealer.writer.written.append(Snapshots(journal, every=3).written)
        world.ready_again()
        world.hold()
        snapshot = journal.latest_snapshot(FOLD, version())
        assert snapshot is not None
        assert snapshot.seq > journal.head[0] - 5
        whole = replay(journal.entries())
        read = []
        entries = journal.entries

        def watched(after: int = 0) -> object:
            read.append(after)
            return entries(after)

        journal.entries = watched  # type: ignore[assignment, method-assign]
        world.crash()
        assert read == [snapshot.seq]
        assert world.account.orders == whole.orders
        world.ready_again()
        world.agree()


def test_a_snapshot_of_other_code_means_nothing(tmp_path: Path) -> None:
    world = World().ready()
    with copied(world, tmp_path) as journal:
        journal.keep_snapshot(*journal.head, FOLD, "other code", world.account.to_json())
        assert Snapshots(journal).latest() is None
        journal.keep_snapshot(*journal.head, FOLD, version(), b"{}")
        assert Snapshots(journal).latest() is None
