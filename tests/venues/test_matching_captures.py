"""The exchange over real captures: what it lets us have was there, and never on better terms than the market's."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from itertools import islice

import numpy as np
import pytest

from clawd.core.errors import ClawdError
from clawd.core.instrument import Instrument
from clawd.core.orders import Order
from clawd.core.reports import FillReport, OrderReport, Quote, Report
from clawd.data.book_replay import ASK, BID
from clawd.data.capture import BookChange, Gap, MarketEvent, Print, Top, read_captures
from clawd.venues.matching.rules import Delay, Latency, Listing, Rules
from clawd.venues.matching.venue import MatchingVenue, side_by_side
from clawd.venues.venue import Submit
from venues.matching_captures import DATA, INSTRUMENTS, stream
from venues.matching_cases import CHARGED, FREE, IOC, SECOND, approved, order, stop

SPOT, PERPETUAL = "binancespot_BTCUSDT_20240808", "binanceusdm_BTCUSDT_20240808"
MS = 10**6

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real market data is not at {DATA}")


def venue_at(name: str, rules: Rules = CHARGED, events: tuple[MarketEvent, ...] = ()) -> MatchingVenue:
    instrument = INSTRUMENTS[name]
    venue = MatchingVenue(name, [Listing(instrument, leverage=Decimal(20))], rules, Decimal(1_000_000))
    venue.follow(events)
    return venue


class PlainBook:
    """Two dictionaries, kept by hand."""

    def __init__(self) -> None:
        self.sides: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def apply(self, event: MarketEvent) -> None:
        if isinstance(event, Top):
            for side, price, lots, way in ((BID, event.bid, event.bid_lots, 1), (ASK, event.ask, event.ask_lots, -1)):
                levels = self.sides[side]
                for other in [each for each in levels if way * each > way * price]:
                    del levels[other]
                levels[price] = lots
        elif isinstance(event, BookChange):
            if event.snapshot:
                self.sides = ({}, {})
            for side, price, lots in event.levels:
                self.sides[side][price] = lots
                if not lots:
                    del self.sides[side][price]


@pytest.mark.parametrize("name", [SPOT, PERPETUAL])
def test_the_stream_is_in_order_and_nothing_is_missing(name: str) -> None:
    events = stream(name, "l2", "bbo", "trades")
    times = np.array([each.time for each in events])
    assert (np.diff(times) >= 0).all()
    assert not any(isinstance(each, Gap) for each in events)
    snapshots = [each for each in events if isinstance(each, BookChange) and each.snapshot]
    assert [len(each.levels) for each in snapshots] == [2_000]
    # By the venue's clock, not the receiver's, which was 1.27 s slow: trades and books of one moment stand together.
    first = {kind: next(each.time for each in events if isinstance(each, kind)) for kind in (BookChange, Top, Print)}
    assert max(first.values()) - min(first.values()) < SECOND // 2


@pytest.mark.parametrize("name", [SPOT, PERPETUAL])
def test_the_best_of_the_changes_is_the_best_that_the_venue_quoted(name: str) -> None:
    changes = [each for each in stream(name, "l2") if isinstance(each, BookChange)]
    tops = [each for each in stream(name, "l2", "bbo", "trades") if isinstance(each, Top)]
    times = np.array([each.time for each in tops])
    venue = venue_at(name, FREE, tuple(changes))
    tick, same, near = INSTRUMENTS[name].tick, 0, 0
    quoted: list[Quote] = []
    for each in changes:
        venue.advance(each.time)
        quoted = venue.quotes()[-1:] or quoted
        (last,) = quoted
        best = (int(last.bid / tick), int(last.ask / tick))
        at = int(np.searchsorted(times, each.time, side="right"))
        same += at > 0 and (tops[at - 1].bid, tops[at - 1].ask) == best
        around = tops[max(int(np.searchsorted(times, each.time - 20 * MS)) - 1, 0) : at + 50]
        near += any((one.bid, one.ask) == best for one in around if one.time <= each.time + 20 * MS)
    assert same > 0.98 * len(changes)  # at the same instant; the quotes of spot stand some milliseconds late
    assert near > 0.999 * len(changes)  # within 20 ms


def random_order(chance: random.Random, id: str, book: PlainBook, tick: Decimal) -> Order:
    bid, ask = max(book.sides[BID]), min(book.sides[ASK])
    side = chance.choice([1, -1])
    size = str(side * chance.choice([1, 40, 900]) * Decimal(chance.randint(1, 20)) / 1_000)
    best = (bid if side > 0 else ask) - side * chance.choice([-3, 0, 0, 0, 5, 30])
    beyond = (ask if side > 0 else bid) + side * chance.randint(1, 200)
    return chance.choice(
        [
            order(id, size, symbol="BTCUSDT"),
            order(id, size, str(best * tick), symbol="BTCUSDT"),
            order(id, size, str(best * tick), symbol="BTCUSDT", post_only=True),
            order(id, size, str(best * tick), symbol="BTCUSDT", time_in_force=IOC),
            stop(id, size, str(beyond * tick), symbol="BTCUSDT"),
        ]
    )


@pytest.mark.parametrize("name", [SPOT, PERPETUAL])
def test_what_we_get_was_there(name: str) -> None:
    """Orders of all kinds at random; after each message of the market, what they got of it is held against it."""
    venue, book, chance = venue_at(name), PlainBook(), random.Random(1)
    tick, lot = INSTRUMENTS[name].tick, INSTRUMENTS[name].lot
    limits: dict[str, Decimal | None] = {}
    made = took = 0

    def judged(reports: list[Report], event: MarketEvent | None) -> None:
        nonlocal made, took
        taken: dict[tuple[int, int], int] = defaultdict(int)
        for each in reports:
            if not isinstance(each, FillReport):
                continue
            assert each.order is not None
            sign, other = (1, ASK) if each.size > 0 else (-1, BID)
            price, lots, limit = int(each.price / tick), int(abs(each.size) / lot), limits[each.order]
            rate = Decimal("0.0002") if each.maker else Decimal("0.0005")
            assert each.fee == (abs(each.size) * each.price * rate).quantize(Decimal("1e-10"))
            assert limit is None or (each.price == limit if each.maker else sign * each.price <= sign * limit)
            if each.maker:
                made += 1
                assert event is not None, "nothing came to us"
                if isinstance(event, Print):
                    assert event.maker == 1 - other
                    assert sign * price >= sign * event.price
                    taken[-1, other] += lots
                    assert taken[-1, other] <= event.lots, "more than was traded"
                else:
                    across = sum(size for at, size in book.sides[other].items() if sign * at <= sign * price)
                    taken[-2, other] += lots
                    assert taken[-2, other] <= across, "more than came to stand across from us"
            else:
                took += 1
                opposite = book.sides[other]
                taken[price, other] += lots
                assert taken[price, other] <= opposite[price], "more than was shown"
                assert sign * price >= min(sign * at for at in opposite), "better than the market"

    for number, event in enumerate(stream(name, "l2", "bbo", "trades")[:9_000]):
        book.apply(event)
        venue.follow([event])
        venue.advance(max(event.time, venue.now))
        judged(venue.receive(), event)
        if number % 20 == 0 and number > 200:
            made_up = random_order(chance, f"{number}", book, tick)
            limits[made_up.id] = made_up.limit
            venue.send(Submit(approved(made_up)))
            venue.advance(venue.now)
            judged(venue.receive(), None)
    assert made > 40, "the test has looked at something"
    assert took > 100


def test_a_restart_in_the_midst_of_a_capture_changes_nothing() -> None:
    events = stream(PERPETUAL, "l2", "bbo", "trades")

    def traded(stops: int) -> list[Report]:
        venue = venue_at(PERPETUAL, replace(CHARGED, latency=Latency(Delay(5 * MS), Delay(5 * MS))), events)
        reports: list[Report] = []
        for number in range(60):
            venue.advance(events[0].time + (number + 1) * SECOND)
            reports += venue.receive()
            side = 1 if number % 2 else -1
            price = None if number % 3 else "61800.0"
            venue.send(Submit(approved(order(f"{number}", f"{side * 0.05}", price, symbol="BTCUSDT"))))
            if stops and number % stops == 0:
                parts = json.loads(json.dumps(venue.state()))
                venue = venue_at(PERPETUAL, replace(CHARGED, latency=Latency(Delay(5 * MS), Delay(5 * MS))))
                venue.restore(parts)
                venue.follow(islice(events, venue.played, None))
        return reports

    assert traded(7) == traded(0)
    assert sum(isinstance(each, FillReport) for each in traded(0)) > 30


def test_two_venues_of_one_day_side_by_side() -> None:
    streams = {name: stream(name, "l2", "bbo", "trades") for name in (SPOT, PERPETUAL)}
    start = max(each[0].time for each in streams.values()) + SECOND
    rules = replace(FREE, latency=Latency(feed=Delay(MS)))
    venues = [venue_at(name, rules, events) for name, events in streams.items()]
    for venue in venues:
        venue.advance(start)
        venue.quotes()
    last: dict[str, Quote] = {}
    gaps, heard = [], []
    for time in side_by_side(venues, start + 20 * SECOND):
        assert [venue.now for venue in venues] == [time, time]
        for venue in venues:
            for quote in venue.quotes():
                assert quote.venue_time < quote.time <= time
                last[venue.name] = quote
                heard.append(quote.time)
        if len(last) == 2:
            gaps.append(float(last[PERPETUAL].middle / last[SPOT].middle) - 1)
    assert len(gaps) > 3_000
    # The perpetual traded a little below spot all the time: the books are of the same moments.
    assert min(gaps) > -0.0015
    assert max(gaps) < 0.0005
    alone = venue_at(SPOT, rules, streams[SPOT])
    alone.advance(start + 20 * SECOND)
    assert alone.state() == venues[0].state()


def test_of_snapshots_no_more_is_had_than_they_show() -> None:
    name = "coinbase_BTCUSD_20210417"
    events = stream(name, "book15")
    lot = INSTRUMENTS[name].lot
    for each in events[:50]:
        assert isinstance(each, BookChange)
        venue = MatchingVenue(name, [Listing(INSTRUMENTS[name], leverage=Decimal(1))], FREE, Decimal(10**9))
        venue.follow([each])
        venue.advance(each.time)
        asks = sorted((price, lots) for side, price, lots in each.levels if side == ASK)
        shown = sum(lots for _, lots in asks) * lot
        venue.send(Submit(approved(order("all", str(shown + 1), symbol="BTCUSD"))))
        venue.advance(each.time)
        reports = venue.receive()
        bought = [(int(one.price * 100), one.size) for one in reports if isinstance(one, FillReport)]
        assert bought == [(price, lots * lot) for price, lots in asks]
        last = reports[-1]
        assert isinstance(last, OrderReport)
        assert (last.code, last.filled) == ("NO_LIQUIDITY", shown)


def test_between_snapshots_a_minute_apart_the_book_is_stale_where_that_is_too_long() -> None:
    name = "coinbase_BTCUSD_20210417"
    events = stream(name, "book15")
    for stale, state in ((59 * SECOND, "BOOK_STALE"), (60 * SECOND, "")):
        venue = venue_at(name, replace(FREE, stale=stale), events[:1])
        venue.advance(events[0].time + 60 * SECOND)
        venue.send(Submit(approved(order("late", "0.01", symbol="BTCUSD"))))
        venue.advance(venue.now)
        report = venue.receive()[-1]
        assert isinstance(report, OrderReport)
        assert report.code == state


def test_a_wrong_tick_is_noticed() -> None:
    wrong = Instrument("BTCUSDT", Decimal("0.25"), Decimal("0.001"))
    with pytest.raises(ClawdError, match=r"no multiple of the tick 0\.25"):
        read_captures([DATA / f"trades_{PERPETUAL}.parquet"], wrong)
    with pytest.raises(ClawdError, match="no capture of a book or of trades"):
        read_captures([DATA / "binance_BTCUSDT_1h.parquet"], wrong)
