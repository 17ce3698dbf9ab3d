"""Which alerts a person has seen: by the id that an alert has from the fact it is made of."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clawd.store.database import Schema, connect, lay_out, mendable, transaction
from clawd.store.lock import take_lock

SCHEMA: Final = Schema(
    noun="list of acknowledged alerts",
    application_id=0x434C414B,  # "CLAK"
    statements=("CREATE TABLE acknowledged(id TEXT PRIMARY KEY, at INTEGER NOT NULL, by TEXT NOT NULL) WITHOUT ROWID",),
)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who has seen an alert, and when, UTC nanoseconds."""

    at: int
    by: str


def acknowledged_path(home: Path) -> Path:
    """Where the list lies in a home folder."""
    return home / "alerts.sqlite"


def acknowledge(home: Path, alert: str, by: str, now: int) -> bool:
    """Note that an alert was seen; the first to do so stays. Whether this was the first.

    Raises:
        ClawdError: when it cannot be written.
    """
    path = acknowledged_path(home)
    connection = connect(path, SCHEMA)
    try:
        with take_lock(path, SCHEMA.noun, wait=True):
            lay_out(connection, path, SCHEMA)
        with mendable(path), transaction(connection):
            done = connection.execute("INSERT OR IGNORE INTO acknowledged VALUES (?, ?, ?)", (alert, now, by))
            return done.rowcount > 0
    finally:
        connection.close()


def acknowledged(home: Path) -> dict[str, Acknowledgement]:
    """All that were seen, by id; a list that is not there is not made.

    Raises:
        ClawdError: when it cannot be read.
    """
    path = acknowledged_path(home)
    if not path.is_file():
        return {}
    connection: sqlite3.Connection = connect(path, SCHEMA, read_only=True)
    try:
        with mendable(path):
            rows = connection.execute("SELECT id, at, by FROM acknowledged").fetchall()
    finally:
        connection.close()
    return {str(alert): Acknowledgement(int(at), str(by)) for alert, at, by in rows}
