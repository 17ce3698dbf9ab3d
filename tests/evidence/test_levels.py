"""e-LOND: of what is promoted at most the promised share is false, however the hypotheses hang together."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from clawd.evidence.levels import level, share, wealth_to_reach


def test_the_shares_sum_to_one() -> None:
    exact = sum((Fraction(1, k * (k + 1)) for k in range(1, 1_001)), Fraction())
    assert exact == 1 - Fraction(1, 1_001)
    assert [share(k) for k in (1, 2, 3, 1_000)] == [1 / 2, 1 / 6, 1 / 12, 1 / 1_001_000]


def test_levels_by_hand() -> None:
    assert wealth_to_reach(1, 0) == 20.0
    assert wealth_to_reach(2, 0) == pytest.approx(60)
    assert wealth_to_reach(2, 1) == pytest.approx(30)
    assert wealth_to_reach(10, 3) == pytest.approx(275)
    assert wealth_to_reach(1, 0, alpha=0.05) == pytest.approx(40)
    assert level(10, 3) == pytest.approx(0.1 * 4 / 110)


def test_a_promotion_lowers_what_later_ones_must_reach_and_a_registration_raises_it() -> None:
    assert wealth_to_reach(9, 2) < wealth_to_reach(9, 1) < wealth_to_reach(10, 1)


@pytest.mark.parametrize(
    ("hypothesis", "promotions", "alpha"),
    [(0, 0, 0.1), (-1, 0, 0.1), (1, 1, 0.1), (3, -1, 0.1), (1, 0, 0.0), (1, 0, 1.0), (1, 0, math.nan)],
)
def test_what_cannot_be_is_refused(hypothesis: int, promotions: int, alpha: float) -> None:
    with pytest.raises(ValueError, match=r"cannot be|alpha"):
        wealth_to_reach(hypothesis, promotions, alpha)
    with pytest.raises(ValueError, match="counted from 1"):
        share(0)


def wealths(returns: NDArray[np.float64], bound: float) -> NDArray[np.float64]:
    total = np.zeros_like(returns)
    for fraction in (0.25, 0.5, 1, 2, 4, 8):
        total += np.cumprod(1 + min(fraction, 1 / bound) * returns, axis=1) / 6
    return total


RUNS, HYPOTHESES, LIFE, APART = 1_500, 24, 400, 40


def campaign(rng: np.random.Generator, edges: float, crowd: float) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Hypotheses registered 40 bars apart, alive for 400, promoted at the first bar that reaches its level.

    A share of them has an edge; the others have none, and all lean on one market of that share of their
    variance.

    Returns:
        bool [runs, hypotheses], which have an edge, and int64 of the same shape, the bar of promotion, or a
        bar beyond all.
    """
    never = HYPOTHESES * APART + LIFE
    true = rng.random((RUNS, HYPOTHESES)) < edges
    market = rng.standard_normal((RUNS, never))
    promoted = np.full((RUNS, HYPOTHESES), never)
    for k in range(1, HYPOTHESES + 1):
        birth = (k - 1) * APART
        own = rng.standard_normal((RUNS, LIFE))
        draw = math.sqrt(crowd) * market[:, birth : birth + LIFE] + math.sqrt(1 - crowd) * own
        returns = 0.01 * (np.clip(draw, -10, 10) + np.where(true[:, k - 1], 0.3, 0.0)[:, None])
        wealth = wealths(returns, bound=0.11)
        before = (promoted[:, : k - 1] < birth).sum(axis=1)
        need = np.array([wealth_to_reach(k, int(count)) for count in before])
        reached = wealth >= need[:, None]
        promoted[:, k - 1] = np.where(reached.any(axis=1), birth + reached.argmax(axis=1), never)
    return true, promoted


@pytest.mark.parametrize(("edges", "crowd"), [(0.0, 0.0), (0.2, 0.0), (0.2, 0.8), (0.6, 0.5)])
def test_the_false_discovery_rate_is_kept_over_mixed_and_dependent_streams(edges: float, crowd: float) -> None:
    true, promoted = campaign(np.random.default_rng(8), edges, crowd)
    taken = promoted < HYPOTHESES * APART + LIFE
    false_share = (taken & ~true).sum(axis=1) / np.maximum(taken.sum(axis=1), 1)
    error = false_share.std() / math.sqrt(RUNS)
    assert false_share.mean() <= 0.1 + 4 * error
    if edges:
        assert (taken & true).sum() / true.sum() > 0.4  # and it is not kept by promoting nothing


def sharpest(
    rng: np.random.Generator, runs: int, edges: float = 0.0, *, together: bool = False, charged: bool = True
) -> NDArray[np.float64]:
    """The false share of each run for 100 e-values that are exactly what must be reached, or 0.

    No law of mean 1 is promoted more often. A share of the hypotheses has an edge and is promoted at once.
    The others may rise and fall together. Not charged, every hypothesis is held against the level of the
    first.
    """
    promotions, mistakes = np.zeros(runs, dtype=np.int64), np.zeros(runs, dtype=np.int64)
    common = rng.random(runs)
    for k in range(1, 101):
        levels = np.array([level(k, int(count)) if charged else level(1, 0) for count in promotions])
        true = rng.random(runs) < edges
        mistaken = ~true & ((common if together else rng.random(runs)) < levels)
        promotions += true | mistaken
        mistakes += mistaken
    return mistakes / np.maximum(promotions, 1)


@pytest.mark.parametrize("edges", [0.0, 0.05, 0.5])
@pytest.mark.parametrize("together", [False, True])
def test_the_rate_is_kept_by_the_sharpest_e_values(edges: float, together: bool) -> None:
    runs = 5_000
    false_share = sharpest(np.random.default_rng(9), runs, edges, together=together)
    assert false_share.mean() <= 0.1 + 4 * false_share.std() / math.sqrt(runs)


def test_where_nothing_has_an_edge_the_levels_spend_nearly_all_of_the_rate() -> None:
    runs = 20_000
    rate = sharpest(np.random.default_rng(10), runs).mean()
    expected = 1 - math.prod(1 - level(k, 0) for k in range(1, 101))
    assert expected == pytest.approx(0.0953, abs=0.001)
    assert abs(rate - expected) < 4 * math.sqrt(expected * (1 - expected) / runs)


def test_control_without_the_charge_the_rate_is_broken() -> None:
    assert sharpest(np.random.default_rng(11), 2_000, charged=False).mean() > 0.9
