"""A backtest: what a strategy wanted over a market, and how the fill rules would have traded it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Literal

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


#: Told what is being done and which share of it is done; nothing that it does may change the run.
Progress = Callable[[Literal["deciding", "trading"], float], None]


def _untold(stage: str, share: float) -> None:
    pass


@dataclass(frozen=True, eq=False)
class Decided:
    """What a strategy wanted over the bars that it may trade.

    Attributes:
        strategy: whose decisions.
        panel: the bars traded over, without the warm-up.
        windows: of the average true ranges among the decisions.
        decisions: at the closes of these bars.
        bars_read: bars that the programs read, over all instruments, the warm-up included.
    """

    strategy: Strategy
    panel: Panel
    windows: tuple[int, ...]
    decisions: Decisions
    bars_read: int


def decide(
    strategy: Strategy, panel: Panel, first: int = 0, last: int | None = None, progress: Progress = _untold
) -> Decided:
    """What a strategy wants over bars of a market; arguments as for :func:`run_backtest`.

    Raises:
        ClawdError: when the strategy does not fit the market.
    """
    market = market_of(strategy, panel).between(0, panel.times.size if last is None else last)
    runtime = Runtime([strategy], market)
    decisions = runtime.advance(market, lambda share: progress("deciding", share))[0]
    bars = market.times.size
    return Decided(
        strategy=strategy,
        panel=market.between(first, bars),
        windows=runtime.windows,
        decisions=decisions.between(first, bars),
        bars_read=int(market.present.sum()),
    )


def run_backtest(
    strategy: Strategy,
    panel: Panel,
    costs: Costs,
    capital: Decimal,
    first: int = 0,
    last: int | None = None,
    progress: Progress = _untold,
) -> Backtest:
    """Backtest a strategy.

    Args:
        strategy: what to run.
        panel: the whole market; bars before ``first`` warm the programs up, and none of them is traded.
        costs: fee and slippage.
        capital: quote currency; exposures are shares of it.
        first, last: indices of the first bar traded and of the one after the last.
        progress: told after every block of bars.

    Raises:
        ClawdError: when the strategy does not fit the market.
    """
    return traded(decide(strategy, panel, first, last, progress), costs, capital, progress)


def traded(decided: Decided, costs: Costs, capital: Decimal, progress: Progress = _untold) -> Backtest:
    """Simulate what was decided; arguments as for :func:`run_backtest`."""
    return trade(
        decided.strategy,
        decided.windows,
        decided.decisions,
        decided.panel,
        costs,
        capital,
        decided.bars_read,
        lambda share: progress("trading", share),
    )


def trade(
    strategy: Strategy,
    windows: Sequence[int],
    decisions: Decisions,
    panel: Panel,
    costs: Costs,
    capital: Decimal,
    bars_read: int,
    progress: Callable[[float], None] = lambda share: None,
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
        progress,
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
