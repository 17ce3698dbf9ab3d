"""What a study is cut into."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from cluster_worlds import CAPITAL, COSTS, crosses, market, strategy, study_of
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.cluster import task as task_module
from clawd.cluster.study import Study, Window
from clawd.cluster.task import BARS_A_TASK, MOST_STRATEGIES, split
from clawd.core.errors import ClawdError

CROSSES = crosses(40)
MARKETS = (market(1), market(2, instruments=1, bars=200))
WINDOWS = ((0, 0, 100), (0, 100, 300), (1, 50, 200), (1, 0, 200))


@settings(max_examples=60, deadline=None)
@given(
    chosen=st.lists(st.integers(0, len(CROSSES) - 1), max_size=60),
    windows=st.lists(st.sampled_from(WINDOWS), max_size=4),
    bars_a_task=st.integers(1, 20_000),
    skip=st.integers(1, 5),
)
def test_every_key_that_is_not_known_is_in_one_task(
    chosen: list[int], windows: list[tuple[int, int, int]], bars_a_task: int, skip: int
) -> None:
    study = study_of([CROSSES[index] for index in chosen], MARKETS, windows)
    known = set(study.keys[::skip])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task_module, "BARS_A_TASK", bars_a_task)
        tasks = split(study, known)
    counts = Counter(key for task in tasks for key in task.keys)
    assert set(counts) == set(study.keys) - known
    assert set(counts.values()) <= {1}
    assert len({task.id for task in tasks}) == len(tasks)
    for task in tasks:
        assert [each.content_hash for each in task.strategies] == [key.strategy for key in task.keys]
        assert {(key.first, key.last) for key in task.keys} == {(task.window.first, task.window.last)}
        assert {key.market for key in task.keys} == {study.fingerprints[task.window.market]}
        assert task.bars == len(task.keys) * task.window.last * len(study.markets[task.window.market].instruments)
        assert task.bars <= bars_a_task or len(task.keys) == 1


def test_tasks_are_about_a_second_and_never_large() -> None:
    (long,) = split(study_of(CROSSES[:1], [market(3, bars=4_000)], [(0, 0, 4_000)]))
    assert long.bars == 8_000
    many = split(study_of(crosses(1_200), [market(1)]))
    assert [len(task.keys) for task in many] == [1_000, 200]
    assert MOST_STRATEGIES == 1_000
    assert all(task.bars <= BARS_A_TASK for task in many)


def test_the_order_of_a_study_does_not_change_its_tasks() -> None:
    forwards, backwards = (split(study_of(each, MARKETS[:1])) for each in (CROSSES, CROSSES[::-1]))
    assert [task.id for task in forwards] == [task.id for task in backwards]


def test_a_task_is_named_by_all_that_its_outcome_depends_on() -> None:
    study = study_of(CROSSES[:3], MARKETS[:1])
    others = [
        replace(study, capital=CAPITAL + 1),
        replace(study, costs=COSTS.times(2)),
        replace(study, windows=(Window(0, 1, 300),)),
        replace(study, windows=(Window(0, 0, 299),)),
        replace(study, markets=(market(9),)),
        replace(study, strategies=tuple(CROSSES[:2])),
    ]
    names = [split(each)[0].id for each in (study, *others)]
    assert len(set(names)) == len(names)
    assert split(replace(study, capital=Decimal(CAPITAL)))[0].id == names[0]


def test_strategies_with_shared_parts_are_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_module, "BARS_A_TASK", 600 * 4)
    tasks = split(study_of([strategy(fast, slow) for slow in (50, 60) for fast in (3, 4, 5, 6)], MARKETS[:1]))
    texts = [each.target.text for task in tasks for each in task.strategies]
    assert texts == sorted(texts)


def test_the_universe_belongs_to_the_identity() -> None:
    everything = strategy(3, 9)
    one, two, turned = (strategy(3, 9, f"universe = {names}") for names in ('["A"]', '["A", "B"]', '["B", "A"]'))
    study = Study((everything, one, two, turned), MARKETS, (Window(0, 0, 300),), COSTS, CAPITAL)
    assert len({key.strategy for key in study.keys}) == 3
    assert study.keys[2] == study.keys[3]


@pytest.mark.parametrize("window", [(0, 0, 301), (0, 5, 5), (0, -1, 5), (2, 0, 5), (-1, 0, 5)])
def test_a_window_lies_within_its_market(window: tuple[int, int, int]) -> None:
    with pytest.raises(ClawdError, match="window"):
        Study((), MARKETS, (Window(*window),), COSTS, CAPITAL)
