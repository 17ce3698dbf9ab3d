"""Reconciliation: the agents' books against the venue's account. They agree to the last digit, or nothing is traded."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from clawd.core.errors import ClawdError
from clawd.core.orders import Order


def reconcile(
    sizes: Mapping[str, Decimal],
    cash: Decimal,
    orders: Mapping[str, Order],
    venue_sizes: Mapping[str, Decimal],
    venue_cash: Decimal,
    venue_orders: Mapping[str, Order],
) -> None:
    """Compare the sum of our virtual positions, our cash and our orders with what the venue says.

    Raises:
        ClawdError: naming the first difference.
    """
    for symbol in sorted(sizes.keys() | venue_sizes.keys()):
        ours, theirs = sizes.get(symbol, Decimal(0)), venue_sizes.get(symbol, Decimal(0))
        if ours != theirs:
            raise ClawdError(f"the agents hold {ours} {symbol}, the venue says {theirs}", where="reconciliation")
    if cash != venue_cash:
        raise ClawdError(f"the agents' cash is {cash}, the venue says {venue_cash}", where="reconciliation")
    for order in sorted(orders.keys() | venue_orders.keys()):
        if orders.get(order) != venue_orders.get(order):
            raise ClawdError(
                f"order {order} is {orders.get(order, 'unknown to us')}, "
                f"the venue says {venue_orders.get(order, 'unknown')}",
                where="reconciliation",
            )
