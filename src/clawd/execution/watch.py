"""The watch kept here over exits that no venue holds.

What is watched is never stored: it is what the position needs less what works at the venue, so a watch begins with the
fact that states the exits, before anything is asked of a venue, holds through every gap while an order is replaced, and
is there again after a restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from clawd.core.account_events import ProtectionChanged
from clawd.core.orders import OrderKind, OrderType
from clawd.core.reports import Quote
from clawd.execution.account import Account
from clawd.execution.exits import Exit
from clawd.execution.life_cycle import OrderState, PlacedOrder

#: The states in which the venue holds an order and will go on holding it.
HELD = frozenset({OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED})

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """How long a position may be without protection.

    Attributes:
        longest_naked: nanoseconds until a position that nothing protects is closed.
        quote_age: nanoseconds for which a quote is fresh; a watch over older ones is none.
    """

    longest_naked: int = 10_000_000_000
    quote_age: int = 5_000_000_000


def needed(protection: ProtectionChanged, size: Decimal) -> list[Exit]:
    """The exits of a position of a signed size: the stop for the whole of it, then its targets."""
    stop = Exit(OrderKind.STOP, protection.stop, -size)
    return [stop, *(Exit(OrderKind.TAKE, each.level, each.size) for each in protection.targets)]


def protects(placed: PlacedOrder, exit_: Exit) -> bool:
    """Whether the venue holds an order that does what an exit is for, at its level or nearer to the price."""
    order = placed.order
    if placed.state not in HELD or order.kind is not exit_.kind or order.type is OrderType.MARKET:
        return False
    level = order.level if order.level is not None else order.limit
    if level is None or order.size * exit_.size <= 0:
        return False
    if exit_.kind is OrderKind.TAKE:
        return level == exit_.level
    return level >= exit_.level if exit_.size < 0 else level <= exit_.level


def unheld(exits: Iterable[Exit], working: Iterable[PlacedOrder]) -> list[Exit]:
    """The exits, or what is left of them, that no order at the venue stands for: those that must be watched here."""
    free = {placed.order.id: placed for placed in working}
    watched = []
    for exit_ in exits:
        left = abs(exit_.size)
        for placed in [each for each in free.values() if protects(each, exit_)]:
            if left > 0:
                left -= abs(placed.rest)
                del free[placed.order.id]
        if left > 0:
            watched.append(Exit(exit_.kind, exit_.level, left if exit_.size > 0 else -left))
    return watched


def is_touched(exit_: Exit, quote: Quote) -> bool:
    """Whether the price at which an exit could trade now has come to its level: the bid for a long, else the ask."""
    sells = exit_.size < 0
    price = quote.bid if sells else quote.ask
    below = price <= exit_.level
    above = price >= exit_.level
    return below if sells == (exit_.kind is OrderKind.STOP) else above


def comes_to(protection: ProtectionChanged, long: bool, quote: Quote) -> bool:
    """Whether the price has come to any exit of a position, wherever that rests: a quick look before a thorough one."""
    if long:
        return quote.bid <= protection.stop or any(quote.bid >= target.level for target in protection.targets)
    return quote.ask >= protection.stop or any(quote.ask <= target.level for target in protection.targets)


def touched(exits: Iterable[Exit], quote: Quote) -> list[Exit]:
    """Of the exits that are watched here, those that must act now. A stop acts alone: it closes everything."""
    found = [each for each in exits if is_touched(each, quote)]
    stops = [each for each in found if each.kind is OrderKind.STOP]
    return stops or found


def is_fresh(quotes: Mapping[str, Quote], symbol: str, now: int, limits: WatchLimits) -> bool:
    """Whether an instrument's price is known well enough to be watched; not one from a time that has not come."""
    quote = quotes.get(symbol)
    return quote is not None and 0 <= now - quote.time <= limits.quote_age


def watched(account: Account, agent: str, symbol: str) -> list[Exit]:
    """What is watched here for a position now; nothing where it has no exits."""
    protection = account.protection(agent, symbol)
    book = account.agents.get(agent)
    size = book.size(symbol) if book else _ZERO
    if protection is None or not size:
        return []
    return unheld(needed(protection, size), account.working_of(agent, symbol))
