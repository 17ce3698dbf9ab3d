"""Backtests that a person asks for: what is counted of them, and what they are summed up as."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clawd.cluster.trials import trial_of_backtest
from clawd.core.clock import duration, iso
from clawd.data.market import Market
from clawd.engine.backtest import Backtest
from clawd.store.ledger import Ledger
from clawd.store.registry import Registry


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
