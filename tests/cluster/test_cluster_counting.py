"""Nothing is lost and nothing counts twice, whatever arrives however often."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import count

from cluster_worlds import crosses, market, study_of
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.cluster import task as task_module
from clawd.cluster.run import Step, counted
from clawd.cluster.study import Study
from clawd.cluster.task import Done, Task, split
from clawd.engine.metrics import Metrics

STUDY = study_of(crosses(23), [market(1)], [(0, 0, 100), (0, 100, 300)])


def figures(number: int) -> Metrics:
    """Figures that are told apart by how many bars they have."""
    return Metrics(number, *(0.0,) * 5, 0, *(0.0,) * 8)  # type: ignore[arg-type]


def small_tasks(study: Study, size: int) -> tuple[Task, ...]:
    before = task_module.MOST_STRATEGIES
    task_module.MOST_STRATEGIES = size  # type: ignore[misc]
    try:
        return split(study)
    finally:
        task_module.MOST_STRATEGIES = before  # type: ignore[misc]


def arriving(tasks: list[Task]) -> Generator[Done, None, None]:
    """Tasks come back, each time with other figures, so that one can see which was taken."""
    for number, task in enumerate(tasks):
        yield Done(task, [figures(number)] * len(task.keys))


@settings(max_examples=80, deadline=None)
@given(data=st.data(), size=st.integers(1, 30))
def test_whatever_arrives_twice_counts_once(data: st.DataObject, size: int) -> None:
    tasks = small_tasks(STUDY, size)
    once = data.draw(st.permutations(tasks))
    again = data.draw(st.lists(st.tuples(st.sampled_from(tasks), st.integers(0, len(tasks))), max_size=10))
    order = list(once)
    for task, place in again:
        order.insert(place, task)
    known = set(data.draw(st.lists(st.sampled_from(STUDY.keys), max_size=20)))
    steps = list(counted(arriving(order), set(STUDY.keys), set(known), sum(t.bars for t in tasks), count().__next__))
    came = [result for step in steps for result in step.results]
    assert len({result.key for result in came}) == len(came)
    assert {result.key for result in came} == set(STUDY.keys) - known
    for result in came:
        assert result.metrics is not None
        assert result.metrics.bars == next(n for n, task in enumerate(order) if result.key in task.keys), "the first"
    # What was worked on once is no work the second time: one second a task, and never more work than there is.
    assert steps[-1].progress.rate * (len(steps) - 1) <= sum(task.bars for task in tasks) * (1 + 1e-9)
    done = [step.progress.done for step in steps]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (len(known), len(STUDY.keys))
    assert {step.progress.total for step in steps} == {len(STUDY.keys)}


def test_the_time_left_is_the_work_left_at_the_rate_so_far() -> None:
    tasks = small_tasks(STUDY, 5)
    bars = sum(task.bars for task in tasks)
    seconds = iter([100.0, *(100.0 + 2.0 * n for n in range(1, 99))])
    steps: Iterator[Step] = counted(arriving(list(tasks)), set(STUDY.keys), set(), bars, seconds.__next__)
    first, second, third = (next(steps).progress for _ in range(3))
    assert (first.rate, first.done) == (0.0, 0)
    assert first.seconds_left != first.seconds_left
    assert second.rate == tasks[0].bars / 2.0
    assert third.rate == (tasks[0].bars + tasks[1].bars) / 4.0
    assert third.seconds_left == (bars - tasks[0].bars - tasks[1].bars) / third.rate
    assert [step.progress for step in steps][-1].seconds_left == 0.0


def test_failures_are_counted_and_told_apart() -> None:
    (task, other) = small_tasks(STUDY, 100)
    arrivals = (done for done in (Done(task, ["no"] * 23), Done(other, ["died"] * 23, given_up=True)))
    _, first, second = counted(arrivals, set(STUDY.keys), set(), task.bars + other.bars, count().__next__)
    assert {(each.failure, each.given_up, each.metrics) for each in first.results} == {("no", False, None)}
    assert {(each.failure, each.given_up, each.metrics) for each in second.results} == {("died", True, None)}
    assert (first.progress.failed, second.progress.failed) == (23, 46)
    assert second.progress.done == 46
