"""Which of many are best when there is more than one thing to be good at (Deb and others, NSGA-II, 2002)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats


def ranks(points: Floats) -> NDArray[np.int64]:
    """[N], the front of each point: 0 for those that nothing dominates, 1 for those that only these dominate, ...

    Args:
        points: float64 [N, M], all coordinates to be high. One point dominates another when it is nowhere lower and
            somewhere higher.
    """
    no_lower = np.asarray((points[:, None, :] >= points[None, :, :]).all(axis=2))
    dominates = no_lower & ~no_lower.T
    found = np.zeros(len(points), np.int64)
    waiting = np.ones(len(points), bool)
    front = 0
    while waiting.any():
        best = waiting & ~dominates[waiting].any(axis=0)
        found[best] = front
        waiting &= ~best
        front += 1
    return found


def crowding(points: Floats, fronts: NDArray[np.int64]) -> Floats:
    """[N], how much room each point has within its front: the sum of the distances between its neighbours, each
    coordinate scaled to the front's range; infinite at the ends."""
    room = np.zeros(len(points))
    for front in range(int(fronts.max(initial=-1)) + 1):
        members = np.flatnonzero(fronts == front)
        for values in points[members].T:
            order = np.argsort(values, kind="stable")
            span = values[order[-1]] - values[order[0]]
            room[members[order[[0, -1]]]] = np.inf
            if span > 0 and len(members) > 2:
                room[members[order[1:-1]]] += (values[order[2:]] - values[order[:-2]]) / span
    return room


def best_first(points: Floats) -> list[int]:
    """The indices of points by front, within a front by room; of equals, the one that came first."""
    fronts = ranks(points)
    room = crowding(points, fronts)
    return sorted(range(len(points)), key=lambda index: (fronts[index], -room[index], index))
