"""The gate. An order and what is known go in; an approved order or a refusal with its numbers comes out.

It is a pure function. It has no switch that turns a rule off, and anything that it needs and is not shown makes it
refuse an entry. An order that only makes a position smaller is always let through.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Final

from clawd.core.orders import Order
from clawd.risk.reserve import entry_reserve_per_unit
from clawd.risk.snapshot import Limits, Snapshot


class Outcome(StrEnum):
    """The gate's answers."""

    ALLOW = "allow"
    SHRINK = "shrink"
    REFUSE = "refuse"


class Code(StrEnum):
    """Why. The first rule that objects names the code."""

    WITHIN_LIMITS = "WITHIN_LIMITS"
    REDUCES_RISK = "REDUCES_RISK"
    NOT_REDUCING = "NOT_REDUCING"
    HALTED = "HALTED"
    AGENT_NOT_ACTIVE = "AGENT_NOT_ACTIVE"
    SIZE_INVALID = "SIZE_INVALID"
    PRICE_MISSING = "PRICE_MISSING"
    PRICE_STALE = "PRICE_STALE"
    ORDER_UNKNOWN = "ORDER_UNKNOWN"
    NO_STOP = "NO_STOP"
    POSITION_FLIP = "POSITION_FLIP"
    ADDING_TO_LOSER = "ADDING_TO_LOSER"
    LEVERAGE = "LEVERAGE"
    DAY_BUDGET = "DAY_BUDGET"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one order.

    Attributes:
        outcome: allow, shrink or refuse.
        code: why.
        allowed: signed size that may be sent, 0 for a refusal.
        numbers: what the rule compared, by name.
    """

    outcome: Outcome
    code: Code
    allowed: Decimal
    numbers: dict[str, Decimal | int]


#: An order that would have to shrink below this part of itself is refused: dust is not the trade that was decided on.
SMALLEST_PART: Final = Decimal("0.01")

_SEAL: Final = object()


@dataclass(frozen=True, slots=True)
class ApprovedOrder:
    """An order that the gate has let through. A venue takes nothing else, and only the gate can make one."""

    order: Order
    verdict: Verdict
    seal: object

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise TypeError("only the gate approves orders: call clawd.risk.gate.approve")


def approve(order: Order, snapshot: Snapshot, limits: Limits) -> tuple[Verdict, ApprovedOrder | None]:
    """Judge an order, and seal what may be sent of it."""
    verdict = judge(order, snapshot, limits)
    if verdict.outcome is Outcome.REFUSE:
        return verdict, None
    return verdict, ApprovedOrder(replace(order, size=verdict.allowed), verdict, _SEAL)


def judge(order: Order, snapshot: Snapshot, limits: Limits) -> Verdict:
    """The gate's rules, in order; the first that objects decides.

    Args:
        order: what is asked for.
        snapshot: what is known.
        limits: what is in force.
    """
    size, position = order.size, snapshot.position
    if not size.is_finite() or size == 0 or size % snapshot.lot != 0:
        return _refuse(Code.SIZE_INVALID, size=size, lot=snapshot.lot)
    if order.reduces:
        if position * size >= 0 or abs(size) > abs(position):
            return _refuse(Code.NOT_REDUCING, size=size, position=position)
        return Verdict(Outcome.ALLOW, Code.REDUCES_RISK, size, {"position": position})
    if snapshot.halted:
        return _refuse(Code.HALTED, day_loss=snapshot.account_loss, limit=limits.day_loss)
    if not snapshot.agent_active:
        return _refuse(Code.AGENT_NOT_ACTIVE)
    price, stop_distance = snapshot.price, snapshot.stop_distance
    if price is None or snapshot.price_time is None or not price.is_finite() or price <= 0:
        return _refuse(Code.PRICE_MISSING)
    age = snapshot.now - snapshot.price_time
    if age < 0 or age > limits.longest_silence:
        return _refuse(Code.PRICE_STALE, age_seconds=age // 10**9, longest_seconds=limits.longest_silence // 10**9)
    if snapshot.unknown_orders:
        return _refuse(Code.ORDER_UNKNOWN, orders=snapshot.unknown_orders)
    if stop_distance is None or not stop_distance.is_finite() or stop_distance <= 0:
        return _refuse(Code.NO_STOP)
    if position * size < 0:
        return _refuse(Code.POSITION_FLIP, position=position)
    if position != 0:
        if snapshot.average is None:
            return _refuse(Code.PRICE_MISSING)
        if (price - snapshot.average) * position < 0:
            return _refuse(Code.ADDING_TO_LOSER, price=price, average=snapshot.average)
    return _within_budget(size, price, stop_distance, snapshot, limits)


def _within_budget(
    size: Decimal, price: Decimal, stop_distance: Decimal, snapshot: Snapshot, limits: Limits
) -> Verdict:
    side = 1 if size > 0 else -1
    per_unit = entry_reserve_per_unit(price, stop_distance, side, limits.costs)
    agent_free = snapshot.agent_share - snapshot.agent_loss - snapshot.agent_reserved
    account_free = limits.day_loss - snapshot.account_loss - snapshot.account_reserved
    by_budget = max(min(agent_free, account_free), Decimal(0)) * snapshot.part / per_unit
    by_leverage = max(limits.leverage * snapshot.agent_capital - snapshot.agent_exposure, Decimal(0)) / price
    largest = _whole_lots(min(by_budget, by_leverage), snapshot.lot)
    code = Code.LEVERAGE if by_leverage < by_budget else Code.DAY_BUDGET
    numbers: dict[str, Decimal | int] = {
        "price": price,
        "stop_distance": stop_distance,
        "reserve_per_unit": per_unit,
        "agent_share": snapshot.agent_share,
        "agent_loss": snapshot.agent_loss,
        "agent_reserved": snapshot.agent_reserved,
        "account_free": account_free,
        "agent_exposure": snapshot.agent_exposure,
        "part": snapshot.part,
        "largest": largest,
    }
    if abs(size) <= largest:
        return Verdict(Outcome.ALLOW, Code.WITHIN_LIMITS, size, numbers)
    if largest < SMALLEST_PART * abs(size):
        return Verdict(Outcome.REFUSE, code, Decimal(0), numbers)
    return Verdict(Outcome.SHRINK, code, side * largest, numbers)


def _whole_lots(size: Decimal, lot: Decimal) -> Decimal:
    return (size / lot).to_integral_value(ROUND_FLOOR) * lot


def _refuse(code: Code, **numbers: Decimal | int) -> Verdict:
    return Verdict(Outcome.REFUSE, code, Decimal(0), dict(numbers))
