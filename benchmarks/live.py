"""The live path: the paper fleet beside the batch simulator."""

from __future__ import annotations

import tempfile
import time
from decimal import Decimal
from pathlib import Path

from benchmarks.measure import Result, seconds, walk
from clawd.authors.starter import starter_library
from clawd.core.clock import SystemClock
from clawd.core.costs import Costs
from clawd.core.settings import Settings
from clawd.data.market import load_market
from clawd.engine.backtest import run_backtest
from clawd.fleet.claims import RegisteredClaims
from clawd.fleet.run import begin_or_continue, run_started
from clawd.fleet.search import search
from clawd.language.strategy import Strategy, parse_toml
from clawd.research.finalists import candidate
from clawd.store.journal import Journal
from clawd.store.registry import Registry

#: Bars that a fleet trades, and those before them that warm its programs up.
BARS, BEFORE = 30, 400


def paper() -> Result:
    """Eight agents on the sample market through gate, venue and journal, beside the batch simulator for the same."""
    market = load_market("sample")
    panel = market.panel
    settings = Settings(slots=8)
    costs, share = Costs(settings.fee, settings.slippage), settings.capital / settings.slots
    first, last = 3_018, 3_518
    short = panel.between(0, last)
    finalists = [each for each in search(starter_library(), panel, first, costs, share) if not each.rejection][:8]
    start = run_started(short, market.fingerprint, first, finalists, settings)

    def ours() -> None:
        with (
            tempfile.TemporaryDirectory() as folder,
            Journal.open(Path(folder) / "journal.sqlite") as journal,
            Registry.open(Path(folder) / "ledger.sqlite") as registry,
        ):
            claims = RegisteredClaims(registry, start, SystemClock())
            for _ in begin_or_continue(journal, start, short, claims).steps():
                pass

    def batch() -> None:
        for each in finalists:
            run_backtest(each.strategy, short, costs, Decimal(share), first)

    work = (last - first) * len(finalists)
    return Result("paper", work / seconds(ours, 3), "agent-bars/s", "the batch simulator", work / seconds(batch, 3))


def paper_fleet() -> Result:
    """A bar of 2,000 agents through decisions, gate, venue, books, evidence and journal, beside eight fleets of 250.

    Above 1 the cost of an agent does not grow with the number of the others.
    """
    large, small = _bar_of(2_000), _bar_of(250)
    more = {"events_a_bar": large[1], "agents": 2_000}
    return Result("paper-fleet", large[0], "ms a bar", "8 x 250 agents", 8 * small[0], less_is_better=True, more=more)


def _bar_of(agents: int) -> tuple[float, float]:
    """Milliseconds, and events, of a bar in the mean."""
    panel = walk(BEFORE + BARS, instruments=10, lot=Decimal("0.001"))
    capital, limit = Decimal(1_000) * agents, Decimal(50) * agents
    settings = Settings(slots=agents, capital=capital, day_loss_limit=limit)
    costs, seen = Costs(settings.fee, settings.slippage), panel.between(0, BEFORE)
    finalists = [candidate(each, seen, costs, Decimal(1_000)) for each in _returns(agents, panel.symbols)]
    start = run_started(panel, "walk", BEFORE, finalists, settings)
    with (
        tempfile.TemporaryDirectory() as folder,
        Journal.open(Path(folder) / "journal.sqlite") as journal,
        Registry.open(Path(folder) / "ledger.sqlite") as registry,
    ):
        run = begin_or_continue(journal, start, panel, RegisteredClaims(registry, start, SystemClock()))
        steps = run.steps()
        next(steps)  # in which all of them are hired
        began, events = time.perf_counter(), 0
        for records in steps:
            events += len(records)
        return 1_000 * (time.perf_counter() - began) / (BARS - 1), events / (BARS - 1)


def _returns(count: int, symbols: tuple[str, ...]) -> list[Strategy]:
    """Distinct strategies of one instrument each, which turn their position now and then."""
    text = """
        name = "{number}"
        universe = ["{symbol}"]
        [position]
        target = "long_short(sign(ret(close, {bars})))"
        [exits]
        stop = {{ percent = 5 }}
    """
    return [
        parse_toml(text.format(number=k, symbol=symbols[k % len(symbols)], bars=k // len(symbols) + 2))
        for k in range(count)
    ]
