"""Few points of many: what stood out still does."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clawd.reports.thinning import MOST_DRAWN, bar_edges, kept_places, wider_bars


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3_000), st.integers(1, 4), st.integers(0, 400), st.booleans())
def test_ends_and_extremes_of_every_column_are_kept(seed: int, length: int, many: int, room: int, holes: bool) -> None:
    most = 2 + 2 * many + room
    rng = np.random.default_rng(seed)
    columns = [np.cumsum(rng.normal(size=length)).round(rng.integers(0, 3)) for _ in range(many)]
    if holes:
        columns[0][rng.random(length) < 0.3] = np.nan
    kept = kept_places(columns, most)
    assert 0 < kept.size <= max(most, 2)
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0 and kept[-1] == length - 1
    for column in columns:
        known = column[~np.isnan(column)]
        if known.size:
            assert np.nanmax(column[kept]) == known.max()
            assert np.nanmin(column[kept]) == known.min()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(200, 3_000), st.integers(50, 199))
def test_no_stretch_of_time_loses_its_extremes(seed: int, length: int, most: int) -> None:
    """A spike anywhere is seen, not only the largest of all."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=length) * 0.01
    spikes = rng.choice(np.arange(5, length - 5), 8, replace=False)
    values[spikes] += np.where(rng.random(8) < 0.5, 1.0, -1.0)
    apart = np.abs(np.subtract.outer(spikes, spikes))[~np.eye(8, dtype=bool)].min()
    if apart > 4 * length / most + 2:
        assert set(spikes.tolist()) <= set(kept_places([values], most).tolist())


def test_all_places_are_kept_where_there_is_room() -> None:
    values = np.arange(100.0)
    assert kept_places([values, values], 100).tolist() == list(range(100))
    assert kept_places([values, -values], 99).size <= 99
    assert kept_places([np.empty(0)], 100).size == 0


@given(arrays(np.float64, st.integers(61, 400), elements=st.floats(-1e6, 1e6)))
def test_one_column_keeps_the_extremes_of_as_many_even_stretches_as_there_is_room_for(values: np.ndarray) -> None:
    kept = set(kept_places([values], 60).tolist())
    for first, last in pairwise(np.linspace(0, values.size, 30).astype(int).tolist()):
        here = [values[place] for place in range(first, last) if place in kept]
        assert max(here) == values[first:last].max()
        assert min(here) == values[first:last].min()


def test_a_long_gap_stays_a_gap() -> None:
    values = np.sin(np.arange(10_000.0))
    values[4_000:6_000] = np.nan
    kept = kept_places([values], MOST_DRAWN)
    assert kept.size <= MOST_DRAWN
    assert np.isnan(values[kept]).any()


def test_what_has_no_bottom_is_kept() -> None:
    """The logarithm of a wealth of nothing."""
    values = np.append(np.linspace(0.0, 1.0, 500), np.full(500, -np.inf))
    kept = kept_places([values], 20)
    assert {499, 500, 999} <= set(kept.tolist())


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 500), st.integers(1, 60))
def test_wider_bars_are_the_bars_put_together(seed: int, length: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    open_, close = rng.uniform(90, 110, (2, length))
    high, low = np.maximum(open_, close) + 1, np.minimum(open_, close) - 1
    missing = rng.random(length) < 0.2
    for column in (open_, high, low, close):
        column[missing] = np.nan
    edges = bar_edges(length, most)
    assert edges[0] == 0 and edges[-1] == length and edges.size - 1 <= most
    found = wider_bars(open_, high, low, close, edges)
    for place, (first, last) in enumerate(pairwise(edges.tolist())):
        there = np.flatnonzero(~missing[first:last]) + first
        if not there.size:
            assert all(np.isnan(column[place]) for column in found)
            continue
        expected = (open_[there[0]], high[there].max(), low[there].min(), close[there[-1]])
        assert tuple(column[place] for column in found) == pytest.approx(expected, rel=0)
