"""The gate. An order and what is known go in; an approved order or a refusal with its numbers comes out.

It is a pure function. It has no switch that turns a rule off, and anything that it needs and is not shown makes it
refuse an entry. An order that only makes a position smaller is always let through.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass, replace
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
    FIGURE_UNKNOWN = "FIGURE_UNKNOWN"
    PRICE_MISSING = "PRICE_MISSING"
    PRICE_STALE = "PRICE_STALE"
    ORDER_UNKNOWN = "ORDER_UNKNOWN"
    NO_STOP = "NO_STOP"
    POSITION_FLIP = "POSITION_FLIP"
    ADDING_TO_LOSER = "ADDING_TO_LOSER"
    LEVERAGE = "LEVERAGE"
    DAY_BUDGET = "DAY_BUDGET"
    # The dealer refuses by itself what need not come before the gate.
    DUPLICATE = "DUPLICATE"
    NOT_READY = "NOT_READY"
    NOT_SUPPORTED = "NOT_SUPPORTED"


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
    """The gate's rules, in order; the first that objects decides.

    Args:
        order: what is asked for.
        snapshot: what is known.
        limits: what is in force.
    """
    try:
        return _judge(order, snapshot, limits)
    except ArithmeticError:  # figures beyond every scale: nothing can be computed of them
        return _refuse(Code.FIGURE_UNKNOWN)


def _judge(order: Order, snapshot: Snapshot, limits: Limits) -> Verdict:
    size, position = order.size, snapshot.position
    if not _known(size) or not _known(snapshot.lot) or snapshot.lot <= 0 or size == 0 or size % snapshot.lot != 0:
        return _refuse(Code.SIZE_INVALID, size=size, lot=snapshot.lot)
    if order.reduces:
        if not _known(position) or position * size >= 0 or abs(size) > abs(position):
            return _refuse(Code.NOT_REDUCING, size=size, position=position)
        return Verdict(Outcome.ALLOW, Code.REDUCES_RISK, size, {"position": position})
    if snapshot.halted is not False:
        return _refuse(Code.HALTED, day_loss=snapshot.account_loss, limit=limits.day_loss)
    if snapshot.agent_active is not True:
        return _refuse(Code.AGENT_NOT_ACTIVE)
    if unknown := _unknown_figures(snapshot, limits):
        return _refuse(Code.FIGURE_UNKNOWN, **dict.fromkeys(unknown, Decimal("NaN")))
    price, stop_distance = snapshot.price, snapshot.stop_distance
    if price is None or not isinstance(snapshot.price_time, int) or not _known(price) or price <= 0:
        return _refuse(Code.PRICE_MISSING)
    age = snapshot.now - snapshot.price_time
    if age < 0 or age > limits.longest_silence:
        return _refuse(Code.PRICE_STALE, age_seconds=age // 10**9, longest_seconds=limits.longest_silence // 10**9)
    if snapshot.unknown_orders:
        return _refuse(Code.ORDER_UNKNOWN, orders=snapshot.unknown_orders)
    if stop_distance is None or not _known(stop_distance) or stop_distance <= 0:
        return _refuse(Code.NO_STOP)
    if position * size < 0:
        return _refuse(Code.POSITION_FLIP, position=position)
    if position != 0:
        if snapshot.average is None or not _known(snapshot.average):
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


def _unknown_figures(snapshot: Snapshot, limits: Limits) -> list[str]:
    """The figures that no entry can be judged without and that are missing, not finite, or out of their range."""
    amounts = {
        "agent_loss": snapshot.agent_loss,
        "account_loss": snapshot.account_loss,
        "agent_reserved": snapshot.agent_reserved,
        "account_reserved": snapshot.account_reserved,
        "agent_share": snapshot.agent_share,
        "part": snapshot.part,
        "agent_capital": snapshot.agent_capital,
        "agent_exposure": snapshot.agent_exposure,
        "day_loss_limit": limits.day_loss,
        "leverage": limits.leverage,
        "fee": limits.costs.fee,
        "slippage": limits.costs.slippage,
    }
    unknown = [name for name, amount in amounts.items() if not _known(amount) or amount < 0]
    if not _known(snapshot.position):
        unknown.append("position")
    if _known(snapshot.part) and snapshot.part > 1:
        unknown.append("part")
    counts = {
        "now": snapshot.now,
        "unknown_orders": snapshot.unknown_orders,
        "longest_silence": limits.longest_silence,
    }
    return unknown + [name for name, count in counts.items() if not isinstance(count, int) or count < 0]


def _known(figure: object) -> bool:
    """Whether it is a finite number. What the types promise is checked here again: this is the last check there is."""
    return isinstance(figure, Decimal) and figure.is_finite()


def _whole_lots(size: Decimal, lot: Decimal) -> Decimal:
    return (size / lot).to_integral_value(ROUND_FLOOR) * lot


def _refuse(code: Code, **numbers: Decimal | int) -> Verdict:
    return Verdict(Outcome.REFUSE, code, Decimal(0), dict(numbers))
