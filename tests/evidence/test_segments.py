"""Sums over segments hold what the returns themselves would say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.evidence.segments import Segments
from clawd.evidence.sharpe import sharpe_ratio


@given(st.integers(0, 2**32), st.integers(1, 80), st.integers(1, 5), st.data())
def test_any_union_has_the_ratio_of_its_returns(seed: int, bars: int, trials: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    returns = rng.standard_normal((bars, trials)) * 0.01 + rng.normal(0, 0.005)
    count = data.draw(st.integers(1, min(bars, 12)))
    groups = data.draw(st.integers(1, count))
    segments = Segments.of(returns, count)
    assert segments.counts.sum() == bars
    assert segments.counts.max() - segments.counts.min() <= 1
    grouped = segments.grouped(groups)
    # Which bars are in which group, told by numpy's own division.
    group_of_segment = np.concatenate(
        [np.full(len(p), g) for g, p in enumerate(np.array_split(np.arange(count), groups))]
    )
    segment_of_bar = np.concatenate([np.full(len(p), s) for s, p in enumerate(np.array_split(np.arange(bars), count))])
    unions = rng.random((6, groups)) < 0.5
    means, sharpes = grouped.means(unions), grouped.sharpes(unions)
    for c, union in enumerate(unions):
        chosen = returns[union[group_of_segment[segment_of_bar]]]
        for n in range(trials):
            if len(chosen):
                assert means[n, c] == pytest.approx(chosen[:, n].mean(), rel=1e-9, abs=1e-15)
            else:
                assert np.isnan(means[n, c])
            assert sharpes[n, c] == pytest.approx(sharpe_ratio(chosen[:, n]), rel=1e-7, abs=1e-12, nan_ok=True)


def test_standing_still_is_a_ratio_of_nothing_and_equal_returns_have_none() -> None:
    returns = np.array([[0.0, 0.3, 0.1], [0.0, 0.3, -0.1], [0.0, 0.3, 0.1], [0.0, 0.3, 0.1]])
    segments = Segments.of(returns, 2)
    unions = np.array([[True, True], [True, False], [False, True], [False, False]])
    ratios = segments.sharpes(unions)
    np.testing.assert_array_equal(ratios[0], [0, 0, 0, np.nan])
    assert np.isnan(ratios[1]).all()
    np.testing.assert_allclose(ratios[2], [0.5, 0.0, np.nan, np.nan], atol=1e-15)
    one_bar_each = Segments.of(returns, 4).sharpes(np.eye(4, dtype=bool))
    assert np.isnan(one_bar_each).all(), "one bar has no ratio, whether it moved or not"


def test_what_are_no_segments_is_refused() -> None:
    one, two = np.ones((2, 3)), np.ones(3, dtype=np.int64)
    with pytest.raises(ValueError, match="segments"):
        Segments(one, np.ones((2, 4)), two)
    with pytest.raises(ValueError, match="segments"):
        Segments(one, one, np.ones(2, dtype=np.int64))
    with pytest.raises(ValueError, match="finite"):
        Segments(one * np.nan, one, two)
    with pytest.raises(ValueError, match="negative"):
        Segments(one, -one, two)
    with pytest.raises(ValueError, match="has a bar"):
        Segments(one, one, two * 0)
    with pytest.raises(ValueError, match="a bar for each"):
        Segments.of(one, 3)
    with pytest.raises(ValueError, match="cannot be put"):
        Segments(one, one, two).grouped(4)
