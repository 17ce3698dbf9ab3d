"""Recursive operators: what they carry from bar to bar has no end, so their warm-up says when the start is forgotten.

``ou_halflife`` and ``frac_diff`` stand here by their subject; both look at a window alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from clawd.language.operators.operator import (
    FOUR_WINDOWS,
    LONGEST_WINDOW,
    SHARE_ABOVE_ZERO,
    WINDOW,
    Operator,
    Rule,
    WarmUp,
)


def _kalman_memory(parameters: Sequence[float]) -> int:
    """Bars until the steady gain of a local level model leaves e^-8 of its start, as four windows do of a mean."""
    k = parameters[0]
    predicted = (k + math.sqrt(k * k + 4.0 * k)) / 2.0
    kept = 1.0 / (predicted + 1.0)
    return min(LONGEST_WINDOW, math.ceil(8.0 / -math.log(kept)))


_KALMAN = WarmUp("8 / -ln(1 - K) bars, K the steady gain of kalman_level; at most 5,000", _kalman_memory)
#: In noise the efficiency ratio is about 1/√w, and the gain with it: 4 w + 120 bars leave less than 0.1 % of the seed.
_KAMA = WarmUp("4 w + 120 bars", lambda parameters: 4 * int(parameters[0]) + 120)

_recursive = partial(Operator, "recursive")

RECURSIVE = (
    _recursive(
        "ema",
        "S[d], w -> S[d]",
        "exponential mean, alpha = 2/(w + 1), seeded by the first value",
        formula="e[t] = e[t-1] + α (x[t] - e[t-1]), α = 2 / (w + 1), e[0] = x[0]",
        source="as pandas' ewm(span=w, adjust=False)",
        example="ema(close, 20) > ema(close, 60)",
        warm_up=FOUR_WINDOWS,
    ),
    _recursive(
        "rma",
        "S[d], w -> S[d]",
        "Wilder's mean, alpha = 1/w, seeded by the mean of the first w",
        formula="r[t] = r[t-1] + (x[t] - r[t-1]) / w, r[w-1] = mean of x[0] … x[w-1]",
        source="J. W. Wilder, New Concepts in Technical Trading Systems (1978)",
        example="rma(high - low, 14) / close",
        warm_up=FOUR_WINDOWS,
    ),
    _recursive(
        "ewm_std",
        "N, w -> N",
        "root of the exponential mean of x squared, alpha = 2/(w + 1)",
        formula="√v[t], v[t] = v[t-1] + α (x[t]² - v[t-1]), α = 2 / (w + 1)",
        source="RiskMetrics Technical Document, J. P. Morgan/Reuters (1996)",
        example="ret(close, 1) / ewm_std(ret(close, 1), 60)",
        warm_up=FOUR_WINDOWS,
    ),
    _recursive(
        "vol_forecast",
        "S[px], w -> N",
        "volatility forecast for the next bar, annualised: exponential, of log returns (RiskMetrics)",
        formula="√(v[t] · bars a year), v[t] = v[t-1] + α (ln(x[t]/x[t-1])² - v[t-1]), α = 2 / (w + 1)",
        source="RiskMetrics Technical Document, J. P. Morgan/Reuters (1996)",
        example="scale_to_vol(long_only(1), vol_forecast(close, 60), 0.15)",
        warm_up=FOUR_WINDOWS,
    ),
    _recursive(
        "kama",
        "S[px], w -> S[px]",
        "adaptive mean (Kaufman): as fast as 2 bars in a straight move, as slow as 30 in noise; seeded by the"
        " value before the first with w bars of history",
        formula="a[t] = a[t-1] + c (x[t] - a[t-1]), c = (E (2/3 - 2/31) + 2/31)², E the efficiency over w bars",
        source="P. Kaufman, Smarter Trading (1995)",
        example="close > kama(close, 10)",
        warm_up=_KAMA,
    ),
    _recursive(
        "kalman_level",
        "S[d], k -> S[d]",
        "level of x filtered from noise (local level model); the constant is the variance of a bar's change of level"
        " over that of the noise: large follows fast. The first value seeds it",
        formula="P⁻ = P[t-1] + k, K = P⁻ / (P⁻ + 1), m[t] = m[t-1] + K (x[t] - m[t-1]), P[t] = K; m[0] = x[0],"
        " P[0] = 1",
        source="A. Harvey, Forecasting, Structural Time Series Models and the Kalman Filter (1989)",
        example="close > kalman_level(close, 0.01)",
        warm_up=_KALMAN,
        rule=Rule("a ratio of variances above 0, at most 100", lambda parameters: 0 < float(parameters[0]) <= 100),
    ),
    _recursive(
        "kalman_beta",
        "S[px], S[px], k -> N",
        "hedge ratio of x to y that changes in time: slope of log x on log y, each since the first bar that has both,"
        " intercept and slope drifting; the constant is the variance of a bar's drift over that of the noise",
        formula="ln(x[t]/x[0]) = a[t] + b[t] ln(y[t]/y[0]) + noise, a and b random walks of variance k times the"
        " noise's; the filtered b, from a = 0, b = 1, variances 10,000",
        source="E. Chan, Algorithmic Trading (2013), chapter 3; Kalman filter as in A. Harvey (1989)",
        example='kalman_beta(asset(close, "ETHUSDT"), asset(close, "BTCUSDT"), 0.0001)',
        warm_up=_KALMAN,
        rule=SHARE_ABOVE_ZERO,
    ),
    _recursive(
        "ou_halflife",
        "N, w -> N",
        "bars in which x goes half the way back to its mean, from its regression on its value of the bar before over w"
        " bars; 0 where it swings rather than reverts, at most 1000, and 1000 where it does not revert",
        formula="-ln 2 / ln φ, φ the least-squares slope, with intercept, of x[t-i] on x[t-i-1], i = 0 … w-1; 0 for"
        " φ ≤ 0, 1000 for φ ≥ 1",
        source="E. Chan, Algorithmic Trading (2013), chapter 2, with the exact discrete half-life",
        example="ou_halflife(ts_zscore(close, 60), 120) < 20",
        warm_up=WINDOW,
        least_window=3,
    ),
    _recursive(
        "frac_diff",
        "S[px], k, w -> N",
        "fractional difference of log x, of the order of the constant, with w weights: stationary, and yet with memory",
        formula="Σ cᵢ ln x[t-i], i = 0 … w-1, c₀ = 1, cᵢ = -cᵢ₋₁ (k - i + 1) / i",
        source="M. López de Prado, Advances in Financial Machine Learning (2018), chapter 5, fixed-width window",
        example="ts_zscore(frac_diff(close, 0.4, 60), 120)",
        warm_up=WarmUp("w - 1 bars", lambda parameters: int(parameters[1]) - 1),
        least_window=2,
        rule=Rule("an order above 0, at most 2", lambda parameters: 0 < float(parameters[0]) <= 2),
    ),
    _recursive(
        "cusum",
        "N, k -> N",
        "what x has gone up beyond the constant a bar, summed and never below 0, minus the same downwards; a missing x"
        " leaves it",
        formula="u[t] - d[t], u[t] = max(0, u[t-1] + x[t] - k), d[t] = max(0, d[t-1] - x[t] - k), from 0",
        source="E. Page, Continuous Inspection Schemes, Biometrika 41 (1954)",
        example="hysteresis(cusum(ret(close, 1) / ewm_std(ret(close, 1), 60), 0.5), 5, 1)",
        rule=Rule("a constant of 0 or more", lambda parameters: float(parameters[0]) >= 0),
    ),
)
