"""The hand that writes: facts go into the account and the journal, and only then what follows from them is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from clawd.core.account_events import AnomalyFound
from clawd.core.clock import Clock
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.execution.account import Account
from clawd.execution.request_queue import RequestQueue
from clawd.venues.venue import Request, Submit, Venue

#: A venue that lies without end does not fill the journal: so many of its lies are entered in one life of a process.
_MOST_ANOMALIES: Final = 10_000
_MOST_ALARMS: Final = 10_000

Observer = Callable[[Event], None]


class JournalPort(Protocol):
    """Where facts are kept."""

    def append(self, records: Sequence[tuple[int, str, Mapping[str, Any]]]) -> object:
        """Write all of the records, ``(UTC nanoseconds, kind, body)``, or none of them."""
        ...


class Writer:
    """An account, its journal, and the way to its venue.

    Facts are collected in batches. At the end of the outermost batch all its facts are appended to the journal in one
    transaction, and then its requests are sent. Where the journal does not take them nothing is sent, and the writer is
    broken for good: the account in memory says more than the journal, and only a replay can be trusted.

    Attributes:
        account: as the journal says, with the facts of the open batch.
        venue: the only way to it; nothing but `_send` here calls ``venue.send``.
        clock: the time.
        queue: what waits to be sent.
        observers: told of each fact after it has been applied, in order, before the batch is written; what they enter
            and ask belongs to the same batch.
        sent: told of each request right before it is sent.
        written: told of the account after a batch with facts is in the journal and its requests are sent.
        alarms: what a person has to see, ``(UTC nanoseconds, text)``; whoever shows them takes them out.
    """

    def __init__(self, account: Account, journal: JournalPort, venue: Venue, clock: Clock) -> None:
        self.account = account
        self.venue = venue
        self.clock = clock
        self.queue = RequestQueue()
        self.observers: list[Observer] = []
        self.sent: list[Callable[[Request], None]] = []
        self.alarms: list[tuple[int, str]] = []
        self.written: list[Callable[[Account], None]] = []
        self._fresh = False
        self._journal = journal
        self._records: list[tuple[int, str, dict[str, Any]]] = []
        self._unseen: list[Event] = []
        self._depth = 0
        self._broken: str | None = None
        self._anomalies: set[tuple[str, str | None, str | None, str]] = set()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """All that is entered and asked inside is one batch; a batch inside a batch belongs to the outer one.

        Raises:
            ClawdError: when the writer is broken.
        """
        self._check()
        self._depth += 1
        try:
            yield
            if self._depth == 1:
                self._observe()
                self._append()
        except BaseException as error:
            if self._records or self._unseen:
                self._broken = self._broken or f"{type(error).__name__}: {error}"
            raise
        finally:
            self._depth -= 1
        if self._depth == 0:
            self._send()
            if self._fresh:
                self._fresh = False
                for listener in self.written:
                    listener(self.account)

    def enter(self, event: Event) -> None:
        """Take a fact into the account; it is in the journal when the batch ends.

        Raises:
            ClawdError: when the fact contradicts what is known, outside a batch, or when the writer is broken.
        """
        self._check()
        if self._depth == 0:
            raise ClawdError(f"a {event.kind} was entered outside a batch", where="writer")
        now = self.clock.now()
        self._records.append((now, event.kind, event.model_dump(mode="json")))
        self.account.apply(event, now)
        self._unseen.append(event)

    def ask(self, request: Request) -> None:
        """Send a request after the batch is in the journal."""
        self._check()
        self.queue.put(request, self.clock.now())

    def anomaly(self, what: str, detail: str, *, order: str | None = None, symbol: str | None = None) -> bool:
        """Enter something that should not be, and say it; whether it is new. What is repeated is not entered again."""
        key = (what, order, symbol, detail)
        if key in self._anomalies or len(self._anomalies) >= _MOST_ANOMALIES:
            return False
        self._anomalies.add(key)
        self.enter(AnomalyFound(what=what, order=order, symbol=symbol, detail=detail))
        self.alarm(f"{what}: {detail}")
        return True

    def alarm(self, text: str) -> None:
        """Say something to whoever watches."""
        self.alarms.append((self.clock.now(), text))
        del self.alarms[:-_MOST_ALARMS]

    def settle(self) -> None:
        """Let the observers see what has been entered so far, before anything else happens."""
        self._observe()

    def _observe(self) -> None:
        while self._unseen:
            event = self._unseen.pop(0)
            for observer in self.observers:
                observer(event)

    def _append(self) -> None:
        if self._records:
            self._journal.append(self._records)
            self._records, self._fresh = [], True

    def _send(self) -> None:
        while (request := self.queue.take(self.clock.now())) is not None:
            if isinstance(request, Submit) and not self.account.orders[request.approved.order.id].state.working:
                continue  # it ended before it was sent
            for listener in self.sent:
                listener(request)
            self.venue.send(request)

    def _check(self) -> None:
        if self._broken is not None:
            raise ClawdError(
                f"the journal did not take what happened ({self._broken}), and nothing more is sent",
                where="writer",
                hint="mend the journal's place and start again: a start replays the journal and asks the venue",
            )
