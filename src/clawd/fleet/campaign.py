"""The main job, stage by stage: data, search, hiring, paper, summary. Whoever shows it iterates over the stages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clawd.core.clock import Clock
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.settings import Settings
from clawd.data.market import Market
from clawd.engine.compiled import is_warm
from clawd.engine.warm import warm_up
from clawd.evidence.sharpe import deflated_sharpe, moments
from clawd.fleet.books import Books
from clawd.fleet.claims import READER, RegisteredClaims
from clawd.fleet.run import Run, begin_or_continue, journal_path, run_started, set_aside
from clawd.fleet.search import ranked, search, trial_of
from clawd.fleet.summary import FleetSummary, summarise
from clawd.language.strategy import Strategy
from clawd.reports.buy_and_hold import buy_and_hold
from clawd.research.finalists import Candidate
from clawd.store.journal import Journal
from clawd.store.ledger import Ledger
from clawd.store.registry import Registry
from clawd.store.switchboard import Command, Switchboard

#: Fewer bars than this leave nothing to choose on, or nothing to trade.
FEWEST_BARS = 100


@dataclass(frozen=True, eq=False)
class MarketRead:
    """The market was read and looked over; ``first`` is the index of the first bar that is traded on paper."""

    market: Market
    first: int


@dataclass(frozen=True)
class Compiling:
    """The engine is about to be compiled for this machine, once."""


@dataclass(frozen=True, eq=False)
class Tried:
    """One strategy was backtested on the search window."""

    candidate: Candidate
    done: int
    total: int


@dataclass(frozen=True, eq=False)
class Searched:
    """Every strategy was backtested and counted, and the ranking is final.

    Attributes:
        candidates: in order of rank, finalists first.
        deflated: by content hash, the deflated Sharpe ratio given every distinct trial in the ledger.
        new_trials: how many of these the ledger did not have.
        distinct_trials, distinct_strategies: what the ledger has now.
        slots: how many finalists trade at once.
    """

    candidates: tuple[Candidate, ...]
    deflated: dict[str, float]
    new_trials: int
    distinct_trials: int
    distinct_strategies: int
    slots: int

    @property
    def finalists(self) -> list[Candidate]:
        return [candidate for candidate in self.candidates if candidate.rejection is None]


@dataclass(frozen=True, eq=False)
class PaperBegan:
    """The fleet stands ready where its journal ends; ``ordered`` is what a person has told it last."""

    run: Run
    path: Path | str
    ordered: Command


@dataclass(frozen=True, eq=False)
class BarTraded:
    """A bar was lived through and is in the journal."""

    books: Books
    events: tuple[Event, ...]
    bars_left: int


@dataclass(frozen=True, eq=False)
class Ended:
    """The bars came to their end, or a person stopped the run."""

    summary: FleetSummary
    stopped: bool


Stage = MarketRead | Compiling | Tried | Searched | PaperBegan | BarTraded | Ended


def campaign(
    market: Market,
    strategies: Sequence[Strategy],
    settings: Settings,
    clock: Clock,
    *,
    author: str = READER,
    fresh: bool = False,
    journal: Journal | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Stage]:
    """Run the main job on a market.

    Args:
        market: the bars; the first ``search_share`` of them strategies are chosen on, the rest is traded on paper.
        strategies: what is tried.
        settings: limits, costs, and where the journal and the ledger lie.
        clock: stamps the ledger.
        author: who wrote or chose the strategies; what he was shown before is no evidence for them.
        fresh: set an earlier run of the same name aside and begin anew.
        journal: open for writing, where the run is to lie elsewhere than in its home; not with ``fresh``.
        stop: asked after every bar; true ends the run cleanly.

    Raises:
        ClawdError: when there is too little data, nothing to trade, or the journal does not add up.
    """
    panel = market.panel
    length = int(panel.times.size)
    first = first_traded(market, settings)
    yield MarketRead(market, first)
    if not is_warm():
        yield Compiling()
        warm_up()
    costs = Costs(settings.fee, settings.slippage)
    share = settings.capital / settings.slots
    candidates = []
    for done, candidate in enumerate(search(strategies, panel, first, costs, share), start=1):
        candidates.append(candidate)
        yield Tried(candidate, done, len(strategies))
    searched = _count(ranked(candidates), market, settings, clock, author)
    yield searched
    with Registry.open(settings.home / "ledger.sqlite") as registry:
        for reader in (author, READER):
            registry.show(reader, panel.symbols, int(panel.times[first - 1]), clock.now(), "the search of clawd up")
    if not searched.finalists:
        raise ClawdError(
            f"no strategy earned a place on paper: {_objections(searched)}",
            hint="try other strategies with --strategy, or another market",
        )
    start = run_started(panel, market.fingerprint, first, searched.finalists, settings)
    if fresh:
        set_aside(settings.home, start.run, clock.now())
    path = journal_path(settings.home, start.run)
    benchmark = buy_and_hold(panel.between(first, length), costs, settings.capital)
    with (
        nullcontext(journal) if journal else Journal.open(path) as opened,
        Registry.open(settings.home / "ledger.sqlite") as registry,
        Switchboard.open(settings.home) as switchboard,
    ):
        claims = RegisteredClaims(registry, start, clock, author)
        run = begin_or_continue(opened, start, panel, claims, switchboard)
        yield PaperBegan(run, journal.where if journal else path, switchboard.standing())
        stopped = False
        with closing(run.steps()) as steps:
            for _ in steps:
                yield BarTraded(run.books, tuple(run.fleet.desk.events), run.bars_left)
                if stop():
                    stopped = run.bars_left > 0
                    break
        yield Ended(summarise(run.books, panel.bars_per_year, benchmark), stopped)


def first_traded(market: Market, settings: Settings) -> int:
    """The index of the first bar that is traded on paper.

    Raises:
        ClawdError: when the market has too few bars.
    """
    length = int(market.panel.times.size)
    if length < FEWEST_BARS:
        raise ClawdError(
            f"the market has {length} bars, too few to choose on and to trade",
            hint=f"at least {FEWEST_BARS} are needed",
        )
    return int(length * settings.search_share)


def _count(candidates: list[Candidate], market: Market, settings: Settings, clock: Clock, author: str) -> Searched:
    """Enter every backtest in the ledger, at the costs in force and at twice the costs: both were looked at."""
    results = [candidate.result for candidate in candidates if candidate.result is not None]
    looked_at = results + [candidate.stressed for candidate in candidates if candidate.stressed is not None]
    now = clock.now()
    with Ledger.open(settings.home / "ledger.sqlite") as ledger:
        new = ledger.record([trial_of(result, market.fingerprint, author, now) for result in looked_at])
        distinct, strategies = ledger.distinct(), ledger.distinct_strategies()
    shapes = {result.strategy.content_hash: moments(result.net_returns) for result in results}
    per_bar = [shape.sharpe for shape in shapes.values() if shape.sd > 0]
    spread = float(np.std(per_bar, ddof=1)) if len(per_bar) > 1 else float("nan")
    deflated = {
        name: deflated_sharpe(
            shape.sharpe, shape.bars, shape.skew, shape.kurtosis, trials=max(distinct, 1), trials_sd=spread
        )
        for name, shape in shapes.items()
    }
    return Searched(tuple(candidates), deflated, new, distinct, strategies, settings.slots)


def _objections(searched: Searched) -> str:
    counts = Counter(str(candidate.rejection) for candidate in searched.candidates)
    return "; ".join(f"{count} times: {rejection}" for rejection, count in counts.most_common(3))
