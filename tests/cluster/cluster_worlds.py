"""Studies, workers that die, and a cluster of two nodes on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import numpy as np

import clawd
from clawd.cluster.run import Step
from clawd.cluster.study import Key, Result, Study, Window, in_order
from clawd.cluster.task import Task
from clawd.cluster.work import outcomes
from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.engine.metrics import Metrics
from clawd.language.strategy import Strategy, parse_toml

SOURCES = Path(clawd.__file__).parents[1]
HERE = Path(__file__).parent

COSTS, CAPITAL = Costs(Decimal("0.001"), Decimal("0.0005")), Decimal(1000)


def market(seed: int, instruments: int = 2, bars: int = 300) -> Panel:
    """Random walks with bars missing here and there, and an outside series."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0005, 0.02, (instruments, bars)), axis=1))
    opened = close * np.exp(rng.normal(0.0, 0.005, close.shape))
    high, low = np.maximum(opened, close) * 1.004, np.minimum(opened, close) * 0.996
    volume = np.exp(rng.normal(5.0, 1.0, close.shape))
    funding = rng.normal(0.0, 1e-4, close.shape)
    missing = rng.random(close.shape) < 0.05
    opened, high, low, close, volume, funding = (
        np.where(missing, np.nan, values) for values in (opened, high, low, close, volume, funding)
    )
    return Panel(
        instruments=tuple(Instrument("ABCDEFGH"[i], Decimal("0.01"), Decimal("0.001")) for i in range(instruments)),
        bar=NANOSECONDS_PER_DAY,
        times=10_957 * NANOSECONDS_PER_DAY + np.arange(bars) * NANOSECONDS_PER_DAY,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
        funding=funding,
        bars_per_year=365.0,
        series={"mood": np.cumsum(rng.normal(0.0, 1.0, bars))},
    )


def strategy(fast: int, slow: int, more: str = "", scale: str = "1") -> Strategy:
    """A cross of two means."""
    return parse_toml(
        f'name = "cross {fast} {slow}"\n{more}\n[position]\n'
        f'target = "long_short({scale} * sign(ema(close, {fast}) - ema(close, {slow})))"\n'
        "[exits]\nstop = { atr = 2, window = 10 }\n"
    )


def crosses(count: int) -> list[Strategy]:
    """Different strategies, in an order that is not theirs."""
    pairs = [(fast, slow) for fast in range(2, 40) for slow in range(41, 41 + -(-count // 38))]
    order = np.random.default_rng(5).permutation(len(pairs))[:count]
    return [strategy(*pairs[index]) for index in order]


def study_of(
    strategies: Sequence[Strategy], markets: Sequence[Panel], windows: Iterable[tuple[int, int, int]] = ((0, 0, 300),)
) -> Study:
    """A study at the costs of these tests."""
    return Study(tuple(strategies), tuple(markets), tuple(Window(*window) for window in windows), COSTS, CAPITAL)


def collected(steps: Iterable[Step]) -> dict[Key, Result]:
    """The results of a run; one that came twice is a failure of the test."""
    results: dict[Key, Result] = {}
    for step in steps:
        for result in step.results:
            assert result.key not in results, f"{result.key} came twice"
            results[result.key] = result
        assert step.progress.done >= len(results)
    return results


def exactly(study: Study, results: Mapping[Key, Result]) -> list[str]:
    """The results in order, to the bit: texts of floats tell all of them apart, and NaN is as good as NaN."""
    assert set(results) == set(study.keys)
    return [repr(result) for result in in_order(study, results)]


# Workers that die. What they do once they remember in files, for they remember nothing else.


def _marks() -> Path:
    return Path(os.environ["CLAWD_TEST_MARKS"])


def first_time(name: str) -> bool:
    """Whether this is the first call with this name, among all processes."""
    try:
        (_marks() / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def dies_once(task: Task, panel: Panel) -> Sequence[Metrics | str]:
    """Every task kills its first worker, after the work and before the answer."""
    done = outcomes(task, panel)
    if first_time(task.id):
        os.kill(os.getpid(), signal.SIGKILL)
    return done


def dies_of_one(task: Task, panel: Panel) -> Sequence[Metrics | str]:
    """The task with the strategy named ``poison`` kills every worker."""
    if any(each.name == "poison" for each in task.strategies):
        (_marks() / f"{task.id} {time.monotonic_ns()}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return outcomes(task, panel)


def slow(task: Task, panel: Panel) -> Sequence[Metrics | str]:
    """Half a second a task, and a mark that names the worker."""
    (_marks() / f"{task.id} {os.getpid()} {time.monotonic_ns()}").touch()
    time.sleep(0.5)
    return outcomes(task, panel)


def endless(task: Task, panel: Panel) -> Sequence[Metrics | str]:
    """A minute a task, and a mark that names the worker."""
    (_marks() / f"{task.id} {os.getpid()}").touch()
    time.sleep(60)
    return outcomes(task, panel)


# Processes.


def alive(pid: int) -> bool:
    """Whether a process exists and is not a corpse that nobody has buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """The children of a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
    return found


def program(pid: int) -> str:
    """The program that a process runs."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().partition("\0")[0]
    except OSError:
        return ""


def until(condition: object, seconds: float = 20.0) -> bool:
    """Wait until a condition holds, and say whether it did."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class TwoNodes:
    """A head and a second node, each with one processor, on the loopback; what it starts, it ends."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        # The paths of Ray's sockets may have 107 characters.
        self._folder = tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp")
        self._environment = {**os.environ, **environment}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._start("--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={self._folder.name}")
        assert until(lambda: _answers(port), 60), "the head did not start"
        self._second = self.add_node()

    def add_node(self, **environment: str) -> subprocess.Popen[bytes]:
        """One more node."""
        return self._start(f"--address={self.address}", **environment)

    def _start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *arguments, "--node-ip-address=127.0.0.1"]
        limits = ["--num-cpus=1", f"--object-store-memory={80 * 2**20}", "--disable-usage-stats", "--block"]
        process = subprocess.Popen(
            command + limits,
            env={**self._environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def second_is_in_the_middle(self, folder: Path) -> bool:
        """Whether the second node is in the first half of a task that :func:`slow` works on."""
        family, now = set(_family(self._second.pid)), time.monotonic_ns()
        marks = [mark.name.split() for mark in folder.iterdir()]
        return any(int(mark[1]) in family and now - int(mark[2]) < 0.25e9 for mark in marks if len(mark) == 3)

    def kill_second_node(self) -> None:
        """As a machine dies: at once, and without a word."""
        (raylet,) = [pid for pid in children(self._second.pid) if program(pid).endswith("/raylet")]
        os.kill(raylet, signal.SIGKILL)

    def end(self) -> None:
        """End every process."""
        started = [pid for process in self._processes for pid in _family(process.pid)]
        for pid in started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self._processes:
            process.wait(60)
        assert until(lambda: not any(map(alive, started)))
        self._folder.cleanup()


def _family(pid: int) -> list[int]:
    return [pid] + [each for child in children(pid) for each in _family(child)]


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
