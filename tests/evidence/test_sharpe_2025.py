"""The convention of 2025 against the numbers of its paper and against an implementation by others."""

from __future__ import annotations

import math

import jsharpe
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.evidence.sharpe import probabilistic_sharpe
from clawd.evidence.sharpe_2025 import (
    critical_sharpe_2025,
    deflated_sharpe_2025,
    minimum_track_record_2025,
    observed_false_discovery_rate_2025,
    planned_false_discovery_rate_2025,
    power_2025,
    probabilistic_sharpe_2025,
    standard_error_2025,
)

# The paper's fund: 24 months, mean 3.6 %, standard deviation 7.9 %.
SHARPE, BARS, SKEW, KURTOSIS = 0.036 / 0.079, 24, -2.448, 10.164


def test_the_papers_example() -> None:
    assert standard_error_2025(SHARPE, BARS, SKEW, KURTOSIS) == pytest.approx(0.32858859404279556, rel=1e-12)
    assert standard_error_2025(SHARPE, BARS, 0.0, 3.0) == pytest.approx(0.21445954499051031, rel=1e-12)
    facts = (SHARPE, BARS, SKEW, KURTOSIS)
    assert probabilistic_sharpe_2025(*facts) == pytest.approx(0.9872072612614331, rel=1e-12)
    assert probabilistic_sharpe_2025(*facts, benchmark=0.1) == pytest.approx(0.9391476251031434, rel=1e-12)
    assert probabilistic_sharpe_2025(*facts, autocorrelation=0.2) == pytest.approx(0.9658320053889371, rel=1e-12)
    assert minimum_track_record_2025(SHARPE, SKEW, KURTOSIS) == pytest.approx(13.02877831559373, rel=1e-12)
    assert minimum_track_record_2025(SHARPE, SKEW, KURTOSIS, alpha=0.1) == pytest.approx(7.909, abs=5e-4)
    assert critical_sharpe_2025(BARS, SKEW, KURTOSIS) == pytest.approx(0.3357543406331116, rel=1e-12)
    assert 1 - power_2025(0.5, BARS, SKEW, KURTOSIS) == pytest.approx(0.3152080143705137, rel=1e-12)
    assert planned_false_discovery_rate_2025(0.05, 0.05, 1 - 0.315) == pytest.approx(0.5810397553516818, rel=1e-12)
    observed = observed_false_discovery_rate_2025(SHARPE, 0.5, BARS, SKEW, KURTOSIS, prior=0.05)
    assert observed == pytest.approx(0.30585644030366493, rel=1e-12)
    observed = observed_false_discovery_rate_2025(SHARPE, 0.5, BARS, SKEW, KURTOSIS, prior=0.1)
    assert observed == pytest.approx(0.173, abs=5e-4)


def test_the_papers_best_of_ten() -> None:
    best = {"trials": 10, "trials_sd": math.sqrt(0.1)}
    assert deflated_sharpe_2025(SHARPE, BARS, SKEW, KURTOSIS, **best) == pytest.approx(0.451, abs=5e-4)
    adjusted = deflated_sharpe_2025(SHARPE, BARS, SKEW, KURTOSIS, **best, error_of_best=True)
    assert adjusted == pytest.approx(0.416, abs=5e-4)


facts = {
    "sharpe": st.floats(-0.3, 0.6),
    "benchmark": st.floats(-0.2, 0.5),
    "bars": st.integers(2, 3_000),
    "skew": st.floats(-2, 2),
    "excess": st.floats(0, 10),
    "rho": st.floats(-0.6, 0.6),
}


@given(**facts)
def test_another_implementation_agrees(
    sharpe: float, benchmark: float, bars: int, skew: float, excess: float, rho: float
) -> None:
    kurtosis = 1 + skew**2 + excess  # no law has less
    theirs = {"T": bars, "gamma3": skew, "gamma4": kurtosis, "rho": rho}
    variance = jsharpe.sharpe_ratio_variance(benchmark, **theirs)
    if variance <= 1e-6:
        return
    assert standard_error_2025(benchmark, bars, skew, kurtosis, rho) == pytest.approx(math.sqrt(variance), rel=1e-6)
    ours = probabilistic_sharpe_2025(sharpe, bars, skew, kurtosis, benchmark, rho)
    assert ours == pytest.approx(jsharpe.probabilistic_sharpe_ratio(sharpe, benchmark, **theirs), abs=1e-7)
    critical = critical_sharpe_2025(bars, skew, kurtosis, benchmark, rho, alpha=0.03)
    assert critical == pytest.approx(jsharpe.critical_sharpe_ratio(benchmark, alpha=0.03, **theirs), abs=1e-7)
    edge = benchmark + 0.1
    if jsharpe.sharpe_ratio_variance(edge, **theirs) > 1e-6:
        power = power_2025(edge, bars, skew, kurtosis, benchmark, rho, alpha=0.03)
        assert power == pytest.approx(jsharpe.sharpe_ratio_power(benchmark, edge, alpha=0.03, **theirs), abs=1e-6)
    if sharpe > benchmark + 1e-3:
        length = minimum_track_record_2025(sharpe, skew, kurtosis, benchmark, rho)
        del theirs["T"]
        assert length == pytest.approx(jsharpe.minimum_track_record_length(sharpe, benchmark, **theirs), rel=1e-6)


def test_autocorrelated_returns_are_as_uncertain_as_it_says() -> None:
    # 1,500 histories of an AR(1): the spread of their ratios is the formula's error, and not the naive one.
    rng = np.random.default_rng(5)
    rho, bars, runs = 0.3, 500, 1_500
    noise = rng.standard_normal((runs, bars + 50))
    path = np.zeros_like(noise)
    for t in range(1, bars + 50):
        path[:, t] = rho * path[:, t - 1] + math.sqrt(1 - rho**2) * noise[:, t]
    path = path[:, 50:] + 0.1
    ratios = path.mean(axis=1) / path.std(axis=1, ddof=1)
    error = standard_error_2025(0.1, bars, 0.0, 3.0, rho)
    assert ratios.std() == pytest.approx(error, rel=0.08)
    assert error > 1.3 * standard_error_2025(0.1, bars, 0.0, 3.0)


def test_a_good_record_with_bad_tails_is_judged_more_strictly_by_the_convention_of_2014() -> None:
    assert probabilistic_sharpe(SHARPE, BARS, SKEW, KURTOSIS) < probabilistic_sharpe_2025(SHARPE, BARS, SKEW, KURTOSIS)


def test_what_is_undefined_is_nan() -> None:
    assert math.isnan(standard_error_2025(0.1, 0, 0.0, 3.0))
    assert math.isnan(standard_error_2025(2.0, 24, 3.0, 3.0))
    assert math.isnan(probabilistic_sharpe_2025(math.nan, 24, 0.0, 3.0))
    assert math.isnan(probabilistic_sharpe_2025(0.1, 24, math.nan, 3.0))
    assert math.isnan(minimum_track_record_2025(math.nan, 0.0, 3.0))
    assert minimum_track_record_2025(0.0, 0.0, 3.0) == math.inf
    assert math.isnan(deflated_sharpe_2025(0.1, 24, 0.0, 3.0, trials=5, trials_sd=math.nan))
    assert math.isnan(power_2025(0.1, 0, 0.0, 3.0))
    assert math.isnan(observed_false_discovery_rate_2025(math.nan, 0.5, 24, 0.0, 3.0, prior=0.5))
    assert math.isnan(observed_false_discovery_rate_2025(99.0, 0.5, 24, 0.0, 3.0, prior=0.5))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match=r"AR\(1\)"):
        standard_error_2025(0.1, 24, 0.0, 3.0, 1.0)
    with pytest.raises(ValueError, match="alpha"):
        critical_sharpe_2025(24, 0.0, 3.0, alpha=0.5)
    with pytest.raises(ValueError, match="alpha"):
        minimum_track_record_2025(0.1, 0.0, 3.0, alpha=0.0)
    with pytest.raises(ValueError, match="prior"):
        planned_false_discovery_rate_2025(math.nan, 0.05, 0.5)
    with pytest.raises(ValueError, match="finds nothing"):
        planned_false_discovery_rate_2025(1.0, 0.05, 0.0)
    with pytest.raises(ValueError, match="not negative"):
        deflated_sharpe_2025(0.1, 24, 0.0, 3.0, trials=5, trials_sd=-1.0)
