"""Onto the venue's grid, never towards more risk: smaller sizes, worse-for-nobody limits, nearer stops."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal


def whole_lots(size: Decimal, lot: Decimal) -> Decimal:
    """The largest size in whole lots that is no larger, on the same side; 0 below one lot."""
    lots = (abs(size) / lot).to_integral_value(ROUND_FLOOR)
    while lots * lot > abs(size):  # the quotient was rounded up to a whole number
        lots -= 1
    return lots * lot if size > 0 else -lots * lot


def limit_on_tick(price: Decimal, side: int, tick: Decimal) -> Decimal:
    """A limit price on the grid that gives away no more: a buyer's (side 1) goes down, a seller's (-1) up."""
    return _on_tick(price, tick, up=side < 0)


def stop_on_tick(level: Decimal, side: int, tick: Decimal) -> Decimal:
    """A stop's level on the grid, nearer to the market: that of a long (side 1) goes up, that of a short (-1) down."""
    return _on_tick(level, tick, up=side > 0)


def _on_tick(price: Decimal, tick: Decimal, *, up: bool) -> Decimal:
    ticks = (price / tick).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    while up and ticks * tick < price:
        ticks += 1
    while not up and ticks * tick > price:
        ticks -= 1
    return ticks * tick
