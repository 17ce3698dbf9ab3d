"""What the gate is shown: the facts about one order, and the limits in force."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from clawd.core.costs import Costs


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in force.

    Attributes:
        day_loss: the account may not lose more in a UTC day, quote currency.
        leverage: the notional of an agent's book may not pass this multiple of its capital.
        costs: what leaving a position costs.
        longest_silence: nanoseconds after which a price is stale.
    """

    day_loss: Decimal
    leverage: Decimal
    costs: Costs
    longest_silence: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The facts at the moment of judging. None means that a fact is not known, and the gate then refuses.

    Attributes:
        now: UTC nanoseconds.
        halted: whether the account is halted.
        agent_active: whether the agent still has its slot.
        price: the last close, quote currency.
        price_time: when that bar closed, UTC nanoseconds.
        lot: the step of sizes.
        position: the agent's signed size in the instrument, as it will be when its closing orders have filled.
        average: its average entry price, None while flat.
        unknown_orders: orders of this agent in this instrument whose outcome is not known.
        stop_distance: how far from the entry the stop will lie, quote currency.
        agent_loss, account_loss: loss of the day so far, realised and unrealised, not negative.
        agent_reserved, account_reserved: worst case still to come of all open positions and working orders.
        agent_share: the agent's part of the day's loss limit.
        part: of what is free, the share that this order may use; the rest is for others asked for at the same moment.
        agent_capital: quote currency.
        agent_exposure: notional of the agent's open positions and working orders, this order not counted.
    """

    now: int
    halted: bool
    agent_active: bool
    price: Decimal | None
    price_time: int | None
    lot: Decimal
    position: Decimal
    average: Decimal | None
    unknown_orders: int
    stop_distance: Decimal | None
    agent_loss: Decimal
    account_loss: Decimal
    agent_reserved: Decimal
    account_reserved: Decimal
    agent_share: Decimal
    part: Decimal
    agent_capital: Decimal
    agent_exposure: Decimal
