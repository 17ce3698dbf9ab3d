"""A journal in a SQLite file: a write-ahead log, a lock file for the one writer, and Python's own driver.

SQLAlchemy is left to the migrations: the three statements of the way of every event would not be any shorter in it, and
they would take longer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, TextIO

from clawd.core.errors import ClawdError
from clawd.store.database import BUSY_SECONDS, Schema, connect, lay_out, layout, mendable, transaction
from clawd.store.entry import GENESIS, Row
from clawd.store.journal_layout import CURRENT, LAYOUTS, STAMP, WITH_SNAPSHOTS
from clawd.store.lock import take_lock
from clawd.store.migrations import upgrade
from clawd.store.snapshot import KEPT, Snapshot
from clawd.store.storage import Damaged, Durability, LinkedRow, RawRow, StoredSnapshot

SCHEMA: Final = Schema(
    noun="journal",
    application_id=0x434C4A4C,  # "CLJL"
    statements=LAYOUTS["sqlite"][0],
    migrations=(*LAYOUTS["sqlite"][1:-1], (*LAYOUTS["sqlite"][-1], *STAMP)),
    readable_from=1,
)
assert SCHEMA.version == CURRENT


class SqliteStorage:
    """The rows of a journal in a file."""

    types: Final = "integer text text text"

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: TextIO | None) -> None:
        self.where = str(path)
        self.writable = lock is not None
        self._path = path
        self._connection = connection
        self._lock = lock
        self._layout = layout(connection, path, SCHEMA)

    @classmethod
    def open(cls, path: Path, *, read_only: bool, durability: Durability) -> SqliteStorage:
        """Open a file; a writable open creates what is missing and brings an older layout up to date.

        Raises:
            ClawdError: when another process is writing it, when the file is not a journal or is newer than this
                program, when it cannot be opened, or when it is missing and ``read_only``.
        """
        path = path.resolve()  # one lock for one file, whatever link led here
        connection = connect(path, SCHEMA, read_only=read_only)
        lock: TextIO | None = None
        try:
            if not read_only:
                lock = take_lock(path, SCHEMA.noun)
                with mendable(path):
                    version = layout(connection, path, SCHEMA)
                if 0 < version < CURRENT:
                    _upgrade(path, version)
                lay_out(connection, path, SCHEMA, synchronous="FULL" if durability == "full" else "NORMAL")
            return cls(path, connection, lock)
        except BaseException:
            connection.close()
            if lock is not None:
                lock.close()
            raise

    def close(self) -> None:
        self._connection.close()
        if self._lock is not None:
            self._lock.close()

    def head(self) -> tuple[int, str]:
        with mendable(self._path):
            row = self._connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        return (row[0], row[1]) if row else (0, GENESIS)

    def hash_of(self, seq: int) -> str | None:
        with mendable(self._path):
            row = self._connection.execute("SELECT hash FROM journal WHERE seq = ?", (seq,)).fetchone()
        return row[0] if row else None

    def add(self, build: Callable[[int, str], Iterator[Row]]) -> None:
        with mendable(self._path), transaction(self._connection):
            # Read inside the transaction: the chain cannot fork even where a file system ignores locks.
            rows = build(*self.head())
            self._connection.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", rows)

    def rows(self, after: int, limit: int) -> Sequence[Row]:
        query = "SELECT seq, ts, kind, body, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"
        with mendable(self._path):
            return self._connection.execute(query, (after, limit)).fetchall()

    def rows_of(self, kind: str, after: int, limit: int) -> Sequence[LinkedRow]:
        query = """
            SELECT own.seq, own.ts, own.kind, own.body, own.hash, previous.hash
            FROM journal AS own LEFT JOIN journal AS previous ON previous.seq = own.seq - 1
            WHERE own.seq > ? AND own.kind = ? ORDER BY own.seq LIMIT ?
        """
        with mendable(self._path):
            return self._connection.execute(query, (after, kind, limit)).fetchall()

    def walk(self) -> Iterator[RawRow]:
        query = """
            SELECT seq, ts, CAST(kind AS BLOB), CAST(body AS BLOB), CAST(hash AS BLOB),
                   typeof(ts) || ' ' || typeof(kind) || ' ' || typeof(body) || ' ' || typeof(hash)
            FROM journal ORDER BY seq
        """
        try:
            with closing(self._connection.execute(query)) as rows:
                yield from rows
        except sqlite3.OperationalError as error:
            raise ClawdError(str(error), where=self.where) from error
        except sqlite3.DatabaseError as error:
            raise Damaged(str(error)) from error

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        name = (snapshot.fold, snapshot.version)
        with mendable(self._path), transaction(self._connection):
            self._connection.execute(
                "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?, ?)",
                (*name, snapshot.seq, snapshot.hash, snapshot.digest, snapshot.body),
            )
            self._connection.execute(
                """
                DELETE FROM snapshots WHERE fold = ? AND (version <> ? OR seq NOT IN
                    (SELECT seq FROM snapshots WHERE fold = ? AND version = ? ORDER BY seq DESC LIMIT ?))
                """,
                (snapshot.fold, snapshot.version, *name, KEPT),
            )

    def snapshots(self, fold: str, version: str) -> Sequence[StoredSnapshot]:
        if self._layout < WITH_SNAPSHOTS:
            return ()
        query = "SELECT seq, hash, digest, body FROM snapshots WHERE fold = ? AND version = ? ORDER BY seq DESC"
        with mendable(self._path):
            return self._connection.execute(query, (fold, version)).fetchall()

    def copy_to(self, path: Path) -> bool:
        with mendable(path), closing(sqlite3.connect(path, isolation_level=None)) as copy:
            # All pages in one step are one moment of the journal; step by step, every write would begin it anew.
            self._connection.backup(copy, pages=-1)
            # One file alone, which can be read from a place that cannot be written to.
            copy.execute("PRAGMA journal_mode=DELETE")
        return True


def _upgrade(path: Path, version: int) -> None:
    def connection() -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)

    try:
        upgrade("sqlite", connection, version)
    except Exception as error:
        # SQLAlchemy wraps what the driver says.
        cause = getattr(error, "orig", error)
        if not isinstance(cause, sqlite3.Error):
            raise
        raise ClawdError(f"this journal cannot be brought up to date: {cause}", where=str(path)) from error
