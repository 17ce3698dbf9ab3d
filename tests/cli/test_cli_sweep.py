"""``clawd sweep``: what it finds, counts, keeps, and how it is stopped."""

from __future__ import annotations

import csv
import json
import math
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_world import Clawd, bars, folder, walk

import clawd as package
from clawd.cli.sweep_progress import speed
from clawd.cluster.run import Progress, Step, run_study
from clawd.language.strategy import parse_json
from clawd.store.ledger import Ledger

MEANS = """\
name = "Two means"
[let]
fast = 5
slow = 20
[position]
target = "long_short(sign(ema(close, fast) - ema(close, slow)))"
[exits]
stop = { percent = 10 }
"""
LINE = ("sweep", "means.toml", "--data", "two")
GRID = ("--set", "fast=3,5,8", "--set", "slow=20:30:10")


@pytest.fixture(autouse=True)
def means(place: Path) -> None:
    """A strategy with two parameters."""
    (place / "means.toml").write_text(MEANS)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def trials(place: Path) -> list[tuple[str, int]]:
    with Ledger.open(place / "home" / "ledger.sqlite") as ledger:
        return [(trial.content_hash, trial.looks) for trial in ledger.trials()]


def test_it_finds_what_a_backtest_of_each_finds(clawd: Clawd, place: Path) -> None:
    outcome = clawd(*LINE, *GRID, "--from", "2017-09-01", "--out", "all.csv", "--json", "--workers", "2")
    assert (outcome.code, outcome.err) == (0, "")
    swept = json.loads(outcome.out)
    assert (swept["combinations"], swept["trials"], swept["missing"], swept["failures"]) == (6, 6, 0, [])
    found = rows(place / "all.csv")
    pairs = [(fast, slow) for fast in "358" for slow in ("20", "30")]
    assert [(row["fast"], row["slow"]) for row in found] == pairs
    for row in found:
        (place / "one.toml").write_text(
            MEANS.replace("fast = 5", f"fast = {row['fast']}").replace("slow = 20", f"slow = {row['slow']}")
        )
        (alone,) = json.loads(clawd("backtest", "one.toml", "--data", "two", "--from", "2017-09-01", "--json").out)
        assert alone["content_hash"] == row["strategy"]
        for name in ("bars", "sharpe", "total_return", "max_drawdown", "trades", "fees", "exposure"):
            assert repr(alone[name]) == row[name]
    sharpes = [float(row["sharpe"]) for row in found]
    assert [each["sharpe"] for each in swept["best"]] == sorted(sharpes, reverse=True)
    assert swept["sharpe_spread"] == pytest.approx(statistics.stdev(sharpes))
    # The expected maximum of six standard normal draws is 1.2672 (tables of order statistics); the formula lies near.
    assert swept["best_sharpe_by_luck"] == pytest.approx(1.2672 * swept["sharpe_spread"], rel=0.03)
    assert 0 < swept["best_deflated_sharpe"] < 1
    # The backtests were the same trials: they were looked at again, and count once.
    assert sorted(looks for _, looks in trials(place)) == [2] * 6


def test_trials_are_recorded_as_those_of_a_backtest(clawd: Clawd, place: Path) -> None:
    clawd(*LINE, "--set", "fast=5")
    with Ledger.open(place / "home" / "ledger.sqlite") as ledger:
        (swept,) = ledger.trials()
    clawd("backtest", "means.toml", "--data", "two", "--capital", "10000")
    (place / "home" / "ledger.sqlite").rename(place / "swept.sqlite")
    clawd("backtest", "means.toml", "--data", "two", "--capital", "10000")
    with Ledger.open(place / "home" / "ledger.sqlite") as ledger:
        (alone,) = ledger.trials()
    assert (swept.author, swept.origin, alone.author, alone.origin) == ("grid", "grid", "person", "file")
    for name in (
        "content_hash", "family_hash", "data_fingerprint", "first_ts", "last_ts", "fee", "bars", "trades", "capital",
        "code_version",
    ):  # fmt: skip
        assert getattr(swept, name) == getattr(alone, name)
    for name in ("sharpe", "mean", "sd", "total_return", "max_drawdown", "turnover", "exposure", "net_exposure"):
        assert getattr(swept, name) == pytest.approx(getattr(alone, name), rel=1e-9)
    assert swept.segments is not None and alone.segments is not None
    assert swept.segments.bars.tolist() == alone.segments.bars.tolist()
    assert swept.segments.bars.sum() == swept.bars
    assert swept.segments.returns.sum() == pytest.approx(swept.total_return)
    np.testing.assert_allclose(swept.segments.returns, alone.segments.returns, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(swept.segments.squares, alone.segments.squares, rtol=1e-9, atol=1e-18)
    for each in (swept, alone):
        assert parse_json(each.program).content_hash == each.content_hash


def test_a_later_start_cuts_segments_at_the_same_bars(clawd: Clawd, place: Path) -> None:
    for start in ("2017-09-12", "2017-09-13"):  # an even bar and an odd one
        clawd(*LINE, "--set", "fast=5", "--from", start)
        with Ledger.open(place / "home" / "ledger.sqlite") as ledger:
            (swept,) = ledger.trials()
        (place / "home" / "ledger.sqlite").unlink()
        clawd("backtest", "means.toml", "--data", "two", "--from", start)
        with Ledger.open(place / "home" / "ledger.sqlite") as ledger:
            (alone,) = ledger.trials()
        (place / "home" / "ledger.sqlite").unlink()
        assert swept.segments is not None and alone.segments is not None
        assert swept.segments.bars.tolist() == alone.segments.bars.tolist()
        np.testing.assert_allclose(swept.segments.squares, alone.segments.squares, rtol=1e-9, atol=1e-18)


def test_a_grid_descends_from_the_file_that_it_varies(clawd: Clawd, place: Path) -> None:
    clawd(*LINE, "--set", "fast=5,6")
    with Ledger.open(place / "home" / "ledger.sqlite") as ledger:
        written, varied = ledger.trials()
        assert (written.parents, varied.parents) == ((), (written.content_hash,))
        assert [each.name for each in ledger.lineage(varied.content_hash)] == [varied.name, written.name]


def test_a_short_sweep_has_no_segments(clawd: Clawd, place: Path) -> None:
    assert clawd(*LINE, "--set", "fast=5", "--to", "2017-09-01").code == 0
    with Ledger.open(place / "home" / "ledger.sqlite") as ledger:
        (swept,) = ledger.trials()
    assert swept.bars < 60
    assert swept.segments is None


def test_what_people_read(clawd: Clawd) -> None:
    outcome = clawd(*LINE, *GRID, "--workers", "1")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert "0 of 6" in lines
    assert any(re.fullmatch(r"6 of 6; (\d+\.\d million|[1-9][\d,]*) strategy-bars/s", line) for line in lines)
    heading = next(line for line in lines if "Sharpe" in line)
    assert heading.split()[:2] == ["fast", "slow"]
    assert "the highest of 6 trials; were none of them better than nothing, luck alone would show" in outcome.out
    assert "deflated: " in outcome.out
    assert "6 distinct trials in the ledger. A backtest proves nothing." in outcome.out


def test_what_was_decided_about_the_market_is_said(clawd: Clawd, place: Path) -> None:
    folder(place / "late", A=bars(walk(1)), B=bars(walk(2, 150), first=250))
    note = "begin later than the market: B 2018-03-21"
    assert note in clawd("backtest", "means.toml", "--data", "late").out.splitlines()
    assert note in clawd("sweep", "means.toml", "--data", "late", "--set", "fast=3", "--workers", "1").out.splitlines()


@pytest.mark.parametrize(
    ("done", "rate", "left", "words"),
    [
        (0, 0.0, math.nan, ""),
        (3, 8_123.4, 70.0, "8,123 strategy-bars/s, 2 min left"),
        (3, 12.34e6, 9.4, "12.3 million strategy-bars/s, 9 s left"),
        (6, 99_999.0, 0.0, "99,999 strategy-bars/s"),
        (6, 100_000.0, 0.0, "0.1 million strategy-bars/s"),
    ],
)
def test_a_rate_is_never_nothing_and_at_the_end_nothing_is_left(
    done: int, rate: float, left: float, words: str
) -> None:
    assert speed(Progress(done, 6, 0, rate, left)) == words


def test_combinations_that_mean_the_same_count_once(clawd: Clawd, place: Path) -> None:
    (place / "same.toml").write_text(MEANS.replace("ema(close, fast)", "min2(ema(close, fast), ema(close, slow))"))
    text = '"long_short(sign(min2(ema(close, fast), ema(close, slow)) - close))"'
    (place / "same.toml").write_text(re.sub(r"target = .*", f"target = {text}", MEANS))
    grid = ("--set", "fast=3,5", "--set", "slow=3,5")
    swept = json.loads(clawd("sweep", "same.toml", "--data", "two", *grid, "--json", "--out", "all.csv").out)
    assert (swept["combinations"], swept["trials"], swept["distinct_trials"]) == (4, 3, 3)
    assert [(row["fast"], row["slow"]) for row in rows(place / "all.csv")] == [("3", "3"), ("3", "5"), ("5", "5")]
    assert "1 combination mean" in clawd("sweep", "same.toml", "--data", "two", *grid, "--out", "all.csv").out


def test_a_second_run_goes_on_and_a_third_finds_nothing_to_do(clawd: Clawd, place: Path) -> None:
    clawd(*LINE, *GRID, "--out", "all.csv")
    whole = (place / "all.csv").read_text()
    (place / "all.csv").write_text("".join(whole.splitlines(keepends=True)[:3]) + "8,30,4")
    outcome = clawd(*LINE, *GRID, "--out", "all.csv")
    assert "2 of 6" in outcome.out
    assert (place / "all.csv").read_text() == whole
    assert sorted(looks for _, looks in trials(place)) == [1, 1, 2, 2, 2, 2], "only what was missing was tried again"
    assert "6 of 6" in clawd(*LINE, *GRID, "--out", "all.csv").out
    assert (place / "all.csv").read_text() == whole
    assert sorted(looks for _, looks in trials(place)) == [1, 1, 2, 2, 2, 2]


def test_what_a_file_brings_along_is_counted_too(clawd: Clawd, place: Path) -> None:
    clawd(*LINE, *GRID, "--out", "all.csv")
    (place / "home" / "ledger.sqlite").rename(place / "another.sqlite")
    for _ in range(2):
        assert "6 distinct trials" in clawd(*LINE, *GRID, "--out", "all.csv").out
        assert sorted(looks for _, looks in trials(place)) == [1] * 6


def test_a_strategy_that_does_not_fit_the_market_says_why(clawd: Clawd, place: Path) -> None:
    (place / "means.toml").write_text(MEANS.replace("[let]", 'universe = ["A", "XYZ"]\n[let]'))
    swept = clawd(*LINE, *GRID)
    assert swept.code == 0
    assert swept.out.count("the market has no instrument XYZ") == 6
    assert "0 distinct trials" in swept.out, "what failed was no trial"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--set: no parameter is named"),
        (("--set", "fast"), "--set: `fast` names no parameter"),
        (("--set", "fast=1", "--set", "fast=2"), "--set: the parameter `fast` is given twice"),
        (("--set", "fsat=1"), "no parameter `fsat` (did you mean `fast`?)"),
        (("--set", "fast=0"), "fast=0"),
        (("--set", "fast=3", "--workers", "0"), "--workers"),
        (("--set", "fast=3", "--workers", "2", "--cluster", "a:1"), "exclude each other"),
        (("--set", "fast=3", "--cluster", "nowhere"), "`nowhere` is not the address of a Ray cluster"),
        (("--set", "fast=3", "--out", "no/all.csv"), "no/all.csv: cannot be written"),
        (("--set", "fast=3", "--out", "means.toml"), "means.toml: the file cannot be continued"),
        (("--set", "fast=3", "--from", "2030-01-01"), "there is no bar between these times"),
    ],
)
def test_mistakes_are_said_and_change_nothing(
    clawd: Clawd, place: Path, arguments: tuple[str, ...], message: str
) -> None:
    outcome = clawd(*LINE, *arguments)
    assert (outcome.code, outcome.out.replace("0 of 1\n", "")) == (2, "")
    assert outcome.err.startswith("error: ")
    assert message in outcome.err
    assert (place / "means.toml").read_text() == MEANS


# Ctrl-C.

LONG = ("sweep", "means.toml", "--data", "long", "--set", "fast=2:31:1", "--set", "slow=40:59:1", "--workers", "2")


#: The command line, with tasks so small that there are a hundred and twenty of them.
SMALL = "from clawd.cluster import task; task.MOST_STRATEGIES = 5; from clawd.cli.main import run; run()"


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SMALL, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])},
    )


def lines(path: Path) -> int:
    return path.read_text().count("\n") if path.exists() else 0


@pytest.mark.parametrize("attempts", [2, pytest.param(5, marks=pytest.mark.long)])
def test_interrupted_at_any_time_it_keeps_what_is_done_and_goes_on(
    console: Clawd, place: Path, interruptible: None, attempts: int
) -> None:
    """At some moment from its start on, in the middle of its work, and killed; more attempts meet more moments."""
    folder(place / "long", A=bars(walk(21, 2_000), seconds=3600))
    began = time.monotonic()
    whole = console(*LONG, "--out", "whole.csv")
    lasted = time.monotonic() - began
    assert whole.code == 0
    (place / "home" / "ledger.sqlite").unlink()
    rng, path, kept = random.Random(7), place / "parts.csv", [0]
    for attempt in range(attempts):
        process = start(*LONG, "--out", "parts.csv")
        if attempt < attempts // 2:
            time.sleep(rng.uniform(0.2, 0.8) * lasted)
        else:  # in the middle of its work
            before = lines(path)
            while lines(path) <= max(before, 1) and process.poll() is None:
                time.sleep(0.002)
            time.sleep(rng.uniform(0.0, 0.1))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, err = process.communicate(timeout=120)
        assert err == ""
        said = re.search(r"stopped: (\d+) of 600 are kept in parts.csv; the same command goes on from there\n", out)
        assert process.returncode == (130 if said else process.returncode)
        assert process.returncode in {0, 130}
        if said:
            kept.append(len(rows(path)))
            assert int(said[1]) == kept[-1] >= kept[-2]
        if (place / "home" / "ledger.sqlite").exists():
            assert {looks for _, looks in trials(place)} <= {1}, "nothing was worked on twice"
            assert len(trials(place)) == (len(rows(path)) if path.exists() else 0)
    assert any(0 < number < 600 for number in kept), "one was stopped in the middle"
    if kept[-1] < 600:
        process = start(*LONG, "--out", "parts.csv")
        before = lines(path)
        while lines(path) <= max(before, 1) and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        process.communicate(timeout=120)
    assert console(*LONG, "--out", "parts.csv").code == 0
    assert path.read_text() == (place / "whole.csv").read_text()
    assert len(trials(place)) == 600
    assert {looks for _, looks in trials(place)} <= {1, 2}, "killed between counting and keeping"


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["people", "programs"])
def test_stopped_before_anything_is_done_it_says_so(
    clawd: Clawd, place: Path, monkeypatch: pytest.MonkeyPatch, form: tuple[str, ...]
) -> None:
    def interrupted(*given: Any, **named: Any) -> Iterator[Step]:
        signal.raise_signal(signal.SIGINT)
        yield from run_study(*given, **named)

    monkeypatch.setattr("clawd.cli.sweep.run_study", interrupted)
    outcome = clawd(*LINE, *GRID, "--workers", "1", *form)
    assert (outcome.code, outcome.err) == (130, "")
    if form:
        assert json.loads(outcome.out)["missing"] == 6
    else:
        assert outcome.out == "0 of 6\nstopped before anything was done: nothing is counted\n"
    assert trials(place) == []


def test_on_a_terminal_a_bar_moves_and_leaves_nothing_behind(place: Path) -> None:
    import pty  # noqa: PLC0415

    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "clawd", *LINE, "--set", "fast=3:40:1", "--set", "slow=41:60:1", "--workers", "1"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1]), "TERM": "xterm-256color"},
    )
    os.close(terminal)
    drawn = b""
    while True:
        try:
            part = os.read(controller, 65536)
        except OSError:
            break
        if not part:
            break
        drawn += part
    os.close(controller)
    assert process.wait(timeout=120) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn.decode())
    assert "/760" in text
    assert "million strategy-bars/s" in text
    assert "━" in text
    assert drawn.count(b"\x1b[?25l") == drawn.count(b"\x1b[?25h") == 1
    assert "the highest of 760 trials" in " ".join(text.split())


def test_luck_alone_finds_a_good_looking_best(clawd: Clawd, place: Path) -> None:
    """On noise the best of many is about what was said that luck would show."""
    folder(place / "noise", **{name: bars(walk(seed, 1_500, drift=0.0)) for seed, name in enumerate("ABCD", 50)})
    grid = ("--set", "fast=2:20:2", "--set", "slow=25:95:10")
    swept = json.loads(clawd("sweep", "means.toml", "--data", "noise", *grid, "--json").out)
    best = np.array([each["sharpe"] for each in swept["best"]])
    assert swept["trials"] == 80
    assert best[0] < 3 * swept["best_sharpe_by_luck"]
    assert swept["best_deflated_sharpe"] < 0.95
