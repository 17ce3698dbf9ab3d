"""Reading a journal that somebody else writes, a slice at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from clawd.core.errors import ClawdError
from clawd.server.live.tale import Tale
from clawd.store.journal import open_journal

#: Entries after which the clock is looked at.
_STEP: Final = 64


class Reader:
    """Follows one journal into a tale. Used by one thread at a time.

    The journal is opened anew for each slice: what is read is what lies there now, whoever has replaced it meanwhile.

    Attributes:
        path, run: of the journal.
        tale: what it has told so far.
        head: seq of its last entry when it was last looked at.
        trouble: why it cannot be read any further, None while it can.
        contradicted: whether the journal itself is the trouble; a disk that is busy is one that passes.
    """

    def __init__(self, path: Path, run: str) -> None:
        self.path, self.run = path, run
        self.tale = Tale(run, path)
        self.head = 0
        self.trouble: ClawdError | None = None
        self.contradicted = False

    @property
    def behind(self) -> int:
        """How many entries it has not taken in, as far as it knows."""
        return max(self.head - self.tale.seq, 0)

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
        before = self.tale.seq, self.tale.hash, self.trouble and self.trouble.what
        try:
            self._read(time.monotonic() + seconds, enough)
        except ClawdError as error:
            # A file that is being laid out, or was moved away under us, is no trouble of its own.
            laid_out = self.path.is_file() and self.path.stat().st_size > 0 and not error.what.endswith("still empty")
            self.trouble = error if laid_out else None
        except OSError as error:
            self.trouble = ClawdError(error.strerror or str(error), where=str(self.path))
        return (self.tale.seq, self.tale.hash, self.trouble and self.trouble.what) != before

    def _read(self, deadline: float, enough: Callable[[Tale], bool]) -> None:
        with open_journal(self.path, read_only=True) as journal:
            self.head = journal.head[0]
            if self.head < self.tale.seq or journal.hash_of(self.tale.seq) not in (None, self.tale.hash):
                self._begin_anew()
            if self.contradicted:
                return
            self.trouble = None
            for count, entry in enumerate(journal.entries(self.tale.seq), start=1):
                try:
                    self.tale.take(entry)
                except ClawdError:
                    self.contradicted = True
                    raise
                if (count % _STEP == 0 and time.monotonic() > deadline) or enough(self.tale):
                    break

    def _begin_anew(self) -> None:
        self.tale = Tale(self.run, self.path)
        self.trouble, self.contradicted = None, False
