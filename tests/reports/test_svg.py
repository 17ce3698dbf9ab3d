"""Charts keep what matters of a series: its extremes, its ends and its gaps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clawd.reports.html import Html, escaped, joined, tag
from clawd.reports.svg import Scale, area, fitted, line, segments

values_with_gaps = arrays(
    np.float64,
    st.integers(1, 400),
    elements=st.one_of(st.just(math.nan), st.floats(-1e12, 1e12)),
)


def test_a_gap_breaks_the_line_and_a_lone_bar_is_a_dot() -> None:
    xs = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    values = np.array([1.0, 2.0, math.nan, 2.0, math.nan])
    assert line(xs, values, Scale(0.0, 2.0), "price") == (
        '<path d="M0 5000L2500 0h0M7500 0h0" class="line price"></path>'
    )
    assert line(xs[:0], values[:0], Scale(0.0, 2.0), "x") == '<path d="" class="line x"></path>'


def test_an_area_reaches_down_to_its_base() -> None:
    drawn = area(np.array([0.0, 1.0]), np.array([1.0, 2.0]), 0.0, Scale(0.0, 2.0), "fall")
    assert drawn == '<path d="M0 5000L10000 0h0V10000H0Z" class="area fall"></path>'


def test_segments_are_one_path() -> None:
    drawn = segments([(0.0, 0.0, 0.5, 1.0), (0.5, 1.0, 1.0, 2.0)], Scale(0.0, 2.0), "trade gain")
    assert drawn == '<path d="M0 10000L5000 5000M5000 5000L10000 0" class="line trade gain"></path>'
    assert segments([], Scale(0.0, 2.0), "trade gain") == ""


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_are_round_few_and_within_the_axis(low: float, width: float) -> None:
    scale = Scale(low, low + width)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 7
    slack = 1e-6 * width + 1e-9 * abs(low)
    assert all(scale.low - slack <= tick <= scale.high + slack for tick in ticks)
    texts = {f"{tick:.{scale.decimals()}f}" for tick in ticks}
    assert len(texts) == len(ticks)


@given(st.floats(1e-6, 1e6), st.floats(20, 1e9))
def test_ticks_of_a_logarithmic_axis_are_few(low: float, times: float) -> None:
    ticks = Scale(low, low * times, log=True).ticks()
    assert 1 <= len(ticks) <= 12
    assert all(low <= tick <= low * times for tick in ticks)


@given(values_with_gaps)
def test_a_fitted_scale_shows_every_value(values: np.ndarray) -> None:
    scale = fitted([values], log_beyond=20.0)
    depths = scale.depth(values[~np.isnan(values)])
    assert scale.low < scale.high
    assert (depths >= 0).all()
    assert (depths <= 1).all()


def test_a_scale_is_logarithmic_only_where_it_helps_and_can_be() -> None:
    assert fitted([np.array([1.0, 30.0])], log_beyond=20.0).log
    assert not fitted([np.array([1.0, 10.0])], log_beyond=20.0).log
    assert not fitted([np.array([-1.0, 1_000.0])], log_beyond=20.0).log
    assert not fitted([np.array([1e-300, 1e9])], log_beyond=20.0).log
    assert not fitted([np.array([1.0, 1e6])]).log
    assert fitted([]) == Scale(0.0, 1.0)


def test_text_is_escaped_and_html_is_not() -> None:
    assert tag("p", "<b>", Html("<i></i>")) == "<p>&lt;b&gt;<i></i></p>"
    assert tag("a", "x", href='"><script>', class_="k") == ('<a href="&quot;&gt;&lt;script&gt;" class="k">x</a>')
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'
    assert tag("p", hidden=True, title=None, lang=False) == "<p hidden></p>"
    assert joined(["<", Html("<br>")], " & ") == "&lt; &amp; <br>"
    assert escaped("a\x00b\x1bc\ud800") == "a\ufffdb\ufffdc?"


@pytest.mark.parametrize("text", ["", "plain", "<&\"'>"])
def test_escaping_twice_changes_nothing(text: str) -> None:
    assert escaped(escaped(text)) == escaped(text)
