"""What is reserved for a position is at least what its stop makes it lose, by the fill rules themselves."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.costs import Costs
from clawd.core.money import booked_float, fee_of_fill
from clawd.engine.plan import STOP
from clawd.engine.position import POSITION, book_opening, stop_level
from clawd.engine.prices import grid_of, market_price, stop_price
from clawd.risk.reserve import entry_reserve_per_unit, leaving_rate, position_reserve

TICK = 1e-8

shares = st.sampled_from([0.0, 0.0002, 0.0005, 0.003, 0.01, 0.05])
sides = st.sampled_from([1.0, -1.0])
prices = st.floats(0.01, 10_000)


def left_at(level: float, side: float, average: float, open_price: float, extreme: float, slippage: float) -> Decimal:
    """The price at which a stop fills within a bar."""
    price = stop_price(level, side, average, open_price, False, extreme, slippage, grid_of(TICK))
    assert not np.isnan(price)
    return booked_float(price)


@settings(deadline=None)
@given(sides, prices, st.floats(0.001, 1.5), shares, shares)
def test_an_entry_loses_at_its_stop_no_more_than_was_reserved_for_it(
    side: float, price: float, distance: float, fee: float, slippage: float
) -> None:
    costs = Costs(booked_float(fee), booked_float(slippage))
    position = np.zeros(1, POSITION)
    position["distances"][0, STOP] = distance * price
    paid = market_price(price, side, slippage, grid_of(TICK))
    book_opening(position[0], side, paid, grid_of(TICK))
    stop = stop_level(position[0])
    extreme = 0.0 if side > 0 else 10 * price
    left = left_at(stop, side, paid, price, extreme, slippage)
    fees = fee_of_fill(Decimal(1), booked_float(paid), costs.fee) + fee_of_fill(Decimal(1), left, costs.fee)
    loss = int(side) * (booked_float(paid) - left) + fees
    reserved = entry_reserve_per_unit(booked_float(price), booked_float(distance * price), int(side), costs)
    assert loss <= reserved + Decimal(repr(3 * TICK))


@settings(deadline=None)
@given(sides, prices, st.floats(-0.9, 0.9), shares, shares)
def test_a_position_loses_from_its_mark_to_its_stop_no_more_than_is_reserved(
    side: float, mark: float, ahead: float, fee: float, slippage: float
) -> None:
    """Also where the close has passed the stop already: a trailing stop that was moved up by the bar's high."""
    costs = Costs(booked_float(fee), booked_float(slippage))
    stop = round(mark * (1 - side * ahead) / TICK) * TICK
    average = 10 * max(mark, stop)  # margin enough: the cap of a short's loss is not what is looked at here
    extreme = 0.0 if side > 0 else 100 * mark
    left = left_at(stop, side, average, mark, extreme, slippage)
    loss = int(side) * (booked_float(mark) - left) + fee_of_fill(Decimal(1), left, costs.fee)
    reserved = position_reserve(Decimal(int(side)), booked_float(mark), booked_float(stop), costs)
    assert loss <= reserved + Decimal(repr(3 * TICK))


@settings(deadline=None)
@given(sides, prices, shares, shares, st.floats(-0.5, 0.5))
def test_leaving_at_the_mark_costs_no_more_than_what_is_reserved_to_the_stop(
    side: float, mark: float, fee: float, slippage: float, ahead: float
) -> None:
    """A position that is closed before its stop needs no more than was set aside for the stop."""
    costs = Costs(booked_float(fee), booked_float(slippage))
    price = booked_float(mark)
    stop = price * (1 - int(side) * booked_float(ahead))
    assert price * leaving_rate(costs) <= position_reserve(Decimal(int(side)), price, stop, costs) + Decimal("1e-20")


def test_a_flat_book_reserves_nothing_and_a_larger_one_in_proportion() -> None:
    costs = Costs(Decimal("0.001"), Decimal("0.002"))
    assert position_reserve(Decimal(0), Decimal(100), Decimal(90), costs) == 0
    one = position_reserve(Decimal(1), Decimal(100), Decimal(90), costs)
    assert position_reserve(Decimal(7), Decimal(100), Decimal(90), costs) == 7 * one
    assert one == Decimal(10) + 90 * (Decimal("0.003") + Decimal("0.000002"))


@pytest.mark.parametrize("side", [1, -1])
def test_a_wider_stop_and_higher_costs_reserve_more(side: int) -> None:
    price = Decimal(100)
    cheap, dear = Costs(Decimal("0.001"), Decimal(0)), Costs(Decimal("0.002"), Decimal(0))
    assert entry_reserve_per_unit(price, Decimal(5), side, cheap) < entry_reserve_per_unit(
        price, Decimal(6), side, cheap
    )
    assert entry_reserve_per_unit(price, Decimal(5), side, cheap) < entry_reserve_per_unit(
        price, Decimal(5), side, dear
    )
