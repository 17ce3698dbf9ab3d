"""How far a trade went for and against whoever held it."""

from __future__ import annotations

import math

import numpy as np

from clawd.core.panel import Floats
from clawd.core.reason import Reason
from clawd.engine.trades import RoundTrip

#: Exits that happen within a bar and not at its open.
_WITHIN = (Reason.STOP, Reason.TRAIL, Reason.CHANDELIER, Reason.BREAK_EVEN, Reason.TAKE)


def excursion(
    trip: RoundTrip, opened: int, closed: int | None, open_: Floats, high: Floats, low: Floats
) -> tuple[float, float]:
    """The most favourable and the most adverse excursion of a trade, shares of its average entry price.

    They are taken over what is known to have been seen while it was held: the entry, the bars from that of the entry
    to the one before the exit, the open of the exit's bar where the exit came later, and the exit itself. What else
    happened within the exit's bar may have come after it, and is left out.

    Args:
        trip: the trade.
        opened, closed: indices of the bars of its first and its last fill; closed is None while it is open.
        open_, high, low: float64 [T] of its instrument, NaN where a bar is missing.

    Returns:
        The favourable one, at least 0, and the adverse one, at most 0.
    """
    until = open_.size if closed is None else closed
    prices = [trip.entry, *high[opened:until].tolist(), *low[opened:until].tolist()]
    if closed is not None:
        if trip.reason in _WITHIN and closed > opened:
            prices.append(float(open_[closed]))
        prices.append(float("nan") if trip.exit is None else trip.exit)
    known = np.array([price for price in prices if not math.isnan(price)])
    moves = trip.side * (known / trip.entry - 1.0)
    return max(float(moves.max()), 0.0), min(float(moves.min()), 0.0)
