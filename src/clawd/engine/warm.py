"""Compiles the engine, once for each version on each machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from decimal import Decimal

import numpy as np

from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.engine.account import ACCOUNT
from clawd.engine.backtest import trade
from clawd.engine.compiled import folder, is_warm, mark_warm
from clawd.engine.kernel import load_part
from clawd.engine.plan import plan_of
from clawd.engine.population import trade_block
from clawd.engine.position import POSITION
from clawd.engine.runtime import Decisions, Runtime
from clawd.engine.stakes import bound_of, position_at_risk, stakes_of
from clawd.language.strategy import parse_toml
from clawd.store.lock import take_lock

_COSTS = Costs(Decimal("0.001"), Decimal("0.001"))
_ANY_STRATEGY = """
name = "compiles everything"
[position]
target = "long_short(sign(ema(close, 2) - ema(close, 3)))"
[exits]
stop = { atr = 2, window = 2 }
"""


def warm_up() -> None:
    """Compile what this machine has not compiled yet. One process compiles, others that need it wait.

    It is compiled in a process of its own, which can be ended at any moment: inside the compiler a Ctrl-C is swallowed,
    or becomes another error. Should that process fail, this one compiles after all, and says why it cannot.
    """
    if is_warm():
        return
    # Polars has system calls go on after a signal: Ctrl-C would be heard when there is nothing left to wait for.
    signal.siginterrupt(signal.SIGINT, True)
    with take_lock(folder() / "compiling", "compiled code", wait=True):
        if is_warm():  # by the one that was waited for
            return
        with _python(f"from {__name__} import compile_all; compile_all()", start_new_session=True) as process:
            try:
                process.wait()
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        if not is_warm():
            compile_all()


def compile_all() -> None:
    """Compile everything, half of the steps in a process of its own, so that two cores have work."""
    with _python(f"from {load_part.__module__} import load_part; load_part(1)"):
        load_rules()
        load_part(0)
    load_steps()
    mark_warm()


def _python(source: str, *, start_new_session: bool = False) -> subprocess.Popen[bytes]:
    """A quiet process; what it cannot do is done, or said, by the one that waits for it."""
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(
        [sys.executable, "-c", source],
        stdin=nowhere,
        stdout=nowhere,
        stderr=nowhere,
        start_new_session=start_new_session,
    )


def load_steps() -> None:
    """Load the kernel and what moves values in and out of its rows, compiled here where they are not yet."""
    panel = _any_bars()
    Runtime([parse_toml(_ANY_STRATEGY)], panel).targets(panel)


def load_rules() -> None:
    """The same for the simulator, of one strategy and of a population."""
    panel, strategy = _any_bars(), parse_toml(_ANY_STRATEGY)
    shape = panel.close.shape
    targets, ranges = np.zeros((1, *shape)), np.zeros((1, *shape))
    decisions = Decisions(targets[0], ranges)
    trade(strategy, strategy.exits.windows, decisions, panel, _COSTS, Decimal(100), bars_read=0)
    plans, positions = np.array([plan_of(strategy.exits, strategy.exits.windows)]), np.zeros((1, 1), POSITION)
    columns = (panel.open, panel.high, panel.low, panel.close, panel.volume, panel.funding, panel.present)
    stakes_of(strategy, strategy.exits.windows, decisions, panel, _COSTS, Decimal(100))
    bound_of(position_at_risk(positions[0, 0], 100.0, 0.01, 0.01, 0.001, 0.001, 0.03), 100.0)
    steps = np.array([0.01])
    trade_block(columns, targets, ranges, plans, positions, np.zeros(1, ACCOUNT), 100.0, 0.001, 0.001, steps, steps)


def _any_bars() -> Panel:
    close = 100.0 + np.arange(16.0)[np.newaxis] % 7
    return Panel(
        instruments=(Instrument("A", Decimal("0.01"), Decimal("0.01")),),
        bar=NANOSECONDS_PER_DAY,
        times=np.arange(16, dtype=np.int64) * NANOSECONDS_PER_DAY,
        open=close.copy(),
        high=close + 1.0,
        low=close - 1.0,
        close=close,
        volume=np.ones_like(close),
        funding=np.zeros_like(close),
        bars_per_year=365.0,
    )
