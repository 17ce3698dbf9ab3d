"""Combinatorial purged cross-validation: many out-of-sample histories where walking forward gives one.

Time is cut into N groups; each of the C(N, k) splits holds k of them out. Every group is held out in C(N-1, k-1)
splits, so that what was predicted there can be assembled into as many complete paths. Before fitting, labels are
*purged*: a label is known only at the end of its event, and one whose event overlaps a held-out event has seen the
answer. After each held-out stretch an *embargo* drops what still remembers it.

Reference: López de Prado, "Advances in Financial Machine Learning" (2018), chapters 7 and 12.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats
from clawd.evidence.segments import Segments, Unions

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Folds:
    """N groups of time, of which k are held out at a time.

    Raises:
        ValueError: unless 1 <= k < N.
    """

    groups: int = 10
    held_out: int = 2

    def __post_init__(self) -> None:
        if not 1 <= self.held_out < self.groups:
            raise ValueError(f"of {self.groups} groups, {self.held_out} cannot be held out with any left")

    def splits(self) -> Unions:
        """bool [C(N, k), N], a row for every split, True where a group is held out, in lexicographic order."""
        chosen = np.array(list(itertools.combinations(range(self.groups), self.held_out)))
        held_out = np.zeros((len(chosen), self.groups), dtype=np.bool_)
        np.put_along_axis(held_out, chosen, True, axis=1)
        return held_out

    def paths(self) -> Indices:
        """int64 [C(N-1, k-1), N], the split that supplies each group of each path; no split supplies one twice."""
        return np.stack([np.flatnonzero(held_out) for held_out in self.splits().T], axis=1)

    def group_of(self, labels: int) -> Indices:
        """int64 [labels], the group of each; where they cannot be divided, the first groups have one more.

        Raises:
            ValueError: when there are fewer labels than groups.
        """
        if labels < self.groups:
            raise ValueError(f"{labels} labels cannot fill {self.groups} groups")
        size, longer = divmod(labels, self.groups)
        places = np.arange(self.groups)
        return np.repeat(places, size + (places < longer))


def purged_splits(
    folds: Folds, starts: NDArray[np.int64], ends: NDArray[np.int64], embargo: int = 0
) -> Iterator[tuple[Indices, Indices]]:
    """What to fit on and what to predict, for every split in the order of ``folds.splits()``.

    A label i says what happened in [starts[i], ends[i]]: it was decided at its start and known at its end, both
    included. It is fitted on in a split when it is not held out, its event meets no held-out event in any instant,
    and it does not start within the embargo after the end of a held-out one.

    Args:
        folds: how time is divided.
        starts: int64 [T] ascending, in any unit: bars, or nanoseconds.
        ends: int64 [T], none before its start.
        embargo: in the same unit; labels that start in (end, end + embargo] of a held-out label are dropped.

    Yields:
        int64 indices ascending: of the labels to fit on, which may be none, and of those held out.

    Raises:
        ValueError: when there are fewer labels than groups, times are out of order or the embargo is negative.
    """
    if starts.ndim != 1 or starts.shape != ends.shape or (np.diff(starts) < 0).any() or (ends < starts).any():
        raise ValueError("labels come in the order of their starts, and none ends before it starts")
    if embargo < 0:
        raise ValueError(f"an embargo is not negative, it was {embargo}")
    group = folds.group_of(len(starts))
    for held_out in folds.splits():
        testing = held_out[group]
        # Of all held-out events that start no later than a label ends, does any end, embargo included, at or after
        # the label's start? The latest end so far answers: an event is long past or it overlaps.
        latest = np.maximum.accumulate(ends[testing])
        earlier = np.searchsorted(starts[testing], ends, side="right")
        overlaps = (earlier > 0) & (latest[earlier - 1] >= starts)
        before = np.searchsorted(starts[testing], starts, side="right")
        embargoed = (before > 0) & (latest[before - 1] + embargo >= starts)
        yield np.flatnonzero(~testing & ~overlaps & ~embargoed), np.flatnonzero(testing)


def assemble_paths(folds: Folds, predictions: Sequence[Floats]) -> Floats:
    """Complete out-of-sample histories from what was predicted in each split.

    Args:
        folds: as the splits were made.
        predictions: C(N, k) arrays, float64 [held-out labels of that split] in their order in time.

    Returns:
        float64 [C(N-1, k-1), T], a row for every path of ``folds.paths()``.

    Raises:
        ValueError: when there are not as many arrays as splits, or their lengths fit no number of labels.
    """
    splits = folds.splits()
    if len(predictions) != len(splits):
        raise ValueError(f"there are {len(splits)} splits, and {len(predictions)} predictions")
    # Every label is held out in as many splits as there are paths.
    paths = folds.paths()
    labels, left_over = divmod(sum(len(values) for values in predictions), len(paths))
    group = folds.group_of(labels)
    if left_over or any(len(p) != held_out[group].sum() for p, held_out in zip(predictions, splits, strict=True)):
        raise ValueError(f"the predictions are not those of {folds.groups} groups of {labels} labels")
    assembled = np.empty((len(paths), labels))
    whole = np.empty((len(splits), labels))
    for split, (values, held_out) in enumerate(zip(predictions, splits, strict=True)):
        whole[split, held_out[group]] = values
    for path, supplied_by in enumerate(paths):
        assembled[path] = whole[supplied_by[group], np.arange(labels)]
    return assembled


def split_sharpes(segments: Segments, folds: Folds | None = None) -> Floats:
    """The Sharpe ratio per bar of each trial in the held-out time of every split: float64 [N, C(N, k)].

    For rules that are not fitted. Such a rule earns the same whatever the split, so all its paths are one path, and
    their distribution a single point. What says something is how it did in the different fifths (k/N) of the time:
    this is that distribution. Its values share their groups, so they are no independent sample.

    Args:
        segments: of the trials; they are put together into the groups.
        folds: 10 groups, 2 held out, where None.

    Returns:
        As of ``Segments.sharpes``: 0 where a trial stood still throughout, NaN where a ratio does not exist.

    Raises:
        ValueError: when there are fewer segments than groups.
    """
    folds = folds or Folds()
    return segments.grouped(folds.groups).sharpes(folds.splits())
