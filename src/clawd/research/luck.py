"""What luck alone would show to whoever tries so many strategies: the best of N draws without any edge.

The per-bar Sharpe ratio of a strategy whose true ratio is 0 is spread by 1/√(T-1) over T bars that do not depend on one
another, whatever the shape of its returns: in the variance of a Sharpe ratio skew and kurtosis are multiplied by the
ratio (Mertens 2002; Bailey and López de Prado 2012). Of N such strategies that have nothing to do with one another the
best is expected at that times E[max_N], by quadrature here, as the normal law has it. Strategies that are alike, and
costs, make luck show less, and such as mirror one another more: this is a ruler and no test. The test is the deflated
Sharpe ratio, which is a gate.

N is every distinct trial of the ledger, as for that gate. What is tried on all bars of a search are the few that did
well on a part of them, so their own number would undercharge.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from clawd.evidence.maximum import exact_expected_maximum
from clawd.evidence.sharpe import NORMAL
from clawd.store.ledger import Conditions
from clawd.store.trial_list import Best, TrialList, TrialRow

#: Of a hundred homes without an edge the best of N lies below in 5, and above in 5.
LOW, HIGH = 0.05, 0.95
_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class LuckOf:
    """The best of so many strategies without an edge, as annual Sharpe ratios.

    Attributes:
        trials: N.
        expected: its expectation.
        low, high: quantiles of its law at :data:`LOW` and :data:`HIGH`.
    """

    trials: int
    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Luck:
    """The trials on the same bars at the same costs, and what luck alone would show of as many.

    Attributes:
        conditions: what they share.
        trials: how many there are.
        bars: T, of the best of them.
        bars_per_year: by which ratios are annualised.
        best: the one with the highest Sharpe ratio.
        own: what luck shows of as many as these.
        charged: what it shows of as many as there are in the ledger: what the best is to be held against.
        curve: what it shows of fewer and of more.
    """

    conditions: Conditions
    trials: int
    bars: int
    bars_per_year: float
    best: TrialRow
    own: LuckOf
    charged: LuckOf
    curve: tuple[LuckOf, ...]


def read_luck(path: Path, distinct: int) -> tuple[Luck, ...]:
    """What luck alone would show, for the bars on which most was traded.

    Args:
        path: of the ledger, which is there.
        distinct: how many distinct trials it has.
    """
    with TrialList.open(path) as trials:
        return tuple(found for each in trials.best(_MOST) if (found := _luck(each, distinct)) is not None)


def _luck(tried: Best, distinct: int) -> Luck | None:
    best = tried.best
    scale = None if best is None else bars_per_year(best)
    if best is None or scale is None or best.bars < 2:
        return None
    spread = math.sqrt(scale / (best.bars - 1))
    distinct = max(distinct, tried.trials)
    return Luck(
        tried.conditions,
        tried.trials,
        best.bars,
        scale,
        best,
        luck_of(tried.trials, spread),
        luck_of(distinct, spread),
        tuple(luck_of(trials, spread) for trials in _counts(distinct)),
    )


def bars_per_year(trial: TrialRow) -> float | None:
    """By how many bars a year a trial's ratio was annualised, None where that cannot be told."""
    if not trial.sharpe or not trial.mean or not trial.sd:
        return None
    return (trial.sharpe * trial.sd / trial.mean) ** 2


def luck_of(trials: int, spread: float) -> LuckOf:
    """The best of N independent draws of a normal law around 0.

    Args:
        trials: N, at least 1.
        spread: its standard deviation, of annual ratios.
    """
    low, high = (spread * NORMAL.inv_cdf(share ** (1 / trials)) for share in (LOW, HIGH))
    return LuckOf(trials, spread * _expected_maximum(trials), low, high)


_expected_maximum = cache(exact_expected_maximum)


def _counts(most: int) -> Iterator[int]:
    """1, 2, 5, 10, 20, ... to ten times as many as there are, and that number itself."""
    counts = {most}
    step = 1
    while step <= 10 * most:
        counts |= {step, 2 * step, 5 * step}
        step *= 10
    yield from sorted(count for count in counts if count <= 10 * most)
