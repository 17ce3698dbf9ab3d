"""Tuning: what Optuna chooses, what is counted, and what is said of the best."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import pytest
from search_worlds import CAPITAL, COSTS, follows, market, rows

from clawd.core.clock import SystemClock
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.language.strategy import Strategy, parse_toml
from clawd.research.tune import Range, TuneStep, ranges_of, read_range, tune
from clawd.store.ledger import Ledger

TREND = """
name = "Trend"
[let]
window = 40
scale = 1.5
[position]
target = "share_by(long_short(scale * sign(ret(close, window))), 1)"
[exits]
stop = { percent = 30 }
cooldown = 1
"""


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Prices go on as they went over twelve bars."""
    return market(7, bars=1500, edge=follows(12))


@pytest.fixture
def trend() -> Strategy:
    return parse_toml(TREND)


def tuned(strategy: Strategy, panel: Panel, path: Path, trials: int, **more: Any) -> list[TuneStep]:
    ranges = more.pop("ranges", {"window": Range(2, 120, None, True)})
    with Ledger.open(path) as ledger:
        return list(
            tune(
                strategy,
                ranges,
                panel,
                ledger,
                trials=trials,
                costs=COSTS,
                capital=CAPITAL,
                clock=SystemClock(),
                **{"seed": 1, "workers": 1, **more},
            )
        )


def test_the_planted_value_of_a_parameter_is_found(trend: Strategy, panel: Panel, tmp_path: Path) -> None:
    last = tuned(trend, panel, tmp_path / "ledger.sqlite", 60)[-1].tuned
    assert last is not None
    assert last.best is not None
    assert 10 <= int(last.best.values["window"]) <= 14
    assert last.tried == 60
    assert last.sharpe > max(1.5, last.by_luck)
    assert last.by_luck > 0
    assert last.deflated > 0.9
    assert last.objectives is not None
    assert last.objectives.sharpe == pytest.approx(last.sharpe, abs=1.0)


def test_of_noise_the_best_is_no_better_than_luck(trend: Strategy, tmp_path: Path) -> None:
    last = tuned(trend, market(70, bars=1500), tmp_path / "ledger.sqlite", 60)[-1].tuned
    assert last is not None
    assert last.deflated < 0.9
    assert last.sharpe < 3 * last.by_luck


def test_the_same_seed_leaves_the_same_ledger_whoever_works(trend: Strategy, panel: Panel, tmp_path: Path) -> None:
    ranges = {"window": Range(2, 250, None, True), "scale": Range(0.2, 3.0, None, False)}
    for name, workers, seed in (("one", 1, 1), ("two", 2, 1), ("other", 1, 2)):
        tuned(trend, panel, tmp_path / name, 120, workers=workers, seed=seed, ranges=ranges)
    assert rows(tmp_path / "one") == rows(tmp_path / "two")
    assert rows(tmp_path / "one") != rows(tmp_path / "other")
    again = tuned(trend, panel, tmp_path / "one", 120, ranges=ranges)[-1]
    assert again.remembered == 120
    assert rows(tmp_path / "one") == rows(tmp_path / "two")


def test_what_is_chosen_twice_counts_once_and_the_end_of_a_space_is_the_end(
    trend: Strategy, panel: Panel, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.sqlite"
    last = tuned(trend, panel, path, 30, ranges={"window": Range(3, 8, None, True)})[-1].tuned
    assert last is not None
    assert last.tried == 6
    with Ledger.open(path) as ledger:
        trials = list(ledger.trials())
    assert len(trials) == 6
    assert {(trial.author, trial.origin, trial.parents) for trial in trials} == {
        ("optuna", "tpe", (trend.content_hash,))
    }


def test_values_that_make_no_strategy_are_no_trials(trend: Strategy, panel: Panel, tmp_path: Path) -> None:
    last = tuned(trend, panel, tmp_path / "ledger.sqlite", 40, ranges={"window": Range(-20, 10, None, True)})[-1].tuned
    assert last is not None
    assert last.best is not None
    assert last.tried <= 10
    assert int(last.best.values["window"]) >= 1


def test_steps_are_kept_to(trend: Strategy, panel: Panel, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ranges = {"window": Range(5, 60, 5, True), "scale": Range(0.5, 1.0, 0.25, False)}
    last = tuned(trend, panel, path, 36, ranges=ranges)[-1].tuned
    assert last is not None
    assert last.best is not None
    assert int(last.best.values["window"]) % 5 == 0
    assert float(last.best.values["scale"]) in {0.5, 0.75, 1.0}


def test_it_can_be_stopped(trend: Strategy, panel: Panel, tmp_path: Path) -> None:
    last = tuned(trend, panel, tmp_path / "ledger.sqlite", 60, stop=lambda: True)[-1].tuned
    assert last is not None
    assert (last.tried, last.best) == (0, None)


# Ranges.


def test_numbers_are_looked_for_around_the_values_they_have(trend: Strategy) -> None:
    assert ranges_of(trend, {}) == {"window": Range(14, 120, None, True), "scale": Range(0.5, 4.5, None, False)}
    assert ranges_of(trend, {"window": (5.0, 50.0, None)}) == {"window": Range(5, 50, None, True)}
    negative = parse_toml(TREND.replace("scale = 1.5", "scale = -2"))
    assert ranges_of(negative, {})["scale"] == Range(-6, -1, None, True)
    assert ranges_of(parse_toml(TREND.replace("scale = 1.5", "scale = 0")), {})["scale"] == Range(-1, 1, None, False)


def test_a_range_is_read() -> None:
    assert read_range("window=10:100") == ("window", (10.0, 100.0, None))
    assert read_range(" band = 0.1:0.5:0.05") == ("band", (0.1, 0.5, 0.05))


@pytest.mark.parametrize(
    "text",
    ["window", "window=", "=1:2", "window=5", "window=9:3", "window=3:3", "window=1:2:0", "window=1:x", "w=1:nan"],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ClawdError):
        read_range(text)


def test_a_parameter_that_is_not_there_is_refused(trend: Strategy) -> None:
    with pytest.raises(ClawdError, match="did you mean `window`"):
        ranges_of(trend, {"windov": (1.0, 2.0, None)})
    with pytest.raises(ClawdError, match="no numbers to tune"):
        ranges_of(
            parse_toml(
                TREND.replace("window = 40\nscale = 1.5", 'w = "close"').replace(
                    "scale * sign(ret(close, window))", "sign(ret(w, 5))"
                )
            ),
            {},
        )


def test_without_optuna_it_says_what_to_install(
    trend: Strategy, panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ClawdError, match=r"clawd-bot\[tune\]"):
        tuned(trend, panel, tmp_path / "ledger.sqlite", 5)


def test_the_best_so_far_only_rises(trend: Strategy, panel: Panel, tmp_path: Path) -> None:
    best = [step.best for step in tuned(trend, panel, tmp_path / "ledger.sqlite", 110) if not math.isnan(step.best)]
    assert best == sorted(best)
    assert len(best) >= 3
