"""A small honest venue, a network that is not, and a dealer between them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from clawd.core.account_events import AccountOpened, AgentFunded, ProtectionChanged
from clawd.core.clock import ReplayClock
from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.money import cash_of_fill, fee_of_fill
from clawd.core.orders import Order, OrderKind, OrderType, TimeInForce
from clawd.core.reason import Reason
from clawd.core.reports import (
    AccountReport,
    ConnectionReport,
    FillReport,
    OrderReport,
    Quote,
    Report,
    RequestFailed,
    RequestKind,
    VenueState,
)
from clawd.execution.account import Account
from clawd.execution.dealer import Dealer
from clawd.execution.order_ids import client_id
from clawd.execution.recovery import open_account, recover
from clawd.execution.view import MarketNow, View
from clawd.execution.waiting import Approvals
from clawd.risk.limits import Limits
from clawd.venues.venue import Cancel, Capabilities, Query, ReportAccount, Request, Submit

SECOND = 10**9
DAY = 86_400 * SECOND
T0 = 20_000 * DAY + 12 * 3600 * SECOND
SYMBOLS = ["BTC", "ETH"]
LOT = Decimal("0.001")
FEE = Decimal("0.0007")
D = Decimal
ONE = D(1)
NOTHING = D(0)
LIMIT = D(100)


def opened(**changes: Any) -> AccountOpened:
    fields: dict[str, Any] = {
        "account": "main",
        "venue": "model",
        "code": "0",
        "cash": D(10_000),
        "symbols": SYMBOLS,
        "ticks": [D("0.01"), D("0.01")],
        "lots": [LOT, LOT],
        "fee": FEE,
        "slippage": D("0.0005"),
        "day_loss_limit": D(100),
        "leverage": D(5),
    }
    return AccountOpened(**fields | changes)


@dataclass(frozen=True, slots=True)
class Entry:
    seq: int
    ts: int
    kind: str
    body: Any


class ListJournal:
    """A journal in memory that keeps what JSON keeps, and fails when it is told to."""

    def __init__(self) -> None:
        self.texts: list[tuple[int, str, str]] = []
        self.fails = False

    def append(self, records: Sequence[tuple[int, str, Mapping[str, Any]]]) -> None:
        if self.fails:
            raise OSError("the disk is full")
        self.texts += [(ts, kind, json.dumps(body, allow_nan=False)) for ts, kind, body in records]

    def entries(self, after: int = 0) -> Iterable[Entry]:
        for seq, (ts, kind, text) in enumerate(self.texts[after:], after + 1):
            yield Entry(seq, ts, kind, json.loads(text))

    @property
    def kinds(self) -> list[str]:
        return [kind for _, kind, _ in self.texts]


@dataclass
class Resting:
    order: Order
    venue_order: str
    filled: Decimal = NOTHING
    state: VenueState = VenueState.ACCEPTED
    code: str = ""

    @property
    def working(self) -> bool:
        return self.state in (VenueState.ACCEPTED, VenueState.PARTIALLY_FILLED)

    @property
    def rest(self) -> Decimal:
        return self.order.size - self.filled if self.working else D(0)


class ModelVenue:
    """One netted account that does what it says and says what it does."""

    def __init__(self, clock: ReplayClock, cash: Decimal) -> None:
        self.name = "model"
        self.clock = clock
        self.cash = cash
        self.positions: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.orders: dict[str, Resting] = {}
        self.refused: list[str] = []
        self.fills: list[FillReport] = []
        self.counter = 0
        self.said = 0
        self.accepts = True

    def time(self) -> int:
        """Every report has its own moment of the venue's clock."""
        self.said = max(self.said + 1, self.clock.now())
        return self.said

    def handle(self, request: Request) -> list[Report]:
        match request:
            case Submit(approved=approved, replaces=replaces):
                return self._submit(approved.order, replaces)
            case Cancel(order=name):
                resting = self.orders.get(name)
                if resting is None or not resting.working:
                    return [self._failed(name, RequestKind.CANCEL, "NOT_CANCELLABLE")]
                resting.state = VenueState.CANCELLED
                return [self._report(resting)]
            case Query(order=name, symbol=symbol):
                if name in self.orders:
                    return [self._report(self.orders[name])]
                return [
                    OrderReport(
                        self.name, name, None, symbol, VenueState.NOT_FOUND, D(0), D(0), self.time(), self.clock.now()
                    )
                ]
            case ReportAccount(since=since):
                return [self.account(since)]

    def _submit(self, order: Order, replaces: str | None) -> list[Report]:
        if order.id in self.orders or order.id in self.refused:
            return [self._failed(order.id, RequestKind.SUBMIT, "DUPLICATE")]
        if not self.accepts:
            self.refused.append(order.id)
            return [self._failed(order.id, RequestKind.SUBMIT, "NO_FUNDS")]
        reports: list[Report] = []
        if replaces is not None:
            old = self.orders.get(replaces)
            if old is None or not old.working:
                self.refused.append(order.id)
                return [self._failed(order.id, RequestKind.REPLACE, "GONE")]
            old.state = VenueState.CANCELLED
            reports.append(self._report(old))
        self.counter += 1
        self.orders[order.id] = Resting(order, f"v{self.counter}")
        return [*reports, self._report(self.orders[order.id])]

    def trade(self, name: str, size: Decimal, price: Decimal) -> list[Report]:
        """A part of an order, or all that is left, trades."""
        resting = self.orders[name]
        resting.filled += size
        whole = resting.filled == resting.order.size
        resting.state = VenueState.FILLED if whole else VenueState.PARTIALLY_FILLED
        fill = self._book(name, resting.venue_order, resting.order.symbol, size, price)
        return [self._report(resting), fill]

    def by_hand(self, symbol: str, size: Decimal, price: Decimal) -> list[Report]:
        """Somebody trades on the account."""
        return [self._book(None, "by hand", symbol, size, price)]

    def end(self, name: str, state: VenueState) -> list[Report]:
        """The venue takes an order off by itself."""
        self.orders[name].state = state
        self.orders[name].code = "VENUE_SAYS"
        return [self._report(self.orders[name])]

    def account(self, since: int) -> AccountReport:
        orders = tuple(self._report(resting) for resting in self.orders.values() if resting.working)
        return AccountReport(
            self.name,
            self.cash,
            {symbol: size for symbol, size in self.positions.items() if size},
            orders,
            tuple(fill for fill in self.fills if fill.venue_time >= since),
            self.time(),
            self.clock.now(),
        )

    def _book(self, name: str | None, venue_order: str, symbol: str, size: Decimal, price: Decimal) -> FillReport:
        fee = fee_of_fill(size, price, FEE)
        self.positions[symbol] += size
        self.cash += cash_of_fill(size, price) - fee
        fill = FillReport(
            self.name,
            f"t{len(self.fills)}",
            name,
            venue_order,
            symbol,
            size,
            price,
            fee,
            False,
            self.time(),
            self.clock.now(),
        )
        self.fills.append(fill)
        return fill

    def _report(self, resting: Resting) -> OrderReport:
        order = resting.order
        return OrderReport(
            self.name,
            order.id,
            resting.venue_order,
            order.symbol,
            resting.state,
            order.size,
            resting.filled,
            self.time(),
            self.clock.now(),
            reduce_only=order.reduces,
            code=resting.code,
        )

    def _failed(self, name: str, kind: RequestKind, code: str) -> RequestFailed:
        return RequestFailed(self.name, name, kind, True, code, self.clock.now())


@dataclass
class Wire:
    """The port that the dealer has. What is on its way lies in two lists, and a test says what becomes of it."""

    venue: ModelVenue
    can: Capabilities
    there: list[Request] = field(default_factory=list)
    back: list[Report] = field(default_factory=list)
    arrived: list[Report] = field(default_factory=list)
    sent: list[Request] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.venue.name

    @property
    def capabilities(self) -> Capabilities:
        return self.can

    def send(self, request: Request) -> None:
        self.sent.append(request)
        self.there.append(request)

    def receive(self) -> Sequence[Report]:
        reports, self.arrived = self.arrived, []
        return reports

    def to_venue(self, place: int = 0) -> None:
        self.back += self.venue.handle(self.there.pop(place))

    def to_us(self, place: int = 0) -> None:
        report = self.back.pop(place)
        self.arrived.append(replace(report, time=self.venue.clock.now()))

    def all_through(self) -> None:
        while self.there:
            self.to_venue()
        while self.back:
            self.to_us()


ALL = Capabilities(frozenset(OrderType) - {OrderType.TRAILING_STOP}, frozenset(TimeInForce), True, True, False)


def limits_of(day_loss: Decimal) -> Limits:
    return Limits(day_loss, D(5), Costs(FEE, D("0.0005")), 60 * SECOND, price_band=D("0.2"))


class World:
    """A dealer at a model venue with a clock that is set."""

    def __init__(
        self,
        agents: Sequence[str] = ("a", "b"),
        day_loss: Decimal = LIMIT,
        can: Capabilities = ALL,
        approvals: Callable[[View], Approvals] | None = None,
    ) -> None:
        self.clock = ReplayClock(T0)
        self.journal = ListJournal()
        self.venue = ModelVenue(self.clock, D(10_000))
        self.wire = Wire(self.venue, can)
        self.markets = {symbol: MarketNow(Instrument(symbol, D("0.01"), LOT)) for symbol in SYMBOLS}
        self.limits = limits_of(day_loss)
        self.prices = {"BTC": D(100), "ETH": D(10)}
        open_account(self.journal, opened(), T0)
        self.journal.append(
            [(T0, "AgentFunded", AgentFunded(agent=agent, capital=D(5000)).model_dump(mode="json")) for agent in agents]
        )
        self.approvals = approvals
        self.number = 0
        self.dealer = self.start()

    def start(self) -> Dealer:
        """A process begins: it knows the journal and nothing else."""
        for market in self.markets.values():
            market.price = market.price_time = market.quote = None
        return recover(self.journal, self.wire, self.markets, self.limits, self.clock, approvals=self.approvals)

    def marks(self) -> dict[str, Decimal]:
        return dict(self.prices)

    @property
    def account(self) -> Account:
        return self.dealer.account

    def price(self, symbol: str, price: Decimal) -> None:
        """The market moves, and the dealer sees it."""
        self.prices[symbol] = price
        self.see_prices()

    def see_prices(self) -> None:
        now = self.clock.now()
        for symbol, price in self.prices.items():
            self.dealer.quote(Quote(symbol, price, D(10), price, D(10), now, now))

    def wait(self, seconds: float = 1.0, prices: bool = True) -> None:
        """Time goes by."""
        self.clock.set(self.clock.now() + int(seconds * SECOND))
        if prices:
            self.see_prices()
        self.dealer.work()

    def through(self) -> None:
        """Everything that is on its way arrives, and what follows from it."""
        for _ in range(50):
            self.wire.all_through()
            if not self.dealer.receive() and not self.wire.there:
                return
        raise AssertionError("the dealer and the venue do not come to rest")

    def ready(self) -> World:
        """The dealer has started, and a day has begun."""
        self.see_prices()
        self.through()
        self.dealer.work()
        self.through()
        self.dealer.work()
        assert self.dealer.ready
        return self

    def ready_again(self) -> None:
        """The dealer has started again, and its books agree with the venue."""
        for _ in range(3):
            self.through()
            self.wait(6)
        self.through()

    def order(self, agent: str = "a", symbol: str = "BTC", size: Decimal = ONE, **changes: Any) -> Order:
        """A market entry."""
        self.number += 1
        kind = changes.pop("kind", OrderKind.OPENING)
        name = changes.pop("id", client_id("main", agent, symbol, self.clock.now(), kind, self.number))
        reason = Reason.ENTRY if kind is OrderKind.OPENING else Reason.SIGNAL
        if kind is OrderKind.OPENING:
            changes = {"stop_distance": self.prices[symbol] / 20, "reference": self.prices[symbol]} | changes
        return Order(name, agent, symbol, kind, size, reason, **changes)

    def enter(self, agent: str = "a", symbol: str = "BTC", size: Decimal = ONE, **changes: Any) -> str:
        """An entry that the gate approves."""
        order = self.order(agent, symbol, size, **changes)
        verdict = self.dealer.propose(order)
        assert verdict.outcome != "refuse", verdict
        return order.id

    def hold(self, agent: str = "a", symbol: str = "BTC", size: Decimal = ONE) -> str:
        """An agent that has a position."""
        name = self.enter(agent, symbol, size)
        self.through()
        self.trade(name)
        self.through()
        price = self.prices[symbol]
        stop = price * (D("0.95") if size > 0 else D("1.05"))
        self.dealer.enter(ProtectionChanged(agent=agent, symbol=symbol, stop=stop, targets=[], memory={}))
        return name

    def trade(self, name: str, size: Decimal | None = None, price: Decimal | None = None) -> None:
        """The venue trades an order; the reports are on their way."""
        resting = self.venue.orders[name]
        self.wire.back += self.venue.trade(name, size or resting.rest, price or self.prices[resting.order.symbol])

    def crash(self) -> None:
        """The process dies with what was on its way to it; the journal, the venue and its requests live on."""
        self.wire.back.clear()
        self.wire.arrived.clear()
        self.dealer = self.start()
        self.see_prices()

    def disconnect(self) -> None:
        self.wire.arrived.append(ConnectionReport("model", False, self.clock.now()))

    def connect(self) -> None:
        self.wire.arrived.append(ConnectionReport("model", True, self.clock.now()))

    def agree(self) -> None:
        """Our books are the venue's, to the last digit."""
        account, venue = self.account, self.venue
        assert account.sizes() == {symbol: size for symbol, size in venue.positions.items() if size}
        assert account.cash == venue.cash
        assert account.totals.cash == account.cash
