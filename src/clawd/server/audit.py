"""The audit: one append-only, hash-chained log of everything that was changed through the web face and in its favour.

The server of a home and the commands that change who may come in write to it, each for the moment of one entry; whoever
writes goes on from what the others have left.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from clawd.core.errors import ClawdError
from clawd.store.database import mendable
from clawd.store.journal import JSON, open_journal
from clawd.store.lock import is_locked, take_lock

NAME: Final = "audit.sqlite"

#: Seconds that a writer waits for the others; each needs some milliseconds.
_PATIENCE: Final = 10.0
#: Through which a person at the keyboard has done something: no session, and no key.
TERMINAL: Final = "terminal"

Head = tuple[int, str]


def audit_path(home: Path) -> Path:
    """Where the audit of a home lies."""
    return home / NAME


def _served(home: Path) -> Path:
    """What the server of a home holds the lock of for as long as it lives."""
    return home / "server"


def is_served(home: Path) -> bool:
    """Whether a server is at work on a home."""
    return is_locked(_served(home))


def append(home: Path, ts: int, what: str, facts: Mapping[str, JSON], behind: Head | None = None) -> Head:
    """Write an entry; when this returns it is on the disk.

    Args:
        home: whose audit; it is made where there is none.
        ts: UTC nanoseconds.
        what: a fact in the past tense.
        facts: the details.
        behind: an entry that is known to be there, however many have been written behind it; one that is gone was cut
            off, and nothing is written as if it had not been.

    Returns:
        Its number and hash.

    Raises:
        ClawdError: when it cannot be written.
    """
    # Who was told that something is done must find it here after a loss of power too.
    with _turn(home), open_journal(audit_path(home), durability="full") as journal:
        if behind is not None and behind[0] and journal.hash_of(behind[0]) != behind[1]:
            raise ClawdError(
                f"the audit has no entry {behind[0]} any more as it was written",
                where=str(audit_path(home)),
                hint="somebody has changed it; `clawd journal verify` says more",
            )
        entry = journal.append([(ts, what, facts)])[0]
        return entry.seq, entry.hash


def record_from_terminal(home: Path, by: str, now: int, what: str, facts: Mapping[str, JSON]) -> None:
    """Write down what somebody has done in a terminal, beside whatever a server writes.

    Args:
        home: whose audit.
        by: the person.
        now: UTC nanoseconds.
        what, facts: as of :func:`append`.

    Raises:
        ClawdError: when it cannot be written.
    """
    append(home, now, what, {**facts, "by": by, "via": TERMINAL, "address": ""})


@contextmanager
def _turn(home: Path) -> Iterator[None]:
    """One writer at a time; a lock of its own, for that of the journal refuses whoever comes second."""
    path, deadline = audit_path(home), time.monotonic() + _PATIENCE
    with mendable(path):
        home.mkdir(parents=True, exist_ok=True)
    turn = path.with_name(f"{path.name}.turn")
    while True:
        try:
            lock = take_lock(turn, "audit")
            break
        except ClawdError as error:
            if error.__cause__ is not None or time.monotonic() >= deadline:  # a disk that refuses, or nobody gives way
                raise
    with lock:
        yield


class Audit:
    """The audit of a home at which a server is at work: there is one such server, and this is its sign."""

    def __init__(self, home: Path) -> None:
        """Become the one server of a home.

        Raises:
            ClawdError: when another is, or the audit cannot be opened.
        """
        self._home, self._turn = home, threading.Lock()
        with mendable(audit_path(home)):
            home.mkdir(parents=True, exist_ok=True)
        try:
            self._lock = take_lock(_served(home), "home")
        except ClawdError as error:
            if not is_served(home):
                raise
            raise ClawdError(
                "another server is at work on this home",
                where=str(home),
                hint="`clawd web link` prints a link to it; stop it first to start another",
            ) from error
        try:
            self.head = self._found()
        except BaseException:
            self._lock.close()
            raise

    def append(self, ts: int, what: str, facts: Mapping[str, JSON]) -> None:
        """Write an entry; when this returns it is on the disk. From any thread.

        Raises:
            ClawdError: when it cannot be written.
        """
        with self._turn:
            self.head = append(self._home, ts, what, facts, self.head)

    def close(self) -> None:
        """Let another server in."""
        self._lock.close()

    def _found(self) -> Head:
        with _turn(self._home), open_journal(audit_path(self._home), durability="full") as journal:
            return journal.head
