"""COLD to WARM: every candidate is backtested on the search window, counted as a trial, and ranked.

No claim is made for those that come out on top: paper costs nothing but a slot. Their evidence begins afterwards, on
bars that they were not chosen on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from clawd.cluster.trials import trial_of_backtest
from clawd.core.costs import Costs
from clawd.core.panel import Panel
from clawd.engine.backtest import Backtest
from clawd.language.strategy import Strategy
from clawd.research import finalists
from clawd.research.finalists import Candidate, candidate
from clawd.store.trial import Trial

#: Net returns that move together more than this are the same bet.
CLOSEST_CORRELATION = 0.95


def search(
    strategies: Sequence[Strategy], panel: Panel, last: int, costs: Costs, capital: Decimal
) -> Iterator[Candidate]:
    """Backtest strategies on the bars before ``last``, one after another."""
    window = panel.between(0, last)
    for strategy in strategies:
        yield candidate(strategy, window, costs, capital)


def ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates, best Sharpe ratio first, those that move like a better one rejected."""
    return finalists.ranked(candidates, CLOSEST_CORRELATION, mirrored=False)


def trial_of(result: Backtest, fingerprint: str, author: str, recorded_at: int) -> Trial:
    """The ledger's record of a backtest of a strategy that was written before."""
    return trial_of_backtest(result, fingerprint, author, recorded_at, origin="file")
