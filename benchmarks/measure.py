"""What every benchmark shares: how it times, and what it prints."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from clawd.core.instrument import Instrument
from clawd.core.panel import Panel


@dataclass(frozen=True)
class Result:
    """One line. ``ratio`` is how many times the peer's speed ours is: above 1 ours is faster.

    Attributes:
        benchmark, unit: names.
        value: ours.
        peer: what it is measured against, in the same run.
        peer_value: its value.
        less_is_better: for times and costs.
        more: what else the reader may want to know.
    """

    benchmark: str
    value: float
    unit: str
    peer: str
    peer_value: float
    less_is_better: bool = False
    more: Mapping[str, float] = field(default_factory=dict)

    def line(self) -> str:
        """The JSON line, with the process's peak memory so far."""
        ours, theirs = self.value, self.peer_value
        fields = {
            "benchmark": self.benchmark,
            "value": ours,
            "unit": self.unit,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "peer": self.peer,
            "peer_value": theirs,
            "ratio": theirs / ours if self.less_is_better else ours / theirs,
            **self.more,
        }
        return json.dumps({k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in fields.items()})


def seconds(work: Callable[[], object], repeat: int = 5) -> float:
    """The median wall time of some runs after one that is not counted."""
    work()
    taken = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def walk(bars: int, instruments: int = 1, seed: int = 7, lot: Decimal | None = None) -> Panel:
    """A seeded random walk of one-minute bars with 60 % annual volatility; the price says the lot size where None."""
    first = Instrument.from_first_price("WALK", 10_000.0)
    rng = np.random.default_rng(seed)
    close = 10_000 * np.exp(np.cumsum(rng.normal(0, 0.6 / np.sqrt(525_600), (instruments, bars)), axis=1))
    open_ = np.concatenate([np.full((instruments, 1), 10_000.0), close[:, :-1]], axis=1)
    spread = rng.random((2, instruments, bars)) * 2e-4
    return Panel(
        instruments=tuple(Instrument(f"WALK{i}", first.tick, lot or first.lot) for i in range(instruments)),
        bar=60_000_000_000,
        times=np.arange(bars, dtype=np.int64) * 60_000_000_000 + 1_704_067_200_000_000_000,
        open=open_,
        high=np.maximum(open_, close) * (1 + spread[0]),
        low=np.minimum(open_, close) * (1 - spread[1]),
        close=close,
        volume=rng.random((instruments, bars)) * 10 + 1,
        funding=np.zeros((instruments, bars)),
        bars_per_year=525_960.0,
    )
