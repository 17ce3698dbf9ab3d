"""What is held to be true of a world, and how sure the counts are."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from surrogate_checks import sample_rows

from clawd.core.costs import Costs
from clawd.research.worlds.planted import CAPITAL, EDGES, HIDDEN, Edge
from clawd.research.worlds.truth import Making, clopper_pearson, expected_gains, oracle_evidence

COSTS = Costs(Decimal("0.0005"), Decimal("0.0002"))


@pytest.mark.parametrize(
    ("hits", "tries", "low", "high"),
    [
        # From the definition: at 0 of n the upper end is 1 - (α/2)^(1/n), and the lower end of n of n mirrors it.
        (0, 100, 0.0, 1 - 0.025 ** (1 / 100)),
        (10, 10, 0.025 ** (1 / 10), 1.0),
        (0, 0, 0.0, 1.0),
        # Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, exact method.
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_the_interval_of_a_share_is_the_published_one(hits: int, tries: int, low: float, high: float) -> None:
    found = clopper_pearson(hits, tries)
    assert found == pytest.approx((low, high), abs=5e-5)


def test_the_interval_of_a_share_covers_it() -> None:
    random = np.random.default_rng(3)
    for share in (0.02, 0.3, 0.9):
        draws = random.binomial(40, share, 2_000)
        ends = {int(hits): clopper_pearson(int(hits), 40) for hits in np.unique(draws)}
        covered = np.mean([ends[int(hits)][0] <= share <= ends[int(hits)][1] for hits in draws])
        assert covered > 0.94


def test_more_hits_than_tries_are_refused() -> None:
    with pytest.raises(ValueError, match="5 of 4"):
        clopper_pearson(5, 4)


def test_a_rule_that_follows_the_edge_gains_and_its_opposite_loses() -> None:
    edge = EDGES["momentum"][0]
    follow, oppose = edge.oracle, Edge("mirror", "long_short(-sign(ret(close, 7)))").oracle
    making = Making("block-shuffled", edge, 0.006)
    (gain, error), (loss, _) = expected_gains([follow, oppose], making, sample_rows(), COSTS, CAPITAL, 1)
    assert gain > 10 * error > 0
    assert loss < -3 * error  # no more than its capital in each stretch: a tenth a year
    assert expected_gains([], making, sample_rows(), COSTS, CAPITAL, 1) == []


@pytest.mark.parametrize("edge", [None, HIDDEN])
def test_nothing_gains_where_there_is_no_edge_or_nobody_is_shown_it(edge: Edge | None) -> None:
    making = Making("phase-randomised", edge, 0.006)
    ((gain, _),) = expected_gains([EDGES["momentum"][0].oracle], making, sample_rows(), COSTS, CAPITAL, 1)
    assert gain == -math.inf  # nothing is measured: a true gain before costs of zero may come out above it by chance


def test_the_oracle_of_a_large_edge_proves_it_and_that_of_none_does_not() -> None:
    rows, edge = sample_rows(), EDGES["volume"][0]
    strong = Making("block-shuffled", edge, 0.008).world(rows, 2_520, 5)
    weak = Making("block-shuffled", edge, 0.0).world(rows, 2_520, 5)
    assert oracle_evidence(strong, 1_000, COSTS, CAPITAL).peak > 100
    assert oracle_evidence(weak, 1_000, COSTS, CAPITAL).peak < 20
    assert oracle_evidence(strong, 1_000, COSTS, CAPITAL).bars == 1_520
    noise = Making("block-shuffled").world(rows, 600, 5)
    with pytest.raises(ValueError, match="no oracle"):
        oracle_evidence(noise, 0, COSTS, CAPITAL)


def test_the_capital_of_a_fresh_stretch_is_whole() -> None:
    """A rule that loses all of it in some stretch loses no more than that: the mean stays finite and negative."""
    edge = EDGES["reversal"][1]
    making = Making("block-shuffled", edge, 0.012)
    against = Edge("against", "long_short(sign(ret(close, 9)))").oracle
    ((gain, error),) = expected_gains([against], making, sample_rows(), COSTS, CAPITAL, 2)
    assert math.isfinite(gain)
    assert gain < 0 <= error
