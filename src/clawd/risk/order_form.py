"""Whether an order is one that a venue could carry out: its size, its type, its prices, how long it works."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind, OrderType, TimeInForce
from clawd.core.reason import Reason
from clawd.risk.verdict import Code, Verdict, known, refusal

#: The prices that an order of a type has; it may have no others. A target rests at its ``level``.
PRICES: Final[dict[OrderType, frozenset[str]]] = {
    OrderType.MARKET: frozenset(),
    OrderType.LIMIT: frozenset({"limit"}),
    OrderType.STOP: frozenset({"level"}),
    OrderType.STOP_LIMIT: frozenset({"level", "limit"}),
    OrderType.TRAILING_STOP: frozenset({"trail"}),
}
#: What a trailing stop may have beside: where its level lies now.
_MAY_HAVE: Final = {OrderType.TRAILING_STOP: frozenset({"level"})}


def form_fault(order: Order, instrument: Instrument) -> Verdict | None:
    """What is wrong with an order by itself, None where nothing is; of entries and of exits alike.

    Its kind says what it is for and its type when it may trade: an exit that is watched here goes out as a market order
    once it is touched.
    """
    if type(order) is not Order or type(order.kind) is not OrderKind or type(order.type) is not OrderType:
        return refusal(Code.ORDER_INVALID)
    if type(order.time_in_force) is not TimeInForce or type(order.reason) is not Reason:
        return refusal(Code.ORDER_INVALID)
    size, lot, tick = order.size, instrument.lot, instrument.tick
    if not known(size) or not known(lot) or lot <= 0 or size == 0 or size % lot != 0:
        return refusal(Code.SIZE_INVALID, size=size, lot=lot)
    prices = {
        name: price
        for name, price in (("level", order.level), ("limit", order.limit), ("trail", order.trail))
        if price is not None
    }
    needed = PRICES[order.type]
    if order.kind is OrderKind.TAKE and order.type is OrderType.LIMIT and order.limit is None:
        needed = frozenset({"level"})
    if not needed <= prices.keys() <= needed | _MAY_HAVE.get(order.type, frozenset()):
        return refusal(Code.ORDER_INVALID, **prices)
    if prices and (not known(tick) or tick <= 0):
        return refusal(Code.PRICE_INVALID, tick=tick)
    for name, price in prices.items():
        if not known(price) or price <= 0 or price % tick != 0:
            return refusal(Code.PRICE_INVALID, **{name: price}, tick=tick)
    return _duration_fault(order)


def _duration_fault(order: Order) -> Verdict | None:
    good_till = order.time_in_force is TimeInForce.GTD
    if good_till != (order.expires is not None) or (good_till and type(order.expires) is not int):
        return refusal(Code.ORDER_INVALID)
    if type(order.post_only) is not bool:
        return refusal(Code.ORDER_INVALID)
    at_once = order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
    if order.post_only and (order.type is not OrderType.LIMIT or at_once):
        return refusal(Code.ORDER_INVALID)
    return None


def entry_fault(order: Order, now: int) -> Verdict | None:
    """What is wrong with an entry by itself, beyond what is wrong with any order."""
    if order.type is OrderType.TRAILING_STOP:  # its price is not known before it trades, so nothing can be reserved
        return refusal(Code.ORDER_INVALID)
    if order.expires is not None and order.expires <= now:
        return refusal(Code.EXPIRED, expires=order.expires, now=now)
    return None


def below_minimum(size: Decimal, price: Decimal, instrument: Instrument) -> Verdict | None:
    """Whether the venue takes no order that small.

    Args:
        size: not negative, in units.
        price: at which the venue counts what the order is worth: its limit, or the market's.
        instrument: with its minimums, already known to be numbers.
    """
    if instrument.min_size is not None and size < instrument.min_size:
        return refusal(Code.BELOW_MINIMUM, size=size, min_size=instrument.min_size)
    if instrument.min_notional is not None and size * price < instrument.min_notional:
        return refusal(Code.BELOW_MINIMUM, notional=size * price, min_notional=instrument.min_notional)
    return None
