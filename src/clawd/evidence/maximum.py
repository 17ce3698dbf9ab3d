"""The best of N independent standard normal draws: what pure luck shows to him who looks N times.

``sharpe.expected_maximum`` is the formula of 2014, which the deflated Sharpe ratio uses; here is the exact value, by
quadrature of the density N φ(x) Φ(x)^(N-1), and the variance.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from clawd.core.panel import Floats

# The density of the maximum is smooth and dies out at both ends, where the plain rule of equal steps converges
# faster than any power of the step.
_STEP: Final = 1 / 256
_GRID: Final = np.arange(-12.0, 14.0, _STEP)


def exact_expected_maximum(trials: int) -> float:
    """E[max_N] of N independent standard normal draws, to about 12 digits; 0 for one.

    Raises:
        ValueError: when there is no trial.
    """
    density = _density(trials)
    return float(np.sum(_GRID * density) * _STEP)


def variance_of_maximum(trials: int) -> float:
    """Var[max_N] of N independent standard normal draws, to about 12 digits; 1 for one.

    The more trials, the less the best of them varies: luck alone makes a reliable winner.

    Raises:
        ValueError: when there is no trial.
    """
    density = _density(trials)
    return float(np.sum((_GRID - np.sum(_GRID * density) * _STEP) ** 2 * density) * _STEP)


def _density(trials: int) -> Floats:
    if trials < 1:
        raise ValueError(f"there is at least one trial, not {trials}")
    logs = -(_GRID**2) / 2 - math.log(2 * math.pi) / 2 + math.log(trials) + (trials - 1) * _log_normal_cdf(_GRID)
    density: Floats = np.exp(logs)
    return density


def _log_normal_cdf(values: Floats) -> Floats:
    # Of 1 - Φ where Φ is near 1, so that the (N-1)th power keeps its digits.
    tails = np.array([math.erfc(abs(value) / math.sqrt(2)) / 2 for value in values])
    logs: Floats = np.where(values > 0, np.log1p(-tails), np.log(tails))
    return logs
