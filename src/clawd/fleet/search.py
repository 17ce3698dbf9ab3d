"""COLD to WARM: every candidate is backtested on the search window, counted as a trial, and ranked.

No claim is made for those that come out on top: paper costs nothing but a slot. Their evidence begins afterwards, on
bars that they were not chosen on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from clawd import __version__
from clawd.core.costs import Costs
from clawd.core.panel import Panel
from clawd.engine.backtest import Backtest
from clawd.evidence.sharpe import moments
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
    """The ledger's record of a backtest."""
    shape = moments(result.net_returns)
    metrics = result.metrics
    return Trial(
        content_hash=result.strategy.content_hash,
        family_hash=result.strategy.family_hash,
        data_fingerprint=fingerprint,
        first_ts=int(result.panel.times[0]),
        last_ts=int(result.panel.times[-1]),
        fee=float(result.costs.fee),
        slippage=float(result.costs.slippage),
        author=author,
        name=result.strategy.name,
        recorded_at=recorded_at,
        code_version=__version__,
        bars=metrics.bars,
        trades=metrics.trades,
        sharpe=metrics.sharpe,
        mean=shape.mean,
        sd=shape.sd,
        skew=shape.skew,
        kurtosis=shape.kurtosis,
        total_return=metrics.total_return,
        max_drawdown=metrics.max_drawdown,
        turnover=metrics.turnover,
    )
