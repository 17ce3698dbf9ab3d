"""Orders: commands to a venue."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from clawd.core.reason import Reason


class OrderKind(StrEnum):
    """What an order does at the venue.

    A closing or opening order is a market order for the next open; a stop and a take rest until they are touched.
    """

    CLOSING = "closing"
    OPENING = "opening"
    STOP = "stop"
    TAKE = "take"


class OrderType(StrEnum):
    """When an order may trade."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(StrEnum):
    """How long an order works: until cancelled, at once what can, at once all or nothing, until a time."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    GTD = "gtd"


@dataclass(frozen=True, slots=True)
class Order:
    """An order of one agent.

    Attributes:
        id: ours, the same whenever the same decision is made again, so nothing can be sent twice.
        agent, symbol: whose and in what.
        kind: what it is for. All but an opening order are reduce-only.
        size: signed, in units of the instrument; positive buys.
        reason: why.
        level: trigger of a stop, price of a take, quote currency; None for a market order.
        reference: the price it was decided at, quote currency.
        type: when it may trade.
        limit: the worst price of a limit or stop-limit order, quote currency.
        trail: distance at which a trailing stop follows the best price, quote currency.
        time_in_force: how long it works.
        expires: UTC nanoseconds at which a GTD order ends.
        post_only: it is refused rather than take liquidity.
        group: name of an OCO group: what one of its orders fills, the others lose.
        stop_distance: of an opening order, how far from its fill the stop will lie, quote currency.
    """

    id: str
    agent: str
    symbol: str
    kind: OrderKind
    size: Decimal
    reason: Reason
    level: Decimal | None = None
    reference: Decimal | None = None
    type: OrderType = OrderType.MARKET
    limit: Decimal | None = None
    trail: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expires: int | None = None
    post_only: bool = False
    group: str | None = None
    stop_distance: Decimal | None = None

    @property
    def reduces(self) -> bool:
        """Whether it can only make a position smaller."""
        return self.kind is not OrderKind.OPENING


def order_id(agent: str, symbol: str, time: int, kind: OrderKind) -> str:
    """The id of the order of a kind that an agent places in an instrument on the bar that opened at ``time``."""
    return f"{agent}.{symbol}.{time // 1_000_000_000}.{kind}"
