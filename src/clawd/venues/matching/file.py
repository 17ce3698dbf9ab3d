"""The file in which a simulated exchange outlives our process.

Every change is written before it is told, in one transaction: the process may be killed at any instant, and the venue
has neither forgotten what it told nor does it tell it again. As with the journal, a power cut may take the last
transactions with it, whole ones and from the end only.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Final, TextIO

from clawd.store.database import Schema, connect, lay_out, mendable, transaction
from clawd.store.lock import take_lock
from clawd.venues.matching.venue import MatchingVenue, Parts

SCHEMA: Final = Schema(
    noun="simulated venue",
    application_id=0x434C4D56,  # "CLMV"
    statements=("CREATE TABLE part(name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",),
)


class VenueFile:
    """An open file of one venue. One process at a time; used by the thread that opened it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: TextIO) -> None:
        self.path = path
        self._connection = connection
        self._lock = lock

    @classmethod
    def open(cls, path: Path, venue: MatchingVenue) -> VenueFile:
        """Open a file and bind a venue to it: one that the file holds goes on from there, a new one begins.

        Args:
            path: of the file; made where it is missing.
            venue: fresh, with the terms that the kept one had. Afterwards let it follow the market from
                `venue.played` messages on.

        Raises:
            ClawdError: another process has it open, or it is not such a file.
        """
        path = path.resolve()
        connection = connect(path, SCHEMA)
        lock: TextIO | None = None
        try:
            lock = take_lock(path, SCHEMA.noun)
            lay_out(connection, path, SCHEMA)
            file = cls(path, connection, lock)
            parts = file._parts()
            if parts:
                venue.restore(parts)
            else:
                file.write(venue.changes())
        except BaseException:
            connection.close()
            if lock is not None:
                lock.close()
            raise
        venue.keep = file.write
        return file

    def write(self, parts: Parts) -> None:
        """Write parts, and take out those that are None, all of it or nothing.

        Raises:
            ClawdError: the file cannot be written.
        """
        with mendable(self.path), transaction(self._connection):
            for name, body in parts.items():
                if body is None:
                    self._connection.execute("DELETE FROM part WHERE name = ?", (name,))
                else:
                    text = json.dumps(body, separators=(",", ":"), allow_nan=False)
                    self._connection.execute("INSERT OR REPLACE INTO part VALUES(?, ?)", (name, text))

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        self._connection.close()
        self._lock.close()

    def _parts(self) -> Parts:
        with mendable(self.path):
            return {name: json.loads(body) for name, body in self._connection.execute("SELECT name, body FROM part")}
