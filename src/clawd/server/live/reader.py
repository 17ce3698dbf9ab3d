"""Reading a journal that somebody else writes, a slice at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from clawd.core.errors import ClawdError
from clawd.execution.snapshots import Snapshots
from clawd.server.live.tale import Tale
from clawd.store.journal import Journal, open_journal

#: Entries after which the clock is looked at.
_STEP: Final = 64
#: Entries that may be missing while what is told still counts as of now.
_CAUGHT_UP: Final = 5_000


class Reader:
    """Follows one journal into a tale. Used by one thread at a time.

    The journal is opened anew for each slice: what is read is what lies there now, whoever has replaced it meanwhile.
    Where an account has kept a snapshot, the tale begins there, so that a page soon shows how things stand; the whole
    of it is read meanwhile, and takes its place when it has come as far.

    Attributes:
        path, run: of the journal.
        tale: what it has told so far.
        head: seq of its last entry when it was last looked at.
        current: whether the tale is of now: it has been read to its end, and has not fallen far behind since.
        trouble: why it cannot be read any further, None while it can.
        contradicted: whether the journal itself is the trouble; a disk that is busy is one that passes.
    """

    def __init__(self, path: Path, run: str) -> None:
        self.path, self.run = path, run
        self.tale = Tale(run, path)
        self.head = 0
        self.current = False
        self.trouble: ClawdError | None = None
        self.contradicted = False
        self._whole: Tale | None = None

    @property
    def behind(self) -> int:
        """How many entries the tale has not taken in, as far as is known."""
        return max(self.head - self.tale.seq, 0)

    @property
    def busy(self) -> bool:
        """Whether there is more to read, as far as is known."""
        return self.trouble is None and (self.behind > 0 or self._whole is not None)

    def look(self) -> None:
        """See how long the journal is, where that can be seen now; nothing is taken in."""
        with suppress(ClawdError, OSError), open_journal(self.path, read_only=True) as journal:
            self.head = journal.head[0]

    def advance(self, seconds: float, enough: Callable[[Tale], bool] = lambda tale: False) -> bool:
        """Take in what is new.

        What cannot be read or contradicts itself ends up in ``trouble``; nothing is taken in after it until the journal
        is replaced by another.

        Args:
            seconds: after so many it is enough for now.
            enough: asked between entries whether it is.

        Returns:
            Whether anything has changed.
        """
        before = self.tale, self.tale.seq, self.trouble and self.trouble.what
        try:
            self._read(time.monotonic() + seconds, enough)
        except ClawdError as error:
            # A file that is being laid out, or was moved away under us, is no trouble of its own.
            laid_out = self.path.is_file() and self.path.stat().st_size > 0 and not error.what.endswith("still empty")
            self.trouble = error if laid_out else None
        except OSError as error:
            self.trouble = ClawdError(error.strerror or str(error), where=str(self.path))
        return (self.tale, self.tale.seq, self.trouble and self.trouble.what) != before

    def _read(self, deadline: float, enough: Callable[[Tale], bool]) -> None:
        with open_journal(self.path, read_only=True) as journal:
            self.head = journal.head[0]
            if self.head < self.tale.seq or journal.hash_of(self.tale.seq) not in (None, self.tale.hash):
                self._begin_anew()
            if self.contradicted:
                return
            self.trouble = None
            if self.tale.seq == 0 and (ahead := _from_snapshot(journal, self.run, self.path)) is not None:
                self.tale, self._whole = ahead, self.tale
            self._take(self.tale, journal, deadline, enough)
            if self._whole is not None and self.tale.seq == self.head:
                self._take(self._whole, journal, deadline, lambda tale: tale.seq == self.tale.seq)
                if self._whole.seq == self.tale.seq:
                    self.tale, self._whole = self._whole, None
            self.current = self.behind <= (_CAUGHT_UP if self.current else 0)

    def _take(self, tale: Tale, journal: Journal, deadline: float, enough: Callable[[Tale], bool]) -> None:
        for count, entry in enumerate(journal.entries(tale.seq), start=1):
            try:
                tale.take(entry)
            except ClawdError:
                self.contradicted = True
                raise
            if (count % _STEP == 0 and time.monotonic() > deadline) or enough(tale):
                break

    def _begin_anew(self) -> None:
        self.tale, self._whole = Tale(self.run, self.path), None
        self.trouble, self.contradicted, self.current = None, False, False


def _from_snapshot(journal: Journal, run: str, path: Path) -> Tale | None:
    """The tale of an account from its last snapshot on, None where there is none that this version has kept."""
    latest = Snapshots(journal).latest()
    if latest is None:
        return None
    account, seq = latest
    return Tale.from_account(run, path, account, seq, journal.hash_of(seq) or "")
