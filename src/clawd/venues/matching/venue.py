"""A simulated exchange far away: the port to it, with a clock, a delay each way, and everything that must survive.

It stands for somebody else's machine. What it holds outlives our process, so whoever keeps it (`file.VenueFile`)
writes every change before a word of it leaves here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter

from clawd.core.errors import ClawdError
from clawd.core.orders import Order, OrderType, TimeInForce
from clawd.core.reports import (
    AccountReport,
    ConnectionReport,
    FillReport,
    OrderReport,
    Quote,
    Report,
    RequestFailed,
    RequestKind,
    TradePrint,
)
from clawd.data.book_replay import ASK
from clawd.data.capture import Gap, MarketEvent, Print
from clawd.venues.matching.account import Fill
from clawd.venues.matching.exchange import Exchange
from clawd.venues.matching.rules import Delay, Listing, Rules
from clawd.venues.matching.working import Working
from clawd.venues.venue import Cancel, Capabilities, Query, ReportAccount, Request, Submit

CAPABILITIES = Capabilities(
    order_types=frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT}),
    times_in_force=frozenset(TimeInForce),
    reduce_only=True,
    post_only=True,
    replace=True,
)
#: Market data that nobody fetched: beyond so many messages the oldest are forgotten.
UNREAD = 100_000

Parts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way, as plain content."""

    kind: RequestKind
    order: Order | None = None
    id: str | None = None
    symbol: str = ""
    replaces: str | None = None
    since: int = 0
    reduce_only: bool = False


_ASKED = TypeAdapter(Asked)
_REPORTS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (OrderReport, FillReport, RequestFailed, AccountReport, ConnectionReport)
}


class _Way:
    """One direction: everything takes its delay, and nothing overtakes."""

    __slots__ = ("_delay", "_direction", "_last", "_number", "_seed")

    def __init__(self, delay: Delay, seed: int, direction: str) -> None:
        self._delay, self._seed, self._direction = delay, seed, direction
        self._number = self._last = 0

    def arrival(self, sent: int) -> int:
        """When the next message arrives that is sent at a time."""
        self._number += 1
        self._last = max(self._last, sent + self._delay.draw(self._seed, self._direction, self._number))
        return self._last

    def state(self) -> list[int]:
        return [self._number, self._last]

    def restore(self, state: Sequence[int]) -> None:
        self._number, self._last = state


class MatchingVenue:
    """The account at a simulated exchange, behind the port of every venue.

    There is one time, that of the exchange's clock. A request that is sent at it takes effect the delay of requests
    later, and what is said of it is here the delay of reports after that; quotes and prints come the delay of the
    feed after they happened.

    Attributes:
        name: unique within a home.
        capabilities: what it can hold.
        now: UTC nanoseconds to which `advance` came.
        played: how many messages of the market were played; after a restart, follow what comes after them.
    """

    def __init__(
        self, name: str, listings: Iterable[Listing], rules: Rules, cash: Decimal, *, seed: int = 0, now: int = 0
    ) -> None:
        self.name = name
        self.now = now
        self.played = 0
        self.keep: Callable[[Parts], None] | None = None
        self.capabilities = replace(CAPABILITIES, reduce_only=rules.reduce_only)
        self._exchange = Exchange(name, listings, rules, cash, now)
        steps = {symbol: market.instrument for symbol, market in self._exchange.markets.items()}
        self._terms = [name, seed, {symbol: [str(of.tick), str(of.lot)] for symbol, of in sorted(steps.items())}]
        self._asked: deque[tuple[int, Asked]] = deque()
        self._coming: deque[tuple[int, Report]] = deque()
        latency = rules.latency
        self._there = _Way(latency.request, seed, "request")
        self._back = _Way(latency.report, seed, "report")
        self._feed = _Way(latency.feed, seed, "feed")
        self._market: Iterator[MarketEvent] = iter(())
        self._next: MarketEvent | None = None
        self._tops: dict[str, tuple[int, int, int, int]] = {}
        self._quotes: deque[tuple[int, int, str, tuple[int, int, int, int]]] = deque(maxlen=UNREAD)
        self._prints: deque[tuple[int, Print]] = deque(maxlen=UNREAD)
        self._fills_kept = 0
        self._books_moved = set(self._exchange.markets)

    def follow(self, market: Iterable[MarketEvent]) -> None:
        """Play these messages from now on, as `advance` comes to their times, which never fall.

        A stream that runs dry is asked for more at each later advance, so one of a living market may be followed too.
        """
        self._market = iter(market)
        self._next = next(self._market, None)

    # The port.

    def send(self, request: Request) -> None:
        """Hand a request over. It is on its way, whatever becomes of us."""
        asked = _asked(request)
        self._asked.append((self._there.arrival(self.now), asked))
        self._kept()

    def receive(self) -> list[Report]:
        """The reports that have come, each once. They are gone from the way before they are handed out.

        So one that a crash swallows is not said again: what it said is still to be had from `Query` and
        `ReportAccount`, as at a real venue.
        """
        come = []
        while self._coming and self._coming[0][0] <= self.now:
            come.append(self._coming.popleft()[1])
        if come:
            self._kept()
        return come

    # Market data.

    def quotes(self) -> list[Quote]:
        """The best bids and asks that have come since the last call. Books that are crossed or unknown are not told."""
        come = []
        while self._quotes and self._quotes[0][0] <= self.now:
            time, venue_time, symbol, (bid, bid_lots, ask, ask_lots) = self._quotes.popleft()
            of = self._exchange.markets[symbol].instrument
            come.append(
                Quote(symbol, bid * of.tick, bid_lots * of.lot, ask * of.tick, ask_lots * of.lot, venue_time, time)
            )
        return come

    def prints(self) -> list[TradePrint]:
        """The trades of others that have come since the last call."""
        come = []
        while self._prints and self._prints[0][0] <= self.now:
            time, event = self._prints.popleft()
            of = self._exchange.markets[event.symbol].instrument
            come.append(
                TradePrint(
                    event.symbol, event.price * of.tick, event.lots * of.lot, event.maker == ASK, event.time, time
                )
            )
        return come

    # The clock.

    def next_time(self) -> int | None:
        """When the next thing happens here by itself: in the market, to a request, an order, or a report."""
        times = [
            None if self._next is None else max(self._next.time, self.now),
            self._asked[0][0] if self._asked else None,
            self._exchange.next_end(),
            self._coming[0][0] if self._coming else None,
        ]
        return min((time for time in times if time is not None), default=None)

    def advance(self, to: int) -> None:
        """Let everything happen up to a time, that time included.

        Of one time, orders end first, then the market moves, then requests arrive.

        Raises:
            ValueError: the time lies before one that was advanced to.
        """
        if to < self.now:
            raise ValueError(f"the clock of {self.name} stands at {self.now} and does not go back to {to}")
        exchange, changed = self._exchange, False
        if self._next is None:
            self._next = next(self._market, None)
        while True:
            end = exchange.next_end()
            asked = self._asked[0][0] if self._asked else None
            until = min(to, to if asked is None else asked, to if end is None else end - 1)
            while self._next is not None and self._next.time <= until:
                event, self._next = self._next, next(self._market, None)
                exchange.play(event)
                self.played += 1
                self._told(event)
                if exchange.said:
                    changed = True
                    self._dispatch()
            if end is not None and end <= to and (asked is None or end <= asked):
                exchange.end_orders(end)
            elif asked is not None and asked <= to:
                self._arrived(*self._asked.popleft())
            else:
                break
            changed = True
            self._dispatch()
        self.now = to
        if changed or exchange.touched:
            self._kept()

    def _told(self, event: MarketEvent) -> None:
        symbol = event.symbol
        self._books_moved.add(symbol)
        if isinstance(event, Print):
            self._prints.append((self._feed.arrival(event.time), event))
        elif not isinstance(event, Gap):
            book = self._exchange.markets[symbol].book
            top = book.top() if book.known else None
            if top is not None and top[0] < top[2] and top != self._tops.get(symbol):
                self._tops[symbol] = top
                self._quotes.append((self._feed.arrival(event.time), event.time, symbol, top))

    def _arrived(self, time: int, asked: Asked) -> None:
        exchange = self._exchange
        time = max(time, exchange.now)
        if not exchange.charge(asked.kind, asked.id, time):
            return
        if asked.order is not None:
            exchange.submit(asked.order, asked.replaces, time, reduce_only=asked.reduce_only)
        elif asked.kind is RequestKind.ACCOUNT:
            exchange.report_account(asked.since, time)
        else:
            assert asked.id is not None
            if asked.kind is RequestKind.CANCEL:
                exchange.cancel(asked.id, time)
            else:
                exchange.query(asked.id, asked.symbol, time)

    def _dispatch(self) -> None:
        for report in self._exchange.said:
            if isinstance(report, FillReport):
                self._books_moved.add(report.symbol)  # by what we took of it
            arrival = self._back.arrival(self._exchange.now)
            self._coming.append((arrival, _stamped(report, arrival)))
        self._exchange.said.clear()

    # What survives.

    def state(self) -> Parts:
        """Everything, as JSON by the name of the part, but for quotes and prints under way: a feed is not kept."""
        exchange = self._exchange
        parts = self._moving()
        parts |= {f"book {symbol}": market.state() for symbol, market in exchange.markets.items()}
        parts |= {f"order {order.id}": order.as_json() for order in exchange.orders.values()}
        parts |= {f"fill {fill.number}": fill.as_json() for fill in exchange.account.fills}
        return parts

    def restore(self, parts: Parts) -> None:
        """Go on where a state was taken, with the same listings, rules and seed; then `follow` the market again.

        Raises:
            ClawdError: the state is that of another venue, or of other ticks and lots: its figures would mean others.
        """
        kept = parts["venue"]
        if kept["terms"] != self._terms:
            what = f"the state is that of a venue with the terms {kept['terms']}, and this one has {self._terms}"
            raise ClawdError(what, where=self.name, hint="open it with the name, seed, ticks and lots that it had")
        self.now, self.played = kept["now"], kept["played"]
        self._asked = deque((time, _ASKED.validate_python(body)) for time, body in kept["asked"])
        self._coming = deque((time, _REPORTS[kind].validate_python(body)) for time, kind, body in kept["coming"])
        for way, state in zip((self._there, self._back, self._feed), kept["ways"], strict=True):
            way.restore(state)
        self._exchange.restore(
            parts["exchange"],
            {name[len("book ") :]: body for name, body in parts.items() if name.startswith("book ")},
            [Working.from_json(body) for name, body in parts.items() if name.startswith("order ")],
            sorted(
                (Fill.from_json(body) for name, body in parts.items() if name.startswith("fill ")),
                key=lambda fill: fill.number,
            ),
        )
        self._fills_kept = len(self._exchange.account.fills)
        self._books_moved.clear()

    def changes(self) -> Parts:
        """The parts that have changed since the last call; None for one that is gone."""
        exchange = self._exchange
        parts = self._moving()
        for symbol in self._books_moved:
            parts[f"book {symbol}"] = exchange.markets[symbol].state()
        # An order's place moves with the market, without a word: what rests is written whenever the market moved.
        resting = {order.id for symbol in self._books_moved for order in exchange.markets[symbol].working()}
        for order in exchange.touched | resting:
            parts[f"order {order}"] = exchange.orders[order].as_json() if order in exchange.orders else None
        fills = exchange.account.fills
        parts |= {f"fill {fill.number}": fill.as_json() for fill in fills[self._fills_kept :]}
        self._fills_kept = len(fills)
        self._books_moved.clear()
        exchange.touched.clear()
        return parts

    def _moving(self) -> Parts:
        ways = [way.state() for way in (self._there, self._back, self._feed)]
        asked = [[time, _ASKED.dump_python(body, mode="json")] for time, body in self._asked]
        coming = [
            [time, type(report).__name__, _REPORTS[type(report).__name__].dump_python(report, mode="json")]
            for time, report in self._coming
        ]
        venue = {
            "terms": self._terms,
            "now": self.now,
            "played": self.played,
            "asked": asked,
            "coming": coming,
            "ways": ways,
        }
        return {"venue": venue, "exchange": self._exchange.state()}

    def _kept(self) -> None:
        if self.keep is None:
            return
        try:
            self.keep(self.changes())
        except BaseException:
            # Nothing of it was written, so all of it is still to be written.
            self._exchange.touched |= self._exchange.orders.keys()
            self._books_moved |= self._exchange.markets.keys()
            self._fills_kept = 0
            raise


def side_by_side(venues: Sequence[MatchingVenue], to: int) -> Iterator[int]:
    """Advance several venues on one clock, and stop at each time at which something happens at one of them.

    Yields:
        The time, once all venues have come to it; lastly `to`.
    """
    while (time := min((time for each in venues if (time := each.next_time()) is not None), default=to)) < to:
        for venue in venues:
            venue.advance(max(time, venue.now))
        yield time
    for venue in venues:
        venue.advance(to)
    yield to


def _asked(request: Request) -> Asked:
    match request:
        case Submit(approved, replaces, reduce_only):
            kind = RequestKind.SUBMIT if replaces is None else RequestKind.REPLACE
            order = _written(approved.order)
            only = order.reduces if reduce_only is None else reduce_only
            return Asked(kind, order, order.id, order.symbol, replaces, reduce_only=only)
        case Cancel(order, symbol):
            return Asked(RequestKind.CANCEL, id=order, symbol=symbol)
        case Query(order, symbol):
            return Asked(RequestKind.QUERY, id=order, symbol=symbol)
        case ReportAccount(since):
            return Asked(RequestKind.ACCOUNT, since=since)


def _written(order: Order) -> Order:
    """An order as it can be written down: what is no number becomes 0, which is refused all the same."""
    wrong = {
        name: Decimal(0)
        for name, value in ((each.name, getattr(order, each.name)) for each in fields(order))
        if isinstance(value, Decimal) and not value.is_finite()
    }
    return replace(order, **wrong)  # type: ignore[arg-type]


def _stamped(report: Report, arrival: int) -> Report:
    """A report with the time at which it arrives."""
    if isinstance(report, AccountReport):
        orders = tuple(replace(each, time=arrival) for each in report.orders)
        return replace(
            report, time=arrival, orders=orders, fills=tuple(replace(each, time=arrival) for each in report.fills)
        )
    return replace(report, time=arrival)
