"""Which orders come before the gate at all: new ones, of agents that trade here, such as the venue can hold."""

from __future__ import annotations

from decimal import Decimal

from clawd.core.account_events import UNATTRIBUTED
from clawd.core.orders import Order, TimeInForce
from clawd.execution.account import Account
from clawd.execution.life_cycle import PlacedOrder
from clawd.execution.waiting import WATCHED
from clawd.risk.verdict import Code
from clawd.venues.venue import Capabilities


def objection(
    order: Order, replaces: str | None, account: Account, capabilities: Capabilities, *, ready: bool
) -> Code | None:
    """Why an order does not even come before the gate, None where it does.

    Args:
        order: what is asked for.
        replaces: our id of the order whose place it takes.
        account: as the journal says.
        capabilities: of the venue.
        ready: whether an order of its kind may be asked for now.
    """
    agent = account.agents.get(order.agent)
    replaced = None if replaces is None else account.orders.get(replaces)
    code: Code | None = None
    if order.id in account.orders:
        code = Code.DUPLICATE
    elif agent is None or agent.id == UNATTRIBUTED or order.symbol not in account.start.symbols:
        code = Code.AGENT_NOT_ACTIVE
    elif not order.size.is_finite():
        code = Code.SIZE_INVALID
    elif not all(figure is None or figure.is_finite() for figure in _prices(order)):
        code = Code.PRICE_INVALID
    elif not _can_hold(capabilities, order, replaces) or (replaces is not None and not _gives_way(replaced, order)):
        code = Code.NOT_SUPPORTED
    elif not ready:
        code = Code.NOT_READY
    return code


def _prices(order: Order) -> tuple[Decimal | None, ...]:
    return order.level, order.reference, order.limit, order.trail, order.stop_distance


def _can_hold(can: Capabilities, order: Order, replaces: str | None) -> bool:
    """Whether a venue can hold an order. When a GTD order ends is watched here as well."""
    return (
        (order.type in can.order_types or (order.type in WATCHED and replaces is None))
        and (order.time_in_force in can.times_in_force or order.time_in_force is TimeInForce.GTD)
        and (can.post_only or not order.post_only)
        and (replaces is None or can.replace)
    )


def _gives_way(replaced: PlacedOrder | None, by: Order) -> bool:
    """Whether an order may take another's place."""
    if replaced is None:
        return False
    order = replaced.order
    return replaced.state.working and (order.agent, order.symbol, order.reduces) == (by.agent, by.symbol, by.reduces)
