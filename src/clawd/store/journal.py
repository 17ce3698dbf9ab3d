"""The append-only, hash-chained journal: what happened, in the order in which it was decided to be true.

Durability, honestly. The file is SQLite with a write-ahead log and ``synchronous=NORMAL``. What ``append``
has returned survives the death of the process, ``kill -9`` included. A power cut or a crash of the operating
system may take the last transactions with it (those since the last checkpoint), whole ones and from the end
only; it does not corrupt the file or break the chain.

Integrity, honestly. Every entry's hash covers its content and the hash before it, so a changed, swapped,
inserted or missing entry shows in ``verify_chain``. A chain cannot know how long it used to be: a tail cut
off, or a whole chain written anew with fresh hashes, shows only against a head that was noted elsewhere
(``verify_chain(expected_head=...)``).
"""

from __future__ import annotations

import hashlib
import json
import operator
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO, TypeAlias

from clawd.core.errors import ClawdError
from clawd.store.database import Schema, connect, lay_out, mendable, transaction
from clawd.store.lock import take_lock

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

GENESIS: Final = "0" * 64
CHUNK: Final = 1024

SCHEMA: Final = Schema(
    noun="journal",
    application_id=0x434C4A4C,  # "CLJL"
    statements=(
        """
        CREATE TABLE journal(
            seq INTEGER PRIMARY KEY,
            ts INTEGER NOT NULL,
            kind TEXT NOT NULL,
            body TEXT NOT NULL,
            hash TEXT NOT NULL
        )
        """,
        """
        CREATE TRIGGER journal_keeps BEFORE UPDATE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
        """,
        """
        CREATE TRIGGER journal_holds BEFORE DELETE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
        """,
        # INSERT OR REPLACE deletes without firing the DELETE trigger.
        """
        CREATE TRIGGER journal_grows BEFORE INSERT ON journal
        WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM journal)
        BEGIN SELECT RAISE(ABORT, 'the journal grows at its end only'); END
        """,
    ),
)

_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=True
).encode


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Attributes:
        seq: its place in the journal, counted from 1 without gaps.
        ts: when, UTC nanoseconds since 1970.
        kind: what sort of thing, one printable word or dotted name.
        body: its content, exactly as every later reading will give it.
        hash: 64 hex digits over this entry and, through the hash before it, over all before it.
    """

    seq: int
    ts: int
    kind: str
    body: dict[str, JSON]
    hash: str


class Journal:
    """An open journal: one process writes, any number read. Used by the thread that opened it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: TextIO | None) -> None:
        self.path = path
        self._connection = connection
        self._lock = lock

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Journal:
        """Open a journal, for writing by default; a writable open creates what is missing.

        Raises:
            ClawdError: when another process is writing it, when the file is not a journal or is newer than
                this program, when it cannot be opened, or when it is missing and ``read_only``.
        """
        path = path.resolve()  # one lock for one file, whatever link led here
        connection = connect(path, SCHEMA, read_only=read_only)
        if read_only:
            return cls(path, connection, None)
        lock: TextIO | None = None
        try:
            lock = take_lock(path, SCHEMA.noun)
            lay_out(connection, path, SCHEMA)
        except BaseException:
            connection.close()
            if lock is not None:
                lock.close()
            raise
        return cls(path, connection, lock)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let the next writer in; closing twice does no harm."""
        self._connection.close()
        if self._lock is not None:
            self._lock.close()

    @property
    def head(self) -> tuple[int, str]:
        """The last entry's seq and hash; ``(0, GENESIS)`` before the first."""
        with mendable(self.path):
            row = self._connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        return (row[0], row[1]) if row else (0, GENESIS)

    def append(self, records: Sequence[tuple[int, str, Mapping[str, JSON]]]) -> list[Entry]:
        """Write all the records in one transaction, or none of them.

        Args:
            records: ``(ts, kind, body)`` in the order in which they are to stand; amounts are written as text
                by the caller.

        Returns:
            The entries, with their bodies read back from what was written: what a later replay will see.

        Raises:
            ClawdError: when the disk refuses.
            ValueError, TypeError, OverflowError: for what JSON cannot hold unchanged (NaN, infinities,
                Decimals, tuples, keys that are not text), a kind that is not a printable word, or a time
                beyond 64 bits.
        """
        if self._lock is None:
            raise RuntimeError("this journal was opened read-only")
        prepared = [_prepare(ts, kind, body) for ts, kind, body in records]
        if not prepared:
            return []
        entries = []
        rows = []
        with mendable(self.path), transaction(self._connection):
            # Read inside the transaction: the chain cannot fork even where a file system ignores locks.
            seq, digest = self.head
            for ts, kind, text, body in prepared:
                seq += 1
                digest = _digest(digest.encode(), seq, ts, kind.encode(), text.encode())
                entries.append(Entry(seq, ts, kind, body, digest))
                rows.append((seq, ts, kind, text, digest))
            self._connection.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", rows)
        return entries

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """The entries behind seq ``after``, in order, those that are appended meanwhile included.

        Hashes are handed over as they stand; ``verify_chain`` checks them.

        Raises:
            ClawdError: when the file is damaged.
        """
        query = "SELECT seq, ts, kind, body, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"
        while True:
            # One read held open over the whole walk would keep the write-ahead log from being cut back.
            with mendable(self.path):
                rows = self._connection.execute(query, (after, CHUNK)).fetchall()
            for seq, ts, kind, text, digest in rows:
                try:
                    body = json.loads(text)
                except ValueError as error:
                    raise ClawdError(f"entry {seq} is broken: its body is not JSON", where=str(self.path)) from error
                yield Entry(seq, ts, kind, body, digest)
            if len(rows) < CHUNK:
                return
            after = rows[-1][0]

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
        query = """
            SELECT seq, ts, CAST(kind AS BLOB), CAST(body AS BLOB), CAST(hash AS BLOB),
                   typeof(ts) || ' ' || typeof(kind) || ' ' || typeof(body) || ' ' || typeof(hash)
            FROM journal ORDER BY seq
        """
        last, previous = 0, GENESIS.encode()
        noted_seq, noted_hash = expected_head or (0, GENESIS)
        try:
            with closing(self._connection.execute(query)) as rows:
                for seq, ts, kind, body, digest, types in rows:
                    if seq < 1:
                        raise self._broken(seq, "it stands before the first")
                    if seq != last + 1:
                        raise self._broken(last + 1, f"it is missing, {seq} comes next")
                    # The types come first: only then do the values mean what their columns say.
                    if types != "integer text text text":
                        raise self._broken(seq, f"its columns are {types}, not integer text text text")
                    if digest != _digest(previous, seq, ts, kind, body).encode():
                        raise self._broken(seq, "its hash does not fit its content and the entry before it")
                    if seq == noted_seq and digest != noted_hash.encode():
                        raise self._broken(seq, "its hash is not the one that was noted")
                    last, previous = seq, digest
        except sqlite3.OperationalError as error:
            raise ClawdError(str(error), where=str(self.path)) from error
        except sqlite3.DatabaseError as error:
            raise self._broken(last + 1, f"it cannot be read: {error}") from error
        if last < noted_seq:
            raise self._broken(last + 1, f"it is missing, and entry {noted_seq} was noted: the tail was cut off")
        return last

    def _broken(self, seq: int, why: str) -> ClawdError:
        return ClawdError(f"entry {seq} is broken: {why}", where=str(self.path), hint="restore the journal from a copy")


def _prepare(ts: int, kind: str, body: Mapping[str, JSON]) -> tuple[int, str, str, dict[str, JSON]]:
    """A record as it will be stored and as it will be read back."""
    if not kind or not kind.isprintable() or " " in kind:
        raise ValueError(f"a kind is one printable word, not {kind!r}")
    plain = dict(body)
    text = _encode(plain)
    text.encode()  # lone surrogates are refused here, before the transaction
    back: dict[str, JSON] = json.loads(text)
    if back != plain:
        raise TypeError(f"the body of a {kind} does not read back as it was given: {plain!r}")
    # A numpy integer would be stored as its bytes.
    return operator.index(ts), kind, text, back


def _digest(previous: bytes, seq: int, ts: int, kind: bytes, body: bytes) -> str:
    return hashlib.sha256(b"%s\n%d\n%d\n%s\n%s" % (previous, seq, ts, kind, body)).hexdigest()
