"""Who may come in to the web face: one-time tokens, sessions, API keys, people and passwords.

They lie in ``access.sqlite`` in the home, which only its owner can read. Of every secret only the hash is stored; a
password, which is no chance, is hashed with argon2id. What a method has returned survives ``kill -9``, so a server that
starts again knows everyone it knew before.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from clawd.core.errors import ClawdError
from clawd.store.api_keys import ApiKeys, Scope, known_scopes
from clawd.store.database import Schema, connect, lay_out, mendable, transaction
from clawd.store.lock import take_lock
from clawd.store.password import check_password, is_password, nobodys_hash, password_hash
from clawd.store.people import OWNER_NAMES, People, Person
from clawd.store.secret import hash_of, new_secret, note_use

NAME: Final = "access.sqlite"

_SECOND: Final = 1_000_000_000
_DAY: Final = 86_400 * _SECOND
#: How long a link can be used.
TOKEN_LIFETIME: Final = 600 * _SECOND
#: A session ends when it was not used for so long,
SESSION_IDLE: Final = 7 * _DAY
#: and in any case after this.
SESSION_LIFETIME: Final = 30 * _DAY
#: Of the owner: more than anybody needs, and few enough to be listed whole.
MOST_SESSIONS: Final = 100
#: Of a person: who opens more ends his own, and nobody else's.
MOST_SESSIONS_OF_A_PERSON: Final = 20
_MOST_TOKENS: Final = 100

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
    migrations=(
        (
            """
            CREATE TABLE person(
                id TEXT PRIMARY KEY,
                name TEXT NOT NULL UNIQUE COLLATE NOCASE,
                scopes TEXT NOT NULL,
                password TEXT,
                made INTEGER NOT NULL,
                by TEXT NOT NULL,
                seen INTEGER
            )
            """,
            # Whose it is; NULL for the owner's, as all were before.
            "ALTER TABLE token ADD COLUMN person TEXT",
            "ALTER TABLE session ADD COLUMN person TEXT",
            "ALTER TABLE key ADD COLUMN person TEXT",
        ),
    ),
)


class SignInError(ClawdError):
    """Who wants to come in has not shown that he may."""


NEW_LINK: Final = "`clawd web link` prints a new one"
_Means = Literal["link", "password"]
#: What a person may do is looked up each time: a role that has changed holds at once.
_SESSIONS: Final = (
    "SELECT session.id, session.by, means, address, program, session.made, session.seen, session.person, person.scopes "
    "FROM session LEFT JOIN person ON person.id = session.person "
    "WHERE (session.person IS NULL OR person.id IS NOT NULL)"
)


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
        person: the id of the person, None for the owner.
        scopes: what it allows now.
    """

    id: str
    by: str
    means: _Means
    address: str
    program: str
    made: int
    seen: int
    person: str | None = None
    scopes: frozenset[Scope] = frozenset(Scope)

    @property
    def ends(self) -> int:
        """When it ends unless it is used before; never after its lifetime."""
        return min(self.seen + SESSION_IDLE, self.made + SESSION_LIFETIME)


class Access:
    """An open access file. Any number of processes may write; each change is one transaction.

    Attributes:
        keys: of programs.
        people: who may come in beside the owner.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.keys = ApiKeys(path, connection)
        self.people = People(path, connection)
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

    def new_token(self, by: str, now: int, person: Person | None = None) -> str:
        """A secret that opens one session within ten minutes.

        Args:
            by: the owner, who will have used it unless it is a person's.
            now: UTC nanoseconds.
            person: whose session it opens, None for the owner.
        """
        token = new_secret()
        with mendable(self.path), transaction(self._connection):
            # Those that were used stay for a day, so that who uses one again is told so.
            self._connection.execute("DELETE FROM token WHERE made < ? OR made > ?", (now - _DAY, now))
            self._connection.execute(
                "DELETE FROM token WHERE hash NOT IN (SELECT hash FROM token ORDER BY made DESC LIMIT ?)",
                (_MOST_TOKENS,),
            )
            self._connection.execute(
                "INSERT INTO token VALUES (?, ?, ?, NULL, ?)",
                (hash_of(token), person.name if person else by, now, person.id if person else None),
            )
        return token

    def use_token(self, token: str, address: str, program: str, now: int) -> tuple[Session, str]:
        """Open a session with a one-time token.

        Returns:
            The session, and the secret that shows it.

        Raises:
            SignInError: when there is no such token, it was used, or it is too old.
        """
        digest = hash_of(token)
        with mendable(self.path), transaction(self._connection):
            row = self._connection.execute(
                "SELECT by, made, used, person FROM token WHERE hash = ?", (digest,)
            ).fetchone()
            if row is None:
                raise SignInError("this link is not one of this server's, or it is more than a day old", hint=NEW_LINK)
            by, made, used, person = row
            if used is not None:
                raise SignInError("this link was used already, and each can be used once", hint=NEW_LINK)
            if not made <= now < made + TOKEN_LIFETIME:
                raise SignInError("this link is too old", hint=NEW_LINK)
            self._connection.execute("UPDATE token SET used = ? WHERE hash = ?", (now, digest))
            return self._open_session(by, person, "link", address, program, now)

    # Sessions

    def session(self, secret: str, now: int) -> Session | None:
        """The session that a secret shows, which counts as used now; None where there is none or it has ended."""
        with mendable(self.path):
            row = self._connection.execute(f"{_SESSIONS} AND hash = ?", (hash_of(secret),)).fetchone()
            session = _session(row) if row else None
            if session is None or not _lasts(session, now):
                return None
            note_use(self._connection, "session", session.id, session.seen, now)
            if session.person is not None:
                note_use(self._connection, "person", session.person, session.seen, now)
        return session

    def scopes_of(self, session_or_key: str, now: int) -> frozenset[Scope] | None:
        """What the session or key of an id allows its holder now, None where it lets him in no more.

        That it is asked for does not count as use.
        """
        with mendable(self.path):
            row = self._connection.execute(f"{_SESSIONS} AND session.id = ?", (session_or_key,)).fetchone()
        if row is not None:
            session = _session(row)
            return session.scopes if _lasts(session, now) else None
        return self.keys.scopes_of(session_or_key, now)

    def sessions(self, now: int) -> list[Session]:
        """Those that are open, the last used first."""
        with mendable(self.path):
            rows = self._connection.execute(f"{_SESSIONS} ORDER BY session.seen DESC, session.made DESC").fetchall()
        return [session for session in (_session(row) for row in rows) if _lasts(session, now)]

    def end_session(self, id: str, now: int) -> Session | None:
        """End a session; None where none of that id was open."""
        with mendable(self.path), transaction(self._connection):
            row = self._connection.execute(f"{_SESSIONS} AND session.id = ?", (id,)).fetchone()
            self._connection.execute("DELETE FROM session WHERE id = ?", (id,))
        session = _session(row) if row else None
        return session if session is not None and _lasts(session, now) else None

    # Passwords

    def has_password(self) -> bool:
        """Whether the owner has one."""
        with mendable(self.path):
            return self._connection.execute("SELECT 1 FROM password").fetchone() is not None

    def is_password(self, password: str, person: Person | None = None) -> bool:
        """Whether it is the owner's, or that of a person; as slow as it must be."""
        with mendable(self.path):
            row = (
                self._connection.execute("SELECT hash FROM password").fetchone()
                if person is None
                else self._connection.execute("SELECT password FROM person WHERE id = ?", (person.id,)).fetchone()
            )
        return row is not None and row[0] is not None and is_password(row[0], password)

    def set_password(self, password: str, by: str, now: int, *, keep: str | None = None) -> int:
        """Set the owner's password, in place of any other. His sessions end: who knew the old one is not to stay.

        Args:
            password: the new one.
            by: the owner, who will have used it.
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
            return self._connection.execute(
                "DELETE FROM session WHERE person IS NULL AND id IS NOT ?", (keep,)
            ).rowcount

    def use_password(self, password: str, address: str, program: str, now: int, name: str = "") -> tuple[Session, str]:
        """Open a session with a password.

        An unknown name is answered as a wrong password is, and as slowly.

        Args:
            password: what was typed.
            address, program: as of :class:`Session`.
            now: UTC nanoseconds.
            name: of the person; empty for the owner, who may give his own too.

        Returns:
            The session, and the secret that shows it.

        Raises:
            SignInError: when it is not the password of anybody of that name, or the owner has none.
        """
        found = self._password_of(name)
        if found is None and not name:
            raise SignInError("no password is set here", hint=NEW_LINK)
        # Made once for all, and by whoever comes first: he waits for it, known or not.
        nobodys = nobodys_hash()
        if not is_password(found[2] if found else nobodys, password) or found is None:
            raise SignInError(
                "this is not the password, or nobody has that name" if name else "this is not the password",
                hint="`clawd web password` sets a new one, `clawd web people password NAME` that of a person",
            )
        with mendable(self.path), transaction(self._connection):
            # It may have been changed while we were hashing.
            if self._password_of(name) != found:
                raise SignInError("this is not the password any more")
            return self._open_session(found[0], found[1], "password", address, program, now)

    def _password_of(self, name: str) -> tuple[str, str | None, str] | None:
        """The name, the id of the person, None for the owner, and the hash."""
        with mendable(self.path):
            person = self._connection.execute(
                "SELECT name, id, password FROM person WHERE name = ?", (name,)
            ).fetchone()
            owner = self._connection.execute("SELECT by, NULL, hash FROM password").fetchone()
        if person is not None:
            return person if person[2] is not None else None
        return owner if owner and name.lower() in OWNER_NAMES | {"", owner[0].lower()} else None

    def _open_session(
        self, by: str, person: str | None, means: _Means, address: str, program: str, now: int
    ) -> tuple[Session, str]:
        secret, id = new_secret(), f"s-{secrets.token_hex(4)}"
        self._connection.execute(
            "DELETE FROM session WHERE seen <= ? OR made <= ?", (now - SESSION_IDLE, now - SESSION_LIFETIME)
        )
        self._connection.execute(
            "DELETE FROM session WHERE person IS ? AND id NOT IN "
            "(SELECT id FROM session WHERE person IS ? ORDER BY seen DESC LIMIT ?)",
            (person, person, (MOST_SESSIONS if person is None else MOST_SESSIONS_OF_A_PERSON) - 1),
        )
        self._connection.execute(
            "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (id, hash_of(secret), by, means, address[:64], program[:200], now, now, person),
        )
        self._connection.execute("UPDATE person SET seen = ? WHERE id = ?", (now, person))
        row = self._connection.execute(f"{_SESSIONS} AND session.id = ?", (id,)).fetchone()
        if row is None:
            raise SignInError(f"{by} may not come in any more")
        return _session(row), secret


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


def _session(row: tuple[str, str, _Means, str, str, int, int, str | None, str | None]) -> Session:
    *_, person, scopes = row
    return Session(*row[:-1], frozenset(Scope) if person is None else known_scopes(scopes or ""))


def _lasts(session: Session, now: int) -> bool:
    return now < session.ends
