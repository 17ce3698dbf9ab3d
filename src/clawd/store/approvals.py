"""The file of approvals: what was asked for, what was signed, and what was used. Any process may add to it.

It is not trusted. What is read from it is verified against the order in hand and the trusted keys each time
(:func:`~clawd.risk.approvals.judge_approval`); its triggers guard against mistakes, not against the owner of the disk.
What a method has returned survives a loss of power.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import AbstractContextManager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from clawd.core.errors import ClawdError
from clawd.risk.approval_request import ApprovalRequest, Decision, decimal_text, read_request, request_text
from clawd.risk.approvals import Mark, Signature
from clawd.store.database import Schema, at_once, connect, lay_out, mendable
from clawd.store.lock import take_lock

REQUESTED: Final = "ApprovalRequested"
GIVEN: Final = "ApprovalGiven"
REJECTED: Final = "RejectionGiven"
USED: Final = "ApprovalUsed"

# Whoever holds the file must not hold up a trading process with it; what could not be used now is used later.
_PATIENCE_MS: Final = 2_000

_KIND_OF: Final = {Decision.APPROVE: GIVEN, Decision.REJECT: REJECTED}
_DECISION_OF: Final = {kind: decision for decision, kind in _KIND_OF.items()}

SCHEMA: Final = Schema(
    noun="file of approvals",
    application_id=0x434C4150,  # "CLAP"
    statements=(
        """
        CREATE TABLE facts(
            seq INTEGER PRIMARY KEY,
            kind TEXT NOT NULL CHECK(kind IN ('ApprovalRequested', 'ApprovalGiven', 'RejectionGiven', 'ApprovalUsed')),
            request TEXT NOT NULL,
            body TEXT NOT NULL,
            at INTEGER NOT NULL
        )
        """,
        "CREATE INDEX facts_of ON facts(request, kind)",
        f"""
        CREATE UNIQUE INDEX facts_once ON facts(request, kind) WHERE kind IN ('{REQUESTED}', '{USED}')
        """,
        # INSERT OR REPLACE deletes without firing the DELETE trigger, so what it would replace is refused before.
        f"""
        CREATE TRIGGER facts_order BEFORE INSERT ON facts
        WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM facts)
            OR NEW.kind IN ('{REQUESTED}', '{USED}')
                AND EXISTS (SELECT 1 FROM facts WHERE request = NEW.request AND kind = NEW.kind)
        BEGIN SELECT RAISE(ABORT, 'an order is asked for once, and its approval is used once'); END
        """,
        "CREATE TRIGGER facts_hold BEFORE DELETE ON facts BEGIN SELECT RAISE(ABORT, 'what was decided stays'); END",
        "CREATE TRIGGER facts_keep BEFORE UPDATE ON facts BEGIN SELECT RAISE(ABORT, 'what was decided stays'); END",
        # The last price that a trading process has seen, for whoever looks; nothing is decided by it.
        "CREATE TABLE marks(request TEXT PRIMARY KEY, price TEXT NOT NULL, time INTEGER NOT NULL) WITHOUT ROWID",
    ),
)


def approvals_path(home: Path) -> Path:
    """Where the file of approvals lies in a home folder."""
    return home / "approvals.sqlite"


class ApprovalFile:
    """An open file of approvals. Used by the thread that opened it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> ApprovalFile:
        """Open the file, creating what is missing.

        Raises:
            ClawdError: when the file is none of approvals, is newer than this program, or cannot be opened.
        """
        connection = connect(path, SCHEMA)
        try:
            with take_lock(path, SCHEMA.noun, wait=True):
                lay_out(connection, path, SCHEMA)
            # A use that is forgotten would let an order be sent twice.
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")
        except BaseException:
            connection.close()
            raise
        return cls(path, connection)

    def __enter__(self) -> ApprovalFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def at_once(self) -> AbstractContextManager[None]:
        """All that is read and written in the block happens at one moment; others wait meanwhile."""
        return at_once(self._connection, self.path)

    def add_request(self, request: ApprovalRequest) -> None:
        """Keep what is asked for.

        Raises:
            ClawdError: when something was asked for under this id.
        """
        with self.at_once():
            if self.has(request.id):
                raise ClawdError(f"request {request.id} was made before", where=str(self.path))
            self._add(REQUESTED, request.id, request_text(request), request.requested_at)

    def has(self, request: str) -> bool:
        """Whether something was asked for under an id."""
        return bool(self._rows("SELECT 1 FROM facts WHERE request = ? AND kind = ?", (request, REQUESTED)))

    def request(self, request: str) -> ApprovalRequest:
        """What was asked for under an id.

        Raises:
            ClawdError: when nothing was, or what is kept is damaged.
        """
        rows = self._rows("SELECT body FROM facts WHERE request = ? AND kind = ?", (request, REQUESTED))
        if not rows:
            raise ClawdError(
                f"there is no request {request[:40]!r}",
                where=str(self.path),
                hint="`clawd approvals list` has all of them",
            )
        try:
            found = read_request(str(rows[0][0]))
        except ClawdError as error:
            raise error.at(f"{self.path}: request {request}") from None
        if found.id != request:
            raise ClawdError("the request is damaged: it is kept under another id", where=f"{self.path}: {request}")
        return found

    def ids(self) -> tuple[str, ...]:
        """The ids of all that was asked for, in that order."""
        return tuple(
            row[0] for row in self._rows("SELECT request FROM facts WHERE kind = ? ORDER BY seq", (REQUESTED,))
        )

    def add_signature(self, request: str, signature: Signature, at: int) -> None:
        """Keep a signature; what it is worth is judged when it is needed.

        Raises:
            ClawdError: when nothing was asked for under this id.
        """
        body = {"signer": signature.signer, "signature": signature.signature.hex(), "why": signature.why}
        with self.at_once():
            if not self.has(request):
                raise ClawdError(f"there is no request {request}", where=str(self.path))
            self._add(_KIND_OF[signature.decision], request, json.dumps(body, sort_keys=True), at)

    def signatures(self, request: str) -> tuple[Signature, ...]:
        """What was signed, or claims to be, in the order in which it was added.

        Raises:
            ClawdError: when one is damaged so that it cannot be told what it claims.
        """
        query = "SELECT seq, kind, body FROM facts WHERE request = ? AND kind IN (?, ?) ORDER BY seq"
        found = []
        for seq, kind, body in self._rows(query, (request, GIVEN, REJECTED)):
            try:
                fields = json.loads(body)
                signer, why, signature = fields["signer"], fields["why"], bytes.fromhex(fields["signature"])
            except (ValueError, TypeError, KeyError, RecursionError):
                signer = why = None
            if not isinstance(signer, str) or not isinstance(why, str):
                raise ClawdError("a signature is damaged", where=f"{self.path}: entry {seq}")
            found.append(Signature(_DECISION_OF[kind], signer, signature, why))
        return tuple(found)

    def used(self, request: str) -> bool:
        """Whether the approval was used."""
        return bool(self._rows("SELECT 1 FROM facts WHERE request = ? AND kind = ?", (request, USED)))

    def add_use(self, request: str, at: int) -> None:
        """Use an approval up.

        Raises:
            ClawdError: when it has been used.
        """
        with self.at_once():
            if self.used(request):
                raise ClawdError(f"the approval of request {request} has been used", where=str(self.path))
            self._add(USED, request, "{}", at)

    def note_mark(self, request: str, mark: Mark) -> None:
        """Note the price of a request's instrument, for those who look at the list. Only the last one is kept."""
        with mendable(self.path):
            self._connection.execute(
                "INSERT INTO marks VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET price = excluded.price,"
                " time = excluded.time",
                (request, decimal_text(mark.price), mark.time),
            )

    def mark(self, request: str) -> Mark | None:
        """The last price noted for a request, None where there is none that can be read."""
        rows = self._rows("SELECT price, time FROM marks WHERE request = ?", (request,))
        try:
            return Mark(Decimal(rows[0][0]), int(rows[0][1])) if rows else None
        except (InvalidOperation, TypeError, ValueError):
            return None

    def _add(self, kind: str, request: str, body: str, at: int) -> None:
        with mendable(self.path):
            self._connection.execute(
                "INSERT INTO facts SELECT COALESCE(MAX(seq), 0) + 1, ?, ?, ?, ? FROM facts", (kind, request, body, at)
            )

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with mendable(self.path):
            return self._connection.execute(query, values).fetchall()
