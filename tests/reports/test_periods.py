"""The calendar of a run loses no bar and adds up."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.reports.periods import monthly_returns, periods, ticks

HOUR = 3_600_000_000_000


def at(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()) * 1_000_000_000


def days(first: str, count: int) -> np.ndarray:
    return at(first) + NANOSECONDS_PER_DAY * np.arange(count)


@given(
    st.integers(at("1960-01-01"), at("2100-01-01")),
    st.sampled_from([1_000_000_000, 60_000_000_000, HOUR, 4 * HOUR, NANOSECONDS_PER_DAY, 7 * NANOSECONDS_PER_DAY]),
    st.integers(1, 600),
    st.data(),
)
def test_the_months_add_up_to_the_whole(first: int, bar: int, count: int, data: st.DataObject) -> None:
    times = first // 1_000_000_000 * 1_000_000_000 + bar * np.arange(count)
    returns = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=count, max_size=count)))
    months = monthly_returns(times, returns)
    assert math.fsum(months.values()) == pytest.approx(math.fsum(returns), abs=1e-9)
    dates = {(date.year, date.month) for date in (dt.datetime.fromtimestamp(int(t) // 10**9, dt.UTC) for t in times)}
    assert set(months) == dates


def test_a_month_is_that_of_the_open_of_the_bar() -> None:
    times = days("2023-12-30", 4)
    assert monthly_returns(times, np.array([0.25, 0.5, 1.0, 2.0])) == {(2023, 12): 0.75, (2024, 1): 3.0}
    assert monthly_returns(times[:0], np.empty(0)) == {}


@given(
    st.integers(at("1900-01-01"), at("2100-01-01")),
    st.lists(st.integers(1, 400 * NANOSECONDS_PER_DAY // 10**9), max_size=80),
    st.integers(1, 40),
)
def test_periods_hold_every_bar_once(first: int, steps: list[int], most: int) -> None:
    times = first + np.concatenate([[0], np.cumsum(np.array(steps, dtype=np.int64))]) * 1_000_000_000
    spans = periods(times, most)
    assert 1 <= len(spans) <= most
    assert [span.first for span in spans] == [0, *(span.last for span in spans[:-1])]
    assert spans[-1].last == times.size
    assert all(span.first < span.last for span in spans)


@pytest.mark.parametrize(
    ("times", "most", "labels"),
    [
        (days("2000-01-03", 4_000), 14, [str(year) for year in range(2001, 2011)]),
        (days("2022-12-15", 170), 7, ["Jan 2023", "Feb 2023", "Mar 2023", "Apr 2023", "May 2023", "Jun 2023"]),
        (days("2023-11-15", 28), 7, ["20 Nov", "27 Nov", "4 Dec", "11 Dec"]),
        (at("2023-11-15T22:00") + HOUR * np.arange(28), 7, ["16 Nov", "06:00", "12:00", "18:00", "17 Nov"]),
        (at("2023-11-15T22:58") + HOUR // 60 * np.arange(5), 14, ["22:59", "23:00", "23:01", "23:02"]),
        (days("2023-11-15", 1), 14, ["2023-11-15"]),
        (days("2023-11-15", 0), 14, []),
    ],
)
def test_an_axis_is_labelled_at_the_turns_of_the_calendar(times: np.ndarray, most: int, labels: list[str]) -> None:
    assert [text for _, text in ticks(times, most)] == labels


def test_a_label_stands_where_its_span_begins() -> None:
    assert ticks(days("2023-12-30", 4), most=2) == [(0.5, "1 Jan")]
