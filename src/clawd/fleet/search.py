"""COLD to WARM: every candidate is backtested on the search window, counted as a trial, and ranked.

No claim is made for those that come out on top: paper costs nothing but a slot. Their evidence begins afterwards, on
bars that they were not chosen on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from clawd.cluster.trials import trial_of_backtest
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.engine.backtest import Backtest, market_of, trade
from clawd.engine.runtime import Decisions, Runtime
from clawd.language.strategy import Strategy
from clawd.store.trial import Trial

#: Net returns that move together more than this are the same bet.
CLOSEST_CORRELATION = 0.95


@dataclass(frozen=True, eq=False)
class Candidate:
    """A strategy on the search window.

    Attributes:
        strategy: what was tried.
        result: at the costs in force, None where it does not fit the market.
        stressed: at twice the costs.
        rejection: why it may not take a slot, None for a finalist.
    """

    strategy: Strategy
    result: Backtest | None
    stressed: Backtest | None
    rejection: str | None

    @property
    def sharpe(self) -> float:
        """Annual Sharpe ratio at the costs in force, NaN where it did not trade."""
        return self.result.metrics.sharpe if self.result else math.nan

    @property
    def stressed_sharpe(self) -> float:
        """The same at twice the costs."""
        return self.stressed.metrics.sharpe if self.stressed else math.nan


def search(
    strategies: Sequence[Strategy], panel: Panel, last: int, costs: Costs, capital: Decimal
) -> Iterator[Candidate]:
    """Backtest strategies on the bars before ``last``, one after another."""
    window = panel.between(0, last)
    for strategy in strategies:
        try:
            part = market_of(strategy, window)
            runtime = Runtime([strategy], part)
            decisions = runtime.advance(part)[0]
        except ClawdError as error:
            yield Candidate(strategy, None, None, str(error))
            continue
        read = int(part.present.sum())
        result = trade(strategy, runtime.windows, decisions, part, costs, capital, read)
        stressed = trade(strategy, runtime.windows, decisions, part, costs.times(2), capital, read)
        yield Candidate(strategy, result, stressed, _objection(strategy, part, decisions, result, stressed))


def _objection(
    strategy: Strategy, panel: Panel, decisions: Decisions, result: Backtest, stressed: Backtest
) -> str | None:
    if not result.fills:
        return "it never traded"
    if not result.metrics.sharpe > 0:
        return "it lost money"
    if not stressed.metrics.sharpe > 0:
        return "it loses money at twice the costs"
    if not _causal(strategy, panel, decisions):
        return "it is not causal"
    return None


def _causal(strategy: Strategy, panel: Panel, decisions: Decisions) -> bool:
    """Whether the decisions before a cut are what they were when the bars after it did not exist."""
    cut = 2 * panel.times.size // 3
    again = Runtime([strategy], panel).advance(panel.between(0, cut))[0]
    return np.array_equal(again.targets, decisions.targets[:, :cut], equal_nan=True)


def ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates, best Sharpe ratio first, those that move like a better one rejected."""
    order = sorted(candidates, key=lambda each: (each.rejection is not None, -_rankable(each.sharpe)))
    chosen: list[Candidate] = []
    result: list[Candidate] = []
    for candidate in order:
        if candidate.rejection is None:
            twin = next((other for other in chosen if _alike(candidate, other)), None)
            if twin is None:
                chosen.append(candidate)
            else:
                candidate = replace(candidate, rejection=f"it moves like {twin.strategy.name}")  # noqa: PLW2901
        result.append(candidate)
    return result


def _rankable(sharpe: float) -> float:
    return -math.inf if math.isnan(sharpe) else sharpe


def _alike(candidate: Candidate, other: Candidate) -> bool:
    if candidate.result is None or other.result is None:
        return False
    correlation = np.corrcoef(candidate.result.net_returns, other.result.net_returns)[0, 1]
    return bool(correlation > CLOSEST_CORRELATION)


def trial_of(result: Backtest, fingerprint: str, author: str, recorded_at: int) -> Trial:
    """The ledger's record of a backtest of a strategy that was written before."""
    return trial_of_backtest(result, fingerprint, author, recorded_at, origin="file")
