"""How far a trade went for and against whoever held it, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from clawd.backtests.excursion import excursion
from clawd.core.reason import Reason
from clawd.engine.trades import RoundTrip

OPEN = np.array([99.0, 100.0, 103.0, 107.0, 98.0])
HIGH = np.array([99.5, 104.0, 110.0, 120.0, 99.0])
LOW = np.array([98.0, 97.0, 102.0, 90.0, 80.0])


def trip(side: int, exit_: float | None, reason: Reason | None) -> RoundTrip:
    return RoundTrip("A", side, 1, None if exit_ is None else 3, 100.0, exit_, 1.0, 0.0, reason)


@pytest.mark.parametrize(
    ("side", "exit_", "reason", "closed", "best", "worst"),
    [
        # Closed at the open of bar 3: of that bar nothing but the exit was seen.
        (1, 107.0, Reason.SIGNAL, 3, 0.10, -0.03),
        # Stopped within bar 3: whether its high of 120 came before is not known; its open and the exit are.
        (1, 95.0, Reason.STOP, 3, 0.10, -0.05),
        (1, 115.0, Reason.TAKE, 3, 0.15, -0.03),
        # A short: what falls is for it.
        (-1, 107.0, Reason.SIGNAL, 3, 0.03, -0.10),
        # Entered at an open and stopped within the same bar.
        (1, 97.5, Reason.STOP, 1, 0.0, -0.025),
        # Still open: all bars until the end.
        (1, None, None, None, 0.20, -0.20),
    ],
)
def test_excursions(
    side: int, exit_: float | None, reason: Reason | None, closed: int | None, best: float, worst: float
) -> None:
    found = excursion(trip(side, exit_, reason), 1, closed, OPEN, HIGH, LOW)
    assert found == pytest.approx((best, worst))


def test_missing_bars_are_not_seen() -> None:
    high, low = HIGH.copy(), LOW.copy()
    high[2] = low[2] = np.nan
    assert excursion(trip(1, 107.0, Reason.SIGNAL), 1, 3, OPEN, high, low) == pytest.approx((0.07, -0.03))
