"""The exits of a strategy as one record of numbers, which is what compiled code reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clawd.language.exits import Distance, Exits

#: Profit targets that a position can have.
TARGETS = 4

#: Places of the distances: stop, trailing stop, chandelier, break-even, and the profit targets from TAKE on.
STOP, TRAIL, CHANDELIER, BREAK_EVEN, TAKE = 0, 1, 2, 3, 4
DISTANCES = TAKE + TARGETS

#: The exits of a strategy.
PLAN = np.dtype(
    [
        # Of each distance: multiples of an average true range, or a share of the entry price; 0 where there is none.
        ("size", np.float64, (DISTANCES,)),
        ("window", np.int64, (DISTANCES,)),  # which of the average true ranges, -1 for a share of the price
        ("share", np.float64, (TARGETS,)),  # of the position that a target closes
        ("decay", np.float64, (TARGETS,)),  # bars until a target has come to the entry price, 0 for never
        ("targets", np.int64),  # how many there are
        ("whole", np.bool_),  # whether the targets together close the whole position
        ("time", np.float64),  # bars after which a position is closed, 0 for never
        ("cooldown", np.float64),  # bars after which a shut side opens again, 0 for only with the signal
    ],
    align=True,
)


def plan_of(exits: Exits, windows: Sequence[int]) -> np.void:
    """The exits as a record of :data:`PLAN`.

    Args:
        exits: of a strategy.
        windows: of the average true ranges [K, I, T] that will be handed to the simulator with it, in their order.

    Raises:
        ValueError: when ``windows`` lacks one that the exits use.
    """
    plan = np.zeros(1, PLAN)[0]
    plan["window"] = -1
    singles: tuple[Distance | None, ...] = (exits.stop, exits.trail, exits.chandelier, exits.break_even)
    for place, distance in enumerate((*singles, *(target.distance for target in exits.take))):
        if distance is not None:
            plan["size"][place] = distance.size / 100.0 if distance.window is None else distance.size
            plan["window"][place] = -1 if distance.window is None else list(windows).index(distance.window)
    for place, target in enumerate(exits.take):
        plan["share"][place] = target.share
        plan["decay"][place] = target.decay or 0
    plan["targets"] = len(exits.take)
    plan["whole"] = exits.takes_all
    plan["time"] = exits.time or 0
    plan["cooldown"] = exits.cooldown or 0
    return plan
