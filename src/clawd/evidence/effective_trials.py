"""How many different things were tried, when many trials are much alike, and how far luck spreads their ratios.

The estimators of an effective number disagree wildly. A hundred trials with a correlation of 1/2 between any two are
50.5 by the average correlation, 19 by the effective rank and 4 by the participation ratio; of the two that come from
eigenvalues neither can exceed the number of segments that the correlations were measured on. A gate that took the
lowest would be passed by whoever tries much of the same. So gates count every distinct trial, and these numbers are
shown beside it.

References: Roy and Vetterli, "The effective rank: a measure of effective dimensionality", EUSIPCO (2007); López de
Prado and Lewis, "Detection of false investment strategies using unsupervised learning methods", Quantitative Finance
19 (2019); López de Prado, "A data science solution to the multiple-testing crisis in financial research", Journal of
Financial Data Science 1 (2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats

_BLOCK: Final = 256  # trials held against all leaders at a time: 40 MB for 20,000 leaders
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True)
class EffectiveTrials:
    """Several answers to how many of N trials are different.

    Attributes:
        moving: N, the trials whose returns vary; those that stood still are left out of all but ``clusters``.
        average_correlation: ρ + (1 - ρ) N, with ρ the mean correlation of two trials.
        effective_rank: e to the entropy of the eigenvalues' shares.
        participation_ratio: (Σ λ)² / Σ λ².
        clusters: of ``cluster``.
    """

    moving: int
    average_correlation: float
    effective_rank: float
    participation_ratio: float
    clusters: int


def effective_trials(returns: Floats, threshold: float = 0.9) -> EffectiveTrials:
    """The estimators, of float64 [N, S] net returns of N trials over S segments; memory for N S numbers.

    No [N, N] matrix is made: its eigenvalues other than 0 are those of the [S, S] matrix of the standardised returns.

    Args:
        returns: such as ``Segments.sums``.
        threshold: of ``cluster``.

    Raises:
        ValueError: when a return is not finite or the threshold is out of its range.
    """
    labels = cluster(returns, threshold)
    units, moves = _standardised(returns)
    units = units[moves]
    count = len(units)
    if count == 0:
        return EffectiveTrials(0, math.nan, math.nan, math.nan, len(np.unique(labels)))
    eigenvalues = _eigenvalues(units.T @ units)
    total = units.sum(axis=0)
    mean = (float(total @ total) - count) / (count * (count - 1)) if count > 1 else 1.0
    return EffectiveTrials(
        count, mean + (1 - mean) * count, _rank(eigenvalues), _participation(eigenvalues), len(np.unique(labels))
    )


def average_correlation_trials(correlation: Floats) -> float:
    """ρ + (1 - ρ) N of a float64 [N, N] correlation matrix, ρ the mean of what is off its diagonal.

    Raises:
        ValueError: when it is no symmetric matrix of finite numbers with ones on its diagonal.
    """
    _refuse_unless_correlation(correlation)
    count = len(correlation)
    mean = float(correlation.sum() - count) / (count * (count - 1)) if count > 1 else 1.0
    return mean + (1 - mean) * count


def effective_rank(correlation: Floats) -> float:
    """exp(-Σ p ln p) of a float64 [N, N] correlation matrix, p the shares of its eigenvalues; in [1, N].

    Raises:
        ValueError: as of ``average_correlation_trials``.
    """
    _refuse_unless_correlation(correlation)
    return _rank(_eigenvalues(correlation))


def participation_ratio(correlation: Floats) -> float:
    """(Σ λ)² / Σ λ² of the eigenvalues of a float64 [N, N] correlation matrix; in [1, N].

    Raises:
        ValueError: as of ``average_correlation_trials``.
    """
    _refuse_unless_correlation(correlation)
    return _participation(_eigenvalues(correlation))


def cluster(returns: Floats, threshold: float = 0.9) -> NDArray[np.int64]:
    """Which trials behave alike: leader clustering by the correlation of their returns.

    In the order of the rows, each trial joins the leader it is most correlated with, if that is at least the
    threshold, or becomes a leader itself. So a label depends only on the rows before it: new trials at the end change
    nothing for the old ones. All that stood still are one cluster. Twenty thousand trials of sixty segments take
    seconds, and memory grows with the rows alone.

    Args:
        returns: float64 [N, S] net returns of N trials over S segments, rows in a canonical order.
        threshold: in (0, 1].

    Returns:
        int64 [N], clusters numbered from 0 as they appear.

    Raises:
        ValueError: when a return is not finite or the threshold is out of its range.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"a threshold of correlation lies above 0 and up to 1, it was {threshold!r}")
    units, moves = _standardised(returns)
    labels = np.empty(len(units), dtype=np.int64)
    leaders, names = np.empty_like(units), np.empty(len(units), dtype=np.int64)
    led, clusters, still = 0, 0, -1
    for start in range(0, len(units), _BLOCK):
        block = units[start : start + _BLOCK]
        known = led
        correlations = block @ leaders[:known].T
        for row, unit in enumerate(block):
            if not moves[start + row]:
                if still < 0:
                    still, clusters = clusters, clusters + 1
                labels[start + row] = still
                continue
            # The leaders from before the block, then those that it has brought itself.
            like = np.concatenate((correlations[row], leaders[known:led] @ unit))
            nearest = int(like.argmax()) if led else -1
            if led and like[nearest] >= threshold - _ROUNDING:
                labels[start + row] = names[nearest]
                continue
            leaders[led], names[led], labels[start + row] = unit, clusters, clusters
            led, clusters = led + 1, clusters + 1
    return labels


def spread_of_luck(sharpes: Floats, labels: NDArray[np.int64], bars: int) -> float:
    """The standard deviation of Sharpe ratios across trials, for the deflated ratio, made hard to cheat.

    The deflated ratio grows when this falls, and a searcher chooses his trials. A thousand near-copies of one strategy
    would pull a plain standard deviation to nothing, or, if they sit far out, tear it open. So every cluster of
    behaviour has one vote, its median ratio, as López de Prado and Lewis (2019) have one strategy for each cluster;
    and the spread is never below what luck alone gives ratios of 0 over so many bars, 1/√(T-1).

    Args:
        sharpes: float64 [N] per bar; those that do not exist, NaN, have no vote.
        labels: int64 [N], of ``cluster``.
        bars: T, on which the ratios were measured.

    Returns:
        Per bar, above 0; NaN for fewer than two bars.

    Raises:
        ValueError: when shapes do not agree or a ratio is infinite.
    """
    if sharpes.ndim != 1 or sharpes.shape != labels.shape or np.isinf(sharpes).any():
        raise ValueError(f"ratios are finite, with a label each; shapes were {sharpes.shape} and {labels.shape}")
    if bars < 2:
        return math.nan
    floor = 1 / math.sqrt(bars - 1)
    real = ~np.isnan(sharpes)
    medians = _medians(sharpes[real], labels[real])
    # The medians of one cluster, or of none, have no spread.
    return max(float(np.std(medians, ddof=1)), floor) if len(medians) > 1 else floor


def _medians(values: Floats, labels: NDArray[np.int64]) -> Floats:
    order = np.lexsort((values, labels))
    values = values[order]
    _, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    medians: Floats = (values[starts + (counts - 1) // 2] + values[starts + counts // 2]) / 2
    return medians


def _standardised(returns: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Rows with a mean of 0 and a length of 1, whose products are correlations; and which rows vary at all."""
    if returns.ndim != 2 or not np.isfinite(returns).all():
        raise ValueError(f"returns are finite numbers of [trials, segments], their shape was {returns.shape}")
    if returns.size == 0:
        return returns, np.zeros(len(returns), dtype=np.bool_)
    # Equal returns have a mean that is off by a rounding: they are told by their range.
    moves = returns.min(axis=1) < returns.max(axis=1)
    centred = returns - returns.mean(axis=1, keepdims=True)
    # In units of the largest deviation: squares of small returns would sink below the smallest float.
    centred /= np.where(moves, np.abs(centred).max(axis=1), 1.0)[:, None]
    centred /= np.where(moves, np.linalg.norm(centred, axis=1), 1.0)[:, None]
    return centred, moves


def _eigenvalues(matrix: Floats) -> Floats:
    return np.linalg.eigvalsh(matrix).astype(np.float64)


def _rank(eigenvalues: Floats) -> float:
    shares = eigenvalues[eigenvalues > _ROUNDING * eigenvalues.max()]
    shares = shares / shares.sum()
    return math.exp(-float(shares @ np.log(shares)))


def _participation(eigenvalues: Floats) -> float:
    return float(eigenvalues.sum() ** 2 / (eigenvalues @ eigenvalues))


def _refuse_unless_correlation(matrix: Floats) -> None:
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] > 0
    if not (
        square and np.isfinite(matrix).all() and np.allclose(matrix, matrix.T) and np.allclose(matrix.diagonal(), 1)
    ):
        raise ValueError("a correlation matrix is square, symmetric and finite, with ones on its diagonal")
