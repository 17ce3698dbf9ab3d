"""The exit manager: which exit orders must rest at the venue for a position, and what has to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from clawd.core.instrument import Instrument
from clawd.core.money import booked_price
from clawd.core.orders import Order, OrderKind, order_id
from clawd.core.reason import Reason
from clawd.engine.position import stop_level


@dataclass(frozen=True, slots=True)
class ExitChanges:
    """What has to change at the venue so that a position's exits are right."""

    submit: tuple[Order, ...]
    move: tuple[tuple[Order, Decimal, Decimal], ...]
    cancel: tuple[Order, ...]


def exit_changes(
    agent: str, instrument: Instrument, position: np.void, size: Decimal, resting: Sequence[Order], time: int
) -> ExitChanges:
    """Compare the exits that a position needs with those that rest.

    A flat position needs none, and no order that was to make it smaller or larger either: those are cancelled with it.

    Args:
        agent: whose.
        instrument: in what.
        position: of :data:`~clawd.engine.position.POSITION`.
        size: signed size held.
        resting: the agent's orders in the instrument that rest at the venue.
        time: open of the bar, UTC nanoseconds; names new orders.
    """
    if size == 0:
        orphans = [order for order in resting if order.kind is not OrderKind.OPENING or order.reason is Reason.INCREASE]
        return ExitChanges((), (), tuple(orphans))
    wanted: dict[OrderKind, Decimal] = {OrderKind.STOP: booked_price(stop_level(position), instrument.tick)}
    if position["take"] > 0.0:
        wanted[OrderKind.TAKE] = booked_price(float(position["take"]), instrument.tick)
    present: dict[OrderKind, Order] = {
        order.kind: order for order in resting if order.kind in (OrderKind.STOP, OrderKind.TAKE)
    }
    submit, move = [], []
    for kind, level in wanted.items():
        order = present.get(kind)
        if order is None:
            reason = Reason.STOP if kind is OrderKind.STOP else Reason.TAKE
            submit.append(
                Order(
                    order_id(agent, instrument.symbol, time, kind),
                    agent,
                    instrument.symbol,
                    kind,
                    -size,
                    reason,
                    level,
                )
            )
        elif order.level != level or order.size != -size:
            move.append((order, level, -size))
    return ExitChanges(tuple(submit), tuple(move), ())
