"""A simulated exchange with a book that is easy to count in: ticks of 0.01, lots of 0.001, prices near 100."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind, OrderType, TimeInForce
from clawd.core.reason import Reason
from clawd.core.reports import AccountReport, FillReport, OrderReport, Report
from clawd.data.book_replay import ASK, BID
from clawd.data.capture import BookChange, MarketEvent, Print, Top
from clawd.risk import gate
from clawd.risk.gate import ApprovedOrder, Outcome, Verdict
from clawd.venues.matching.rules import FeeTier, Listing, Rules
from clawd.venues.matching.venue import MatchingVenue
from clawd.venues.venue import ReportAccount, Submit

SECOND = 10**9
AAA = Instrument("AAA", Decimal("0.01"), Decimal("0.001"))
PERPETUAL = Listing(AAA, leverage=Decimal(10))
SPOT = Listing(AAA)
FREE = Rules((FeeTier(Decimal(0), Decimal(0), Decimal(0)),))
CHARGED = Rules((FeeTier(Decimal(0), Decimal("0.0002"), Decimal("0.0005")),))

#: Bids 99.99: 5, 99.98: 10, 99.95: 20; asks 100.01: 5, 100.02: 10, 100.05: 20 (whole units of 1000 lots).
LEVELS = (
    (BID, 9_999, 5_000),
    (BID, 9_998, 10_000),
    (BID, 9_995, 20_000),
    (ASK, 10_001, 5_000),
    (ASK, 10_002, 10_000),
    (ASK, 10_005, 20_000),
)


def snapshot(time: int, *levels: tuple[int, int, int]) -> BookChange:
    return BookChange(time, "AAA", levels or LEVELS, snapshot=True)


def change(time: int, *levels: tuple[int, int, int]) -> BookChange:
    return BookChange(time, "AAA", levels)


def sold(time: int, price: int, lots: int) -> Print:
    """Somebody sold to the bids."""
    return Print(time, "AAA", price, lots, BID)


def bought(time: int, price: int, lots: int) -> Print:
    """Somebody bought from the asks."""
    return Print(time, "AAA", price, lots, ASK)


def top(time: int, bid: int, bid_lots: int, ask: int, ask_lots: int) -> Top:
    return Top(time, "AAA", bid, bid_lots, ask, ask_lots)


def approved(order: Order) -> ApprovedOrder:
    """What the gate makes of an order that it lets through. Its rules are another test's matter."""
    return ApprovedOrder(order, Verdict(Outcome.ALLOW, gate.Code.WITHIN_LIMITS, order.size, {}), gate._SEAL)


def order(id: str, size: str, limit: str | None = None, **more: Any) -> Order:
    """A market order, or a limit order where a limit is given."""
    if isinstance(more.get("level"), str):
        more["level"] = Decimal(more["level"])
    kind = more.pop("kind", OrderKind.OPENING)
    type_ = more.pop("type", OrderType.MARKET if limit is None else OrderType.LIMIT)
    symbol = more.pop("symbol", "AAA")
    return Order(
        id,
        "a001",
        symbol,
        kind,
        Decimal(size),
        Reason.ENTRY if kind is OrderKind.OPENING else Reason.STOP,
        type=type_,
        limit=None if limit is None else Decimal(limit),
        **more,
    )


def stop(id: str, size: str, level: str, **more: Any) -> Order:
    return order(id, size, type=OrderType.STOP, level=level, **more)


def venue_of(
    rules: Rules = FREE,
    *events: MarketEvent,
    listing: Listing = PERPETUAL,
    cash: str = "100000",
    name: str = "test",
    seed: int = 0,
) -> MatchingVenue:
    """A venue to which the market in which it opens has come."""
    venue = MatchingVenue(name, [listing], rules, Decimal(cash), seed=seed)
    venue.follow(events or [snapshot(0)])
    venue.advance(0)
    return venue


def more_market(venue: MatchingVenue, *events: MarketEvent) -> list[Report]:
    """Let this happen in the market, and return what is said of it."""
    venue.follow(events)
    venue.advance(max(events[-1].time, venue.now))
    return venue.receive()


def sent(venue: MatchingVenue, *orders: Order, replaces: str | None = None) -> list[Report]:
    """Send orders and return what is said at once."""
    for each in orders:
        venue.send(Submit(approved(each), replaces))
    venue.advance(venue.now)
    return venue.receive()


def fills(reports: Sequence[Report]) -> list[tuple[str, str, str, bool]]:
    """The fills: whose, size, price, whether it gave liquidity."""
    return [
        (str(each.order), f"{each.size}", f"{each.price}", each.maker)
        for each in reports
        if isinstance(each, FillReport)
    ]


def states(reports: Sequence[Report]) -> list[tuple[str, str, str]]:
    """What became of orders: whose, state, code."""
    return [(str(each.order), str(each.state), each.code) for each in reports if isinstance(each, OrderReport)]


GTD, IOC, FOK = TimeInForce.GTD, TimeInForce.IOC, TimeInForce.FOK


def account(venue: MatchingVenue, since: int = 0) -> AccountReport:
    """What the venue says of everything, with the fills since a time."""
    venue.send(ReportAccount(since))
    venue.advance(venue.now)
    (report,) = [each for each in venue.receive() if isinstance(each, AccountReport)]
    return report
