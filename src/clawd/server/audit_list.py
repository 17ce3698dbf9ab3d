"""What people have done, newest first: the audit, and the orders that were given on the command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Literal, NamedTuple

from clawd.core.errors import ClawdError
from clawd.server.audit import TERMINAL, audit_path
from clawd.store.entry import Entry
from clawd.store.journal import CHUNK, JSON, open_journal
from clawd.store.switchboard import Switch, Switchboard, switchboard_path

#: Entries that one question looks at; where a filter finds little among them, its cursor says where to go on.
MOST_READ: Final = 20_000
#: Orders of the command line that are listed; nobody gives as many.
_MOST_ORDERS: Final = 5_000

Source = Literal["web", "command line"]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that somebody has done.

    Attributes:
        ts: when, UTC nanoseconds.
        source: ``web``, or ``command line``: of what is done there, keys and the password stand in the audit, orders
            on the switchboard alone.
        number: its place there, counted from 1.
        what: the fact.
        by: who.
        via: the id of the session or key, empty for the command line.
        address: from which.
        facts: the details.
        hash: of its entry in the chain; None where there is no chain.
    """

    ts: int
    source: Source
    number: int
    what: str
    by: str
    via: str
    address: str
    facts: dict[str, JSON]
    hash: str | None


class Place(NamedTuple):
    """Where a page of the list ends: only what lies before these numbers comes behind it."""

    entry: int
    order: int
    adoption: int

    def __str__(self) -> str:
        return f"{self.entry}-{self.order}-{self.adoption}"


_END: Final = 2**62
NEWEST: Final = Place(_END, _END, _END)
_PLACE: Final = re.compile(r"([0-9]{1,19})-([0-9]{1,19})-([0-9]{1,19})")


def read_place(text: str) -> Place:
    """A cursor as it was given.

    Raises:
        ClawdError: when it is none.
    """
    match = _PLACE.fullmatch(text)
    if match is None:
        raise ClawdError("this is no cursor", where="cursor", hint="what `next` of the page before said")
    return Place(*(min(int(part), _END) for part in match.groups()))


class Page(NamedTuple):
    """A part of the list.

    Attributes:
        acts: newest first.
        next: where the next one begins; None where nothing is left.
    """

    acts: list[Act]
    next: Place | None


def list_acts(
    home: Path, wanted: Callable[[Act], bool], limit: int, after: Place = NEWEST, since: int | None = None
) -> Page:
    """A page of what people have done.

    Args:
        home: of the audit and the switchboard; nothing is made where nothing is.
        wanted: what is to be listed.
        limit: of the acts on the page.
        after: where the page before has ended.
        since: nothing before this time is looked for, UTC nanoseconds.

    Raises:
        ClawdError: when a file cannot be read, or an entry that was looked at is broken.
    """
    # An order of the web face stands on the switchboard too, and just behind it in the audit: it is listed once. The
    # page before may have ended between the two.
    known = {_order_of(act) for act in _forwards(home, after.entry - 1, _BEHIND)}
    orders, adoptions = _switchboard(home, after)
    with closing(_entries(home, after.entry)) as entries:
        streams = {"entry": _Newest(entries), "order": _Newest(iter(orders)), "adoption": _Newest(iter(adoptions))}
        acts: list[Act] = []
        place = after
        for _ in range(MOST_READ):
            full = [(name, stream) for name, stream in streams.items() if stream.head is not None]
            if not full:
                return Page(acts, None)
            name, newest = max(full, key=lambda each: each[1].ts)  # of equals the entry, which is named first
            if since is not None and newest.ts < since:
                return Page(acts, None)
            if len(acts) == limit:
                break
            act = newest.take()
            place = place._replace(**{name: act.number})
            if name == "entry":
                known.add(_order_of(act))
            elif (name, act.number) in known:
                continue
            if wanted(act):
                acts.append(act)
    return Page(acts, place)


class _Newest:
    """A stream of acts, of which the first can be looked at."""

    def __init__(self, acts: Iterator[Act]) -> None:
        self._acts = acts
        self.head = next(acts, None)

    @property
    def ts(self) -> int:
        assert self.head is not None
        return self.head.ts

    def take(self) -> Act:
        assert self.head is not None
        head, self.head = self.head, next(self._acts, None)
        return head


def _entries(home: Path, before: int) -> Generator[Act]:
    """The entries of the audit before a number, the last first."""
    path = audit_path(home)
    if not path.exists():
        return
    with open_journal(path, read_only=True) as journal:
        end = min(before - 1, journal.head[0])
        while end > 0:
            # Read forwards, as the chain is checked, in pieces that are turned around.
            start = max(0, end - CHUNK)
            yield from (_act(entry) for entry in reversed(list(islice(journal.entries(start), end - start))))
            end = start


def _forwards(home: Path, start: int, count: int) -> list[Act]:
    """So many entries behind a number, in order."""
    path = audit_path(home)
    if start >= _END - 1 or not path.exists():
        return []
    with open_journal(path, read_only=True) as journal:
        return [_act(entry) for entry in islice(journal.entries(max(0, start)), count)]


def _act(entry: Entry) -> Act:
    facts = dict(entry.body)
    by, via, address = (str(facts.pop(name, "")) for name in ("by", "via", "address"))
    source: Source = "command line" if via == TERMINAL else "web"
    return Act(entry.ts, source, entry.seq, entry.kind, by, "" if via == TERMINAL else via, address, facts, entry.hash)


def _order_of(act: Act) -> tuple[str, int] | None:
    """The order or the adoption on the switchboard that an entry is about."""
    for name in ("order", "adoption"):
        number = act.facts.get(name) if act.what.startswith(_ON_SWITCHBOARD) else None
        if isinstance(number, int):
            return name, number
    return None


def _switchboard(home: Path, after: Place) -> tuple[list[Act], list[Act]]:
    """The orders and the adoptions before a place, the last first."""
    if not switchboard_path(home).exists():
        return [], []
    with Switchboard.open(home) as switchboard:
        orders = [
            _from_terminal(order.ts, order.number, _FACTS[order.switch], order.by, {"why": order.why})
            for order in switchboard.commands(_MOST_ORDERS)
            if order.number < after.order
        ]
        adoptions = [
            _from_terminal(
                decision.ts,
                decision.number,
                "PositionAdopted",
                decision.by,
                {"account": account, "symbol": decision.symbol},
            )
            for account, decision in switchboard.adoptions(_MOST_ORDERS)
            if decision.number < after.adoption
        ]
    return orders, adoptions


def _from_terminal(ts: int, number: int, what: str, by: str, facts: dict[str, JSON]) -> Act:
    return Act(ts, "command line", number, what, by, "", "", facts, None)


_FACTS: Final = {
    Switch.RESUME: "TradingResumed",
    Switch.REDUCE: "EntriesStopped",
    Switch.HALT: "TradingHalted",
    Switch.FLATTEN: "FlatteningOrdered",
}
_ON_SWITCHBOARD: Final = ("Trading", "Position")
#: Entries behind an order among which its own is looked for: it is written within a second or two.
_BEHIND: Final = 200
