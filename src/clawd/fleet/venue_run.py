"""A fleet on an account at a simulated exchange: begun once, killed at any instant, and only ever continued.

The exchange stands for somebody else's machine: it has a file of its own, which outlives the process that trades. So a
start is what it would be at a real venue: the journal is replayed, the venue is asked, and then trading goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from itertools import islice
from typing import Final

from clawd.core.account_events import AccountOpened, AgentFunded
from clawd.core.clock import ReplayClock
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import BarClosed
from clawd.core.panel import NANOSECONDS_PER_DAY, NANOSECONDS_PER_SECOND
from clawd.data.bar_builder import BarBuilder
from clawd.data.capture import BookChange, MarketEvent, Print, Top
from clawd.engine.compiled import folder
from clawd.execution.recovery import open_account
from clawd.execution.timing import Timing
from clawd.execution.trader import Trader
from clawd.execution.view import MarketNow, View
from clawd.execution.waiting import Approvals
from clawd.execution.watch import WatchLimits
from clawd.fleet.venue_fleet import VenueFleet
from clawd.language.strategy import Strategy
from clawd.risk.limits import Limits
from clawd.store.journal import Journal
from clawd.store.switchboard import NOTHING_ORDERED, Command, Decision, Pause
from clawd.venues.faults import FaultyVenue, Rule
from clawd.venues.matching.rules import Listing
from clawd.venues.matching.venue import MatchingVenue

#: So many bars of the journal are shown to the programs together.
BARS_AT_ONCE: Final = 1024

#: Nanoseconds of the exchange's clock between two moments at which we look and act.
STEP: Final = NANOSECONDS_PER_SECOND // 10


@dataclass(frozen=True, eq=False)
class Moment:
    """What happened since the moment before.

    Attributes:
        time: of the exchange's clock, UTC nanoseconds.
        events: facts that went into the journal, in order.
        alarms: what a person has to see.
        bars: how many bars closed.
    """

    time: int
    events: tuple[Event, ...]
    alarms: tuple[str, ...]
    bars: int


def begin(
    journal: Journal,
    account: str,
    venue: MatchingVenue,
    strategies: Sequence[Strategy],
    listings: Sequence[Listing],
    limits: Limits,
    cash: Decimal,
    bar: int,
) -> None:
    """Open an account in an empty journal, and give each strategy an equal part of the cash.

    Args:
        journal: empty.
        account: its name.
        venue: that it is at.
        strategies: one for each agent.
        listings: the instruments of the market, and their terms.
        limits: of the gate.
        cash: quote currency.
        bar: duration of the bars on which decisions are made, nanoseconds.

    Raises:
        ClawdError: when two strategies are the same.
    """
    hashes = [strategy.content_hash for strategy in strategies]
    if len(set(hashes)) != len(hashes):
        raise ClawdError("the same strategy was given twice", where="--strategy")
    instruments = [listing.instrument for listing in listings]
    start = AccountOpened(
        account=account,
        venue=venue.name,
        code=folder().name,
        cash=cash,
        symbols=[instrument.symbol for instrument in instruments],
        ticks=[instrument.tick for instrument in instruments],
        lots=[instrument.lot for instrument in instruments],
        fee=limits.costs.fee,
        slippage=limits.costs.slippage,
        day_loss_limit=limits.day_loss,
        leverage=limits.leverage,
        bar=bar,
        spot=_spot(listings),
    )
    open_account(journal, start, venue.now)
    share = (cash / len(strategies)).quantize(Decimal("1e-8"), ROUND_FLOOR)
    funded = [
        AgentFunded(agent=f"a{number:03d}", capital=share, about=strategy.to_json())
        for number, strategy in enumerate(strategies, start=1)
    ]
    journal.append([(venue.now, event.kind, event.model_dump(mode="json")) for event in funded])


def _spot(listings: Sequence[Listing]) -> list[str]:
    return [listing.instrument.symbol for listing in listings if listing.leverage is None]


class VenueRun:
    """A run in hand.

    Args:
        journal: of the account, open for writing.
        venue: as its file left it; this run lets it follow the market.
        market: every message of the market, those that were played before included: bars are made of them too.
        strategies: by agent, as the account's journal names them.
        listings: the instruments of the market, and their terms.
        limits: that the gate holds.
        bar: duration of the bars on which decisions are made, nanoseconds.
        ordered: what a person orders at the moment of asking.
        approvals: whom large orders wait for, None where none do.
        decided: what a person has decided about unattributed positions, behind the number of a decision.
        clusters: by symbol, the name of what it moves with.
        silence: nanoseconds for which a price is fresh, where the market is told more seldom than a live one.
        paused: the last word of a person on each strategy that was ever paused, by content hash.
        faults: what goes wrong between us and the venue; counted anew by each process.

    Raises:
        ClawdError: when the journal cannot be replayed.
    """

    def __init__(
        self,
        journal: Journal,
        venue: MatchingVenue,
        market: Sequence[MarketEvent],
        strategies: Mapping[str, Strategy],
        listings: Sequence[Listing],
        limits: Limits,
        bar: int,
        ordered: Callable[[], Command] = lambda: NOTHING_ORDERED,
        silence: int = 0,
        approvals: Callable[[View], Approvals] | None = None,
        faults: Sequence[Rule] = (),
        decided: Callable[[int], Sequence[Decision]] = lambda after: (),
        clusters: Mapping[str, str] | None = None,
        paused: Callable[[], Mapping[str, Pause]] = dict,
    ) -> None:
        self.venue = venue
        self.clock = ReplayClock(venue.now)
        self._way = FaultyVenue(venue, self.clock, faults)
        self._ordered = ordered
        self._decided = decided
        self._paused = paused
        self._hashes = {agent: strategy.content_hash for agent, strategy in strategies.items()}
        self._market = market
        self._prints = any(isinstance(event, Print) for event in market)
        instruments = [listing.instrument for listing in listings]
        self._builder = BarBuilder(instruments, bar)
        self._instruments = {instrument.symbol: instrument for instrument in instruments}
        clusters = clusters or {}
        markets = {
            instrument.symbol: MarketNow(instrument, cluster=clusters.get(instrument.symbol))
            for instrument in instruments
        }
        self._markets = markets
        self._volumes: dict[str, deque[tuple[int, Decimal]]] = {symbol: deque() for symbol in markets}
        timing, watch = Timing(), WatchLimits()
        self.trader = Trader(
            journal,
            self._way,
            replace(limits, longest_silence=max(limits.longest_silence, silence)),
            markets,
            self.clock,
            timing=replace(timing, silence=max(timing.silence, silence)),
            watch=replace(watch, quote_age=max(watch.quote_age, silence)),
            approvals=approvals,
        )
        self.fleet = VenueFleet(self.trader, strategies, self._builder.empty(), self.clock, _spot(listings))
        self._events: list[Event] = []
        self.trader.dealer.writer.observers.append(self._events.append)
        self.command, self.obeyed = NOTHING_ORDERED, True
        self._heed_pauses()
        self._see_what_was(journal)
        venue.follow(market[venue.played :])

    @property
    def end(self) -> int:
        """When the market's messages end, UTC nanoseconds."""
        return self._market[-1].time

    def moments(self) -> Iterator[Moment]:
        """Trade on until the market's messages end. Each moment is in the journal before it is handed out."""
        trader, venue = self.trader, self.venue
        while venue.now < self.end:
            ahead = venue.next_time()
            quiet = NANOSECONDS_PER_SECOND if ahead is None else ahead - venue.now
            to = min(venue.now + max(STEP, min(quiet, NANOSECONDS_PER_SECOND)), self.end)
            venue.advance(to)
            self.clock.set(to)
            for told in venue.prints():
                self._builder.traded(told.symbol, float(told.price), float(told.size), told.venue_time)
                self._count(told.symbol, told.size, told.venue_time)
            for quote in self._way.quotes(venue.quotes()):
                trader.quote(quote)
                if not self._prints:
                    self._builder.quoted(quote.symbol, float(quote.middle), quote.venue_time)
            trader.receive()
            rows = self._builder.closed(to)
            self._heed_pauses()
            for row in rows:
                self.fleet.bar_closed(row)
            self.command = self._ordered()
            self.obeyed = trader.obey(self.command)
            for decision in self._decided(trader.account.decided):
                trader.adopt(decision)
            trader.work()
            events, alarms = tuple(self._events), tuple(text for _, text in trader.dealer.alarms)
            self._events.clear()
            trader.dealer.alarms.clear()
            yield Moment(to, events, alarms, len(rows))

    def _heed_pauses(self) -> None:
        """What a person has said of single agents is in the journal before the decision that it keeps from entering."""
        said = self._paused()
        if said:
            self.trader.heed({agent: said[strategy] for agent, strategy in self._hashes.items() if strategy in said})

    def _count(self, symbol: str, size: Decimal, time: int) -> None:
        """What has traded within a day, as far as it was told: less than a whole day's at the beginning."""
        volumes, market = self._volumes[symbol], self._markets[symbol]
        volumes.append((time, size))
        total = (market.day_volume or Decimal(0)) + size
        while volumes[0][0] <= time - NANOSECONDS_PER_DAY:
            total -= volumes.popleft()[1]
        market.day_volume = total

    def _see_what_was(self, journal: Journal) -> None:
        """Show the programs the bars before the moment at which the venue's file stands.

        Those that the journal has are shown as it has them, and nothing is decided on them again: what came too late
        for its bar then is not in it now either.
        """
        told = (BarClosed.model_validate(entry.body) for entry in journal.entries_of(BarClosed.__name__))
        while bars := [(bar.time, bar.bars) for bar in islice(told, BARS_AT_ONCE)]:
            self.fleet.saw(self._builder.known(bars))
        for event in self._market[: self.venue.played]:
            instrument = self._instruments[event.symbol]
            if isinstance(event, Print):
                price, size = event.price * instrument.tick, event.lots * instrument.lot
                self._builder.traded(event.symbol, float(price), float(size), event.time)
                self._count(event.symbol, size, event.time)
            elif not self._prints and isinstance(event, Top):
                middle = (event.bid + event.ask) * instrument.tick / 2
                self._builder.quoted(event.symbol, float(middle), event.time)
            elif not self._prints and isinstance(event, BookChange) and event.snapshot and event.levels:
                bids = [price for side, price, _ in event.levels if side == 0]
                asks = [price for side, price, _ in event.levels if side == 1]
                if bids and asks:
                    middle = (max(bids) + min(asks)) * instrument.tick / 2
                    self._builder.quoted(event.symbol, float(middle), event.time)
        for row in self._builder.closed(self.venue.now):
            self.fleet.bar_closed(row)
