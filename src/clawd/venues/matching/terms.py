"""Whether an exchange takes an order: what it must say, and what it must be able to pay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind, OrderType, TimeInForce
from clawd.data.book_replay import ASK, BID
from clawd.venues.matching.account import Account
from clawd.venues.matching.market import Market
from clawd.venues.matching.rules import Code, FeeTier
from clawd.venues.matching.working import Working

_LARGEST = Decimal("1e18")  # beyond which a size or a price is a mistake, and arithmetic would not be exact
AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})
_PRICES = {  # which prices an order of a type has: a limit, a level
    OrderType.MARKET: (False, False),
    OrderType.LIMIT: (True, False),
    OrderType.STOP: (False, True),
    OrderType.STOP_LIMIT: (True, True),
}


def form(order: Order, instrument: Instrument, time: int) -> Code | None:
    """What is wrong with an order as it is written, at the time at which it arrived."""
    if order.type not in _PRICES:
        return Code.UNSUPPORTED
    limited, levelled = _PRICES[order.type]
    if (_limit(order) is not None) != limited or (_level(order) is not None) != levelled:
        return Code.INVALID
    at_once = order.time_in_force in AT_ONCE
    if levelled and at_once:
        return Code.UNSUPPORTED
    if order.post_only and (order.type is not OrderType.LIMIT or at_once):
        return Code.INVALID
    if (order.expires is not None) != (order.time_in_force is TimeInForce.GTD):
        return Code.INVALID
    if order.expires is not None and order.expires <= time:
        return Code.TIME
    if not order.size.is_finite() or order.size == 0 or abs(order.size) > _LARGEST:
        return Code.INVALID
    if order.size % instrument.lot != 0:
        return Code.LOT_SIZE
    for price in (order.limit, order.level):
        if price is not None:
            if not price.is_finite() or not 0 < price <= _LARGEST:
                return Code.INVALID
            if price % instrument.tick != 0:
                return Code.TICK_SIZE
    return None


def _limit(order: Order) -> Decimal | None:
    """The limit of an order; that of a take that rests as a limit order is its level."""
    take = order.type is OrderType.LIMIT and order.kind is OrderKind.TAKE
    return order.level if take and order.limit is None else order.limit


def _level(order: Order) -> Decimal | None:
    """The trigger of an order; the level of a take that rests as a limit order at it is no trigger."""
    return None if order.type is OrderType.LIMIT and order.level == _limit(order) else order.level


def working(order: Order, instrument: Instrument, time: int, priority: int, reduce_only: bool) -> Working:
    """An order in ticks and lots, not yet accepted."""
    return Working(
        id=order.id,
        number=None,
        symbol=order.symbol,
        side=BID if order.size > 0 else ASK,
        lots=int(abs(order.size) / instrument.lot),
        type=order.type,
        time_in_force=order.time_in_force,
        limit=None if (limit := _limit(order)) is None else int(limit / instrument.tick),
        level=None if (level := _level(order)) is None else int(level / instrument.tick),
        expires=order.expires,
        reduce_only=reduce_only,
        priority=priority,
        changed=time,
    )


def reducible(order: Working, account: Account) -> int:
    """The lots of an order that may trade: what is left, of a reduce-only order no more than the position."""
    if not order.reduce_only:
        return order.left
    held = account.positions.get(order.symbol, 0)
    return min(order.left, abs(held)) if held * order.sign < 0 else 0


def notional(market: Market, lots: int, price: int) -> Decimal:
    """Quote currency of some lots at a price in ticks."""
    return lots * market.instrument.lot * price * market.instrument.tick


def below_least(order: Working, market: Market) -> bool:
    """Whether an order is too small, at its own price or else at the middle of the book."""
    twice = 2 * (order.limit or order.level or 0) or market.doubled_price() or 0
    return not order.reduce_only and notional(market, order.lots, twice) < 2 * market.listing.least_notional


def unaffordable(
    order: Working, markets: Mapping[str, Market], account: Account, tier: FeeTier, without: Working | None
) -> Code | None:
    """Why the account cannot carry an order beside its other working ones; `without` is one that it replaces.

    On spot, working purchases reserve what they cost at their limit or level with the taker's fee, and working sales
    what they sell. On a perpetual, equity must carry the initial margin of the position that all working orders of the
    worse side would make, valued at the middle of the book, or at the order's own price where that is dearer. What only
    reduces needs nothing.
    """
    if order.reduce_only:
        return None
    market = markets[order.symbol]
    others = [each for each in market.working() if each is not without and not each.reduce_only]
    if market.listing.leverage is None:
        return _unpaid(order, market, others, account, tier)
    equity, margin = account.cash, Decimal(0)
    for symbol, each in markets.items():
        same = symbol == order.symbol
        orders = [*others, order] if same else [one for one in each.working() if not one.reduce_only]
        held = account.positions.get(symbol, 0)
        if not orders and not held:
            continue
        twice = each.doubled_price()
        if same and order.limit is not None:
            twice = max(twice or 0, 2 * order.limit) if order.side == BID else twice or 2 * order.limit
        if twice is None:
            twice = 2 * (order.level or 0)
        valued = each.doubled_price() or twice
        equity += notional(each, held, valued) / 2
        buys = sum(one.left for one in orders if one.side == BID)
        sells = sum(one.left for one in orders if one.side == ASK)
        worst = max(abs(held + buys), abs(held - sells))
        margin += notional(each, worst, twice) / 2 / (each.listing.leverage or Decimal(1))
    return Code.INSUFFICIENT_MARGIN if margin > equity else None


def _unpaid(order: Working, market: Market, others: Iterable[Working], account: Account, tier: FeeTier) -> Code | None:
    if order.side == ASK:
        selling = sum(each.left for each in others if each.side == ASK) + order.left
        return Code.INSUFFICIENT_BALANCE if selling > account.positions.get(order.symbol, 0) else None
    needed = cost(order, market) + sum((cost(each, market) for each in others if each.side == BID), Decimal(0))
    return Code.INSUFFICIENT_BALANCE if needed * (1 + max(tier.taker, tier.maker, Decimal(0))) > account.cash else None


def cost(order: Working, market: Market) -> Decimal:
    """Quote currency that the rest of a purchase costs: at its limit, its level, or what the visible depth asks."""
    price = order.limit or order.level
    if price is not None and not (order.limit is None and order.triggered):
        return notional(market, order.left, price)
    return sum((notional(market, lots, at) for at, lots in market.plan(order, order.left)), Decimal(0))
