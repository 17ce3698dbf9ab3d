"""The best of many, and how good the best of so many would look by luck alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clawd.cluster.study import Result
from clawd.evidence.sharpe import expected_maximum


@dataclass(frozen=True, slots=True)
class Ranking:
    """Results by their Sharpe ratio.

    Attributes:
        results: those that have one, the best first; of equals, the one asked for first.
        trials: all that were tried, those that never traded included.
        spread: standard deviation of the annual Sharpe ratios between the trials, NaN for fewer than two.
        by_luck: the annual Sharpe ratio to expect of the best, were none of them better than nothing: the spread times
            the expected maximum of so many independent draws. Trials of one family are not independent, so the true
            one is lower.
    """

    results: tuple[Result, ...]
    trials: int
    spread: float
    by_luck: float


def ranking(results: Sequence[Result]) -> Ranking:
    """Rank results; those that failed were no trials."""
    tried = [result for result in results if result.metrics is not None]
    rated = [(result.metrics.sharpe, result) for result in tried if result.metrics is not None]
    rated = [(sharpe, result) for sharpe, result in rated if not math.isnan(sharpe)]
    spread = float(np.std([sharpe for sharpe, _ in rated], ddof=1)) if len(rated) > 1 else math.nan
    best = sorted(rated, key=lambda each: -each[0])
    return Ranking(
        results=tuple(result for _, result in best),
        trials=len(tried),
        spread=spread,
        by_luck=spread * expected_maximum(len(tried)) if tried else math.nan,
    )
