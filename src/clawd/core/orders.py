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


@dataclass(frozen=True, slots=True)
class Order:
    """An order of one agent.

    Attributes:
        id: ours, the same whenever the same decision is made again, so nothing can be sent twice.
        agent, symbol: whose and in what.
        kind: what it does.
        size: signed, in units of the instrument; positive buys.
        reason: why.
        level: trigger of a stop or take, quote currency; None for a market order.
        reference: the price it was decided at, quote currency.
    """

    id: str
    agent: str
    symbol: str
    kind: OrderKind
    size: Decimal
    reason: Reason
    level: Decimal | None = None
    reference: Decimal | None = None

    @property
    def reduces(self) -> bool:
        """Whether it can only make a position smaller."""
        return self.kind is not OrderKind.OPENING


def order_id(agent: str, symbol: str, time: int, kind: OrderKind) -> str:
    """The id of the order of a kind that an agent places in an instrument on the bar that opened at ``time``."""
    return f"{agent}.{symbol}.{time // 1_000_000_000}.{kind}"
