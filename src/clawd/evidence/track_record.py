"""How long a record must be before its Sharpe ratio says anything.

Convention of 2012 and 2014, as in ``sharpe``: ratios per bar, kurtosis 3 for a normal law, NaN for what is undefined.
"""

from __future__ import annotations

import math

from clawd.evidence.sharpe import NORMAL, expected_maximum


def minimum_track_record(
    sharpe: float, skew: float, kurtosis: float, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """MinTRL: the number of bars from which the true ratio exceeds a benchmark with this confidence.

    MinTRL = 1 + (1 - γ3 SR + (γ4-1)/4 SR²) (Φ⁻¹(confidence) / (SR - SR*))².

    The record from which ``probabilistic_sharpe`` is exactly the confidence. Source: Bailey and López de Prado, "The
    Sharpe ratio efficient frontier", Journal of Risk 15 (2012), equation 11.

    Args:
        sharpe: SR, estimated, per bar.
        skew: γ3.
        kurtosis: γ4, 3 for a normal law.
        benchmark: SR*, per bar.
        confidence: in (0.5, 1).

    Returns:
        Bars, not rounded; inf where the ratio does not exceed the benchmark; NaN for NaN arguments and where the
        formula's variance is not positive.

    Raises:
        ValueError: when the confidence is out of its range.
    """
    if not 0.5 < confidence < 1:
        raise ValueError(f"a confidence lies between 0.5 and 1, it was {confidence!r}")
    variance = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if not variance > 0 or math.isnan(benchmark):
        return math.nan
    if sharpe <= benchmark:
        return math.inf
    return 1 + variance * (NORMAL.inv_cdf(confidence) / (sharpe - benchmark)) ** 2


def minimum_backtest_length(trials: int, sharpe: float = 1.0) -> float:
    """MinBTL: below so many *years* the best of N trials without an edge is expected to show this *annual* ratio.

    MinBTL = (E[max_N] / SR)², which is less than 2 ln N / SR².

    Source: Bailey, Borwein, López de Prado and Zhu, "Pseudo-mathematics and financial charlatanism", Notices of the
    AMS 61 (2014), theorem 2: after 45 trials on five years, a ratio of 1 is what luck shows.

    Args:
        trials: N, all that were tried.
        sharpe: annual, above 0.

    Raises:
        ValueError: when there is no trial or the ratio is not above 0.
    """
    if not sharpe > 0:
        raise ValueError(f"the ratio to be had by luck is above 0, it was {sharpe!r}")
    return (expected_maximum(trials) / sharpe) ** 2
