"""Annualisation against the examples of Lo (2002) and against simulated histories."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.tsa.stattools import acf  # type: ignore[import-untyped]

from clawd.evidence.annualisation import annualisation_factor, annualisation_factor_ar1, autocorrelations

EXAMPLES = [(12, 0.2, 2.8788487), (12, -0.2, 4.1708480), (12, 0.0, 3.4641016), (252, 0.05, 15.1026732)]


@pytest.mark.parametrize(("bars", "rho", "expected"), EXAMPLES)
def test_worked_examples(bars: int, rho: float, expected: float) -> None:
    assert annualisation_factor_ar1(rho, bars) == pytest.approx(expected, abs=1e-7)
    assert annualisation_factor(rho ** np.arange(1, bars), bars) == pytest.approx(expected, abs=1e-7)


@given(st.floats(-0.95, 0.95), st.integers(1, 400))
def test_the_closed_form_is_the_sum(rho: float, bars: int) -> None:
    longer = rho ** np.arange(1.0, bars + 5)
    assert annualisation_factor_ar1(rho, bars) == pytest.approx(annualisation_factor(longer, bars), rel=1e-9)


@given(st.integers(1, 100), st.lists(st.floats(-0.05, 0.05), max_size=8))
def test_the_variance_of_a_sum_is_what_it_divides_by(bars: int, row: list[float]) -> None:
    rho = np.array(row)
    everything = np.concatenate(([1.0], rho, np.zeros(bars)))
    matrix = np.array([[everything[abs(i - j)] for j in range(bars)] for i in range(bars)])
    assert annualisation_factor(rho, bars) == pytest.approx(bars / math.sqrt(matrix.sum()))


def test_no_memory_is_the_square_root() -> None:
    assert annualisation_factor(np.zeros(0), 252) == pytest.approx(math.sqrt(252))
    assert annualisation_factor_ar1(0.7, 1) == pytest.approx(1.0)


def test_autocorrelations_agree_with_statsmodels() -> None:
    returns = np.random.default_rng(1).standard_normal(200) * 1e-4 + 1e-3
    returns[1:] += 0.5 * returns[:-1]
    np.testing.assert_allclose(autocorrelations(returns, 20), acf(returns, nlags=20, fft=False)[1:], atol=1e-10)
    np.testing.assert_array_equal(autocorrelations(np.array([1.0, 2.0]), 3), [-0.5, 0, 0])
    assert np.isnan(autocorrelations(np.full(5, 0.1), 3)).all()


def test_what_no_law_has_is_nan_and_what_cannot_be_is_refused() -> None:
    assert math.isnan(annualisation_factor(np.array([-1.0, -1.0]), 12))
    assert math.isnan(annualisation_factor(np.array([math.nan]), 12))
    for call in (lambda: annualisation_factor(np.zeros(1), 0), lambda: annualisation_factor_ar1(0.1, 0)):
        with pytest.raises(ValueError, match="one bar or more"):
            call()
    with pytest.raises(ValueError, match=r"AR\(1\)"):
        annualisation_factor_ar1(1.0, 12)
    with pytest.raises(ValueError, match="finite"):
        autocorrelations(np.array([math.nan]), 1)
    with pytest.raises(ValueError, match="lag"):
        autocorrelations(np.zeros(5), 0)
