"""A whole account at a simulated exchange, with a fault layer between them and a market that a test moves.

What is ours dies at a crash: the trader, and what had been said to it and not written down. The exchange and the
journal live on, in memory or in files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from clawd.core.account_events import UNATTRIBUTED, AccountOpened, AgentFunded
from clawd.core.clock import ReplayClock
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind, OrderType
from clawd.core.reason import Reason
from clawd.core.reports import Quote, Report, VenueState
from clawd.data.book_replay import ASK, BID
from clawd.data.capture import BookChange, MarketEvent, Print
from clawd.execution.account import REMEMBERED_DAYS, Account
from clawd.execution.life_cycle import OrderState
from clawd.execution.naked import is_being_closed, why_naked
from clawd.execution.order_ids import client_id
from clawd.execution.recovery import open_account, replay
from clawd.execution.timing import Timing
from clawd.execution.trader import Trader
from clawd.execution.view import MarketNow
from clawd.execution.watch import WatchLimits
from clawd.risk import gate
from clawd.risk.gate import ApprovedOrder, Outcome, Verdict
from clawd.risk.limits import Limits
from clawd.store.journal import open_journal
from clawd.store.switchboard import Command, Switch
from clawd.venues.faults import Chances, FaultyVenue, Rule
from clawd.venues.matching.file import VenueFile
from clawd.venues.matching.rules import Delay, FeeTier, Latency, Listing, RateLimit, Rules
from clawd.venues.matching.venue import MatchingVenue
from clawd.venues.venue import Cancel, Capabilities, Request, Submit, Venue

SECOND = 10**9
DAY = 86_400 * SECOND
T0 = 20_000 * DAY + 9 * 3600 * SECOND
D = Decimal
AAA = Instrument("AAA", D("0.01"), D("0.001"))
BBB = Instrument("BBB", D("0.05"), D("0.01"))
LISTINGS = (Listing(AAA, leverage=D(10)), Listing(BBB, leverage=D(10)))
INSTRUMENTS = {each.instrument.symbol: each.instrument for each in LISTINGS}
START = {"AAA": 10_000, "BBB": 4_000}  # ticks: 100 and 200
COSTS = Costs(D("0.0005"), D("0.001"))
RULES = Rules(
    fees=(FeeTier(D(0), D("0.0002"), D("0.0005")),),
    latency=Latency(
        Delay(20_000_000, 10_000_000),
        Delay(20_000_000, 10_000_000),
        Delay(5_000_000),
    ),
    limits=(RateLimit(SECOND, 60),),
)
#: Shorter than in earnest, so that what is not known is known again within a minute.
TIMING = Timing(
    answer=2 * SECOND,
    settling=12 * SECOND,
    longest_query=8 * SECOND,
    reconcile=10 * SECOND,
    entry=5 * SECOND,
    silence=10 * SECOND,
    blind=60 * SECOND,
)
WATCH = WatchLimits()
AGENTS = ("a", "b", "c")
LIMIT = D(150)
LOOK = 3 * SECOND  # until a position that is naked is seen to be, beside the time that it may be


@dataclass(frozen=True, slots=True)
class Entry:
    seq: int
    ts: int
    kind: str
    body: Any


class MemoryJournal:
    """Entries in memory, as the journal would read them back."""

    def __init__(self) -> None:
        self.kept: list[Entry] = []

    def append(self, records: Sequence[tuple[int, str, Mapping[str, Any]]]) -> None:
        for ts, kind, body in records:
            self.kept.append(Entry(len(self.kept) + 1, ts, kind, body))

    def entries(self, after: int = 0) -> Iterable[Entry]:
        return islice(self.kept, after, None)


class Wire:
    """What is between us and the faults: it remembers what we have asked for, over all our lives."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.submitted: list[str] = []
        self.requests = 0

    @property
    def name(self) -> str:
        return self.venue.name

    @property
    def capabilities(self) -> Capabilities:
        return self.venue.capabilities

    def send(self, request: Request) -> None:
        self.requests += 1
        if isinstance(request, Submit):
            self.submitted.append(request.approved.order.id)
        self.venue.send(request)

    def receive(self) -> Sequence[Report]:
        return self.venue.receive()


class ByHand:
    """The person whose account it is, at the exchange's own page."""

    def __init__(self, venue: MatchingVenue) -> None:
        self._venue = venue
        self._number = 0

    def trade(self, symbol: str, size: Decimal, limit: Decimal | None = None, name: str = "") -> str:
        self._number += 1
        type_ = OrderType.MARKET if limit is None else OrderType.LIMIT
        name = f"by-hand-{name or f'{self._venue.now}-{self._number}'}"
        order = Order(name, "person", symbol, OrderKind.OPENING, size, Reason.ENTRY, type=type_, limit=limit)
        self._venue.send(Submit(sealed(order)))
        return name

    def cancel(self, name: str, symbol: str) -> None:
        self._venue.send(Cancel(name, symbol))


def sealed(order: Order) -> ApprovedOrder:
    """An order that never came before our gate, because it is not ours."""
    return ApprovedOrder(order, Verdict(Outcome.ALLOW, gate.Code.WITHIN_LIMITS, order.size, {}), gate._SEAL)


def book(symbol: str, time: int, middle: int, lots: Sequence[int] = (4_000, 8_000, 60_000)) -> BookChange:
    """A book around a price: one tick to either side, and two further steps of depth."""
    steps = (1, 3, 8)
    levels = [(BID, middle - step, size) for step, size in zip(steps, lots, strict=True)]
    levels += [(ASK, middle + step, size) for step, size in zip(steps, lots, strict=True)]
    return BookChange(time, symbol, tuple(levels), snapshot=True)


class World:
    """An account of three agents, and everything around it.

    Args:
        directory: where the journal and the exchange lie; None for in memory.
        script, chances: of the fault layer.
        day_loss: the limit.
        market: a fixed market to be played; None for one that the test moves.
        seed: of the dealer and the exchange.
        around: puts something around the journal and around the way to the venue; None for nothing.
        away: seconds that have passed since the last process, where there was one.
        rules: of the exchange.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        script: Sequence[Rule] = (),
        chances: Chances | None = None,
        day_loss: Decimal = LIMIT,
        market: Sequence[MarketEvent] | None = None,
        seed: int = 0,
        around: Callable[[Any], Any] | None = None,
        away: float = 0.0,
        rules: Rules = RULES,
    ) -> None:
        self.seed, self.market, self.day_loss = seed, market, day_loss
        self.prices = dict(START)
        self.venue = MatchingVenue("paper", LISTINGS, rules, D(10_000), seed=seed, now=T0)
        self.file = None if directory is None else VenueFile.open(directory / "venue", self.venue)
        self.journal: Any = MemoryJournal() if directory is None else open_journal(directory / "journal")
        if around is not None:
            self.journal = around(self.journal)
        self.by_hand = ByHand(self.venue)
        self.clock = ReplayClock(self.venue.now)
        self.faults = FaultyVenue(self.venue, self.clock, script, chances)
        self.wire = Wire(self.faults if around is None else around(self.faults))
        self.markets: dict[str, MarketNow] = {}
        self.lives = 0
        self.snapshot: tuple[bytes, int] | None = None
        self.started: list[Callable[[], None]] = []
        self.naked: dict[tuple[str, str], int] = {}
        self.idle: dict[tuple[str, str], int] = {}
        self.number = 0
        if market is not None:
            self.venue.follow(market[self.venue.played :])
        elif self.venue.played == 0:
            self.show()
        if self._begun():
            self._pass_time(away)
        else:
            self._open()
        self.trader = self.start()

    def _begun(self) -> bool:
        return next(iter(self.journal.entries()), None) is not None

    def _open(self) -> None:
        instruments = list(INSTRUMENTS.values())
        opened = AccountOpened(
            account="main",
            venue="paper",
            code="0",
            cash=D(10_000),
            symbols=[each.symbol for each in instruments],
            ticks=[each.tick for each in instruments],
            lots=[each.lot for each in instruments],
            fee=COSTS.fee,
            slippage=COSTS.slippage,
            day_loss_limit=self.day_loss,
            leverage=D(5),
        )
        open_account(self.journal, opened, T0)

    # Our life.

    def keep_snapshot(self) -> None:
        """Keep what the account is now, beside the journal in memory."""
        self.snapshot = self.trader.account.to_json(), len(self.journal.kept)

    def start(self, *, from_snapshot: bool = False) -> Trader:
        """A process of ours begins, at the first entry or at the last snapshot."""
        kept = self.snapshot if from_snapshot else None
        self.lives += 1
        self.naked.clear()
        self.idle.clear()
        self.markets = {symbol: MarketNow(each, day_volume=D(10**9)) for symbol, each in INSTRUMENTS.items()}
        limits = Limits(self.day_loss, D(5), COSTS, 10 * SECOND, D("0.2"))
        self.trader = Trader(
            self.journal,
            self.wire,
            limits,
            self.markets,
            self.clock,
            seed=self.seed + self.lives,
            timing=TIMING,
            watch=WATCH,
            account=None if kept is None else Account.from_json(kept[0]),
            after=0 if kept is None else kept[1],
        )
        for agent in AGENTS:
            if agent not in self.trader.account.agents:
                self.trader.dealer.enter(AgentFunded(agent=agent, capital=D(3_000)))
        for tell in self.started:
            tell()
        return self.trader

    def crash(self, away: float = 0.0, *, from_snapshot: bool = False) -> None:
        """Our process dies; the world goes on without it for some seconds, and then it starts again."""
        if away:
            self._pass_time(away)
        self.start(from_snapshot=from_snapshot)

    def close(self) -> None:
        """Close the files, where there are any; closing twice does no harm."""
        if self.file is not None:
            self.journal.close()
            self.file.close()

    # Time.

    def show(self, traded: Random | None = None) -> None:
        """The market is as the prices say, now."""
        now = max(self.clock.now(), self.venue.now)
        events: list[MarketEvent] = []
        for symbol, middle in self.prices.items():
            if traded is not None and traded.random() < 0.3:
                side = traded.choice((BID, ASK))
                events.append(Print(now, symbol, middle + traded.choice((-1, 0, 1)), traded.randrange(1, 4_000), side))
            lots = (4_000, 8_000, 60_000) if traded is None else (traded.randrange(200, 6_000), 8_000, 60_000)
            events.append(book(symbol, now, middle, lots))
        self.venue.follow(events)
        self.venue.advance(now)

    def _pass_time(self, seconds: float) -> None:
        now = self.clock.now() + int(seconds * SECOND)
        self.clock.set(now)
        self.venue.advance(now)

    def step(self, seconds: float = 0.5, traded: Random | None = None) -> None:
        """Time goes by, the market moves to where the prices are, and we see and do what is due."""
        self._pass_time(seconds)
        if self.market is None:
            self.show(traded)
        trader = self.trader
        for quote in self.faults.quotes(self.venue.quotes()):
            trader.quote(quote)
        trader.receive()
        trader.work()
        self.watch_for_naked()

    def calm(self, longest: float = 300.0) -> None:
        """All faults are over, and time passes until everything is right again."""
        self.faults.calm()
        wrong, random = "nothing was looked at", Random(self.seed)
        for second in range(int(longest)):
            self.step(1.0, random)
            if second % 10 > 5:  # what is on its way at one look has arrived at another
                wrong = self.wrong()
                if not wrong:
                    return
        raise AssertionError(f"after {longest} quiet seconds: {wrong}")

    # What agents ask for.

    def order(self, agent: str, symbol: str, size: Decimal, time: int | None = None, **changes: Any) -> Order:
        kind = changes.pop("kind", OrderKind.OPENING)
        decided = self.clock.now() if time is None else time
        name = changes.pop("id", None) or client_id("main", agent, symbol, decided, kind, changes.pop("number", 0))
        reason = changes.pop("reason", Reason.ENTRY if kind is OrderKind.OPENING else Reason.SIGNAL)
        price = self.prices[symbol] * INSTRUMENTS[symbol].tick
        if kind is OrderKind.OPENING:
            changes = {"stop_distance": price / 50, "reference": price} | changes
        return Order(name, agent, symbol, kind, size, reason, **changes)

    def enter(self, order: Order, exits: Mapping[str, Any] | None = None, distances: Sequence[float] = ()) -> Verdict:
        return self.trader.enter(order, exits, [*distances, *[0.0] * 8][:8], SECOND * 10)

    def leave(self, agent: str, symbol: str) -> Verdict | None:
        self.number += 1
        size = self.trader.account.agents[agent].size(symbol)
        if not size:
            return None
        return self.trader.leave(self.order(agent, symbol, -size, kind=OrderKind.CLOSING, number=self.number))

    def command(self, switch: Switch, number: int | None = None) -> bool:
        """A person orders it, as a new command or as the one of a number; whether that is done."""
        self.number += 1
        number = self.number if number is None else number
        try:
            return self.trader.obey(Command(number, self.clock.now(), switch, "person", "TEST"))
        except ClawdError:
            return False

    # What must hold.

    @property
    def quotes(self) -> dict[str, Quote]:
        return {symbol: market.quote for symbol, market in self.markets.items() if market.quote is not None}

    def watch_for_naked(self) -> None:
        """No position is naked for longer than it may be, unless that is written down and it is being closed."""
        account, now, longest = self.trader.account, self.clock.now(), WATCH.longest_naked
        naked: dict[tuple[str, str], int] = {}
        idle: dict[tuple[str, str], int] = {}
        for agent in account.agents.values():
            for symbol in agent.holdings if agent.id != UNATTRIBUTED else ():
                place = agent.id, symbol
                if why_naked(account, *place, self.quotes, now, WATCH) is None:
                    continue
                naked[place] = self.naked.get(place, now)
                acted = account.naked_since.get(agent.id, {}).get(symbol)
                acts = acted is not None and (now - acted <= longest or is_being_closed(account, *place))
                if now - naked[place] > longest and not acts:
                    idle[place] = self.idle.get(place, now)
                    assert now - idle[place] <= LOOK, f"{agent.id} is naked in {symbol}, and nothing is done"
        self.naked, self.idle = naked, idle

    def wrong(self) -> str:
        """What does not hold now that must hold once all is quiet; empty where everything does."""
        return next(self.faults_found(), "")

    def faults_found(self) -> Iterable[str]:
        account, exchange = self.trader.account, self.venue._exchange
        held = {symbol: lots * INSTRUMENTS[symbol].lot for symbol, lots in exchange.account.positions.items() if lots}
        if len(set(self.wire.submitted)) != len(self.wire.submitted):
            yield "an order was sent twice"
        if account.sizes() != held:
            yield f"the books hold {account.sizes()}, the venue {held}"
        if account.cash != exchange.account.cash:
            yield f"the books have {account.cash}, the venue {exchange.account.cash}"
        for name, placed in account.orders.items():
            there = exchange.orders.get(name)
            size = INSTRUMENTS[placed.order.symbol].lot
            working = there is not None and there.state in (VenueState.ACCEPTED, VenueState.PARTIALLY_FILLED)
            if placed.state is OrderState.UNKNOWN:
                yield f"nobody knows what became of {name}"
            if working != placed.state.working:
                yield f"{name} is {placed.state} in the books, {there and there.state} at the venue"
            filled = D(0) if there is None else there.filled * there.sign * size
            if placed.filled != filled:
                yield f"{placed.filled} of {name} filled in the books, {filled} at the venue"
        for name, there in exchange.orders.items():
            forgotten = there.done and there.changed < self.clock.now() - (REMEMBERED_DAYS - 1) * DAY
            if name not in account.orders and not name.startswith("by-hand") and not forgotten:
                yield f"{name} is at the venue and not in the books"
        quotes, now = self.quotes, self.clock.now()
        for agent in account.agents.values():
            for symbol in agent.holdings if agent.id != UNATTRIBUTED else ():
                if why := why_naked(account, agent.id, symbol, quotes, now, WATCH):
                    yield f"{agent.id} is naked in {symbol}: {why}"
        booked = [
            entry.body["trade"].removesuffix("/excess")
            for entry in self.journal.entries()
            if entry.kind in ("OrderFilled", "TradeAdopted")
        ]
        numbers = [fill.number for fill in exchange.account.fills]
        if len(set(booked)) != len(numbers) or len(booked) != len(set(booked)):
            yield f"{len(numbers)} trades at the venue, {len(booked)} booked, {len(set(booked))} of them different"
        turned = [e for e in self.journal.entries() if e.kind == "AnomalyFound" and e.body["what"] == "CLOSED_TOO_MUCH"]
        if turned and not self.venue.capabilities.reduce_only:
            yield f"an exit and a closing have both filled: {turned[0].body['detail']}"
        again = replay(self.journal.entries())
        if again != account:
            yield "the journal tells another account"
        if account.flattening and not held:
            yield "it is flat and was not verified"
