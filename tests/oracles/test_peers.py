"""The same orders, filled by clawd and by three other backtesters: the same account to the cent.

Each peer is a script of its own and runs in an environment of its own (``make oracles`` sets them up), for their
requirements exclude one another. They are told the bars, the windows, the size, the fee and the cash, and nothing else.
"""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import Panel
from clawd.engine.backtest import Backtest, run_backtest
from clawd.language.strategy import parse_toml

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / ".venv-oracles"
PEERS = ("vectorbt", "backtesting", "nautilus")
BARS, MINUTE = 100_000, 60_000_000_000
ONE_UNIT = 12_000  # buys one unit and never two: the walk stays above half of it


@dataclass(frozen=True)
class Workload:
    """One unit long while the fast mean is above the slow one, else flat, or short where that is asked for.

    Attributes:
        fast, slow: windows of the exponential means, seeded by the first close.
        first: the first bar on whose close an order may be decided.
        size: units.
        fee: share of the notional.
        cash: quote currency.
        short: whether it is short where it is not long.
    """

    fast: int = 12
    slow: int = 48
    first: int = 4 * 48  # the warm-up of the slow mean in clawd
    size: int = 1
    fee: float = 0.001
    cash: float = 10_000_000.0
    short: bool = False


@dataclass(frozen=True)
class Account:
    """What an engine made of a workload: worth at the last close, and the units bought at each bar's close."""

    final_value: float
    trades: dict[int, tuple[float, float]]


@cache
def walk() -> Panel:
    """Minutes of a random walk in cents in which every bar opens where the last one closed.

    clawd fills at the open after the bar that decided, the peers are told to fill at that bar's close: here these are
    one price.
    """
    rng = np.random.default_rng(7)
    close = np.round(10_000 * np.exp(np.cumsum(rng.normal(0, 0.6 / np.sqrt(525_600), BARS))), 2)
    open_ = np.concatenate([[10_000.0], close[:-1]])
    high = np.round(np.maximum(open_, close) * (1 + rng.random(BARS) * 2e-4), 2)
    low = np.round(np.minimum(open_, close) * (1 - rng.random(BARS) * 2e-4), 2)
    return Panel(
        instruments=(Instrument("WALK", tick=Decimal("0.01"), lot=Decimal(1)),),
        bar=MINUTE,
        times=np.arange(BARS, dtype=np.int64) * MINUTE + 1_704_067_200_000_000_000,
        open=open_[None],
        high=high[None],
        low=low[None],
        close=close[None],
        volume=np.round(rng.random((1, BARS)) * 10 + 1, 3),
        funding=np.zeros((1, BARS)),
        bars_per_year=525_960.0,
    )


def backtest(workload: Workload, panel: Panel) -> Backtest:
    """The workload in clawd, where a size is a share of the capital in whole lots."""
    share = ONE_UNIT / workload.cash
    otherwise = -share if workload.short else 0
    strategy = parse_toml(f"""
        name = "crossing"
        [position]
        target = "long_short(where(ema(close, {workload.fast}) > ema(close, {workload.slow}), {share}, {otherwise}))"
        [exits]
        stop = {{ percent = 95 }}
    """)
    assert strategy.lookback == workload.first
    costs = Costs(fee=Decimal(str(workload.fee)), slippage=Decimal(0))
    return run_backtest(strategy, panel, costs, Decimal(str(workload.cash)))


def account_of_clawd(workload: Workload, panel: Panel) -> Account:
    result = backtest(workload, panel)
    fills = [((fill.time - int(panel.times[0])) // MINUTE - 1, fill.size, fill.price) for fill in result.fills]
    return Account(float(result.equity[-1]), traded(fills))


def account_of(peer: str, workload: Workload, panel: Panel, folder: Path) -> Account:
    python = ENVIRONMENTS / peer / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no environment of {peer}: run `make oracles`")
    asked, bars = folder / "workload.json", folder / "bars.npz"
    asked.write_text(json.dumps(workload.__dict__))
    columns = {name: getattr(panel, name)[0] for name in ("open", "high", "low", "close", "volume")}
    np.savez(bars, times=panel.times, **columns)
    run = subprocess.run(
        [python, "-W", "ignore", HERE / f"peer_{peer}.py", asked, bars],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout.splitlines()[-1])
    return Account(answer["final_value"], traded(answer["fills"]))


def traded(fills: list[tuple[int, float, float]]) -> dict[int, tuple[float, float]]:
    """Bar: units bought and their price. A reversal is one order for some engines and two for others."""
    size: defaultdict[int, float] = defaultdict(float)
    price: dict[int, float] = {}
    for bar, units, at in fills:
        size[bar] += float(units)
        assert price.setdefault(bar, float(at)) == float(at), f"two prices at bar {bar}"
    return {bar: (size[bar], price[bar]) for bar in sorted(size)}


def test_the_walk_is_what_the_comparison_needs() -> None:
    panel = walk()
    np.testing.assert_array_equal(panel.open[0, 1:], panel.close[0, :-1])
    assert panel.low.min() > ONE_UNIT / 2 and panel.high.max() < ONE_UNIT
    trades = account_of_clawd(Workload(), panel).trades
    assert min(trades) > Workload().first  # it starts flat, so the first order is a crossing too
    assert max(trades) < BARS - 1  # and no order is left that only the peers could still fill


@pytest.mark.oracles
@pytest.mark.parametrize("short", [False, True], ids=["long or flat", "long or short"])
@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_books_the_same_account_to_the_cent(peer: str, short: bool, tmp_path: Path) -> None:
    workload = replace(Workload(), short=short)
    ours = account_of_clawd(workload, walk())
    theirs = account_of(peer, workload, walk(), tmp_path)
    assert len(ours.trades) > 2_000
    assert list(theirs.trades) == list(ours.trades)
    assert theirs.trades == ours.trades
    assert round(theirs.final_value, 2) == round(ours.final_value, 2)


def test_the_account_is_that_of_a_loop_in_decimals() -> None:
    """The cent that the engines agree on, added up without floats from what was traded."""
    panel = walk()
    for short in (False, True):
        workload = replace(Workload(), short=short)
        ours = account_of_clawd(workload, panel)
        cash, held = Decimal(str(workload.cash)), Decimal(0)
        for units, price in ours.trades.values():
            size, at = Decimal(str(units)), Decimal(str(price))
            cash -= size * at + abs(size) * at * Decimal(str(workload.fee))
            held += size
        worth = cash + held * Decimal(str(panel.close[0, -1]))
        assert abs(float(worth) - ours.final_value) < 0.005
