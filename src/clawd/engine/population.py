"""Many strategies over one panel, and the figures of each."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from clawd.core.costs import Costs
from clawd.core.panel import Panel
from clawd.engine.backtest import run_backtest
from clawd.engine.metrics import Metrics
from clawd.language.strategy import Strategy


def evaluate(
    strategies: Sequence[Strategy],
    panel: Panel,
    costs: Costs,
    capital: Decimal,
    first: int = 0,
    last: int | None = None,
    threads: int = 1,
) -> tuple[Metrics, ...]:
    """The figures of each strategy over the bars [first, last), in order; bars before ``first`` warm up.

    Raises:
        ClawdError: when a strategy does not fit the market.
    """
    del threads
    return tuple(run_backtest(strategy, panel, costs, capital, first, last).metrics for strategy in strategies)
