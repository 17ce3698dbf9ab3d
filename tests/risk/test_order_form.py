"""Whether a venue could carry an order out: its type and prices, its duration, the grids; of entries and of exits."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from clawd.core.orders import Order, OrderKind, OrderType, TimeInForce
from clawd.risk.gate import Code, Outcome, judge
from risk.cases import CALM, HOUR, LIMITS, but, order_of

HELD = but(CALM, {"position.size": Decimal(1), "position.average": Decimal(100)})
ENTRY = order_of(OrderKind.OPENING, "0.01")
CLOSING = order_of(OrderKind.CLOSING, "-0.01")

#: Which prices an order of a type has: level, limit, trail.
TABLE = {
    OrderType.MARKET: ("",),
    OrderType.LIMIT: ("limit",),
    OrderType.STOP: ("level",),
    OrderType.STOP_LIMIT: ("level limit",),
    OrderType.TRAILING_STOP: ("trail", "level trail"),
}
COMBINATIONS = ["", "level", "limit", "trail", "level limit", "level trail", "limit trail", "level limit trail"]


@pytest.mark.parametrize(("type_", "names"), list(itertools.product(OrderType, COMBINATIONS)))
def test_an_order_has_the_prices_of_its_type_and_no_others(type_: OrderType, names: str) -> None:
    prices = dict.fromkeys(names.split(), Decimal(100))
    fits = names in TABLE[type_]
    for order, facts in ((ENTRY, CALM), (CLOSING, HELD)):
        verdict = judge(replace(order, type=type_, **prices), facts, LIMITS)
        trailing_entry = order is ENTRY and type_ is OrderType.TRAILING_STOP
        expected = fits and not trailing_entry
        assert (verdict.outcome is Outcome.ALLOW) is expected
        if not expected:
            assert verdict.code is Code.ORDER_INVALID


def test_a_target_rests_at_its_level() -> None:
    take = replace(order_of(OrderKind.TAKE, "-1"), type=OrderType.LIMIT, level=Decimal(110))
    assert judge(take, HELD, LIMITS).outcome is Outcome.ALLOW
    assert judge(replace(take, level=None, limit=Decimal(110)), HELD, LIMITS).outcome is Outcome.ALLOW
    assert judge(replace(take, level=None), HELD, LIMITS).code is Code.ORDER_INVALID
    entry = replace(ENTRY, type=OrderType.LIMIT, level=Decimal(110))
    assert judge(entry, CALM, LIMITS).code is Code.ORDER_INVALID


@pytest.mark.parametrize(
    "price", [Decimal(0), Decimal(-1), Decimal("NaN"), Decimal("Infinity"), Decimal("100.001"), "100", 100.0], ids=repr
)
@pytest.mark.parametrize(
    ("type_", "name"),
    [(OrderType.LIMIT, "limit"), (OrderType.STOP, "level"), (OrderType.TRAILING_STOP, "trail")],
)
def test_a_price_is_positive_and_on_the_grid_of_ticks(type_: OrderType, name: str, price: Any) -> None:
    assert judge(replace(CLOSING, type=type_, **{name: price}), HELD, LIMITS).code is Code.PRICE_INVALID


@pytest.mark.parametrize("tick", [None, Decimal(0), Decimal(-1), Decimal("NaN")], ids=repr)
def test_a_price_needs_a_grid(tick: Any) -> None:
    facts = but(HELD, {"market.instrument.tick": tick})
    assert judge(replace(CLOSING, type=OrderType.LIMIT, limit=Decimal(100)), facts, LIMITS).code is Code.PRICE_INVALID
    assert judge(CLOSING, facts, LIMITS).outcome is Outcome.ALLOW


@pytest.mark.parametrize("size", ["0.0005", "0.0011", "0"])
def test_a_size_is_whole_lots(size: str) -> None:
    for order, facts in ((ENTRY, CALM), (CLOSING, HELD)):
        assert judge(replace(order, size=Decimal(size)), facts, LIMITS).code is Code.SIZE_INVALID


def limit_with(**changes: Any) -> Order:
    return replace(ENTRY, **{"type": OrderType.LIMIT, "limit": Decimal(100), **changes})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"time_in_force": TimeInForce.GTD, "expires": CALM.now + HOUR}, Code.WITHIN_LIMITS),
        ({"time_in_force": TimeInForce.GTD}, Code.ORDER_INVALID),
        ({"time_in_force": TimeInForce.GTD, "expires": Decimal(CALM.now + HOUR)}, Code.ORDER_INVALID),
        ({"time_in_force": TimeInForce.GTD, "expires": CALM.now}, Code.EXPIRED),
        ({"time_in_force": TimeInForce.GTD, "expires": 0}, Code.EXPIRED),
        ({"expires": CALM.now + HOUR}, Code.ORDER_INVALID),
        ({"time_in_force": TimeInForce.IOC, "expires": CALM.now + HOUR}, Code.ORDER_INVALID),
        ({"time_in_force": TimeInForce.IOC}, Code.WITHIN_LIMITS),
        ({"time_in_force": TimeInForce.FOK}, Code.WITHIN_LIMITS),
        ({"time_in_force": "gtc"}, Code.ORDER_INVALID),
        ({"post_only": True}, Code.WITHIN_LIMITS),
        ({"post_only": True, "time_in_force": TimeInForce.IOC}, Code.ORDER_INVALID),
        ({"post_only": True, "time_in_force": TimeInForce.FOK}, Code.ORDER_INVALID),
        ({"post_only": True, "type": OrderType.MARKET, "limit": None}, Code.ORDER_INVALID),
        ({"post_only": True, "type": OrderType.STOP_LIMIT, "level": Decimal(100)}, Code.ORDER_INVALID),
        ({"post_only": 1}, Code.ORDER_INVALID),
        ({"type": "limit"}, Code.ORDER_INVALID),
        ({"kind": "opening"}, Code.ORDER_INVALID),
        ({"kind": "closing"}, Code.ORDER_INVALID),
        ({"reason": 1}, Code.ORDER_INVALID),
    ],
    ids=str,
)
def test_how_long_an_order_works_and_what_it_takes(changes: dict[str, Any], code: Code) -> None:
    assert judge(limit_with(**changes), CALM, LIMITS).code is code


def test_a_word_in_the_place_of_a_kind_opens_no_door() -> None:
    """`"opening"` is equal to the kind and is not it: it would have been taken for an order that reduces."""
    order = replace(order_of(OrderKind.OPENING, "-1"), kind="opening")  # type: ignore[arg-type]
    assert judge(order, HELD, LIMITS).code is Code.ORDER_INVALID


def test_an_order_that_can_change_its_answers_is_refused() -> None:
    @dataclass(frozen=True)
    class Sly(Order):
        @property
        def reduces(self) -> bool:
            return True

    sly = Sly(**{name: getattr(ENTRY, name) for name in ENTRY.__dataclass_fields__})
    assert judge(sly, HELD, LIMITS).code is Code.ORDER_INVALID

    class Other(Decimal):
        def __mod__(self, other: object) -> Decimal:  # type: ignore[override]
            return Decimal(0)

    assert judge(replace(ENTRY, size=Other("0.00001")), CALM, LIMITS).code is Code.SIZE_INVALID


@pytest.mark.parametrize("facts", [CALM, HELD], ids=["flat", "held"])
def test_facts_of_another_agent_or_instrument_are_no_facts_about_this_order(facts: Any) -> None:
    for order in (ENTRY, CLOSING):
        assert judge(replace(order, agent="a002"), facts, LIMITS).code is Code.SNAPSHOT_MISMATCH
        assert judge(replace(order, symbol="BBB"), facts, LIMITS).code is Code.SNAPSHOT_MISMATCH
