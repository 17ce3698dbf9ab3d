"""The one crossing between study (float64) and books (Decimal). Each way has a name."""

from __future__ import annotations

import decimal
from decimal import Decimal

#: The smallest amount of money that is booked, in quote currency.
CENT_OF_BOOKS = Decimal("1e-10")

# Sums and products of booked figures are exact at this precision, in every thread of the process; Python's default of
# 28 digits would round the product of a long size and a long price.
decimal.DefaultContext.prec = 60
decimal.getcontext().prec = 60


def booked_price(price: float, tick: Decimal) -> Decimal:
    """A simulated price, which lies on the grid of ticks, as a Decimal."""
    return Decimal(round(price / float(tick))) * tick


def booked_size(lots: float, lot: Decimal) -> Decimal:
    """A size in whole lots as a Decimal, signed."""
    return Decimal(round(lots)) * lot


def booked_amount(amount: Decimal) -> Decimal:
    """An amount rounded, half to even, to what is booked."""
    return amount.quantize(CENT_OF_BOOKS)


def booked_float(amount: float) -> Decimal:
    """A float, such as a mark from a market's data, as the shortest Decimal that reads back to it."""
    return Decimal(repr(float(amount)))


def cash_of_fill(size: Decimal, price: Decimal) -> Decimal:
    """What a fill pays (negative) or receives before its fee."""
    return booked_amount(-size * price)


def fee_of_fill(size: Decimal, price: Decimal, rate: Decimal) -> Decimal:
    """The fee of a fill, not negative."""
    return booked_amount(abs(size) * price * rate)


def studied(amount: Decimal) -> float:
    """A booked amount as a float, for study and display only."""
    return float(amount)
