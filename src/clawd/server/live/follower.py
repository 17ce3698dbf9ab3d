"""Follows the run that is shown, in a thread of its own, and pictures it for open pages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from clawd.core.clock import Clock
from clawd.core.settings import Settings
from clawd.engine.compiled import is_warm
from clawd.engine.warm import warm_up
from clawd.server.frames import Phase
from clawd.server.live.orders import Orders
from clawd.server.live.picture import Picture
from clawd.server.live.places import Place, places, shown
from clawd.server.live.reader import Reader
from clawd.server.live.status import Child, nothing_to_show, status_of
from clawd.server.live.tale import Tale
from clawd.server.problem import ConflictError, MissingError

#: Seconds between two looks at the journal, two looks at which journals there are, and two pictures.
POLL: Final = 0.1
LOOK: Final = 0.5
PICTURE: Final = 0.25
#: Seconds of reading after which others get their turn.
_SLICE: Final = 0.04
#: Seconds that a request waits for a journal that is not the one shown, and how many of those are kept.
_PATIENCE: Final = 8.0
_KEPT: Final = 3

#: What the process that trades does before there is a journal: the phase, words, and the share that is done.
Before = Callable[[], tuple[Phase, str, float | None]]


@dataclass(slots=True)
class _Other:
    """A journal that is not the one shown and that somebody has asked for."""

    reader: Reader
    lock: threading.Lock
    used: float


class Follower:
    """The source of pictures of a home.

    Args:
        settings: whose home is followed.
        clock: by which it says when it last heard of the run.
        before: what the process that trades says of itself; None where there is none.
    """

    def __init__(self, settings: Settings, clock: Clock, before: Before | None = None) -> None:
        self._settings, self._clock, self._before = settings, clock, before
        self._orders = Orders(settings.home)
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._reader: Reader | None = None
        self._place: Place | None = None
        self._places: list[Place] = []
        self._heard_at: int | None = None
        self._others: dict[str, _Other] = {}
        self._picture = nothing_to_show(settings, self._child(), compiling=False)
        self.wanted: str | None = None
        self.noticed: Callable[[], None] = lambda: None

    # For whoever owns it.

    def start(self) -> None:
        """Begin to follow."""
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Follow no longer; returns when the thread has ended."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)

    # For pages, from any thread.

    def picture(self) -> Picture:
        """The newest picture, at once."""
        return self._picture

    def places(self) -> list[Place]:
        """The journals of the home."""
        return places(self._settings.home)

    @property
    def place(self) -> Place | None:
        """The journal that is shown."""
        return self._place

    @contextmanager
    def tale(self, run: str | None = None) -> Iterator[Tale]:
        """What a run has told so far, which nobody changes in the block.

        Args:
            run: its name; the one shown where None.

        Raises:
            MissingError: when there is no such run, or none at all.
            ConflictError: when it is so long that it is still being read.
            ClawdError: when it cannot be read.
        """
        with self._lock:
            reader = self._reader
            if reader is not None and run in (None, reader.run):
                yield reader.tale
                return
        if run is None:
            raise MissingError("there is no run yet", hint="`clawd up` or `clawd trade` makes one")
        other = self._other(run)
        with other.lock:
            deadline = time.monotonic() + _PATIENCE
            while True:
                other.reader.advance(_SLICE)
                if other.reader.trouble is not None and not other.reader.tale.seq:
                    raise other.reader.trouble
                if not other.reader.behind or other.reader.trouble is not None:
                    break
                if time.monotonic() > deadline:
                    raise ConflictError(
                        f"run {run} is still being read: {other.reader.tale.seq:,} of {other.reader.head:,} entries",
                        hint="ask again in a moment",
                    )
                time.sleep(0)
            yield other.reader.tale

    def _other(self, run: str) -> _Other:
        place = next((place for place in self.places() if place.run == run), None)
        if place is None:
            raise MissingError(f"there is no run {run[:60]!r}", hint="GET /api/runs has all of them")
        with self._lock:
            other = self._others.get(run)
            if other is None or other.reader.path != place.path:
                other = self._others[run] = _Other(Reader(place.path, run), threading.Lock(), 0.0)
            other.used = time.monotonic()
            for oldest in sorted(self._others, key=lambda name: self._others[name].used)[:-_KEPT]:
                del self._others[oldest]
            return other

    # The thread.

    def _run(self) -> None:
        looked = pictured = -1e9
        while not self._stop.is_set():
            now = time.monotonic()
            if now - looked >= LOOK:
                self._look()
                looked = now
            changed, busy = self._advance(pictured)
            now = time.monotonic()
            if now - pictured >= (PICTURE if changed or busy else LOOK) or (self._before is not None and not busy):
                self._draw()
                pictured = now
            self._stop.wait(0.001 if busy else POLL)

    def _look(self) -> None:
        self._places = self.places()
        self._orders.look()
        place = shown(self._places, self.wanted)
        if place is None:
            if self._reader is not None:
                with self._lock:
                    self._reader = None
        elif self._reader is None or self._reader.path != place.path:
            with self._lock:
                self._reader = Reader(place.path, place.run)
            self._heard_at = None
        self._place = place

    def _advance(self, pictured: float) -> tuple[bool, bool]:
        """Read on; whether something has changed, and whether there is more."""
        reader, place = self._reader, self._place
        if reader is None or place is None or (place.kind == "bars" and not is_warm()):
            return False, False
        due, head = pictured + PICTURE, reader.head
        with self._lock:
            changed = reader.advance(_SLICE, lambda tale: tale.settled and time.monotonic() > due)
        if self._heard_at is None:  # what lay there before was not written now
            self._heard_at = place.written_at
        elif reader.head != head:
            self._heard_at = self._clock.now()
        return changed, reader.behind > 0 and reader.trouble is None

    def _draw(self) -> None:
        reader, place, child = self._reader, self._place, self._child()
        if reader is None or place is None or (place.kind == "bars" and not is_warm()):
            self._picture = nothing_to_show(self._settings, child, compiling=place is not None)
            if place is not None and not is_warm():
                warm_up()
        else:
            with self._lock:
                self._picture = status_of(
                    reader, place, child, self._orders, self._settings, self._heard_at, self._picture
                )
        self.noticed()

    def _child(self) -> Child | None:
        return None if self._before is None else Child(*self._before())
