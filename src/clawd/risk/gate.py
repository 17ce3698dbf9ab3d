"""The gate. An order and what is known go in; an approved order or a refusal with its numbers comes out.

It is a pure function. It has no switch that turns a check off, and anything that it needs and is not shown makes it
refuse an entry. An order that only makes a position smaller is always let through, as long as it truly does: beside
what works already to close the same position. docs/risk.md lists every check.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass, replace
from decimal import Decimal, localcontext
from typing import Final

from clawd.core.orders import Order, OrderKind, OrderType
from clawd.risk.exposure import Cap, budget_room, day_budget, exposure_caps, risk_per_unit
from clawd.risk.limits import Limits
from clawd.risk.order_form import below_minimum, entry_fault, form_fault
from clawd.risk.price_check import entry_price, price_fault
from clawd.risk.rounding import ARITHMETIC, whole_lots
from clawd.risk.snapshot import PositionFacts, Snapshot
from clawd.risk.standing import standing_fault
from clawd.risk.verdict import Code, Outcome, Verdict, known, refusal

__all__ = ["SMALLEST_PART", "ApprovedOrder", "Code", "Outcome", "Verdict", "approve", "judge"]

#: An order that would have to shrink below this part of itself is refused: dust is not the trade that was decided on.
SMALLEST_PART: Final = Decimal("0.01")

_SEAL: Final = object()


@dataclass(frozen=True, slots=True)
class ApprovedOrder:
    """An order that the gate has let through. A venue takes nothing else, and only the gate can make one."""

    order: Order
    verdict: Verdict
    seal: InitVar[object]  # not kept, so that no copy with another order can be made of one

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only the gate approves orders: call clawd.risk.gate.approve")


def approve(order: Order, snapshot: Snapshot, limits: Limits) -> tuple[Verdict, ApprovedOrder | None]:
    """Judge an order, and seal what may be sent of it."""
    verdict = judge(order, snapshot, limits)
    if verdict.outcome is Outcome.REFUSE:
        return verdict, None
    return verdict, ApprovedOrder(replace(order, size=verdict.allowed), verdict, _SEAL)


def judge(order: Order, snapshot: Snapshot, limits: Limits) -> Verdict:
    """The gate's checks, in order; the first that objects decides.

    Args:
        order: what is asked for.
        snapshot: what is known.
        limits: what is in force.
    """
    try:
        with localcontext(ARITHMETIC):
            return _judge(order, snapshot, limits)
    except (ArithmeticError, AttributeError, TypeError):
        # Figures beyond every scale, or facts that are not there at all: nothing can be computed of them.
        return refusal(Code.FIGURE_UNKNOWN)


def _judge(order: Order, snapshot: Snapshot, limits: Limits) -> Verdict:
    instrument = snapshot.market.instrument
    if fault := form_fault(order, instrument):
        return fault
    if order.symbol != instrument.symbol or order.agent != snapshot.agent.id:
        return refusal(Code.SNAPSHOT_MISMATCH)
    if order.reduces:
        return _reducing(order, snapshot.position)
    return (
        standing_fault(snapshot, limits)
        or entry_fault(order, snapshot.now)
        or price_fault(order, snapshot.market, snapshot.now, limits)
        or _rule_broken(order, snapshot)
        or _too_often(snapshot, limits)
        or _within_limits(order, snapshot, limits)
    )


def _reducing(order: Order, position: PositionFacts) -> Verdict:
    """It is let through if it cannot do more than close what nothing else closes.

    A stop and a target rest beside each other and beside an order that closes: each protects, and what one fills the
    execution takes from the others. But stops do not add up to more than the position, nor targets, nor orders that
    close it without waiting.
    """
    waits = order.kind in (OrderKind.STOP, OrderKind.TAKE) and order.type is not OrderType.MARKET
    size, held, beside = order.size, position.size, position.exits if waits else position.closing
    if not known(held) or not known(beside) or beside < 0:
        return refusal(Code.NOT_REDUCING, size=size, position=held)
    if held * size >= 0 or abs(size) > abs(held) - beside:
        return refusal(Code.NOT_REDUCING, size=size, position=held, beside=beside)
    return Verdict(Outcome.ALLOW, Code.REDUCES_RISK, size, {"position": held, "beside": beside})


def _rule_broken(order: Order, snapshot: Snapshot) -> Verdict | None:
    """No naked position, no turning of one that is not closed, and no adding to a loser."""
    size, position, price = order.size, snapshot.position, snapshot.market.price
    if order.stop_distance is None or not known(order.stop_distance) or order.stop_distance <= 0:
        return refusal(Code.NO_STOP)
    left = max(abs(position.size) - position.closing, Decimal(0))  # once what closes it has filled
    if (left and position.size * size < 0) or position.opening * size < 0:
        return refusal(Code.POSITION_FLIP, position=position.size, closing=position.closing, opening=position.opening)
    if left:
        if position.average is None or not known(position.average):
            return refusal(Code.PRICE_MISSING)
        # It must not lose now, nor at any price of the order: one that rests behind the average adds once it does.
        for at in (price, order.level, order.limit):
            if at is not None and (at - position.average) * size < 0:
                return refusal(Code.ADDING_TO_LOSER, price=at, average=position.average)
    return None


def _too_often(snapshot: Snapshot, limits: Limits) -> Verdict | None:
    sent = (
        (Code.AGENT_ORDERS, snapshot.agent.orders, limits.agent_orders),
        (Code.VENUE_ORDERS, snapshot.venue.orders, limits.venue_orders),
    )
    for code, orders, limit in sent:
        if limit is not None and (orders is None or orders >= limit):
            return refusal(code, orders=orders or 0, limit=limit, window_seconds=limits.order_window // 10**9)
    return None


def _within_limits(order: Order, snapshot: Snapshot, limits: Limits) -> Verdict:
    """As much of an entry as every limit leaves."""
    instrument, agent, stop_distance = snapshot.market.instrument, snapshot.agent, order.stop_distance
    assert stop_distance is not None
    price, asked = entry_price(order, snapshot.market), abs(order.size)
    counted_at = price if order.limit is None else order.limit
    if fault := below_minimum(asked, counted_at, instrument):
        return fault
    per_unit = risk_per_unit(order, price, stop_distance, limits.costs)
    caps = [day_budget(per_unit, snapshot, limits), *exposure_caps(order, price, snapshot, limits)]
    least: Cap = min(caps, key=lambda cap: cap.size)  # of equal ones the first
    largest = whole_lots(least.size, instrument.lot)
    numbers: dict[str, Decimal | int] = {
        "price": price,
        "stop_distance": stop_distance,
        "reserve_per_unit": per_unit,
        "agent_share": agent.share,
        "agent_loss": agent.loss,
        "agent_reserved": agent.reserved,
        "account_free": limits.day_loss - snapshot.account.loss - snapshot.account.reserved,
        "free": budget_room(snapshot, limits),
        "agent_exposure": agent.exposure,
        "part": snapshot.part,
        "largest": largest,
    }
    if asked <= largest:
        return Verdict(Outcome.ALLOW, Code.WITHIN_LIMITS, order.size, numbers)
    numbers |= {f"most_by_{cap.code.lower()}": cap.size for cap in caps}
    if largest <= 0 or largest < SMALLEST_PART * asked or below_minimum(largest, counted_at, instrument):
        return Verdict(Outcome.REFUSE, least.code, Decimal(0), numbers)
    return Verdict(Outcome.SHRINK, least.code, largest if order.size > 0 else -largest, numbers)
