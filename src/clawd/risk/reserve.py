"""The worst case that is reserved before an order is sent: from entry to stop, with fees and slippage on the way out.

What it cannot cover is a gap: a bar that opens beyond the stop. That part is measured and reported, not hidden.
"""

from __future__ import annotations

from decimal import Decimal

from clawd.core.costs import Costs


def leaving_rate(costs: Costs) -> Decimal:
    """The most that leaving costs, as a share of the price left at: a purchase pays its fee on the slipped price."""
    return costs.fee + costs.slippage + costs.fee * costs.slippage


def position_reserve(size: Decimal, mark: Decimal, stop: Decimal, costs: Costs) -> Decimal:
    """What an open position can still lose from its mark to its stop, leaving costs included, quote currency.

    Args:
        size: signed.
        mark: the last close.
        stop: the level that protects it.
        costs: of the way out.
    """
    if size == 0:
        return Decimal(0)
    # A stop that the close has passed fills at the next open, not at its level.
    distance, left_at = (mark - stop, stop) if size > 0 else (stop - mark, max(stop, mark))
    return abs(size) * (max(distance, Decimal(0)) + left_at * leaving_rate(costs))


def entry_reserve_per_unit(price: Decimal, stop_distance: Decimal, side: int, costs: Costs) -> Decimal:
    """What one unit of a new position can lose from entry to stop, with the costs of both ways, quote currency."""
    rate = leaving_rate(costs)
    stop = price - side * stop_distance
    return stop_distance + price * rate + max(stop, Decimal(0)) * rate
