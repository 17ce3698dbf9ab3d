"""What evolution wants of a strategy, computed from what an evaluation leaves behind: sums over segments of time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats

#: The segments of the search period are cut into so many folds, and every pair of them is a test set.
FOLDS: Final = 6
_PAIRS: Final = np.array(list(combinations(range(FOLDS), 2)))
#: Segments that are left out at the beginning of a fold, at most: what is left must still be most of it.
_MOST_PURGED: Final = 4
_SIZE_STEP: Final = 6
_NO_SPREAD: Final = 1e-15


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of one strategy over one window.

    Attributes:
        bars: int64 [S], bars in each segment of time.
        returns: float64 [S], sums of the net returns of each segment's bars, shares of the capital.
        squares: float64 [S], sums of their squares.
        trades: positions closed.
        turnover: notional traded in a year over the capital.
        exposure: mean gross exposure over the capital.
        net_exposure: mean signed exposure over the capital.
        costs: fees and slippage over the whole window, shares of the capital.
    """

    bars: NDArray[np.int64]
    returns: Floats
    squares: Floats
    trades: int
    turnover: float
    exposure: float
    net_exposure: float
    costs: float


@dataclass(frozen=True, slots=True)
class Objectives:
    """What is wanted of a strategy.

    Attributes:
        sharpe: median annual Sharpe ratio, net of costs, over the purged pairs of folds; to be high.
        marginal: annual Sharpe ratio of what the present book does not explain of it; to be high.
        size: nodes of the program; to be low.
        turnover: notional traded in a year over the capital; to be low.
        whole: annual Sharpe ratio of the whole period, for the reader.
    """

    sharpe: float
    marginal: float
    size: int
    turnover: float
    whole: float

    @property
    def coordinates(self) -> tuple[float, float, float, float]:
        """All of them to be high. Size and turnover are in coarse steps: nobody is better by a single node."""
        return (
            self.sharpe,
            self.marginal,
            -float(self.size // _SIZE_STEP),
            -float(round(math.log2(1.0 + self.turnover))),
        )


def sharpe_ratios(bars: Floats, returns: Floats, squares: Floats, bars_per_year: float) -> Floats:
    """Annual Sharpe ratios from sums over any stretches of time; 0 where returns do not vary.

    Args:
        bars, returns, squares: float64 arrays of one shape: bars, sum of returns, sum of their squares.
    """
    counted = np.maximum(bars, 2.0)
    mean = returns / counted
    variance = np.maximum(squares - counted * mean * mean, 0.0) / (counted - 1.0)
    deviation = np.sqrt(variance)
    varies = deviation > _NO_SPREAD
    return np.where(varies, mean / np.where(varies, deviation, 1.0), 0.0) * math.sqrt(bars_per_year)


def holding_periods(outcomes: Sequence[Outcome], bars_per_year: float) -> Floats:
    """[N], how many bars a unit of exposure is held, by Little's law: twice the mean exposure over what is traded."""
    traded = np.array([each.turnover for each in outcomes]) / bars_per_year
    exposure = np.array([each.exposure for each in outcomes])
    return 2.0 * exposure / np.maximum(traded, 1e-12)


def median_fold_sharpe(outcomes: Sequence[Outcome], bars_per_year: float) -> Floats:
    """[N], the median annual Sharpe ratio over combinatorial purged test sets.

    The segments are cut into :data:`FOLDS` folds, and every pair of folds is a test set (López de Prado, Advances in
    Financial Machine Learning, 2018, chapter 12). A position that is open at the edge of a fold belongs to both, so
    the first segments of a fold, as many as one mean holding period touches, are counted in neither. One lucky stretch
    of time is in a third of the sets, and cannot move the median far.
    """
    shape = (len(outcomes), FOLDS, -1)
    bars, returns, squares = _sums(outcomes)
    per_segment = max(1.0, float(bars[0].mean()))
    purge = np.minimum(np.ceil(holding_periods(outcomes, bars_per_year) / per_segment), _most_purged(bars.shape[1]))
    place = np.arange(bars.shape[1]) % (bars.shape[1] // FOLDS)
    counted = (place[None, :] >= purge[:, None]) | (np.arange(bars.shape[1]) < bars.shape[1] // FOLDS)[None, :]
    folds = [np.where(counted, values, 0.0).reshape(shape).sum(axis=2) for values in (bars, returns, squares)]
    tests = [values[:, _PAIRS[:, 0]] + values[:, _PAIRS[:, 1]] for values in folds]
    return np.asarray(np.median(sharpe_ratios(tests[0], tests[1], tests[2], bars_per_year), axis=1))


def _most_purged(segments: int) -> int:
    return min(_MOST_PURGED, segments // FOLDS // 2)


def whole_sharpe(outcomes: Sequence[Outcome], bars_per_year: float) -> Floats:
    """[N], the annual Sharpe ratios of the whole window."""
    bars, returns, squares = (values.sum(axis=1) for values in _sums(outcomes))
    return sharpe_ratios(bars, returns, squares, bars_per_year)


def marginal_sharpe(outcomes: Sequence[Outcome], book: Floats | None, bars_per_year: float) -> Floats:
    """[N], the annual Sharpe ratios of what a book does not explain: the appraisal ratio.

    A book of Sharpe ratio B that takes in a strategy of appraisal ratio A reaches √(B² + A²) at best (J. Treynor, F.
    Black, How to Use Security Analysis to Improve Portfolio Selection, Journal of Business 46, 1973), so A is what the
    strategy adds. Returns are compared segment by segment.

    Args:
        book: float64 [S], returns of the present book over the same segments; None where there is none.
    """
    bars, returns, _ = _sums(outcomes)
    a_year = bars_per_year * returns.shape[1] / max(1.0, float(bars[0].sum()))
    own = returns - returns.mean(axis=1, keepdims=True)
    rest, mean = own, returns.mean(axis=1)
    if book is not None and np.std(book) > _NO_SPREAD:
        against = book - book.mean()
        beta = (own * against).sum(axis=1) / (against * against).sum()
        rest, mean = own - beta[:, None] * against, mean - beta * book.mean()
    deviation = np.sqrt((rest * rest).sum(axis=1) / max(1, returns.shape[1] - 1))
    varies = deviation > _NO_SPREAD
    return np.asarray(np.where(varies, mean / np.where(varies, deviation, 1.0), 0.0) * math.sqrt(a_year))


def objectives(
    outcomes: Sequence[Outcome], sizes: Sequence[int], book: Floats | None, bars_per_year: float
) -> list[Objectives]:
    """The objectives of evaluations over all folds.

    Args:
        outcomes: over the same window, cut into the same segments, a multiple of :data:`FOLDS`.
        sizes: nodes of their programs.
        book: returns of the present book over these segments, None where there is none.
    """
    if not outcomes:
        return []
    columns = zip(
        median_fold_sharpe(outcomes, bars_per_year).tolist(),
        marginal_sharpe(outcomes, book, bars_per_year).tolist(),
        sizes,
        [each.turnover for each in outcomes],
        whole_sharpe(outcomes, bars_per_year).tolist(),
        strict=True,
    )
    return [Objectives(*row) for row in columns]


def _sums(outcomes: Sequence[Outcome]) -> tuple[Floats, Floats, Floats]:
    return (
        np.array([each.bars for each in outcomes], float),
        np.array([each.returns for each in outcomes]),
        np.array([each.squares for each in outcomes]),
    )
