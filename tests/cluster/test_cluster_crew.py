"""A crew that outlives a study: the same results, the same processes, and nobody left behind."""

from __future__ import annotations

import os

import pytest
from cluster_worlds import alive, children, collected, crosses, exactly, market, study_of, until

from clawd.cluster.run import hired, run_study


def test_a_crew_does_one_study_after_another_with_the_same_processes() -> None:
    panel = market(1)
    studies = [study_of(crosses(8)[:4], [panel]), study_of(crosses(8)[4:], [panel])]
    expected = [exactly(study, collected(run_study(study, workers=1))) for study in studies]
    before = set(children(os.getpid()))
    with hired((panel,), workers=2) as crew:
        found = [exactly(studies[0], collected(run_study(studies[0], crew=crew)))]
        workers = set(children(os.getpid())) - before
        found.append(exactly(studies[1], collected(run_study(studies[1], crew=crew))))
        assert set(children(os.getpid())) - before == workers
    assert found == expected
    assert until(lambda: not any(map(alive, workers)), 10)


def test_a_study_that_is_broken_off_leaves_a_crew_that_can_work() -> None:
    panel = market(1)
    study = study_of(crosses(6), [panel])
    expected = exactly(study, collected(run_study(study, workers=1)))
    with hired((panel,), workers=2) as crew:
        assert collected(run_study(study, crew=crew, stop=lambda: True)) == {}
        steps = run_study(study, crew=crew)
        next(steps)
        steps.close()
        assert exactly(study, collected(run_study(study, crew=crew))) == expected


def test_a_crew_is_for_the_bars_it_was_hired_for() -> None:
    with hired((market(1),), workers=1) as crew, pytest.raises(ValueError, match="other markets"):
        list(run_study(study_of(crosses(2), [market(1)]), crew=crew))
