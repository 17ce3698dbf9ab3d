"""``clawd up``: stage after stage for programs and people, started again without harm, and honest with odd markets."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_world import HEADER, Clawd, Outcome, bars, disk, folder, walk

import clawd as package
from clawd.fleet.run import journals, replay
from clawd.store.journal import Journal

LINE = ("up", "--data", "two", "--strategy", "cross.toml", "--strategy", "hold.toml", "--strategy", "turtles")
STAGES = ["market", "compiling", "tried", "searched", "paper", "event", "summary"]


def stages(outcome: Outcome) -> list[dict[str, Any]]:
    """The lines of ``up --json``."""
    assert (outcome.code, outcome.err) == (0, "")
    return [json.loads(line, parse_constant=pytest.fail) for line in outcome.out.splitlines()]


def test_every_line_is_a_stage_and_the_last_is_the_summary(clawd: Clawd) -> None:
    lines = stages(clawd(*LINE, "--json"))
    names = [line["stage"] for line in lines]
    assert sorted(set(names), key=names.index) == [name for name in STAGES if name in names]
    assert names.count("market") == names.count("searched") == names.count("paper") == names.count("summary") == 1
    assert names.count("tried") == 3
    assert names[-1] == "summary"
    market, summary = lines[0], lines[-1]
    assert (market["bars"], market["bar"], market["symbols"]) == (400, "1d", ["A", "B"])
    assert not summary["stopped"]
    assert summary["bars"] == 160
    searched = next(line for line in lines if line["stage"] == "searched")
    assert (searched["new_trials"], searched["distinct_strategies"]) == (6, 3)
    accepted = [each["strategy"] for each in searched["ranking"] if each["rejection"] is None]
    hired = [line["strategy"] for line in lines if line.get("kind") == "AgentHired"]
    assert hired[: len(accepted)] == accepted


def test_the_summary_is_the_fold_of_the_journal(clawd: Clawd, place: Path) -> None:
    *_, summary = stages(clawd(*LINE, "--json"))
    (path,) = journals(place / "home")
    with Journal.open(path, read_only=True) as journal:
        books, _ = replay(journal)
        filled = [entry.body for entry in journal.entries() if entry.kind == "OrderFilled"]
    assert Decimal(summary["profit"]) == books.equity - books.start.capital
    assert Decimal(summary["equity"]) == books.equity
    assert Decimal(summary["fees"]) == sum(Decimal(fill["fee"]) for fill in filled)
    assert filled
    assert summary["run"] == books.start.run == path.parent.name
    # And once more with nothing but the fills and the last closes.
    cash = sum(-Decimal(fill["size"]) * Decimal(fill["price"]) - Decimal(fill["fee"]) for fill in filled)
    held: dict[str, Decimal] = {}
    for fill in filled:
        held[fill["symbol"]] = held.get(fill["symbol"], Decimal(0)) + Decimal(fill["size"])
    worth = cash + sum(size * books.marks[symbol] for symbol, size in held.items())
    assert abs(worth - Decimal(summary["profit"])) < Decimal("1e-6")


def test_a_second_start_adds_nothing_and_says_so(clawd: Clawd, place: Path) -> None:
    first = stages(clawd(*LINE, "--json"))
    (path,) = journals(place / "home")
    before = path.read_bytes()
    again = stages(clawd(*LINE, "--json"))
    paper = next(line for line in again if line["stage"] == "paper")
    assert paper["resumed_bars"] == 160
    assert next(line for line in again if line["stage"] == "searched")["new_trials"] == 0
    assert not [line for line in again if line["stage"] == "event"]
    assert again[-1] == first[-1]
    assert path.read_bytes() == before
    plain = clawd(*LINE, "--headless")
    assert "160 bars in the journal already, up to 2018-08-17; every book adds up" in plain.out
    assert "no bar is left to trade, nothing was added; --fresh begins anew" in plain.out
    assert path.read_bytes() == before


def test_fresh_sets_the_run_aside_and_repeats_it(clawd: Clawd, place: Path) -> None:
    first = stages(clawd(*LINE, "--json"))
    (path,) = journals(place / "home")
    before = path.read_bytes()
    again = stages(clawd(*LINE, "--json", "--fresh"))
    assert again[-1] == first[-1]
    assert len(journals(place / "home")) == 2
    (aside,) = [each for each in journals(place / "home") if each != path]
    assert aside.read_bytes() == before
    listed = clawd("journal", "list")
    assert path.parent.name in listed.out
    assert aside.parent.name in listed.out
    assert clawd("journal", "verify", "--all").out.count("every book adds up") == 2


def test_plain_lines_for_people(clawd: Clawd, place: Path) -> None:
    outcome = clawd(*LINE, "--headless")
    assert (outcome.code, outcome.err) == (0, "")
    assert "\x1b" not in outcome.out
    headings = re.findall(r"^\[(\d)\] (\w+)", outcome.out, re.MULTILINE)
    assert headings == [("1", "data"), ("2", "search"), ("3", "paper"), ("4", "summary")]
    assert str(place / "home" / "runs") in outcome.out
    assert "No agent has proven an edge" in outcome.out
    assert "100 %" in outcome.out
    assert not re.search(r"-0\.0+\b(?![0-9])", outcome.out)  # nothing is minus zero
    assert "nan" not in outcome.out.lower()
    assert len(outcome.out.splitlines()) < 70


def test_figures_of_plain_and_json_agree(clawd: Clawd) -> None:
    *_, summary = stages(clawd(*LINE, "--json"))
    printed = clawd(*LINE, "--headless").out
    assert f"{float(summary['profit']):+.2f}" in printed
    assert f"{summary['refused']:,} refused, {summary['shrunk']:,} shrunk" in printed
    for agent in summary["agents"]:
        assert agent["strategy"] in printed


def test_options_are_the_limits_in_force(clawd: Clawd, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAWD_FEE", "0.001")
    monkeypatch.setenv("CLAWD_CAPITAL", "77")
    stages(clawd(*LINE, "--json", "--capital", "5000", "--day-limit", "12.5", "--slots", "1"))
    (path,) = journals(place / "home")
    with Journal.open(path, read_only=True) as journal:
        start = replay(journal)[0].start
    assert (start.capital, start.day_loss_limit, start.slots) == (Decimal(5000), Decimal("12.5"), 1)
    assert start.fee == Decimal("0.001")


def crashed(closes: list[float]) -> list[float]:
    return closes[:320] + [price * 0.05 for price in closes[320:]]


def odd_markets() -> dict[str, dict[str, str]]:
    """Markets that break naive programs."""
    rng = np.random.default_rng(7)
    up = walk(3, drift=0.002)
    lines = bars(up).splitlines()
    holes = [line for line in lines[1:] if rng.random() > 0.6]
    return {
        "one instrument": {"A": bars(up)},
        "no volume column": {"A": "\n".join(line.rsplit(",", 1)[0] for line in lines) + "\n"},
        "no volume at all": {"A": bars(up, volume=0.0), "B": bars(walk(4), volume=0.0)},
        "constant price": {"A": bars([100.0] * 400), "B": bars([1.0] * 400)},
        "one constant": {"A": bars(up), "B": bars([1.0] * 400)},
        "one dies on paper": {"A": bars(up), "B": bars(walk(5, drift=0.002)[:300])},
        "one dies before": {"A": bars(up), "B": bars(walk(5)[:150])},
        "one is born on paper": {"A": bars(up), "B": bars(walk(6)[:100], first=300)},
        "many bars missing": {"A": "\n".join([HEADER, *holes]) + "\n", "B": bars(walk(8, drift=0.002))},
        "all lose": {"A": bars(walk(9, drift=-0.01, step=0.001)), "B": bars(walk(10, drift=-0.01, step=0.001))},
        "a crash": {"A": bars(crashed(up)), "B": bars(walk(11))},
        "tiny prices": {"A": bars([price * 1e-3 for price in up])},
        "huge prices": {"A": bars([price * 1e9 for price in up])},
        "just enough": {"A": bars(up[:100])},
        "never overlap": {"A": bars(up[:200]), "B": bars(walk(12)[:200], first=200)},
    }


@pytest.mark.parametrize("name", list(odd_markets()))
def test_odd_markets_end_in_words(clawd: Clawd, place: Path, name: str) -> None:
    folder(place / "odd", **odd_markets()[name])
    line = (
        "up",
        "--headless",
        "--data",
        "odd",
        "--strategy",
        "cross.toml",
        "--strategy",
        "hold.toml",
        "--strategy",
        "low_volatility",
    )
    outcome = clawd(*line)
    assert "Traceback" not in outcome.err
    assert "nan" not in outcome.out.lower().replace("finance", "")
    if outcome.code:
        assert outcome.code == 2
        assert outcome.err.startswith("error: no strategy earned a place on paper")
        assert not journals(place / "home")
    else:
        assert "[4] summary" in outcome.out
        assert "Profit alone is no proof." in outcome.out
        verified = clawd("journal", "verify")
        assert (verified.code, verified.err) == (0, "")
        assert "every book adds up" in verified.out


def test_a_market_that_ends_early_is_told(clawd: Clawd, place: Path) -> None:
    folder(place / "odd", **odd_markets()["one dies on paper"])
    printed = clawd("up", "--headless", "--data", "odd", "--strategy", "hold.toml").out
    assert "end earlier than the market: B 2018-05-09" in printed


def damage(path: Path, how: str) -> None:
    """Spoil a journal that is whole."""
    if how == "words":
        path.write_text("to whom it may concern\n" * 400)
    elif how == "cut off":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif how == "another program's":
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE photos(name TEXT)")
        connection.close()
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("DROP TRIGGER journal_keeps")
            connection.execute("UPDATE journal SET body = replace(body, '0.0005', '0.0004') WHERE seq = 1")
        connection.close()


@pytest.mark.parametrize("how", ["words", "cut off", "another program's", "another body"])
def test_a_damaged_journal_is_refused_and_left_alone(clawd: Clawd, place: Path, how: str) -> None:
    stages(clawd(*LINE, "--json"))
    (path,) = journals(place / "home")
    damage(path, how)
    before = path.read_bytes()
    verified = clawd("journal", "verify")
    assert (verified.code, verified.out) == (2, "")
    assert verified.err.startswith("error: ")
    assert verified.err.count("\n") == 1
    assert path.parent.name in verified.err
    again = clawd(*LINE, "--headless")
    assert again.code == 2
    assert again.err.startswith("error: ")
    assert again.err.count("\n") == 1
    assert "[4] summary" not in again.out
    assert path.read_bytes() == before
    assert clawd("journal", "list").code == 0


def test_an_empty_journal_is_no_journal(clawd: Clawd, place: Path) -> None:
    path = place / "home" / "runs" / "abc" / "journal.sqlite"
    Journal.open(path).close()
    verified = clawd("journal", "verify")
    assert (verified.code, verified.err.count("\n")) == (2, 1)
    assert "empty" in verified.err
    assert "not begun" in clawd("journal", "list").out


def test_the_journal_can_be_read(clawd: Clawd, place: Path) -> None:
    lines = stages(clawd(*LINE, "--json"))
    run = lines[-1]["run"]
    (report,) = json.loads(clawd("journal", "verify", "--json").out)
    assert (report["run"], report["bars"], report["finished"]) == (run, 160, True)
    everything = [json.loads(line) for line in clawd("journal", "show", run, "--last", "0").out.splitlines()]
    assert [each["seq"] for each in everything] == list(range(1, report["entries"] + 1))
    assert everything[0]["kind"] == "RunStarted"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\dZ)?", each["time"]) for each in everything)
    filled = [each for each in everything if each["kind"] == "OrderFilled" and each["agent"] == "a001"]
    shown = clawd("journal", "show", "--kind", "OrderFilled", "--agent", "a001", "--last", "3").out.splitlines()
    assert [json.loads(line) for line in shown] == filled[-3:]
    assert len(clawd("journal", "show").out.splitlines()) == 20
    nobody = clawd("journal", "show", "--agent", "nobody")
    assert (nobody.code, nobody.out, nobody.err) == (0, "", "no entry fits\n")
    listed = clawd("journal", "list").out
    assert run in listed
    assert "1d: A, B" in listed
    assert "finished" in listed
    wrong = clawd("journal", "verify", "abc")
    assert (wrong.code, run in wrong.err) == (2, True)


def test_nothing_is_written_beside_the_home(clawd: Clawd, place: Path) -> None:
    before = {path: digest for path, digest in disk(place).items() if not path.startswith("home")}
    stages(clawd(*LINE, "--json"))
    assert {path: digest for path, digest in disk(place).items() if not path.startswith("home")} == before


def test_an_interrupted_run_goes_on_where_it_stopped(place: Path, clawd: Clawd) -> None:
    folder(place / "long", A=bars(walk(21, 5_000, drift=0.0001), seconds=3600))
    line = [
        "up",
        "--headless",
        "--data",
        "long",
        "--strategy",
        "cross.toml",
        "--strategy",
        "hold.toml",
        "--strategy",
        "turtles",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "clawd", *line, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])},
    )
    assert process.stdout is not None
    for text in process.stdout:
        if json.loads(text)["stage"] in {"event", "summary"}:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    stopped = json.loads(out.splitlines()[-1])
    assert stopped["stage"] == "summary"
    assert stopped["stopped"]
    assert 0 < stopped["bars"] < 2000
    assert clawd("journal", "verify").code == 0
    whole = stages(clawd(*line, "--json"))
    assert whole[-1]["bars"] == 2000
    shutil.rmtree(place / "home")
    assert stages(clawd(*line, "--json"))[-1] == whole[-1]


def test_the_true_console(console: Clawd, clawd: Clawd, place: Path) -> None:
    outcome = console(*LINE, "--headless")
    assert (outcome.code, outcome.err) == (0, "")
    assert "\x1b" not in outcome.out
    assert "[4] summary" in outcome.out
    *_, summary = stages(clawd(*LINE, "--json"))
    assert f"{float(summary['profit']):+.2f}" in outcome.out
    verified = console("journal", "verify")
    assert (verified.code, verified.err) == (0, "")
    assert f"run {summary['run']}:" in verified.out
    assert len(journals(place / "home")) == 1
