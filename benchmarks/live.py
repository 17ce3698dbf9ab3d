"""The live path: the paper fleet beside the batch simulator."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

from benchmarks.measure import Result, seconds
from clawd.authors.starter import starter_library
from clawd.core.clock import SystemClock
from clawd.core.costs import Costs
from clawd.core.settings import Settings
from clawd.data.market import load_market
from clawd.engine.backtest import run_backtest
from clawd.fleet.claims import RegisteredClaims
from clawd.fleet.run import begin_or_continue, run_started
from clawd.fleet.search import search
from clawd.store.journal import Journal
from clawd.store.registry import Registry


def paper() -> Result:
    """Eight agents on the sample market through gate, venue and journal, beside the batch simulator for the same."""
    market = load_market("sample")
    panel = market.panel
    settings = Settings(slots=8)
    costs, share = Costs(settings.fee, settings.slippage), settings.capital / settings.slots
    first, last = 3_018, 3_518
    short = panel.between(0, last)
    finalists = [
        candidate for candidate in search(starter_library(), panel, first, costs, share) if not candidate.rejection
    ][:8]
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
        for candidate in finalists:
            run_backtest(candidate.strategy, short, costs, Decimal(share), first)

    work = (last - first) * len(finalists)
    return Result("paper", work / seconds(ours, 3), "agent-bars/s", "the batch simulator", work / seconds(batch, 3))
