"""What the runs of a home have in the market now: what a person's order would touch, counted before it is given."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal, TypeVar

from clawd.core.account_events import UNATTRIBUTED, TradingState
from clawd.core.errors import ClawdError
from clawd.core.orders import OrderKind
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.execution.account import Account
from clawd.fleet.books import Books
from clawd.server.live.currency import QUOTE, currency_of
from clawd.server.live.follower import Follower
from clawd.server.live.places import Place
from clawd.server.live.tale import Tale
from clawd.server.problem import MissingError

T = TypeVar("T")

#: Runs at work that are counted; of those beyond it is said how many there are.
MOST_RUNS: Final = 32
#: Accounts that nobody is at work on and that are looked at, the last written first.
_MOST_IDLE: Final = 100
#: Seconds that a journal which is not the one shown is waited for, and all of them together: who wants to stop
#: everything does not wait.
_PATIENCE: Final = 0.5
_PATIENCE_IN_ALL: Final = 0.8


@dataclass(frozen=True, slots=True)
class Stake:
    """What one run has in the market.

    Attributes:
        run: its name; ``kind`` says which folds read it.
        at_work: whether a process trades it at this moment.
        whole: whether its journal has been read to its end, so that the counts are those of now.
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
    whole: bool
    state: TradingState
    flattening: bool
    halted_until: int | None
    agents: int
    positions: int
    entries: int
    exits: int
    notional: Decimal | None
    currency: str

    @property
    def holds(self) -> bool:
        """Whether it has anything in the market, as far as its journal has been read; what is unread may."""
        return not self.whole or bool(self.positions or self.entries or self.exits)


class Stakes:
    """Asks the follower of the journals what their runs have. Used by any thread.

    Args:
        follower: of the home, None while none is at work.

    Attributes:
        last: what was found last, by run.
    """

    def __init__(self, follower: Callable[[], Follower | None]) -> None:
        self._follower = follower
        self._at_rest: dict[Path, tuple[int, Stake]] = {}
        self.last: dict[str, Stake] = {}

    def now(self) -> list[Stake]:
        """Of every run that is at work; where none is, of the run and the account that were written last.

        Besides, of what nobody is at work on and that still has something in the market: every account, and of the
        runs over bars the last, for those before it were given up. What cannot be read, or not yet, is among them all
        the same, and not whole.
        """
        found = self.each(_stake, _unread)
        known = {(stake.kind, stake.run) for stake in found}
        found += [stake for stake in self._idle() if (stake.kind, stake.run) not in known]
        self.last = {stake.run: stake for stake in found}
        return found

    @property
    def uncounted(self) -> int:
        """How many runs are at work beyond those that are counted."""
        follower = self._follower()
        at_work = [] if follower is None else [place for place in follower.places() if place.working]
        return max(len(at_work) - MOST_RUNS, 0)

    def _idle(self) -> list[Stake]:
        follower = self._follower()
        found = [] if follower is None else follower.places()
        idle = [place for place in found if place.kind == "account" and not place.working][:_MOST_IDLE]
        bars = [place for place in found if place.kind == "bars"]
        idle += [place for place in bars[:1] if not place.working]
        kept = {place.path: self._at_rest[place.path] for place in idle if place.path in self._at_rest}
        unread = [place for place in idle if kept.get(place.path, (None,))[0] != place.written_at]
        read = {
            path: (written_at, stake)
            for path, written_at, stake in self._read(
                unread, lambda tale, place, whole: (place.path, place.written_at, _stake(tale, place, whole))
            )
        }
        self._at_rest = kept | {path: known for path, known in read.items() if known[1].whole}
        stakes = [kept.get(place.path, read.get(place.path, (0, _unread(place))))[1] for place in idle]
        return [stake for stake in stakes if stake.holds]

    def each(self, take: Callable[[Tale, Place, bool], T], unread: Callable[[Place], T] | None = None) -> list[T]:
        """What is taken of each of these runs, whose tale nobody changes meanwhile.

        Args:
            take: given the tale, where it lies, and whether it has been read to its end.
            unread: what stands for a run that is at work and of which nothing could be read; nothing where None.
        """
        follower = self._follower()
        return [] if follower is None else self._read(_of_interest(follower.places()), take, unread)

    def _read(
        self,
        wanted: Sequence[Place],
        take: Callable[[Tale, Place, bool], T],
        unread: Callable[[Place], T] | None = None,
    ) -> list[T]:
        follower = self._follower()
        if follower is None:
            return []
        found: list[T] = []
        deadline = time.monotonic() + _PATIENCE_IN_ALL
        for place in wanted:
            try:
                with follower.tale(place.run, min(max(deadline - time.monotonic(), 0.0), _PATIENCE)) as tale:
                    if tale.books is not None or tale.account is not None:
                        found.append(take(tale, place, follower.is_current(place.run)))
                        continue
            except ClawdError:
                pass  # just being made, too long to be read by now, or set aside meanwhile
            if unread is not None and place.working:
                found.append(unread(place))
        return found

    @contextmanager
    def account(self, name: str) -> Iterator[Account]:
        """The books of an account, which nobody changes in the block.

        Raises:
            MissingError: where there is none of this name.
            ClawdError: where its journal cannot be read.
        """
        follower = self._follower()
        if follower is None or name not in self.accounts():
            raise MissingError(f"there is no account {name}", where="account")
        with follower.tale(name) as tale:
            if tale.account is None:
                raise MissingError(f"there is no account {name} yet", where="account")
            yield tale.account

    def accounts(self) -> list[str]:
        """The names of the accounts of the home."""
        follower = self._follower()
        return [] if follower is None else sorted(place.run for place in follower.places() if place.kind == "account")


def _of_interest(found: Sequence[Place]) -> list[Place]:
    at_work = [place for place in found if place.working]
    if at_work:
        return at_work[:MOST_RUNS]
    newest = {place.kind: place for place in reversed(found)}
    return [newest[kind] for kind in ("bars", "account") if kind in newest]


def _stake(tale: Tale, place: Place, whole: bool) -> Stake:
    if tale.books is not None:
        return _of_books(place, tale.books, whole)
    assert tale.account is not None
    return _of_account(place, tale.account, tale.marks, whole)


def _unread(place: Place) -> Stake:
    state = TradingState.ACTIVE  # as far as is known: nothing less is claimed
    return Stake(place.run, place.kind, place.working, False, state, False, None, 0, 0, 0, 0, None, QUOTE)


def _of_books(place: Place, books: Books, whole: bool) -> Stake:
    entries = sum(order.kind is OrderKind.OPENING for order in books.orders.values())
    return Stake(
        run=place.run,
        kind="bars",
        at_work=place.working,
        whole=whole,
        state=books.state,
        flattening=books.flattening,
        halted_until=None if books.halted_until is None else books.halted_until * NANOSECONDS_PER_DAY,
        agents=sum(not agent.paused for agent in books.active_agents()),
        positions=sum(bool(size) for agent in books.agents.values() for size in agent.sizes.values()),
        entries=entries,
        exits=len(books.orders) - entries,
        notional=sum((agent.exposure(books.marks) for agent in books.agents.values()), Decimal(0)),
        currency=currency_of(books.symbols),
    )


def _of_account(place: Place, account: Account, marks: Mapping[str, Decimal], whole: bool) -> Stake:
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
    known = all(symbol in marks for symbol, _ in held)
    return Stake(
        run=place.run,
        kind="account",
        at_work=place.working,
        whole=whole,
        state=account.state,
        flattening=account.flattening,
        halted_until=None if account.until_day is None else account.until_day * NANOSECONDS_PER_DAY,
        agents=sum(
            agent.stopped is None and not agent.paused for agent in account.agents.values() if agent.id != UNATTRIBUTED
        ),
        positions=len(held),
        entries=entries,
        exits=len(kinds) - entries,
        notional=sum((abs(size) * marks[symbol] for symbol, size in held), Decimal(0)) if known else None,
        currency=currency_of(tuple(account.start.symbols)),
    )
