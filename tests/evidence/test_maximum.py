"""The best of N draws against an independent quadrature and against draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate  # type: ignore[import-untyped]
from scipy.stats import norm  # type: ignore[import-untyped]

from clawd.evidence.maximum import exact_expected_maximum, variance_of_maximum
from clawd.evidence.sharpe import expected_maximum


@pytest.mark.parametrize(
    ("trials", "expected", "variance"),
    [
        (2, 0.5641895835477565, 0.6816901138162081),
        (5, 1.16296447364052, 0.44753406902066106),
        (10, 1.5387527308351732, 0.34434382326068924),
        (45, 2.207719563998445, 0.2213543251363923),
        (50, 2.249073629389851, 0.21571240996351193),
        (100, 2.507593636441686, 0.18440481358581895),
        (1_000, 3.2414357691190716, 0.12345541715695774),
        (10_000, 3.8516158170665555, 0.09251100119244349),
    ],
)
def test_worked_examples(trials: int, expected: float, variance: float) -> None:
    assert exact_expected_maximum(trials) == pytest.approx(expected, rel=1e-9)
    assert variance_of_maximum(trials) == pytest.approx(variance, rel=2e-9)


def test_two_draws_and_three_are_known_in_closed_form() -> None:
    assert exact_expected_maximum(2) == pytest.approx(1 / math.sqrt(math.pi), rel=1e-12)
    assert exact_expected_maximum(3) == pytest.approx(1.5 / math.sqrt(math.pi), rel=1e-12)
    assert variance_of_maximum(2) == pytest.approx(1 - 1 / math.pi, rel=1e-12)


@pytest.mark.parametrize("trials", [7, 300, 20_000, 10**7])
def test_scipy_agrees(trials: int) -> None:
    # E max = ∫ (1 - F^N) over the positive half less ∫ F^N over the negative half.
    upper = integrate.quad(lambda x: -math.expm1(trials * norm.logcdf(x)), 0, 15, limit=500, epsabs=1e-13)[0]
    lower = integrate.quad(lambda x: math.exp(trials * norm.logcdf(x)), -15, 0, limit=500, epsabs=1e-13)[0]
    assert exact_expected_maximum(trials) == pytest.approx(upper - lower, rel=1e-10)


def test_draws_agree() -> None:
    best = np.random.default_rng(1).standard_normal((40_000, 30)).max(axis=1)
    assert exact_expected_maximum(30) == pytest.approx(best.mean(), abs=4 * best.std() / 200)
    assert variance_of_maximum(30) == pytest.approx(best.var(), rel=0.05)


def test_one_draw_is_itself() -> None:
    assert exact_expected_maximum(1) == pytest.approx(0.0, abs=1e-14)
    assert variance_of_maximum(1) == pytest.approx(1.0, rel=1e-13)


@given(st.integers(5, 10**9))
def test_the_formula_of_2014_errs_on_the_strict_side_and_little(trials: int) -> None:
    exact = exact_expected_maximum(trials)
    assert exact < expected_maximum(trials) < exact * 1.03
    assert exact < math.sqrt(2 * math.log(trials))


def test_no_trial_is_refused() -> None:
    for function in (exact_expected_maximum, variance_of_maximum):
        with pytest.raises(ValueError, match="at least one trial"):
            function(0)
