"""What is turned away before the gate is asked, by a rule at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from dealer_worlds import ALL, D, World

from clawd.core.account_events import UNATTRIBUTED
from clawd.core.orders import Order, OrderKind, OrderType, TimeInForce
from clawd.execution.admission import objection
from clawd.risk.verdict import Code
from clawd.venues.venue import Capabilities

LIMIT: dict[str, Any] = {"type": OrderType.LIMIT, "limit": D(90)}
STOP: dict[str, Any] = {"type": OrderType.STOP, "level": D(110)}
#: Knows little: market and limit orders until they are cancelled.
PLAIN = Capabilities(
    frozenset({OrderType.MARKET, OrderType.LIMIT}), frozenset({TimeInForce.GTC}), False, False, replace=False
)
REPLACES = replace(PLAIN, replace=True)


@pytest.fixture
def world() -> World:
    return World().ready()


def said(world: World, order: Order, can: Capabilities = PLAIN, by: str | None = None, ready: bool = True) -> object:
    return objection(order, by, world.account, can, ready=ready)


def test_an_order_comes_before_the_gate_once(world: World) -> None:
    order = world.order()
    assert said(world, order) is None
    world.dealer.propose(order)
    assert said(world, order) is Code.DUPLICATE
    assert said(world, world.order(), ready=False) is Code.NOT_READY


@pytest.mark.parametrize("changes", [{"agent": "c"}, {"agent": UNATTRIBUTED}, {"symbol": "XRP"}])
def test_it_is_of_an_agent_and_in_an_instrument_of_the_account(world: World, changes: dict[str, str]) -> None:
    assert said(world, replace(world.order(), **changes)) is Code.AGENT_NOT_ACTIVE


@pytest.mark.parametrize("figure", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_its_figures_are_numbers(world: World, figure: str) -> None:
    assert said(world, replace(world.order(), size=D(figure))) is Code.SIZE_INVALID
    for name in ("level", "reference", "limit", "trail", "stop_distance"):
        assert said(world, replace(world.order(), **{name: D(figure)})) is Code.PRICE_INVALID


def test_the_venue_can_hold_it_or_it_can_be_watched_here(world: World) -> None:
    assert said(world, world.order(**LIMIT)) is None
    assert said(world, world.order(**LIMIT), replace(PLAIN, order_types=frozenset())) is Code.NOT_SUPPORTED
    for watched in (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP):
        assert said(world, world.order(type=watched)) is None
    assert said(world, world.order(**LIMIT, time_in_force=TimeInForce.GTD)) is None, "its end is watched here"
    assert said(world, world.order(**LIMIT, time_in_force=TimeInForce.IOC)) is Code.NOT_SUPPORTED
    assert said(world, world.order(**LIMIT, time_in_force=TimeInForce.IOC), ALL) is None
    assert said(world, world.order(**LIMIT, post_only=True)) is Code.NOT_SUPPORTED
    assert said(world, world.order(**LIMIT, post_only=True), ALL) is None


def test_it_takes_the_place_of_one_like_it_that_works(world: World) -> None:
    old = world.enter(**LIMIT)
    new = world.order(**LIMIT)
    assert said(world, new, REPLACES, old) is None
    assert said(world, new, PLAIN, old) is Code.NOT_SUPPORTED
    assert said(world, new, REPLACES, "no such order") is Code.NOT_SUPPORTED
    assert said(world, world.order(**STOP), REPLACES, old) is Code.NOT_SUPPORTED, "what is watched rests nowhere"
    for other in ({"agent": "b"}, {"symbol": "ETH"}, {"kind": OrderKind.CLOSING}):
        assert said(world, replace(new, **other), REPLACES, old) is Code.NOT_SUPPORTED
    world.through()
    world.trade(old)
    world.through()
    assert said(world, new, REPLACES, old) is Code.NOT_SUPPORTED, "it has filled"
