"""The probability of overfitting against worked examples, two implementations by others, and what noise does."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata  # type: ignore[import-untyped]

from clawd.core.panel import Floats
from clawd.evidence.overfitting import Overfitting, probability_of_overfitting
from clawd.evidence.segments import Segments

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from purgedcv import probability_of_backtest_overfitting  # type: ignore[import-untyped]


def overfitting(returns: Floats, groups: int, **options: str) -> Overfitting:
    return probability_of_overfitting(Segments.of(returns, groups), groups, **options)  # type: ignore[arg-type]


def noise(seed: int) -> Floats:
    return np.random.default_rng(seed).standard_normal((1024, 50)) * 0.01


def test_where_the_whole_is_nothing_the_best_half_is_followed_by_the_worst() -> None:
    returns = noise(0)
    found = overfitting(returns - returns.mean(axis=0), 8, metric="mean")
    assert found.probability == 1.0
    assert found.slope == pytest.approx(-1.0)
    assert found.loss == 1.0


@pytest.mark.parametrize("metric", ["mean", "sharpe"])
def test_an_overwhelming_edge_is_no_overfitting(metric: str) -> None:
    returns = noise(1)
    returns[:, 7] += 0.05
    found = overfitting(returns, 10, metric=metric)
    assert (found.probability, found.loss, found.trials) == (0.0, 0.0, 50)
    np.testing.assert_allclose(found.logits, math.log(50))


def test_four_bars_by_hand() -> None:
    returns = np.array([[3, 1, 0, 2], [1, 2, 0, -1], [2, -1, 1, 0], [-1, 3, 0, 1]], dtype=np.float64)
    found = overfitting(returns, 4, metric="mean")
    assert found.probability == pytest.approx(5 / 6)
    np.testing.assert_allclose(
        sorted(found.logits), [-1.386294, -0.405465, -0.405465, -0.405465, 0, 0.405465], atol=1e-6
    )


@pytest.mark.parametrize(
    ("seed", "eight", "sixteen"), [(0, 0.385714, 0.336364), (1, 0.614286, 0.620280), (2, 0.642857, 0.559130)]
)
def test_two_others_agree_on_noise(seed: int, eight: float, sixteen: float) -> None:
    returns = noise(seed)
    found = overfitting(returns, 8)
    assert found.probability == pytest.approx(eight, abs=1e-6)
    assert overfitting(returns, 16).probability == pytest.approx(sixteen, abs=1e-6)
    theirs = probability_of_backtest_overfitting(returns.T, n_splits=8)
    np.testing.assert_allclose(sorted(found.logits), sorted(theirs.logits), atol=1e-9)
    assert found.probability == pytest.approx(theirs.pbo)
    assert found.slope == pytest.approx(theirs.slope)


def by_the_book(returns: Floats, groups: int) -> list[float]:
    blocks = np.array_split(returns, groups)
    logits = []
    for chosen in itertools.combinations(range(groups), groups // 2):
        past = np.concatenate([blocks[g] for g in chosen])
        future = np.concatenate([blocks[g] for g in range(groups) if g not in chosen])
        best = int(np.argmax(past.mean(axis=0) / past.std(axis=0, ddof=1)))
        w = rankdata(future.mean(axis=0) / future.std(axis=0, ddof=1))[best] / (returns.shape[1] + 1)
        logits.append(math.log(w / (1 - w)))
    return logits


@given(st.integers(0, 2**32), st.integers(24, 60), st.integers(2, 7), st.sampled_from([2, 4, 6]))
def test_the_matrix_form_is_the_definition(seed: int, bars: int, trials: int, groups: int) -> None:
    returns = np.random.default_rng(seed).standard_normal((bars, trials)) * 0.02
    found = overfitting(returns, groups)
    np.testing.assert_allclose(found.logits, by_the_book(returns, groups), atol=1e-12)
    assert found.probability == np.mean(found.logits <= 0)


def test_sixty_segments_of_the_ledger_say_what_the_returns_say() -> None:
    returns = noise(3)[:960]
    kept = Segments.of(returns, 60)
    np.testing.assert_allclose(probability_of_overfitting(kept).logits, overfitting(returns, 10).logits, atol=1e-12)


def test_many_trials_are_done_in_pieces_that_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = noise(4)
    whole = overfitting(returns, 8)
    monkeypatch.setattr("clawd.evidence.overfitting._CELLS", 700)
    pieces = overfitting(returns, 8)
    np.testing.assert_allclose(pieces.logits, whole.logits, atol=1e-12)
    assert (pieces.slope, pieces.loss) == pytest.approx((whole.slope, whole.loss))


def test_noise_overfits_half_the_time_and_is_no_proof_either_way() -> None:
    found = [
        overfitting(np.random.default_rng(100 + seed).standard_normal((512, 40)), 10).probability for seed in range(80)
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=0.08)
    assert min(found) < 0.25
    assert max(found) > 0.75


def test_trials_that_stand_still_are_ranked_as_having_earned_nothing() -> None:
    returns = np.zeros((40, 4))
    returns[:, 2] = np.random.default_rng(5).standard_normal(40) * 0.01 + 0.05
    found = overfitting(returns, 4)
    assert found.probability == 0.0
    losing = overfitting(-returns, 4)
    # The best is one of three that stand still: it shares their ranks 2 to 4.
    np.testing.assert_allclose(losing.logits, math.log(3 / 2))
    assert math.isnan(losing.slope)


def test_one_trial_is_picked_from_nothing() -> None:
    found = overfitting(noise(6)[:, :1], 6)
    assert math.isnan(found.probability)
    assert len(found.logits) == 20
    assert np.isnan([*found.logits, found.slope, found.loss]).all()


@pytest.mark.parametrize("groups", [0, 7, -2])
def test_what_cannot_be_halved_is_refused(groups: int) -> None:
    with pytest.raises(ValueError, match="even number"):
        probability_of_overfitting(Segments.of(noise(7), 20), groups)
    with pytest.raises(ValueError, match="cannot be put"):
        probability_of_overfitting(Segments.of(noise(7), 6), 8)
