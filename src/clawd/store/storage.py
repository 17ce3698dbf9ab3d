"""What a journal asks of the database that it lies in. The chain is the journal's own: a database only keeps rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from clawd.store.entry import Row
from clawd.store.snapshot import Snapshot

#: What outlives a commit: the death of the process ("normal"), or a power cut as well ("full").
Durability: TypeAlias = Literal["normal", "full"]

#: A row, and the hash of the row before it: None where there is none.
LinkedRow: TypeAlias = tuple[int, int, str, str, str, str | None]

#: A row as its bytes stand: seq, ts, kind, body, hash, and the types of the four columns behind seq.
RawRow: TypeAlias = tuple[int, int, bytes, bytes, bytes, str]

#: A snapshot as it was found: seq, hash, its digest, body.
StoredSnapshot: TypeAlias = tuple[int, str, str, bytes]


class Damaged(Exception):  # noqa: N818 - it says what the database is
    """The database cannot read on: what is stored is damaged."""


class Storage(Protocol):
    """The rows of one journal in one database. Every method may raise a ClawdError that says what a person can do.

    Attributes:
        where: the place, for messages, without a password.
        writable: whether this is the one writer.
        types: what the last field of a raw row must be.
    """

    where: str
    writable: bool

    @property
    def types(self) -> str: ...

    def close(self) -> None: ...

    def head(self) -> tuple[int, str]:
        """The seq and hash of the last row, ``(0, GENESIS)`` where there is none."""

    def hash_of(self, seq: int) -> str | None:
        """The hash of a row, None where there is none."""

    def add(self, build: Callable[[int, str], Iterator[Row]]) -> None:
        """Write the rows that are built upon the head, all in one transaction or none."""

    def rows(self, after: int, limit: int) -> Sequence[Row]:
        """So many rows behind a seq, in order."""

    def rows_of(self, kind: str, after: int, limit: int) -> Sequence[LinkedRow]:
        """So many rows of a kind behind a seq, in order, each with the hash of the row before it."""

    def walk(self) -> Iterator[RawRow]:
        """Every row of one moment in order.

        Raises:
            Damaged: where the database cannot read on.
        """

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        """Write a snapshot, and let go of all of its fold but the last few of its version."""

    def snapshots(self, fold: str, version: str) -> Sequence[StoredSnapshot]:
        """The snapshots of a fold, the last first."""

    def copy_to(self, path: Path) -> bool:
        """Copy one moment of the journal into a new file of the database's own form; false where it has none."""
