"""API keys: what programs show to come in to the web face, and what each of them may do."""

from __future__ import annotations

import re
import secrets
import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from clawd.core.errors import ClawdError
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.store.database import mendable, transaction
from clawd.store.secret import hash_of, new_secret, note_use

#: The longest that a key can be made for, days.
LONGEST_KEY: Final = 3_650
#: More than anybody needs, and few enough to be listed whole.
MOST_KEYS: Final = 100

KEY_PREFIX: Final = "clawd_"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: A key of a person allows what both he and it may do; where he is gone it allows nothing.
_KEYS: Final = (
    "SELECT key.id, key.name, key.scopes, key.made, key.ends, key.seen, key.person, person.scopes "
    "FROM key LEFT JOIN person ON person.id = key.person"
)


class Scope(StrEnum):
    """What a session or a key may do; none implies another."""

    READ = "read"
    BUILD = "build"
    DECIDE = "decide"
    ADMIN = "admin"


class TakenError(ClawdError):
    """It cannot be made as things stand."""


_ALL_SCOPES: Final = ", ".join(Scope)


@dataclass(frozen=True, slots=True)
class Key:
    """What a program shows. Times are UTC nanoseconds.

    Attributes:
        id: names it, and opens nothing.
        name: given by who made it.
        scopes: what it may do now: never more than the person who made it.
        made: when it was made.
        ends: when it ends, None for never.
        seen: when it was last used, to the minute; None for never.
        person: the id of the person with whom it ends, None for a key of the owner's.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    made: int
    ends: int | None
    seen: int | None
    person: str | None = None


class ApiKeys:
    """The keys in an access file."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def new(
        self, name: str, scopes: frozenset[Scope], days: int | None, now: int, person: str | None = None
    ) -> tuple[Key, str]:
        """Make an API key.

        Args:
            name: by which it is known; no two have the same.
            scopes: what it may do, one at least.
            days: after which it ends, None for never.
            now: UTC nanoseconds.
            person: the id of who makes it, None for the owner.

        Returns:
            The key, and the secret that shows it, which is nowhere else.

        Raises:
            ClawdError: when the name cannot be one or is taken, nothing is allowed to it, or there are too many.
        """
        if not _NAME.fullmatch(name):
            raise ClawdError(
                f"{name[:80]!r} cannot name a key",
                where="name",
                hint="letters, digits, dots, dashes and underscores, 64 at most",
            )
        if not scopes:
            raise ClawdError("a key that may do nothing is of no use", where="scopes", hint=f"some of {_ALL_SCOPES}")
        if days is not None and not 1 <= days <= LONGEST_KEY:
            raise ClawdError(f"a key cannot last {days} days", where="days", hint=f"1 to {LONGEST_KEY}, or none")
        secret = KEY_PREFIX + new_secret()
        ends = None if days is None else now + days * NANOSECONDS_PER_DAY
        key = Key(f"k-{secrets.token_hex(4)}", name, scopes, now, ends, None, person)
        with mendable(self._path), transaction(self._connection):
            if self._connection.execute("SELECT 1 FROM key WHERE name = ?", (name,)).fetchone():
                raise TakenError(f"there is a key {name!r}", where="name", hint="take another name, or revoke that one")
            (count,) = self._connection.execute("SELECT COUNT(*) FROM key").fetchone()
            if count >= MOST_KEYS:
                raise TakenError(f"there are {count} keys, and no more can be made", hint="revoke one")
            self._connection.execute(
                "INSERT INTO key VALUES (?, ?, ?, ?, ?, ?, NULL, ?)",
                (key.id, hash_of(secret), name, " ".join(sorted(scopes)), now, ends, person),
            )
        return key, secret

    def of(self, secret: str, now: int) -> Key | None:
        """The key that a secret shows, which counts as used now; None where there is none or it has ended."""
        with mendable(self._path):
            row = self._connection.execute(f"{_KEYS} WHERE hash = ?", (hash_of(secret),)).fetchone()
            key = _key(row) if row else None
            if key is None or (key.ends is not None and now >= key.ends):
                return None
            note_use(self._connection, "key", key.id, key.seen, now)
        return key

    def all(self) -> list[Key]:
        """All of them, those that have ended too, by name."""
        with mendable(self._path):
            rows = self._connection.execute(f"{_KEYS} ORDER BY key.name").fetchall()
        return [_key(row) for row in rows]

    def revoke(self, id_or_name: str) -> Key | None:
        """End a key for ever; None where there is none."""
        with mendable(self._path), transaction(self._connection):
            row = self._connection.execute(
                f"{_KEYS} WHERE key.id = ? OR key.name = ? ORDER BY key.id = ? DESC LIMIT 1",
                (id_or_name, id_or_name, id_or_name),
            ).fetchone()
            if row is not None:
                self._connection.execute("DELETE FROM key WHERE id = ?", (row[0],))
        return _key(row) if row else None

    def scopes_of(self, id: str, now: int) -> frozenset[Scope] | None:
        """What the key of an id allows now, None where it opens nothing; that it is asked for does not count as use."""
        with mendable(self._path):
            row = self._connection.execute(f"{_KEYS} WHERE key.id = ?", (id,)).fetchone()
        key = _key(row) if row else None
        return None if key is None or (key.ends is not None and now >= key.ends) else key.scopes


def known_scopes(words: str) -> frozenset[Scope]:
    """The scopes that are written down; one that this version does not know allows nothing here."""
    return frozenset(Scope(word) for word in words.split() if word in set(Scope))


def _key(row: tuple[str, str, str, int, int | None, int | None, str | None, str | None]) -> Key:
    id, name, scopes, made, ends, seen, person, of_person = row
    allowed = known_scopes(scopes)
    if person is not None:
        allowed &= known_scopes(of_person or "")
    return Key(id, name, allowed, made, ends, seen, person)
