"""Faults between us and a venue: what is lost, late, doubled, overtaken, refused or wrong, as a script says.

A script is data: rules that say which message is struck, and how. It can be written by hand, drawn from a seed, printed
as JSON, and played again: what a draw has struck is itself a script that strikes the same messages. docs/faults.md
shows how.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import count
from random import Random
from typing import Any, Final

from clawd.core.clock import Clock
from clawd.core.errors import ClawdError
from clawd.core.reports import (
    AccountReport,
    ConnectionReport,
    FillReport,
    OrderReport,
    Quote,
    Report,
    RequestFailed,
    RequestKind,
)
from clawd.venues.venue import Cancel, Capabilities, Query, ReportAccount, Request, Submit, Venue

_REQUESTS: Final = frozenset({"Submit", "Cancel", "Query", "ReportAccount"})
_REPORTS: Final = frozenset({"OrderReport", "FillReport", "RequestFailed", "AccountReport", "ConnectionReport"})
_QUOTE: Final = "Quote"


class Fault(StrEnum):
    """What happens to a message.

    A request or a report is dropped, comes late, comes twice, or is overtaken by the next one. The way to the venue
    breaks before or after a request has arrived. The venue wants to hear less (429), or its server fails (5xx) before
    or after a request has had its effect. An old report comes again after newer ones. From a message on the quotes
    stop, or the venue's clock is wrong. A report on the account names another cash or another position.
    """

    DROP = "drop"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    DISCONNECT_BEFORE = "disconnect_before"
    DISCONNECT_AFTER = "disconnect_after"
    TOO_MANY = "too_many"
    SERVER_ERROR = "server_error"
    SERVER_ERROR_AFTER = "server_error_after"
    OLD_AGAIN = "old_again"
    SILENCE = "silence"
    SKEW = "skew"
    CASH = "cash"
    POSITION = "position"


#: The messages that each fault can strike.
STRIKES: Final[dict[Fault, frozenset[str]]] = {
    Fault.DROP: _REQUESTS | _REPORTS | {_QUOTE},
    Fault.DELAY: _REQUESTS | _REPORTS | {_QUOTE},
    Fault.DUPLICATE: _REQUESTS | _REPORTS | {_QUOTE},
    Fault.REORDER: _REQUESTS | _REPORTS,
    Fault.DISCONNECT_BEFORE: _REQUESTS,
    Fault.DISCONNECT_AFTER: _REQUESTS | _REPORTS,
    Fault.TOO_MANY: _REQUESTS,
    Fault.SERVER_ERROR: _REQUESTS,
    Fault.SERVER_ERROR_AFTER: _REQUESTS,
    Fault.OLD_AGAIN: _REPORTS,
    Fault.SILENCE: _REQUESTS | _REPORTS | {_QUOTE},
    Fault.SKEW: _REPORTS | {_QUOTE},
    Fault.CASH: frozenset({"AccountReport"}),
    Fault.POSITION: frozenset({"AccountReport"}),
}

#: The faults of a network and its servers: whatever they do, the venue's last word is true.
NETWORK_FAULTS: Final = tuple(fault for fault in Fault if fault not in {Fault.SKEW, Fault.CASH, Fault.POSITION})


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a script: which messages are struck, and how.

    Attributes:
        fault: what happens.
        message: the class of the message, such as ``Submit``, ``FillReport`` or ``Quote``; empty for any that the fault
            can strike.
        kind: of the order that is submitted, such as ``stop``; or the state that an order is reported in, such as
            ``filled``; empty for any.
        symbol: that the message is about; empty for any.
        first: which of the messages that fit is the first to be struck, counted from 1.
        times: how many in a row are struck; 0 for all from then on.
        lasts: nanoseconds: how late, how long disconnected or silent, or until when the venue wants to hear nothing.
        amount: nanoseconds by which the venue's clock is ahead, quote currency, or units of the instrument.

    Raises:
        ClawdError: when no message can be struck like that.
    """

    fault: Fault
    message: str = ""
    kind: str = ""
    symbol: str = ""
    first: int = 1
    times: int = 1
    lasts: int = 1_000_000_000
    amount: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        can = STRIKES[self.fault]
        if self.message and self.message not in can:
            raise ClawdError(
                f"a {self.fault} cannot strike a {self.message}",
                where="faults",
                hint=f"one of {', '.join(sorted(can))}",
            )
        if self.first < 1 or self.times < 0 or self.lasts < 0 or not self.amount.is_finite():
            raise ClawdError(
                "a rule counts messages from 1, and time forwards",
                where="faults",
                hint="first >= 1, times >= 0, lasts >= 0, a finite amount",
            )


@dataclass(frozen=True, slots=True)
class Chances:
    """Faults that are drawn: of each message, whether it is struck, and by which of the faults.

    Attributes:
        seed: the same messages are struck the same way again.
        share: of the requests and reports that are struck, in [0, 1].
        quotes: the same of the quotes.
        faults: those that may be drawn.
        longest: nanoseconds that a fault lasts at the most.
        amount: the most by which a figure is wrong, quote currency or units; a clock is wrong by up to ``longest``.
    """

    seed: int
    share: float
    quotes: float = 0.02
    faults: tuple[Fault, ...] = NETWORK_FAULTS
    longest: int = 10_000_000_000
    amount: Decimal = Decimal(1)


def to_json(rules: Iterable[Rule]) -> str:
    """A script as a line of JSON; what a rule leaves at its default is left out."""
    defaults = {each.name: each.default for each in fields(Rule)}
    lines = [
        {name: _plain(value) for name, value in asdict(rule).items() if value != defaults.get(name)} for rule in rules
    ]
    return json.dumps(lines, separators=(",", ":"))


def from_json(text: str) -> tuple[Rule, ...]:
    """The script that a line of JSON says.

    Raises:
        ClawdError: when it says none.
    """
    try:
        return tuple(_rule(line) for line in json.loads(text))
    except (LookupError, TypeError, ValueError, InvalidOperation) as error:
        raise ClawdError(
            f"this is no script of faults: {error}",
            where="faults",
            hint='such as [{"fault":"drop","message":"Submit"}]',
        ) from error


def _rule(line: Mapping[str, Any]) -> Rule:
    fault, amount = Fault(line["fault"]), Decimal(line.get("amount", "0"))
    return Rule(**{**line, "fault": fault, "amount": amount})


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Decimal) else value


@dataclass(slots=True)
class _Counted:
    rule: Rule
    seen: int = 0

    def strikes(self, name: str, kind: str, symbol: str) -> bool:
        """Whether the rule strikes this message; each that fits is counted."""
        rule = self.rule
        if name not in STRIKES[rule.fault]:
            return False
        if rule.message not in ("", name) or rule.kind not in ("", kind) or rule.symbol not in ("", symbol):
            return False
        self.seen += 1
        return self.seen >= rule.first and (not rule.times or self.seen < rule.first + rule.times)


@dataclass(slots=True)
class _Script:
    """What strikes the messages of one direction after another, and what has."""

    rules: list[_Counted]
    chances: Chances | None
    struck: list[Rule] = field(default_factory=list)
    _numbers: Counter[str] = field(default_factory=Counter)
    _random: Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = Random(self.chances.seed if self.chances is not None else 0)

    def of(self, name: str, kind: str, symbol: str) -> Rule | None:
        """What strikes a message: the first rule that does, else what is drawn."""
        self._numbers[name] += 1
        found = None
        for each in self.rules:
            if each.strikes(name, kind, symbol) and found is None:
                found = each.rule
        chances = self.chances
        share = 0.0 if chances is None else chances.quotes if name == _QUOTE else chances.share
        if found is None and chances is not None and self._random.random() < share:
            possible = [fault for fault in chances.faults if name in STRIKES[fault]]
            if possible:
                found = self._drawn(chances, self._random.choice(possible))
        if found is not None:
            number = self._numbers[name]
            self.struck.append(replace(found, message=name, kind="", symbol="", first=number, times=1))
        return found

    def _drawn(self, chances: Chances, fault: Fault) -> Rule:
        lasts = self._random.randrange(chances.longest + 1)
        if fault is Fault.SKEW:
            amount = Decimal(self._random.randint(-chances.longest, chances.longest))
        else:
            amount = (chances.amount * self._random.randint(-100, 100) / 100).quantize(Decimal("0.001"))
        return Rule(fault, lasts=lasts, amount=amount)


class FaultyVenue:
    """A venue with faults before it; behind it the venue is what it was.

    Args:
        venue: where what passes goes.
        clock: ours; a fault lasts by it.
        script: the rules. The first that strikes a message decides about it.
        chances: of faults beside the rules; None for none.

    Attributes:
        venue: as above.
    """

    def __init__(self, venue: Venue, clock: Clock, script: Sequence[Rule] = (), chances: Chances | None = None) -> None:
        self.venue = venue
        self._clock = clock
        self._script = _Script([_Counted(rule) for rule in script], chances)
        self._order = count()
        self._late_requests: list[tuple[int, int, Request]] = []
        self._late_reports: list[tuple[int, int, Report]] = []
        self._late_quotes: list[tuple[int, int, Quote]] = []
        self._overtaken_request: Request | None = None
        self._overtaken_report: tuple[int, Report] | None = None
        self._own: list[Report] = []
        self._broken_until: int | None = None
        self._silent_until = 0
        self._skew = 0
        self._skew_until = 0

    @property
    def name(self) -> str:
        return self.venue.name

    @property
    def capabilities(self) -> Capabilities:
        return self.venue.capabilities

    @property
    def struck(self) -> tuple[Rule, ...]:
        """What has been struck so far, as a script that strikes the same messages again."""
        return tuple(self._script.struck)

    def calm(self) -> None:
        """No message is struck any more, and what was broken is whole at the next :meth:`receive`."""
        self._script.rules.clear()
        self._script.chances = None
        self._silent_until = self._skew_until = 0
        if self._broken_until is not None:
            self._broken_until = min(self._broken_until, self._clock.now())

    # The port.

    def send(self, request: Request) -> None:
        """Hand a request over, as far as the faults let it."""
        self._pass_late_requests()
        now = self._clock.now()
        rule = self._script.of(type(request).__name__, _kind_of(request), getattr(_subject(request), "symbol", ""))
        if self._broken_until is not None:
            return  # nobody is there to take it
        match rule and rule.fault:
            case None | Fault.SKEW | Fault.CASH | Fault.POSITION | Fault.OLD_AGAIN:
                self._forward(request)
            case Fault.DROP:
                pass
            case Fault.DELAY:
                self._put(self._late_requests, now + _lasts(rule), request)
            case Fault.DUPLICATE:
                self._forward(request)
                self.venue.send(request)
            case Fault.REORDER:
                before, self._overtaken_request = self._overtaken_request, request
                self._put(self._late_requests, now + _lasts(rule), None)
                if before is not None:
                    self.venue.send(before)
            case Fault.DISCONNECT_BEFORE:
                self._disconnect(now + _lasts(rule))
            case Fault.DISCONNECT_AFTER:
                self._forward(request)
                self._disconnect(now + _lasts(rule))
            case Fault.TOO_MANY:
                self._own.append(self._failed(request, True, "429", now, now + _lasts(rule)))
            case Fault.SERVER_ERROR:
                self._own.append(self._failed(request, False, "503", now))
            case Fault.SERVER_ERROR_AFTER:
                self._forward(request)
                self._own.append(self._failed(request, False, "503", now))
            case Fault.SILENCE:
                self._silent_until = max(self._silent_until, now + _lasts(rule))
                self._forward(request)

    def receive(self) -> list[Report]:
        """What has come, as far as the faults let it."""
        self._pass_late_requests()
        now = self._clock.now()
        if self._broken_until is not None:
            self.venue.receive()  # said while nobody listened: it is gone
            said: list[Report] = [report for report in self._own if isinstance(report, ConnectionReport)]
            self._own = []
            if now >= self._broken_until:
                self._broken_until = None
                said.append(ConnectionReport(self.name, True, now))
            return said
        come: list[Report] = []
        while self._late_reports and self._late_reports[0][0] <= now:
            come.append(heapq.heappop(self._late_reports)[2])
        own, self._own = self._own, []
        for report in (*self.venue.receive(), *own):
            self._take(report, come, now)
            if self._broken_until is not None:
                break
        if self._overtaken_report is not None and self._overtaken_report[0] <= now:  # nothing came to overtake it
            come.append(self._overtaken_report[1])
            self._overtaken_report = None
        if self._broken_until is not None:
            come += self._own
            self._own = []
        return come

    def quotes(self, quotes: Iterable[Quote]) -> list[Quote]:
        """The quotes that come through, of those that the venue's feed has brought."""
        now = self._clock.now()
        come = []
        while self._late_quotes and self._late_quotes[0][0] <= now:
            come.append(heapq.heappop(self._late_quotes)[2])
        for quote in quotes:
            rule = self._script.of(_QUOTE, "", quote.symbol)
            fault = rule and rule.fault
            if fault is Fault.SILENCE:
                self._silent_until = max(self._silent_until, now + _lasts(rule))
            elif fault is Fault.SKEW:
                self._shift(rule, now)
            if now < self._silent_until or self._broken_until is not None or fault is Fault.DROP:
                continue
            skewed = replace(quote, venue_time=quote.venue_time + self._skew) if now < self._skew_until else quote
            if fault is Fault.DELAY:
                self._put(self._late_quotes, now + _lasts(rule), skewed)
                continue
            come += [skewed] * (2 if fault is Fault.DUPLICATE else 1)
        return come

    # Steps.

    def _take(self, report: Report, come: list[Report], now: int) -> None:
        """One report on its way to us."""
        rule = self._script.of(type(report).__name__, _kind_of(report), getattr(report, "symbol", ""))
        if rule is not None and rule.fault is Fault.SKEW:
            self._shift(rule, now)
        if now < self._skew_until:
            report = _shifted(report, self._skew)
        match rule and rule.fault:
            case Fault.DROP:
                return
            case Fault.DELAY:
                self._put(self._late_reports, now + _lasts(rule), report)
                return
            case Fault.DUPLICATE:
                come.append(report)
            case Fault.REORDER:
                before, self._overtaken_report = self._overtaken_report, (now + _lasts(rule), report)
                if before is not None:
                    come.append(before[1])
                return
            case Fault.OLD_AGAIN:
                self._put(self._late_reports, now + _lasts(rule), report)
            case Fault.SILENCE:
                self._silent_until = max(self._silent_until, now + _lasts(rule))
            case Fault.CASH if rule is not None and isinstance(report, AccountReport):
                report = replace(report, cash=report.cash + rule.amount)
            case Fault.POSITION if rule is not None and isinstance(report, AccountReport):
                symbol = rule.symbol or next(iter(sorted(report.positions)), "")
                if symbol:
                    held = report.positions.get(symbol, Decimal(0))
                    report = replace(report, positions={**report.positions, symbol: held + rule.amount})
            case Fault.DISCONNECT_AFTER:
                come.append(report)
                self._disconnect(now + _lasts(rule))
                return
            case _:
                pass
        come.append(report)
        if self._overtaken_report is not None:
            come.append(self._overtaken_report[1])
            self._overtaken_report = None

    def _forward(self, request: Request) -> None:
        """A request goes its way, and after it the one that it has overtaken."""
        self.venue.send(request)
        if self._overtaken_request is not None:
            before, self._overtaken_request = self._overtaken_request, None
            self.venue.send(before)

    def _pass_late_requests(self) -> None:
        now = self._clock.now()
        while self._late_requests and self._late_requests[0][0] <= now:
            request = heapq.heappop(self._late_requests)[2]
            if request is not None:
                self.venue.send(request)
            elif self._overtaken_request is not None:  # nothing came to overtake it
                before, self._overtaken_request = self._overtaken_request, None
                self.venue.send(before)

    def _disconnect(self, until: int) -> None:
        self._broken_until = until
        self._own.append(ConnectionReport(self.name, False, self._clock.now()))

    def _shift(self, rule: Rule | None, now: int) -> None:
        assert rule is not None
        self._skew, self._skew_until = int(rule.amount), max(self._skew_until, now + rule.lasts)

    def _put(self, waiting: list[Any], due: int, what: object) -> None:
        heapq.heappush(waiting, (due, next(self._order), what))

    def _failed(
        self, request: Request, refused: bool, code: str, now: int, retry_at: int | None = None
    ) -> RequestFailed:
        return RequestFailed(self.name, _order_of(request), _request_kind(request), refused, code, now, retry_at)


def _lasts(rule: Rule | None) -> int:
    return 0 if rule is None else rule.lasts


def _subject(request: Request) -> object:
    return request.approved.order if isinstance(request, Submit) else request


def _kind_of(message: Request | Report) -> str:
    if isinstance(message, Submit):
        return message.approved.order.kind.value
    return message.state.value if isinstance(message, OrderReport) else ""


def _order_of(request: Request) -> str | None:
    match request:
        case Submit(approved=approved):
            return approved.order.id
        case Cancel(order=order) | Query(order=order):
            return order
        case ReportAccount():
            return None


def _request_kind(request: Request) -> RequestKind:
    match request:
        case Submit(replaces=replaces):
            return RequestKind.SUBMIT if replaces is None else RequestKind.REPLACE
        case Cancel():
            return RequestKind.CANCEL
        case Query():
            return RequestKind.QUERY
        case ReportAccount():
            return RequestKind.ACCOUNT


def _shifted(report: Report, skew: int) -> Report:
    """A report whose venue's clock is wrong."""
    match report:
        case OrderReport() | FillReport():
            return replace(report, venue_time=max(report.venue_time + skew, 0))
        case AccountReport(orders=orders, fills=fills):
            return replace(
                report,
                venue_time=max(report.venue_time + skew, 0),
                orders=tuple(replace(each, venue_time=max(each.venue_time + skew, 0)) for each in orders),
                fills=tuple(replace(each, venue_time=max(each.venue_time + skew, 0)) for each in fills),
            )
        case _:
            return report
