"""Which exits of a position rest at the venue, and which are watched here.

The stop comes first, always. Where only one exit fits, it is the stop even while the price is nearer to a target: a
target that is missed costs a profit, a stop that is missed has no bound, and this process may die before it has swapped
the two. Targets get the places that no stop in the instrument needs, nearest first.

A venue that does not know reduce-only may fill two exits of one position, and the second would open another. There the
stop rests alone, and whatever else closes the position is sent only once the stop is off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from clawd.core.account_events import UNATTRIBUTED
from clawd.core.orders import OrderKind, OrderType, TimeInForce
from clawd.execution.account import Account
from clawd.execution.exits import Exit
from clawd.execution.life_cycle import PlacedOrder
from clawd.venues.venue import Capabilities


@dataclass(frozen=True, slots=True)
class Places:
    """Room at the venue for the exits of one position: whether its stop may rest, and how many targets; None any."""

    stop: bool
    targets: int | None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the exits of a position belong: those that rest at the venue, and those that are watched here."""

    rests: tuple[Exit, ...]
    watched: tuple[Exit, ...]


def placed(needed: Sequence[Exit], places: Places) -> Placement:
    """Divide the exits of a position, in order of their need, between the venue and the watch here."""
    resting: list[Exit] = []
    watched: list[Exit] = []
    targets = places.targets
    for each in needed:
        fits = places.stop if each.kind is OrderKind.STOP else targets is None or targets > 0
        if fits and each.kind is OrderKind.TAKE and targets is not None:
            targets -= 1
        (resting if fits else watched).append(each)
    return Placement(tuple(resting), tuple(watched))


def places_for(account: Account, agent: str, symbol: str, capabilities: Capabilities) -> Places:
    """The places that an agent's exits in an instrument have at the venue.

    The venue counts the exits of the whole account. Where it holds fewer than there are positions, a stop that rests
    stays, and of the others the largest positions come first. It also nets: what closes a position that is held
    against those of other agents would not reduce anything there, and is watched here.
    """
    if capabilities.reduce_only and not _on_the_side_of_the_account(account, agent, symbol):
        return Places(False, 0)
    can_stop = OrderType.STOP in capabilities.order_types
    can_take = OrderType.LIMIT in capabilities.order_types
    room = capabilities.exits
    if room is None:
        return Places(can_stop, (None if can_take and capabilities.reduce_only else 0))
    holders = {
        book.id: book.holdings[symbol].size
        for book in account.agents.values()
        if book.id != UNATTRIBUTED and symbol in book.holdings
    }
    resting = {holder for holder in holders if stops_of(account, holder, symbol)}
    first = sorted(holders, key=lambda holder: (holder not in resting, -abs(holders[holder]), holder))
    stop = can_stop and agent in first[:room]
    if not (can_take and capabilities.reduce_only):
        return Places(stop, 0)
    others = sum(
        1
        for holder in account.agents
        if holder != agent
        for each in account.working_of(holder, symbol)
        if each.order.kind is OrderKind.TAKE and rests(each)
    )
    return Places(stop, max(room - (len(holders) if can_stop else 0) - others, 0))


def _on_the_side_of_the_account(account: Account, agent: str, symbol: str) -> bool:
    """Whether the account's net position holds all of an agent's, so that its exits reduce it."""
    size, net = account.agents[agent].size(symbol), account.totals.net.get(symbol, Decimal(0))
    return size * net > 0 and abs(size) <= abs(net)


def stops_of(account: Account, agent: str, symbol: str) -> list[PlacedOrder]:
    """The resting stops of a position that may still trade, oldest first."""
    return [each for each in account.working_of(agent, symbol) if each.order.kind is OrderKind.STOP and rests(each)]


def rests(placed: PlacedOrder) -> bool:
    """Whether an order waits at the venue for its price, rather than trade at once what can."""
    order = placed.order
    return order.type is not OrderType.MARKET and order.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)
