"""Commands that need the compiled engine say so while it is compiled, and never among their results."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_world import Clawd
from rich.console import Console

import clawd as package
from clawd.cli import compiling
from clawd.cli.compiling import COMPILING, compiling_clock
from clawd.engine import backtest as engine

UP = ("up", "--data", "two", "--strategy", "cross.toml", "--json")
COMMANDS = [
    ("backtest", "cross.toml", "--data", "two", "--json"),
    ("sweep", "means.toml", "--data", "two", "--set", "fast=3,5", "--workers", "1", "--json"),
    ("journal", "verify", "--json"),
]
MEANS = """\
name = "A mean"
[let]
fast = 5
[position]
target = "long_short(sign(close - ema(close, fast)))"
[exits]
stop = { percent = 10 }
"""


@pytest.fixture(autouse=True)
def means(place: Path) -> None:
    """A strategy with a parameter."""
    (place / "means.toml").write_text(MEANS)


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine that has not compiled the engine; the list says what happened, in order."""
    happened: list[str] = []
    monkeypatch.setattr(compiling, "is_warm", lambda: "compiled" in happened)
    monkeypatch.setattr(compiling, "warm_up", lambda: happened.append("compiled"))
    return happened


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_the_wait_is_announced_on_standard_error_alone(clawd: Clawd, cold: list[str], command: tuple[str, ...]) -> None:
    assert clawd(*UP).code == 0
    outcome = clawd(*command)
    assert (outcome.code, outcome.err) == (0, f"{COMPILING}\n")
    assert json.loads(outcome.out)
    assert cold == ["compiled"]
    assert clawd(*command).err == ""


@pytest.mark.parametrize(
    "line",
    ["backtest nowhere.toml", "backtest cross.toml --data nowhere", "sweep means.toml --set slow=3", "journal verify"],
)
def test_a_mistake_is_told_before_anything_is_compiled(clawd: Clawd, cold: list[str], line: str) -> None:
    assert clawd(*line.split()).code == 2
    assert cold == []


def test_nothing_is_traded_before_it_is_compiled(
    clawd: Clawd, cold: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trade = engine.trade
    monkeypatch.setattr(engine, "trade", lambda *given, **named: (cold.append("traded"), trade(*given, **named))[1])
    assert clawd("backtest", "cross.toml", "--data", "two", "--json").code == 0
    assert cold == ["compiled", "traded"]


def test_a_terminal_sees_the_seconds_pass_and_keeps_no_trace_of_them() -> None:
    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=True, width=80)
    with compiling_clock(console) as clock:
        (task,) = clock.tasks
        assert task.start_time is not None
        task.start_time -= 42
        clock.refresh()
    assert "about a minute" in drawn.getvalue()
    assert re.search(r"0:00:4\d", drawn.getvalue())
    assert drawn.getvalue().endswith("\x1b[2K")  # the last thing done is to wipe the line


def children(process: int) -> list[int]:
    """The processes below one, however deep."""
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *children(child)]
    return found


def is_at_work(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes as Linux shows them")
def test_interrupted_while_it_compiles_it_ends_at_once_and_leaves_nobody_behind(
    place: Path, tmp_path: Path, interruptible: None
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "clawd", "backtest", "cross.toml", "--data", "two"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(package.__file__).parents[1]),
            "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
        },
    )
    until = time.monotonic() + 60
    while len(family := children(process.pid)) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    assert len(family) == 2, "two compile"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", f"{COMPILING}\n")
    while any(map(is_at_work, family)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(is_at_work, family))


@pytest.mark.long
def test_a_machine_that_never_ran_it_prints_the_same_results(place: Path, tmp_path: Path) -> None:
    def call(cache: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "clawd", "backtest", "cross.toml", "--data", "two", "--json"],
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
            env={
                **os.environ,
                "PYTHONPATH": str(Path(package.__file__).parents[1]),
                "NUMBA_CACHE_DIR": str(cache),
                "CLAWD_HOME": str(place / "home"),
            },
        )

    first, second = call(tmp_path / "cache"), call(tmp_path / "cache")
    assert first.stderr == f"{COMPILING}\n"
    assert second.stderr == ""
    assert first.stdout == second.stdout
