"""The one crossing between study (float64) and books (Decimal). Each way has a name."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

#: The smallest amount of money that is booked, in quote currency.
CENT_OF_BOOKS = Decimal("1e-10")

_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


def booked_price(price: float, tick: Decimal) -> Decimal:
    """A simulated price, which lies on the grid of ticks, as a Decimal."""
    return _EXACT.multiply(Decimal(round(price / float(tick))), tick)


def booked_size(lots: float, lot: Decimal) -> Decimal:
    """A size in whole lots as a Decimal, signed."""
    return _EXACT.multiply(Decimal(round(lots)), lot)


def booked_amount(amount: Decimal) -> Decimal:
    """An amount rounded, half to even, to what is booked."""
    return amount.quantize(CENT_OF_BOOKS, context=_EXACT)


def booked_float(amount: float) -> Decimal:
    """A float, such as a mark from a market's data, as the shortest Decimal that reads back to it."""
    return Decimal(repr(float(amount)))


def cash_of_fill(size: Decimal, price: Decimal) -> Decimal:
    """What a fill pays (negative) or receives before its fee."""
    with localcontext(_EXACT):
        return booked_amount(-size * price)


def fee_of_fill(size: Decimal, price: Decimal, rate: Decimal) -> Decimal:
    """The fee of a fill, not negative."""
    with localcontext(_EXACT):
        return booked_amount(abs(size) * price * rate)


def studied(amount: Decimal) -> float:
    """A booked amount as a float, for study and display only."""
    return float(amount)
