"""How many trials are different, and the spread of luck that copies can neither shrink nor blow up."""

from __future__ import annotations

import math

import jsharpe
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.panel import Floats
from clawd.evidence.effective_trials import (
    average_correlation_trials,
    cluster,
    effective_rank,
    effective_trials,
    participation_ratio,
    spread_of_luck,
)


def equally_correlated(count: int, rho: float) -> Floats:
    matrix = np.full((count, count), rho)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def test_worked_examples() -> None:
    assert effective_rank(np.eye(3)) == pytest.approx(3.0)
    assert effective_rank(np.array([[10, 1, 7], [1, 10, 8], [7, 8, 10]]) / 10) == pytest.approx(1.840200395337524)
    assert effective_rank(equally_correlated(2, 0.1)) == pytest.approx(1.9900083082219462)
    hundred = equally_correlated(100, 0.5)
    assert effective_rank(hundred) == pytest.approx(19.446780036624787)
    assert participation_ratio(hundred) == pytest.approx(3.883495145631066)
    assert average_correlation_trials(hundred) == pytest.approx(50.5)


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(3, 20))
def test_without_the_matrix_the_estimators_are_the_same(seed: int, trials: int, segments: int) -> None:
    rng = np.random.default_rng(seed)
    returns = rng.standard_normal((trials, segments)) + rng.standard_normal(segments)
    correlation = np.atleast_2d(np.corrcoef(returns))
    found = effective_trials(returns)
    assert found.moving == trials
    assert found.average_correlation == pytest.approx(average_correlation_trials(correlation), rel=1e-9)
    assert found.participation_ratio == pytest.approx(participation_ratio(correlation), rel=1e-9)
    assert found.effective_rank == pytest.approx(effective_rank(correlation), rel=1e-6)
    assert effective_rank(correlation) == pytest.approx(jsharpe.effective_rank(correlation), rel=1e-6)
    for number in (found.effective_rank, found.participation_ratio):
        assert 1 - 1e-9 <= number <= min(trials, segments - 1) + 1e-9


def test_trials_that_stood_still_are_left_out() -> None:
    rng = np.random.default_rng(1)
    returns = rng.standard_normal((6, 60))
    still = np.vstack((np.zeros((3, 60)), returns, np.full((2, 60), 0.1)))
    with_them, without = effective_trials(still), effective_trials(returns)
    assert with_them.moving == without.moving == 6
    assert with_them.effective_rank == pytest.approx(without.effective_rank)
    assert with_them.clusters == without.clusters + 1
    nothing = effective_trials(np.zeros((3, 60)))
    assert (nothing.moving, nothing.clusters) == (0, 1)
    assert math.isnan(nothing.effective_rank)


def slowly(returns: Floats, threshold: float) -> list[int]:
    """Leader clustering as one would write it down first."""
    leaders: list[tuple[int, int]] = []
    labels: list[int] = []
    for row in range(len(returns)):
        like = [(np.corrcoef(returns[row], returns[other])[0, 1], -label) for other, label in leaders]
        if like and max(like)[0] >= threshold:
            labels.append(-max(like)[1])
        else:
            labels.append(len(leaders))
            leaders.append((row, len(leaders)))
    return labels


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 40), st.floats(0.05, 0.95), st.integers(1, 6))
def test_clusters_by_definition(seed: int, trials: int, threshold: float, families: int) -> None:
    rng = np.random.default_rng(seed)
    parents = rng.standard_normal((families, 12))
    returns = parents[rng.integers(families, size=trials)] + rng.standard_normal((trials, 12)) * 0.7
    assert cluster(returns, threshold).tolist() == slowly(returns, threshold)


def test_blocks_change_nothing_and_new_trials_leave_the_old_where_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    returns = rng.standard_normal((40, 60))[rng.integers(40, size=700)] + rng.standard_normal((700, 60)) * 0.5
    labels = cluster(returns, 0.6)
    assert 40 <= len(set(labels.tolist())) < 400
    for some in (1, 255, 257, 600):
        np.testing.assert_array_equal(cluster(returns[:some], 0.6), labels[:some])
    monkeypatch.setattr("clawd.evidence.effective_trials._BLOCK", 7)
    np.testing.assert_array_equal(cluster(returns, 0.6), labels)


def test_copies_are_one_cluster_whatever_their_size_and_opposites_are_two() -> None:
    returns = np.random.default_rng(3).standard_normal((1, 60))
    rows = np.vstack((returns, 3 * returns, returns + 5, -returns, 1e-200 * returns, returns * 0))
    np.testing.assert_array_equal(cluster(rows, 1.0), [0, 0, 0, 1, 0, 2])
    np.testing.assert_array_equal(cluster(rows[::-1], 1.0), [0, 1, 2, 1, 1, 1])


def test_what_cannot_be_is_refused() -> None:
    rows = np.ones((2, 3))
    for threshold in (0.0, 1.1, math.nan):
        with pytest.raises(ValueError, match="threshold"):
            cluster(rows, threshold)
    with pytest.raises(ValueError, match="finite"):
        cluster(rows * np.nan, 0.5)
    for matrix in (np.ones((2, 3)), np.eye(2) * 2, np.array([[1, 0.5], [0.4, 1]]), np.eye(2) * np.nan):
        with pytest.raises(ValueError, match="correlation matrix"):
            effective_rank(matrix)
    with pytest.raises(ValueError, match="label each"):
        spread_of_luck(np.zeros(3), np.zeros(2, dtype=np.int64), 100)
    with pytest.raises(ValueError, match="finite"):
        spread_of_luck(np.array([np.inf]), np.zeros(1, dtype=np.int64), 100)


def test_one_vote_for_each_cluster_by_hand() -> None:
    sharpes = np.array([0.1, 0.5, 0.2, -0.3, np.nan, 0.7, 0.9])
    labels = np.array([0, 0, 0, 1, 1, 2, 2])
    # Medians 0.2, -0.3 and 0.8.
    assert spread_of_luck(sharpes, labels, 1_000) == pytest.approx(np.std([0.2, -0.3, 0.8], ddof=1))
    assert spread_of_luck(sharpes, labels, 2) == 1.0
    assert spread_of_luck(sharpes[:3], labels[:3], 101) == pytest.approx(0.1)
    assert spread_of_luck(np.array([]), np.array([], dtype=np.int64), 101) == pytest.approx(0.1)
    assert math.isnan(spread_of_luck(sharpes, labels, 1))


ratios = st.lists(st.tuples(st.floats(-1, 1), st.integers(0, 5)), min_size=1, max_size=30)


@given(ratios, st.integers(2, 10_000), st.data())
def test_neither_copies_nor_their_order_change_the_spread(
    trials: list[tuple[float, int]], bars: int, data: st.DataObject
) -> None:
    sharpes = np.array([sharpe for sharpe, _ in trials])
    labels = np.array([label for _, label in trials])
    spread = spread_of_luck(sharpes, labels, bars)
    assert spread >= 1 / math.sqrt(bars - 1)
    order = np.array(data.draw(st.permutations(range(len(trials)))))
    assert spread_of_luck(sharpes[order], labels[order], bars) == pytest.approx(spread)
    # Every trial of one cluster copied as often as one likes.
    chosen, copies = data.draw(st.sampled_from(labels.tolist())), data.draw(st.integers(1, 300))
    again = labels == chosen
    many = np.concatenate([sharpes, *[sharpes[again]] * copies]), np.concatenate([labels, *[labels[again]] * copies])
    assert spread_of_luck(*many, bars) == pytest.approx(spread)


def test_a_thousand_near_copies_neither_shrink_nor_blow_up_the_spread() -> None:
    rng = np.random.default_rng(4)
    bars, segments = 600, 60
    honest = rng.standard_normal((50, bars)) * 0.01
    for victim in (int(honest.mean(axis=1).argmax()), int(np.abs(honest.mean(axis=1)).argmin())):
        copies = honest[victim] + rng.standard_normal((1_000, bars)) * 0.001
        everything = np.vstack((honest, copies))
        sharpes = everything.mean(axis=1) / everything.std(axis=1, ddof=1)
        rows = everything.reshape(len(everything), segments, -1).sum(axis=2)
        labels = cluster(rows, 0.9)
        assert len(set(labels.tolist())) == 50
        fair = spread_of_luck(sharpes[:50], labels[:50], bars)
        assert spread_of_luck(sharpes, labels, bars) == pytest.approx(fair, rel=0.01)
        assert sharpes.std(ddof=1) < 0.5 * fair, "control: a plain standard deviation is cheated"


def test_noise_has_the_spread_of_noise() -> None:
    rng = np.random.default_rng(5)
    returns = rng.standard_normal((2_000, 250))
    sharpes = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    assert spread_of_luck(sharpes, np.arange(2_000), 250) == pytest.approx(1 / math.sqrt(249), rel=0.05)
