"""A fleet that really trades in a process of its own, slowly enough for a person, and orders that wait for people."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import httpx2
import numpy as np

import clawd
from fleet.venue_markets import write_captures

DAY = 86_400
PASSPHRASE = "correct horse battery"

STRATEGIES = {
    "restless": 'name = "Restless"\n[position]\ntarget = "long_short(sign(ret(close, 3)))"\n'
    "[exits]\nstop = { percent = 10 }\n",
    "steady": 'name = "Steady"\n[position]\ntarget = "long_only(where(close > ts_mean(close, 3), 1, 0.5))"\n'
    "[exits]\nstop = { percent = 8 }\n",
}


def market(folder: Path, length: int = 3_000) -> Path:
    """Bars of two instruments that swing up and down for weeks, a day each."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(("AAA", "BBB"), start=1):
        swing = 0.012 * np.sin(np.arange(length) * 2 * np.pi / 60 + seed)
        moves = swing + 0.0001 + np.random.default_rng(seed).normal(0, 0.006, length)
        closes = np.round(100 * np.exp(np.cumsum(moves)), 4)
        lines, before = ["ts,open,high,low,close,volume"], closes[0]
        for index, close in enumerate(closes):
            high, low = max(before, close) * 1.002, min(before, close) * 0.998
            lines.append(f"{(10_000 + index) * DAY},{before:.4f},{high:.4f},{low:.4f},{close:.4f},50")
            before = close
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a command of a home is started with, and nothing of our own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLAWD_")}
    source = str(Path(clawd.__file__).parents[1])
    return kept | {"CLAWD_HOME": str(home), "PYTHONPATH": source, "NO_COLOR": "1"} | more


@dataclass
class Running:
    """A process that trades."""

    process: subprocess.Popen[str]

    def kill(self) -> None:
        """As the power goes."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)


@contextmanager
def fleet(home: Path, *, pace: float = 15, strategies: Mapping[str, str] = STRATEGIES) -> Iterator[Running]:
    """`clawd up --headless` on a market of its own, some bars a second, until the block ends."""
    data = market(home.parent / "data")
    for name, text in strategies.items():
        (home.parent / f"{name}.toml").write_text(text)
    command = [sys.executable, "-m", "clawd", "up", "--headless", "--plain", "--pace", str(pace), "--slots", "2"]
    chosen = [word for name in strategies for word in ("--strategy", str(home.parent / f"{name}.toml"))]
    with _running([*command, "--data", str(data), *chosen], environment(home)) as running:
        yield running


@contextmanager
def venue_fleet(home: Path, captures: list[Path], **settings: str) -> Iterator[Running]:
    """`clawd trade` on captures, until the block ends."""
    (home.parent / "fast.toml").write_text(
        'name = "fast"\n[position]\ntarget = "long_short(sign(ret(close, 3)))"\n[exits]\nstop = { percent = 0.5 }\n'
    )
    command = [sys.executable, "-m", "clawd", "trade", *map(str, captures), "--perpetual", "10"]
    command += ["--strategy", str(home.parent / "fast.toml"), "--json"]
    given = {"CLAWD_CAPITAL": "10000", "CLAWD_DAY_LOSS_LIMIT": "500", **settings}
    with _running(command, environment(home, **given)) as running:
        yield running


@contextmanager
def _running(command: list[str], env: dict[str, str]) -> Iterator[Running]:
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def captures(folder: Path, seconds: int, begin: int, seed: int = 1) -> list[Path]:
    """Files of quotes and of trades near 60,000, as a venue sends them, from a moment on: UTC seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_captures(folder, seconds, seed, begin * 10**9)


def until(found: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, f"waited {seconds} seconds for this: {what}"
        time.sleep(0.05)


def positions(client: httpx2.Client) -> int:
    """How many positions the runs at work have."""
    return sum(int(run["positions"]) for run in client.get("/api/standing").json()["runs"] if run["at_work"])


def everything_written(home: Path) -> bytes:
    """All bytes of all files of a home."""
    return b"".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file())


PRICE = Decimal(1000)
