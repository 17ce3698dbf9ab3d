"""The starter library: what each strategy is, what it did on the sample market, what its paper lets it do."""

from __future__ import annotations

import datetime as dt
import json
from calendar import monthrange
from decimal import Decimal
from itertools import accumulate

import numpy as np
import pytest
from starter_golden import STARTERS, figures, golden, sample, sample_run

from clawd.authors.starter import find_starter, starter_library, starter_names
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.engine.backtest import Backtest
from clawd.engine.runtime import Runtime
from clawd.language.strategy import parse_json

LONG_ONLY = (
    "dual_momentum",
    "faber_timing",
    "low_volatility",
    "rsi2",
    "sell_in_may",
    "turn_of_month",
    "volatility_managed",
)
NEUTRAL = (
    "betting_against_beta",
    "cross_sectional_momentum",
    "fifty_two_week_high",
    "high_volume_premium",
    "pairs_spread",
    "short_term_reversal",
)

every = pytest.mark.parametrize("name", STARTERS)


def held(backtest: Backtest) -> dict[str, list[Decimal]]:
    """The size held in each instrument after each of its fills."""
    return {
        symbol: list(accumulate(fill.size for fill in backtest.fills if fill.symbol == symbol))
        for symbol in backtest.panel.symbols
    }


def targets(name: str, panel: Panel) -> np.ndarray:
    """What a strategy wanted at each close."""
    return Runtime([STARTERS[name]], panel).advance(panel)[0].targets


def dates(panel: Panel) -> list[dt.date]:
    return [moment.date() for moment in panel.times.astype("datetime64[ns]").astype("datetime64[s]").tolist()]


def test_files_are_sorted_and_named() -> None:
    assert list(starter_names()) == sorted(starter_names())
    assert len(starter_library()) == len(starter_names()) >= 14


@every
def test_fits_any_market_and_says_where_it_came_from(name: str) -> None:
    strategy = STARTERS[name]
    assert strategy.bar is None and strategy.universe is None
    assert strategy.source and any(character.isdigit() for character in strategy.source), "a work has a year"
    assert strategy.claim.endswith(".") and ". " not in strategy.claim, "one sentence"
    assert 0 < strategy.lookback <= 500
    assert "asset" not in strategy.target.text and "ext" not in strategy.target.text


def test_all_differ() -> None:
    for hashes in (
        {strategy.content_hash for strategy in starter_library()},
        {strategy.family_hash for strategy in starter_library()},
        {strategy.name.casefold() for strategy in starter_library()},
    ):
        assert len(hashes) == len(starter_library())


@every
def test_json_keeps_the_identity(name: str) -> None:
    strategy = STARTERS[name]
    back = parse_json(json.dumps(strategy.to_json()))
    assert back.content_hash == strategy.content_hash
    assert back.family_hash == strategy.family_hash
    assert (back.name, back.source, back.claim) == (strategy.name, strategy.source, strategy.claim)


@every
def test_is_found_by_file_and_by_name(name: str) -> None:
    assert find_starter(name) is STARTERS[name]
    assert find_starter(STARTERS[name].name.upper()) is STARTERS[name]


def test_unknown_name_suggests_the_closest() -> None:
    with pytest.raises(ClawdError, match="did you mean `turtles`"):
        find_starter("turtle")
    with pytest.raises(ClawdError, match="did you mean `sell_in_may`"):
        find_starter("sell im may")
    with pytest.raises(ClawdError, match="one of betting_against_beta, "):
        find_starter("zzz")


def test_every_strategy_has_its_golden_run() -> None:
    assert list(golden()) == list(STARTERS)


@every
def test_golden_run(name: str) -> None:
    assert figures(sample_run(name)) == pytest.approx(golden()[name], rel=1e-8), (
        "behaviour changed: explain why, then `python tests/authors/starter_golden.py`"
    )


@every
def test_trades_and_keeps_its_turnover_sane(name: str) -> None:
    metrics = sample_run(name).metrics
    assert metrics.trades >= 5
    assert 0.05 < metrics.exposure < 1.1
    assert metrics.turnover < 100
    assert sample_run(name).bars_read == 2 * 5031


@every
def test_waits_for_its_warm_up(name: str) -> None:
    panel = sample()
    first = int(np.searchsorted(panel.times, sample_run(name).fills[0].time))
    assert first > STARTERS[name].lookback


@every
def test_is_short_only_where_it_may_be(name: str) -> None:
    sizes = [size for sizes in held(sample_run(name)).values() for size in sizes]
    assert min(sizes) >= 0 if name in LONG_ONLY else min(sizes) < 0 < max(sizes)


@pytest.mark.parametrize("name", NEUTRAL)
def test_cross_section_wants_as_much_long_as_short(name: str) -> None:
    wanted = targets(name, sample())
    gross = np.abs(wanted).sum(axis=0)
    assert np.abs(wanted.sum(axis=0)).max() < 1e-12
    assert gross.max() == pytest.approx(1.0)
    assert np.all((gross < 1e-12) | (np.abs(gross - 1.0) < 1e-12))


def test_directional_ones_are_not_neutral() -> None:
    for name in set(STARTERS) - set(NEUTRAL):
        assert np.abs(targets(name, sample()).sum(axis=0)).max() > 0.1, name


def test_turn_of_month_is_held_only_there() -> None:
    days = dates(sample())
    turn = [day.day <= 3 or day.day > monthrange(day.year, day.month)[1] - 5 for day in days]
    exposure = sample_run("turn_of_month").exposure
    # Decided at a close, held from the next open: what is held at a close was wanted at the one before.
    held_outside = [day for day, was, gross in zip(days[1:], turn, exposure[1:], strict=False) if gross and not was]
    assert held_outside == []
    wanted = np.array(turn[:-1]) & (np.arange(1, len(days)) > STARTERS["turn_of_month"].lookback + 1)
    assert np.mean(exposure[1:][wanted] > 0.9) > 0.97, "stops are rare"


def test_sell_in_may_holds_from_november_to_april_only() -> None:
    days = dates(sample())
    exposure = sample_run("sell_in_may").exposure
    months = {day.month for day, gross in zip(days, exposure[1:], strict=False) if gross}
    assert months == {11, 12, 1, 2, 3, 4}


def test_faber_is_out_of_the_long_decline() -> None:
    days = dates(sample())
    exposure = sample_run("faber_timing").exposure
    crash = [
        gross for day, gross in zip(days, exposure, strict=True) if dt.date(2008, 8, 1) <= day < dt.date(2009, 4, 1)
    ]
    assert max(crash) == 0


def test_turtles_enter_beyond_the_channel_that_was_known() -> None:
    panel = sample()
    backtest = sample_run("turtles")
    for trip in backtest.trades:
        row = panel.symbols.index(trip.symbol)
        decided = int(np.searchsorted(panel.times, trip.opened)) - 1
        since = decided
        # A refused or stopped entry may come later than its breakout, but never without one.
        close, high, low = panel.close[row], panel.high[row], panel.low[row]
        while since > 55 and not (
            close[since] > high[since - 55 : since].max()
            if trip.side > 0
            else close[since] < low[since - 55 : since].min()
        ):
            since -= 1
        between = slice(since, decided + 1)
        worst = close[between]
        exit_ = [low[k - 20 : k].min() if trip.side > 0 else high[k - 20 : k].max() for k in range(since, decided + 1)]
        assert since > 55
        assert np.all(worst >= exit_ if trip.side > 0 else worst <= exit_)


def test_momentum_is_long_the_winner_of_the_year_before_the_last_month() -> None:
    panel = sample()
    wanted = targets("cross_sectional_momentum", panel)
    close = panel.close
    bars = range(260, close.shape[1], 20)  # the phase of the rebalancing starts at the first bar
    for t in bars:
        year = close[:, t - 20] / close[:, t - 250] - 1
        assert np.argmax(wanted[:, t]) == np.argmax(year)


def test_reversal_is_long_the_loser_of_the_week() -> None:
    panel = sample()
    wanted = targets("short_term_reversal", panel)
    for t in range(10, panel.close.shape[1], 5):
        week = panel.close[:, t] / panel.close[:, t - 5] - 1
        assert np.argmax(wanted[:, t]) == np.argmin(week)


def test_volatility_managed_holds_what_the_usual_variance_is_of_the_recent() -> None:
    panel = sample()
    wanted = targets("volatility_managed", panel)
    squares = np.square(panel.close[:, 1:] / panel.close[:, :-1] - 1)
    for t in range(260, panel.close.shape[1], 20):
        share = squares[:, t - 250 : t].mean(axis=1) / squares[:, t - 20 : t].mean(axis=1)
        assert wanted[:, t] == pytest.approx(np.minimum(share, 1.0), rel=1e-9)
        assert np.array_equal(wanted[:, t : t + 20], np.repeat(wanted[:, [t]], len(wanted[0, t : t + 20]), axis=1))
