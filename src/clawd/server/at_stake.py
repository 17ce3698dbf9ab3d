"""What the runs of a home have in the market now: what a person's order would touch, counted before it is given."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

from clawd.core.account_events import UNATTRIBUTED, AccountOpened, TradingState
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import RunStarted, VerdictGiven, read_event
from clawd.core.orders import OrderKind
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.execution.account import Account
from clawd.fleet.books import Books
from clawd.risk.verdict import Outcome
from clawd.store.journal import open_journal
from clawd.store.lock import is_locked

#: Where the instruments name no currency of their own.
QUOTE: Final = "USD"
#: Refusals of the gate that are remembered of each journal.
MOST_REFUSALS: Final = 300
#: A journal that is just being made, or is set aside meanwhile; `clawd journal verify` says what is wrong with others.
_UNREADABLE: Final = (ClawdError, KeyError, ValueError, ArithmeticError, IndexError)
_CURRENCIES: Final = ("USDT", "USDC", "USD", "EUR", "GBP", "JPY", "BTC")


@dataclass(frozen=True, slots=True)
class Stake:
    """What one run has in the market.

    Attributes:
        run: its name; ``kind`` says which folds read it.
        at_work: whether a process trades it at this moment.
        state: what it may do; ``flattening`` whether everything is being closed.
        halted_until: UTC nanoseconds until which the day's limit has stopped it, None where it has not.
        agents: those that may enter.
        positions: of all agents in all instruments, unattributed ones left out.
        entries, exits: orders that work at the venue, and those that wait here.
        notional: gross, of the positions, at the last prices; None where a price is not known.
        currency: of the notional.
    """

    run: str
    kind: Literal["bars", "account"]
    at_work: bool
    state: TradingState
    flattening: bool
    halted_until: int | None
    agents: int
    positions: int
    entries: int
    exits: int
    notional: Decimal | None
    currency: str


@dataclass(slots=True)
class Followed:
    """A journal and how far it has been read.

    Attributes:
        fold: None before its first entry.
        refused: what the gate refused or shrank last, and when by the clock of whoever trades, UTC nanoseconds.
    """

    path: Path
    seq: int = 0
    fold: Books | Account | None = None
    refused: deque[tuple[int, VerdictGiven]] = field(default_factory=lambda: deque(maxlen=MOST_REFUSALS))

    def read(self) -> Books | Account:
        """Take in what is new.

        Raises:
            ClawdError: when the journal cannot be read or does not add up.
        """
        with open_journal(self.path, read_only=True) as journal:
            for entry in journal.entries(self.seq):
                self._take(read_event(entry.kind, entry.body), entry.ts)
                self.seq = entry.seq
        if self.fold is None:
            raise ClawdError("the journal is empty", where=str(self.path))
        return self.fold

    def _take(self, event: Event, time: int) -> None:
        if isinstance(event, VerdictGiven) and event.outcome != Outcome.ALLOW:
            self.refused.append((time, event))
        match self.fold, event:
            case None, RunStarted():
                self.fold = Books.begin(event)
            case None, AccountOpened():
                self.fold = Account.begin(event)
                self.fold.time = time
            case Books() as books, _:
                books.apply(event)
            case Account() as account, _:
                account.apply(event, time)
            case _:
                raise ClawdError(f"a {event.kind} stands before the beginning", where=str(self.path))


@dataclass(slots=True)
class Stakes:
    """Follows the journals of a home. Used by any thread, one at a time."""

    home: Path
    last: dict[str, Stake] = field(default_factory=dict)
    _followed: dict[Path, Followed] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> list[Stake]:
        """Of every run that is at work; where none is, of the run and the account that were written last."""
        with self._lock:
            found = {stake.run: stake for path in self._of_interest() if (stake := self._stake(path)) is not None}
            self.last = found
        return list(found.values())

    def account(self, name: str) -> Account:
        """The books of an account.

        Raises:
            ClawdError: where there is none of this name, or its journal cannot be read.
        """
        path = self.home / "accounts" / name / "journal.sqlite"
        if not path.is_file() or path.parent.parent != self.home / "accounts":
            raise ClawdError(f"there is no account {name!r}", where=str(self.home / "accounts"))
        with self._lock:
            fold = self._read(path)
        if not isinstance(fold, Account):
            raise ClawdError("this is the journal of no account", where=str(path))
        return fold

    def accounts(self) -> list[str]:
        """The names of the accounts of the home."""
        return sorted(path.parent.name for path in self.home.glob("accounts/*/journal.sqlite"))

    def shown(self) -> list[Followed]:
        """The journals of :meth:`now`, read to their end; the first is the one that matters most."""
        with self._lock:
            found = []
            for path in self._of_interest():
                try:
                    self._read(path)
                except _UNREADABLE:
                    continue
                found.append(self._followed[path])
            return found

    def _of_interest(self) -> Iterator[Path]:
        runs, accounts = (sorted(self.home.glob(f"{kind}/*/journal.sqlite")) for kind in ("runs", "accounts"))
        at_work = [path for path in (*runs, *accounts) if is_locked(path)]
        if at_work:
            yield from at_work
            return
        for journals in (runs, accounts):
            if journals:
                yield max(journals, key=lambda path: path.stat().st_mtime_ns)

    def _read(self, path: Path) -> Books | Account:
        followed = self._followed.setdefault(path, Followed(path))
        try:
            return followed.read()
        except BaseException:
            # Half of it may have been taken in: the next look begins anew.
            del self._followed[path]
            raise

    def _stake(self, path: Path) -> Stake | None:
        at_work = is_locked(path)
        try:
            fold = self._read(path)
        except _UNREADABLE:
            return None
        return _of_books(path, fold, at_work) if isinstance(fold, Books) else _of_account(path, fold, at_work)


def _of_books(path: Path, books: Books, at_work: bool) -> Stake:
    entries = sum(order.kind is OrderKind.OPENING for order in books.orders.values())
    return Stake(
        run=path.parent.name,
        kind="bars",
        at_work=at_work,
        state=books.state,
        flattening=books.flattening,
        halted_until=None if books.halted_until is None else books.halted_until * NANOSECONDS_PER_DAY,
        agents=len(books.active_agents()),
        positions=sum(bool(size) for agent in books.agents.values() for size in agent.sizes.values()),
        entries=entries,
        exits=len(books.orders) - entries,
        notional=sum((agent.exposure(books.marks) for agent in books.agents.values()), Decimal(0)),
        currency=currency_of(books.symbols),
    )


def _of_account(path: Path, account: Account, at_work: bool) -> Stake:
    held = [
        (symbol, holding.size)
        for agent in account.agents.values()
        if agent.id != UNATTRIBUTED
        for symbol, holding in agent.holdings.items()
        if holding.size
    ]
    kinds = [placed.order.kind for placed in account.working()]
    kinds += [waiting.order.kind for waiting in account.held.values()]
    entries = sum(kind is OrderKind.OPENING for kind in kinds)
    known = all(symbol in account.marks for symbol, _ in held)
    return Stake(
        run=path.parent.name,
        kind="account",
        at_work=at_work,
        state=account.state,
        flattening=account.flattening,
        halted_until=None if account.until_day is None else account.until_day * NANOSECONDS_PER_DAY,
        agents=sum(agent.stopped is None for agent in account.agents.values() if agent.id != UNATTRIBUTED),
        positions=len(held),
        entries=entries,
        exits=len(kinds) - entries,
        notional=sum((abs(size) * account.marks[symbol] for symbol, size in held), Decimal(0)) if known else None,
        currency=currency_of(tuple(account.start.symbols)),
    )


def currency_of(symbols: tuple[str, ...]) -> str:
    """What the instruments are quoted in, where their names agree on it; else :data:`QUOTE`."""
    named = {next((each for each in _CURRENCIES if symbol.endswith(each)), QUOTE) for symbol in symbols}
    return named.pop() if len(named) == 1 else QUOTE
