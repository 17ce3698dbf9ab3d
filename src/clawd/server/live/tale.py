"""What a journal tells: the fold of its facts, and beside it what pages show of the past.

The fold is the one that trades: :class:`~clawd.fleet.books.Books` of a run over bars,
:class:`~clawd.execution.account.Account` of an account at a venue. Everything that grows with time is kept in bounds.
"""

from __future__ import annotations

import json
from array import array
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from clawd.core.account_events import (
    UNATTRIBUTED,
    AccountMarked,
    AccountOpened,
    DayBegan,
    ProtectionChanged,
    ProtectionEnded,
)
from clawd.core.clock import iso, utc_day
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import (
    EVENTS,
    AgentHired,
    BarClosed,
    BooksMarked,
    KnowledgeNoted,
    OrderCancelled,
    OrderFilled,
    OrderMoved,
    OrderSubmitted,
    RunFinished,
    RunStarted,
    VerdictGiven,
    read_event,
)
from clawd.core.money import booked_float, studied
from clawd.core.orders import OrderKind
from clawd.execution.account import Account
from clawd.fleet.books import Books
from clawd.language.strategy import parse_json
from clawd.reports.fact_words import fact_words, is_news
from clawd.risk.verdict import Outcome
from clawd.server.frames import FeedLine
from clawd.server.live.alerts import Alerts
from clawd.server.live.columns import Columns, columns_of_account, columns_of_books, no_agents
from clawd.server.live.curves import Bar, BarSeries, Curves
from clawd.server.milliseconds import milliseconds
from clawd.store.entry import GENESIS, Entry

FEED: Final = 100
#: Fills that are kept; older ones are only in the journal.
MOST_FILLS: Final = 100_000
#: Steps of the stop of one position that are kept.
MOST_STEPS: Final = 2_000
#: Refusals of the gate that are kept.
MOST_REFUSALS: Final = 300

#: The names of the account's own curves; agents have names of their own.
EQUITY: Final = " equity"
GROSS: Final = " gross"

KINDS: Final = tuple(EVENTS)
_KIND: Final = {kind: code for code, kind in enumerate(KINDS)}
_NOBODY: Final = 0


class Fill(NamedTuple):
    """An order filled, whole or in part. Money and prices are in quote currency, the time is the market's."""

    seq: int
    time: int
    agent: str
    symbol: str
    kind: OrderKind
    size: Decimal
    price: Decimal
    fee: Decimal
    slippage: Decimal
    reason: str
    order: str


class _News(NamedTuple):
    """A fact that people want to hear of, its number, and when it was written down, UTC nanoseconds."""

    seq: int
    time: int
    event: Event


@dataclass(slots=True)
class Tale:
    """What a journal has told so far.

    Attributes:
        run, path: the name under which the journal is kept, and where it lies.
        seq, hash: of the last entry that was taken in.
        time: when it was written down by the clock of whoever trades, UTC nanoseconds: the market's of a replay.
        books, account: the fold, one of them, None before the first entry.
        marks: the last price by symbol, quote currency.
        curves: of the account and of each agent, quote currency.
        bars: of each instrument.
        fills: the newest, oldest first; ``fills_dropped`` older ones are only in the journal.
        stops: the level of each position's stop as it moved, by agent and symbol: times and levels, None from where
            there is none.
        peak, peaks: the highest equity so far of the account, its first cash included, and of each agent of an account.
        names, strategies: of the agents' strategies; of an account also their content hashes, where they can be read.
        marked: the last figures that the journal states.
        day, opened_with: of a run over bars, the UTC day in which the last bar opened, and what the account (under
            :data:`EQUITY`) and each agent were worth at the end of the last bar before it. The books open the next day
            as soon as the last bar of one has closed, when a profit of "today" is none yet.
        held: by agent and symbol what is open, and since when by the market's clock, UTC nanoseconds.
        alerts: what a person should know of.
        settled: whether the books stand at the end of a bar.
        first: the entries up to this one are in a snapshot that it began with: their numbers are not known.
        finished: whether the bars have come to their end.
        refused: what the gate refused or shrank last, and when by the clock of whoever trades, UTC nanoseconds.
        funding: whether positions have paid or received any.
    """

    run: str
    path: Path
    seq: int = 0
    hash: str = GENESIS
    time: int = 0
    books: Books | None = None
    account: Account | None = None
    marks: dict[str, Decimal] = field(default_factory=dict)
    curves: Curves = field(default_factory=Curves)
    bars: dict[str, BarSeries] = field(default_factory=dict)
    fills: deque[Fill] = field(default_factory=lambda: deque(maxlen=MOST_FILLS))
    fills_dropped: int = 0
    stops: dict[tuple[str, str], deque[tuple[int, float | None]]] = field(default_factory=dict)
    peaks: dict[str, float] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    strategies: dict[str, str] = field(default_factory=dict)
    marked: BooksMarked | AccountMarked | None = None
    peak: float = 0.0
    day: int = -1
    opened_with: dict[str, float] = field(default_factory=dict)
    held: dict[tuple[str, str], tuple[Decimal, int]] = field(default_factory=dict)
    refused: deque[tuple[int, VerdictGiven]] = field(default_factory=lambda: deque(maxlen=MOST_REFUSALS))
    funding: bool = False
    alerts: Alerts = field(default_factory=Alerts)
    settled: bool = True
    finished: bool = False
    first: int = 0
    _kinds: array[int] = field(default_factory=lambda: array("B"))
    _agents: array[int] = field(default_factory=lambda: array("H"))
    _agent_codes: dict[str, int] = field(default_factory=dict)
    _columns: Columns | None = None
    _news: deque[_News] = field(default_factory=lambda: deque(maxlen=FEED))
    _lines: tuple[FeedLine, ...] = ()

    @classmethod
    def from_account(cls, run: str, path: Path, account: Account, seq: int, digest: str) -> Tale:
        """What a snapshot of an account tells: how it stands, and nothing of what was before.

        Args:
            run, path: of the journal.
            account: as it was.
            seq, digest: of the last entry that is in it.
        """
        tale = cls(run, path, seq, digest, account.time, account=account, marks=dict(account.marks), first=seq)
        tale.peak = studied(account.start.cash)
        for agent in account.agents.values():
            tale._note_strategy(agent.id, agent.about)
        return tale

    @property
    def kind(self) -> Literal["bars", "account"] | None:
        return "bars" if self.books is not None else "account" if self.account is not None else None

    def take(self, entry: Entry) -> Event:
        """Take the next entry in.

        Raises:
            ClawdError: when it cannot be read, or contradicts those before it.
        """
        try:
            event = read_event(entry.kind, entry.body)
        except KeyError:
            raise ClawdError(
                f"the journal has a {entry.kind}, which this version does not know",
                where=_place(entry),
                hint="it was written by another clawd",
            ) from None
        except ValidationError as error:
            raise ClawdError(f"a {entry.kind} of the journal cannot be read: {error}", where=_place(entry)) from None
        try:
            self._fold(event, entry)
        except ClawdError as error:
            raise error.at(_place(entry)) from None
        except (KeyError, ValueError, ArithmeticError, IndexError) as error:
            raise ClawdError(f"the {entry.kind} does not fit the books: {error!r}", where=_place(entry)) from None
        self.seq, self.hash, self.time = entry.seq, entry.hash, max(self.time, entry.ts)
        self._note(event, entry)
        return event

    @property
    def feed(self) -> tuple[FeedLine, ...]:
        """The newest facts, oldest first; put into words when somebody looks, for few of many are looked at."""
        known = {line.seq: line for line in self._lines}
        if [line.seq for line in self._lines] != [news.seq for news in self._news]:
            self._lines = tuple(known.get(news.seq) or self._line(news) for news in self._news)
        return self._lines

    def _line(self, news: _News) -> FeedLine:
        agent, words = getattr(news.event, "agent", None), fact_words(news.event, self.names)
        return FeedLine(
            seq=news.seq,
            time=milliseconds(news.time),
            kind=news.event.kind,
            agent=agent if isinstance(agent, str) else None,
            text=words.text,
            tone=words.tone,
        )

    def columns(self) -> Columns:
        """The agents; those of a run over bars as they were at the end of its last bar."""
        if self.account is not None:
            return columns_of_account(self.account, self.marks, self.peaks, self.strategies)
        if self.books is None:
            return no_agents(self.run)
        if self.settled or self._columns is None:
            self._columns = columns_of_books(self.books, self.run, self.opened_with)
        return self._columns

    def entries_of(self, agent: str | None = None, kinds: frozenset[str] | None = None) -> NDArray[np.int64]:
        """[K] the seqs of the entries of an agent and of some kinds, in order."""
        wanted = np.ones(len(self._kinds), bool)
        if kinds is not None:
            codes = [_KIND[kind] for kind in kinds if kind in _KIND]
            wanted &= np.isin(np.frombuffer(self._kinds, np.uint8), codes)
        if agent is not None:
            code = self._agent_codes.get(agent, -1)
            wanted &= np.frombuffer(self._agents, np.uint16).astype(np.int64) == code
        found: NDArray[np.int64] = np.flatnonzero(wanted) + 1 + self.first
        return found

    # The fold.

    def _fold(self, event: Event, entry: Entry) -> None:
        if self.books is not None:
            self._note_stop_of_books(event, entry.ts)
            self.books.apply(event)
        elif self.account is not None:
            self.account.apply(event, entry.ts)
        elif isinstance(event, RunStarted):
            self.books = Books.begin(event)
            self.peak = studied(event.capital)
        elif isinstance(event, AccountOpened):
            self.account = Account.begin(event)
            self.account.time = entry.ts
            self.peak = studied(event.cash)
        else:
            raise ClawdError(f"the journal begins with a {entry.kind}, not with RunStarted or AccountOpened")

    # What pages show of the past.

    def _note(self, event: Event, entry: Entry) -> None:
        agent = entry.body.get("agent")
        self._index(entry.kind, agent if isinstance(agent, str) else None)
        match event:
            case AgentHired():
                self.names[event.agent] = event.strategy
            case BarClosed():
                for symbol, (opened, high, low, close, volume) in event.bars.items():
                    known = np.nan if volume is None else volume
                    bar = Bar(event.time, entry.ts, opened, high, low, close, known)
                    self.bars.setdefault(symbol, BarSeries()).add(bar)
                    self.marks[symbol] = booked_float(close)
                if self.account is not None:
                    self._add_to_curves(entry.ts)
            case BooksMarked() if self.books is not None:
                values = {name: studied(equity) for name, (equity, _) in event.agents.items()}
                values[EQUITY] = studied(event.equity)
                if utc_day(event.time) != self.day:
                    self.day, self.opened_with = utc_day(event.time), self.curves.latest
                gross = self.books.exposure_curve[-1] * studied(self.books.start.capital)
                self.curves.add(entry.ts, {GROSS: gross, **values})
                self.marked, self.peak = event, max(self.peak, studied(event.equity))
            case AccountMarked() | DayBegan():
                self.marks.update(event.marks)
                self._add_to_curves(entry.ts)
            case OrderFilled():
                self._note_fill(event, entry.seq)
            case ProtectionChanged():
                self._note_stop(event.agent, event.symbol, entry.ts, studied(event.stop))
            case ProtectionEnded():
                self._note_stop(event.agent, event.symbol, entry.ts, None)
            case VerdictGiven() if event.outcome != Outcome.ALLOW:
                self.refused.append((entry.ts, event))
            case RunFinished():
                self.finished = True
            case _:
                self._note_name(event)
        self.alerts.take(event, entry, self.names)
        self.funding |= entry.kind == "FundingPaid"
        self.settled = isinstance(event, BooksMarked | RunStarted | KnowledgeNoted | RunFinished) or (
            self.books is not None and self.books.bars == 0
        )
        if is_news(event):
            self._news.append(_News(entry.seq, entry.ts, event))

    def _note_name(self, event: Event) -> None:
        about = getattr(event, "about", None)
        if isinstance(about, dict):
            self._note_strategy(event.agent, about)  # type: ignore[attr-defined]

    def _note_strategy(self, agent: str, about: dict[str, Any]) -> None:
        self.names[agent] = str(about.get("name", ""))
        with suppress(ClawdError):  # whoever funds an account may say anything of it
            self.strategies[agent] = parse_json(json.dumps(about)).content_hash

    def _add_to_curves(self, time: int) -> None:
        """What an account and its agents are worth at the marks of this moment, where everything has one."""
        account, marks = self.account, self.marks
        if account is None or any(symbol not in marks for symbol in account.sizes()):
            return
        values = {
            agent.id: studied(agent.value(marks))
            for agent in account.agents.values()
            if agent.id != UNATTRIBUTED and all(symbol in marks for symbol in agent.holdings)
        }
        for name, value in values.items():
            self.peaks[name] = max(self.peaks.get(name, value), value)
        gross = sum((size * marks[symbol] for symbol, size in account.totals.gross.items() if size), Decimal(0))
        equity = studied(account.equity(marks))
        self.peak = max(self.peak, equity)
        self.curves.add(time, {EQUITY: equity, GROSS: studied(gross), **values})

    def _note_fill(self, event: OrderFilled, seq: int) -> None:
        if len(self.fills) == MOST_FILLS:
            self.fills_dropped += 1
        place = event.agent, event.symbol
        before, since = self.held.get(place, (Decimal(0), event.time))
        after = before + event.size
        if after:
            self.held[place] = after, since if before * after > 0 else event.time
        else:
            self.held.pop(place, None)
        self.fills.append(
            Fill(
                seq,
                event.time,
                event.agent,
                event.symbol,
                event.order_kind,
                event.size,
                event.price,
                event.fee,
                event.slippage,
                event.reason.word,
                event.order,
            )
        )

    def _note_stop_of_books(self, event: Event, time: int) -> None:
        """Stops of a run over bars are orders: noted before the fold forgets those that end."""
        assert self.books is not None
        match event:
            case OrderSubmitted(order_kind=OrderKind.STOP) if event.level is not None:
                self._note_stop(event.agent, event.symbol, time, studied(event.level))
            case OrderMoved():
                order = self.books.orders.get(event.order)
                if order is not None and order.kind is OrderKind.STOP:
                    self._note_stop(order.agent, order.symbol, time, studied(event.level))
            case OrderFilled(order_kind=OrderKind.STOP) | OrderCancelled(order_kind=OrderKind.STOP):
                self._note_stop(event.agent, event.symbol, time, None)
            case _:
                pass

    def _note_stop(self, agent: str, symbol: str, time: int, level: float | None) -> None:
        steps = self.stops.setdefault((agent, symbol), deque(maxlen=MOST_STEPS))
        if not steps or steps[-1][1] != level:
            steps.append((time, level))

    def _index(self, kind: str, agent: str | None) -> None:
        self._kinds.append(_KIND[kind])
        code = _NOBODY if agent is None else self._agent_codes.setdefault(agent, len(self._agent_codes) + 1)
        self._agents.append(min(code, 0xFFFF))


def _place(entry: Entry) -> str:
    return f"entry {entry.seq}, {iso(entry.ts)}"
