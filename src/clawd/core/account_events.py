"""What has happened to an account at a venue: facts that a bar replay does not have.

They stand beside the submissions, fills, cancellations and verdicts of :mod:`clawd.core.events`. Figures that depend on
the market of a moment (an equity, a day's loss, the levels of exits) are in the fact itself, never computed again.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from clawd.core.event import Event

#: The book of what no agent has done: trades by hand, transfers, what a venue cannot explain.
UNATTRIBUTED = "unattributed"

#: Why the entries of an agent that a person has paused are taken off.
PAUSED = "PAUSED"


class TradingState(StrEnum):
    """What an account may do: anything that the gate allows; only make positions smaller; likewise, and be closed."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


class AccountOpened(Event):
    """An account began to be kept: where, with what, in which steps, and under which limits and costs.

    ``bar`` is the duration of the bars that its agents decide on, nanoseconds, 0 where none do; ``spot`` names what is
    paid for whole and never sold short.
    """

    account: str
    venue: str
    code: str
    cash: Decimal
    symbols: list[str]
    ticks: list[Decimal]
    lots: list[Decimal]
    fee: Decimal
    slippage: Decimal
    day_loss_limit: Decimal
    leverage: Decimal
    bar: int = 0
    spot: list[str] = Field(default_factory=list)


class AgentFunded(Event):
    """An agent was given a sub-account: a part of the cash that no agent had."""

    agent: str
    capital: Decimal
    about: dict[str, Any] = Field(default_factory=dict)


class AgentStopped(Event):
    """An agent may enter nothing any more. Its exits live on."""

    agent: str
    why: str


class AgentPaused(Event):
    """A person paused an agent: it enters nothing until it is unpaused. Its positions and their exits live on.

    ``pause`` is its number on the switchboard. A fleet of bars has it as well as an account at a venue.
    """

    agent: str
    by: str
    why: str
    pause: int


class AgentUnpaused(Event):
    """A person let a paused agent enter again; fields as of :class:`AgentPaused`."""

    agent: str
    by: str
    why: str
    pause: int


class OrderAccepted(Event):
    """The venue has the order."""

    order: str
    venue_order: str | None
    venue_time: int


class OrderRejected(Event):
    """The venue refused the order, or what was left of it."""

    order: str
    code: str
    venue_time: int | None


class OrderExpired(Event):
    """The order's time was over, or nothing more of it could trade at once."""

    order: str
    venue_time: int | None


class OrderDropped(Event):
    """An order that was held here is never sent."""

    order: str
    why: str


class CancelRequested(Event):
    """The venue is asked to take an order off: written before it is asked."""

    order: str
    why: str


class CancelRefused(Event):
    """The venue did not take the order off; it works on."""

    order: str
    code: str


class OutcomeLost(Event):
    """Nobody knows what became of the order: no answer came, or none that can be trusted."""

    order: str
    why: str


class OrderMissing(Event):
    """The venue answered that it has no such order, long enough after it was sent."""

    order: str


class AnomalyFound(Event):
    """The venue said what cannot or should not be: an overfill, a fill of a rejected order, an order unknown to us."""

    what: str
    order: str | None
    symbol: str | None
    detail: str


class TradeAdopted(Event):
    """A trade of the account that is no order's of ours: it goes to the book of the unattributed."""

    trade: str
    symbol: str
    size: Decimal
    price: Decimal
    fee: Decimal
    venue_time: int


class OrderAdopted(Event):
    """An order at the venue that is none of ours; it is left alone."""

    venue_order: str
    symbol: str
    size: Decimal
    venue_time: int


class DifferenceBooked(Event):
    """What the venue has more (or less) than the books and no trade explains, put into the unattributed book.

    The value is that of the size at the mark of the moment, quote currency.
    """

    symbol: str | None
    size: Decimal
    cash: Decimal
    why: str
    value: Decimal = Decimal(0)


class AdoptionDecided(Event):
    """A person decided: the unattributed position of an instrument is theirs, and entries are allowed beside it.

    ``decision`` is its number on the switchboard.
    """

    symbol: str
    by: str
    decision: int | None = None


class EntriesBlocked(Event):
    """No entries in an instrument, for one agent or for all."""

    symbol: str
    agent: str | None
    why: str


class EntriesUnblocked(Event):
    """The block for that reason is over."""

    symbol: str
    agent: str | None
    why: str


class ExitTarget(BaseModel):
    """A level at which a part of a position is closed, and how much of it, signed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Decimal
    size: Decimal


class ExitsPlanned(Event):
    """How the position that an entry opens will be left: written before the entry is sent, so no fill comes without it.

    ``exits`` are those of the strategy as JSON. ``distances`` are the ones of the decision, by place in
    `engine.plan.PLAN`: quote currency, or minus a share of the entry price, or 0 for none. ``bar`` is the duration of
    the bars that move them, nanoseconds, and ``time`` when it was decided, UTC nanoseconds, 0 for when it was
    written down.
    """

    order: str
    agent: str
    symbol: str
    exits: dict[str, Any]
    distances: list[float]
    bar: int
    time: int = 0


class ProtectionChanged(Event):
    """The exits of an agent's position are now these: one stop for the whole of it, its targets, and their memory.

    The memory is what moves them: the fields of `engine.position.POSITION` and the exits of the strategy as JSON.
    """

    agent: str
    symbol: str
    stop: Decimal
    targets: list[ExitTarget]
    memory: dict[str, Any]


class ProtectionEnded(Event):
    """The position is closed, and its exits with it.

    Where one of them closed it, ``shut`` is the side that may not be entered again before the signal has been renewed,
    1 or -1, and ``acted_on`` whether what the agent had acted on still stands, as it does when only time was over.
    """

    agent: str
    symbol: str
    shut: int = 0
    acted_on: bool = True


class ProtectionLapsed(Event):
    """Neither the venue nor a watch here protects the position any more: the time that it may be naked runs."""

    agent: str
    symbol: str
    why: str


class ProtectionRestored(Event):
    """The position is protected again."""

    agent: str
    symbol: str


class ProtectionOverdue(Event):
    """A position had no stop at the venue, nor one watched here, for longer than it may: it is closed."""

    agent: str
    symbol: str
    seconds: float


class TradingStateChanged(Event):
    """A person, or the day's limit, changed what the account may do.

    ``until_day`` is a UTC day, None for no end; ``command`` the number of a person's order on the switchboard.
    """

    state: TradingState
    by: str
    why: str
    until_day: int | None = None
    command: int | None = None


class FlattenBegan(Event):
    """Everything is being cancelled and closed, and goes on until the venue says that it is."""

    by: str
    why: str


class FlatVerified(Event):
    """The venue said that there are no orders and no positions of ours."""

    venue_time: int


class DayBegan(Event):
    """A UTC day began: the losses of the account and of its agents are counted from these values."""

    day: int
    equity: Decimal
    agents: dict[str, Decimal]
    marks: dict[str, Decimal]


class AccountMarked(Event):
    """What the account was worth at some marks, now and then, for study and for a fold to be compared with."""

    time: int
    cash: Decimal
    equity: Decimal
    day_loss: Decimal
    reserved: Decimal
    marks: dict[str, Decimal]


class AccountReconciled(Event):
    """Our orders, fills and positions agree with what the venue said."""

    venue_time: int
    orders: int
    positions: int


ACCOUNT_EVENTS: tuple[type[Event], ...] = (
    AccountOpened,
    AgentFunded,
    AgentStopped,
    AgentPaused,
    AgentUnpaused,
    OrderAccepted,
    OrderRejected,
    OrderExpired,
    OrderDropped,
    CancelRequested,
    CancelRefused,
    OutcomeLost,
    OrderMissing,
    AnomalyFound,
    TradeAdopted,
    OrderAdopted,
    DifferenceBooked,
    AdoptionDecided,
    EntriesBlocked,
    EntriesUnblocked,
    ExitsPlanned,
    ProtectionChanged,
    ProtectionEnded,
    ProtectionLapsed,
    ProtectionRestored,
    ProtectionOverdue,
    TradingStateChanged,
    FlattenBegan,
    FlatVerified,
    DayBegan,
    AccountMarked,
    AccountReconciled,
)
