"""Lengths of records against the tables of the papers."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clawd.evidence.sharpe import probabilistic_sharpe
from clawd.evidence.track_record import minimum_backtest_length, minimum_track_record


@pytest.mark.parametrize(
    ("per_year", "sharpe", "benchmark", "skew", "kurtosis", "years"),
    [
        (250, 2, 1, 0.0, 3.0, 2.731187801728176),
        (52, 2, 1, 0.0, 3.0, 2.828833586945237),
        (12, 2, 1, 0.0, 3.0, 3.239800696444647),
        (12, 2, 1, -0.72, 5.78, 4.991258223875627),
        (12, 3, 2.5, -0.72, 5.78, 27.3529201960403),
    ],
)
def test_minimum_track_record_of_the_paper(
    per_year: int, sharpe: float, benchmark: float, skew: float, kurtosis: float, years: float
) -> None:
    root = math.sqrt(per_year)
    bars = minimum_track_record(sharpe / root, skew, kurtosis, benchmark / root)
    assert bars / per_year == pytest.approx(years, rel=1e-12)


@given(st.floats(0.01, 0.5), st.floats(-2, 2), st.floats(0, 10), st.floats(-0.2, 0.4), st.floats(0.6, 0.99))
def test_a_record_of_that_length_has_exactly_that_confidence(
    sharpe: float, skew: float, excess: float, benchmark: float, confidence: float
) -> None:
    kurtosis = 1 + skew**2 + excess
    assume(sharpe - benchmark > 1e-3)
    bars = minimum_track_record(sharpe, skew, kurtosis, benchmark, confidence)
    assume(bars > 3)
    before, after = math.floor(bars), math.floor(bars) + 1
    assert probabilistic_sharpe(sharpe, before, skew, kurtosis, benchmark) <= confidence + 1e-9
    assert probabilistic_sharpe(sharpe, after, skew, kurtosis, benchmark) >= confidence - 1e-9


def test_what_never_suffices_and_what_is_undefined() -> None:
    assert minimum_track_record(0.1, 0.0, 3.0, 0.1) == math.inf
    assert minimum_track_record(-0.1, 0.0, 3.0) == math.inf
    for arguments in [(math.nan, 0.0, 3.0), (0.1, math.nan, 3.0), (0.1, 0.0, math.nan), (0.1, 0.0, 3.0, math.nan)]:
        assert math.isnan(minimum_track_record(*arguments))
    assert math.isnan(minimum_track_record(2.0, 3.0, 3.0))
    for confidence in (0.5, 1.0, math.nan):
        with pytest.raises(ValueError, match="confidence"):
            minimum_track_record(0.1, 0.0, 3.0, confidence=confidence)


@pytest.mark.parametrize(
    ("trials", "years", "bound"),
    [(45, 4.998087004443404, 7.613324979540639), (7, 1.923143406664121, 3.8918202981106265),
     (1_000, 10.595816068644794, 13.815510557964274)],
)  # fmt: skip
def test_minimum_backtest_length_of_the_paper(trials: int, years: float, bound: float) -> None:
    assert minimum_backtest_length(trials) == pytest.approx(years, rel=1e-12)
    assert minimum_backtest_length(trials, 2.0) == pytest.approx(years / 4, rel=1e-12)
    assert 2 * math.log(trials) == pytest.approx(bound)
    assert minimum_backtest_length(trials) < bound


def test_lengths_that_make_no_sense_are_refused() -> None:
    for sharpe in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="above 0"):
            minimum_backtest_length(10, sharpe)
    with pytest.raises(ValueError, match="at least one trial"):
        minimum_backtest_length(0)
    assert minimum_backtest_length(1) == 0.0
