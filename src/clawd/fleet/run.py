"""A run of the fleet: begun once, and from then on only ever continued from its journal.

Recovery is the only way to start. The journal is read back into the books and the venue, both are reconciled, and the
next bar is the first that the journal does not have. A process killed at any instant leaves whole bars behind, never
half of one.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

import numpy as np

from clawd import __version__
from clawd.core.clock import iso
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import (
    BooksMarked,
    FundingPaid,
    HypothesisProven,
    OrderCancelled,
    OrderFilled,
    OrderMoved,
    OrderSubmitted,
    RunStarted,
    read_event,
)
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.core.settings import Settings
from clawd.engine.compiled import folder
from clawd.execution.reconcile import reconcile
from clawd.fleet.books import Books
from clawd.fleet.claims import Bet, Claims
from clawd.fleet.fleet import Fleet
from clawd.language.strategy import Strategy, parse_json
from clawd.research.finalists import Candidate
from clawd.risk.limit_settings import clusters_of, optional_limits
from clawd.store.journal import Journal
from clawd.store.lock import take_lock
from clawd.store.switchboard import NOTHING_ORDERED, PAPER_FLEET, Pause, Switch, Switchboard
from clawd.venues.paper import PaperVenue

#: Seconds after which the registry is given the bars that the journal has.
SETTLE_AFTER: Final = 1.0

#: The packages whose rules decide what a run does, beside the engine.
_DECIDING: Final = ("core", "language", "evidence", "risk", "venues", "execution", "fleet")


def run_started(
    panel: Panel, fingerprint: str, first: int, finalists: Sequence[Candidate], settings: Settings
) -> RunStarted:
    """The event that begins a run: everything that its results depend on, under a name made of just that.

    Args:
        panel: the market.
        fingerprint: of the market's content.
        first: index of the first bar that is traded.
        finalists: in the order of their rank.
        settings: limits and costs.
    """
    body = RunStarted(
        run="",
        code=code_version(),
        market=fingerprint,
        symbols=list(panel.symbols),
        ticks=[instrument.tick for instrument in panel.instruments],
        lots=[instrument.lot for instrument in panel.instruments],
        bar=panel.bar,
        first=int(panel.times[first]),
        last=int(panel.times[-1]),
        capital=settings.capital,
        day_loss_limit=settings.day_loss_limit,
        leverage=settings.leverage,
        slots=settings.slots,
        fee=settings.fee,
        slippage=settings.slippage,
        max_drawdown=settings.max_drawdown,
        search_share=settings.search_share,
        price_band=settings.price_band,
        limits=optional_limits(settings),
        clusters=clusters_of(settings, panel.symbols) if settings.cluster_share is not None else {},
        finalists=[
            {
                "name": candidate.strategy.name,
                "rank": rank,
                "content_hash": candidate.strategy.content_hash,
                "sharpe": candidate.sharpe,
                "strategy": candidate.strategy.to_json(),
            }
            for rank, candidate in enumerate(finalists, start=1)
        ],
    )
    return body.model_copy(update={"run": _name_of(body)})


def _name_of(start: RunStarted) -> str:
    # What an older version did not say has its default, and was no part of the name.
    said = start.model_dump(mode="json", exclude_defaults=True)
    text = json.dumps(said | {"run": ""}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@cache
def code_version() -> str:
    """The release and a digest of what decides a run: a change of a rule makes another run, never a mixture of two."""
    digest = hashlib.sha256(folder().name.encode())  # of the engine and what compiles it
    for package in _DECIDING:
        for source in sorted((Path(__file__).parents[1] / package).rglob("*.py")):
            digest.update(source.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:8]}"


def journal_path(home: Path, run: str) -> Path:
    """Where the journal of a run lies."""
    return home / "runs" / run / "journal.sqlite"


def journals(home: Path) -> list[Path]:
    """The journals of every run, the one written to last first."""
    return sorted((home / "runs").glob("*/journal.sqlite"), key=written_at, reverse=True)


def written_at(path: Path) -> int:
    """When a journal was last written to; the newest entries may still stand in its write-ahead log alone.

    A log that is empty was made by whoever only reads the journal.
    """
    log = path.with_name(f"{path.name}-wal")
    times = [path.stat().st_mtime_ns]
    if log.exists() and log.stat().st_size:
        times.append(log.stat().st_mtime_ns)
    return max(times)


def set_aside(home: Path, run: str, now: int) -> Path | None:
    """Move a run out of the way so that it can begin anew; nothing is deleted. None where there is no such run.

    Raises:
        ClawdError: when another process is writing it.
    """
    path = journal_path(home, run)
    folder = path.parent
    if not folder.exists():
        return None
    # A file that another process has open must not move from under it.
    with take_lock(path, "journal"):
        target = folder.with_name(f"{run}-until-{now // 1_000_000_000}")
        while target.exists():
            target = target.with_name(f"{target.name}-again")
        folder.rename(target)
    return target


@dataclass(slots=True)
class Run:
    """A run in hand: its journal, and the fleet that continues it."""

    journal: Journal
    fleet: Fleet
    resumed_bars: int
    switchboard: Switchboard | None = None
    _answered: tuple[int, bool] = (0, False)

    @property
    def books(self) -> Books:
        return self.fleet.books

    @property
    def bars_left(self) -> int:
        return int(self.fleet.panel.times.size - self.fleet.next_bar)

    def steps(self) -> Generator[list[tuple[int, str, dict[str, object]]], None, None]:
        """Trade bar after bar; the records of each are in the journal before they are handed out.

        Evidence follows into the registry: with the bar where bars take their time, every :data:`SETTLE_AFTER` seconds
        where history runs by, and at once where a hypothesis is proven, for that sets the levels of the next.

        Raises:
            ClawdError: when agents and venue differ after a bar, which then never happened.
        """
        bets: dict[int, list[Bet]] = {}
        settled = -math.inf
        try:
            while self.bars_left:
                records = self.fleet.step()
                self.check()
                self.journal.append(records)
                self._answer()
                for agent in self.books.agents.values():
                    if agent.bet is not None:
                        bets.setdefault(agent.hypothesis, []).append(agent.bet)
                proven = any(isinstance(event, HypothesisProven) for event in self.fleet.desk.events)
                if proven or time.monotonic() - settled >= SETTLE_AFTER:
                    kept, bets = bets, {}
                    _settle(self.fleet.claims, self.books, kept)
                    settled = time.monotonic()
                yield records
        finally:
            if bets:
                _settle(self.fleet.claims, self.books, bets)

    def _answer(self) -> None:
        """Say on the switchboard what was done about a person's order, once the journal has it."""
        books = self.books
        if self.switchboard is None or self._answered == (books.command, not books.flattening):
            return
        command, held = self.switchboard.standing(), len(books.net_sizes())
        if command.number != books.command:  # another came meanwhile: the next bar hears it
            return
        text = {
            Switch.RESUME: "may enter positions again"
            if books.halted_until is None
            else f"resumed; the day's limit still halts it until {iso(books.halted_until * NANOSECONDS_PER_DAY)}",
            Switch.REDUCE: f"reducing; {held} instruments held, with their exits",
            Switch.HALT: f"halted; {held} instruments held, with their exits",
            Switch.FLATTEN: f"closing {held} instruments"
            if books.flattening
            else "flat: the venue has no order and no position",
        }[command.switch]
        self.switchboard.answer(command, books.start.run, text, self.fleet.clock.now(), done=not books.flattening)
        self._answered = (books.command, not books.flattening)

    def check(self) -> None:
        """Reconcile the agents' books with the venue.

        Raises:
            ClawdError: where they differ.
        """
        _reconcile(self.books, self.fleet.desk.venue)


def begin_or_continue(
    journal: Journal, start: RunStarted, panel: Panel, claims: Claims, switchboard: Switchboard | None = None
) -> Run:
    """Start a run from its journal, which may be empty.

    Args:
        journal: open for writing.
        start: how the run begins, where the journal is empty; what it must have begun with, where not.
        panel: every bar of the market.
        claims: where the agents are hypotheses; it is given what the journal has and it lacks.
        switchboard: where a person orders halts, pauses and the like; None for a run that nobody can stop so.

    Raises:
        ClawdError: when the journal is of another run, is damaged, or does not add up.
    """
    if journal.head[0] == 0:
        journal.append([(start.first, start.kind, start.model_dump(mode="json"))])
    lacking: dict[int, list[Bet]] = {}
    last: dict[int, int | None] = {}

    def compare(books: Books) -> None:
        for agent in books.agents.values():
            if agent.bet is None:
                continue
            if agent.hypothesis not in last:
                last[agent.hypothesis] = claims.last_bet(agent.hypothesis, agent.content_hash)
            known = last[agent.hypothesis]
            if known is None or agent.bet.ts > known:
                lacking.setdefault(agent.hypothesis, []).append(agent.bet)

    books, venue = replay(journal, marked=compare)
    if books.start != start:
        raise ClawdError(f"this journal belongs to run {books.start.run}, not {start.run}", where="journal")
    _reconcile(books, venue)
    if books.bars:
        _settle(claims, books, lacking)
    strategies = finalists_of(books.start)
    first = int(np.searchsorted(panel.times, start.first if books.time < 0 else books.time + 1))
    ordered = (lambda: NOTHING_ORDERED) if switchboard is None else switchboard.standing
    paused: Callable[[], Mapping[str, Pause]] = (
        dict if switchboard is None else partial(switchboard.pauses, PAPER_FLEET)
    )
    fleet = Fleet(books, venue, strategies, panel, first, claims, ordered, paused)
    return Run(journal, fleet, books.bars, switchboard)


def _settle(claims: Claims, books: Books, bets: Mapping[int, Sequence[Bet]]) -> None:
    claims.settle(bets, [agent.hypothesis for agent in books.agents.values() if agent.proven], books.time)


def finalists_of(start: RunStarted) -> list[Strategy]:
    """The strategies that a run began with, in the order of their rank."""
    strategies = [parse_json(json.dumps(finalist["strategy"])) for finalist in start.finalists]
    for strategy, finalist in zip(strategies, start.finalists, strict=True):
        if strategy.content_hash != finalist["content_hash"]:
            raise ClawdError(f"the strategy {strategy.name} is not the one that the journal names", where="journal")
    return strategies


def replay(
    journal: Journal,
    watch: Callable[[int, Event], None] | None = None,
    marked: Callable[[Books], None] | None = None,
) -> tuple[Books, PaperVenue]:
    """Fold a journal into books and venue.

    Args:
        journal: of one run.
        watch: called with the number of each entry and its event after it was applied.
        marked: called with the books at the end of each bar.

    Raises:
        ClawdError: naming the entry that cannot be read or does not add up.
    """
    books: Books | None = None
    venue: PaperVenue | None = None
    for entry in journal.entries():
        try:
            event = read_event(entry.kind, entry.body)
        except (KeyError, ValueError) as error:
            raise ClawdError(
                f"entry {entry.seq} is not a {entry.kind} that this version knows: {error}", where="journal"
            ) from None
        if books is None or venue is None:
            if not isinstance(event, RunStarted):
                raise ClawdError(f"the journal begins with a {entry.kind}, not with RunStarted", where="journal")
            if event.run != _name_of(event):
                raise ClawdError(f"run {event.run} did not begin like this", where=f"entry {entry.seq}")
            books, venue = Books.begin(event), _venue(event)
        else:
            place = f"entry {entry.seq}, {iso(entry.ts)}"
            try:
                _replay_venue(venue, event)
                books.apply(event)
            except ClawdError as error:
                raise error.at(place) from None
            except (KeyError, ValueError, ArithmeticError) as error:
                raise ClawdError(f"the {entry.kind} does not fit the books: {error!r}", where=place) from None
        if watch is not None:
            watch(entry.seq, event)
        if marked is not None and isinstance(event, BooksMarked):
            marked(books)
    if books is None or venue is None:
        raise ClawdError("the journal is empty", where="journal")
    return books, venue


def _venue(start: RunStarted) -> PaperVenue:
    steps = zip(start.symbols, start.ticks, start.lots, strict=True)
    return PaperVenue([Instrument(*step) for step in steps], Costs(start.fee, start.slippage), start.capital)


def _replay_venue(venue: PaperVenue, event: Event) -> None:
    match event:
        case OrderSubmitted():
            venue.restore(event.to_order())
        case OrderMoved():
            if event.order in venue.orders:
                venue.move(event.order, event.level, event.size)
        case OrderCancelled():
            venue.cancel(event.order)
        case OrderFilled():
            venue.settle(event.order, event.symbol, event.size, event.price, event.fee)
        case FundingPaid():
            venue.pay_funding(event.amount)
        case _:
            pass


def _reconcile(books: Books, venue: PaperVenue) -> None:
    held = {symbol: size for symbol, size in venue.positions.items() if size}
    reconcile(books.net_sizes(), books.cash, books.orders, held, venue.cash, venue.orders)
