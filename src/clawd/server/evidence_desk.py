"""What the evidence pages need over and over: the counts of the ledger, and the stories that are being told.

The counts are made in the background, once for each state of the ledger's file. A story is told by a process of its
own, for it runs a strategy many times: one after another, and each run is a trial of the ledger as everywhere else.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, Literal

from clawd.core.clock import Clock
from clawd.core.errors import ClawdError
from clawd.research.luck import Luck, read_luck
from clawd.research.overview import Overview, Sample, read_counts, read_samples
from clawd.server.background import Background
from clawd.server.problem import ConflictError
from clawd.store.ledger_file import ledger_path

#: Stories that may wait for their turn, and those of which it is remembered how they ended.
_MOST_WAITING: Final = 10
_REMEMBERED: Final = 100

_log = logging.getLogger("clawd.server")


@dataclass(frozen=True, slots=True)
class Order:
    """A story that somebody wants to be told.

    Attributes:
        content_hash: of the strategy, whole.
        source: ``sample`` or ``catalog``.
        universe: symbols, None for all of the source.
        bar: such as ``1d``, None where the source has but one size.
        fee, slippage, capital: at which it is run, as text.
    """

    content_hash: str
    source: str
    universe: tuple[str, ...] | None
    bar: str | None
    fee: str
    slippage: str
    capital: str


@dataclass(frozen=True, slots=True)
class Telling:
    """A story on its way.

    Attributes:
        order: what is wanted.
        state: ``failed`` with a problem; one that is told is kept in the home.
        since: when it came into this state, UTC nanoseconds.
        problem: what was wrong, where, and what would be right.
    """

    order: Order
    state: Literal["waiting", "telling", "told", "failed"]
    since: int
    problem: tuple[str, str | None, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of a ledger and what luck alone would show of as many trials.

    Attributes:
        overview: without the samples.
        luck: for the bars that most was tried on.
        at: when they were counted, UTC nanoseconds.
    """

    overview: Overview
    luck: tuple[Luck, ...]
    at: int


class EvidenceDesk:
    """The counts of a home's ledger, and the stories that are told in it.

    Args:
        home: of the ledger.
        clock: stamps what was counted and told.
        announce: called, from any thread, when there is something new to ask for.
    """

    def __init__(self, home: Path, clock: Clock, announce: Callable[[], None]) -> None:
        self._home, self._clock, self._announce = home, clock, announce
        self._changed = threading.Condition()
        self._tellings: OrderedDict[str, Telling] = OrderedDict()
        self._closing = False
        self.counts: Background[Counted] = Background(self._count, self.state, self._announce)
        self.samples: Background[tuple[Sample, ...]] = Background(
            lambda: read_samples(self.path), self.state, self._announce
        )

    @property
    def path(self) -> Path:
        """Of the ledger."""
        return ledger_path(self._home)

    def state(self) -> Hashable:
        """Something that changes whenever the ledger's file does."""
        found: list[tuple[int, int] | None] = []
        for path in (self.path, self.path.with_name(f"{self.path.name}-wal")):
            try:
                known = path.stat()
            except OSError:
                found.append(None)
            else:
                # Whoever opens the file makes an empty log beside it, and takes it away when he closes it.
                found.append((known.st_mtime_ns, known.st_size) if known.st_size else None)
        return tuple(found)

    def _count(self) -> Counted:
        at = self._clock.now()
        overview = read_counts(self.path)
        return Counted(overview, read_luck(self.path, overview.trials) if overview.trials else (), at)

    # Stories

    def telling(self, content_hash: str) -> Telling | None:
        """The story of a strategy that is on its way or was told last by this server, None where there is none."""
        with self._changed:
            return self._tellings.get(content_hash)

    def tell(self, order: Order) -> Telling:
        """Have a story told; one that is on its way already is not begun again.

        Raises:
            ConflictError: when too many wait.
        """
        with self._changed:
            known = self._tellings.get(order.content_hash)
            if known is not None and known.state in {"waiting", "telling"}:
                return known
            if sum(each.state == "waiting" for each in self._tellings.values()) >= _MOST_WAITING:
                raise ConflictError(f"{_MOST_WAITING} stories wait for their turn already", hint="try again later")
            self._tellings.pop(order.content_hash, None)
            made = Telling(order, "waiting", self._clock.now())
            self._tellings[order.content_hash] = made
            self._changed.notify_all()
            return made

    def work(self) -> None:
        """Tell stories one after another until the desk closes."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._waiting() is not None)
                waiting = self._waiting()
                if self._closing or waiting is None:
                    return
                self._put(replace(waiting, state="telling", since=self._clock.now()))
            self._announce()
            try:
                problem = self._told(waiting.order)
            except Exception as error:  # whatever it is, the next story must not suffer for it
                _log.exception("the story of %s could not be told", waiting.order.content_hash[:12])
                problem = _why(error)
            with self._changed:
                self._put(
                    Telling(waiting.order, "failed" if problem else "told", self._clock.now(), problem),
                )
            self._announce()

    def close(self) -> None:
        """Tell no more."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def _waiting(self) -> Telling | None:
        return next((each for each in self._tellings.values() if each.state == "waiting"), None)

    def _put(self, telling: Telling) -> None:
        self._tellings[telling.order.content_hash] = telling
        ended = [key for key, each in self._tellings.items() if each.state in {"told", "failed"}]
        for key in ended[: max(0, len(ended) - _REMEMBERED)]:
            del self._tellings[key]

    def _told(self, order: Order) -> tuple[str, str | None, str | None] | None:
        """Tell a story in a process of its own, and give what went wrong."""
        processes = get_context("spawn")
        here, there = processes.Pipe(duplex=False)
        process = processes.Process(target=_tell, args=(order, self._home, there), name="story", daemon=True)
        try:
            process.start()
        except BaseException:
            here.close()
            raise
        finally:
            there.close()
        try:
            while not here.poll(0.2):
                if self._closing:
                    return ("the server was stopped", None, "ask again")
            found: tuple[str, str | None, str | None] | None = here.recv()
        except EOFError:
            return ("the process that told it has died", None, "try `clawd evidence show` to see why")
        else:
            return found
        finally:
            if process.is_alive() and self._closing:
                process.terminate()
            process.join(10)
            here.close()


def _why(error: Exception) -> tuple[str, str | None, str | None]:
    """What went wrong, for whoever has asked: a machine that refuses a process or a file is no mistake of ours."""
    if isinstance(error, OSError):
        said = f"this machine refused what it needed to be told: {error.strerror or error}"
        return (
            said[:300],
            None,
            "see that there is memory, room for another process and for open files, then ask again",
        )
    return (f"it could not be told: {error!r}"[:300], None, "a fault of ours; the log says more")


def _tell(order: Order, home: Path, answer: Connection) -> None:
    """In a process of its own: Ctrl-C is for the server, which ends this one."""
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The engine is compiled code and takes a second to load: the server does without it.
    from clawd.research.telling import tell_by_hash  # noqa: PLC0415

    try:
        tell_by_hash(
            order.content_hash,
            home,
            source=order.source,
            universe=order.universe,
            bar=order.bar,
            fee=order.fee,
            slippage=order.slippage,
            capital=order.capital,
        )
    except ClawdError as error:
        answer.send((error.what, error.where, error.hint))
    else:
        answer.send(None)
