"""A part of a panel is the panel of that part: every column follows its bars and its instruments."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.core.panel import Panel
from clawd.data.align import fingerprint
from engine.panels import panel, random_panel

INSTRUMENTS, BARS = 4, 30


@pytest.fixture(scope="module")
def full() -> Panel:
    """A panel in which every kind of column is there, and every cell of every column differs."""
    bars = random_panel(1, INSTRUMENTS, BARS)
    cells = np.arange(INSTRUMENTS * BARS, dtype=np.float64).reshape(INSTRUMENTS, BARS)
    return replace(
        bars,
        series={"vix": cells[0] / 7, "book:imbalance5": cells + 0.5},
        groups={"sector": np.array([1, -1, 0, 1]), "chain": np.array([0, 1, 2, -1])},
        vwap=cells + 0.25,
    )


@given(first=st.integers(0, BARS), last=st.integers(0, BARS), rows=st.sets(st.integers(0, INSTRUMENTS - 1)))
def test_a_part_has_of_each_column_its_bars_and_its_instruments(
    full: Panel, first: int, last: int, rows: set[int]
) -> None:
    there = sorted(rows)
    wanted = [full.symbols[row] for row in there]
    for part in (full.between(first, last).select(wanted), full.select(wanted[::-1]).between(first, last)):
        cut = slice(first, last)
        assert part.symbols == tuple(wanted)
        np.testing.assert_array_equal(part.times, full.times[cut])
        for name in ("open", "high", "low", "close", "volume", "funding", "vwap"):
            np.testing.assert_array_equal(getattr(part, name), getattr(full, name)[there][:, cut], err_msg=name)
        np.testing.assert_array_equal(part.series["vix"], full.series["vix"][cut])
        np.testing.assert_array_equal(part.series["book:imbalance5"], full.series["book:imbalance5"][there][:, cut])
        for name, codes in full.groups.items():
            np.testing.assert_array_equal(part.groups[name], codes[there])


def test_a_panel_has_none_of_what_it_was_not_given() -> None:
    bars = panel(np.ones((2, 3)))
    assert bars.vwap is None
    assert bars.groups == {}
    part = bars.select(["B"]).between(1, 3)
    assert part.vwap is None
    assert (part.groups, part.series) == ({}, {})


def test_the_print_of_a_panel_without_the_new_columns_is_as_it_was() -> None:
    # Made before panels had groups, volume-weighted prices and series of each instrument.
    for bars, expected in ((random_panel(3), "52cef14ec550af77"), (random_panel(5, 1), "d792c0f31fc9d8d1")):
        old = {name: values for name, values in bars.series.items() if values.ndim == 1}
        assert fingerprint(replace(bars, series=old, groups={})) == expected


def test_every_column_is_in_the_print(full: Panel) -> None:
    assert full.vwap is not None
    one, other = full.series["vix"], full.series["book:imbalance5"]
    wrong = other.copy()
    wrong[-1, -1] += 1e-9
    changed = {
        "as it is": full,
        "another price": replace(full, vwap=np.where(full.vwap == 0.25, 0.26, full.vwap)),
        "no such prices": replace(full, vwap=None),
        "unknown prices": replace(full, vwap=np.full_like(full.vwap, np.nan)),
        "another value": replace(full, series={"vix": one, "book:imbalance5": wrong}),
        "another kind": replace(full, series={"vix": one, "book:imbalance1": other}),
        "another label": replace(full, groups={**full.groups, "sector": np.array([1, -1, 0, 0])}),
        "another classification": replace(full, groups={"area": full.groups["sector"], "chain": full.groups["chain"]}),
        "fewer classifications": replace(full, groups={"sector": full.groups["sector"]}),
        "none": replace(full, groups={}),
    }
    prints = {what: fingerprint(each) for what, each in changed.items()}
    assert len(set(prints.values())) == len(changed), prints
    assert fingerprint(replace(full, series=dict(reversed(full.series.items())))) == prints["as it is"]
    assert fingerprint(replace(full, groups=dict(reversed(full.groups.items())))) == prints["as it is"]


def test_a_series_of_one_instrument_is_not_that_of_the_market() -> None:
    values = np.arange(3.0)
    market, own = (replace(panel(np.ones(3)), series={"x": x}) for x in (values, values[np.newaxis]))
    assert fingerprint(market) != fingerprint(own)


def test_all_columns_of_a_panel_are_looked_at_here() -> None:
    known = {"instruments", "bar", "times", "open", "high", "low", "close", "volume", "funding", "bars_per_year"}
    assert {each.name for each in fields(Panel)} == known | {"series", "groups", "vwap"}
