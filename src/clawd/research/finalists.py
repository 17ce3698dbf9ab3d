"""Who may come to a final: strategies that trade, make money, survive costs, are causal, and are not one bet twice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import Floats, Panel
from clawd.engine.backtest import Backtest, market_of, trade
from clawd.engine.runtime import Decisions, Runtime
from clawd.language.strategy import Strategy

#: Finalists of a campaign are different bets: their net returns, or the opposite ones, do not move together so much.
CLOSEST_CORRELATION = 0.7
#: A strategy whose largest gross exposure stays below this share of its capital would hold a slot for nothing: a ratio
#: can be high on a few cents, wealth and money cannot.
SMALLEST_POSITION = 0.01
#: How many finalists a campaign has at most: each costs a look at the selection.
MOST_FINALISTS = 20


@dataclass(frozen=True, eq=False)
class Candidate:
    """A strategy on the search window.

    Attributes:
        strategy: what was tried.
        result: at the costs in force, None where it does not fit the market.
        stressed: at twice the costs.
        rejection: why it may not take a slot, None for a finalist.
        delayed: at the costs in force, every target acted on one bar late; None where nobody asked.
        endured: at twice the costs and one bar late; None where nobody asked.
    """

    strategy: Strategy
    result: Backtest | None
    stressed: Backtest | None
    rejection: str | None
    delayed: Backtest | None = None
    endured: Backtest | None = None

    @property
    def sharpe(self) -> float:
        """Annual Sharpe ratio at the costs in force, NaN where it did not trade."""
        return self.result.metrics.sharpe if self.result else math.nan

    @property
    def stressed_sharpe(self) -> float:
        """The same at twice the costs."""
        return self.stressed.metrics.sharpe if self.stressed else math.nan

    @property
    def delayed_sharpe(self) -> float:
        """The same at the costs in force and one bar late."""
        return self.delayed.metrics.sharpe if self.delayed else math.nan

    @property
    def endured_sharpe(self) -> float:
        """The same at twice the costs and one bar late."""
        return self.endured.metrics.sharpe if self.endured else math.nan


def candidate(strategy: Strategy, panel: Panel, costs: Costs, capital: Decimal, *, delay: bool = False) -> Candidate:
    """A strategy tried on all bars of a panel, and what speaks against it.

    Args:
        strategy: what to try.
        panel: the bars of the search.
        costs: fee and slippage; it is tried at twice these as well.
        capital: quote currency.
        delay: whether it is tried one bar late as well, at both costs, where nothing speaks against it.
    """
    try:
        part = market_of(strategy, panel)
        runtime = Runtime([strategy], part)
        decisions = runtime.advance(part)[0]
    except ClawdError as error:
        return Candidate(strategy, None, None, str(error))
    read = int(part.present.sum())

    def traded(wanted: Decisions, at: Costs) -> Backtest:
        return trade(strategy, runtime.windows, wanted, part, at, capital, read)

    result, stressed = traded(decisions, costs), traded(decisions, costs.times(2))
    tried = Candidate(strategy, result, stressed, _objection(strategy, part, decisions, result, stressed))
    if not delay or tried.rejection is not None:
        return tried
    late = one_bar_late(decisions, part.present)
    return replace(tried, delayed=traded(late, costs), endured=traded(late, costs.times(2)))


def _objection(
    strategy: Strategy, panel: Panel, decisions: Decisions, result: Backtest, stressed: Backtest
) -> str | None:
    if not result.fills:
        return "it never traded"
    if result.exposure.max() < SMALLEST_POSITION:
        return f"it never holds {SMALLEST_POSITION:.0%} of its capital"
    if not result.metrics.sharpe > 0:
        return "it lost money"
    if not stressed.metrics.sharpe > 0:
        return "it loses money at twice the costs"
    if not is_causal(strategy, panel, decisions):
        return "it is not causal"
    return None


def is_causal(strategy: Strategy, panel: Panel, decisions: Decisions) -> bool:
    """Whether the decisions before a cut are what they were when the bars after it did not exist."""
    cut = 2 * panel.times.size // 3
    again = Runtime([strategy], panel).advance(panel.between(0, cut))[0]
    return np.array_equal(again.targets, decisions.targets[:, :cut], equal_nan=True)


def one_bar_late(decisions: Decisions, present: NDArray[np.bool_]) -> Decisions:
    """The same targets, each one bar of its instrument later; flat at the first bar. Exits are as they were.

    Args:
        decisions: at the closes of bars.
        present: [I, T], where the instruments have bars.
    """
    targets = np.full_like(decisions.targets, np.nan)
    for row, known in enumerate(present):
        own = np.flatnonzero(known)
        targets[row, own] = np.concatenate(([0.0], decisions.targets[row, own[:-1]]))[: own.size]
    return replace(decisions, targets=targets)


def correlation(one: Floats, other: Floats) -> float:
    """Of two streams [T] of net returns; NaN where one of them never moves."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.corrcoef(one, other)[0, 1])


def twin(
    mine: Candidate, chosen: Iterable[Candidate], closest: float = CLOSEST_CORRELATION, *, mirrored: bool = True
) -> Candidate | None:
    """The first of some chosen ones that a candidate moves like, None where it is a bet of its own.

    Args:
        mine: the candidate.
        chosen: those before it.
        closest: the correlation of net returns from which on two are one bet.
        mirrored: whether one that moves against another is its twin too.
    """
    if mine.result is None:
        return None
    for other in chosen:
        if other.result is not None:
            moves = correlation(mine.result.net_returns, other.result.net_returns)
            if (abs(moves) if mirrored else moves) >= closest:
                return other
    return None


def ranked(candidates: Sequence[Candidate], closest: float, *, mirrored: bool = True) -> list[Candidate]:
    """The candidates, best Sharpe ratio first, those that move like a better one rejected."""
    order = sorted(candidates, key=lambda each: (each.rejection is not None, -_rankable(each.sharpe)))
    chosen: list[Candidate] = []
    result: list[Candidate] = []
    for each in order:
        if each.rejection is not None:
            result.append(each)
            continue
        better = twin(each, chosen, closest, mirrored=mirrored)
        if better is None:
            chosen.append(each)
            result.append(each)
        else:
            result.append(replace(each, rejection=f"it moves like {better.strategy.name}"))
    return result


def _rankable(sharpe: float) -> float:
    return -math.inf if math.isnan(sharpe) else sharpe


def finalists(
    strategies: Iterable[Strategy], panel: Panel, costs: Costs, capital: Decimal, most: int = MOST_FINALISTS
) -> Iterator[Candidate]:
    """The finalists of a campaign, and whoever was rejected on the way to them, one after another.

    Args:
        strategies: best first; of two that are one bet the earlier stays.
        panel: the bars of the search.
        costs, capital: of every backtest.
        most: no more is tried once there are so many finalists.
    """
    chosen: list[Candidate] = []
    for strategy in strategies:
        if len(chosen) == most:
            return
        tried = candidate(strategy, panel, costs, capital)
        better = twin(tried, chosen) if tried.rejection is None else None
        if better is not None:
            tried = replace(tried, rejection=f"it moves like {better.strategy.name}")
        if tried.rejection is None:
            tried = candidate(strategy, panel, costs, capital, delay=True)
            chosen.append(tried)
        yield tried
