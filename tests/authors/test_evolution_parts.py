"""The parts of evolution, each against something that knows the answer without it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.authors.evolution.archive import DEEP, Archive, Cell, Member
from clawd.authors.evolution.bandit import BLAME, Bandit
from clawd.authors.evolution.family import FAMILIES, family, response
from clawd.authors.evolution.objectives import (
    FOLDS,
    Objectives,
    Outcome,
    marginal_sharpe,
    median_fold_sharpe,
    objectives,
    whole_sharpe,
)
from clawd.authors.evolution.pareto import best_first, crowding, ranks
from clawd.authors.evolution.stages import SEGMENTS, longest_lookback, stages_of, verdicts
from clawd.core.panel import Floats
from clawd.language.builder import build
from clawd.language.node import Node
from clawd.language.strategy import parse_toml


def node(text: str) -> Node:
    built = build(text)
    assert isinstance(built, Node)
    return built


def outcome_from(returns: Floats, segments: int = SEGMENTS, **figures: float) -> Outcome:
    """The sums that an evaluation leaves of these net returns per bar."""
    parts = np.array_split(returns, segments)
    told = {"turnover": 0.0, "exposure": 1.0, "net_exposure": 0.0, "costs": 0.0, **figures}
    return Outcome(
        bars=np.array([part.size for part in parts]),
        returns=np.array([part.sum() for part in parts]),
        squares=np.array([(part**2).sum() for part in parts]),
        trades=1,
        **told,
    )


def sharpe(returns: Floats, bars_per_year: float) -> float:
    return float(returns.mean() / returns.std(ddof=1) * math.sqrt(bars_per_year))


# The family of a program.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("long_short(sign(ret(close, 20)))", "trend"),
        ("long_short(-sign(ret(close, 20)))", "reversal"),
        ("long_short(squash(ts_zscore(close, 60)))", "trend"),
        ("hysteresis(-bb_z(close, 20), 2, 0)", "reversal"),
        ("signal_if(close > delay(ts_max(high, 55), 1), close < delay(ts_min(low, 55), 1))", "trend"),
        ("signal_if(close < delay(ts_min(low, 20), 1), close > delay(ts_max(high, 20), 1))", "reversal"),
        ("long_only(where(close > ts_mean(close, 200), 1, 0))", "trend"),
        ("long_only(where(close > ts_mean(close, 200), 0, 1))", "reversal"),
        ("long_short(-1 * ret(close, 5))", "reversal"),
        ("long_short(sign(ema(close, 5) - ema(close, 50)))", "trend"),
        ("signal_if(rsi(close, 2) < 10, rsi(close, 2) > 90)", "reversal"),
        ("long_short(((close - low) / (high - low) - 0.5) * -2)", "reversal"),
        ("xs_portfolio(-cs_rank(ret(close, 5)))", "cross-section"),
        ("long_short(sign(volume / ts_mean(volume, 20) - 1))", "volume"),
        ('long_short(where(clock("weekday") > 2, 1, -1))', "calendar"),
        ('long_short(sign(delta(ext("vix"), 1)))', "outside"),
        ('long_short(sign(ret(asset(close, "B"), 1)))', "relation"),
        ("long_short(sign(ts_std(ret(close, 1), 10) - ts_std(ret(close, 1), 60)))", "volatility"),
        ("long_only(1)", "static"),
        ("vol_target(long_only(1), 0.1, 60)", "static"),
        ("share_by(long_short(sign(ret(close, 5))), volume / ts_mean(volume, 5))", "trend"),
    ],
)
def test_the_family_is_read_from_the_program(text: str, expected: str) -> None:
    assert family(node(text)) == expected
    assert expected in FAMILIES


@pytest.mark.parametrize("text", ["ret(close, 5)", "ts_zscore(close, 20)", "ema(close, 3) / ema(close, 30) - 1"])
def test_who_does_the_opposite_answers_the_opposite(text: str) -> None:
    followed, opposed = (response(node(f"long_short({sign}({text}))")) for sign in ("", "-"))
    assert followed == -opposed > 0


# Objectives.


@given(st.integers(0, 2**32), st.floats(-0.002, 0.002), st.integers(120, 900))
def test_the_sharpe_ratio_from_sums_is_that_of_the_returns(seed: int, mean: float, bars: int) -> None:
    returns = np.random.default_rng(seed).normal(mean, 0.01, bars)
    (found,) = whole_sharpe([outcome_from(returns)], 365.0)
    assert found == pytest.approx(sharpe(returns, 365.0), rel=1e-9)


def test_the_median_is_over_all_pairs_of_folds() -> None:
    returns = np.random.default_rng(3).normal(0.0005, 0.01, 600)
    folds = [np.arange(600) // 100 == fold for fold in range(FOLDS)]
    # A segment has ten bars; the first of every fold but the first is purged.
    kept = (np.arange(600) % 100 >= 10) | (np.arange(600) < 100)
    expected = np.median(
        [sharpe(returns[(folds[one] | folds[other]) & kept], 365.0) for one in range(6) for other in range(one)]
    )
    (found,) = median_fold_sharpe([outcome_from(returns, turnover=2 * 365.0 / 5)], 365.0)  # held for five bars
    assert found == pytest.approx(expected, rel=1e-9)


def test_one_lucky_stretch_of_time_does_not_make_a_good_strategy() -> None:
    returns = np.random.default_rng(5).normal(-0.0002, 0.01, 3000)
    returns[500:800] += 0.01
    outcome = outcome_from(returns)
    assert whole_sharpe([outcome], 365.0)[0] > 1.0
    assert median_fold_sharpe([outcome], 365.0)[0] < 0.6


def test_what_is_held_across_the_edge_of_a_fold_is_counted_in_neither() -> None:
    """A strategy that earns only in the first three segments of each fold, and holds for three segments."""
    rng = np.random.default_rng(1)
    returns = rng.normal(0, 0.001, 600)
    edge = (np.arange(600) % 100 < 30) & (np.arange(600) >= 100)
    returns[edge] += 0.01
    held = outcome_from(returns, turnover=2 * 365.0 / 30)
    quick = outcome_from(returns, turnover=2 * 365.0 / 1)
    slow_sharpe, quick_sharpe = median_fold_sharpe([held, quick], 365.0)
    assert abs(slow_sharpe) < 2.5
    assert quick_sharpe > 8


def test_what_the_book_has_already_adds_nothing() -> None:
    rng = np.random.default_rng(2)
    base, own = rng.normal(0.001, 0.01, (2, 6000))
    book = outcome_from(base).returns
    copy, both, other = (outcome_from(each) for each in (0.5 * base, base + own, own))
    alone = whole_sharpe([copy, both, other], 365.0)
    beside = marginal_sharpe([copy, both, other], book, 365.0)
    assert abs(beside[0]) < 1e-6 < alone[0]
    assert beside[2] == pytest.approx(alone[2], abs=0.5)
    assert beside[1] == pytest.approx(beside[2], abs=0.1), "what it shares with the book is taken off"
    assert marginal_sharpe([other], None, 365.0)[0] == pytest.approx(alone[2], abs=0.5)


def test_returns_that_do_not_vary_have_a_sharpe_ratio_of_nothing() -> None:
    (worth,) = objectives([outcome_from(np.zeros(600))], [3], None, 365.0)
    assert (worth.sharpe, worth.marginal, worth.whole) == (0.0, 0.0, 0.0)


# Fronts.


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a >= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=25))
def test_fronts_are_those_of_the_definition(points: list[tuple[int, ...]]) -> None:
    found = ranks(np.array(points, float))
    waiting, front = set(range(len(points))), 0
    while waiting:
        best = {i for i in waiting if not any(dominates(points[j], points[i]) for j in waiting)}
        assert {i for i in range(len(points)) if found[i] == front} == best
        waiting -= best
        front += 1


def test_of_a_front_those_with_room_come_first() -> None:
    points = np.array([[0.0, 4.0], [1.0, 3.0], [1.1, 2.9], [3.0, 1.0], [4.0, 0.0], [0.0, 0.0]])
    room = crowding(points, ranks(points))
    assert np.isinf(room[[0, 4]]).all()
    assert room[1] == pytest.approx((1.1 - 0.0) / 4 + (4.0 - 2.9) / 4)
    assert best_first(points)[:2] == [0, 4]
    assert best_first(points)[-1] == 5


# The archive.


def member(name: int, sharpe_: float, size: int = 5, cell: Cell | None = None, returns: Floats | None = None) -> Member:
    strategy = parse_toml(
        f'name = "m{name}"\n[position]\ntarget = "long_short(sign(ret(close, {name + 1})))"\n[exits]\n'
        "stop = { percent = 10 }\n"
    )
    outcome = outcome_from(np.random.default_rng(name).normal(0, 0.01, 600) if returns is None else returns)
    worth = Objectives(sharpe_, sharpe_, size, 10.0, sharpe_)
    return Member(strategy, outcome, worth, cell or Cell(1, "long", "trend"), "fresh", ())


def test_a_cell_keeps_a_few_of_its_best_and_others_do_not_crowd_them_out() -> None:
    archive = Archive()
    assert archive.add(member(50, 0.1, cell=Cell(0, "short", "volume"))) == "best"
    fates = [archive.add(member(n, 0.1 * n)) for n in range(1, 20)]
    assert fates.count("best") >= 10
    assert len(archive.cells[Cell(1, "long", "trend")]) <= DEEP
    assert max(each.objectives.sharpe for each in archive) == pytest.approx(1.9)
    assert Cell(0, "short", "volume") in archive.cells
    assert archive.add(member(30, 0.05)) == "dominated"
    assert archive.add(member(31, 1.91)) == "kept", "better by no more than luck"


def test_of_two_that_do_the_same_the_smaller_program_stays() -> None:
    archive = Archive()
    returns = np.random.default_rng(0).normal(0.001, 0.01, 600)
    assert archive.add(member(1, 1.0, size=20, returns=returns)) == "best"
    assert archive.add(member(2, 1.0, size=21, returns=returns)) == "same behaviour"
    archive.add(member(3, 1.0, size=4, returns=returns))
    assert [each.objectives.size for each in archive] == [4]
    assert len(archive.behaviours) == 1


def test_a_small_program_that_earns_nothing_is_not_good_for_being_small() -> None:
    archive = Archive()
    for number in range(1, DEEP + 1):
        archive.add(member(number, 1.0 + number, size=40 + 10 * number))
    assert archive.add(member(40, -0.1, size=1)) == "dominated"


# The bandit.


def test_what_works_is_tried_more_often_and_nothing_is_given_up() -> None:
    random, bandit = Random(1), Bandit(["good", "bad", "poor"])
    tried = {"good": 0, "bad": 0, "poor": 0}
    for _ in range(600):
        name = bandit.choose(random, "plain")
        tried[name] += 1
        won = random.random() < {"good": 0.4, "bad": 0.05, "poor": 0.05}[name]
        bandit.learn("plain", name, "best" if won else "lost")
        if _ % 50 == 49:
            bandit.forget()
    assert tried["good"] > 2 * max(tried["bad"], tried["poor"])
    assert min(tried.values()) > 10
    belief = bandit.belief("plain")
    assert belief["good"] > belief["bad"]
    assert set(bandit.belief("costly").values()) == {0.5}, "another situation is another matter"


def test_a_failure_that_was_nearly_none_is_blamed_less() -> None:
    assert BLAME["dominated"] < BLAME["weak"] < BLAME["lost"] < BLAME["never traded"]


# Stages.


def test_the_stages_see_a_tenth_a_fold_and_everything() -> None:
    tenth, fold, everything = stages_of(5000)
    assert [stage.bars for stage in (tenth, fold, everything)] == [500, 1000, 5000]
    assert [stage.segments for stage in (tenth, fold, everything)] == [6, 12, 60]
    assert tenth.last <= fold.first, "two different times"
    assert longest_lookback(5000) <= tenth.first - tenth.start + 0.75 * tenth.bars
    assert [stage.name for stage in stages_of(450)] == ["one fold", "all folds"]
    assert [stage.name for stage in stages_of(100)] == ["all folds"]


def test_a_stage_says_why_it_lets_nobody_further() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.01, 500)
    (stage, *_) = stages_of(5000)
    told: list[Outcome | None] = [
        None,
        outcome_from(np.zeros(500), 6, exposure=0.0),
        outcome_from(noise - 0.01, 6),
        outcome_from(noise - noise.mean() - 0.001, 6, costs=0.6),
        outcome_from(noise - noise.mean() - 0.001, 6, costs=0.1),
        *(outcome_from(noise - noise.mean() + 0.0001 * step, 6) for step in range(1, 40)),
    ]
    said = verdicts(told, ["trend"] * len(told), stage)
    assert said[:5] == ["failed", "never traded", "ruined", "costs", "lost"]
    passed = [index for index, each in enumerate(said) if each == "passed"]
    assert len(passed) == math.ceil(stage.keep * len(told))
    assert passed == list(range(len(told) - len(passed), len(told))), "the best of them"
    assert set(said[5:]) == {"passed", "weak"}


def test_everything_that_went_through_all_folds_is_judged_by_the_archive() -> None:
    stage = stages_of(5000)[-1]
    assert verdicts([outcome_from(np.random.default_rng(1).normal(-0.001, 0.002, 90))], ["trend"], stage) == ["passed"]


def test_one_kind_that_does_well_does_not_shut_the_others_out() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, 500)
    (stage, *_) = stages_of(5000)
    kinds = ["trend"] * 80 + ["volume"] * 10 + ["calendar"] * 10
    told = [outcome_from(noise - noise.mean() + 1e-5 * (200 - place), 6) for place in range(100)]
    passed = [kinds[index] for index, each in enumerate(verdicts(told, kinds, stage)) if each == "passed"]
    assert len(passed) == 40
    assert (passed.count("volume"), passed.count("calendar")) == (7, 7)
