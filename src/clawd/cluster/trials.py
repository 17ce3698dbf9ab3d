"""The results of a study as trials of the ledger."""

from __future__ import annotations

import math

from clawd import __version__
from clawd.cluster.study import Study, Window
from clawd.engine.metrics import Metrics
from clawd.language.strategy import Strategy
from clawd.store.trial import Trial


def trial_of(
    study: Study, strategy: Strategy, window: Window, metrics: Metrics, author: str, recorded_at: int
) -> Trial:
    """The ledger's record of one strategy over one window; the same trial as a backtest of it alone.

    Skew and kurtosis are NaN: a study keeps figures and no curves.
    """
    panel = study.markets[window.market]
    scale = panel.bars_per_year
    return Trial(
        content_hash=strategy.content_hash,
        family_hash=strategy.family_hash,
        data_fingerprint=study.fingerprints[window.market],
        first_ts=int(panel.times[window.first]),
        last_ts=int(panel.times[window.last - 1]),
        fee=float(study.costs.fee),
        slippage=float(study.costs.slippage),
        author=author,
        name=strategy.name,
        recorded_at=recorded_at,
        code_version=__version__,
        bars=metrics.bars,
        trades=metrics.trades,
        sharpe=metrics.sharpe,
        mean=metrics.annual_return / scale,
        sd=metrics.annual_volatility / math.sqrt(scale),
        total_return=metrics.total_return,
        max_drawdown=metrics.max_drawdown,
        turnover=metrics.turnover,
    )
