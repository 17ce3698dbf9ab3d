"""Where an order stands among those of others at its price, estimated from the sizes of price levels alone.

A venue that shows only the size of a level does not say whether what was cancelled stood before us or behind us. The
models differ in nothing but that guess. Rigtorp, "Estimating order queue position" (2013), states the problem and the
proportional model; the power model is that of hftbacktest (``PowerProbQueueModel``); Moallemi and Yuan, "A model for
queue position valuation in a limit order book" (2016), say what a place is worth.
"""

from __future__ import annotations

import math


def still_ahead(ahead: int, before: int, traded: int, after: int, exponent: float | None) -> int:
    """How much stands before an order once its level is stated anew, in lots.

    Args:
        ahead: how much stood before it, trades already taken off.
        before, after: the size of the level as it was stated last, and as it is now; none of it is ours.
        traded: what was seen to trade there in between.
        exponent: None takes all cancellations to have been behind us, so that only trades bring us forward; the
            level's size is then the only other bound. This never puts us before our true place. A number x says that
            a cancellation was behind us with probability B^x / (B^x + A^x), where A is ahead and B behind: 1 takes
            both parts in proportion to their size, more takes it to be in the larger part.
    """
    if exponent is not None and ahead > 0:
        standing = max(before - traded, 0)
        cancelled = standing - after
        behind = max(standing - ahead, 0)
        if cancelled > 0:
            weight = 0.0 if behind == 0 else 1.0 / (1.0 + (ahead / behind) ** exponent)
            # What is rounded, and what the part behind cannot have lost, is counted so that we never gain by it.
            from_ahead = max(math.floor(cancelled * (1.0 - weight)), cancelled - behind)
            ahead = max(ahead - from_ahead, 0)
    return min(ahead, after)
