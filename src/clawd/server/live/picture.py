"""What open pages are shown of a moment, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from clawd.server.frames import FeedLine, Status
from clawd.server.live.columns import Columns


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A moment of a run. It never changes, so any thread may hold it.

    Attributes:
        status: the header of every page; its ``seq`` and ``sent_at`` are set where it is sent.
        fleet: all agents.
        feed: the newest facts in words, oldest first.
    """

    status: Status
    fleet: Columns
    feed: tuple[FeedLine, ...]


class Source(Protocol):
    """Where pictures come from."""

    def picture(self) -> Picture:
        """The newest, at once; from any thread."""
        ...
