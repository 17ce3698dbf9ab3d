"""The people who may come in to the web face beside its owner, and the role of each.

The owner is whoever runs the commands of the home: he is in no table, and has every right.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from clawd.core.errors import ClawdError, suggestion
from clawd.store.api_keys import Scope, TakenError, known_scopes
from clawd.store.database import mendable, transaction
from clawd.store.password import check_password, password_hash

#: More than a small firm has, and few enough to be listed whole.
MOST_PEOPLE: Final = 50
#: What the owner may call himself when he signs in; no person has such a name.
OWNER_NAMES: Final = frozenset({"owner", "clawd"})

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_COLUMNS: Final = "id, name, scopes, password IS NOT NULL, made, by, seen"


class Role(StrEnum):
    """A set of rights that has a name."""

    VIEWER = "viewer"
    BUILDER = "builder"
    OPERATOR = "operator"
    ADMIN = "admin"


#: What each may do; each has the rights of the one before.
ROLES: Final[Mapping[Role, frozenset[Scope]]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Scope.READ}),
        Role.BUILDER: frozenset({Scope.READ, Scope.BUILD}),
        Role.OPERATOR: frozenset({Scope.READ, Scope.BUILD, Scope.DECIDE}),
        Role.ADMIN: frozenset(Scope),
    }
)

#: The same in words.
MEANINGS: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.VIEWER: "looks at everything and changes nothing",
        Role.BUILDER: "also saves strategies and runs backtests",
        Role.OPERATOR: "also stops, resumes, pauses, approves, adopts and deploys",
        Role.ADMIN: "also changes settings, keys and people",
    }
)


class NobodyError(ClawdError):
    """There is no person of that name."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom the owner has let in. Times are UTC nanoseconds.

    Attributes:
        id: names him for ever; who is added again under the same name has another.
        name: by which he signs in, and as it stands in the audit; no two have the same, whatever the case.
        scopes: what he may do.
        has_password: whether he can sign in without a link.
        made, by: when he was added, and by whom.
        seen: when he was last here, to the minute; None for never.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    has_password: bool
    made: int
    by: str
    seen: int | None

    @property
    def role(self) -> Role | None:
        """The role that allows what he may do; None where another version has given him rights that are no role."""
        return next((role for role, scopes in ROLES.items() if scopes == self.scopes), None)


def role_named(word: str, where: str) -> Role:
    """The role of a name.

    Raises:
        ClawdError: when there is none.
    """
    try:
        return Role(word)
    except ValueError:
        hint = suggestion(word, Role) or f"one of {', '.join(Role)}"
        raise ClawdError(f"there is no role {word[:80]!r}", where=where, hint=hint) from None


class People:
    """The people in an access file."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def add(self, name: str, role: Role, by: str, owner: str, now: int) -> Person:
        """Let a person in, who has no password yet.

        Args:
            name: by which he signs in.
            role: what he may do.
            by: who adds him.
            owner: what the owner is called.
            now: UTC nanoseconds.

        Raises:
            ClawdError: when the name cannot be one or is taken, or there are too many.
        """
        if not _NAME.fullmatch(name):
            raise ClawdError(
                f"{name[:80]!r} cannot name a person",
                where="name",
                hint="letters, digits, dots, dashes and underscores, 64 at most",
            )
        if name.lower() in OWNER_NAMES | {owner.lower()}:
            raise TakenError(f"{name!r} is the owner", where="name", hint="take another name for a person")
        person = Person(f"p-{secrets.token_hex(4)}", name, ROLES[role], False, now, by, None)
        with mendable(self._path), transaction(self._connection):
            if self._connection.execute("SELECT 1 FROM person WHERE name = ?", (name,)).fetchone():
                raise TakenError(f"there is a person {name!r}", where="name", hint="take another name")
            (count,) = self._connection.execute("SELECT COUNT(*) FROM person").fetchone()
            if count >= MOST_PEOPLE:
                raise TakenError(f"there are {count} people, and no more can be added", hint="remove one")
            self._connection.execute(
                "INSERT INTO person VALUES (?, ?, ?, NULL, ?, ?, NULL)",
                (person.id, name, " ".join(sorted(person.scopes)), now, by),
            )
        return person

    def all(self) -> list[Person]:
        """All of them, by name."""
        with mendable(self._path):
            rows = self._connection.execute(f"SELECT {_COLUMNS} FROM person ORDER BY name").fetchall()
        return [_person(row) for row in rows]

    def named(self, name: str) -> Person:
        """The person of a name, whatever its case.

        Raises:
            NobodyError: when there is none.
        """
        with mendable(self._path):
            row = self._connection.execute(f"SELECT {_COLUMNS} FROM person WHERE name = ?", (name,)).fetchone()
        if row is None:
            names = [each.name for each in self.all()]
            hint = suggestion(name, names) or ("the owner is not in the list" if name.lower() in OWNER_NAMES else None)
            raise NobodyError(f"there is no person {name[:80]!r}", where="name", hint=hint)
        return _person(row)

    def change_role(self, person: Person, role: Role) -> None:
        """Allow a person what another role allows; it holds from his next request on."""
        with mendable(self._path):
            changed = self._connection.execute(
                "UPDATE person SET scopes = ? WHERE id = ?", (" ".join(sorted(ROLES[role])), person.id)
            )
        _see_there(changed, person)

    def set_password(self, person: Person, password: str, *, keep: str | None = None) -> int:
        """Set the password of a person. His sessions end, and his links open nothing any more.

        Args:
            person: whose.
            password: the new one.
            keep: the id of a session that stays: that of who has set it.

        Returns:
            How many sessions have ended.

        Raises:
            ClawdError: when it cannot be one, or he has been removed.
        """
        check_password(password)
        made = password_hash(password)
        with mendable(self._path), transaction(self._connection):
            _see_there(
                self._connection.execute("UPDATE person SET password = ? WHERE id = ?", (made, person.id)), person
            )
            self._connection.execute("UPDATE token SET used = COALESCE(used, made) WHERE person = ?", (person.id,))
            return self._connection.execute(
                "DELETE FROM session WHERE person = ? AND id IS NOT ?", (person.id, keep)
            ).rowcount

    def remove(self, person: Person) -> tuple[int, list[str]]:
        """Let a person in no more: his sessions, links and keys end with him.

        Returns:
            How many sessions have ended, and the names of the keys.

        Raises:
            NobodyError: when he has been removed before.
        """
        with mendable(self._path), transaction(self._connection):
            _see_there(self._connection.execute("DELETE FROM person WHERE id = ?", (person.id,)), person)
            keys = self._connection.execute("SELECT name FROM key WHERE person = ? ORDER BY name", (person.id,))
            names = [name for (name,) in keys.fetchall()]
            self._connection.execute("DELETE FROM key WHERE person = ?", (person.id,))
            self._connection.execute("DELETE FROM token WHERE person = ?", (person.id,))
            ended = self._connection.execute("DELETE FROM session WHERE person = ?", (person.id,)).rowcount
        return ended, names


def _see_there(changed: sqlite3.Cursor, person: Person) -> None:
    if not changed.rowcount:
        raise NobodyError(f"{person.name} has been removed", where="name")


def _person(row: tuple[str, str, str, int, int, str, int | None]) -> Person:
    id, name, scopes, has_password, made, by, seen = row
    return Person(id, name, known_scopes(scopes), bool(has_password), made, by, seen)
