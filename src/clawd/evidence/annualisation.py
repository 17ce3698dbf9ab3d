"""From a Sharpe ratio per bar to one over many bars, when returns remember.

The square root of the number of bars is right for returns without autocorrelation only. A strategy whose gains
follow upon gains has a longer-lived risk than one bar shows, and √q flatters it: by a fifth for 12 bars and an
autocorrelation of 0.2.

Reference: Lo, "The statistics of Sharpe ratios", Financial Analysts Journal 58 (2002).
"""

from __future__ import annotations

import math

import numpy as np

from clawd.core.panel import Floats


def annualisation_factor(autocorrelations: Floats, bars: int) -> float:
    """η(q) = q / √(q + 2 Σ_{k<q} (q-k) ρ_k): the ratio over q bars is η(q) times the ratio per bar.

    Args:
        autocorrelations: float64 [L], ρ_1, ρ_2, ...; those from L + 1 on are taken as 0, and those from q on unused.
        bars: q.

    Returns:
        Above 0; √q without autocorrelation. NaN for NaN arguments, and where the sum under the root is not positive:
        no law has such autocorrelations.

    Raises:
        ValueError: when there is no bar.
    """
    if bars < 1:
        raise ValueError(f"a ratio is over one bar or more, not {bars}")
    rho = autocorrelations[: bars - 1]
    under_root = bars + 2 * float((bars - np.arange(1, len(rho) + 1)) @ rho)
    return bars / math.sqrt(under_root) if under_root > 0 else math.nan


def annualisation_factor_ar1(autocorrelation: float, bars: int) -> float:
    """η(q) of returns that follow an AR(1), ρ_k = ρ^k: q / √(q + 2ρ/(1-ρ) (q - (1-ρ^q)/(1-ρ))).

    Args:
        autocorrelation: ρ, in (-1, 1).
        bars: q.

    Raises:
        ValueError: when there is no bar or ρ is not within (-1, 1).
    """
    if bars < 1:
        raise ValueError(f"a ratio is over one bar or more, not {bars}")
    if abs(autocorrelation) >= 1:
        raise ValueError(f"the autocorrelation of an AR(1) lies within (-1, 1), it was {autocorrelation!r}")
    rho = autocorrelation
    return bars / math.sqrt(bars + 2 * rho / (1 - rho) * (bars - (1 - rho**bars) / (1 - rho)))


def autocorrelations(returns: Floats, lags: int) -> Floats:
    """ρ_1 to ρ_lags of float64 [T] returns, each Σ (r_t - m)(r_{t-k} - m) over Σ (r_t - m)²: float64 [lags].

    NaN where the returns do not vary; 0 at lags of T and beyond.

    Raises:
        ValueError: when a return is not finite, there is more than one row, or no lag.
    """
    if returns.ndim != 1 or not np.isfinite(returns).all():
        raise ValueError("returns are one row of finite numbers")
    if lags < 1:
        raise ValueError(f"there is one lag or more, not {lags}")
    if len(returns) == 0 or returns.min() == returns.max():
        return np.full(lags, math.nan)
    centred = returns - returns.mean()
    centred /= np.abs(centred).max()
    total = float(centred @ centred)
    found = np.zeros(lags)
    for lag in range(1, min(lags, len(returns) - 1) + 1):
        found[lag - 1] = float(centred[lag:] @ centred[:-lag]) / total
    return found
