"""How much: each limit on the size of an entry, as the largest size that it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from clawd.core.costs import Costs
from clawd.core.orders import Order
from clawd.risk.limits import Limits
from clawd.risk.reserve import entry_reserve_per_unit, leaving_rate
from clawd.risk.snapshot import MarginFacts, Snapshot
from clawd.risk.verdict import Code


class Cap(NamedTuple):
    """The largest size that a limit leaves, in units, not negative, and what it is a limit on."""

    code: Code
    size: Decimal


def day_budget(per_unit: Decimal, snapshot: Snapshot, limits: Limits) -> Cap:
    """What fits the day's loss limit: loss so far, realised and unrealised, and every worst case still to come.

    Args:
        per_unit: what one unit of the entry can lose, fees and slippage of both ways included.
        snapshot, limits: as they are.
    """
    room = budget_room(snapshot, limits)
    return Cap(Code.DAY_BUDGET, max(room, Decimal(0)) * snapshot.part / per_unit)


def budget_room(snapshot: Snapshot, limits: Limits) -> Decimal:
    """What may still be put at risk today, of the agent's share and of the account's limit; negative if overdrawn."""
    agent, account = snapshot.agent, snapshot.account
    return min(agent.share - agent.loss - agent.reserved, limits.day_loss - account.loss - account.reserved)


def risk_per_unit(order: Order, price: Decimal, stop_distance: Decimal, costs: Costs) -> Decimal:
    """What one unit of an entry can lose from its entry to its stop."""
    return entry_reserve_per_unit(price, stop_distance, 1 if order.size > 0 else -1, costs)


def exposure_caps(order: Order, price: Decimal, snapshot: Snapshot, limits: Limits) -> Iterator[Cap]:
    """What each limit on exposure leaves, of those that are set. All figures that they need are known.

    Args:
        order: the entry.
        price: what a unit of it is taken to be worth, quote currency.
        snapshot, limits: as they are.
    """
    account, agent, market, venue = snapshot.account, snapshot.agent, snapshot.market, snapshot.venue
    side = 1 if order.size > 0 else -1
    notionals: list[tuple[Code, Decimal | None, Decimal | None]] = [
        (Code.LEVERAGE, limits.leverage * agent.capital, agent.exposure),
        (Code.ORDER_NOTIONAL, limits.order_notional, Decimal(0)),
        (Code.INSTRUMENT_GROSS, limits.instrument_gross, market.gross),
        (Code.VENUE_GROSS, limits.venue_gross, venue.gross),
        (Code.ACCOUNT_GROSS, limits.account_gross, account.gross),
        (Code.ACCOUNT_NET, limits.account_net, None if account.net is None else side * account.net),
        (Code.EQUITY_LEVERAGE, _of(limits.equity_leverage, account.equity), account.gross),
        (Code.CONCENTRATION, _of(limits.concentration, account.equity), market.gross),
        (
            Code.CLUSTER_SHARE,
            _of(limits.cluster_share, account.equity),
            None if market.cluster is None else market.cluster.gross,
        ),
    ]
    for code, limit, used in notionals:
        if limit is not None and used is not None:
            yield Cap(code, max(limit - used, Decimal(0)) / price)
    if market.instrument.max_size is not None:
        yield Cap(Code.LARGEST_SIZE, market.instrument.max_size)
    depth = market.ask_depth if side > 0 else market.bid_depth
    if limits.depth_share is not None and depth is not None:
        yield Cap(Code.DEPTH_SHARE, limits.depth_share * depth)
    if limits.volume_share is not None and market.day_volume is not None:
        yield Cap(Code.VOLUME_SHARE, limits.volume_share * market.day_volume)
    if venue.margin is not None:
        yield from _margin_caps(price, venue.margin, limits)


def _margin_caps(price: Decimal, margin: MarginFacts, limits: Limits) -> Iterator[Cap]:
    """What the margin leaves. It may never be overdrawn; how much of it stays free is a limit.

    A market that goes against every position at once by a share x of its price liquidates an account of equity E with a
    gross notional N where E - x N is what keeping the positions needs, m N (1 + x) at the most. So x is at least the
    distance d as long as N is at most E / (m + d (1 + m)), the costs of the entry taken off E first.
    """
    costs = leaving_rate(limits.costs)
    left = max((limits.margin_left or Decimal(0)) * margin.equity, Decimal(0))
    yield Cap(Code.FREE_MARGIN, max(margin.free - left, Decimal(0)) / (price * (margin.initial + costs)))
    distance = limits.liquidation_distance
    if distance is not None:
        needed = margin.maintenance + distance * (1 + margin.maintenance)
        room = margin.equity - needed * margin.gross
        yield Cap(Code.LIQUIDATION_DISTANCE, max(room, Decimal(0)) / (price * (needed + costs)))


def _of(multiple: Decimal | None, equity: Decimal | None) -> Decimal | None:
    return None if multiple is None or equity is None else multiple * equity
