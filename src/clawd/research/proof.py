"""How the proof of a claim has come about: its level and where that comes from, and its wealth bar by bar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clawd.core.clock import parse_duration
from clawd.core.panel import Floats
from clawd.evidence.eprocess import log_wealth
from clawd.evidence.levels import FALSE_DISCOVERY_RATE, level, share
from clawd.reports.periods import periods
from clawd.reports.thinning import MOST_POINTS, kept_places
from clawd.store.registry import Bet, Hypothesis

_MOST_PERIODS: Final = 24
#: What a float can hold, with room to spare: nobody's wealth comes near.
_MOST_LOG: Final = 700.0


@dataclass(frozen=True, slots=True)
class Level:
    """Why a claim has to reach what it has to: e-LOND (Xu and Ramdas 2024), α_k = α γ_k (R_k + 1).

    Attributes:
        number: k, its place among all claims of the home.
        promotions_before: R_k.
        alpha: the false discovery rate that is kept.
        share: γ_k = 1 / (k (k + 1)).
        level: α_k.
        wealth_to_reach: 1 / α_k.
    """

    number: int
    promotions_before: int
    alpha: float
    share: float
    level: float
    wealth_to_reach: float


def level_of(hypothesis: Hypothesis) -> Level:
    """The level of a claim with the numbers that it follows from."""
    number, before = hypothesis.number, hypothesis.promotions_before
    return Level(number, before, FALSE_DISCOVERY_RATE, share(number), level(number, before), hypothesis.wealth_to_reach)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The wealth of a claim over time: 1 at the open of its first bar, then after each bar that was bet on.

    Attributes:
        times: int64 [P], UTC nanoseconds: a bar is known when it closes.
        log_wealth: float64 [P], natural logarithms; -inf where everything is lost.
        bars: how many bars there are; P is smaller where there are too many to be drawn.
    """

    times: NDArray[np.int64]
    log_wealth: Floats
    bars: int

    @property
    def wealth(self) -> list[float | None]:
        """The wealth itself, None where it is 0 and so stands on no logarithmic scale."""
        logs = np.minimum(self.log_wealth, _MOST_LOG)
        return [math.exp(log) if log > -math.inf else None for log in logs.tolist()]


def curve_of(hypothesis: Hypothesis, bets: Sequence[Bet], most: int = MOST_POINTS) -> Curve:
    """The curve of a claim; of more points than wanted the extremes are kept, and both ends.

    Args:
        hypothesis: whose.
        bets: all of its bars, in order of time.
        most: points at most, at least 4.
    """
    if not bets:
        return Curve(np.array([hypothesis.counts_from], np.int64), np.zeros(1), 0)
    opens, returns, bounds = (np.array(column) for column in zip(*bets, strict=True))
    times = np.concatenate(([opens[0]], opens.astype(np.int64) + bar_of(hypothesis.market)))
    logs = np.concatenate(([0.0], log_wealth(returns.astype(np.float64), bounds.astype(np.float64))))
    kept = kept_places([logs], most)
    return Curve(times[kept], logs[kept], len(bets))


def bar_of(market: str) -> int:
    """The size of the bars of a market of the registry, such as ``1d BTC,ETH``, nanoseconds."""
    return parse_duration(market.split(" ", 1)[0])


@dataclass(frozen=True, slots=True)
class Stretch:
    """The bars of a span of the calendar.

    Attributes:
        name: such as ``Mar 2008``.
        bars: that were bet on.
        net_return: their sum, a share of the capital.
        log_wealth: natural logarithm of the wealth after the last of them.
    """

    name: str
    bars: int
    net_return: float
    log_wealth: float


def stretches_of(bets: Sequence[Bet]) -> tuple[Stretch, ...]:
    """The bars of a claim by spans of the calendar, at most two dozen of them."""
    if not bets:
        return ()
    opens, returns, bounds = (np.array(column) for column in zip(*bets, strict=True))
    logs = log_wealth(returns.astype(np.float64), bounds.astype(np.float64))
    return tuple(
        Stretch(
            span.name, span.last - span.first, float(returns[span.first : span.last].sum()), float(logs[span.last - 1])
        )
        for span in periods(opens.astype(np.int64), _MOST_PERIODS)
    )
