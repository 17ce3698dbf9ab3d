"""Purged cross-validation against its definition, worked examples and an implementation by others."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clawd.evidence.cross_validation import Folds, assemble_paths, purged_splits, split_sharpes
from clawd.evidence.segments import Segments
from clawd.evidence.sharpe import sharpe_ratio

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandas as pd
    import purgedcv  # type: ignore[import-untyped]


@pytest.mark.parametrize(("groups", "held_out", "splits", "paths"), [(6, 2, 15, 5), (10, 2, 45, 9), (10, 8, 45, 36)])
def test_numbers_of_splits_and_paths(groups: int, held_out: int, splits: int, paths: int) -> None:
    folds = Folds(groups, held_out)
    assert folds.splits().shape == (splits, groups)
    assert (folds.splits().sum(axis=1) == held_out).all()
    assert folds.paths().shape == (paths, groups)


def test_sixteen_by_eight() -> None:
    assert len(Folds(16, 8).splits()) == 12_870
    assert len(Folds(16, 8).paths()) == 6_435


def test_three_groups_by_hand() -> None:
    # Held out: 0 and 1, 0 and 2, 1 and 2. The paths that each of the two supplies: [[0, 0], [1, 0], [1, 1]].
    folds = Folds(3, 2)
    np.testing.assert_array_equal(folds.splits(), [[1, 1, 0], [1, 0, 1], [0, 1, 1]])
    np.testing.assert_array_equal(folds.paths(), [[0, 0, 1], [1, 2, 2]])


@given(st.integers(2, 9), st.data())
def test_every_held_out_group_is_used_in_exactly_one_path(groups: int, data: st.DataObject) -> None:
    folds = Folds(groups, data.draw(st.integers(1, groups - 1)))
    splits, paths = folds.splits(), folds.paths()
    used = {(int(split), group) for path in paths for group, split in enumerate(path)}
    assert used == {(int(split), int(group)) for split, group in zip(*np.nonzero(splits), strict=True)}
    assert len(used) == paths.size == splits.sum()


@st.composite
def events(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    gaps = draw(st.lists(st.integers(0, 5), min_size=6, max_size=40))
    starts = np.cumsum(gaps)
    lengths = np.array(draw(st.lists(st.integers(0, 25), min_size=len(gaps), max_size=len(gaps))))
    return starts, starts + lengths


@settings(deadline=None)
@given(events(), st.integers(2, 6), st.integers(0, 12), st.data())
def test_purge_and_embargo_by_definition(
    times: tuple[NDArray[np.int64], NDArray[np.int64]], groups: int, embargo: int, data: st.DataObject
) -> None:
    starts, ends = times
    folds = Folds(groups, data.draw(st.integers(1, groups - 1)))
    group = np.concatenate([np.full(len(part), g) for g, part in enumerate(np.array_split(starts, groups))])
    found = list(purged_splits(folds, starts, ends, embargo))
    assert len(found) == len(folds.splits())
    for (fit, test), held_out in zip(found, folds.splits(), strict=True):
        assert test.tolist() == [i for i in range(len(starts)) if held_out[group[i]]]
        expected = [
            i
            for i in range(len(starts))
            if not held_out[group[i]]
            and not any(starts[i] <= ends[j] and starts[j] <= ends[i] for j in test)
            and not any(ends[j] < starts[i] <= ends[j] + embargo for j in test)
        ]
        assert fit.tolist() == expected


@settings(deadline=None, max_examples=30)
@given(events(), st.integers(2, 6), st.integers(0, 12), st.data())
def test_another_implementation_agrees(
    times: tuple[NDArray[np.int64], NDArray[np.int64]], groups: int, embargo: int, data: st.DataObject
) -> None:
    starts, ends = times
    held_out = data.draw(st.integers(1, groups - 1))
    # Theirs are half-open intervals: an end that is included is one nanosecond before theirs, on a grid of days.
    day = pd.Timedelta(days=1)
    begin = pd.Series(pd.Timestamp("2024-01-01") + starts * day)
    until = pd.Series(pd.Timestamp("2024-01-01") + ends * day + pd.Timedelta(hours=1))
    theirs = purgedcv.CombinatorialPurgedCV(
        groups,
        held_out,
        prediction_times=begin,
        evaluation_times=until,
        purge_horizon=pd.Timedelta(0),
        embargo=embargo * day,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = list(theirs.split(np.zeros((len(starts), 1))))
    found = list(purged_splits(Folds(groups, held_out), starts, ends, embargo))
    for (fit, test), (their_fit, their_test) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(test, their_test)
        np.testing.assert_array_equal(fit, their_fit)


def test_a_long_event_far_behind_still_reaches_into_the_future() -> None:
    # Label 0 lasts until the end; held out, it leaves nothing to fit on.
    starts = np.arange(8)
    ends = starts.copy()
    ends[0] = 100
    (first, _), *rest = purged_splits(Folds(4, 1), starts, ends)
    assert first.tolist() == []
    assert all(0 not in fit for fit, _ in rest)


def test_a_path_is_made_of_every_label_once() -> None:
    folds = Folds(6, 2)
    labels = 20
    # What is predicted names its split and its label.
    splits = list(purged_splits(folds, np.arange(labels), np.arange(labels)))
    predictions = [100.0 * split + test for split, (_, test) in enumerate(splits)]
    paths = assemble_paths(folds, predictions)
    assert paths.shape == (5, labels)
    np.testing.assert_array_equal(paths % 100, np.tile(np.arange(labels), (5, 1)))
    theirs = purgedcv.reconstruct_paths(predictions, [test for _, test in splits], 6, 2, labels)
    np.testing.assert_array_equal(paths, theirs)
    assert len(np.unique(paths)) == paths.size, "no prediction is used twice"


def test_the_splits_of_a_fixed_rule_are_its_ratios_in_parts_of_the_time() -> None:
    returns = np.random.default_rng(1).standard_normal((603, 3)) * 0.01 + 0.001
    found = split_sharpes(Segments.of(returns, 10))
    assert found.shape == (3, 45)
    parts = np.array_split(returns, 10)
    for split, held_out in enumerate(Folds().splits()):
        a, b = np.flatnonzero(held_out)
        chosen = np.concatenate((parts[a], parts[b]))
        for trial in range(3):
            assert found[trial, split] == pytest.approx(sharpe_ratio(chosen[:, trial]), rel=1e-9)
    assert split_sharpes(Segments.of(returns, 60), Folds(6, 3)).shape == (3, 20)


def test_an_edge_that_was_there_for_a_while_only_shows_in_the_lowest_splits() -> None:
    rng = np.random.default_rng(2)
    # An edge of 0.3 a bar throughout, and the same on the whole earned in the first three groups of ten.
    steady = rng.standard_normal(2_000) + 0.3
    brief = rng.standard_normal(2_000) + np.where(np.arange(2_000) < 600, 1.0, 0.0)
    found = split_sharpes(Segments.of(np.column_stack((steady, brief)), 60))
    # A split has 400 bars, so its ratio an error of 0.05; 21 of 45 splits hold out none of the three groups.
    assert np.percentile(found[0], 10) > 0.15
    assert np.percentile(found[1], 10) < 0.05
    assert found[0].mean() == pytest.approx(0.3, abs=0.1)


def test_what_cannot_be_is_refused() -> None:
    for groups, held_out in [(3, 0), (3, 3), (1, 1)]:
        with pytest.raises(ValueError, match="held out"):
            Folds(groups, held_out)
    ones = np.arange(5)
    with pytest.raises(ValueError, match="cannot fill"):
        next(purged_splits(Folds(6, 2), ones, ones))
    for starts, ends in [(ones[::-1], ones[::-1]), (ones, ones - 1), (ones, ones[:3])]:
        with pytest.raises(ValueError, match="order"):
            next(purged_splits(Folds(3, 2), starts, ends))
    with pytest.raises(ValueError, match="embargo"):
        next(purged_splits(Folds(3, 2), ones, ones, -1))
    with pytest.raises(ValueError, match="3 splits"):
        assemble_paths(Folds(3, 2), [np.zeros(2)])
    for lengths in ([4, 4, 3], [2, 4, 6]):
        with pytest.raises(ValueError, match="predictions are not"):
            assemble_paths(Folds(3, 2), [np.zeros(length) for length in lengths])
