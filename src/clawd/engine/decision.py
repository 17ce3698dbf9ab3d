"""From targets to orders: what a strategy's wanted exposures at a close mean for the next open."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats
from clawd.core.reason import Reason
from clawd.engine.plan import DISTANCES, STOP
from clawd.engine.prices import rule

#: A change of exposure below this is rounding, not a decision.
SMALLEST_CHANGE = 1e-9

_ENTRY, _INCREASE, _REDUCE, _SIGNAL, _TIME, _RUIN = (
    int(reason) for reason in (Reason.ENTRY, Reason.INCREASE, Reason.REDUCE, Reason.SIGNAL, Reason.TIME, Reason.RUIN)
)


@rule
def exposure_of(target: float) -> float:
    """A target as an exposure from -1 to 1; what is not a number is flat."""
    if target > 1.0:
        return 1.0
    if target < -1.0:
        return -1.0
    return target if target == target else 0.0


@rule
def is_renewed(position: Any, target: float, cooldown: float) -> bool:
    """Whether a side that an exit shut may be entered again: the signal was renewed, or the cooldown is over."""
    return np.sign(target) != position.shut or (cooldown > 0.0 and position.shut_bars >= cooldown)


@rule
def admitted(position: Any, ruined: bool) -> float:
    """The exposure that is wanted and may be had: nothing once ruined, and nothing on a side that is shut."""
    if ruined or (position.shut != 0.0 and np.sign(position.target) == position.shut):
        return 0.0
    return float(position.target)


@rule
def wanted_lots(exposure: float, capital: float, price: float, lot: float) -> float:
    """The signed size, in whole lots and never more than asked, of an exposure of the capital at a price."""
    return np.sign(exposure) * np.floor(abs(exposure) * capital / (price * lot))


@rule
def update_shut(position: Any, plan: Any, ruined: bool) -> None:
    """Shut the side of a position whose time has run out, and open a side that may be entered again."""
    if position.lots != 0.0 and plan.time > 0.0 and position.held >= plan.time:
        if position.shut != np.sign(position.lots):
            position.shut = np.sign(position.lots)
            position.shut_bars = 0.0
    elif position.shut != 0.0 and is_renewed(position, 0.0 if ruined else position.target, plan.cooldown):
        position.shut = 0.0


@rule
def place_orders(
    position: Any,
    plan: Any,
    exposure: float,
    close: float,
    ranges: Floats,
    i: int,
    t: int,
    capital: float,
    lot: float,
    ruined: bool,
) -> None:
    """The market orders that an exposure asks for at a close: fills ``closing`` and ``opening``.

    Args:
        exposure: wanted and admitted, a share of the capital.
        close: of the bar.
        ranges: [K, I, T], average true ranges.
        i, t: instrument and bar.
    """
    if abs(exposure - position.acted) < SMALLEST_CHANGE:
        return
    wanted = wanted_lots(exposure, capital, close, lot)
    position.closing, position.opening = 0.0, 0.0
    position.acted = exposure
    held = position.lots
    if held != 0.0 and (wanted == 0.0 or np.sign(wanted) != np.sign(held)):
        position.closing = -held
        position.closing_reason = _RUIN if ruined else _TIME if position.shut == np.sign(held) else _SIGNAL
    elif abs(wanted) < abs(held):
        position.closing = wanted - held
        position.closing_reason = _REDUCE
        return
    if wanted == 0.0 or wanted == held:
        return
    if np.sign(wanted) == np.sign(held):
        if position.taken > 0.0:
            return  # what a target took is not bought back
        if np.sign(held) * (close - position.average) < 0.0:
            position.acted = np.nan  # no adding to a loser: asked again at the next bar
            return
        position.opening = wanted - held
        position.opening_reason = _INCREASE
    else:
        stop = distance_of(plan, STOP, ranges, i, t)
        if stop == 0.0 or stop != stop:
            position.acted = np.nan  # no stop, no entry
            return
        position.opening = wanted
        position.opening_reason = _ENTRY
        for place in range(DISTANCES):
            position.distances[place] = distance_of(plan, place, ranges, i, t)
    position.reference = close


@rule
def distance_of(plan: Any, place: int, ranges: Floats, i: int, t: int) -> float:
    """A distance at a close: multiples of its average true range, or minus a share of the price, or 0 for none."""
    size = plan.size[place]
    if size == 0.0:
        return 0.0
    window = plan.window[place]
    return size * ranges[window, i, t] if window >= 0 else -size


@rule
def decide(
    positions: NDArray[np.void],
    plan: Any,
    close: Floats,
    present: NDArray[np.bool_],
    ranges: Floats,
    t: int,
    capital: float,
    lot: Floats,
    ruined: bool,
) -> None:
    """Turn the targets of a closed bar into market orders for the next.

    Args:
        positions: [I] of :data:`~clawd.engine.position.POSITION`, each with its latest target.
        plan: of :data:`~clawd.engine.plan.PLAN`.
        close: [I, T].
        present: [I, T], whether the instrument has the bar; without one nothing is decided.
        ranges: [K, I, T], average true ranges.
        t: the bar.
        capital: the agent's capital in quote currency.
        lot: [I], lot sizes.
        ruined: true when the capital is lost: everything is closed.

    Gross exposure never exceeds the capital: if the targets add up to more than 1, all are scaled down alike.
    """
    count = positions.size
    gross = 0.0
    for i in range(count):
        if present[i, t]:
            update_shut(positions[i], plan, ruined)
        gross += abs(admitted(positions[i], ruined))
    for i in range(count):
        if present[i, t]:
            exposure = admitted(positions[i], ruined)
            if gross > 1.0:
                exposure /= gross
            place_orders(positions[i], plan, exposure, close[i, t], ranges, i, t, capital, lot[i], ruined)
