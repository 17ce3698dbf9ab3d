"""Backtests that a person asks for: what is counted of them, and what they are summed up as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clawd.cluster.trials import trial_of_backtest
from clawd.core.clock import duration, iso
from clawd.data.market import Market
from clawd.engine.backtest import Backtest
from clawd.evidence.sharpe import deflated_sharpe, expected_maximum, moments
from clawd.research.finalists import Candidate
from clawd.research.tried import tried_on
from clawd.store.ledger import Ledger
from clawd.store.registry import Registry

#: Trials under the same conditions that are held against a backtest at most: more would take seconds.
_MOST_ALIKE: Final = 500


@dataclass(frozen=True, slots=True)
class Luck:
    """A backtest beside what luck alone would show. NaN where a number does not exist.

    Attributes:
        trials: distinct ones in the ledger, this one included.
        expected: the annual Sharpe ratio that the best of so many strategies without an edge is expected to show.
        deflated: the deflated Sharpe ratio of 2014: the confidence that the backtest's is more than that.
    """

    trials: int
    expected: float
    deflated: float


def luck_of(result: Backtest, market: Market, ledger_file: Path) -> Luck:
    """What luck alone would show, given everything that the ledger has counted; after the backtest was counted."""
    shape = moments(result.net_returns)
    with Ledger.open(ledger_file) as ledger:
        finalist = Candidate(result.strategy, result, None, None)
        tried = tried_on(ledger, [finalist], result.panel, market.fingerprint, result.costs, most=_MOST_ALIKE)
    facts = (shape.sharpe, shape.bars, shape.skew, shape.kurtosis)
    return Luck(
        trials=tried.trials,
        expected=tried.spread * expected_maximum(tried.trials) * result.panel.bars_per_year**0.5,
        deflated=deflated_sharpe(*facts, trials=tried.trials, trials_sd=tried.spread),
    )


def count_backtests(
    results: Sequence[Backtest], market: Market, first: int, last: int, ledger_file: Path, now: int
) -> int:
    """Enter what was tried, and what a person has seen now, in the ledger; before he sees it.

    Args:
        results: on the bars [first, last) of the market.
        market: whose bars.
        first, last: indices of the first bar traded and of the one after the last.
        ledger_file: where the ledger lies.
        now: the time, UTC nanoseconds.

    Returns:
        How many distinct trials the ledger has now.
    """
    trials = [
        trial_of_backtest(result, market.fingerprint, "person", now, origin="file", first=first) for result in results
    ]
    with Ledger.open(ledger_file) as ledger, Registry.open(ledger_file) as registry:
        ledger.record(trials)
        registry.show("person", market.panel.symbols, int(market.panel.times[last - 1]), now, "backtest")
        return ledger.distinct()


def summary_json(result: Backtest) -> dict[str, object]:
    """A backtest in figures, for programs; None where one does not exist."""
    return {
        "strategy": result.strategy.name,
        "content_hash": result.strategy.content_hash,
        "first": iso(int(result.panel.times[0])),
        "last": iso(int(result.panel.times[-1])),
        "bar": duration(result.panel.bar),
        "symbols": list(result.panel.symbols),
        "capital": f"{result.capital:f}",
        "fills": len(result.fills),
        "bars_read": result.bars_read,
        **result.metrics.to_json(),
    }
