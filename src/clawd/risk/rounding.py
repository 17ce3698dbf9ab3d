"""Onto the venue's grid, never towards more risk: smaller sizes, worse-for-nobody limits, nearer stops."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Context, Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext
from typing import Final

#: Sums and products are exact, and what is divided is rounded down, whatever the arithmetic of the caller's thread.
ARITHMETIC: Final = Context(
    prec=60, rounding=ROUND_FLOOR, Emin=-999_999, Emax=999_999, traps=[DivisionByZero, InvalidOperation, Overflow]
)


def whole_lots(size: Decimal, lot: Decimal) -> Decimal:
    """The largest size in whole lots that is no larger, on the same side; 0 below one lot."""
    with localcontext(ARITHMETIC):
        return size // lot * lot  # what is cut off lies away from zero


def limit_on_tick(price: Decimal, side: int, tick: Decimal) -> Decimal:
    """A positive limit price on the grid that gives away no more: a buyer's (side 1) goes down, a seller's (-1) up."""
    return _on_tick(price, tick, up=side < 0)


def stop_on_tick(level: Decimal, side: int, tick: Decimal) -> Decimal:
    """A stop's positive level on the grid, nearer to the market: a long's (side 1) goes up, a short's (-1) down."""
    return _on_tick(level, tick, up=side > 0)


def _on_tick(price: Decimal, tick: Decimal, *, up: bool) -> Decimal:
    with localcontext(ARITHMETIC):
        below = price // tick * tick
        return below + tick if up and below < price else below
