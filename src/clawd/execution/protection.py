"""The protection of a position: its exits as an object that lives whether or not its agent does.

It is one record of :data:`~clawd.engine.position.POSITION` with the exits that move it, so a level in live trading is a
level of the bar simulator: the same compiled rules make both. Each function gives a new protection and leaves the old
one as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Any, Final

import numpy as np

from clawd.core.account_events import ExitsPlanned, ExitTarget, ProtectionChanged
from clawd.core.errors import ClawdError
from clawd.core.instrument import Instrument
from clawd.core.money import booked_float, booked_price, booked_size, studied
from clawd.core.orders import Order, OrderKind
from clawd.core.reason import Reason
from clawd.engine.plan import DISTANCES, PLAN, STOP, TARGETS, plan_of
from clawd.engine.position import (
    POSITION,
    book_closing,
    book_opening,
    book_target,
    stop_level,
    stop_reason,
    target_after,
    target_lots,
)
from clawd.engine.position import after_bar as move_after_bar
from clawd.engine.prices import Grid, grid_of
from clawd.execution.exits import Exit
from clawd.language.exits import Exits, read_exits

#: A position that was entered within this part of a bar was there for the whole of it: a decision acts at the open,
#: and the way to the venue takes a moment. Of a bar that it was entered in later, only what came after counts.
WHOLE_BAR: Final = 60

#: A level within this part of a tick of the grid lies on it.
_ON_GRID: Final = 1e-4

_NO_PARTS: Final = (0.0,) * TARGETS


@dataclass(frozen=True, eq=False, slots=True)
class Protection:
    """The exits of one position of an agent.

    Attributes:
        agent, instrument: whose, and in what.
        exits: of the strategy; None for a plain stop.
        position: of :data:`~clawd.engine.position.POSITION`; never changed in place.
        bar: duration of the bars that move it, nanoseconds; 0 where none do.
        opened: venue's time of its first fill, UTC nanoseconds.
        moved: open of the last bar that moved it, UTC nanoseconds; -1 before the first.
        parts: [TARGETS], lots of each target that have filled while the rest of it still waits.
    """

    agent: str
    instrument: Instrument
    exits: Exits | None
    position: np.void
    bar: int
    opened: int
    moved: int = -1
    parts: tuple[float, ...] = _NO_PARTS

    @property
    def ended(self) -> bool:
        """Whether the position is closed. What it remembers then is which side its exits have shut."""
        return bool(self.position["lots"] == 0.0)

    @property
    def size(self) -> Decimal:
        """Signed size of the position."""
        return booked_float(float(self.position["lots"])) * self.instrument.lot

    @property
    def plan(self) -> np.void:
        """The exits as a record of :data:`~clawd.engine.plan.PLAN`."""
        return _plan(self.exits)

    @property
    def grid(self) -> Grid:
        return _grid(self.instrument.tick)

    @property
    def chandelier_window(self) -> int | None:
        """The window of the average true range that its levels hang by, None where they hang by none."""
        chandelier = self.exits.chandelier if self.exits else None
        return chandelier.window if chandelier else None

    @property
    def stop_reason(self) -> Reason:
        """Which of its stops protects it now."""
        return Reason(int(stop_reason(self.position)))

    @property
    def took(self) -> bool:
        """Whether a target has closed a part of it: what it took is not bought back."""
        return bool(self.position["taken"] > 0.0)


@lru_cache(maxsize=4096)
def _plan(exits: Exits | None) -> np.void:
    if exits is not None:
        return plan_of(exits, exits.windows)
    plan: np.void = np.zeros(1, PLAN)[0]
    plan["window"] = -1
    return plan


@lru_cache(maxsize=4096)
def _grid(tick: Decimal) -> Grid:
    grid: Grid = grid_of(studied(tick))
    return grid


def after_fill(
    held: Protection | None,
    order: Order,
    planned: ExitsPlanned | None,
    price: Decimal,
    size: Decimal,
    time: int,
    instrument: Instrument,
) -> Protection | None:
    """The protection after an order of the position's agent has traded, whole or in part.

    The first fill of an entry sets the levels from its price, those that follow make the position larger and leave the
    levels (:func:`~clawd.engine.position.book_opening`). A target that has filled in part lets its rest wait.

    Args:
        held: before the fill; None where nothing was held, or where what was held had no exits.
        order: that traded.
        planned: the exits that were written down with it; without them an entry gets the plain stop of its distance.
        price: of the fill, quote currency.
        size: signed, of the position after the fill.
        time: of the venue, UTC nanoseconds.
        instrument: with the steps of its prices and sizes.

    Returns:
        The protection, ended where the position is closed; None where what is held now has no exits: an order that
        should only have closed has opened a position, or an entry said no stop.
    """
    lots = _lots(size, instrument)
    before = float(held.position["lots"]) if held is not None else 0.0
    if held is not None and before != 0.0 and before * lots >= 0.0:
        if abs(lots) > abs(before):
            position = held.position.copy()
            book_opening(position, lots - before, studied(price), held.grid)
            return replace(held, position=position)
        return _after_closing(held, order, lots - before)
    if lots == 0.0:
        return held
    if order.kind is not OrderKind.OPENING or order.size * size < 0:
        return None
    return _opened(order, planned, lots, price, time, instrument)


def _lots(size: Decimal, instrument: Instrument) -> float:
    return float(size / instrument.lot)


def _opened(
    order: Order, planned: ExitsPlanned | None, lots: float, price: Decimal, time: int, instrument: Instrument
) -> Protection | None:
    """A new position, entered with its exits."""
    distances = np.zeros(DISTANCES)
    if planned is not None:
        distances[:] = planned.distances
    elif order.stop_distance is not None:
        distances[STOP] = studied(order.stop_distance)
    if not distances[STOP]:
        return None
    position = np.zeros(1, POSITION)[0]
    position["distances"] = distances
    exits = read_exits(planned.exits) if planned is not None else None
    protection = Protection(order.agent, instrument, exits, position, planned.bar if planned else 0, time)
    book_opening(position, lots, studied(price), protection.grid)
    return protection


def _after_closing(held: Protection, order: Order, lots: float) -> Protection:
    """The position made smaller by signed lots, or closed."""
    position, parts = held.position.copy(), list(held.parts)
    if order.kind is OrderKind.TAKE:
        place = target_of(held, order)
        rest = dict(targets_left(held)).get(place, 0.0)
        if place < 0 or (abs(lots) < rest and position["lots"] + lots != 0.0):
            position["taken"] += abs(lots)
            book_closing(position, lots, float(Reason.TAKE))
            if place >= 0:
                parts[place] += abs(lots)
        else:
            book_target(position, place, lots)
            parts[place] = 0.0
    else:
        reason = held.stop_reason if order.kind is OrderKind.STOP else order.reason
        book_closing(position, lots, float(reason))
    return replace(held, position=position, parts=tuple(parts) if position["lots"] else _NO_PARTS)


def target_of(held: Protection, order: Order) -> int:
    """The place of the target that an order is for: that whose level is nearest to the order's; -1 where none waits.

    A target that moves may meanwhile lie elsewhere than its order. Of equally near ones it is the one of its size,
    else the first.
    """
    level = order.level if order.level is not None else order.reference
    waiting = targets_left(held)
    if not waiting or level is None:
        return waiting[0][0] if waiting else -1
    asked = abs(_lots(order.size, held.instrument))

    def distance(target: tuple[int, float]) -> tuple[float, bool]:
        place, lots = target
        return abs(float(held.position["take"][place]) - studied(level)), lots + held.parts[place] != asked

    return min(waiting, key=distance)[0]


def targets_left(held: Protection) -> list[tuple[int, float]]:
    """The targets that still close something, nearest first, each by its place with its lots, not signed."""
    plan, left = held.plan, abs(float(held.position["lots"]))
    if not plan["targets"] or not left:
        return []
    # The rules know whole targets only: they are asked as if none that waits had filled in part.
    whole, filled = held.position.copy(), sum(held.parts)
    whole["lots"] += np.sign(whole["lots"]) * filled
    whole["taken"] -= filled
    found = []
    place = int(target_after(whole, plan, -1))
    while place >= 0:
        lots = min(max(float(target_lots(whole, plan, place)) - held.parts[place], 0.0), left)
        if lots:
            found.append((place, lots))
            left -= lots
        place = int(target_after(whole, plan, place))
    return found


def after_bar(
    held: Protection,
    time: int,
    high: float,
    low: float,
    close: float,
    traded: bool,
    ranges: Mapping[int, float],
) -> Protection:
    """The protection after a bar has closed: it is a bar older, and its levels have moved.

    A bar that has moved it already, or that was over when the position was entered, changes nothing, so bars may be
    told again after a restart.

    Args:
        held: before.
        time: open of the bar, UTC nanoseconds.
        high, low, close: of the bar, quote currency.
        traded: whether it had volume.
        ranges: the average true ranges at its close, by window.
    """
    if held.ended or not held.bar or time <= held.moved or time + held.bar <= held.opened:
        return held
    position = held.position.copy()
    if held.opened > time + held.bar // WHOLE_BAR:
        entry = float(position["entry"])
        high, low = max(entry, close), min(entry, close)
    window = held.chandelier_window
    average_range = np.nan if window is None else ranges.get(window, np.nan)
    move_after_bar(position, held.plan, high, low, traded, average_range, held.grid)
    return replace(held, position=position, moved=time)


def aligned(held: Protection, size: Decimal) -> Protection | None:
    """The protection of a position that the books say has another size; None where they say another side."""
    lots = _lots(size, held.instrument)
    if lots == held.position["lots"]:
        return held
    if lots * held.position["lots"] <= 0.0:
        return None
    position = held.position.copy()
    position["lots"] = lots
    return replace(held, position=position)


def exits_of(held: Protection) -> list[Exit]:
    """What must close the position: a stop for the whole of it, then its targets, nearest first."""
    instrument, position = held.instrument, held.position
    side = 1 if position["lots"] > 0.0 else -1
    stop = stop_on_grid(float(stop_level(position)), side, instrument.tick)
    exits = [Exit(OrderKind.STOP, stop, -booked_size(float(position["lots"]), instrument.lot))]
    for place, lots in targets_left(held):
        level = booked_price(float(position["take"][place]), instrument.tick)
        exits.append(Exit(OrderKind.TAKE, level, -side * booked_size(lots, instrument.lot)))
    return exits


def stop_on_grid(level: float, side: int, tick: Decimal) -> Decimal:
    """A stop's level on the grid of ticks, never further from the price: a long's goes up, a short's down."""
    nearest = booked_price(level, tick)
    if abs(studied(nearest) - level) <= _ON_GRID * studied(tick):
        return nearest
    rounding = ROUND_CEILING if side > 0 else ROUND_FLOOR
    return (booked_float(level) / tick).to_integral_value(rounding) * tick


# What is written down of it, and read back.


def to_event(held: Protection) -> ProtectionChanged:
    """The protection as a fact, with all of its memory. Floats are written as the text that reads back to them."""
    stop, *targets = exits_of(held)
    position: dict[str, str | list[str]] = {}
    for name in POSITION.names or ():
        value = held.position[name]
        position[name] = [repr(float(each)) for each in value] if value.shape else repr(float(value))
    return ProtectionChanged(
        agent=held.agent,
        symbol=held.instrument.symbol,
        stop=stop.level,
        targets=[ExitTarget(level=each.level, size=each.size) for each in targets],
        memory={
            "exits": held.exits.to_json() if held.exits else None,
            "bar": held.bar,
            "opened": held.opened,
            "moved": held.moved,
            "parts": [repr(part) for part in held.parts],
            "position": position,
        },
    )


def from_event(event: ProtectionChanged, instrument: Instrument) -> Protection:
    """The protection that was written down, to the last bit.

    Raises:
        ClawdError: when the memory is not one that :func:`to_event` writes.
    """
    memory: Any = event.memory
    try:
        position = np.zeros(1, POSITION)[0]
        for name in POSITION.names or ():
            value = memory["position"][name]
            position[name] = [float(each) for each in value] if isinstance(value, list) else float(value)
        return Protection(
            agent=event.agent,
            instrument=instrument,
            exits=None if memory["exits"] is None else read_exits(memory["exits"]),
            position=position,
            bar=int(memory["bar"]),
            opened=int(memory["opened"]),
            moved=int(memory["moved"]),
            parts=tuple(float(part) for part in memory["parts"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ClawdError(
            f"the exits of {event.agent} in {event.symbol} cannot be read: {error!r}", where="journal"
        ) from error
