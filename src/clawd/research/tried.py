"""What a search has tried, as the gates need it: how many, how far luck spreads them, and what could be picked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from clawd.core.costs import Costs
from clawd.core.panel import Panel
from clawd.evidence.effective_trials import cluster, spread_of_luck
from clawd.evidence.segments import Segments
from clawd.research.finalists import Candidate
from clawd.store.ledger import MOST_ROWS, Conditions, Ledger, SegmentMatrix

#: Net returns over segments that move together so much are one behaviour.
ONE_BEHAVIOUR: Final = 0.9
_SEGMENTS: Final = 60


@dataclass(frozen=True, eq=False)
class Tried:
    """What was tried.

    Attributes:
        trials: N, all distinct trials of the ledger, on whatever data and of whomever.
        spread: of their Sharpe ratios per bar by luck, over as many bars as the search has.
        pool: what could have been picked, a row for each behaviour; the finalists among them.
    """

    trials: int
    spread: float
    pool: Segments


def tried_on(
    ledger: Ledger,
    finalists: Sequence[Candidate],
    panel: Panel,
    fingerprint: str,
    costs: Costs,
    *,
    most: int = MOST_ROWS,
) -> Tried:
    """What the ledger knows of the search that some finalists came from.

    Args:
        ledger: of the home.
        finalists: at least one, each with a result on all bars of the panel.
        panel, fingerprint: the author's market.
        costs: of the search.
        most: trials that are held against each other at most.
    """
    trials = max(ledger.distinct(), len(finalists))
    times = panel.times
    known = ledger.segments(
        Conditions(fingerprint, int(times[0]), int(times[-1]), float(costs.fee), float(costs.slippage)), most=most
    )
    pool = _pool(known, finalists)
    return Tried(trials, _spread(pool if known is None else _segments(known), times.size), pool)


def _spread(every: Segments, bars: int) -> float:
    """How far luck spreads Sharpe ratios per bar across what was tried, whatever the true ratios are.

    The plain spread of the ratios would be that of luck if no strategy had an edge. Where one is there to be found,
    a search finds it in many guises: on a market with an edge of Sharpe ratio 4 the ratios of an evolution spread 2.4
    times as far as luck spreads them, and the deflated ratio of the edge itself was 0.6, for it was charged for being
    true. So the spread is that of half the difference between a strategy's ratios in the odd and in the even
    segments of time: the true ratio cancels, and what luck does, fat tails and all, has the spread that it has in the
    ratio over all bars. On noise the two are the same.
    """
    odd = np.arange(every.counts.size) % 2 == 1
    ratios = every.sharpes(np.stack([odd, ~odd]))
    halves = np.where((every.squares > 0).any(axis=1), (ratios[:, 0] - ratios[:, 1]) / 2, np.nan)
    return spread_of_luck(halves, cluster(every.sums, ONE_BEHAVIOUR), bars)


def _segments(known: SegmentMatrix) -> Segments:
    return Segments(known.returns, known.squares, known.bars)


def _pool(known: SegmentMatrix | None, finalists: Sequence[Candidate]) -> Segments:
    """What the search could have picked: one strategy for each behaviour among all that made money, costs paid.

    Among the finalists alone the probability of overfitting would ask which of the best is the best, and where
    several share one true edge the answer is a coin's. Among everything that was tried it would be let off lightly:
    most strategies lose their costs in every half of the time, and whatever does not lies above their middle.
    """
    returns = np.array([each.result.net_returns for each in finalists if each.result is not None])
    if known is None:
        return Segments.of(returns.T, _SEGMENTS)
    edges = np.cumsum(known.bars)[:-1]
    starts = np.concatenate(([0], edges)).astype(np.int64)
    names = {each.strategy.content_hash for each in finalists}
    others = [row for row, name in enumerate(known.content_hashes) if name not in names]
    every = Segments(
        np.concatenate([np.add.reduceat(returns, starts, axis=1), known.returns[others]]),
        np.concatenate([np.add.reduceat(returns**2, starts, axis=1), known.squares[others]]),
        known.bars,
    )
    earned = np.flatnonzero(every.sums.sum(axis=1) > 0)
    # The finalists come first, so a behaviour that one of them has is represented by him.
    _, first = np.unique(cluster(every.sums[earned], ONE_BEHAVIOUR), return_index=True)
    kept = earned[np.sort(first)]
    return Segments(every.sums[kept], every.squares[kept], every.counts)
