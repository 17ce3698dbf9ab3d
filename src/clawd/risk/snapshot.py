"""What the gate is shown: the facts about one order at the moment of judging.

None means that a fact is not known. What the gate cannot do without must be known, and so must what a limit that is set
is held against; an entry is refused where it is not. What a fact says of positions and orders is so before the order
that is judged: it is never counted in them itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from clawd.core.account_events import TradingState
from clawd.core.instrument import Instrument


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """The whole account. Money in quote currency.

    Attributes:
        state: active, reducing or halted.
        loss: of the UTC day so far, realised and unrealised, not negative.
        reserved: the worst case still to come of all open positions and working orders.
        equity: cash and positions at their marks, so unrealised losses included.
        gross: notional of all agents' positions and working entries, none netted.
        net: signed notional of all positions and working entries.
    """

    state: TradingState
    loss: Decimal
    reserved: Decimal
    equity: Decimal | None = None
    gross: Decimal | None = None
    net: Decimal | None = None


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """The agent that asks. Money in quote currency.

    Attributes:
        id: whose order it may be.
        active: whether it has its slot.
        paused: whether a person lets it enter nothing.
        capital: what it was given.
        share: its part of the day's loss limit.
        loss: of the UTC day so far, realised and unrealised, not negative.
        reserved: the worst case still to come of its open positions and working orders.
        exposure: notional of its positions and working entries.
        orders: entries that it has sent within the window of the limits.
    """

    id: str
    active: bool
    paused: bool
    capital: Decimal
    share: Decimal
    loss: Decimal
    reserved: Decimal
    exposure: Decimal
    orders: int | None = None


@dataclass(frozen=True, slots=True)
class PositionFacts:
    """What the agent has in the instrument. Sizes in units of it.

    Attributes:
        size: held now, signed.
        average: its average entry price, quote currency; None while flat.
        opening: signed size of its working entries.
        closing: of its working orders, the size that closes the position without waiting for a level, not negative.
        exits: of its resting orders of the kind that is judged, stops or targets, the size that may fill beside the
            order: without those of its group and the one that it replaces; not negative.
        unknown_orders: its orders here whose outcome is not known.
        blocked: whether a person, or the execution, lets this agent enter nothing here.
    """

    size: Decimal
    average: Decimal | None
    opening: Decimal
    closing: Decimal
    exits: Decimal
    unknown_orders: int
    blocked: bool


@dataclass(frozen=True, slots=True)
class Cluster:
    """Instruments that move together; one that moves with no other is a cluster of its own.

    Attributes:
        name: of the cluster.
        gross: notional of the account's positions and working entries in it, none netted, quote currency.
    """

    name: str
    gross: Decimal


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """The instrument and its market. Prices in quote currency, sizes in units, times in UTC nanoseconds.

    Attributes:
        instrument: its steps and the venue's bounds of one order.
        price, price_time: the last, and when it was so.
        unattributed: signed size that the venue holds, that no agent has, and on which no person has decided yet.
        blocked: whether a person, or the execution, lets nobody enter here.
        bid, ask: the best prices, known together or not at all, with ``quote_time``, when they were so.
        bid_depth, ask_depth: visible size on the two sides, as far from the best prices as it is counted.
        day_volume: traded within a day.
        gross: notional of the account's positions and working entries here, none netted, quote currency.
        cluster: to which it belongs.
    """

    instrument: Instrument
    price: Decimal | None
    price_time: int | None
    unattributed: Decimal
    blocked: bool
    bid: Decimal | None = None
    ask: Decimal | None = None
    quote_time: int | None = None
    bid_depth: Decimal | None = None
    ask_depth: Decimal | None = None
    day_volume: Decimal | None = None
    gross: Decimal | None = None
    cluster: Cluster | None = None


@dataclass(frozen=True, slots=True)
class MarginFacts:
    """The margin account at a venue. Money in quote currency, rates as shares of the notional.

    Attributes:
        equity: at the venue, unrealised profit and loss included.
        free: what no position or working order holds as margin.
        gross: notional of the positions and working entries that it carries.
        initial, maintenance: what a position needs to be opened, and to be kept.
    """

    equity: Decimal
    free: Decimal
    gross: Decimal
    initial: Decimal
    maintenance: Decimal


@dataclass(frozen=True, slots=True)
class VenueFacts:
    """The venue that the order would go to.

    Attributes:
        name: of the venue.
        connected: whether the way to it is open.
        breaker_open: whether its circuit breaker has cut it off.
        clock_skew: nanoseconds by which its clock is ahead of ours; negative behind.
        gross: notional of the account's positions and working entries there, none netted, quote currency.
        orders: entries that were sent there within the window of the limits.
        margin: where it lends.
    """

    name: str
    connected: bool
    breaker_open: bool
    clock_skew: int | None = None
    gross: Decimal | None = None
    orders: int | None = None
    margin: MarginFacts | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The facts at the moment of judging.

    Attributes:
        now: UTC nanoseconds.
        account, agent, position, market, venue: as they are without the order.
        part: of what is free of the day's budget, the share that this order may use; the rest is for others asked for
            at the same moment.
    """

    now: int
    account: AccountFacts
    agent: AgentFacts
    position: PositionFacts
    market: MarketFacts
    venue: VenueFacts
    part: Decimal
