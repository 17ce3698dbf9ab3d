"""Markets, strategies and disks to run the command line on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DAY = 86_400
START = 1_500_000_000 // DAY * DAY
HEADER = "ts,open,high,low,close,volume"

CROSS = """\
name = "Cross of two means"
[position]
target = "long_short(sign(ema(close, 5) - ema(close, 20)))"
[exits]
stop = { percent = 10 }
"""
HOLD = """\
name = "Always long"
[position]
target = "rebalance(long_only(where(close > ts_mean(close, 3), 1, 0.2)), 5)"
[exits]
stop = { percent = 8 }
"""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


#: Runs a command in its own place: ``clawd("strategy", "list")``.
Clawd = Callable[..., Outcome]


def walk(seed: int, length: int = 400, drift: float = 0.0005, step: float = 0.01) -> list[float]:
    """A random walk of prices."""
    moves = np.random.default_rng(seed).normal(drift, step, length)
    return [float(price) for price in np.round(100 * np.exp(np.cumsum(moves)), 4)]


def waves(seed: int, length: int = 400) -> list[float]:
    """Prices that swing up and down for weeks, which whoever follows a trend makes money on."""
    swing = 0.012 * np.sin(np.arange(length) * 2 * np.pi / 60 + seed)
    moves = swing + 0.0005 + np.random.default_rng(seed).normal(0, 0.006, length)
    return [float(price) for price in np.round(100 * np.exp(np.cumsum(moves)), 4)]


def bars(closes: Sequence[float], volume: float = 50.0, first: int = 0, seconds: int = DAY) -> str:
    """The text of a CSV file of bars with these closes; each opens where the one before closed."""
    lines = [HEADER]
    before = closes[0]
    for index, close in enumerate(closes):
        high, low = max(before, close) * 1.002, min(before, close) * 0.998
        time = START + (first + index) * seconds
        lines.append(f"{time},{before:.4f},{high:.4f},{low:.4f},{close:.4f},{volume}")
        before = close
    return "\n".join(lines) + "\n"


def folder(path: Path, **files: str) -> Path:
    """A folder of CSV files by their instruments."""
    path.mkdir()
    for name, text in files.items():
        (path / f"{name}.csv").write_text(text)
    return path


def disk(root: Path) -> dict[str, str]:
    """Everything below a folder: the digest of each file, a mark for each folder."""
    return {
        str(path.relative_to(root)): "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
    }
