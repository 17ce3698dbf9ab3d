"""The figures of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from clawd.core.panel import Floats
from clawd.core.reason import Reason
from clawd.engine.account import SMALLEST_PROFIT
from clawd.engine.trades import Fill, RoundTrip
from clawd.evidence.sharpe import ratio


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of a run. Returns are shares of the fixed capital and add up; NaN where a figure does not exist.

    Attributes:
        bars: bars traded over.
        total_return: profit and loss over the capital.
        annual_return, annual_volatility: of net returns, scaled by the bars of a year.
        sharpe: their ratio, no risk-free rate, standard deviation with n - 1.
        max_drawdown: largest fall of equity from a peak, as a share of that peak.
        trades: positions closed.
        win_rate: share of them that made money after fees, more than rounding leaves.
        expectancy: mean net profit of a closed position, as a share of the capital.
        profit_factor: money won over money lost.
        turnover: notional traded in a year over the capital.
        exposure: mean gross exposure over the capital.
        fees: paid, quote currency.
        slippage: given up to it by market and stop orders, quote currency.
        funding: paid, quote currency.
    """

    bars: int
    total_return: float
    annual_return: float
    annual_volatility: float
    sharpe: float
    max_drawdown: float
    trades: int
    win_rate: float
    expectancy: float
    profit_factor: float
    turnover: float
    exposure: float
    fees: float
    slippage: float
    funding: float

    def to_json(self) -> dict[str, float | None]:
        """The figures by name, None where one does not exist."""
        return {name: None if math.isnan(value) else value for name, value in asdict(self).items()}


def drawdown(equity: Floats, capital: float) -> Floats:
    """[T], how far equity lies below its highest value so far, the capital at the start included, as a share of it."""
    peak = np.maximum(np.maximum.accumulate(equity), capital)
    return (peak - equity) / peak


def measure(
    equity: Floats,
    exposure: Floats,
    fills: Sequence[Fill],
    trips: Sequence[RoundTrip],
    capital: float,
    bars_per_year: float,
    slippage: float,
    funding: float,
) -> Metrics:
    """The figures of a run from its equity [T], gross exposure [T], fills and round trips.

    Args:
        slippage: share of the price per market or stop order.
        funding: paid over the run, quote currency.
    """
    returns = np.diff(equity, prepend=capital) / capital
    mean = float(returns.mean()) if returns.size else math.nan
    deviation = float(np.std(returns, ddof=1)) if returns.size > 1 else math.nan
    years = max(equity.size, 1) / bars_per_year
    profits = np.array([trip.profit for trip in trips if trip.closed is not None])
    least = SMALLEST_PROFIT * capital
    won, lost = float(profits[profits > least].sum()), float(-profits[profits < -least].sum())
    notional = [float(abs(fill.size) * fill.price) for fill in fills]
    # A purchase was filled at the undisturbed price times 1 + slippage, a sale at it times 1 - slippage.
    slipped = sum(
        amount * slippage / (1.0 + slippage if fill.size > 0 else 1.0 - slippage)
        for amount, fill in zip(notional, fills, strict=True)
        if fill.reason is not Reason.TAKE
    )
    return Metrics(
        bars=equity.size,
        total_return=float(returns.sum()),
        annual_return=mean * bars_per_year,
        annual_volatility=deviation * math.sqrt(bars_per_year),
        sharpe=ratio(mean, deviation) * math.sqrt(bars_per_year),
        max_drawdown=float(drawdown(equity, capital).max()) if equity.size else 0.0,
        trades=len(profits),
        win_rate=float((profits > least).mean()) if len(profits) else math.nan,
        expectancy=float(profits.mean()) / capital if len(profits) else math.nan,
        profit_factor=won / lost if lost > 0 else math.nan,
        turnover=sum(notional) / capital / years,
        exposure=float(exposure.mean()) if exposure.size else 0.0,
        fees=sum(fill.fee for fill in fills),
        slippage=slipped,
        funding=funding,
    )


def metrics_of(account: np.void, capital: float, bars_per_year: float) -> Metrics:
    """The figures of a run from the running sums of its account alone; those of :func:`measure`.

    Args:
        account: of :data:`~clawd.engine.account.ACCOUNT`.
    """
    bars, trades = int(account["bars"]), int(account["trades"])
    years = max(bars, 1) / bars_per_year
    profit = (float(account["equity"]) - capital) / capital if bars else 0.0
    mean = profit / bars if bars else math.nan
    deviation = math.nan
    if bars > 1:
        spread = float(account["squares"]) / capital**2 - bars * (mean * mean)
        # Squares of absurd profits overflow: there is no deviation then, and no reason for others to have no figures.
        deviation = math.sqrt(max(spread, 0.0) / (bars - 1)) if math.isfinite(spread) else math.nan
    won, lost = float(account["won"]), float(account["lost"])
    return Metrics(
        bars=bars,
        total_return=profit,
        annual_return=mean * bars_per_year,
        annual_volatility=deviation * math.sqrt(bars_per_year),
        sharpe=ratio(mean, deviation) * math.sqrt(bars_per_year),
        max_drawdown=float(account["drawdown"]),
        trades=trades,
        win_rate=int(account["winners"]) / trades if trades else math.nan,
        expectancy=(won - lost) / trades / capital if trades else math.nan,
        profit_factor=won / lost if lost > 0 else math.nan,
        turnover=float(account["traded"]) / capital / years,
        exposure=float(account["exposure"]) / capital / bars if bars else 0.0,
        fees=float(account["fees"]),
        slippage=float(account["slippage"]),
        funding=float(account["funding"]),
    )


def net_exposure_of(account: np.void, capital: float) -> float:
    """Mean signed exposure at the closes, a share of the capital; 0 without a bar."""
    return float(account["net"]) / capital / max(int(account["bars"]), 1)
