"""What a trial leaves behind: sums and squares of its net returns over equal stretches of time.

From these follow the Sharpe ratio of any union of stretches, hence overfitting probabilities and cross-validation,
without the returns themselves: 60 stretches of a trial are a kilobyte, where its returns are megabytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats

Unions = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Net returns per bar of N trials on the same bars, summed over S stretches of time in their order.

    Attributes:
        sums: float64 [N, S], of the returns.
        squares: float64 [N, S], of the squared returns.
        counts: int64 [S], bars, the same for all trials.

    Raises:
        ValueError: when shapes do not agree, a number is not finite, a square is negative, or a stretch has no bar.
    """

    sums: Floats
    squares: Floats
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.sums.ndim != 2 or self.sums.shape != self.squares.shape or self.counts.shape != self.sums.shape[1:]:
            raise ValueError(
                "sums and squares are [trials, segments] and counts [segments], they were "
                f"{self.sums.shape}, {self.squares.shape} and {self.counts.shape}"
            )
        if not (np.isfinite(self.sums).all() and np.isfinite(self.squares).all() and (self.squares >= 0).all()):
            raise ValueError("sums and squares are finite numbers, and squares are not negative")
        if not (self.counts > 0).all():
            raise ValueError("every segment has a bar")

    @classmethod
    def of(cls, returns: Floats, segments: int) -> Segments:
        """The segments of float64 [T, N] net returns; where T cannot be divided, the first have a bar more.

        Raises:
            ValueError: when there are not as many bars as segments, or a return is not finite.
        """
        if returns.ndim != 2 or not 1 <= segments <= len(returns):
            raise ValueError(
                f"returns are [bars, trials] with a bar for each of {segments} segments, they were {returns.shape}"
            )
        starts = _starts(len(returns), segments)
        return cls(
            np.ascontiguousarray(np.add.reduceat(returns, starts, axis=0).T),
            np.ascontiguousarray(np.add.reduceat(returns**2, starts, axis=0).T),
            np.diff(starts, append=len(returns)),
        )

    def grouped(self, groups: int) -> Segments:
        """Neighbours put together until so many are left; where S cannot be divided, the first are one longer.

        Raises:
            ValueError: when there are fewer segments than groups.
        """
        if not 1 <= groups <= len(self.counts):
            raise ValueError(f"{len(self.counts)} segments cannot be put into {groups} groups")
        starts = _starts(len(self.counts), groups)
        return Segments(
            np.add.reduceat(self.sums, starts, axis=1),
            np.add.reduceat(self.squares, starts, axis=1),
            np.add.reduceat(self.counts, starts),
        )

    def means(self, unions: Unions) -> Floats:
        """Mean net return per bar over each union of segments: bool [C, S] to float64 [N, C]; NaN over none."""
        with np.errstate(invalid="ignore"):
            means: Floats = (self.sums @ unions.T.astype(np.float64)) / (unions @ self.counts)
        return means

    def sharpes(self, unions: Unions) -> Floats:
        """Sharpe ratio per bar over each union of segments: bool [C, S] to float64 [N, C].

        A trial that stood still throughout has a ratio of 0: it gained nothing and risked nothing. NaN over fewer
        than two bars and where equal returns, other than 0, leave no spread to divide by.
        """
        chosen = unions.T.astype(np.float64)
        bars = unions @ self.counts
        total, squared = self.sums @ chosen, self.squares @ chosen
        with np.errstate(invalid="ignore", divide="ignore"):
            scatter = squared - total**2 / bars
            # What is left of squares that cancel to their last digits is rounding, and would be a giant ratio.
            scatter[scatter <= 1e-12 * squared] = np.nan
            ratios: Floats = total / bars / np.sqrt(scatter / (bars - 1))
        ratios[(squared == 0) & (bars > 1)] = 0.0
        return ratios


def _starts(length: int, parts: int) -> NDArray[np.int64]:
    """Where each of so many nearly equal parts begins, the longer ones first."""
    size, longer = divmod(length, parts)
    places = np.arange(parts)
    return places * size + np.minimum(places, longer)
