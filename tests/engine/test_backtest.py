"""A backtest: the part of the market that it trades, its warm-up, and its agreement with what came before."""

from __future__ import annotations

from dataclasses import asdict, replace
from decimal import Decimal

import numpy as np
import pytest

from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.engine.backtest import market_of, run_backtest
from clawd.engine.runtime import Runtime
from clawd.language.strategy import parse_toml
from engine.panels import random_panel, real_panel

COSTS = Costs(Decimal("0.0005"), Decimal("0.0002"))
TREND = """
name = "trend"
[position]
target = "vol_target(long_short(squash(50 * (ema(close, 10) / ema(close, 40) - 1))), 0.2, 20)"
[exits]
stop = { atr = 3, window = 10 }
"""


def test_the_warm_up_is_read_and_not_traded() -> None:
    bars = real_panel(1_500)
    whole = run_backtest(parse_toml(TREND), bars, COSTS, Decimal(1_000))
    late = run_backtest(parse_toml(TREND), bars, COSTS, Decimal(1_000), first=700)
    assert late.panel.times[0] == bars.times[700]
    assert late.equity.size == 800
    assert late.bars_read == whole.bars_read == 3_000
    assert late.fills[0].time > bars.times[700]
    decided = Runtime([parse_toml(TREND)], bars).advance(bars)[0]
    assert np.abs(decided.targets[:, 700]).min() > 0  # it is warm, and acts on the first bar
    assert late.fills[0].time == bars.times[701]


def test_bars_after_the_last_change_nothing() -> None:
    bars = real_panel(1_500)
    cut = run_backtest(parse_toml(TREND), bars, COSTS, Decimal(1_000), first=300, last=900)
    alone = run_backtest(parse_toml(TREND), bars.between(0, 900), COSTS, Decimal(1_000), first=300)
    assert cut.fills == alone.fills
    np.testing.assert_array_equal(cut.equity, alone.equity)


def test_twice_the_capital_earns_twice_as_much_in_shares_of_it() -> None:
    bars = real_panel(1_500)
    small = run_backtest(parse_toml(TREND), bars, COSTS, Decimal(1_000_000)).metrics
    large = run_backtest(parse_toml(TREND), bars, COSTS, Decimal(2_000_000)).metrics
    assert large.sharpe == pytest.approx(small.sharpe, abs=1e-3)
    assert large.total_return == pytest.approx(small.total_return, abs=1e-3)


def test_costs_only_cost() -> None:
    bars = real_panel(1_500)
    returns = [
        run_backtest(parse_toml(TREND), bars, COSTS.times(factor), Decimal(1_000_000)).metrics.total_return
        for factor in (0, 1, 2, 4)
    ]
    assert returns == sorted(returns, reverse=True)
    assert returns[0] > returns[-1]


def test_a_strategy_trades_its_universe_only() -> None:
    strategy = parse_toml('universe = ["B"]\n' + TREND)
    run = run_backtest(strategy, random_panel(0, holes=0.0), COSTS, Decimal(1_000))
    assert run.panel.symbols == ("B",)
    assert {fill.symbol for fill in run.fills} == {"B"}


def test_a_market_that_does_not_fit_is_refused_in_words() -> None:
    bars = random_panel(0)
    with pytest.raises(ClawdError, match="the market has no instrument Z"):
        market_of(parse_toml('universe = ["Z"]\n' + TREND), bars)
    with pytest.raises(ClawdError, match="written for bars of 1h, the market has 1d"):
        market_of(parse_toml('bar = "1h"\n' + TREND), bars)
    for target, words in (
        ('long_short(ext("moods"))', 'the market has no series "moods"'),
        ('long_short(asset(close, "Z") / close)', 'the market has no instrument "Z"'),
    ):
        strategy = parse_toml(f"name = 'x'\n[position]\ntarget = '{target}'\n[exits]\nstop = {{ percent = 5 }}")
        with pytest.raises(ClawdError) as caught:
            run_backtest(strategy, bars, COSTS, Decimal(1_000))
        assert words in str(caught.value)


def test_fills_are_made_when_they_are_asked_for_and_read_like_a_tuple() -> None:
    bars = real_panel(1_500)
    run, again = (run_backtest(parse_toml(TREND), bars, COSTS, Decimal(1_000)) for _ in range(2))
    assert len(run.fills) == int(run.account["fills"]) > 20  # type: ignore[index]
    assert "_fills" not in vars(run.fills)
    assert run.fills == again.fills == tuple(again.fills)
    assert hash(run.fills) == hash(again.fills)
    assert (run.fills[0], run.fills[-1], run.fills[:2]) == (again.fills[0], again.fills[-1], tuple(again.fills)[:2])
    assert run.fills != again.fills[1:]


def test_a_run_without_running_sums_has_its_figures_from_its_curves() -> None:
    run = run_backtest(parse_toml(TREND), real_panel(1_500), COSTS, Decimal(1_000))
    by_hand = replace(run, account=None).metrics
    for name, value in asdict(run.metrics).items():
        assert getattr(by_hand, name) == pytest.approx(value, rel=1e-9), name
