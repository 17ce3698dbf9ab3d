"""No trading blind: the price, the best bid and ask, and how far an entry's own prices lie from them."""

from __future__ import annotations

from decimal import Decimal

from clawd.core.orders import Order
from clawd.risk.limits import Limits
from clawd.risk.snapshot import MarketFacts
from clawd.risk.verdict import Code, Verdict, known, refusal


def price_fault(order: Order, market: MarketFacts, now: int, limits: Limits) -> Verdict | None:
    """Why the market's prices do not bear an entry, None where they do."""
    price = market.price
    if price is None or type(market.price_time) is not int or not known(price) or price <= 0:
        return refusal(Code.PRICE_MISSING)
    if stale := _stale(now - market.price_time, limits):
        return stale
    if market.bid is not None or market.ask is not None or market.quote_time is not None:
        if type(market.quote_time) is not int or not _quoted(market.bid, market.ask):
            return refusal(Code.PRICE_MISSING)
        if stale := _stale(now - market.quote_time, limits):
            return stale
    return _band_fault(order, price, market, limits)


def _stale(age: int, limits: Limits) -> Verdict | None:
    """A price from the future is as little to be believed as an old one."""
    if 0 <= age <= limits.longest_silence:
        return None
    return refusal(Code.PRICE_STALE, age_seconds=age // 10**9, longest_seconds=limits.longest_silence // 10**9)


def _quoted(bid: Decimal | None, ask: Decimal | None) -> bool:
    """Whether both sides are there and do not cross."""
    return bid is not None and ask is not None and known(bid) and known(ask) and 0 < bid <= ask


def _band_fault(order: Order, price: Decimal, market: MarketFacts, limits: Limits) -> Verdict | None:
    """Each price of the order, and the side of the book that it meets, lies within the band about the market's price.

    An order's own prices are held against the side that it meets as well, where that is known.
    """
    if order.reference is None or not known(order.reference):
        return refusal(Code.PRICE_MISSING, reference=Decimal("NaN"))
    met = market.ask if order.size > 0 else market.bid
    own = [("reference", order.reference), ("level", order.level), ("limit", order.limit)]
    compared = [("price", price, name, figure) for name, figure in [*own, ("met", met)] if figure is not None]
    if met is not None:
        compared += [("met", met, name, figure) for name, figure in own[1:] if figure is not None]
    for against, middle, name, figure in compared:
        if abs(figure - middle) > limits.price_band * middle:
            return refusal(Code.PRICE_BAND, **{against: middle, name: figure, "price_band": limits.price_band})
    return None


def entry_price(order: Order, market: MarketFacts) -> Decimal:
    """The highest price, slippage aside, at which an entry may trade, on either side: what it is taken to be worth.

    A short that sells higher than it must loses no more from there to its stop, but its fees are of more.
    """
    met = market.ask if order.size > 0 else market.bid
    prices = [price for price in (market.price, met, order.level, order.limit) if price is not None]
    return max(prices)
