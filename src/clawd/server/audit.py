"""The audit: one append-only, hash-chained log of everything that was changed through the web face."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from clawd.core.errors import ClawdError
from clawd.store.journal import JSON, Journal, open_journal
from clawd.store.lock import is_locked

NAME: Final = "audit.sqlite"


def audit_path(home: Path) -> Path:
    """Where the audit of a home lies."""
    return home / NAME


def is_served(home: Path) -> bool:
    """Whether a server is at work on a home: it holds the audit for as long as it lives."""
    return is_locked(audit_path(home))


def refuse_second_server(home: Path) -> None:
    """See that no other server works on a home.

    Raises:
        ClawdError: when one does.
    """
    if is_served(home):
        raise ClawdError(
            "another server is at work on this home",
            where=str(home),
            hint="`clawd web link` prints a link to it; stop it first to start another",
        )


class Audit:
    """The open audit. Its journal belongs to one thread, which writes for all others."""

    def __init__(self, home: Path) -> None:
        """Open it, for the one server of a home.

        Raises:
            ClawdError: when another server has it, or it cannot be opened.
        """
        refuse_second_server(home)
        self._thread = ThreadPoolExecutor(1, "audit")
        try:
            # Who was told that something is done must find it here after a loss of power too.
            self._journal: Journal = self._thread.submit(open_journal, audit_path(home), durability="full").result()
        except BaseException:
            self._thread.shutdown()
            raise
        self.head = self._journal_head()

    def append(self, ts: int, what: str, facts: Mapping[str, JSON]) -> None:
        """Write an entry; when this returns it is on the disk.

        Raises:
            ClawdError: when it cannot be written.
        """

        def write() -> None:
            entry = self._journal.append([(ts, what, facts)])[0]
            self.head = entry.seq, entry.hash

        self._thread.submit(write).result()

    def close(self) -> None:
        """Close it, and let another server in."""
        self._thread.submit(self._journal.close).result()
        self._thread.shutdown()

    def _journal_head(self) -> tuple[int, str]:
        return self._thread.submit(lambda: self._journal.head).result()
