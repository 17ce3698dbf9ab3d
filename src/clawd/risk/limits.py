"""The limits in force. One that is set refuses an entry where the figure that it is held against is missing."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final

from clawd.core.costs import Costs


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in force. Amounts of money are in quote currency; shares and multiples are of 1.

    Those without a default are always in force. Of the others None means that there is no such limit.

    Attributes:
        day_loss: the account may not lose more in a UTC day.
        leverage: the notional of an agent's book may not pass this multiple of its capital.
        costs: what leaving a position costs.
        longest_silence: nanoseconds after which a price or a quote is stale.
        price_band: an order's prices, and the best bid or ask that it meets, lie no further than this share from the
            market's price.
        order_window: nanoseconds in which orders are counted.
        order_notional: the notional of one order.
        instrument_gross, venue_gross, account_gross: gross notional in one instrument, at one venue, of the account.
        account_net: the account's net notional, on either side.
        equity_leverage: the account's gross notional, as a multiple of its equity.
        concentration: gross notional in one instrument, as a multiple of the account's equity.
        cluster_share: gross notional in a cluster of correlated instruments, as a multiple of the account's equity.
        agent_orders, venue_orders: entries of one agent, and of the account at one venue, within the window.
        depth_share: of the size that is visible on the side that an order would take.
        volume_share: of the volume of a day.
        margin_left: of the equity at a venue, the share that stays free after an order.
        liquidation_distance: share of the price that the market may go against all positions before they are
            liquidated.
        longest_skew: nanoseconds by which the venue's clock may differ from ours.
    """

    day_loss: Decimal
    leverage: Decimal
    costs: Costs
    longest_silence: int
    price_band: Decimal
    order_window: int = 60 * 10**9
    order_notional: Decimal | None = None
    instrument_gross: Decimal | None = None
    venue_gross: Decimal | None = None
    account_gross: Decimal | None = None
    account_net: Decimal | None = None
    equity_leverage: Decimal | None = None
    concentration: Decimal | None = None
    cluster_share: Decimal | None = None
    agent_orders: int | None = None
    venue_orders: int | None = None
    depth_share: Decimal | None = None
    volume_share: Decimal | None = None
    margin_left: Decimal | None = None
    liquidation_distance: Decimal | None = None
    longest_skew: int | None = None


#: The limits that are counts of something; the others are Decimals.
COUNTED: Final = frozenset({"longest_silence", "order_window", "agent_orders", "venue_orders", "longest_skew"})

#: The limits that may be left out.
OPTIONAL: Final = tuple(field.name for field in fields(Limits) if field.default is None)
