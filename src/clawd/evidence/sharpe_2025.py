"""The same questions as ``sharpe``, in the convention of 2025; every name here ends in it.

The convention of 2012 and 2014 evaluates the variance of a Sharpe ratio at the *estimate*, over T - 1, and knows no
autocorrelation. That of 2025 evaluates it at the ratio *under the hypothesis*, as a test must, over T, and for
returns that follow an AR(1):

    V(SR) = (a - b γ3 SR + c (γ4-1)/4 SR²) / T,
    a = 1 + 2ρ/(1-ρ),   b = 1 + ρ/(1-ρ) + ρ²/(1-ρ²),   c = 1 + 2ρ²/(1-ρ²).

Against a benchmark of 0 neither skew nor kurtosis then matters. Negative skew makes the record of 2014 the stricter
one, so gates use that of 2014 and show this beside it.

Ratios are per bar, kurtosis is 3 for a normal law, NaN goes in and NaN comes out.

Reference: López de Prado, Lipton and Zoonekynd, "How to use the Sharpe ratio", SSRN 5520741 (2025).
"""

from __future__ import annotations

import math

from clawd.evidence.maximum import variance_of_maximum
from clawd.evidence.sharpe import NORMAL, expected_maximum


def standard_error_2025(sharpe: float, bars: int, skew: float, kurtosis: float, autocorrelation: float = 0.0) -> float:
    """√V, the error of an estimated ratio whose true value is ``sharpe``.

    Args:
        sharpe: SR, the ratio at which the variance is evaluated, per bar.
        bars: T.
        skew: γ3.
        kurtosis: γ4, 3 for a normal law.
        autocorrelation: ρ of an AR(1), in (-1, 1).

    Returns:
        Above 0; NaN without a bar, for NaN arguments, and where the formula's variance is not positive.

    Raises:
        ValueError: when the autocorrelation is not within (-1, 1).
    """
    if bars < 1:
        return math.nan
    variance = _variance_times_bars(sharpe, skew, kurtosis, autocorrelation)
    return math.sqrt(variance / bars) if variance > 0 else math.nan


def probabilistic_sharpe_2025(
    sharpe: float,
    bars: int,
    skew: float,
    kurtosis: float,
    benchmark: float = 0.0,
    autocorrelation: float = 0.0,
) -> float:
    """PSR = Φ[(SR - SR*) / √V(SR*)], one minus the p-value of the hypothesis that the true ratio is the benchmark.

    Arguments, NaN and errors as of ``standard_error_2025``, with ``sharpe`` estimated and ``benchmark`` SR*.
    """
    error = standard_error_2025(benchmark, bars, skew, kurtosis, autocorrelation)
    return NORMAL.cdf((sharpe - benchmark) / error)


def minimum_track_record_2025(
    sharpe: float,
    skew: float,
    kurtosis: float,
    benchmark: float = 0.0,
    autocorrelation: float = 0.0,
    alpha: float = 0.05,
) -> float:
    """MinTRL = T V(SR*) (Φ⁻¹(1-α) / (SR - SR*))² bars, from which the benchmark is rejected at level α.

    Returns:
        Bars, not rounded; inf where the ratio does not exceed the benchmark; NaN as of ``standard_error_2025``.

    Raises:
        ValueError: when α is not within (0, 0.5) or the autocorrelation not within (-1, 1).
    """
    variance = _variance_times_bars(benchmark, skew, kurtosis, autocorrelation)
    quantile = _quantile(alpha)
    if not variance > 0 or math.isnan(sharpe):
        return math.nan
    return variance * (quantile / (sharpe - benchmark)) ** 2 if sharpe > benchmark else math.inf


def critical_sharpe_2025(
    bars: int,
    skew: float,
    kurtosis: float,
    benchmark: float = 0.0,
    autocorrelation: float = 0.0,
    alpha: float = 0.05,
) -> float:
    """SR_c = SR* + Φ⁻¹(1-α) √V(SR*): an estimate above it rejects the benchmark at level α.

    Raises:
        ValueError: when α is not within (0, 0.5) or the autocorrelation not within (-1, 1).
    """
    return benchmark + _quantile(alpha) * standard_error_2025(benchmark, bars, skew, kurtosis, autocorrelation)


def power_2025(
    edge: float,
    bars: int,
    skew: float,
    kurtosis: float,
    benchmark: float = 0.0,
    autocorrelation: float = 0.0,
    alpha: float = 0.05,
) -> float:
    """1 - β = 1 - Φ[(SR_c - SR1) / √V(SR1)]: how often a strategy whose true ratio is SR1 is found.

    Args:
        edge: SR1, per bar.
        bars, skew, kurtosis, benchmark, autocorrelation, alpha: as of ``critical_sharpe_2025``.
    """
    critical = critical_sharpe_2025(bars, skew, kurtosis, benchmark, autocorrelation, alpha)
    return NORMAL.cdf((edge - critical) / standard_error_2025(edge, bars, skew, kurtosis, autocorrelation))


def planned_false_discovery_rate_2025(prior: float, alpha: float, power: float) -> float:
    """pFDR = α p0 / (α p0 + power p1): of what a test at level α finds, the share without an edge.

    Args:
        prior: p1 = 1 - p0, the share of all that is tried that has the edge.
        alpha: the level.
        power: 1 - β at that edge.

    Raises:
        ValueError: when an argument is not within [0, 1], NaN included, or nothing would be found.
    """
    _refuse_unless_shares(prior=prior, alpha=alpha, power=power)
    found = alpha * (1 - prior) + power * prior
    if found == 0:
        raise ValueError("a test that finds nothing has no rate of false findings")
    return alpha * (1 - prior) / found


def observed_false_discovery_rate_2025(
    sharpe: float,
    edge: float,
    bars: int,
    skew: float,
    kurtosis: float,
    prior: float,
    benchmark: float = 0.0,
    autocorrelation: float = 0.0,
) -> float:
    """oFDR: the probability that there is no edge, given an estimate at least as high as this one.

    oFDR = p_0 (1-p1) / (p_0 (1-p1) + p_1 p1), with p_i the chance of such an estimate when the true ratio is SR* or
    SR1.

    Args:
        sharpe: the estimate, per bar.
        edge: SR1, what those with an edge have, per bar.
        prior: p1, the share of all that is tried that has it.
        bars, skew, kurtosis, benchmark, autocorrelation: as of ``probabilistic_sharpe_2025``.

    Returns:
        In [0, 1]; NaN where a variance is not positive, or neither could show such an estimate.

    Raises:
        ValueError: when the prior is not within [0, 1].
    """
    _refuse_unless_shares(prior=prior)
    # 1 - Φ(x) = Φ(-x), which keeps its digits far out.
    without = NORMAL.cdf((benchmark - sharpe) / standard_error_2025(benchmark, bars, skew, kurtosis, autocorrelation))
    with_edge = NORMAL.cdf((edge - sharpe) / standard_error_2025(edge, bars, skew, kurtosis, autocorrelation))
    total = without * (1 - prior) + with_edge * prior
    return without * (1 - prior) / total if total > 0 else math.nan


def deflated_sharpe_2025(
    sharpe: float,
    bars: int,
    skew: float,
    kurtosis: float,
    *,
    trials: int,
    trials_sd: float,
    autocorrelation: float = 0.0,
    error_of_best: bool = False,
) -> float:
    """DSR = PSR(SR0) with SR0 = trials_sd E[max_N], the variance evaluated at SR0.

    Args:
        sharpe, bars, skew, kurtosis, autocorrelation: of the chosen trial, as for ``probabilistic_sharpe_2025``.
        trials: N, all distinct trials, the failures included.
        trials_sd: standard deviation of the Sharpe ratios across the trials, per bar.
        error_of_best: whether the variance is that of the best of N independent draws, V times Var[max_N], as the
            paper has it, and not of one. It moves the result away from 1/2, upwards where it could pass a gate.

    Returns:
        In [0, 1]; NaN where the error is, or where ``trials_sd`` is NaN.

    Raises:
        ValueError: when there is no trial, ``trials_sd`` is negative, or the autocorrelation not within (-1, 1).
    """
    if trials_sd < 0:
        raise ValueError(f"a standard deviation is not negative, this was {trials_sd!r}")
    benchmark = trials_sd * expected_maximum(trials)
    error = standard_error_2025(benchmark, bars, skew, kurtosis, autocorrelation)
    if error_of_best:
        error *= math.sqrt(variance_of_maximum(trials))
    return NORMAL.cdf((sharpe - benchmark) / error)


def _variance_times_bars(sharpe: float, skew: float, kurtosis: float, autocorrelation: float) -> float:
    if abs(autocorrelation) >= 1:
        raise ValueError(f"the autocorrelation of an AR(1) lies within (-1, 1), it was {autocorrelation!r}")
    once = autocorrelation / (1 - autocorrelation)
    twice = autocorrelation**2 / (1 - autocorrelation**2)
    return 1 + 2 * once - (1 + once + twice) * skew * sharpe + (1 + 2 * twice) * (kurtosis - 1) / 4 * sharpe**2


def _quantile(alpha: float) -> float:
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha lies between 0 and 0.5, it was {alpha!r}")
    return NORMAL.inv_cdf(1 - alpha)


def _refuse_unless_shares(**shares: float) -> None:
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name} lies within [0, 1], it was {value!r}")
