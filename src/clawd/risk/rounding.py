"""Onto the venue's grid, never towards more risk."""

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
