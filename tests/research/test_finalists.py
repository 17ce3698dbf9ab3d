"""Who comes to a final, and that the checks are the ones that the fleet hires by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from research_worlds import COSTS, MONEY, market, strategy_of

from clawd.core.panel import Panel
from clawd.engine.backtest import market_of, run_backtest
from clawd.engine.runtime import Decisions, Runtime
from clawd.fleet.search import ranked, search
from clawd.research import finalists as module
from clawd.research.finalists import candidate, correlation, finalists, is_causal, one_bar_late

FOLLOW = strategy_of("signal_if(close > ts_mean(close, 10), close < ts_mean(close, 10))", "follow")
FOLLOW_TOO = strategy_of("signal_if(close > ts_mean(close, 11), close < ts_mean(close, 11))", "follow too")
AGAINST = strategy_of("signal_if(close < ts_mean(close, 10), close > ts_mean(close, 10))", "against")
IDLE = strategy_of("signal_if(close > 2 * high, 1 > 2)", "idle")


@pytest.fixture(scope="module")
def trending() -> Panel:
    return market(1_200, drift=0.3, seed=1)


def test_the_reasons_why_one_is_rejected(trending: Panel) -> None:
    def reason(strategy: str) -> str | None:
        return candidate(strategy_of(strategy), trending, COSTS, MONEY).rejection

    assert candidate(FOLLOW, trending, COSTS, MONEY).rejection is None
    assert candidate(AGAINST, trending, COSTS, MONEY).rejection == "it lost money"
    assert candidate(IDLE, trending, COSTS, MONEY).rejection == "it never traded"
    tiny = "gate(signal_if(close > ts_mean(close, 10), close < ts_mean(close, 10)), close < 0 * close, 0.001)"
    assert reason(tiny) == "it never holds 1% of its capital"
    assert "no series" in str(reason('long_only(ext("vix"))'))
    dear = candidate(FOLLOW, trending, replace(COSTS, fee=COSTS.fee * 25), MONEY)
    assert dear.sharpe > 0 > dear.stressed_sharpe
    assert dear.rejection == "it loses money at twice the costs"


def test_a_strategy_that_saw_later_bars_is_found_out(trending: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime is made to look ahead: what it wants depends on how long the market is."""
    part = market_of(FOLLOW, trending)
    honest = Runtime([FOLLOW], part).advance(part)[0]
    assert is_causal(FOLLOW, part, honest)

    class Clairvoyant(Runtime):
        def advance(self, panel: Panel) -> list[Decisions]:
            (own,) = super().advance(panel)
            seen = np.sign(panel.close[:, -1:] - panel.close)  # where the market will have gone
            return [replace(own, targets=np.where(np.isnan(own.targets), np.nan, seen))]

    monkeypatch.setattr(module, "Runtime", Clairvoyant)
    found = candidate(FOLLOW, trending, COSTS, MONEY)
    assert found.rejection == "it is not causal"


def test_one_bar_late_is_the_target_of_the_bar_before_of_the_same_instrument() -> None:
    present = np.array([[True, True, True, True], [False, True, False, True]])
    targets = np.array([[0.1, 0.2, 0.3, 0.4], [np.nan, 0.5, np.nan, 0.7]])
    late = one_bar_late(Decisions(targets, np.zeros((0, 2, 4))), present).targets
    np.testing.assert_array_equal(late, [[0.0, 0.1, 0.2, 0.3], [np.nan, 0.0, np.nan, 0.5]])


def test_a_delay_of_one_bar_is_a_program_with_a_delay(trending: Panel) -> None:
    """The same late position, written in the language: only the bar on which it begins may differ."""
    found = candidate(FOLLOW, trending, COSTS, MONEY, delay=True)
    written = strategy_of(
        "signal_if(delay(close, 1) > delay(ts_mean(close, 10), 1), delay(close, 1) < delay(ts_mean(close, 10), 1))"
    )
    other = run_backtest(written, trending, COSTS, MONEY)
    assert found.delayed is not None
    assert correlation(found.delayed.net_returns, other.net_returns) > 0.999
    assert found.delayed_sharpe == pytest.approx(other.metrics.sharpe, rel=0.02)
    assert found.delayed_sharpe < found.sharpe


def test_of_two_that_are_one_bet_the_better_stays(trending: Panel) -> None:
    found = list(finalists([FOLLOW, FOLLOW_TOO, AGAINST], trending, COSTS, MONEY))
    assert [each.rejection for each in found] == [None, "it moves like follow", "it lost money"]


def test_one_that_moves_against_another_is_its_twin_for_research_and_not_for_the_fleet() -> None:
    noise = market(600, seed=5)
    one, other = candidate(FOLLOW, noise, COSTS, MONEY), candidate(FOLLOW, noise, COSTS, MONEY)
    assert other.result is not None
    equity = 2 * float(MONEY) - other.result.equity
    mirror = replace(other, result=replace(other.result, equity=equity))
    assert module.twin(mirror, [one]) is one
    assert module.twin(mirror, [one], 0.95, mirrored=False) is None


def test_no_more_is_tried_than_is_needed(trending: Panel) -> None:
    tried = list(finalists(iter([AGAINST, FOLLOW, FOLLOW_TOO]), trending, COSTS, MONEY, most=1))
    assert [each.strategy.name for each in tried] == ["against", "follow"]


def test_correlation_of_what_never_moves_is_unknown() -> None:
    assert np.isnan(correlation(np.zeros(5), np.arange(5.0)))


def test_the_fleet_ranks_by_the_same_checks(trending: Panel) -> None:
    found = list(search([AGAINST, FOLLOW, IDLE, FOLLOW], trending, 900, COSTS, MONEY))
    assert all(each.result is None or each.result.panel.times.size == 900 for each in found)
    order = ranked(found)
    assert [each.strategy.name for each in order] == ["follow", "follow", "against", "idle"]
    assert [each.rejection for each in order] == [None, "it moves like follow", "it lost money", "it never traded"]
