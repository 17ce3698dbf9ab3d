"""What a venue says. Reports are neither commands nor facts of ours: they may be late, twice, out of order, or wrong.

Sizes are signed as in :class:`~clawd.core.orders.Order`. ``venue_time`` is the venue's clock and ``time`` ours, when
the report came, both UTC nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias


class VenueState(StrEnum):
    """The state of an order in the venue's words."""

    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    NOT_FOUND = "not_found"


class RequestKind(StrEnum):
    """What was asked of a venue."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    REPLACE = "replace"
    QUERY = "query"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class OrderReport:
    """The state of one order at the venue.

    Attributes:
        order: our id; None where the order is not ours.
        venue_order: the venue's id; None where it knows of none.
        size, filled: whole signed size, and how much of it has traded, signed alike.
        level, limit: its trigger and its limit price, where it has them.
        reduce_only: whether it can only make a position smaller.
        code: the venue's word for a rejection or a cancellation.
    """

    venue: str
    order: str | None
    venue_order: str | None
    symbol: str
    state: VenueState
    size: Decimal
    filled: Decimal
    venue_time: int
    time: int
    level: Decimal | None = None
    limit: Decimal | None = None
    reduce_only: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True)
class FillReport:
    """One trade of the account.

    Attributes:
        trade: the venue's id of it, by which a second report of the same trade is known.
        order, venue_order: as in :class:`OrderReport`.
        size: signed.
        price, fee: quote currency; a negative fee is a rebate.
        maker: whether it gave liquidity.
    """

    venue: str
    trade: str
    order: str | None
    venue_order: str | None
    symbol: str
    size: Decimal
    price: Decimal
    fee: Decimal
    maker: bool
    venue_time: int
    time: int


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """A request was not carried out, or nobody knows whether it was.

    Attributes:
        order: our id of the order it was about; None for a request about the account.
        request: what was asked.
        refused: True when the venue said no and nothing happened; False when the outcome is unknown: no answer, a
            connection lost, a server's error.
        code: the venue's or the network's word, such as ``429`` or ``TIMEOUT``.
        retry_at: UTC nanoseconds before which the venue wants to hear nothing, where it said so.
    """

    venue: str
    order: str | None
    request: RequestKind
    refused: bool
    code: str
    time: int
    retry_at: int | None = None


@dataclass(frozen=True, slots=True)
class AccountReport:
    """Everything that the venue knows of the account at one moment.

    Attributes:
        cash: quote currency.
        positions: signed net size by symbol; a symbol left out is flat.
        orders: those that work.
        fills: since the time that was asked for.
    """

    venue: str
    cash: Decimal
    positions: dict[str, Decimal]
    orders: tuple[OrderReport, ...]
    fills: tuple[FillReport, ...]
    venue_time: int
    time: int


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """The way to the venue opened or broke. What was under way when it broke may or may not have arrived."""

    venue: str
    connected: bool
    time: int


Report: TypeAlias = OrderReport | FillReport | RequestFailed | AccountReport | ConnectionReport


@dataclass(frozen=True, slots=True)
class Quote:
    """The best bid and ask of an instrument at a venue, with the sizes there. Market data, not about our account."""

    symbol: str
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal
    venue_time: int
    time: int

    @property
    def middle(self) -> Decimal:
        return (self.bid + self.ask) / 2


@dataclass(frozen=True, slots=True)
class TradePrint:
    """A trade of others at a venue. Market data, not about our account.

    Attributes:
        size: positive.
        buyer_took: whether the buyer came to a resting seller; False where the seller came.
    """

    symbol: str
    price: Decimal
    size: Decimal
    buyer_took: bool
    venue_time: int
    time: int
