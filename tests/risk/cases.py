"""Orders, and what the gate is shown of a calm market."""

from __future__ import annotations

from decimal import Decimal

from clawd.core.costs import Costs
from clawd.core.orders import Order, OrderKind
from clawd.core.reason import Reason
from clawd.risk.snapshot import Limits, Snapshot

HOUR = 3_600 * 10**9

LIMITS = Limits(
    day_loss=Decimal(10),
    leverage=Decimal(2),
    costs=Costs(Decimal("0.0005"), Decimal("0.0002")),
    longest_silence=HOUR,
)
CALM = Snapshot(
    now=100 * HOUR,
    halted=False,
    agent_active=True,
    price=Decimal(100),
    price_time=100 * HOUR,
    lot=Decimal("0.001"),
    position=Decimal(0),
    average=None,
    unknown_orders=0,
    stop_distance=Decimal(5),
    agent_loss=Decimal(0),
    account_loss=Decimal(0),
    agent_reserved=Decimal(0),
    account_reserved=Decimal(0),
    agent_share=Decimal(5),
    part=Decimal(1),
    agent_capital=Decimal(1000),
    agent_exposure=Decimal(0),
)
_REASONS = {
    OrderKind.CLOSING: Reason.SIGNAL,
    OrderKind.OPENING: Reason.ENTRY,
    OrderKind.STOP: Reason.STOP,
    OrderKind.TAKE: Reason.TAKE,
}


def order_of(
    kind: OrderKind,
    size: str | Decimal,
    *,
    level: str | None = None,
    reference: str | None = "100",
    agent: str = "a001",
    symbol: str = "AAA",
) -> Order:
    """An order whose name says whose it is, of what, and of which kind."""
    return Order(
        f"{agent}.{symbol}.{kind}",
        agent,
        symbol,
        kind,
        Decimal(size),
        _REASONS[kind],
        None if level is None else Decimal(level),
        None if reference is None else Decimal(reference),
    )
