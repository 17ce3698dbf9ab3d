"""What has happened: the entries of the journal. Facts in the past tense, immutable; every figure is a fold of them."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from clawd.core.account_events import ACCOUNT_EVENTS
from clawd.core.event import Event, ReasonWord
from clawd.core.orders import Order, OrderKind, OrderType, TimeInForce


class RunStarted(Event):
    """A run began: everything that its results depend on.

    ``limits`` are those of the gate that may be left out, and ``clusters`` names that of each instrument where one of
    the limits is on them.
    """

    run: str
    code: str
    market: str
    symbols: list[str]
    ticks: list[Decimal]
    lots: list[Decimal]
    bar: int
    first: int
    last: int
    capital: Decimal
    day_loss_limit: Decimal
    leverage: Decimal
    slots: int
    fee: Decimal
    slippage: Decimal
    max_drawdown: Decimal
    search_share: float
    finalists: list[dict[str, Any]]
    price_band: Decimal = Decimal("0.2")
    limits: dict[str, Decimal] = Field(default_factory=dict)
    clusters: dict[str, str] = Field(default_factory=dict)


class KnowledgeNoted(Event):
    """What had been shown to who chose the finalists when the run began: the open of the last bar; None for nothing."""

    until: int | None


class AgentHired(Event):
    """A finalist took a free slot; its evidence counts from the next bar, or from a later one that is given.

    Its hypothesis is k of the home's registry. With it come the promotions that there were before it, which set the
    level, and the evidence that it has earned before as an e-process in JSON, None where it has none.
    """

    agent: str
    strategy: str
    content_hash: str
    rank: int
    capital: Decimal
    hypothesis: int
    level: float
    promotions_before: int = 0
    counts_from: int = 0
    evidence: dict[str, Any] | None = None


class AgentFired(Event):
    """An agent lost its slot, for its drawdown or for the evidence that it loses; it is closed at the next open.

    The wealth is that of the bet against it; version 0.1 did not have it.
    """

    agent: str
    why: str
    drawdown: Decimal
    limit: Decimal
    wealth: float | None = None


class HypothesisProven(Event):
    """The evidence for an agent's hypothesis reached its level: proven, and waiting for a person."""

    agent: str
    hypothesis: int
    wealth: float
    level: float


class AgentReleased(Event):
    """A fired agent is flat, and what is left of its capital is free again."""

    agent: str
    capital: Decimal


class BarClosed(Event):
    """A bar closed: open, high, low, close and volume (None where unknown) of each instrument that has it.

    With it come the average true ranges at the close, by instrument and window, that levels of positions hang by.
    """

    time: int
    bars: dict[str, tuple[float, float, float, float, float | None]]
    ranges: dict[str, dict[int, float]] = Field(default_factory=dict)


class FundingPaid(Event):
    """A position paid funding, or received it where the amount is negative."""

    agent: str
    symbol: str
    rate: float
    amount: Decimal


class Wish(BaseModel):
    """What an agent wants of one instrument after a closed bar; fields as in `engine.position.POSITION`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    exposure: float | None
    shut: int
    closing: float = 0.0
    closing_reason: int = 0
    opening: float = 0.0
    opening_reason: int = 0
    reference: float = 0.0
    distances: list[float] = []

    @model_validator(mode="before")
    @classmethod
    def _as_version_0_1_wrote_it(cls, value: Any) -> Any:
        """Version 0.1 knew three distances, by name."""
        if isinstance(value, dict) and "stop_distance" in value:
            value = dict(value)
            stop, trail, take = (value.pop(f"{name}_distance", 0.0) for name in ("stop", "trail", "take"))
            value["distances"] = [stop, trail, 0.0, 0.0, take, 0.0, 0.0, 0.0]
        return value


class IntentsProposed(Event):
    """What an agent now wants, for the instruments where that changed."""

    agent: str
    wishes: list[Wish]


class VerdictGiven(Event):
    """The gate's answer to one order: allowed, shrunk or refused, with the reason and the numbers."""

    order: str
    agent: str
    symbol: str
    order_kind: OrderKind
    outcome: str
    code: str
    asked: Decimal
    allowed: Decimal
    numbers: dict[str, str]


class HeldUntil(StrEnum):
    """What an order waits for that is not sent yet.

    People's approvals; the market at its level; or that no exit of its position works at a venue that does not know
    reduce-only, where both could fill.
    """

    APPROVED = "approved"
    TOUCHED = "touched"
    ALONE = "alone"


class _OrderTold(Event):
    """Everything that an order is."""

    order: str
    agent: str
    symbol: str
    order_kind: OrderKind
    size: Decimal
    reason: ReasonWord
    level: Decimal | None = None
    reference: Decimal | None = None
    order_type: OrderType | None = None
    limit: Decimal | None = None
    trail: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    expires: int | None = None
    post_only: bool = False
    group: str | None = None
    stop_distance: Decimal | None = None

    def to_order(self) -> Order:
        return Order(
            id=self.order,
            agent=self.agent,
            symbol=self.symbol,
            kind=self.order_kind,
            size=self.size,
            reason=self.reason,
            level=self.level,
            reference=self.reference,
            type=self.order_type or _TYPE_BEFORE_IT_WAS_SAID.get(self.order_kind, OrderType.MARKET),
            limit=self.limit,
            trail=self.trail,
            time_in_force=self.time_in_force,
            expires=self.expires,
            post_only=self.post_only,
            group=self.group,
            stop_distance=self.stop_distance,
        )


class OrderSubmitted(_OrderTold):
    """An approved order goes to the venue: written before it is sent. It may take another's place there."""

    replaces: str | None = None

    @classmethod
    def of(cls, order: Order, replaces: str | None = None) -> OrderSubmitted:
        return cls(**_told(order), replaces=replaces)


class OrderHeld(_OrderTold):
    """The gate let an order through, and it is not sent yet: it is held here until something has happened.

    It is judged again before it is sent.
    """

    until: HeldUntil

    @classmethod
    def of(cls, order: Order, until: HeldUntil) -> OrderHeld:
        return cls(**_told(order), until=until)


def _told(order: Order) -> dict[str, Any]:
    names = {"id": "order", "kind": "order_kind", "type": "order_type"}
    return {names.get(field.name, field.name): getattr(order, field.name) for field in dataclasses.fields(order)}


#: Version 0.1 did not say the type of an order.
_TYPE_BEFORE_IT_WAS_SAID: Final = {OrderKind.STOP: OrderType.STOP, OrderKind.TAKE: OrderType.LIMIT}


class OrderMoved(Event):
    """A resting exit, or an order that is held here, was moved to another level or size."""

    order: str
    level: Decimal
    size: Decimal


class OrderCancelled(Event):
    """An order left the venue, what was left of it unfilled."""

    order: str
    agent: str
    symbol: str
    order_kind: OrderKind
    why: str
    venue_time: int | None = None


class OrderFilled(Event):
    """An order filled, whole or in part.

    In a replay of bars an order fills whole, and ``time`` is the open of the bar. At a venue that names its trades
    ``time`` is when the venue says it happened.
    """

    order: str
    agent: str
    symbol: str
    order_kind: OrderKind
    time: int
    size: Decimal
    price: Decimal
    fee: Decimal
    slippage: Decimal
    reason: ReasonWord
    trade: str | None = None
    maker: bool = False


class DayOpened(Event):
    """A UTC day began (days since 1970); its loss is counted from this equity."""

    day: int
    equity: Decimal


class HaltBegan(Event):
    """The day's loss reached its limit: nothing is entered until the day given, all is closed."""

    day: int
    until_day: int
    loss: Decimal
    limit: Decimal
    beyond: Decimal


class HaltEnded(Event):
    """A new UTC day: entries are allowed again."""

    day: int


class BooksMarked(Event):
    """The end of a bar: what the books said. `clawd journal verify` computes all of it again."""

    time: int
    cash: Decimal
    equity: Decimal
    day_loss: Decimal
    reserved: Decimal
    agents: dict[str, tuple[Decimal, float]]


class RunFinished(Event):
    """The bars came to their end."""

    bars: int
    equity: Decimal


_FLEET_EVENTS: Final[tuple[type[Event], ...]] = (
    RunStarted,
    KnowledgeNoted,
    AgentHired,
    AgentFired,
    AgentReleased,
    HypothesisProven,
    BarClosed,
    FundingPaid,
    IntentsProposed,
    VerdictGiven,
    OrderSubmitted,
    OrderHeld,
    OrderMoved,
    OrderCancelled,
    OrderFilled,
    DayOpened,
    HaltBegan,
    HaltEnded,
    BooksMarked,
    RunFinished,
)

EVENTS: Final[dict[str, type[Event]]] = {kind.__name__: kind for kind in _FLEET_EVENTS + ACCOUNT_EVENTS}


def read_event(kind: str, body: object) -> Event:
    """The event that a journal entry holds.

    Raises:
        KeyError: for a kind that this version does not know.
        pydantic.ValidationError: for a body that does not fit its kind.
    """
    return EVENTS[kind].model_validate(body)
