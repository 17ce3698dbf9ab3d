"""Recovery, the only way to start: the journal is replayed, and then the venue is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from pydantic import ValidationError

from clawd.core.account_events import AccountOpened
from clawd.core.clock import Clock
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import read_event
from clawd.execution.account import Account
from clawd.execution.dealer import Dealer
from clawd.execution.snapshots import SnapshotJournal, Snapshots
from clawd.execution.timing import Timing
from clawd.execution.view import MarketNow, VenueNow, View
from clawd.execution.waiting import Approvals
from clawd.execution.writer import JournalPort
from clawd.risk.limits import Limits
from clawd.venues.venue import Venue


class Written(Protocol):
    """An entry of a journal."""

    @property
    def seq(self) -> int: ...

    @property
    def ts(self) -> int: ...

    @property
    def kind(self) -> str: ...

    @property
    def body(self) -> object: ...


class Journal(JournalPort, Protocol):
    """Where facts are kept and read again."""

    def entries(self, after: int = 0) -> Iterable[Written]: ...


def replay(entries: Iterable[Written], account: Account | None = None) -> Account:
    """The account that a journal tells of.

    Args:
        entries: all of them, or those behind a snapshot.
        account: as the snapshot says; None from the beginning.

    Raises:
        ClawdError: naming the entry that cannot be, or where there is none.
    """
    for entry in entries:
        try:
            account = _step(account, read_event(entry.kind, entry.body), entry.ts)
        except ClawdError as error:
            raise error.at(f"entry {entry.seq}") from error
        except (KeyError, ValidationError) as error:
            raise ClawdError(
                f"a {entry.kind} of the journal cannot be read: {error}", where=f"entry {entry.seq}"
            ) from error
    if account is None:
        raise ClawdError("the journal is empty", where="journal", hint="an account is opened first")
    return account


def _step(account: Account | None, event: Event, time: int) -> Account:
    if account is not None:
        account.apply(event, time)
        return account
    if not isinstance(event, AccountOpened):
        raise ClawdError(f"a {event.kind} stands before the account was opened", where="journal")
    account = Account.begin(event)
    account.time = time
    return account


def open_account(journal: JournalPort, start: AccountOpened, time: int) -> None:
    """Begin the journal of an account."""
    journal.append([(time, start.kind, start.model_dump(mode="json"))])


def recover(
    journal: Journal,
    venue: Venue,
    markets: Mapping[str, MarketNow],
    limits: Limits,
    clock: Clock,
    *,
    approvals: Callable[[View], Approvals] | None = None,
    seed: int = 0,
    timing: Timing | None = None,
    account: Account | None = None,
    after: int = 0,
) -> Dealer:
    """A dealer that goes on where the journal ends.

    What was under way when the last process ended is asked about, and nothing is entered before the books agree with
    what the venue says: :attr:`Dealer.ready`.

    Args:
        journal: of the account, open for writing.
        venue: where its orders are.
        markets: what is known of the market of each instrument; a feed or the dealer's quotes keep them up to date.
        limits: in force.
        clock, seed, timing: of the :class:`Dealer`.
        approvals: makes of what the gate is shown whom large orders wait for, such as
            :class:`~clawd.execution.signed_approvals.SignedApprovals`; None where none do.
        account, after: a snapshot, and the seq of the last entry that is in it; the last that the journal keeps, where
            none is given.

    Raises:
        ClawdError: when the journal cannot be replayed.
    """
    snapshots = Snapshots(journal) if isinstance(journal, SnapshotJournal) else None
    if account is None and snapshots is not None and (latest := snapshots.latest()) is not None:
        account, after = latest
    account = replay(journal.entries(after), account)
    if account.start.venue != venue.name:
        raise ClawdError(
            f"the journal is of an account at {account.start.venue}, the venue is {venue.name}", where="recovery"
        )
    view = View(account, markets, VenueNow(venue.name), limits)
    dealer = Dealer(view, journal, venue, clock, approvals=approvals and approvals(view), seed=seed, timing=timing)
    if snapshots is not None:
        dealer.writer.written.append(snapshots.written)
    dealer.begin()
    return dealer
