"""How much one more return changes the Sharpe ratio: a reward for learning bar by bar.

Reference: Moody and Saffell, "Learning to trade via direct reinforcement", IEEE Transactions on Neural Networks 12
(2001).
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MovingSharpe:
    """A Sharpe ratio that forgets, S = A / √(B - A²).

    Attributes:
        mean: A, the exponentially weighted mean of the returns.
        square: B, that of their squares.
    """

    mean: float = 0.0
    square: float = 0.0

    @property
    def ratio(self) -> float:
        """S per bar; NaN where the returns so far do not vary."""
        variance = self.square - self.mean**2
        return self.mean / math.sqrt(variance) if variance > 0 else math.nan

    def differential(self, net_return: float) -> float:
        """D = (B ΔA - A ΔB / 2) / (B - A²)^1.5, ΔA = R - A, ΔB = R² - B: by η D the ratio changes, to first order.

        NaN where the returns so far do not vary.
        """
        variance = self.square - self.mean**2
        if not variance > 0:
            return math.nan
        change, change_of_square = net_return - self.mean, net_return**2 - self.square
        return float((self.square * change - self.mean * change_of_square / 2) / variance**1.5)

    def after(self, net_return: float, rate: float) -> MovingSharpe:
        """The ratio one bar later: A + η (R - A), B + η (R² - B).

        Args:
            net_return: R, of the bar.
            rate: η, in (0, 1]; its inverse is about the number of bars that are remembered.

        Raises:
            ValueError: when the return is not finite or the rate out of its range.
        """
        if not math.isfinite(net_return) or not 0 < rate <= 1:
            raise ValueError(f"a finite return and a rate in (0, 1] were needed: {net_return!r}, {rate!r}")
        return MovingSharpe(
            self.mean + rate * (net_return - self.mean), self.square + rate * (net_return**2 - self.square)
        )
