"""``clawd backtest``: what it prints and writes is what the engine computed, on the bars that were asked for."""

from __future__ import annotations

import csv
import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cli_world import CROSS, DAY, HOLD, START, Clawd, disk

import clawd.cli.backtest as command
from clawd.core.costs import Costs
from clawd.core.money import booked_float
from clawd.core.settings import Settings
from clawd.data.market import Market, load_market
from clawd.engine.backtest import Backtest, run_backtest
from clawd.language.strategy import load_strategy
from clawd.store.ledger import Ledger

CAPITAL = Decimal(10_000)


def day(index: int) -> str:
    """The date of a bar."""
    return datetime.fromtimestamp(START + index * DAY, UTC).date().isoformat()


def computed(place: Path, first: int = 0, last: int | None = None) -> Backtest:
    """What the engine says of the first strategy."""
    settings = Settings()
    market = load_market("two", home=place)
    costs = Costs(settings.fee, settings.slippage)
    return run_backtest(load_strategy(Path("cross.toml")), market.panel, costs, CAPITAL, first, last)


def figures(clawd: Clawd, *options: str) -> list[dict[str, Any]]:
    """What the command prints for programs."""
    outcome = clawd("backtest", "cross.toml", "--data", "two", "--json", *options)
    assert (outcome.code, outcome.err) == (0, "")
    read: list[dict[str, Any]] = json.loads(outcome.out, parse_constant=pytest.fail)
    return read


def fills(clawd: Clawd, *options: str) -> list[dict[str, str]]:
    """The fills that the command writes."""
    assert clawd("backtest", "cross.toml", "--data", "two", "--trades", "fills.csv", *options).code == 0
    with Path("fills.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_json_is_what_the_engine_computed(clawd: Clawd, place: Path) -> None:
    (read,) = figures(clawd)
    result = computed(place)
    assert {name: read[name] for name in result.metrics.to_json()} == result.metrics.to_json()
    assert read["strategy"] == "Cross of two means"
    assert read["content_hash"] == result.strategy.content_hash
    assert (read["first"], read["last"], read["bar"]) == (day(0), day(399), "1d")
    assert read["symbols"] == ["A", "B"]
    assert read["capital"] == "10000"
    assert read["fills"] == len(result.fills) > 20
    assert read["bars_read"] == 800


def test_a_strategy_that_never_trades_is_still_json(clawd: Clawd, place: Path) -> None:
    (place / "cross.toml").write_text(CROSS.replace("ema(close, 20)", "ts_mean(close, 399)"))
    (read,) = figures(clawd, "--to", day(300))
    assert read["fills"] == 0
    assert read["sharpe"] is None
    assert read["win_rate"] is None
    printed = clawd("backtest", "cross.toml", "--data", "two", "--to", day(300))
    assert printed.code == 0
    assert "nan" not in printed.out.lower()


def test_trades_read_back_as_the_fills(clawd: Clawd, place: Path) -> None:
    rows = fills(clawd)
    result = computed(place)
    assert len(rows) == len(result.fills)
    for row, fill in zip(rows, result.fills, strict=True):
        opened = datetime.fromisoformat(row["time"])
        assert int(opened.timestamp()) * 1_000_000_000 == fill.time
        assert row["symbol"] == fill.symbol
        assert Decimal(row["size"]) * (1 if row["side"] == "buy" else -1) == fill.size
        assert Decimal(row["price"]) == booked_float(fill.price)
        assert Decimal(row["fee"]) == booked_float(fill.fee)
        assert row["reason"] == fill.reason.word


def test_bars_before_from_warm_up_and_are_not_traded(clawd: Clawd) -> None:
    (read,) = figures(clawd, "--from", day(100))
    assert (read["first"], read["last"]) == (day(100), day(399))
    assert read["bars"] == 300
    assert read["bars_read"] == 800
    rows = fills(clawd, "--from", day(100))
    assert rows
    assert min(row["time"] for row in rows)[:10] <= day(105)  # warm already: 20 bars of history are no wait
    assert min(row["time"] for row in rows)[:10] >= day(100)


def test_to_is_left_out(clawd: Clawd) -> None:
    (read,) = figures(clawd, "--to", day(200))
    assert (read["first"], read["last"], read["bars"]) == (day(0), day(199), 200)
    assert read["bars_read"] == 400
    (narrow,) = figures(clawd, "--from", day(100), "--to", f"{day(200)}T00:00:01+00:00")
    assert (narrow["first"], narrow["last"], narrow["bars"]) == (day(100), day(200), 101)
    (zone,) = figures(clawd, "--from", f"{day(100)}T02:00+02:00")
    assert zone["first"] == day(100)


def test_an_earlier_end_gives_the_same_earlier_trades(clawd: Clawd) -> None:
    whole = fills(clawd)
    for end in (30, 100, 101, 333, 399):
        assert fills(clawd, "--to", day(end)) == [row for row in whole if row["time"][:10] < day(end)]


def test_a_second_look_is_counted_and_no_second_trial(clawd: Clawd, place: Path) -> None:
    first = clawd("backtest", "cross.toml", "--data", "two")
    second = clawd("backtest", "cross.toml", "--data", "two")
    assert first == second
    assert "1 distinct trial in the ledger" in first.out
    with Ledger.open(place / "home" / "ledger.sqlite") as ledger:
        (trial,) = ledger.trials()
    assert (trial.looks, trial.author, trial.name) == (2, "person", "Cross of two means")
    assert "2 distinct trials" in clawd("backtest", "cross.toml", "--data", "two", "--to", day(300)).out
    assert "3 distinct trials" in clawd("backtest", "hold.toml", "--data", "two").out
    renamed = CROSS.replace("Cross of two means", "Entirely new")
    (place / "cross.toml").write_text(renamed)
    assert "3 distinct trials" in clawd("backtest", "cross.toml", "--data", "two").out


def test_files_and_names_of_strategies_can_be_mixed(clawd: Clawd) -> None:
    outcome = clawd("backtest", "cross.toml", "macd", "./hold.toml", "Turtle system 2", "--data", "two", "--json")
    names = [each["strategy"] for each in json.loads(outcome.out)]
    assert names == ["Cross of two means", "MACD", "Always long", "Turtle system 2"]


def test_a_narrow_screen_leaves_columns_out_and_says_so(clawd: Clawd, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (40, 60, 80, 100, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = clawd("backtest", "cross.toml", "hold.toml", "--data", "two").out.splitlines()
        assert max(len(line) for line in lines) <= width
        text = " ".join(" ".join(lines).split())
        for wanted in ("return", "Sharpe", "drawdown", "trades", "buy and hold"):
            assert wanted in text  # a column, or named as left out
        assert ("not enough room for" in text) == (width < 120)


def test_html_stands_whole_or_not_at_all(clawd: Clawd, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = place / "report.html"
    target.write_text("the report of yesterday")
    os.link(target, place / "yesterday.html")
    line = ("backtest", "cross.toml", "--data", "two", "--html", "report.html")
    outcome = clawd(*line)
    assert outcome.code == 0
    assert "written: report.html" in outcome.out
    text = target.read_text()
    assert text.lower().startswith("<!doctype html>")
    assert text.rstrip().endswith("</html>")
    assert "Cross of two means" in text
    assert (place / "yesterday.html").read_text() == "the report of yesterday"  # replaced, not overwritten
    assert not [path for path in place.iterdir() if path.name.startswith(".")]

    def no_room(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(command, "backtest_html", no_room)
    before = {path: digest for path, digest in disk(place).items() if not path.startswith("home")}
    outcome = clawd(*line)
    assert (outcome.code, outcome.err) == (2, "error: --html report.html: cannot be written: No space left on device\n")
    assert {path: digest for path, digest in disk(place).items() if not path.startswith("home")} == before


def test_json_and_files_go_together(clawd: Clawd, place: Path) -> None:
    (read,) = figures(clawd, "--trades", "fills.csv", "--html", "report.html")
    assert read["fills"] == len((place / "fills.csv").read_text().splitlines()) - 1
    assert (place / "report.html").exists()


def test_the_market_is_only_what_was_asked_for(clawd: Clawd, place: Path) -> None:
    (read,) = figures(clawd, "--universe", "b")
    assert read["symbols"] == ["B"]
    (place / "cross.toml").write_text('universe = ["B"]\n' + CROSS)
    (own,) = figures(clawd)
    assert own.pop("content_hash") != read.pop("content_hash")  # its instruments are a part of what a strategy is
    assert own == read
    market: Market = load_market("two", ["B"], home=place)
    assert market.panel.symbols == ("B",)


def test_what_was_noted_of_the_market_is_said_above_the_figures(clawd: Clawd, place: Path) -> None:
    (place / "mood.csv").write_text("ts,value\n" + "".join(f"{START + day * DAY},{day % 7}\n" for day in range(100)))
    (place / "mood.toml").write_text(HOLD.replace("close > ts_mean(close, 3)", "ext('mood') > 3"))
    for line in ("data import two/A.csv --symbol A", "data import mood.csv --as series --name mood --lag 1d"):
        assert clawd(*line.split()).code == 0
    outcome = clawd("backtest", "mood.toml", "--data", "catalog")
    assert outcome.code == 0
    head, _, _ = outcome.out.partition("strategy")
    assert "mood: the value of" in head
    assert "is the last and stands ever after" in head
