"""The port to a venue: requests go in, reports come out, and neither waits for the other.

``send`` hands a request over and returns; what became of it arrives later as reports, or never. So a venue that lies,
repeats itself or falls silent is a matter of which reports come, and the same code stands before a simulated and a
real one. Nothing that opens a position can be asked for without the gate: the only request that carries an order
carries an :class:`~clawd.risk.gate.ApprovedOrder`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from clawd.core.orders import OrderType, TimeInForce
from clawd.core.reports import Report
from clawd.risk.gate import ApprovedOrder


@dataclass(frozen=True, slots=True)
class Submit:
    """Send an order.

    Attributes:
        approved: what the gate let through.
        replaces: our id of a working order that it takes the place of; only for a venue that can replace.
        reduce_only: whether the venue must see to it that the order makes the account's net position smaller; None for
            what the order says of itself. That speaks of the agent's own position: where two agents hold against one
            another, closing one of the positions makes the net position larger.
    """

    approved: ApprovedOrder
    replaces: str | None = None
    reduce_only: bool | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take an order off."""

    order: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Query:
    """Say what became of an order, by our id."""

    order: str
    symbol: str


@dataclass(frozen=True, slots=True)
class ReportAccount:
    """Say everything about the account, with the fills since a time of the venue's clock, UTC nanoseconds."""

    since: int


Request: TypeAlias = Submit | Cancel | Query | ReportAccount


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a venue can hold by itself; the rest is watched here.

    Attributes:
        order_types: that can rest there.
        times_in_force: that it knows.
        reduce_only, post_only: whether it knows these.
        replace: whether an order can take another's place with no moment between them.
        exits: how many reduce-only exits may rest beside one position; None for any number.
    """

    order_types: frozenset[OrderType]
    times_in_force: frozenset[TimeInForce]
    reduce_only: bool
    post_only: bool
    replace: bool
    exits: int | None = None


class Venue(Protocol):
    """A venue's account.

    Attributes:
        name: unique within a home, such as ``paper`` or ``kraken``.
        capabilities: what it can hold.
    """

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def send(self, request: Request) -> None:
        """Hand a request over. Never waits, and never fails for what the network does."""
        ...

    def receive(self) -> Sequence[Report]:
        """The reports that have come since the last call, in the order in which they came."""
        ...
