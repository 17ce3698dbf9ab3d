"""Random books, trades and orders through the exchange and through a slow plain model of its rules."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from clawd.core.reports import AccountReport
from clawd.data.book_replay import ASK, BID
from clawd.data.capture import BookChange, Print
from clawd.venues.matching.venue import MatchingVenue
from clawd.venues.venue import Cancel, ReportAccount, Submit
from venues.matching_cases import FREE, PERPETUAL, approved, fills, order

PRICES = st.integers(9_995, 10_005)
LOTS = st.integers(1, 6)
SIDES = st.sampled_from([BID, ASK])


@dataclass
class Held:
    id: str
    side: int
    left: int
    limit: int | None
    turn: int
    ahead: int = 0
    resting: bool = False


class Plain:
    """The rules, with nothing but lists that are sorted and searched anew each time."""

    def __init__(self) -> None:
        self.book: dict[tuple[int, int], int] = {}
        self.taken: dict[tuple[int, int], int] = {}
        self.traded: dict[tuple[int, int], int] = {}
        self.held: list[Held] = []
        self.fills: list[tuple[str, int, int, bool]] = []
        self.turn = 0

    def prices(self, side: int) -> list[int]:
        return sorted((price for of, price in self.book if of == side), reverse=side == BID)

    def sound(self) -> bool:
        bids, asks = self.prices(BID), self.prices(ASK)
        return bool(bids and asks) and bids[0] < asks[0]

    def open(self, key: tuple[int, int]) -> int:
        return max(self.book.get(key, 0) - self.taken.get(key, 0) - self.traded.get(key, 0), 0)

    def reaches(self, held: Held, price: int) -> bool:
        return held.limit is None or (price <= held.limit if held.side == BID else price >= held.limit)

    def queue(self, side: int) -> list[Held]:
        way = -1 if side == BID else 1
        rest = [each for each in self.held if each.resting and each.side == side]
        return sorted(rest, key=lambda each: (way * (each.limit or 0), each.turn))

    def fill(self, held: Held, lots: int, price: int, maker: bool) -> None:
        if lots:
            held.left -= lots
            self.fills.append((held.id, lots if held.side == BID else -lots, price, maker))
        if held.left == 0 and held in self.held:
            self.held.remove(held)

    def change(self, levels: list[tuple[int, int, int]]) -> None:
        for side, price, lots in levels:
            key = side, price
            before = self.book.get(key, 0)
            self.traded.pop(key, None)
            if lots > before or lots == 0:
                self.taken.pop(key, None)
            elif key in self.taken:
                self.taken[key] = min(self.taken[key], lots)
            self.book[key] = lots
            if lots == 0:
                del self.book[key]
        for each in self.held:
            if each.resting:
                each.ahead = min(each.ahead, self.book.get((each.side, each.limit or 0), 0))
        if not self.sound():
            return
        for side in (BID, ASK):
            for each in self.queue(side):
                for price in self.prices(1 - side):
                    if self.reaches(each, price):
                        lots = min(each.left, self.open((1 - side, price)))
                        self.taken[1 - side, price] = self.taken.get((1 - side, price), 0) + lots
                        self.fill(each, lots, each.limit or 0, True)
        for each in sorted((each for each in self.held if not each.resting), key=lambda each: each.turn):
            self.held.remove(each)
            self.enter(each, once=False)

    def trade(self, price: int, lots: int, maker: int) -> None:
        if (maker, price) in self.book:
            self.traded[maker, price] = self.traded.get((maker, price), 0) + lots
        queue = self.queue(maker)
        for each in queue:
            if each.limit != price and (each.limit or 0) * (1 if maker == BID else -1) > price * (
                1 if maker == BID else -1
            ):
                part = min(lots, each.left)
                lots -= part
                self.fill(each, part, each.limit or 0, True)
        before = len(self.fills)
        # One lot after the other goes to whoever is first: to those before an order, or to the first of ours.
        for _ in range(lots):
            same = [each for each in queue if each.limit == price and each.left]
            for each in same:
                if each.ahead == 0:
                    self.fill(each, 1, price, True)
                    break
                each.ahead -= 1
        parts: dict[str, int] = {}
        for id, part, _, _ in self.fills[before:]:
            parts[id] = parts.get(id, 0) + part
        self.fills[before:] = [(id, part, price, True) for id, part in parts.items()]

    def submit(self, held: Held, once: bool) -> None:
        if once and not self.sound():
            return
        self.enter(held, once)

    def enter(self, held: Held, once: bool) -> None:
        self.turn += 1
        held.turn = self.turn
        if not self.sound():
            self.held.append(held)
            return
        ours = [each.limit or 0 for each in self.queue(1 - held.side)][:1]
        sign = 1 if held.side == BID else -1
        for price in self.prices(1 - held.side):
            key = 1 - held.side, price
            if self.reaches(held, price) and (not ours or sign * price < sign * ours[0]):
                lots = min(held.left, self.open(key))
                if lots:
                    self.taken[key] = self.taken.get(key, 0) + lots
                    self.fill(held, lots, price, False)
        if held.left and not once and not (ours and self.reaches(held, ours[0])):
            held.resting, held.ahead = True, self.book.get((held.side, held.limit or 0), 0)
            self.held.append(held)


class Random(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.venue = MatchingVenue("test", [PERPETUAL], FREE, Decimal(10**9))
        self.plain = Plain()
        self.ids = 0
        self.told: list[tuple[str, int, int, bool]] = []

    @initialize()
    def opened(self) -> None:
        self.venue.follow([BookChange(0, "AAA", (), snapshot=True)])
        self.run()
        self.the_book_changes([(BID, 9_999, 3), (BID, 9_998, 2), (ASK, 10_001, 3), (ASK, 10_002, 2)])

    def run(self) -> None:
        self.venue.advance(self.venue.now)
        for id, size, price, maker in fills(self.venue.receive()):
            self.told.append((id, int(Decimal(size) * 1_000), int(Decimal(price) * 100), maker))

    @rule(
        levels=st.lists(st.tuples(SIDES, PRICES, st.integers(0, 8)), min_size=1, max_size=4, unique_by=lambda l: l[:2])
    )
    def the_book_changes(self, levels: list[tuple[int, int, int]]) -> None:
        self.venue.follow([BookChange(0, "AAA", tuple(levels))])
        self.run()
        self.plain.change(levels)

    @rule(price=st.integers(9_996, 10_004), half=st.integers(0, 2), lots=st.integers(1, 8))
    def it_uncrosses(self, price: int, half: int, lots: int) -> None:
        """A message that makes the book sound: nothing of either side beyond a price."""
        gone = [(of, at, 0) for of, at in self.plain.book if (at >= price if of == BID else at <= price)]
        self.the_book_changes([*gone, (BID, price - 1 - half // 2, lots), (ASK, price + 1, lots)])

    @rule(price=PRICES, lots=st.integers(1, 12), maker=SIDES)
    def others_trade(self, price: int, lots: int, maker: int) -> None:
        self.venue.follow([Print(0, "AAA", price, lots, maker)])
        self.run()
        self.plain.trade(price, lots, maker)

    @rule(side=SIDES, lots=LOTS, price=PRICES)
    def a_limit_order_is_sent(self, side: int, lots: int, price: int) -> None:
        self.sent(side, lots, price)

    @rule(side=SIDES, lots=LOTS)
    def a_market_order_is_sent(self, side: int, lots: int) -> None:
        self.sent(side, lots, None)

    def sent(self, side: int, lots: int, price: int | None) -> None:
        self.ids += 1
        size = Decimal(lots if side == BID else -lots) / 1_000
        limit = None if price is None else str(Decimal(price) / 100)
        self.venue.send(Submit(approved(order(f"{self.ids}", str(size), limit))))
        self.run()
        self.plain.submit(Held(f"{self.ids}", side, lots, price, 0), once=price is None)

    @rule(place=st.integers(0, 30))
    def one_is_cancelled(self, place: int) -> None:
        if self.plain.held:
            held = self.plain.held.pop(place % len(self.plain.held))
            self.venue.send(Cancel(held.id, "AAA"))
            self.run()

    @invariant()
    def both_agree(self) -> None:
        assert self.told == self.plain.fills
        self.venue.send(ReportAccount(10**18))
        self.venue.advance(self.venue.now)
        (report,) = self.venue.receive()
        assert isinstance(report, AccountReport)
        working = {each.order: abs(each.size - each.filled) * 1_000 for each in report.orders}
        assert working == {each.id: each.left for each in self.plain.held}
        position = sum(lots for _, lots, _, _ in self.told)
        assert report.positions.get("AAA", Decimal(0)) * 1_000 == position
        assert report.cash == 10**9 - sum(Decimal(lots * price) / 100_000 for _, lots, price, _ in self.told)


Random.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestRandom = Random.TestCase


@pytest.mark.long
def test_both_agree_over_many_more_steps() -> None:
    long = settings(max_examples=2_000, stateful_step_count=100, deadline=None)
    run_state_machine_as_test(Random, settings=long)  # type: ignore[no-untyped-call]
