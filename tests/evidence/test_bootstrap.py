"""Reality check, superior ability and StepM against arch, worked examples, and what noise does to them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arch.bootstrap import SPA, StationaryBootstrap, StepM, optimal_block_length

from clawd.core.panel import Floats
from clawd.evidence.bootstrap import block_length, reality_check, step_down, superior_ability


def pool() -> tuple[Floats, Floats]:
    """Losses of a hundred strategies and of a benchmark, over 500 bars."""
    rng = np.random.default_rng(12345)
    return rng.standard_normal((500, 100)), rng.standard_normal(500)


def shifted(columns: list[int], by: float) -> tuple[Floats, Floats]:
    losses, benchmark = pool()
    losses[:, columns] -= by
    return -losses, -benchmark


# The square root of the bars, as arch has it.
ARCH = {"resamples": 1_000, "block": 22, "seed": 42}


def test_worked_examples_of_plain_means() -> None:
    found = superior_ability(*shifted([], 0.0), **ARCH, studentised=False)
    assert found.consistent == pytest.approx(0.957, abs=0.002)
    found = superior_ability(*shifted([3], 0.25), **ARCH, studentised=False)
    assert found.best == 3
    assert found.block == 22
    assert (found.lower, found.consistent, found.upper) == pytest.approx((0.003, 0.011, 0.011), abs=2e-4)
    assert np.flatnonzero(step_down(*shifted([3], 0.25), **ARCH, studentised=False).better()).tolist() == [3]
    three = step_down(*shifted([3, 10, 50], 0.35), **ARCH, studentised=False)
    assert np.flatnonzero(three.better()).tolist() == [3, 10, 50]


@pytest.mark.parametrize("studentised", [True, False])
def test_worked_examples_are_told_either_way(studentised: bool) -> None:
    assert superior_ability(*shifted([], 0.0), seed=42, studentised=studentised).consistent > 0.5
    assert superior_ability(*shifted([3], 0.25), seed=42, studentised=studentised).consistent < 0.05
    assert np.flatnonzero(step_down(*shifted([3], 0.25), seed=42, studentised=studentised).better()).tolist() == [3]
    three = step_down(*shifted([3, 10, 50], 0.35), seed=42, studentised=studentised)
    assert np.flatnonzero(three.better()).tolist() == [3, 10, 50]


def awkward(seed: int) -> Floats:
    """Strategies of very different spreads, some poor, some persistent."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((301, 12))
    for t in range(1, 301):
        noise[t, 4:8] += 0.6 * noise[t - 1, 4:8]
    return noise * np.geomspace(0.001, 0.1, 12) + np.linspace(-0.003, 0.002, 12)


@pytest.mark.parametrize("seed", range(4))
def test_arch_agrees_on_plain_means(seed: int) -> None:
    returns = awkward(seed)
    benchmark = np.random.default_rng(100 + seed).standard_normal(301) * 0.001
    theirs = SPA(-benchmark, -returns, block_size=7, reps=400, seed=seed)
    theirs.compute()
    ours = superior_ability(returns, benchmark, resamples=400, block=7, seed=seed, studentised=False)
    as_extreme = np.array([ours.lower, ours.consistent, ours.upper]) * 401 - 1
    np.testing.assert_allclose(as_extreme, theirs.pvalues.to_numpy() * 400, atol=1e-6)
    assert reality_check(returns, benchmark, resamples=400, block=7, seed=seed) == ours.upper
    steps = StepM(-benchmark, -returns, size=0.2, block_size=7, reps=400, seed=seed)
    steps.compute()
    found = step_down(returns, benchmark, resamples=400, block=7, seed=seed, studentised=False)
    assert set(np.flatnonzero(found.better(0.2))) <= set(steps.superior_models), "all recentred is never more liberal"


def test_the_error_is_the_bootstraps_own() -> None:
    returns = awkward(9)
    means = StationaryBootstrap(9, returns, seed=1).apply(lambda drawn: drawn.mean(axis=0), 8_000)
    found = step_down(returns, block=9, resamples=1)
    np.testing.assert_allclose(returns.mean(axis=0) / found.statistics, means.std(axis=0), rtol=0.04)


def test_units_do_not_matter_when_studentised() -> None:
    returns = awkward(5)
    units = np.geomspace(1e-6, 1e6, 12)
    plain, scaled = (step_down(x, resamples=300, block=5) for x in (returns, returns * units))
    np.testing.assert_allclose(scaled.adjusted, plain.adjusted)
    np.testing.assert_allclose(scaled.statistics, plain.statistics)
    assert superior_ability(returns * units, resamples=300, block=5) == superior_ability(
        returns, resamples=300, block=5
    )
    assert reality_check(returns * units, resamples=300, block=5) != reality_check(returns, resamples=300, block=5)


def test_a_wild_neighbour_hides_a_small_sure_edge_from_plain_means_only() -> None:
    rng = np.random.default_rng(6)
    returns = rng.standard_normal((500, 2)) * [0.001, 0.1] + [0.0004, 0.0]
    assert step_down(returns, block=1).better().tolist() == [True, False]
    assert step_down(returns, block=1, studentised=False).better().tolist() == [False, False]


def test_poor_strategies_blunt_the_reality_check_and_not_the_consistent_test() -> None:
    rng = np.random.default_rng(7)
    returns = rng.standard_normal((400, 61)) * 0.01
    returns[:, 0] += 0.002
    returns[:, 1:] -= 0.005
    found = superior_ability(returns, block=1)
    assert found.lower <= found.consistent <= found.upper
    assert found.consistent < 0.05 < found.upper
    assert reality_check(returns, block=1) > 0.05


def test_noise_is_rejected_as_often_as_the_level_says() -> None:
    nulls = 200
    rejected, stepped = 0, 0
    for seed in range(nulls):
        returns = np.random.default_rng(seed).standard_normal((120, 20)) * 0.01
        rejected += superior_ability(returns, resamples=200, block=1, seed=seed).consistent <= 0.1
        stepped += bool(step_down(returns, resamples=200, block=1, seed=seed).better(0.1).any())
    error = math.sqrt(0.1 * 0.9 / nulls)
    assert abs(rejected / nulls - 0.1) < 4 * error
    assert abs(stepped / nulls - 0.1) < 4 * error


def test_step_by_step_is_the_adjusted_p_value() -> None:
    """Rejecting all above the quantile, removing them and repeating ends where the adjusted p-values say."""
    returns = awkward(8) + np.linspace(0, 0.006, 12) * np.geomspace(0.1, 3, 12)
    found = step_down(returns, resamples=199, block=4, seed=3)
    draws = StationaryBootstrap(4, np.arange(len(returns)), seed=3).bootstrap(199)
    drawn = np.array([returns[positions[0]].mean(axis=0) for positions, _ in draws])
    chance = (drawn - returns.mean(axis=0)) / (returns.mean(axis=0) / found.statistics)
    for level in (0.01, 0.05, 0.1, 0.3):
        left, better = set(range(12)), set()
        while left:
            highest = chance[:, sorted(left)].max(axis=1)
            new = {k for k in left if (1 + (highest >= found.statistics[k]).sum()) / 200 <= level}
            if not new:
                break
            left, better = left - new, better | new
        assert set(np.flatnonzero(found.better(level))) == better
    assert 0 < found.better(0.3).sum() < 12


def test_nobody_is_better_than_one_ahead_of_him() -> None:
    # Twenty of nearly the same statistic: each has fewer rivals behind it than the one before.
    returns = np.random.default_rng(13).standard_normal((300, 20))
    returns = (returns - returns.mean(axis=0)) / returns.std(axis=0) + np.linspace(0.1, 0.1001, 20)
    found = step_down(returns, resamples=500, block=1)
    order = np.argsort(-found.statistics)
    assert (np.diff(found.adjusted[order]) >= 0).all()
    assert found.adjusted.min() == found.adjusted[order[0]] > 0.3


def test_block_length_is_that_of_the_most_persistent() -> None:
    returns = awkward(10)
    each = optimal_block_length(returns)["stationary"]
    assert block_length(returns) == math.ceil(each.max())
    assert 4 <= each.argmax() < 8
    assert block_length(returns[:, :1] * 1e-200) == block_length(returns[:, :1])
    assert superior_ability(returns, resamples=20).block == block_length(returns)
    assert block_length(np.zeros((20, 2))) == 1


def test_what_never_varies_cannot_be_judged() -> None:
    returns = np.random.default_rng(11).standard_normal((50, 3)) * 0.01
    returns[:, 1] = 0.001
    found = step_down(returns, resamples=50)
    assert np.isnan(found.adjusted).tolist() == [False, True, False]
    assert not found.better(1.0)[1]
    np.testing.assert_allclose(found.adjusted[[0, 2]], step_down(returns[:, [0, 2]], resamples=50).adjusted)
    assert superior_ability(returns, resamples=50).best != 1
    still = np.zeros((50, 2))
    assert np.isnan(step_down(still, resamples=50).adjusted).all()
    assert math.isnan(superior_ability(still, resamples=50).consistent)
    assert superior_ability(still, resamples=50).best == -1
    assert math.isnan(reality_check(still, resamples=50))


def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = awkward(12)
    whole = step_down(returns, resamples=101, block=3)
    monkeypatch.setattr("clawd.evidence.bootstrap._CELLS", 3_100)
    np.testing.assert_array_equal(step_down(returns, resamples=101, block=3).adjusted, whole.adjusted)


def test_what_cannot_be_is_refused() -> None:
    returns = np.zeros((20, 2))
    with pytest.raises(ValueError, match="10 bars"):
        reality_check(returns[:9])
    with pytest.raises(ValueError, match="10 bars"):
        step_down(returns[:, :0])
    with pytest.raises(ValueError, match="for each bar"):
        superior_ability(returns, np.zeros(19))
    with pytest.raises(ValueError, match="finite"):
        superior_ability(returns * np.nan)
    for options in ({"resamples": 0}, {"block": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            superior_ability(returns, **options)
