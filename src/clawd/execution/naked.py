"""No position is naked for longer than it may be: a check over the whole account, asked again and again.

A position is protected while orders that the venue has acknowledged would close all of it at its stop, or while its
stop is watched here over fresh quotes; and not while a fresh quote lies beyond its stop, whoever holds that: then it
should be closed and is not. The clock is a fact in the journal, so restarts do not begin it anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from clawd.core.account_events import (
    UNATTRIBUTED,
    ProtectionLapsed,
    ProtectionOverdue,
    ProtectionRestored,
)
from clawd.core.reports import Quote
from clawd.execution.account import Account
from clawd.execution.placement import rests, stops_of
from clawd.execution.watch import HELD, WatchLimits, is_fresh, is_touched, needed

_SECOND: Final = 1_000_000_000

#: Why a position is naked.
NO_EXITS, NOT_HELD, PASSED = "NO_EXITS", "NOT_HELD", "STOP_PASSED"


@dataclass(slots=True)
class NakedCheck:
    """What a check found.

    Attributes:
        facts: to be entered, in order.
        close: agent and symbol of the positions that must be closed now.
    """

    facts: list[ProtectionLapsed | ProtectionRestored | ProtectionOverdue] = field(default_factory=list)
    close: list[tuple[str, str]] = field(default_factory=list)


def why_naked(
    account: Account, agent: str, symbol: str, quotes: Mapping[str, Quote], now: int, limits: WatchLimits
) -> str | None:
    """Why nothing protects a position of an agent, None while something does."""
    protection = account.protection(agent, symbol)
    if protection is None:
        return NO_EXITS
    size = account.agents[agent].size(symbol)
    if is_fresh(quotes, symbol, now, limits):
        return PASSED if is_touched(needed(protection, size)[0], quotes[symbol]) else None
    # A stop that the venue still holds where it lay before protects too, only later than it should.
    held = sum(abs(each.rest) for each in stops_of(account, agent, symbol) if each.state in HELD)
    return None if held >= abs(size) else NOT_HELD


def is_being_closed(account: Account, agent: str, symbol: str) -> bool:
    """Whether orders that trade at once would close all of a position, as far as anyone knows."""
    size = account.agents[agent].size(symbol)
    closing = [
        abs(each.rest)
        for each in account.working_of(agent, symbol)
        if each.order.reduces and each.order.size * size < 0 and not rests(each)
    ]
    return sum(closing) >= abs(size)


def check_naked(account: Account, quotes: Mapping[str, Quote], now: int, limits: WatchLimits) -> NakedCheck:
    """Compare every position with the time that it may be naked.

    A position that has no exits at all is closed at once: nothing is on its way that could protect it. One that is not
    closed is found again as long after, until it is; one that an order is about to close is waited for.

    Args:
        account: as the journal says it is.
        quotes: the last of each instrument.
        now: UTC nanoseconds.
        limits: how long is too long.
    """
    check = NakedCheck()
    for book in account.agents.values():
        if book.id == UNATTRIBUTED:
            continue
        for symbol in book.holdings:
            why = why_naked(account, book.id, symbol, quotes, now, limits)
            since = account.naked_since.get(book.id, {}).get(symbol)
            if why is None:
                if since is not None:
                    check.facts.append(ProtectionRestored(agent=book.id, symbol=symbol))
                continue
            if since is None:
                check.facts.append(ProtectionLapsed(agent=book.id, symbol=symbol, why=why))
            # A clock that was set back by so much says nothing of how long it was: the position is naked now.
            lasted = 0 if since is None else abs(now - since)
            overdue = lasted >= limits.longest_naked or (since is None and why == NO_EXITS)
            if overdue and not is_being_closed(account, book.id, symbol):
                check.facts.append(ProtectionOverdue(agent=book.id, symbol=symbol, seconds=lasted / _SECOND))
                check.close.append((book.id, symbol))
    return check
