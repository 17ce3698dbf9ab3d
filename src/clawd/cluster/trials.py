"""Results as trials of the ledger: those of a study, and those of a backtest alone."""

from __future__ import annotations

import json
import math

import numpy as np

from clawd.cluster.study import Result, Study, Window
from clawd.cluster.work import code_version
from clawd.engine.backtest import Backtest
from clawd.engine.metrics import net_exposure_of
from clawd.engine.population import segment_edges
from clawd.evidence.sharpe import moments
from clawd.language.strategy import Strategy
from clawd.store.trial import Segments, Trial

#: Into how many segments of time the net returns of a trial are summed up.
SEGMENTS = 60


def program_of(strategy: Strategy) -> str:
    """The strategy as the ledger keeps it: its JSON form, which ``clawd.language.strategy.parse_json`` reads back."""
    return json.dumps(strategy.to_json(), separators=(",", ":"), ensure_ascii=False)


def segments_for(bars: int) -> int:
    """What a study of so many bars asks for: ``SEGMENTS``, and none where they are too few."""
    return SEGMENTS if bars >= SEGMENTS else 0


def trial_of(
    study: Study,
    strategy: Strategy,
    window: Window,
    result: Result,
    author: str,
    recorded_at: int,
    *,
    origin: str,
    parents: tuple[str, ...] = (),
    run: str = "",
    seed: int | None = None,
) -> Trial:
    """The ledger's record of one strategy over one window; the same trial as a backtest of it alone.

    Skew and kurtosis are NaN: a study keeps no curves. Segments are there where the study asked for them.

    Args:
        result: of the strategy over the window.
        author, recorded_at, origin, parents, run, seed: as of :class:`~clawd.store.trial.Trial`.

    Raises:
        ValueError: when the result is a failure, which has no figures.
    """
    metrics, evaluation = result.metrics, result.evaluation
    if metrics is None:
        raise ValueError(f"{strategy.name} has no figures: {result.failure}")
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
        code_version=code_version(),
        bars=metrics.bars,
        trades=metrics.trades,
        sharpe=metrics.sharpe,
        mean=metrics.annual_return / scale,
        sd=metrics.annual_volatility / math.sqrt(scale),
        total_return=metrics.total_return,
        max_drawdown=metrics.max_drawdown,
        turnover=metrics.turnover,
        exposure=metrics.exposure,
        net_exposure=evaluation.net_exposure if evaluation else math.nan,
        capital=float(study.capital),
        run=run,
        seed=seed,
        parents=parents,
        origin=origin,
        program=program_of(strategy),
        segments=Segments(evaluation.bars, evaluation.returns, evaluation.squares) if evaluation else None,
    )


def trial_of_backtest(
    result: Backtest,
    fingerprint: str,
    author: str,
    recorded_at: int,
    *,
    origin: str,
    parents: tuple[str, ...] = (),
    run: str = "",
    seed: int | None = None,
    first: int = 0,
) -> Trial:
    """The ledger's record of a backtest.

    Args:
        result: what came of it.
        fingerprint: of the market that it was run on.
        author, recorded_at, origin, parents, run, seed: as of :class:`~clawd.store.trial.Trial`.
        first: index of the first bar traded in that market: a study cuts its segments by the indices of bars.
    """
    shape = moments(result.net_returns)
    metrics = result.metrics
    capital = float(result.capital)
    net = math.nan if result.account is None else net_exposure_of(result.account, capital)
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
        code_version=code_version(),
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
        exposure=metrics.exposure,
        net_exposure=net,
        capital=capital,
        run=run,
        seed=seed,
        parents=parents,
        origin=origin,
        program=program_of(result.strategy),
        segments=_segments(result, first) if segments_for(metrics.bars) else None,
    )


def _segments(result: Backtest, first: int) -> Segments:
    """The net returns summed up over the segments into which a study would cut these bars."""
    edges = segment_edges(first, first + result.equity.size, SEGMENTS) - first
    capital = float(result.capital)
    returns = np.diff(result.equity[edges[1:] - 1], prepend=capital) / capital
    return Segments(np.diff(edges), returns, np.add.reduceat(result.net_returns**2, edges[:-1]))
