"""Orders, and what the gate is shown of a calm market."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from clawd.core.account_events import TradingState
from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind, OrderType
from clawd.core.reason import Reason
from clawd.risk.limits import Limits
from clawd.risk.snapshot import (
    AccountFacts,
    AgentFacts,
    Cluster,
    MarketFacts,
    PositionFacts,
    Snapshot,
    VenueFacts,
)

HOUR = 3_600 * 10**9

LIMITS = Limits(
    day_loss=Decimal(10),
    leverage=Decimal(2),
    costs=Costs(Decimal("0.0005"), Decimal("0.0002")),
    longest_silence=HOUR,
    price_band=Decimal("0.2"),
)
CALM = Snapshot(
    now=100 * HOUR,
    account=AccountFacts(
        state=TradingState.ACTIVE,
        loss=Decimal(0),
        reserved=Decimal(0),
        equity=Decimal(4000),
        gross=Decimal(0),
        net=Decimal(0),
    ),
    agent=AgentFacts(
        id="a001",
        active=True,
        paused=False,
        capital=Decimal(1000),
        share=Decimal(5),
        loss=Decimal(0),
        reserved=Decimal(0),
        exposure=Decimal(0),
        orders=0,
    ),
    position=PositionFacts(
        size=Decimal(0),
        average=None,
        opening=Decimal(0),
        closing=Decimal(0),
        exits=Decimal(0),
        unknown_orders=0,
        blocked=False,
    ),
    market=MarketFacts(
        instrument=Instrument("AAA", tick=Decimal("0.01"), lot=Decimal("0.001")),
        price=Decimal(100),
        price_time=100 * HOUR,
        unattributed=Decimal(0),
        blocked=False,
        bid_depth=Decimal(1000),
        ask_depth=Decimal(1000),
        day_volume=Decimal(10**6),
        gross=Decimal(0),
        cluster=Cluster("majors", Decimal(0)),
    ),
    venue=VenueFacts(
        name="paper",
        connected=True,
        breaker_open=False,
        clock_skew=0,
        gross=Decimal(0),
        orders=0,
    ),
    part=Decimal(1),
)


def but(snapshot: Snapshot, changes: Mapping[str, Any]) -> Snapshot:
    """The snapshot with other facts, each named by its path, such as ``agent.loss``."""
    for path, value in changes.items():
        snapshot = _with(snapshot, path.split("."), value)
    return snapshot


def _with(facts: Any, path: list[str], value: Any) -> Any:
    name, *rest = path
    return replace(facts, **{name: _with(getattr(facts, name), rest, value) if rest else value})


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
    stop_distance: str | None = "5",
) -> Order:
    """An order whose name says whose it is, of what, and of which kind; one with a level rests there."""
    return Order(
        f"{agent}.{symbol}.{kind}",
        agent,
        symbol,
        kind,
        Decimal(size),
        _REASONS[kind],
        None if level is None else Decimal(level),
        None if reference is None else Decimal(reference),
        type=OrderType.MARKET if level is None else OrderType.LIMIT if kind is OrderKind.TAKE else OrderType.STOP,
        stop_distance=Decimal(stop_distance) if stop_distance is not None and kind is OrderKind.OPENING else None,
    )
