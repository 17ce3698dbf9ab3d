"""A sweep of EMA crossings, beside vectorbt and backtesting.py in environments of their own.

``make bench`` sets the environments up. Each peer runs as few crossings as measure its speed, after a run that is not
counted, and is told the same bars, windows, size and fee. The engines must close the same number of positions.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from decimal import Decimal
from pathlib import Path

import numpy as np

from benchmarks.measure import Result, seconds, walk
from clawd.core.costs import Costs
from clawd.core.panel import Panel
from clawd.engine.metrics import Metrics
from clawd.engine.population import evaluate
from clawd.language.strategy import Strategy, parse_toml

ENVIRONMENTS = Path(__file__).parents[1] / ".venv-oracles"
BARS = 100_000
PAIRS = [(fast, slow) for fast in range(5, 45, 2) for slow in range(50, 300, 5)]
PEERS = {"vectorbt": 50, "backtesting": 2}
# A target of 0.012 of 1,000,000 is one unit at any price of the walk between 6,000 and 12,000 and a lot of one unit.
CAPITAL, SHARE = Decimal(1_000_000), 0.012


def crossing(fast: int, slow: int) -> Strategy:
    """One unit long while the fast mean is above the slow one; the stop is out of reach."""
    target = f"long_only(where(ema(close, {fast}) > ema(close, {slow}), {SHARE}, 0))"
    return parse_toml(f'name = "{fast}/{slow}"\n[position]\ntarget = "{target}"\n[exits]\nstop = {{ percent = 95 }}')


def ours(panel: Panel, pairs: list[tuple[int, int]]) -> tuple[Metrics, ...]:
    strategies = [crossing(fast, slow) for fast, slow in pairs]
    return evaluate(strategies, panel, Costs(Decimal("0.001"), Decimal(0)), CAPITAL)


def theirs(peer: str, panel: Panel, pairs: list[tuple[int, int]]) -> dict[str, float | str]:
    """What a peer says of some crossings: its name, seconds, and positions closed.

    Raises:
        FileNotFoundError: when its environment has not been set up.
    """
    python = ENVIRONMENTS / peer / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(f"{python} is not there: `make bench` sets it up")
    with tempfile.TemporaryDirectory() as folder:
        bars, work = Path(folder) / "bars.npz", Path(folder) / "work.json"
        np.savez(
            bars, times=panel.times, close=panel.close[0], open=panel.open[0], high=panel.high[0], low=panel.low[0]
        )
        work.write_text(json.dumps({"pairs": pairs, "fee": 0.001, "cash": float(CAPITAL)}))
        script = Path(__file__).parent / "peers" / f"{peer}_sweep.py"
        done = subprocess.run([python, script, work, bars], check=True, capture_output=True, text=True)
    answer: dict[str, float | str] = json.loads(done.stdout)
    return answer


def ema_sweep() -> Result:
    """A thousand crossings over 100,000 bars, one unit long or flat, fee 0.1 %, fills at the signal bar's close."""
    panel = walk(BARS, lot=Decimal(1))
    taken = seconds(lambda: ours(panel, PAIRS), repeat=3)
    more: dict[str, float] = {"seconds": taken, "crossings": len(PAIRS), "bars": BARS}
    rates: dict[str, tuple[str, float]] = {}
    for peer, count in PEERS.items():
        pairs = PAIRS[:: len(PAIRS) // count][:count]
        answer = theirs(peer, panel, pairs)
        closed = sum(figures.trades for figures in ours(panel, pairs))
        assert closed == answer["closed"], f"{closed} positions closed, {answer['engine']} closed {answer['closed']}"
        rates[peer] = str(answer["engine"]), count * BARS / float(answer["seconds"])
    name, rate = rates["vectorbt"]
    more[rates["backtesting"][0]] = rates["backtesting"][1]
    return Result("ema-sweep", len(PAIRS) * BARS / taken, "strategy-bars/s", name, rate, more=more)
