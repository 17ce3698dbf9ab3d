"""When a price has come to an exit, and which exits the venue already holds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from clawd.core.account_events import ExitTarget, ProtectionChanged
from clawd.core.orders import Order, OrderKind, OrderType
from clawd.core.reason import Reason
from clawd.core.reports import Quote
from clawd.execution.exits import Exit
from clawd.execution.life_cycle import OrderState, PlacedOrder
from clawd.execution.watch import comes_to, is_touched, needed, touched, unheld

D = Decimal
STOP, TAKE = OrderKind.STOP, OrderKind.TAKE


def quote_of(bid: str, ask: str) -> Quote:
    return Quote("AAA", D(bid), D(1), D(ask), D(1), 0, 0)


def placed(
    kind: OrderKind, size: str, level: str, state: OrderState = OrderState.ACCEPTED, filled: str = "0"
) -> PlacedOrder:
    type_ = OrderType.STOP if kind is STOP else OrderType.LIMIT
    order = Order(f"{kind}{level}{size}", "a1", "AAA", kind, D(size), Reason.STOP, D(level), type=type_)
    return PlacedOrder(order, state, D(filled), 0)


@pytest.mark.parametrize(
    ("kind", "size", "bid", "ask", "expected"),
    [
        # A long is sold at the bid: its stop is touched at 95 and below, its target at 95 and above.
        (STOP, -1, "95.01", "95.02", False),
        (STOP, -1, "95.00", "95.10", True),
        (STOP, -1, "94.99", "95.50", True),
        (STOP, -1, "95.01", "99", False),
        (TAKE, -1, "94.99", "95.00", False),
        (TAKE, -1, "95.00", "95.01", True),
        # A short is bought back at the ask.
        (STOP, 1, "94.00", "94.99", False),
        (STOP, 1, "94.00", "95.00", True),
        (TAKE, 1, "95.00", "95.01", False),
        (TAKE, 1, "94.00", "95.00", True),
    ],
)
def test_an_exit_is_touched_at_the_price_that_it_could_trade_at(
    kind: OrderKind, size: int, bid: str, ask: str, expected: bool
) -> None:
    exit_ = Exit(kind, D(95), D(size))
    assert is_touched(exit_, quote_of(bid, ask)) is expected
    stop, targets = (
        (D(95), []) if kind is STOP else (D(1) if size < 0 else D(1000), [ExitTarget(level=D(95), size=D(size))])
    )
    event = ProtectionChanged(agent="a1", symbol="AAA", stop=stop, targets=targets, memory={})
    assert comes_to(event, size < 0, quote_of(bid, ask)) is expected
    assert bool(touched(needed(event, D(-size)), quote_of(bid, ask))) is expected


def test_a_stop_that_is_touched_acts_alone() -> None:
    exits = [Exit(STOP, D(100), D(-2)), Exit(TAKE, D(99), D(-1))]
    assert touched(exits, quote_of("99.5", "99.6")) == exits[:1]


@pytest.mark.parametrize(
    ("order", "left"),
    [
        (placed(STOP, "-3", "95"), None),
        (placed(STOP, "-3", "96"), None),  # nearer than it must be
        (placed(STOP, "-3", "94"), -3),
        (placed(STOP, "-1", "95"), -2),
        (placed(STOP, "-3", "95", filled="-1"), -1),
        (placed(STOP, "-3", "95", OrderState.SUBMITTED), -3),
        (placed(STOP, "-3", "95", OrderState.UNKNOWN), -3),
        (placed(STOP, "-3", "95", OrderState.PENDING_CANCEL), -3),
        (placed(STOP, "-3", "95", OrderState.PARTIALLY_FILLED), None),
        (placed(STOP, "3", "95"), -3),  # the other way round
        (placed(TAKE, "-3", "95"), -3),
    ],
)
def test_what_the_venue_does_not_hold_is_watched(order: PlacedOrder, left: int | None) -> None:
    found = unheld([Exit(STOP, D(95), D(-3))], [order])
    assert found == ([] if left is None else [Exit(STOP, D(95), D(left))])


def test_one_order_stands_for_one_target() -> None:
    targets = [Exit(TAKE, D(105), D(-1)), Exit(TAKE, D(105), D(-1))]
    assert unheld(targets, [placed(TAKE, "-1", "105")]) == targets[:1]
    assert unheld(targets, []) == targets
    assert unheld(targets[:1], [placed(TAKE, "-1", "106")]) == targets[:1], "another level is another target"
