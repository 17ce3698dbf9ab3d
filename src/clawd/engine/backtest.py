"""A backtest: what a strategy wanted over a market, and how the fill rules would have traded it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np

from clawd.core.clock import duration
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError, suggestion
from clawd.core.panel import Floats, Panel
from clawd.engine.metrics import Metrics, measure, metrics_of
from clawd.engine.plan import plan_of
from clawd.engine.runtime import Decisions, Runtime
from clawd.engine.simulate import simulate
from clawd.engine.trades import Fill, Fills, RoundTrip, round_trips
from clawd.language.strategy import Strategy


@dataclass(frozen=True, eq=False)
class Backtest:
    """The result of running a strategy over bars.

    Attributes:
        strategy, costs, capital: what was run.
        panel: the bars traded over, without the warm-up.
        bars_read: bars that the programs read, over all instruments, the warm-up included.
        fills: every fill in order of time.
        equity: [T], quote currency, at each close.
        exposure: [T], gross, as a share of the capital, at each close.
        funding: paid over the run, quote currency.
        account: its running sums, of :data:`~clawd.engine.account.ACCOUNT`; None where it was not simulated.
    """

    strategy: Strategy
    costs: Costs
    capital: Decimal
    panel: Panel
    bars_read: int
    fills: Sequence[Fill]
    equity: Floats
    exposure: Floats
    funding: float
    account: np.void | None = None

    @property
    def net_returns(self) -> Floats:
        """[T], profit and loss of each bar over the capital, which is fixed: returns add, they do not compound."""
        capital = float(self.capital)
        return np.diff(self.equity, prepend=capital) / capital

    @cached_property
    def trades(self) -> tuple[RoundTrip, ...]:
        """Positions from flat to flat, those still open at the end last."""
        return round_trips(self.fills)

    @cached_property
    def metrics(self) -> Metrics:
        """The figures of the run."""
        capital, year = float(self.capital), self.panel.bars_per_year
        if self.account is not None:
            return metrics_of(self.account, capital, year)
        slippage = float(self.costs.slippage)
        return measure(self.equity, self.exposure, self.fills, self.trades, capital, year, slippage, self.funding)


def market_of(strategy: Strategy, panel: Panel) -> Panel:
    """The part of a market that a strategy trades.

    Raises:
        ClawdError: when the market lacks an instrument of its universe, or has bars of another duration.
    """
    if strategy.bar is not None and strategy.bar != panel.bar:
        raise ClawdError(
            f"the strategy is written for bars of {duration(strategy.bar)}, the market has {duration(panel.bar)}",
            where=strategy.name,
        )
    if strategy.universe is None:
        return panel
    for symbol in strategy.universe:
        if symbol not in panel.symbols:
            known = suggestion(symbol, panel.symbols) or f"it has {', '.join(panel.symbols)}"
            raise ClawdError(f"the market has no instrument {symbol}", where=strategy.name, hint=known)
    return panel.select(strategy.universe)


def run_backtest(
    strategy: Strategy, panel: Panel, costs: Costs, capital: Decimal, first: int = 0, last: int | None = None
) -> Backtest:
    """Backtest a strategy.

    Args:
        strategy: what to run.
        panel: the whole market; bars before ``first`` warm the programs up, and none of them is traded.
        costs: fee and slippage.
        capital: quote currency; exposures are shares of it.
        first, last: indices of the first bar traded and of the one after the last.

    Raises:
        ClawdError: when the strategy does not fit the market.
    """
    market = market_of(strategy, panel).between(0, panel.times.size if last is None else last)
    runtime = Runtime([strategy], market)
    decisions = runtime.advance(market)[0]
    return trade(
        strategy,
        runtime.windows,
        decisions.between(first, market.times.size),
        market.between(first, market.times.size),
        costs,
        capital,
        bars_read=int(market.present.sum()),
    )


def trade(
    strategy: Strategy,
    windows: Sequence[int],
    decisions: Decisions,
    panel: Panel,
    costs: Costs,
    capital: Decimal,
    bars_read: int,
) -> Backtest:
    """Simulate decisions that were made on a panel's bars by a runtime with these windows."""
    simulation = simulate(
        panel.open,
        panel.high,
        panel.low,
        panel.close,
        panel.volume,
        panel.funding,
        panel.present,
        decisions.targets,
        decisions.ranges,
        plan_of(strategy.exits, windows),
        float(capital),
        float(costs.fee),
        float(costs.slippage),
        panel.ticks,
        panel.lots,
    )
    return Backtest(
        strategy=strategy,
        costs=costs,
        capital=capital,
        panel=panel,
        bars_read=bars_read,
        fills=Fills(simulation.fills, panel),
        equity=simulation.equity,
        exposure=simulation.exposure,
        funding=float(simulation.account["funding"]),
        account=simulation.account,
    )
