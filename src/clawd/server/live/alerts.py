"""What a person should know of: made of facts of the journal, so that each is the same whoever reads it, and when.

An alert that a fact alone makes (an agent was fired) stays until somebody acknowledges it. One that is about something
that goes on (an order waits for approval) goes when that does. What depends on our clock, silence and a process that
is gone, has to last for a while before it is said: :func:`standing_alerts`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from clawd.core.account_events import (
    AdoptionDecided,
    AgentStopped,
    DifferenceBooked,
    FlattenBegan,
    FlatVerified,
    OrderAccepted,
    OrderAdopted,
    OrderDropped,
    OrderRejected,
    ProtectionEnded,
    ProtectionLapsed,
    ProtectionOverdue,
    ProtectionRestored,
    TradeAdopted,
    TradingState,
    TradingStateChanged,
)
from clawd.core.event import Event
from clawd.core.events import (
    AgentFired,
    HaltBegan,
    HeldUntil,
    HypothesisProven,
    OrderFilled,
    OrderHeld,
    OrderSubmitted,
    VerdictGiven,
)
from clawd.reports.fact_words import fact_words
from clawd.store.entry import Entry

AlertKind = Literal[
    "day_limit",
    "agent_fired",
    "agent_proven",
    "reconciliation",
    "unattributed",
    "naked",
    "protection_overdue",
    "refused_in_a_row",
    "approval",
    "flatten_unverified",
    "process_gone",
    "silent",
]
Severity = Literal["info", "warn", "danger"]

#: Refusals of the gate, and of a venue, that an agent has in a row before it is said.
GATE_REFUSALS: Final = 20
VENUE_REFUSALS: Final = 3
#: Seconds that something has to last before it is said: a flattening that is not verified, silence, no process.
GRACE: Final = 30.0
#: Alerts of one run that are kept.
MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that a person should know of.

    Attributes:
        id: made of the fact.
        kind, severity: what it is, and how bad.
        text: in words.
        seq, time: of the fact in its journal; the market's clock, UTC nanoseconds.
        agent, symbol: that it is about, None where it is about all.
        about: what ends it, where it goes on; None for a fact that stays.
    """

    id: str
    kind: AlertKind
    severity: Severity
    text: str
    seq: int
    time: int
    agent: str | None = None
    symbol: str | None = None
    about: str | None = None


@dataclass(slots=True)
class Alerts:
    """The alerts of one run, as its facts come.

    Attributes:
        found: by id, in the order in which they came.
        flattening: the alert of a flattening that is not verified yet; said only after a while.
    """

    found: dict[str, Alert] = field(default_factory=dict)
    flattening: Alert | None = None
    _open: dict[str, str] = field(default_factory=dict)
    _refused: dict[str, int] = field(default_factory=dict)
    _rejected: int = 0

    def take(self, event: Event, entry: Entry, names: Mapping[str, str]) -> None:
        """Take in the next fact."""
        self._end(event)
        made = self._made(event, entry, names)
        if made is None:
            return
        if isinstance(event, FlattenBegan):
            self.flattening = made
            return
        self.found[made.id] = made
        if made.about is not None:
            self._open[made.about] = made.id
        if len(self.found) > MOST:
            del self.found[next(iter(self.found))]

    def _made(self, event: Event, entry: Entry, names: Mapping[str, str]) -> Alert | None:
        def alert(kind: AlertKind, severity: Severity, about: str | None = None, text: str | None = None) -> Alert:
            return Alert(
                id=entry.hash[:16],
                kind=kind,
                severity=severity,
                text=text or fact_words(event, names).text,
                seq=entry.seq,
                time=entry.ts,
                agent=getattr(event, "agent", None),
                symbol=getattr(event, "symbol", None),
                about=about,
            )

        match event:
            case HaltBegan():
                return alert("day_limit", "danger")
            case TradingStateChanged(state=TradingState.HALTED) if event.until_day is not None:
                return alert("day_limit", "danger")
            case AgentFired() | AgentStopped():
                return alert("agent_fired", "warn")
            case HypothesisProven():
                return alert("agent_proven", "info")
            case DifferenceBooked():
                return alert("reconciliation", "danger")
            case TradeAdopted() | OrderAdopted():
                about = f"unattributed {event.symbol}"
                return None if about in self._open else alert("unattributed", "warn", about)
            case ProtectionLapsed():
                return alert("naked", "danger", f"naked {event.agent} {event.symbol}")
            case ProtectionOverdue():
                return alert("protection_overdue", "danger")
            case OrderHeld(until=HeldUntil.APPROVED):
                return alert("approval", "warn", f"held {event.order}")
            case FlattenBegan():
                text = f"{fact_words(event).text}: the venue has not said yet that nothing is left"
                return alert("flatten_unverified", "danger", "flattening", text)
            case VerdictGiven(outcome="refuse"):
                count = self._refused[event.agent] = self._refused.get(event.agent, 0) + 1
                text = f"the gate has refused {count} orders of {event.agent} in a row, the last: {event.code}"
                return alert("refused_in_a_row", "warn", text=text) if count == GATE_REFUSALS else None
            case OrderRejected():
                self._rejected += 1
                text = f"the venue has refused {self._rejected} orders in a row, the last: {event.code}"
                return alert("refused_in_a_row", "danger", text=text) if self._rejected == VENUE_REFUSALS else None
            case _:
                return None

    def _end(self, event: Event) -> None:
        """What a fact puts an end to."""
        match event:
            case AdoptionDecided():
                self._over(f"unattributed {event.symbol}")
            case ProtectionRestored() | ProtectionEnded():
                self._over(f"naked {event.agent} {event.symbol}")
            case OrderSubmitted() | OrderDropped():
                self._over(f"held {event.order}")
            case FlatVerified():
                self.flattening = None
            case TradingStateChanged(state=TradingState.ACTIVE):
                self.flattening = None
            case VerdictGiven() if event.outcome != "refuse":
                self._refused.pop(event.agent, None)
            case OrderAccepted() | OrderFilled():
                self._rejected = 0
            case _:
                pass

    def _over(self, about: str) -> None:
        if (made := self._open.pop(about, None)) is not None:
            self.found.pop(made, None)


def standing_alerts(
    run: str,
    seq: int,
    digest: str,
    time: int,
    *,
    held: int,
    gone_for: float | None,
    silent_for: float | None,
    usual: float,
    flattening: Alert | None,
    flattening_for: float,
) -> Iterable[Alert]:
    """What lasts too long by our clock.

    Args:
        run, seq, digest, time: the run, and its last entry, whose hash names what comes after it.
        held: open positions.
        gone_for: seconds for which no process has been at work on it, None while one is or where its end has come.
        silent_for: seconds since its journal last grew while a process is at work, None while none is.
        usual: seconds that may pass between two growths.
        flattening, flattening_for: the flattening that is not verified, and for how many seconds.
    """

    def alert(kind: AlertKind, severity: Severity, text: str) -> Alert:
        name = hashlib.sha256(f"{run} {kind} {digest}".encode()).hexdigest()[:16]
        return Alert(name, kind, severity, text, seq, time)

    positions = f"{held} position{' is' if held == 1 else 's are'} open"
    if held and gone_for is not None and gone_for >= GRACE:
        yield alert("process_gone", "danger", f"no process trades {run}, and {positions}: start it again")
    if held and silent_for is not None and silent_for >= max(GRACE, usual):
        yield alert("silent", "danger", f"{run} has written nothing for {silent_for:.0f} s, and {positions}")
    if flattening is not None and flattening_for >= GRACE:
        yield flattening
