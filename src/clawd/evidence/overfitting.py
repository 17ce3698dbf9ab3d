"""The probability of backtest overfitting, by combinatorially symmetric cross-validation.

Time is cut into S stretches. For each of the C(S, S/2) ways to call one half of them the past: which trial was the
best there, and where does it stand among all in the other half? If picking the best means anything, it stands above
the middle; the probability of overfitting is the share of ways in which it does not.

It judges the picking, not the pick: on noise it is about 1/2 on average, but from one sample of noise to the next it
wanders between 0.2 and 0.8, so that a low value alone proves nothing.

Reference: Bailey, Borwein, López de Prado and Zhu, "The probability of backtest overfitting", Journal of
Computational Finance 20 (2017).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from clawd.core.panel import Floats
from clawd.evidence.segments import Segments, Unions

_CELLS: Final = 1 << 15  # ratios held at a time: more would leave the cache, and be six times slower


@dataclass(frozen=True, slots=True, eq=False)
class Overfitting:
    """What happened to the best of one half of the time in the other half, over all C halvings.

    Attributes:
        probability: PBO, the share of halvings in which the best did not come out above the middle (λ ≤ 0).
        logits: float64 [C], λ = ln(w / (1 - w)) with w = rank / (N + 1), ranks from 1, the worst, ties averaged.
        slope: least squares of what the best then did on what it had done; below 0, the better the past looked,
            the worse the future was. NaN where the past never varied.
        loss: the share of halvings in which the best then lost money.
        trials: N.
    """

    probability: float
    logits: Floats
    slope: float
    loss: float
    trials: int


def probability_of_overfitting(
    segments: Segments, groups: int = 10, metric: Literal["sharpe", "mean"] = "sharpe"
) -> Overfitting:
    """PBO of picking the best of N trials.

    Args:
        segments: of all trials that were picked from; returns [T, N] become such by ``Segments.of(returns, groups)``.
        groups: S, even; the segments are put together into as many. 10 make 252 halvings, 16 make 12,870.
        metric: what the best is the best in. A ratio that does not exist counts as 0.

    Returns:
        The probability and what it is made of; all NaN for fewer than two trials. Of trials that are equally good
        the first is picked, so that their order should be canonical.

    Raises:
        ValueError: when the number of groups is odd or above that of the segments.
    """
    if groups < 2 or groups % 2:
        raise ValueError(f"time is halved into an even number of groups, not {groups}")
    parts = segments.grouped(groups)
    trials = len(parts.sums)
    halves = math.comb(groups, groups // 2)
    if trials < 2:
        return Overfitting(math.nan, np.full(halves, math.nan), math.nan, math.nan, trials)
    measure = parts.sharpes if metric == "sharpe" else parts.means
    past, future, ranks = np.empty(halves), np.empty(halves), np.empty(halves)
    done = 0
    for chosen in _halvings(groups, max(1, _CELLS // trials)):
        before, after = np.nan_to_num(measure(chosen)), np.nan_to_num(measure(~chosen))
        best, here = before.argmax(axis=0), slice(done, done + len(chosen))
        ways = np.arange(len(chosen))
        past[here], future[here] = before[best, ways], after[best, ways]
        ranks[here] = (after < future[here]).sum(axis=0) + ((after == future[here]).sum(axis=0) + 1) / 2
        done += len(chosen)
    logits = np.log(ranks / (trials + 1 - ranks))
    return Overfitting(float(np.mean(logits <= 0)), logits, _slope(past, future), float(np.mean(future < 0)), trials)


def _halvings(groups: int, at_once: int) -> Iterator[Unions]:
    """bool [<= at_once, S], a row for every way to choose half of the groups, in lexicographic order."""
    ways = itertools.combinations(range(groups), groups // 2)
    while some := list(itertools.islice(ways, at_once)):
        chosen = np.zeros((len(some), groups), dtype=np.bool_)
        np.put_along_axis(chosen, np.array(some), True, axis=1)
        yield chosen


def _slope(past: Floats, future: Floats) -> float:
    centred = past - past.mean()
    spread = float(centred @ centred)
    return float(centred @ (future - future.mean())) / spread if spread > 0 else math.nan
