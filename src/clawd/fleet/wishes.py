"""From what an agent has decided to what it says that it wants."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clawd.core.events import Wish

#: What `decide` may change of a position; the rest follows from fills and bars.
_DECIDED: Final = ("acted", "shut", "closing", "closing_reason", "opening", "opening_reason")


def enter_nothing(before: NDArray[np.void], after: NDArray[np.void]) -> None:
    """Take the entries out of what an agent has decided. It is asked again at every bar, until it may enter."""
    entering = after["opening"] != 0.0
    after["opening"][entering] = 0.0
    after["opening_reason"][entering] = before["opening_reason"][entering]
    after["acted"][entering] = np.nan


def same(before: np.void, after: np.void) -> bool:
    return all(before[name] == after[name] or (np.isnan(before[name]) and np.isnan(after[name])) for name in _DECIDED)


def wish_of(symbol: str, position: np.void) -> Wish:
    acted = float(position["acted"])
    return Wish(
        symbol=symbol,
        exposure=None if np.isnan(acted) else acted,
        shut=int(position["shut"]),
        closing=float(position["closing"]),
        closing_reason=int(position["closing_reason"]),
        opening=float(position["opening"]),
        opening_reason=int(position["opening_reason"]),
        reference=float(position["reference"]),
        distances=[_known(distance) for distance in position["distances"]] if position["opening"] else [],
    )


def _known(distance: float) -> float:
    """A distance that is not known is none, to the gate and in the journal, which holds no NaN."""
    return float(distance) if np.isfinite(distance) else 0.0
