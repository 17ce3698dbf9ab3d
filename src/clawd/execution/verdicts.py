"""The gate's answer as a fact, in the same words wherever an order was put before it."""

from __future__ import annotations

from decimal import Decimal

from clawd.core.events import VerdictGiven
from clawd.core.orders import Order
from clawd.risk.verdict import Verdict


def verdict_given(order: Order, verdict: Verdict) -> VerdictGiven:
    """What the gate said of an order. A size that is no number is written as 0: it was refused for that."""
    return VerdictGiven(
        order=order.id,
        agent=order.agent,
        symbol=order.symbol,
        order_kind=order.kind,
        outcome=verdict.outcome,
        code=verdict.code,
        asked=order.size if order.size.is_finite() else Decimal(0),
        allowed=verdict.allowed,
        numbers={name: str(value) for name, value in verdict.numbers.items()},
    )
