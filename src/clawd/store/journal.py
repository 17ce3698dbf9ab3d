"""The append-only, hash-chained journal: what happened, in the order in which it was decided to be true.

It lies in a SQLite file, or in PostgreSQL where a URL says so. The chain, its hashes and what may stand in it are the
same in both, so a journal can be exported from one and imported into the other.

Durability, honestly. What ``append`` has returned survives the death of the process, ``kill -9`` included. Beyond
that the caller chooses. With ``durability="normal"``, for paper, a power cut or a crash of the machine that the
database runs on may take the last transactions with it (in SQLite those since the last checkpoint, in PostgreSQL
those of the last second), whole ones and from the end only; it does not corrupt the journal or break the chain. With
``durability="full"``, for money, what ``append`` has returned survives that too: the database does not answer before
the disk says that it has written, and we believe the disk. In PostgreSQL it is as durable as the server: one that
runs with ``fsync=off`` is refused, and whether it survives the loss of the server's disk depends on its replicas.

An ``append`` that raises has written nothing, with one exception: if the connection to PostgreSQL is lost in the
moment of the commit, nobody on this side can know. The journal refuses everything from then on; open it anew and look
at its head.

Integrity, honestly. Every entry's hash covers its content and the hash before it, so a changed, swapped, inserted or
missing entry shows in ``verify_chain``, and as soon as ``entries`` comes to it. A chain cannot know how long it used
to be: a tail cut off, or a whole chain written anew with fresh hashes, shows only against a head that was noted
elsewhere (``verify_chain(expected_head=...)``). That the database itself refuses to change what is written guards
against mistakes, not against whoever owns the database.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from clawd.core.errors import ClawdError
from clawd.store.entry import GENESIS, JSON, Entry, Row, entry_hash, prepare
from clawd.store.journal_sqlite import SqliteStorage
from clawd.store.snapshot import Snapshot, SnapshotIgnoredWarning
from clawd.store.storage import Damaged, Durability, Storage

__all__ = ["CHUNK", "GENESIS", "JSON", "Durability", "Entry", "Journal", "Snapshot", "open_journal"]

CHUNK: Final = 1024
_SCHEMES: Final = ("postgresql://", "postgres://")


def is_url(where: Path | str) -> bool:
    """Whether this names a journal in a server rather than a file."""
    return isinstance(where, str) and "://" in where


def open_journal(where: Path | str, *, read_only: bool = False, durability: Durability = "normal") -> Journal:
    """Open a journal, for writing by default; a writable open creates what is missing and updates an older layout.

    Args:
        where: a file, or ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE?journal=NAME``: anything that libpq takes, and
            the name of the journal, ``main`` where there is none.
        read_only: any number may read; only one process may write.
        durability: what outlives ``append``, see above.

    Raises:
        ClawdError: when another process is writing it, when it is not a journal or is newer than this program, when
            it cannot be opened or reached, or when it is missing and ``read_only``.
    """
    if not isinstance(where, str) or not is_url(where):
        return Journal(SqliteStorage.open(Path(where), read_only=read_only, durability=durability))
    if not where.startswith(_SCHEMES):
        raise ClawdError(
            f"no journal can lie in {where.partition('://')[0]}",
            hint="a file, or postgresql://USER@HOST/DATABASE?journal=NAME",
        )
    from clawd.store.journal_postgres import PostgresStorage  # noqa: PLC0415 - its driver is an extra

    return Journal(PostgresStorage.open(where, read_only=read_only, durability=durability))


class Journal:
    """An open journal: one process writes, any number read. Used by the thread that opened it."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        # What a writer last knew to be the end: whoever else writes has taken its place.
        try:
            self._end = storage.head() if storage.writable else None
        except ClawdError:
            storage.close()
            raise

    @classmethod
    def open(cls, where: Path | str, *, read_only: bool = False, durability: Durability = "normal") -> Journal:
        """The same as :func:`open_journal`."""
        return open_journal(where, read_only=read_only, durability=durability)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it and let the next writer in; closing twice does no harm."""
        self._storage.close()

    @property
    def where(self) -> str:
        """The file or the URL, without a password."""
        return self._storage.where

    @property
    def head(self) -> tuple[int, str]:
        """The last entry's seq and hash; ``(0, GENESIS)`` before the first."""
        return self._storage.head()

    def hash_of(self, seq: int) -> str | None:
        """The hash of an entry as it is stored; None where there is none."""
        return self._storage.hash_of(seq)

    def entry(self, seq: int) -> Entry | None:
        """One entry, its hash computed anew on that of the one before, which is believed; None where there is none.

        Raises:
            ClawdError: when it is broken, or the database is damaged.
        """
        if seq < 1 or self._storage.hash_of(seq) is None:
            return None
        return next(self._entries(seq - 1, 1), None)

    def append(self, records: Sequence[tuple[int, str, Mapping[str, JSON]]]) -> list[Entry]:
        """Write all the records in one transaction, or none of them.

        Args:
            records: ``(ts, kind, body)`` in the order in which they are to stand; amounts are written as text
                by the caller.

        Returns:
            The entries, with their bodies read back from what was written: what a later replay will see.

        Raises:
            ClawdError: when the disk or the server refuses, when the connection that held the right to write is gone,
                or when somebody else has written to the journal all the same.
            ValueError, TypeError, OverflowError: for what JSON cannot hold unchanged (NaN, infinities,
                Decimals, tuples, keys that are not text), a kind that is not a printable word, or a time
                beyond 64 bits.
        """
        self._must_write()
        prepared = [prepare(ts, kind, body) for ts, kind, body in records]
        if not prepared:
            return []
        entries: list[Entry] = []

        def chained(seq: int, digest: str) -> Iterator[Row]:
            if (seq, digest) != self._end:
                raise ClawdError(
                    f"somebody else has written to this journal: its end is entry {seq}, not what this writer left",
                    where=self.where,
                    hint="open it anew",
                )
            for ts, kind, text, body in prepared:
                seq += 1
                digest = entry_hash(digest.encode(), seq, ts, kind.encode(), text.encode())
                entries.append(Entry(seq, ts, kind, body, digest))
                yield seq, ts, kind, text, digest

        self._storage.add(chained)
        self._end = entries[-1].seq, entries[-1].hash
        return entries

    def adopt(self, entries: Iterable[Entry]) -> int:
        """Take over the entries of another journal into this one, which must be empty: all of them or none.

        Args:
            entries: in order, from the first on. Every hash is computed anew and compared.

        Returns:
            How many there were.

        Raises:
            ClawdError: when this journal is not empty, or naming the first entry that is broken.
        """
        self._must_write()
        end = 0, GENESIS

        def chained(seq: int, _: str) -> Iterator[Row]:
            nonlocal end
            if seq:
                raise ClawdError(
                    f"this journal has {seq:,} entries already", where=self.where, hint="import into an empty one"
                )
            for row in checked_rows(entries):
                end = row[0], row[4]
                yield row

        self._storage.add(chained)
        self._end = end
        return end[0]

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """The entries behind seq ``after``, in order, those that are appended meanwhile included.

        Every hash is computed anew before its entry is handed over; the one of the entry ``after`` is believed.

        Raises:
            ClawdError: naming the first entry that is broken, and why; or when the database is damaged.
        """
        yield from self._entries(after, CHUNK)

    def _entries(self, after: int, chunk: int) -> Iterator[Entry]:
        previous: str | None = GENESIS
        if after:
            previous = self._storage.hash_of(after)
        while True:
            # One read held open over the whole walk would keep the write-ahead log from being cut back.
            rows = self._storage.rows(after, chunk)
            for row in rows:
                if row[0] != after + 1 or previous is None:
                    raise self._broken(after + 1, f"it is missing, {row[0]} comes next")
                entry = self._checked(row, previous)
                after, previous = entry.seq, entry.hash
                yield entry
            if len(rows) < chunk:
                return

    def entries_of(self, kind: str, after: int = 0) -> Iterator[Entry]:
        """The entries of one kind behind seq ``after``, in order; the others are not read.

        The hash of each is computed anew on that of the entry before it, which is believed: that none is missing is
        for :meth:`entries` and :meth:`verify_chain` to see.

        Raises:
            ClawdError: naming the first entry that is broken, and why; or when the database is damaged.
        """
        while True:
            rows = self._storage.rows_of(kind, after, CHUNK)
            for seq, ts, name, text, digest, previous in rows:
                if previous is None and seq > 1:
                    raise self._broken(seq - 1, f"it is missing, {seq} comes next")
                yield self._checked((seq, ts, name, text, digest), previous or GENESIS)
                after = seq
            if len(rows) < CHUNK:
                return

    def _checked(self, row: Row, previous: str) -> Entry:
        """A row as an entry, where it fits the hash of the one before it."""
        seq, ts, kind, text, digest = row
        if type(ts) is not int or type(kind) is not str or type(text) is not str:
            raise self._broken(seq, "its columns are not an integer and text")
        if digest != entry_hash(previous.encode(), seq, ts, kind.encode(), text.encode()):
            raise self._broken(seq, _UNFIT)
        try:
            body = json.loads(text)
        except ValueError as error:
            raise self._broken(seq, "its body is not JSON") from error
        return Entry(seq, ts, kind, body, digest)

    def verify_chain(self, expected_head: tuple[int, str] | None = None) -> int:
        """Recompute every hash, from the bytes that are stored.

        Args:
            expected_head: a head noted earlier, ``(seq, hash)``; the chain must still pass through it.
                Without one, a tail that was cut off goes unnoticed.

        Returns:
            How many entries there are.

        Raises:
            ClawdError: naming the first entry that is broken, and why.
        """
        last, previous = 0, GENESIS.encode()
        noted_seq, noted_hash = expected_head or (0, GENESIS)
        try:
            with closing(self._storage.walk()) as rows:  # type: ignore[type-var]
                for seq, ts, kind, body, digest, types in rows:
                    if seq < 1:
                        raise self._broken(seq, "it stands before the first")
                    if seq != last + 1:
                        raise self._broken(last + 1, f"it is missing, {seq} comes next")
                    # The types come first: only then do the values mean what their columns say.
                    if types != self._storage.types:
                        raise self._broken(seq, f"its columns are {types}, not {self._storage.types}")
                    if digest != entry_hash(previous, seq, ts, kind, body).encode():
                        raise self._broken(seq, _UNFIT)
                    if seq == noted_seq and digest != noted_hash.encode():
                        raise self._broken(seq, "its hash is not the one that was noted")
                    last, previous = seq, digest
        except Damaged as error:
            raise self._broken(last + 1, f"it cannot be read: {error}") from error
        if last < noted_seq:
            raise self._broken(last + 1, f"it is missing, and entry {noted_seq} was noted: the tail was cut off")
        return last

    def keep_snapshot(self, seq: int, digest: str, fold: str, version: str, body: bytes) -> None:
        """Keep what a fold has come to; the last two of its version stay, all others of the fold go.

        A snapshot is outside the chain: it proves nothing and can be thrown away.

        Args:
            seq, digest: number and hash of the last entry that was folded.
            fold: which fold, a printable name.
            version: of the fold's rules and of the body's layout, printable.
            body: the state.

        Raises:
            ClawdError: when the disk or the server refuses.
            ValueError: when the journal has no such entry, or a name is not printable.
        """
        self._must_write()
        snapshot = Snapshot(seq, digest, fold, version, body)
        if self._storage.hash_of(seq) != digest:
            raise ValueError(f"a snapshot stands on an entry of its journal, and {seq} with hash {digest} is none")
        self._storage.keep_snapshot(snapshot)

    def latest_snapshot(self, fold: str, version: str) -> Snapshot | None:
        """The last snapshot of a fold that is whole and stands on an entry of this journal; None where there is none.

        Others are passed over with a :class:`SnapshotIgnoredWarning`. What stands before the entry is not looked at:
        ``verify_chain`` does that.

        Raises:
            ClawdError: when the database cannot be read.
        """
        for seq, digest, checksum, body in self._storage.snapshots(fold, version):
            if not isinstance(body, bytes) or Snapshot(seq, digest, fold, version, body).digest != checksum:
                why = "it is damaged"
            elif self._storage.hash_of(seq) != digest:
                why = "it stands on an entry that the journal does not have"
            else:
                return Snapshot(seq, digest, fold, version, body)
            message = f"{self.where}: the snapshot of {fold} at entry {seq} is ignored: {why}"
            warnings.warn(message, SnapshotIgnoredWarning, stacklevel=2)
        return None

    def copy_to(self, path: Path) -> bool:
        """Copy one moment of this journal into a new file of the database's own form; false where it has none.

        A writer may go on meanwhile.

        Raises:
            ClawdError: when the copy cannot be made.
        """
        return self._storage.copy_to(path)

    def _must_write(self) -> None:
        if not self._storage.writable:
            raise RuntimeError("this journal was opened read-only")

    def _broken(self, seq: int, why: str) -> ClawdError:
        return _broken(self.where, seq, why)


def checked_rows(entries: Iterable[Entry], where: str | None = None) -> Iterator[Row]:
    """The entries of a whole journal as they are stored, each after its hash was computed anew and compared.

    Args:
        entries: in order, from the first on.
        where: they come from, for messages.

    Raises:
        ClawdError: naming the first entry that is broken, and why.
    """
    last, digest = 0, GENESIS
    for entry in entries:
        if entry.seq != last + 1:
            raise _broken(where, last + 1, f"it is missing, {entry.seq} comes next")
        last = entry.seq
        try:
            ts, kind, text, _ = prepare(entry.ts, entry.kind, entry.body)
        except (ValueError, TypeError, OverflowError) as error:
            raise _broken(where, last, str(error)) from None
        digest = entry_hash(digest.encode(), last, ts, kind.encode(), text.encode())
        if digest != entry.hash:
            raise _broken(where, last, _UNFIT)
        yield last, ts, kind, text, digest


_UNFIT: Final = "its hash does not fit its content and the entry before it"


def _broken(where: str | None, seq: int, why: str) -> ClawdError:
    return ClawdError(f"entry {seq} is broken: {why}", where=where, hint="restore the journal from a copy")
