"""Many p-values at once: the example of 1995, the definitions, and what noise does to them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]

from clawd.core.panel import Floats
from clawd.evidence.multiple_testing import (
    Discoveries,
    benjamini_hochberg,
    benjamini_yekutieli,
    bonferroni,
    holm,
    two_stage,
)

Procedure = Callable[[Floats, float], Discoveries]
# Fifteen p-values of the paper by Benjamini and Hochberg (1995).
P_VALUES = np.array(
    [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
     0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000]
)  # fmt: skip


@pytest.mark.parametrize(
    ("procedure", "rejected", "adjusted"),
    [
        (bonferroni, 3, [0.0015, 0.006, 0.0285, 0.1425, 0.3015, 0.417]),
        (holm, 3, [0.0015, 0.0056, 0.0247, 0.114, 0.2211, 0.278]),
        (benjamini_hochberg, 4, [0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.063857]),
        (benjamini_yekutieli, 3, [0.004977, 0.009955, 0.031523, 0.118212, 0.200089, 0.211893]),
        (two_stage, 8, [0.0011, 0.0022, 0.006967, 0.026125, 0.04422, 0.046829]),
    ],
)
def test_the_example_of_1995(procedure: Procedure, rejected: int, adjusted: list[float]) -> None:
    shuffled = np.random.default_rng(1).permutation(15)
    found = procedure(P_VALUES[shuffled], 0.05)
    back = np.argsort(shuffled)
    assert found.rejected[back].tolist() == [True] * rejected + [False] * (15 - rejected)
    np.testing.assert_allclose(found.adjusted[back][:6], adjusted, atol=1e-6)


def test_what_yekutieli_divides_by() -> None:
    harmonic = sum(1 / i for i in range(1, 16))
    assert harmonic == pytest.approx(3.3182289932289937)
    ratio = benjamini_yekutieli(P_VALUES).adjusted[:4] / benjamini_hochberg(P_VALUES).adjusted[:4]
    np.testing.assert_allclose(ratio, harmonic)


@pytest.mark.parametrize("seed", range(8))
def test_statsmodels_agrees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    row = np.round(rng.random(40) ** 3, 3)  # many small ones, and ties
    for procedure, name in [
        (bonferroni, "bonferroni"), (holm, "holm"), (benjamini_hochberg, "fdr_bh"), (benjamini_yekutieli, "fdr_by"),
        (two_stage, "fdr_tsbh"),
    ]:  # fmt: skip
        rejected, adjusted, *_ = multipletests(row, 0.07, name)
        found = procedure(row, 0.07)
        np.testing.assert_allclose(found.adjusted, adjusted, rtol=1e-12)
        np.testing.assert_array_equal(found.rejected, rejected)


def test_a_second_stage_where_the_first_rejects_nothing_or_everything() -> None:
    for row in ([0.5, 0.9, 0.7], [0.001, 0.002, 0.003]):
        _, adjusted, *_ = multipletests(row, 0.1, "fdr_tsbh")
        np.testing.assert_allclose(two_stage(np.array(row), 0.1).adjusted, adjusted)


p_rows = st.lists(st.floats(0, 1), min_size=1, max_size=25)


@given(p_rows, st.floats(0.001, 0.5))
def test_by_definition(row: list[float], level: float) -> None:
    p = np.array(row)
    m = len(p)
    ranked = np.sort(p)

    def up_to(count: int) -> Floats:
        return p <= (ranked[count - 1] if count else -1.0)

    hochberg = max((i for i in range(1, m + 1) if ranked[i - 1] <= i * level / m), default=0)
    harmonic = sum(1 / i for i in range(1, m + 1))
    yekutieli = max((i for i in range(1, m + 1) if ranked[i - 1] <= i * level / m / harmonic), default=0)
    step = next((i for i in range(m) if ranked[i] > level / (m - i)), m)
    ranks = np.arange(1, m + 1)
    borders = [ranks * level / m, ranks * level / m / harmonic, level / ranks[::-1], np.full(m, level / m)]
    if any(abs(ranked - border).min() < 1e-9 for border in borders):
        return  # one rounding decides
    np.testing.assert_array_equal(bonferroni(p, level).rejected, p <= level / m)
    np.testing.assert_array_equal(holm(p, level).rejected, up_to(step))
    np.testing.assert_array_equal(benjamini_hochberg(p, level).rejected, up_to(hochberg))
    np.testing.assert_array_equal(benjamini_yekutieli(p, level).rejected, up_to(yekutieli))


@given(p_rows)
def test_the_stricter_is_never_below_the_more_liberal(row: list[float]) -> None:
    p = np.array(row)
    chain = [f(p).adjusted for f in (bonferroni, holm, benjamini_hochberg)]
    for stricter, liberal in zip([*chain, benjamini_yekutieli(p).adjusted], [*chain[1:], p, chain[2]], strict=True):
        assert (stricter >= liberal - 1e-12).all()


@pytest.mark.parametrize("procedure", [bonferroni, holm, benjamini_hochberg, benjamini_yekutieli, two_stage])
def test_a_test_that_failed_to_run_still_counts(procedure: Procedure) -> None:
    row = np.array([0.001, math.nan, 0.02, math.nan])
    found = procedure(row, 0.05)
    ones = procedure(np.array([0.001, 1.0, 0.02, 1.0]), 0.05)
    assert not found.rejected[[1, 3]].any()
    assert np.isnan(found.adjusted[[1, 3]]).all()
    np.testing.assert_array_equal(found.adjusted[[0, 2]], ones.adjusted[[0, 2]])
    assert procedure(np.zeros(0), 0.05).rejected.shape == (0,)
    for wrong in ([1.1], [-0.1], [[0.1]]):
        with pytest.raises(ValueError, match="p-values"):
            procedure(np.array(wrong), 0.05)
    with pytest.raises(ValueError, match="level"):
        procedure(row, 0.0)


def test_the_false_share_is_kept_and_not_by_finding_nothing() -> None:
    rng = np.random.default_rng(3)
    false, found = [], 0
    for _ in range(300):
        p = ndtr(-(rng.standard_normal(60) + np.where(np.arange(60) < 12, 3.0, 0.0)))
        rejected = benjamini_hochberg(p, 0.1).rejected
        false.append(rejected[12:].sum() / max(rejected.sum(), 1))
        found += rejected[:12].sum()
    # Exactly 0.1 times the share of true nulls, for independent tests.
    assert np.mean(false) == pytest.approx(0.08, abs=4 * np.std(false) / math.sqrt(300))
    assert found / (300 * 12) > 0.6
