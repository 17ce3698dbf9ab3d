"""A journal in PostgreSQL: a schema of its own, and an advisory lock for the one writer. Needs the extra ``postgres``.

The driver is psycopg 3 (LGPL, unmodified). SQLAlchemy is left to the migrations, as in SQLite; an asynchronous driver
would gain nothing, for the next step of a trade waits until this one is written down.

A database holds any number of journals, each in a schema ``journal_NAME``: guarded, migrated, dumped and given away
alone. The right to write is a session's advisory lock: the server releases it when the connection ends, however it
ends. So a writer whose connection is gone has lost the right, and never connects again: its next ``append`` fails. A
pooler that hands each transaction to another session cannot hold such a lock; that it is there is noticed at the
first ``append``.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from clawd.core.errors import ClawdError
from clawd.store.entry import GENESIS, Row
from clawd.store.journal_layout import CURRENT, LAYOUTS, STAMP, WITH_SNAPSHOTS
from clawd.store.migrations import upgrade
from clawd.store.snapshot import KEPT, Snapshot
from clawd.store.storage import Damaged, Durability, LinkedRow, RawRow, StoredSnapshot

try:
    import psycopg
    from psycopg import conninfo, errors, sql
except ImportError as error:
    raise ClawdError(
        "a journal in PostgreSQL needs the driver psycopg", hint='pip install "clawd-bot[postgres]"'
    ) from error

OLDEST_SERVER: Final = 140_000

#: How the network is watched, unless the URL says otherwise: a server that vanished is noticed after half a minute.
WATCH: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
CHUNK: Final = 4096
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")

#: How often, and at which distance in seconds, the right to write is asked for before a start is refused.
_ATTEMPTS: Final = 10
_BETWEEN_ATTEMPTS: Final = 0.1


class PostgresStorage:
    """The rows of a journal in a schema of a database."""

    types: Final = "bigint text text text"

    def __init__(self, where: str, connection: psycopg.Connection[Any], session: int | None, layout: int) -> None:
        self.where = where
        self.writable = session is not None
        self._connection = connection
        self._session = session
        self._layout = layout

    @classmethod
    def open(cls, url: str, *, read_only: bool, durability: Durability) -> PostgresStorage:
        """Open the journal that a URL names; a writable open creates it, or brings an older layout up to date.

        Raises:
            ClawdError: when the server cannot be reached or is too old, when another session is writing the journal,
                when the schema holds something else, when the journal is newer than this program, when it is missing
                and ``read_only``, or when the server cannot keep what ``durability`` promises.
        """
        address, name = _parts(url)
        where = _shown(address, name)
        schema = f"journal_{name}"
        with _mendable(where):
            connection = _connect(address, schema)
        try:
            with _mendable(where):
                _check_server(connection, where)
                if read_only:
                    return cls(where, connection, None, _existing_layout(connection, schema, where))
                session = _take_lock(connection, name, where)
                _set_durability(connection, durability, where)
                layout = _layout(connection, schema, where)
                if not layout:
                    _lay_out(connection, schema)
                elif layout < CURRENT:
                    _upgrade(address, schema, layout)
                return cls(where, connection, session, CURRENT)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def head(self) -> tuple[int, str]:
        return self._head()[:2]

    def hash_of(self, seq: int) -> str | None:
        with _mendable(self.where):
            row = self._connection.execute("SELECT hash FROM journal WHERE seq = %s", (seq,)).fetchone()
        return row[0] if row else None

    def add(self, build: Callable[[int, str], Iterator[Row]]) -> None:
        with self._writing():
            seq, digest, session = self._head()
            if session != self._session:
                raise ClawdError(
                    "this is not the session that has the right to write",
                    where=self.where,
                    hint="connect to the server itself, not through a pooler of transactions",
                )
            with self._connection.cursor() as cursor:
                cursor.executemany("INSERT INTO journal VALUES (%s, %s, %s, %s, %s)", build(seq, digest))

    def rows(self, after: int, limit: int) -> Sequence[Row]:
        query = "SELECT seq, ts, kind, body, hash FROM journal WHERE seq > %s ORDER BY seq LIMIT %s"
        with _mendable(self.where):
            return self._connection.execute(query, (after, limit)).fetchall()

    def rows_of(self, kind: str, after: int, limit: int) -> Sequence[LinkedRow]:
        query = """
            SELECT own.seq, own.ts, own.kind, own.body, own.hash, previous.hash
            FROM journal AS own LEFT JOIN journal AS previous ON previous.seq = own.seq - 1
            WHERE own.seq > %s AND own.kind = %s ORDER BY own.seq LIMIT %s
        """
        with _mendable(self.where):
            return self._connection.execute(query, (after, kind, limit)).fetchall()

    def walk(self) -> Iterator[RawRow]:
        query = """
            SELECT seq, ts, kind, body, hash,
                   concat_ws(' ', pg_typeof(ts), pg_typeof(kind), pg_typeof(body), pg_typeof(hash))
                   || CASE WHEN ts IS NULL OR kind IS NULL OR body IS NULL OR hash IS NULL THEN ' and null' ELSE '' END
            FROM journal ORDER BY seq
        """
        with _mendable(self.where):
            try:
                with self._connection.transaction(), self._connection.cursor(name="walk") as cursor:
                    cursor.itersize = CHUNK
                    for seq, ts, kind, body, digest, types in cursor.execute(query):
                        yield seq, ts, _bytes(kind), _bytes(body), _bytes(digest), types
            except (errors.DataCorrupted, errors.IndexCorrupted) as error:
                raise Damaged(f"{_first_line(error)}, here or in the next {CHUNK:,} entries") from error

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        with self._writing():
            self._connection.execute(
                """
                INSERT INTO snapshots VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (fold, version, seq)
                DO UPDATE SET hash = EXCLUDED.hash, digest = EXCLUDED.digest, body = EXCLUDED.body
                """,
                (snapshot.fold, snapshot.version, snapshot.seq, snapshot.hash, snapshot.digest, snapshot.body),
            )
            self._connection.execute(
                """
                DELETE FROM snapshots WHERE fold = %(fold)s AND (version <> %(version)s OR seq NOT IN
                    (SELECT seq FROM snapshots WHERE fold = %(fold)s AND version = %(version)s
                     ORDER BY seq DESC LIMIT %(kept)s))
                """,
                {"fold": snapshot.fold, "version": snapshot.version, "kept": KEPT},
            )

    def snapshots(self, fold: str, version: str) -> Sequence[StoredSnapshot]:
        if self._layout < WITH_SNAPSHOTS:
            return ()
        query = "SELECT seq, hash, digest, body FROM snapshots WHERE fold = %s AND version = %s ORDER BY seq DESC"
        with _mendable(self.where):
            return self._connection.execute(query, (fold, version)).fetchall()

    def copy_to(self, path: Path) -> bool:
        del path
        return False

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All of the block's writes, or none of them; the right to write ends with the connection."""
        try:
            with _mendable(self.where), self._connection.transaction():
                yield
        except ClawdError as error:
            if not self._connection.closed:
                raise
            raise ClawdError(
                f"the connection is gone, and with it the right to write: {error.what}",
                where=self.where,
                hint="open the journal anew, and look at its head before anything is written again",
            ) from error

    def _head(self) -> tuple[int, str, int]:
        """The head, and the session that answers."""
        # One row whatever the journal holds, by its index: an ORDER BY over a UNION would read all of it.
        query = """
            SELECT seq, hash, session FROM (SELECT pg_backend_pid() AS session) AS here
            LEFT JOIN (SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1) AS last ON true
        """
        with _mendable(self.where):
            row = self._connection.execute(query).fetchone()
        assert row is not None  # the session is there even where no entry is
        seq, digest, session = row
        return (0, GENESIS, session) if seq is None else (seq, digest, session)


def _parts(url: str) -> tuple[str, str]:
    """The URL that the driver takes, and the name of the journal."""
    address, _, query = url.partition("?")
    options = [option for option in query.split("&") if option]
    names = [option.removeprefix("journal=") for option in options if option.startswith("journal=")]
    others = [option for option in options if not option.startswith("journal=")]
    name = names[-1] if names else "main"
    if len(names) > 1 or not _NAME.fullmatch(name):
        raise ClawdError(
            f"`{name}` cannot be the name of a journal" if len(names) < 2 else "one journal has one name",
            where="?journal=",
            hint="small letters, digits, - and _, at most 50, a letter or digit first",
        )
    return "?".join([address, "&".join(others)]) if others else address, name


def _shown(address: str, name: str) -> str:
    """The URL for messages, without the password."""
    try:
        parts = conninfo.conninfo_to_dict(address)
    except psycopg.Error as error:
        raise ClawdError(
            f"this is not the URL of a database: {_first_line(error)}",
            hint="postgresql://USER:PASSWORD@HOST:PORT/DATABASE?journal=NAME",
        ) from None
    user = f"{parts['user']}@" if parts.get("user") else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"postgresql://{user}{parts.get('host', '')}{port}/{parts.get('dbname', '')}?journal={name}"


def _connect(address: str, schema: str) -> psycopg.Connection[Any]:
    given = conninfo.conninfo_to_dict(address)
    watch: dict[str, Any] = {name: value for name, value in WATCH.items() if name not in given}
    connection = psycopg.connect(address, autocommit=True, application_name="clawd journal", **watch)
    try:
        connection.execute(sql.SQL("SET search_path = {}, pg_catalog").format(sql.Identifier(schema)))
        connection.execute("SET client_encoding = 'UTF8'")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_server(connection: psycopg.Connection[Any], where: str) -> None:
    if connection.info.server_version < OLDEST_SERVER:
        raise ClawdError("this PostgreSQL is too old", where=where, hint="14 or later is needed")
    encoding = _value(connection, "SHOW server_encoding")
    if encoding != "UTF8":
        raise ClawdError(
            f"this database is encoded in {encoding}, which does not hold every text",
            where=where,
            hint="make one with: createdb --encoding=UTF8 --template=template0 NAME",
        )


def _take_lock(connection: psycopg.Connection[Any], name: str, where: str) -> int:
    """Take the right to write for this session, whose number is returned.

    Raises:
        ClawdError: naming the session that has it.
    """
    key = int.from_bytes(hashlib.sha256(f"clawd journal {name}".encode()).digest()[:8], signed=True)
    # An idle writer keeps its session; that of a machine that vanished ends after half a minute, not after two hours.
    connection.execute("SET idle_session_timeout = 0")
    connection.execute("SET tcp_keepalives_idle = 10")
    connection.execute("SET tcp_keepalives_interval = 5")
    connection.execute("SET tcp_keepalives_count = 4")
    # A session that has just been closed here may go on for a moment there, with all that it held.
    for attempt in range(_ATTEMPTS):
        if _value(connection, "SELECT pg_try_advisory_lock(%s)", (key,)):
            return int(_value(connection, "SELECT pg_backend_pid()"))
        if attempt < _ATTEMPTS - 1:
            time.sleep(_BETWEEN_ATTEMPTS)
    holder = connection.execute(
        """
        SELECT locks.pid, COALESCE(host(client_addr), 'the machine of the server') FROM pg_locks AS locks
        LEFT JOIN pg_stat_activity AS sessions ON sessions.pid = locks.pid
        WHERE locktype = 'advisory' AND granted AND objsubid = 1
            AND ((classid::bigint << 32) | objid::bigint) = %s
            AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """,
        (key,),
    ).fetchone()
    who = f" (session {holder[0]}, from {holder[1]})" if holder else ""
    end = f"; if it is dead, SELECT pg_terminate_backend({holder[0]})" if holder else ""
    raise ClawdError(
        f"another clawd process{who} is writing this journal",
        where=where,
        hint=f"stop it first, or open the journal read-only{end}",
    )


def _set_durability(connection: psycopg.Connection[Any], durability: Durability, where: str) -> None:
    if durability == "normal":
        connection.execute("SET synchronous_commit = off")
        return
    if _value(connection, "SHOW fsync") == "off" or _value(connection, "SHOW full_page_writes") == "off":
        raise ClawdError(
            "this server runs with fsync or full_page_writes off: a power cut may take anything with it",
            where=where,
            hint="switch both on in postgresql.conf, or ask for less durability",
        )
    if _value(connection, "SHOW synchronous_commit") == "off":
        connection.execute("SET synchronous_commit = on")  # else the server's own choice is at least as strict


def _layout(connection: psycopg.Connection[Any], schema: str, where: str) -> int:
    """The layout of the journal in a schema; 0 where there is no schema, or nothing in it."""
    query = "SELECT relname FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace WHERE nspname = %s"
    relations = {row[0] for row in connection.execute(query, (schema,))}
    if not relations:
        return 0
    if not {"journal", "alembic_version"} <= relations:
        raise ClawdError(f"the schema {schema} holds something else than a clawd journal", where=where)
    version = str(_value(connection, "SELECT version_num FROM alembic_version"))
    if not version.isdecimal() or int(version) > CURRENT:
        raise ClawdError(
            f"this journal has layout {version}, and this clawd knows layouts up to {CURRENT}",
            where=where,
            hint="it was written by a newer clawd: update this one",
        )
    return int(version)


def _existing_layout(connection: psycopg.Connection[Any], schema: str, where: str) -> int:
    layout = _layout(connection, schema, where)
    if not layout:
        raise ClawdError("there is no journal here", where=where)
    return layout


def _lay_out(connection: psycopg.Connection[Any], schema: str) -> None:
    with connection.transaction():
        if not _value(connection, "SELECT count(*) FROM pg_namespace WHERE nspname = %s", (schema,)):
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        for statements in (*LAYOUTS["postgresql"], STAMP):
            for statement in statements:
                connection.execute(statement.encode())


def _upgrade(address: str, schema: str, layout: int) -> None:
    def connection() -> psycopg.Connection[Any]:
        opened = _connect(address, schema)
        opened.autocommit = False
        return opened

    try:
        upgrade("postgresql", connection, layout)
    except Exception as error:
        # SQLAlchemy wraps what the driver says.
        raise getattr(error, "orig", None) or error from error


def _value(connection: psycopg.Connection[Any], query: str, values: tuple[object, ...] = ()) -> Any:
    row = connection.execute(query.encode(), values).fetchone()
    return None if row is None else row[0]


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@contextmanager
def _mendable(where: str) -> Iterator[None]:
    """Turn what a person can mend (no server, no right, a full disk, damage) into a ClawdError."""
    try:
        yield
    except psycopg.Error as error:
        raise ClawdError(_first_line(error), where=where) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
