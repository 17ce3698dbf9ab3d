"""The exit manager: which exit orders must rest at the venue for a position, and what has to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from typing import Final

import numpy as np

from clawd.core.instrument import Instrument
from clawd.core.money import booked_price, booked_size
from clawd.core.orders import Order, OrderKind, OrderType, order_id
from clawd.core.reason import Reason
from clawd.engine.position import stop_level, target_after, target_lots

_EXIT_AS: Final = {
    OrderKind.STOP: (Reason.STOP, OrderType.STOP),
    OrderKind.TAKE: (Reason.TAKE, OrderType.LIMIT),
}


@dataclass(frozen=True, slots=True)
class Exit:
    """An exit that a position needs: what closes it or a part of it, at which level, and how much (signed)."""

    kind: OrderKind
    level: Decimal
    size: Decimal


@dataclass(frozen=True, slots=True)
class ExitChanges:
    """What has to change at the venue so that a position's exits are right."""

    submit: tuple[Order, ...]
    move: tuple[tuple[Order, Decimal, Decimal], ...]
    cancel: tuple[Order, ...]


def exits_needed(position: np.void, plan: np.void, size: Decimal, tick: Decimal, lot: Decimal) -> list[Exit]:
    """The exits of an open position: a stop for the whole of it, then its targets that close anything, nearest first.

    Args:
        position: of :data:`~clawd.engine.position.POSITION`.
        plan: of :data:`~clawd.engine.plan.PLAN`.
        size: signed size held.
        tick, lot: of the instrument.
    """
    exits = [Exit(OrderKind.STOP, booked_price(stop_level(position), tick), -size)]
    side = 1 if size > 0 else -1
    place = target_after(position, plan, -1) if plan["targets"] else -1
    while place >= 0:
        if lots := target_lots(position, plan, place):
            level = booked_price(float(position["take"][place]), tick)
            exits.append(Exit(OrderKind.TAKE, level, -side * booked_size(lots, lot)))
        place = target_after(position, plan, place)
    return exits


def exit_changes(
    agent: str,
    instrument: Instrument,
    position: np.void,
    plan: np.void,
    size: Decimal,
    resting: Sequence[Order],
    time: int,
) -> ExitChanges:
    """Compare the exits that a position needs with those that rest.

    A flat position needs none, and no order that was to make it smaller or larger either: those are cancelled with it.
    An order to enlarge a position goes too once a target has closed a part of it. Targets rest in the order of their
    levels, nearest first, which is the order in which the venue fills them.

    Args:
        agent: whose.
        instrument: in what.
        position: of :data:`~clawd.engine.position.POSITION`.
        plan: its exits, of :data:`~clawd.engine.plan.PLAN`.
        size: signed size held.
        resting: the agent's orders in the instrument that rest at the venue, oldest first.
        time: open of the bar, UTC nanoseconds; names new orders.
    """
    if size == 0:
        orphans = [order for order in resting if order.kind is not OrderKind.OPENING or order.reason is Reason.INCREASE]
        return ExitChanges((), (), tuple(orphans))
    needed = exits_needed(position, plan, size, instrument.tick, instrument.lot)
    submit, move = [], []
    cancel = [order for order in resting if order.reason is Reason.INCREASE and position["taken"] > 0.0]
    for kind in (OrderKind.STOP, OrderKind.TAKE):
        wanted = [exit_ for exit_ in needed if exit_.kind is kind]
        orders = [order for order in resting if order.kind is kind]
        for number, (exit_, order) in enumerate(zip_longest(wanted, orders)):
            if exit_ is None:
                cancel.append(order)
            elif order is None:
                name = order_id(agent, instrument.symbol, time, kind) + (str(number + 1) if number else "")
                reason, type_ = _EXIT_AS[kind]
                submit.append(Order(name, agent, instrument.symbol, kind, exit_.size, reason, exit_.level, type=type_))
            elif (order.level, order.size) != (exit_.level, exit_.size):
                move.append((order, exit_.level, exit_.size))
    return ExitChanges(tuple(submit), tuple(move), tuple(cancel))
