"""Secrets that let somebody in: 256 random bits each, so that SHA-256 is enough to keep them by."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from contextlib import suppress
from typing import Final, Literal

#: When a secret was last shown is written down once in this time, nanoseconds.
_SEEN_EVERY: Final = 60 * 1_000_000_000

_Table = Literal["session", "key", "person"]


def new_secret() -> str:
    """One that nobody has seen."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def note_use(connection: sqlite3.Connection, table: _Table, id: str, seen: int | None, now: int) -> None:
    """Write down that a secret was shown, unless that was done a moment ago.

    Args:
        connection: to the access file.
        table: of what the secret shows.
        id: of the session or key, or of the person who holds it.
        seen: when it was last used, None for never; UTC nanoseconds, as is `now`.
        now: the time.
    """
    if seen is None or now - seen >= _SEEN_EVERY:
        # Whoever may come in may do so with a full disk too: to stop everything, for one.
        with suppress(sqlite3.OperationalError):
            connection.execute(f"UPDATE {table} SET seen = ? WHERE id = ?", (now, id))
