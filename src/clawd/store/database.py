"""A SQLite file of ours: opened, recognised, laid out, and written in whole transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from clawd.core.errors import ClawdError

BUSY_SECONDS: Final = 30.0
SQLITE_HEADER_BYTES: Final = 100


@dataclass(frozen=True, slots=True)
class Schema:
    """How a file of ours is laid out.

    Attributes:
        noun: what the file is, for messages.
        application_id: the number in the file's header by which it is known as ours.
        statements: what creates layout 1.
        migrations: what turns layout 1 into 2, 2 into 3, and so on. A new file goes through all of them, so it is
            laid out like an old one that was brought up to date.
        readable_from: the oldest layout that can be read as it is; the current one where None.
    """

    noun: str
    application_id: int
    statements: tuple[str, ...]
    migrations: tuple[tuple[str, ...], ...] = ()
    readable_from: int | None = None

    @property
    def version(self) -> int:
        """The version of the layout, kept in ``PRAGMA user_version``; the first is 1."""
        return 1 + len(self.migrations)


def connect(path: Path, schema: Schema, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a file and recognise it; a file of somebody else is left as it was.

    A writable open creates the parent folders and, where there is none, an empty file that ``lay_out`` fills.

    Raises:
        ClawdError: when the file cannot be opened, is not ours, or is newer than this program; for a
            read-only open also when it is missing, still empty, or of a layout too old to be read.
    """
    with mendable(path):
        missing = not path.is_file()
        size = 0 if missing else path.stat().st_size
    # SQLite takes a file of a few bytes for an empty one and would write over it. Measured, not read:
    # closing a descriptor of our own would drop the locks that this process holds on the file.
    if 0 < size < SQLITE_HEADER_BYTES:
        raise ClawdError(f"this file is not a clawd {schema.noun}", where=str(path))
    if read_only and missing:
        raise ClawdError(f"there is no {schema.noun} here", where=str(path))
    with mendable(path):
        if missing:
            path.parent.mkdir(parents=True, exist_ok=True)
        address = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            version = layout(connection, path, schema)
        except BaseException:
            connection.close()
            raise
    if read_only and version < (schema.readable_from or schema.version):
        connection.close()
        state = f"has the old layout {version}" if version else "is still empty"
        raise ClawdError(f"this {schema.noun} {state}", where=str(path))
    return connection


def lay_out(
    connection: sqlite3.Connection, path: Path, schema: Schema, *, synchronous: Literal["NORMAL", "FULL"] = "NORMAL"
) -> None:
    """Make a writable connection ready: write-ahead log, and the layout where the file is new or of an older version.

    Two processes must not do this to one file at once: the caller holds its lock.

    Args:
        connection: to the file.
        path: of the file, for messages.
        schema: its layout.
        synchronous: NORMAL writes the log to the disk when it is checkpointed, FULL at every commit.

    Raises:
        ClawdError: when the file cannot be written or its file system cannot hold a write-ahead log.
    """
    with mendable(path):
        (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        if mode != "wal":
            raise ClawdError("this file system cannot hold a write-ahead log", where=str(path), hint="use a local disk")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        # Where the system's own flush stops at the disk's cache, as on macOS, the disk is told to empty it.
        connection.execute(f"PRAGMA fullfsync={'ON' if synchronous == 'FULL' else 'OFF'}")
        # Asked again: another process may have laid the file out before we got the lock.
        version = layout(connection, path, schema)
        if version < schema.version:
            with transaction(connection):
                for statements in (schema.statements, *schema.migrations)[version:]:
                    for statement in statements:
                        connection.execute(statement)
                connection.execute(f"PRAGMA application_id={schema.application_id}")
                connection.execute(f"PRAGMA user_version={schema.version}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block's writes, or none of them."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def at_once(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """All that is read and written in the block happens at one moment, or none of it; a block inside is part of it.

    Others wait while it is open.
    """
    if connection.in_transaction:
        yield
        return
    # The block is another's: what goes wrong in it is not the file's fault.
    with mendable(path):
        connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        with mendable(path):
            connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def at_one_moment(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """All that is read in the block is as it was when the first of it was read; nothing is written in it."""
    with mendable(path):
        connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def mendable(path: Path) -> Iterator[None]:
    """Turn what a person can mend (a full disk, a locked, damaged or foreign file) into a ClawdError."""
    try:
        yield
    except OSError as error:
        raise ClawdError(error.strerror or str(error), where=str(path)) from error
    except sqlite3.OperationalError as error:
        raise ClawdError(str(error), where=str(path)) from error
    except sqlite3.DatabaseError as error:
        # The subclasses are mistakes of ours; DatabaseError itself says that the file is damaged or not
        # SQLite's.
        if type(error) is not sqlite3.DatabaseError:
            raise
        raise ClawdError(str(error), where=str(path), hint="the file is damaged, or not ours") from error


def layout(connection: sqlite3.Connection, path: Path, schema: Schema) -> int:
    """The version of a file's layout, 0 for an empty file.

    Raises:
        ClawdError: when the file is not ours, or newer than this program.
    """
    # One transaction, or another process could lay the file out between two of the questions.
    connection.execute("BEGIN")
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (objects,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    if (application, version, objects) == (0, 0, 0):
        return 0
    if application != schema.application_id:
        raise ClawdError(f"this file is not a clawd {schema.noun}", where=str(path))
    if version > schema.version:
        raise ClawdError(
            f"this {schema.noun} has layout {version}, and this clawd knows layouts up to {schema.version}",
            where=str(path),
            hint="it was written by a newer clawd: update this one",
        )
    return int(version)
