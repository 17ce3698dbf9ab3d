"""Follows the run that is shown, in a thread of its own, and pictures it for open pages."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from clawd.core.clock import Clock
from clawd.core.errors import ClawdError
from clawd.core.settings import Settings
from clawd.engine.compiled import is_warm
from clawd.engine.warm import warm_up
from clawd.server.frames import Changed, Phase
from clawd.server.live.alerts import Alert, standing_alerts
from clawd.server.live.holdings import alerts_of, positions_of
from clawd.server.live.orders import Orders
from clawd.server.live.pauses import desk_of
from clawd.server.live.picture import Picture
from clawd.server.live.places import Place, keep_wanted, places, read_wanted, shown
from clawd.server.live.reader import Reader
from clawd.server.live.status import Child, nothing_to_show, status_of
from clawd.server.live.tale import Tale
from clawd.server.live.watch import Watch
from clawd.server.problem import ConflictError, MissingError
from clawd.store.acknowledged import Acknowledgement, acknowledged
from clawd.store.switchboard import PAPER_FLEET

#: Seconds between two looks at the journal, two looks at which journals there are, and two pictures.
POLL: Final = 0.1
LOOK: Final = 0.5
PICTURE: Final = 0.25
#: Seconds of reading after which others get their turn, and while nobody can be told anything yet.
_SLICE: Final = 0.04
_LONG_SLICE: Final = 0.2
#: Seconds that a request waits for a journal that is not the one shown, and how many of those are kept.
_PATIENCE: Final = 8.0
#: The same for the journal that is shown: a page says by itself how far it has been read.
_SHORT_PATIENCE: Final = 1.0
_KEPT: Final = 3
_BETWEEN_LOOKS: Final = 0.01

_log = logging.getLogger("clawd.server")

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
        self._grown_at: deque[float] = deque(maxlen=20)
        self._flattening: tuple[str, float] | None = None
        self._others: dict[str, _Other] = {}
        self._watch = Watch(settings.home)
        self._alerts: tuple[str, list[Alert]] | None = None
        self._alerted: tuple[object, ...] = ()
        self.acknowledged: dict[str, Acknowledgement] = {}
        self._picture = nothing_to_show(settings, self._child())
        self.wanted = read_wanted(settings.home)
        self.announce: Callable[[Changed], None] = lambda what: None

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

    def want(self, run: str | None) -> None:
        """Show a run from now on, or again the one that a process is at work on; kept over restarts.

        Raises:
            MissingError: when there is no such run.
            ClawdError: when it cannot be kept.
        """
        if run is not None and all(place.run != run for place in self.places()):
            raise MissingError(f"there is no run {run[:60]!r}", hint="GET /api/runs has all of them")
        keep_wanted(self._settings.home, run)
        self.wanted = run
        self.announce("runs")

    @property
    def place(self) -> Place | None:
        """The journal that is shown."""
        return self._place

    @contextmanager
    def tale(self, run: str | None = None, patience: float = _PATIENCE) -> Iterator[Tale]:
        """What a run has told so far, which nobody changes in the block.

        Args:
            run: its name; the one shown where None.
            patience: seconds for which one that is not shown is read before it is said to be too long.

        Raises:
            MissingError: when there is no such run, or none at all.
            ConflictError: when it is so long that it is still being read.
            ClawdError: when it cannot be read.
        """
        deadline = time.monotonic() + min(patience, _SHORT_PATIENCE)
        while (reader := self._reader) is not None and run in (None, reader.run):
            if reader.current or reader.trouble is not None:
                with self._lock:
                    yield reader.tale
                return
            if time.monotonic() > deadline:
                raise _still_read(reader)
            time.sleep(_BETWEEN_LOOKS)
        if run is None:
            raise MissingError("there is no run yet", hint="`clawd up` or `clawd trade` makes one")
        other = self._other(run)
        with _taken(other.lock, patience, run):
            deadline = time.monotonic() + patience
            while True:
                other.reader.advance(_SLICE)
                if other.reader.trouble is not None and not other.reader.tale.seq:
                    raise other.reader.trouble
                if not other.reader.busy:
                    break
                if time.monotonic() > deadline:
                    if not other.reader.behind:  # only what was before its snapshot is not read yet
                        break
                    raise _still_read(other.reader)
                time.sleep(0)
            yield other.reader.tale

    def is_current(self, run: str) -> bool:
        """Whether what is told of a run is of now: its journal has been read to its end and is whole."""
        reader, other = self._reader, self._others.get(run)
        if reader is not None and reader.run == run:
            return reader.current and reader.trouble is None
        return other is not None and other.reader.current and other.reader.trouble is None

    def alerts(self, run: str | None = None) -> tuple[str, list[Alert]]:
        """The name of a run and its alerts, acknowledged or not. Raises as :meth:`tale` does."""
        place, alerts = self._place, self._alerts
        if place is not None and run in (None, place.run) and alerts is not None and alerts[0] == place.run:
            return alerts
        with self.tale(run) as tale:
            return tale.run, alerts_of(tale)

    def look_at_acknowledged(self) -> dict[str, Acknowledgement]:
        """Read again which alerts were seen; what cannot be read leaves what was known."""
        with suppress(ClawdError):
            self.acknowledged = acknowledged(self._settings.home)
        return self.acknowledged

    def _other(self, run: str) -> _Other:
        place = next((place for place in self.places() if place.run == run), None)
        if place is None:
            raise MissingError(f"there is no run {run[:60]!r}", hint="GET /api/runs has all of them")
        with self._lock:
            other = self._others.get(run)
            if other is None or other.reader.path != place.path:
                other = self._others[run] = _Other(Reader(place.path, run), threading.Lock(), 0.0)
            other.used = time.monotonic()
            # Who asks for many in turn would else begin each of them anew, for ever.
            at_work = {place.run for place in self._places if place.working}
            spare = [name for name, each in self._others.items() if each.reader.current and name not in at_work]
            for oldest in sorted(spare, key=lambda name: self._others[name].used)[:-_KEPT]:
                del self._others[oldest]
            return other

    # The thread.

    def _run(self) -> None:
        looked = pictured = -1e9
        while not self._stop.is_set():
            now = time.monotonic()
            look = now - looked >= LOOK
            looked = now if look else looked
            try:
                drawn, busy = self.step(pictured, look=look)
            except Exception as error:
                _log.exception("the journals cannot be followed")
                self._failed(error)
                drawn, busy = False, False
            pictured = time.monotonic() if drawn else pictured
            self._stop.wait(0.001 if busy else POLL)

    def _failed(self, error: Exception) -> None:
        """A mistake of ours ends no following: what is shown says that it is old, until there is a new picture."""
        text = f"what is shown is old, for a mistake of this server: {type(error).__name__}; its log says more"
        status = self._picture.status.model_copy(update={"phase": "failed", "phase_text": text, "progress": None})
        self._picture = replace(self._picture, status=status)

    def step(self, pictured: float, *, look: bool) -> tuple[bool, bool]:
        """Look which journals there are, if it is time; read on, and draw a picture where there is something new.

        Args:
            pictured: when the last one was drawn, by :func:`time.monotonic`.
            look: whether it is time.

        Returns:
            Whether one was drawn, and whether there is more to read.
        """
        if look:
            self._look()
        changed, busy = self._advance(pictured)
        due = time.monotonic() - pictured >= (PICTURE if changed or busy else LOOK)
        if due:
            self._draw()
        return due, busy

    def _look(self) -> None:
        before = [(place.run, place.working) for place in self._places]
        self._places = self.places()
        if [(place.run, place.working) for place in self._places] != before:
            self.announce("runs")
        place = shown(self._places, self.wanted)
        self._orders.look(PAPER_FLEET if place is None else desk_of(place))
        self.look_at_acknowledged()
        for word in self._watch.changes(time.monotonic()):
            self.announce(word)
        if place is None:
            if self._reader is not None:
                with self._lock:
                    self._reader = None
        elif self._reader is None or self._reader.path != place.path:
            reader = Reader(place.path, place.run)
            reader.look()
            with self._lock:
                self._reader = reader
            self._heard_at = None
            self._grown_at.clear()
            self._place = place
            self._draw()  # the first entries may take long: the engine is loaded for them
        self._place = place

    def _advance(self, pictured: float) -> tuple[bool, bool]:
        """Read on; whether something has changed, and whether there is more."""
        reader, place = self._reader, self._place
        if reader is None or place is None or (place.kind == "bars" and not is_warm()):
            return False, False
        due, head, current = pictured + PICTURE, reader.head, reader.current
        with self._lock:
            if current:
                changed = reader.advance(_SLICE, lambda tale: tale.settled and time.monotonic() > due)
            else:
                changed = reader.advance(_LONG_SLICE)
        if reader.current and not current:
            self.announce("runs")  # who asked before was told to ask again
            self.announce("standing")
        if self._heard_at is None:  # what lay there before was not written now
            self._heard_at = place.written_at
        elif reader.head != head:
            self._heard_at = self._clock.now()
            self._grown_at.append(self._heard_at / 1e9)
        return changed, reader.busy

    def _draw(self) -> None:
        reader, place, child = self._reader, self._place, self._child()
        if reader is None or place is None or (place.kind == "bars" and not is_warm()):
            command = self._orders.command
            self._picture = nothing_to_show(self._settings, child, compiling=place is not None, command=command)
            if place is not None and not is_warm():
                warm_up()
        else:
            with self._lock:
                alerts = [*alerts_of(reader.tale), *self._standing_alerts(reader, place)]
                waiting = sum(alert.id not in self.acknowledged for alert in alerts)
                self._alerts = (place.run, alerts) if reader.current or reader.trouble is not None else None
                self._picture = status_of(
                    reader, place, child, self._orders, self._settings, self._heard_at, self._picture, waiting
                )
            alerted = place.run, reader.current, *(alert.id for alert in alerts), waiting
            if alerted != self._alerted:
                self._alerted = alerted
                self.announce("alerts")

    def _standing_alerts(self, reader: Reader, place: Place) -> Iterable[Alert]:
        """What lasts too long by our clock."""
        tale, now = reader.tale, self._clock.now()
        if reader.behind or not tale.seq:
            return ()
        quiet = (now - (self._heard_at or now)) / 1e9
        grown = list(self._grown_at)
        flattening = tale.alerts.flattening
        if flattening is None:
            self._flattening = None
        elif self._flattening is None or self._flattening[0] != flattening.id:
            self._flattening = flattening.id, now / 1e9
        return standing_alerts(
            place.run,
            tale.seq,
            tale.hash,
            tale.time,
            held=len(positions_of(tale)),
            gone_for=None if place.working or tale.finished else quiet,
            silent_for=quiet if place.working else None,
            usual=3 * max((later - earlier for earlier, later in pairwise(grown)), default=0.0),
            flattening=flattening,
            flattening_for=now / 1e9 - self._flattening[1] if self._flattening is not None else 0.0,
        )

    def _child(self) -> Child | None:
        return None if self._before is None else Child(*self._before())


def _still_read(reader: Reader) -> ConflictError:
    return ConflictError(
        f"run {reader.run} is still being read: {reader.tale.seq:,} of {reader.head:,} entries",
        hint="ask again in a moment",
    )


@contextmanager
def _taken(lock: threading.Lock, patience: float, run: str) -> Iterator[None]:
    if not lock.acquire(timeout=patience):
        raise ConflictError(f"run {run} is still being read for somebody else", hint="ask again in a moment")
    try:
        yield
    finally:
        lock.release()
