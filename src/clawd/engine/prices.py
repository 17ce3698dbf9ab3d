"""The prices at which orders fill: the first part of the fill rules. `docs/fill-rules.md` states them with tables."""

from __future__ import annotations

from functools import partial

import numpy as np

from clawd.engine.compiled import compiled

#: An entry whose open lies further from the decision's close than this share is cancelled: the price has run away.
ENTRY_BAND = 0.2

#: A tick with what turns a count of ticks into the float nearest to its decimal: count × numerator ÷ denominator.
Grid = tuple[float, float, float]

rule = partial(compiled, inlined=True)


@rule
def grid_of(tick: float) -> tuple[float, float, float]:
    """The grid of prices of an instrument: its tick, and the numerator and denominator of :data:`Grid`."""
    per_unit = np.round(1.0 / tick)
    if abs(per_unit * tick - 1.0) < 1e-9:
        return tick, 1.0, per_unit
    scale = 1.0
    while abs(np.round(tick * scale) - tick * scale) > 1e-9 * tick * scale and scale < 1e12:
        scale *= 10.0
    return tick, np.round(tick * scale), scale


@rule
def to_tick(price: float, grid: Grid) -> float:
    """The nearest price on the grid of ticks, as the float nearest to its decimal: books and simulator agree."""
    return np.round(price / grid[0]) * grid[1] / grid[2]


@rule
def market_price(open_price: float, side: float, slippage: float, grid: Grid) -> float:
    """A market order fills at the next open, worse by the slippage. ``side`` is 1 for a purchase."""
    return to_tick(open_price * (1.0 + side * slippage), grid)


@rule
def in_band(open_price: float, reference: float) -> bool:
    """Whether an entry decided at ``reference`` may still fill at this open."""
    return abs(open_price / reference - 1.0) <= ENTRY_BAND


@rule
def liquidation_price(average: float) -> float:
    """Where an isolated short has lost its margin, which is its whole notional."""
    return 2.0 * average


@rule
def closing_price(open_price: float, held: float, average: float, slippage: float, grid: Grid) -> float:
    """A market order that makes a position of a signed size smaller: a short never pays more than its margin covers."""
    if held > 0.0:
        return market_price(open_price, -1.0, slippage, grid)
    return min(market_price(open_price, 1.0, slippage, grid), to_tick(liquidation_price(average), grid))


@rule
def stop_price(
    level: float,
    side: float,
    average: float,
    open_price: float,
    at_open: bool,
    extreme: float,
    slippage: float,
    grid: Grid,
) -> float:
    """The price at which a stop fills, NaN while it is not touched.

    Args:
        level: of the stop.
        side: of the position that it protects.
        average: entry price of the position; a short never loses more than its margin.
        open_price: of the bar.
        at_open: whether only the open is looked at, for the stops that the bar opens beyond.
        extreme: the bar's low for a long position, its high for a short one.
        slippage, grid: as for a market order.
    """
    beyond = open_price <= level if side > 0.0 else open_price >= level
    if beyond:
        price = open_price
    elif not at_open and (extreme <= level if side > 0.0 else extreme >= level):
        price = level
    else:
        return np.nan
    price = market_price(price, -side, slippage, grid)
    return price if side > 0.0 else min(price, to_tick(liquidation_price(average), grid))


@rule
def take_price(level: float, side: float, open_price: float, at_open: bool, extreme: float, grid: Grid) -> float:
    """The price at which a profit target fills, NaN while it is not touched: a limit order, so without slippage."""
    beyond = open_price >= level if side > 0.0 else open_price <= level
    if beyond:
        return to_tick(open_price, grid)
    if not at_open and (extreme >= level if side > 0.0 else extreme <= level):
        return to_tick(level, grid)
    return np.nan


@rule
def distance_at(distance: float, price: float) -> float:
    """An exit's distance at an entry price: as it is, or the share of the price that a negative one stands for."""
    return distance if distance >= 0.0 else -distance * price
