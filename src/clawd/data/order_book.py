"""Features of a limit order book: pure functions of its best levels.

Sizes are in base units. Unknown is NaN, never a guess: a level that is not there, a side with nothing at its best
price, a book whose best bid is not below its best ask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats

DEPTH = 10  # levels of each side that the deepest feature looks at


@dataclass(frozen=True, eq=False)
class Levels:
    """The best levels of a book at N moments, the best first.

    Attributes:
        times: int64 [N], UTC nanoseconds, never falling: when the book was known to be so.
        bid, ask: float64 [N, L], prices; bids fall and asks rise from level to level; NaN where there is none.
        bid_size, ask_size: float64 [N, L], base units.
    """

    times: NDArray[np.int64]
    bid: Floats
    bid_size: Floats
    ask: Floats
    ask_size: Floats


def features(levels: Levels) -> dict[str, Floats]:
    """The features that books of this depth have, float64 [N] each.

    - ``imbalance1``, ``imbalance5``: (B - A) / (B + A), where B and A are the sizes of the best 1 or 5 bids and
      asks; from -1 (only sellers) to 1. Cartea, Jaimungal and Penalva, Algorithmic and High-Frequency Trading
      (2015), chapter 12, volume order imbalance.
    - ``microprice_dev``: microprice / mid - 1, where the microprice weighs the best ask with the best bid's
      share of their sizes and the bid with the rest, so that it leans to the side that is thinner. It lies
      between bid and ask. Gatheral and Oomen, Zero-intelligence realized variance estimation (2010); it is the
      weighted mid that Stoikov, The micro-price (2018), starts from, not his adjusted price.
    - ``spread_bps``: (ask - bid) / mid in hundredths of a percent, above 0.
    - ``depth_ratio``: B / A over the best 10 levels, above 0; 1 is a book of equal sides.

    ``imbalance5`` needs 5 levels of each side, ``depth_ratio`` 10; they are left out where no book has so many,
    and NaN in a book that has fewer.
    """
    sound = (levels.bid[:, 0] < levels.ask[:, 0]) & (levels.bid_size[:, 0] > 0) & (levels.ask_size[:, 0] > 0)
    bid, ask = np.where(sound, levels.bid[:, 0], np.nan), np.where(sound, levels.ask[:, 0], np.nan)
    mid = (bid + ask) / 2
    imbalance = _imbalance(levels, 1)
    found = {
        "imbalance1": imbalance,
        "microprice_dev": imbalance / 2 * (ask - bid) / mid,
        "spread_bps": (ask - bid) / mid * 1e4,
    }
    available = levels.bid.shape[1]
    if available >= 5:
        found["imbalance5"] = _imbalance(levels, 5)
    if available >= DEPTH:
        bids, asks = _sizes(levels, DEPTH)
        found["depth_ratio"] = bids / asks
    return {name: np.where(sound, values, np.nan) for name, values in found.items()}


def _imbalance(levels: Levels, count: int) -> Floats:
    bids, asks = _sizes(levels, count)
    result: Floats = (bids - asks) / (bids + asks)
    return result


def _sizes(levels: Levels, count: int) -> tuple[Floats, Floats]:
    """What rests on the best `count` levels of either side; NaN where a side has fewer or has nothing at all."""
    bids, asks = levels.bid_size[:, :count].sum(axis=1), levels.ask_size[:, :count].sum(axis=1)
    return np.where(bids > 0, bids, np.nan), np.where(asks > 0, asks, np.nan)
