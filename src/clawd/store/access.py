"""Who may come in to the web face: one-time tokens, sessions, API keys and a password.

They lie in ``access.sqlite`` in the home, which only its owner can read. Of every secret only the hash is stored:
tokens, sessions and keys are 256 random bits, for which SHA-256 is enough; a password is hashed with argon2id. What a
method has returned survives ``kill -9``, so a server that starts again knows everyone it knew before.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

from clawd.core.errors import ClawdError
from clawd.store.database import Schema, connect, lay_out, mendable, transaction
from clawd.store.lock import take_lock
from clawd.store.password import check_password, is_password, password_hash

NAME: Final = "access.sqlite"

_SECOND: Final = 1_000_000_000
_DAY: Final = 86_400 * _SECOND
#: How long a link can be used.
TOKEN_LIFETIME: Final = 600 * _SECOND
#: A session ends when it was not used for so long,
SESSION_IDLE: Final = 7 * _DAY
#: and in any case after this.
SESSION_LIFETIME: Final = 30 * _DAY
#: The longest that a key can be made for, days.
LONGEST_KEY: Final = 3_650
#: More than anybody needs, and few enough to be listed whole.
MOST_KEYS: Final = 100
MOST_SESSIONS: Final = 100
_MOST_TOKENS: Final = 100
#: When something was last used is written down once in this time.
_SEEN_EVERY: Final = 60 * _SECOND

KEY_PREFIX: Final = "clawd_"
_KEY_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

SCHEMA: Final = Schema(
    noun="access file",
    application_id=0x434C4143,  # "CLAC"
    statements=(
        "CREATE TABLE site(id TEXT NOT NULL)",
        """
        CREATE TABLE token(
            hash TEXT PRIMARY KEY,
            by TEXT NOT NULL,
            made INTEGER NOT NULL,
            used INTEGER
        )
        """,
        """
        CREATE TABLE session(
            id TEXT PRIMARY KEY,
            hash TEXT NOT NULL UNIQUE,
            by TEXT NOT NULL,
            means TEXT NOT NULL,
            address TEXT NOT NULL,
            program TEXT NOT NULL,
            made INTEGER NOT NULL,
            seen INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE key(
            id TEXT PRIMARY KEY,
            hash TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL UNIQUE,
            scopes TEXT NOT NULL,
            made INTEGER NOT NULL,
            ends INTEGER,
            seen INTEGER
        )
        """,
        "CREATE TABLE password(by TEXT NOT NULL, hash TEXT NOT NULL, made INTEGER NOT NULL)",
    ),
)


class Scope(StrEnum):
    """What a session or a key may do; none implies another."""

    READ = "read"
    BUILD = "build"
    DECIDE = "decide"
    ADMIN = "admin"


class SignInError(ClawdError):
    """Who wants to come in has not shown that he may."""


class TakenError(ClawdError):
    """It cannot be made as things stand."""


NEW_LINK: Final = "`clawd web link` prints a new one"
_ALL_SCOPES: Final = ", ".join(Scope)
_Means = Literal["link", "password"]
_SESSION: Final = "id, by, means, address, program, made, seen"
_KEY: Final = "id, name, scopes, made, ends, seen"


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that was let in. Times are UTC nanoseconds.

    Attributes:
        id: names it, and opens nothing.
        by: the person.
        means: by which it was opened: ``link`` or ``password``.
        address: from which it was opened.
        program: what the browser called itself.
        made, seen: when it was opened, and last used, to the minute.
    """

    id: str
    by: str
    means: _Means
    address: str
    program: str
    made: int
    seen: int

    @property
    def ends(self) -> int:
        """When it ends unless it is used before; never after its lifetime."""
        return min(self.seen + SESSION_IDLE, self.made + SESSION_LIFETIME)


@dataclass(frozen=True, slots=True)
class Key:
    """What a program shows. Times are UTC nanoseconds.

    Attributes:
        id: names it, and opens nothing.
        name: given by who made it.
        scopes: what it may do.
        made: when it was made.
        ends: when it ends, None for never.
        seen: when it was last used, to the minute; None for never.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    made: int
    ends: int | None
    seen: int | None


class Access:
    """An open access file. Any number of processes may write; each change is one transaction."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def site_id(self) -> str:
        """Names this home among all others, by chance alone."""
        with mendable(self.path):
            row = self._connection.execute("SELECT id FROM site").fetchone()
            if row is None:
                with transaction(self._connection):
                    self._connection.execute(
                        "INSERT INTO site SELECT ? WHERE NOT EXISTS (SELECT 1 FROM site)", (secrets.token_hex(4),)
                    )
                row = self._connection.execute("SELECT id FROM site").fetchone()
        return str(row[0])

    # One-time tokens

    def new_token(self, by: str, now: int) -> str:
        """A secret that opens one session within ten minutes.

        Args:
            by: the person who will have used it.
            now: UTC nanoseconds.
        """
        token = secrets.token_urlsafe(32)
        with mendable(self.path), transaction(self._connection):
            # Those that were used stay for a day, so that who uses one again is told so.
            self._connection.execute("DELETE FROM token WHERE made < ? OR made > ?", (now - _DAY, now))
            self._connection.execute(
                "DELETE FROM token WHERE hash NOT IN (SELECT hash FROM token ORDER BY made DESC LIMIT ?)",
                (_MOST_TOKENS,),
            )
            self._connection.execute("INSERT INTO token VALUES (?, ?, ?, NULL)", (_hash(token), by, now))
        return token

    def use_token(self, token: str, address: str, program: str, now: int) -> tuple[Session, str]:
        """Open a session with a one-time token.

        Returns:
            The session, and the secret that shows it.

        Raises:
            SignInError: when there is no such token, it was used, or it is too old.
        """
        digest = _hash(token)
        with mendable(self.path), transaction(self._connection):
            row = self._connection.execute("SELECT by, made, used FROM token WHERE hash = ?", (digest,)).fetchone()
            if row is None:
                raise SignInError("this link is not one of this server's, or it is more than a day old", hint=NEW_LINK)
            by, made, used = row
            if used is not None:
                raise SignInError("this link was used already, and each can be used once", hint=NEW_LINK)
            if not made <= now < made + TOKEN_LIFETIME:
                raise SignInError("this link is too old", hint=NEW_LINK)
            self._connection.execute("UPDATE token SET used = ? WHERE hash = ?", (now, digest))
            return self._open_session(by, "link", address, program, now)

    # Sessions

    def session(self, secret: str, now: int) -> Session | None:
        """The session that a secret shows, which counts as used now; None where there is none or it has ended."""
        with mendable(self.path):
            row = self._connection.execute(
                f"SELECT {_SESSION} FROM session WHERE hash = ?", (_hash(secret),)
            ).fetchone()
            session = Session(*row) if row else None
            if session is None or not _lasts(session, now):
                return None
            if now - session.seen >= _SEEN_EVERY:
                self._see("session", session.id, now)
        return session

    def is_open(self, session_or_key: str, now: int) -> bool:
        """Whether the session or key of an id still lets its holder in; that it is asked for does not count as use."""
        with mendable(self.path):
            row = self._connection.execute(f"SELECT {_SESSION} FROM session WHERE id = ?", (session_or_key,)).fetchone()
            if row is not None:
                return _lasts(Session(*row), now)
            row = self._connection.execute("SELECT ends FROM key WHERE id = ?", (session_or_key,)).fetchone()
        return row is not None and (row[0] is None or now < row[0])

    def sessions(self, now: int) -> list[Session]:
        """Those that are open, the last used first."""
        with mendable(self.path):
            rows = self._connection.execute(f"SELECT {_SESSION} FROM session ORDER BY seen DESC, made DESC").fetchall()
        return [session for session in (Session(*row) for row in rows) if _lasts(session, now)]

    def end_session(self, id: str, now: int) -> Session | None:
        """End a session; None where none of that id was open."""
        with mendable(self.path), transaction(self._connection):
            row = self._connection.execute(f"SELECT {_SESSION} FROM session WHERE id = ?", (id,)).fetchone()
            self._connection.execute("DELETE FROM session WHERE id = ?", (id,))
        session = Session(*row) if row else None
        return session if session is not None and _lasts(session, now) else None

    # The password

    def has_password(self) -> bool:
        """Whether there is one."""
        with mendable(self.path):
            return self._connection.execute("SELECT 1 FROM password").fetchone() is not None

    def is_password(self, password: str) -> bool:
        """Whether it is the one; as slow as it must be."""
        with mendable(self.path):
            row = self._connection.execute("SELECT hash FROM password").fetchone()
        return row is not None and is_password(row[0], password)

    def set_password(self, password: str, by: str, now: int, *, keep: str | None = None) -> int:
        """Set the password, in place of any other. All sessions end: who knew the old one is not to stay.

        Args:
            password: the new one.
            by: the person who will have used it.
            now: UTC nanoseconds.
            keep: the id of a session that stays: that of who has set it.

        Returns:
            How many sessions have ended.

        Raises:
            ClawdError: when it cannot be one.
        """
        check_password(password)
        made = password_hash(password)
        with mendable(self.path), transaction(self._connection):
            self._connection.execute("DELETE FROM password")
            self._connection.execute("INSERT INTO password VALUES (?, ?, ?)", (by, made, now))
            # Nobody is let in by a link that was made before.
            self._connection.execute("UPDATE token SET used = COALESCE(used, ?)", (now,))
            return self._connection.execute("DELETE FROM session WHERE id IS NOT ?", (keep,)).rowcount

    def use_password(self, password: str, address: str, program: str, now: int) -> tuple[Session, str]:
        """Open a session with the password.

        Returns:
            The session, and the secret that shows it.

        Raises:
            SignInError: when it is not the password, or there is none.
        """
        with mendable(self.path):
            row = self._connection.execute("SELECT by, hash FROM password").fetchone()
        if row is None:
            raise SignInError("no password is set here", hint=NEW_LINK)
        if not is_password(row[1], password):
            raise SignInError("this is not the password", hint="`clawd web password` sets a new one")
        with mendable(self.path), transaction(self._connection):
            # It may have been changed while we were hashing.
            if self._connection.execute("SELECT 1 FROM password WHERE hash = ?", (row[1],)).fetchone() is None:
                raise SignInError("this is not the password any more")
            return self._open_session(row[0], "password", address, program, now)

    # API keys

    def new_key(self, name: str, scopes: frozenset[Scope], days: int | None, now: int) -> tuple[Key, str]:
        """Make an API key.

        Args:
            name: by which it is known; no two have the same.
            scopes: what it may do, one at least.
            days: after which it ends, None for never.
            now: UTC nanoseconds.

        Returns:
            The key, and the secret that shows it, which is nowhere else.

        Raises:
            ClawdError: when the name cannot be one or is taken, nothing is allowed to it, or there are too many.
        """
        if not _KEY_NAME.fullmatch(name):
            raise ClawdError(
                f"{name[:80]!r} cannot name a key",
                where="name",
                hint="letters, digits, dots, dashes and underscores, 64 at most",
            )
        if not scopes:
            raise ClawdError("a key that may do nothing is of no use", where="scopes", hint=f"some of {_ALL_SCOPES}")
        if days is not None and not 1 <= days <= LONGEST_KEY:
            raise ClawdError(f"a key cannot last {days} days", where="days", hint=f"1 to {LONGEST_KEY}, or none")
        secret = KEY_PREFIX + secrets.token_urlsafe(32)
        key = Key(f"k-{secrets.token_hex(4)}", name, scopes, now, None if days is None else now + days * _DAY, None)
        with mendable(self.path), transaction(self._connection):
            if self._connection.execute("SELECT 1 FROM key WHERE name = ?", (name,)).fetchone():
                raise TakenError(f"there is a key {name!r}", where="name", hint="take another name, or revoke that one")
            (count,) = self._connection.execute("SELECT COUNT(*) FROM key").fetchone()
            if count >= MOST_KEYS:
                raise TakenError(f"there are {count} keys, and no more can be made", hint="revoke one")
            self._connection.execute(
                "INSERT INTO key VALUES (?, ?, ?, ?, ?, ?, NULL)",
                (key.id, _hash(secret), name, " ".join(sorted(scopes)), now, key.ends),
            )
        return key, secret

    def key(self, secret: str, now: int) -> Key | None:
        """The key that a secret shows, which counts as used now; None where there is none or it has ended."""
        with mendable(self.path):
            row = self._connection.execute(f"SELECT {_KEY} FROM key WHERE hash = ?", (_hash(secret),)).fetchone()
            key = _key(row) if row else None
            if key is None or (key.ends is not None and now >= key.ends):
                return None
            if key.seen is None or now - key.seen >= _SEEN_EVERY:
                self._see("key", key.id, now)
        return key

    def all_keys(self) -> list[Key]:
        """All of them, those that have ended too, by name."""
        with mendable(self.path):
            rows = self._connection.execute(f"SELECT {_KEY} FROM key ORDER BY name").fetchall()
        return [_key(row) for row in rows]

    def revoke_key(self, id_or_name: str) -> Key | None:
        """End a key for ever; None where there is none."""
        with mendable(self.path), transaction(self._connection):
            row = self._connection.execute(
                f"SELECT {_KEY} FROM key WHERE id = ? OR name = ? ORDER BY id = ? DESC LIMIT 1",
                (id_or_name, id_or_name, id_or_name),
            ).fetchone()
            if row is not None:
                self._connection.execute("DELETE FROM key WHERE id = ?", (row[0],))
        return _key(row) if row else None

    def _see(self, table: str, id: str, now: int) -> None:
        # Whoever may come in may do so with a full disk too: to stop everything, for one.
        with contextlib.suppress(sqlite3.OperationalError):
            self._connection.execute(f"UPDATE {table} SET seen = ? WHERE id = ?", (now, id))

    def _open_session(self, by: str, means: _Means, address: str, program: str, now: int) -> tuple[Session, str]:
        secret = secrets.token_urlsafe(32)
        session = Session(f"s-{secrets.token_hex(4)}", by, means, address[:64], program[:200], now, now)
        self._connection.execute(
            "DELETE FROM session WHERE seen <= ? OR made <= ?", (now - SESSION_IDLE, now - SESSION_LIFETIME)
        )
        self._connection.execute(
            "DELETE FROM session WHERE id NOT IN (SELECT id FROM session ORDER BY seen DESC LIMIT ?)",
            (MOST_SESSIONS - 1,),
        )
        self._connection.execute(
            "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (session.id, _hash(secret), by, means, session.address, session.program, now, now),
        )
        return session, secret


@contextmanager
def open_access(home: Path) -> Iterator[Access]:
    """The access file of a home, made where there is none, for its owner's eyes alone.

    Raises:
        ClawdError: when the file cannot be opened or is none.
    """
    path = home / NAME
    with mendable(path):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            # SQLite gives its write-ahead log the mode of the file itself.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = connect(path, SCHEMA)
    try:
        with mendable(path):
            laid_out = connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA.version
        if not laid_out:
            with take_lock(path, SCHEMA.noun, wait=True):
                lay_out(connection, path, SCHEMA)
        yield Access(path, connection)
    finally:
        connection.close()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _lasts(session: Session, now: int) -> bool:
    return now < session.ends


def _key(row: tuple[str, str, str, int, int | None, int | None]) -> Key:
    id, name, scopes, made, ends, seen = row
    # A scope that this version does not know allows nothing here.
    known = frozenset(Scope(word) for word in scopes.split() if word in set(Scope))
    return Key(id, name, known, made, ends, seen)
