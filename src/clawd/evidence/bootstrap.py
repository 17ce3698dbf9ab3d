"""Is the best of many better than nothing, and which of them are? Tests that resample the time of all at once.

The bars are drawn anew in blocks of random length (the stationary bootstrap of Politis and Romano), the same bars for
all strategies, so that their dependence on one another and over time stays what it was. What is compared is the
excess of each strategy's net return over a benchmark, that is its loss less than the benchmark's.

* ``reality_check``, White: the plain mean excess of the best against what the best would show if nobody had an edge.
  Poor strategies in the pool blunt it.
* ``superior_ability``, Hansen: excesses in units of their error, and strategies too poor to matter are set aside.
* ``step_down``, Romano and Wolf: which ones, so that the chance of even one mistake stays below a level.

The bootstrap and the block length are arch's. Its own SPA and StepM compare plain means also where they are asked to
studentise, count p-values that can be 0, and give no adjusted p-values, so the tests themselves are made here.

References: White, "A reality check for data snooping", Econometrica 68 (2000); Hansen, "A test for superior predictive
ability", Journal of Business & Economic Statistics 23 (2005); Romano and Wolf, "Stepwise multiple testing as
formalized data snooping", Econometrica 73 (2005), and "Efficient computation of adjusted p-values for
resampling-based stepdown multiple testing", Statistics & Probability Letters 113 (2016); Politis and Romano, "The
stationary bootstrap", JASA 89 (1994); Politis and White, "Automatic block-length selection for the dependent
bootstrap", Econometric Reviews 23 (2004), corrected with Patton 28 (2009).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats

RESAMPLES: Final = 1_000
_CELLS: Final = 1 << 22  # weights of bars held at a time: 32 MB


@dataclass(frozen=True, slots=True)
class SuperiorAbility:
    """P-values of "no strategy is better than the benchmark"; each (1 + as extreme) / (1 + resamples).

    Attributes:
        lower: poor strategies set aside entirely; liberal.
        consistent: those set aside that are too poor to matter in the long run; the one to use.
        upper: none set aside; conservative.
        best: the column of the strategy with the highest statistic; -1 where none has one.
        block: mean length of the blocks, in bars.
    """

    lower: float
    consistent: float
    upper: float
    best: int
    block: int


@dataclass(frozen=True, slots=True, eq=False)
class StepDown:
    """Which strategies are better than the benchmark.

    Attributes:
        adjusted: float64 [K] p-values: at level α those at or below α are better, with a chance of at most α that
            even one of them is not (asymptotically). NaN where the excess never varies: it cannot be judged.
        statistics: float64 [K], mean excess over its error; NaN as above.
        block: mean length of the blocks, in bars.
    """

    adjusted: Floats
    statistics: Floats
    block: int

    def better(self, level: float = 0.05) -> NDArray[np.bool_]:
        """bool [K], the strategies that are better at this level; what is NaN is not."""
        return self.adjusted <= level


def reality_check(
    returns: Floats,
    benchmark: Floats | None = None,
    *,
    resamples: int = RESAMPLES,
    block: int | None = None,
    seed: int = 0,
) -> float:
    """White's p-value of "no strategy is better than the benchmark", from plain means, every one recentred.

    Arguments, NaN and errors as of ``superior_ability``.
    """
    sample = _resampled(_excess(returns, benchmark), resamples, block, seed)
    if not sample.judged.any():
        return math.nan
    means, drawn = sample.means[sample.judged], sample.drawn[:, sample.judged]
    return _p_value(means.max(), (drawn - means).max(axis=1))


def superior_ability(
    returns: Floats,
    benchmark: Floats | None = None,
    *,
    resamples: int = RESAMPLES,
    block: int | None = None,
    seed: int = 0,
    studentised: bool = True,
) -> SuperiorAbility:
    """Hansen's test of superior predictive ability.

    T = max(0, max_k √n d_k / ω_k), with ω² the long-run variance that the stationary bootstrap itself has; a strategy
    is set aside, for the consistent p-value, where √n d_k / ω_k < -√(2 ln ln n).

    Args:
        returns: float64 [T, K] net returns per bar of K strategies on the same bars.
        benchmark: float64 [T] net returns to be beaten; nothing at all where None.
        resamples: how often the bars are drawn anew.
        block: mean length of a block in bars; ``block_length`` of the excess where None.
        seed: the same seed draws the same bars.
        studentised: False compares plain means instead, as arch does.

    Returns:
        P-values; NaN where no strategy's excess varies.

    Raises:
        ValueError: when a return is not finite, shapes do not agree, there are fewer than 10 bars or no strategy, or
            an option is below 1.
    """
    sample = _resampled(_excess(returns, benchmark), resamples, block, seed)
    if not sample.judged.any():
        return SuperiorAbility(math.nan, math.nan, math.nan, -1, sample.block)
    means, errors, drawn = sample.means[sample.judged], sample.errors[sample.judged], sample.drawn[:, sample.judged]
    matters = means / errors >= -math.sqrt(2 * math.log(math.log(len(returns))))
    scale = errors if studentised else np.ones_like(errors)
    statistics = means / scale
    highest = max(0.0, float(statistics.max()))
    lower, consistent, upper = (
        _p_value(highest, np.maximum(0.0, ((drawn - centre) / scale).max(axis=1)))
        for centre in (np.maximum(means, 0.0), np.where(matters, means, 0.0), means)
    )
    best = int(np.flatnonzero(sample.judged)[statistics.argmax()])
    return SuperiorAbility(lower, consistent, upper, best, sample.block)


def step_down(
    returns: Floats,
    benchmark: Floats | None = None,
    *,
    resamples: int = RESAMPLES,
    block: int | None = None,
    seed: int = 0,
    studentised: bool = True,
) -> StepDown:
    """Romano and Wolf's StepM, as adjusted p-values.

    The best is held against the best of all that chance makes, the second against the best of what chance makes of
    the others, and so on, and nobody is judged better than one ahead of him. Every strategy is recentred, which keeps
    the level for any pool.

    Arguments and errors as of ``superior_ability``.
    """
    sample = _resampled(_excess(returns, benchmark), resamples, block, seed)
    adjusted = np.full(len(sample.means), math.nan)
    statistics = np.full(len(sample.means), math.nan)
    columns = np.flatnonzero(sample.judged)
    scale = sample.errors[columns] if studentised else np.ones(len(columns))
    statistics[columns] = sample.means[columns] / scale
    chance = (sample.drawn[:, columns] - sample.means[columns]) / scale
    # From the worst to the best: the highest by chance among it and all behind it.
    order = np.argsort(statistics[columns], kind="stable")
    highest = np.maximum.accumulate(chance[:, order], axis=1)
    ranked = columns[order]
    p_values = np.array([_p_value(statistics[k], highest[:, place]) for place, k in enumerate(ranked)])
    adjusted[ranked[::-1]] = np.maximum.accumulate(p_values[::-1])
    return StepDown(adjusted, statistics, sample.block)


def block_length(returns: Floats) -> int:
    """The mean block length, in bars, for which the stationary bootstrap of a mean errs least: Politis and White.

    Args:
        returns: float64 [T, K]; the longest of the columns' lengths is taken, for blocks that are too short make a
            strategy with persistent returns look better than it is.

    Returns:
        At least 1; 1 where no column varies.

    Raises:
        ValueError: when a return is not finite, or there are fewer than 10 bars or no strategy.
    """
    from arch.bootstrap import optimal_block_length  # noqa: PLC0415  (statsmodels takes seconds to import)

    excess = _excess(returns, None)
    varying = excess[:, excess.min(axis=0) < excess.max(axis=0)]
    if varying.shape[1] == 0:
        return 1
    # In units of their spread: what is estimated does not depend on it, but squares of small returns would vanish.
    lengths = optimal_block_length(varying / np.abs(varying).max(axis=0))["stationary"].to_numpy()
    return max(1, math.ceil(float(np.nanmax(lengths))))


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    means: Floats  # [K] mean excess
    errors: Floats  # [K] standard error of the mean, ω / √n
    drawn: Floats  # [resamples, K] mean excess of the bars drawn anew
    judged: NDArray[np.bool_]  # [K] whether the excess varies
    block: int


def _excess(returns: Floats, benchmark: Floats | None) -> Floats:
    if returns.ndim != 2 or returns.shape[0] < 10 or returns.shape[1] < 1:
        raise ValueError(f"returns are [bars, strategies], 10 bars or more, they were {returns.shape}")
    if benchmark is not None and benchmark.shape != returns.shape[:1]:
        raise ValueError(f"the benchmark has a return for each bar, {returns.shape[:1]}, it was {benchmark.shape}")
    excess = returns if benchmark is None else returns - benchmark[:, None]
    if not np.isfinite(excess).all():
        raise ValueError("returns are finite numbers")
    return excess


def _resampled(excess: Floats, resamples: int, block: int | None, seed: int) -> _Sample:
    from arch.bootstrap import StationaryBootstrap  # noqa: PLC0415  (statsmodels takes seconds to import)

    bars = len(excess)
    block = block_length(excess) if block is None else block
    if resamples < 1 or block < 1:
        raise ValueError(f"resamples and block lengths are at least 1, they were {resamples} and {block}")
    draws = StationaryBootstrap(block, np.arange(bars), seed=seed).bootstrap(resamples)
    drawn = np.empty((resamples, excess.shape[1]))
    some = max(1, _CELLS // bars)
    for start in range(0, resamples, some):
        # How often each bar was drawn: the means of all strategies are then one product.
        weights = np.stack(
            [np.bincount(next(draws)[0][0], minlength=bars) / bars for _ in range(min(some, resamples - start))]
        )
        drawn[start : start + len(weights)] = weights @ excess
    judged = excess.min(axis=0) < excess.max(axis=0)
    errors = np.array([_error(column, block) for column in excess.T])
    return _Sample(excess.mean(axis=0), errors, drawn, judged & (errors > 0), block)


def _error(column: Floats, block: int) -> float:
    """The standard error of a mean under the stationary bootstrap, in closed form: lemma 1 of Politis and Romano."""
    bars = len(column)
    lag = np.arange(bars)
    stay = 1 - 1 / block  # the chance that the next bar drawn is the next bar in time
    weights = (1 - lag / bars) * stay**lag
    weights[1:] += lag[1:] / bars * stay ** (bars - lag[1:])
    # Autocovariances on the circle, of all lags at once.
    spectrum = np.abs(np.fft.rfft(column - column.mean())) ** 2
    covariances = np.fft.irfft(spectrum, bars) / bars
    return math.sqrt(max(float(weights @ covariances), 0.0) / bars)


def _p_value(statistic: float, chance: Floats) -> float:
    # The sample itself is one of the draws, so a p-value is never 0.
    return float((1 + np.count_nonzero(chance >= statistic)) / (1 + len(chance)))
