"""By how much a Sharpe ratio must be cut for the number of tests that found it.

The ratio's t statistic has a p-value; the p-value is adjusted for all tests; the ratio that would have the adjusted
p-value, had it been the only test, is what is left. The cut is no fixed half: strong ratios lose little, weak ones
nearly all.

These are the closed forms on the ratios that were in fact tried. The paper's own Holm and BHY numbers come from
simulated companions, for lack of a ledger of trials.

Reference: Harvey and Liu, "Backtesting", Journal of Portfolio Management 42 (2015).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from clawd.core.panel import Floats
from clawd.evidence.multiple_testing import benjamini_yekutieli, holm


@dataclass(frozen=True, slots=True, eq=False)
class Haircut:
    """Ratios before and after; NaN where a ratio is.

    Attributes:
        p_values: float64 [M], two-sided, of Student's t with T - 1 degrees of freedom.
        adjusted_p_values: float64 [M].
        adjusted: float64 [M], what is left of the ratios, in their own unit and of their own sign.
        share: float64 [M], what is cut off, 1 - adjusted / ratio, in [0, 1]; NaN for a ratio of 0.
    """

    p_values: Floats
    adjusted_p_values: Floats
    adjusted: Floats
    share: Floats


def bonferroni_haircut(sharpes: Floats, bars: int, trials: int) -> Haircut:
    """p_M = min(1, M p), for some of the ratios of a campaign of which only the number of trials is known.

    Args:
        sharpes: float64 [K], per bar.
        bars: T, on which each was measured.
        trials: M, all tests, at least K.

    Raises:
        ValueError: when there are fewer than two bars, fewer trials than ratios, or a ratio is infinite.
    """
    if trials < len(sharpes):
        raise ValueError(f"{len(sharpes)} ratios are of as many trials at least, not of {trials}")
    p_values = _p_values(sharpes, bars)
    return _cut(sharpes, bars, p_values, np.minimum(1.0, trials * p_values))


def holm_haircut(sharpes: Floats, bars: int) -> Haircut:
    """By Holm's adjustment of all ratios that were tried.

    Args:
        sharpes: float64 [M], per bar, of all tests; NaN counts as a test that found nothing.
        bars: T, on which each was measured.

    Raises:
        ValueError: when there are fewer than two bars or a ratio is infinite.
    """
    p_values = _p_values(sharpes, bars)
    return _cut(sharpes, bars, p_values, holm(p_values).adjusted)


def yekutieli_haircut(sharpes: Floats, bars: int) -> Haircut:
    """By the adjustment of Benjamini and Yekutieli, the BHY of the paper, of all ratios that were tried.

    Stricter than the paper in one point: it leaves the largest p-value as it is, so that M equal ones are not cut at
    all; here, as with Benjamini and Yekutieli themselves, it too is multiplied by 1 + 1/2 + ... + 1/M.

    Arguments and errors as of ``holm_haircut``.
    """
    p_values = _p_values(sharpes, bars)
    return _cut(sharpes, bars, p_values, benjamini_yekutieli(p_values).adjusted)


def _p_values(sharpes: Floats, bars: int) -> Floats:
    from scipy.special import stdtr  # type: ignore[import-untyped]  # noqa: PLC0415

    if bars < 2 or np.isinf(sharpes).any():
        raise ValueError(f"ratios are finite and of two bars or more, of {bars}")
    p_values: Floats = 2 * stdtr(bars - 1, -np.abs(sharpes) * math.sqrt(bars))
    return p_values


def _cut(sharpes: Floats, bars: int, p_values: Floats, adjusted_p_values: Floats) -> Haircut:
    from scipy.special import stdtrit  # noqa: PLC0415

    # A p-value below the smallest float has lost its ratio, which then stays what it was.
    left = np.minimum(np.abs(stdtrit(bars - 1, adjusted_p_values / 2)) / math.sqrt(bars), np.abs(sharpes))
    adjusted = np.sign(sharpes) * left
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(sharpes == 0, np.nan, 1 - adjusted / sharpes)
    return Haircut(p_values, adjusted_p_values, adjusted, share)
