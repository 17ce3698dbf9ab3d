"""The trader: what it does in which batch, whatever happens to a position or to its orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from dealer_worlds import ALL, DAY, LOT, SECOND, SYMBOLS, T0, ListJournal, ModelVenue, Wire, limits_of, opened

from clawd.core.account_events import AgentFunded, TradingState
from clawd.core.clock import ReplayClock
from clawd.core.errors import ClawdError
from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind, OrderType
from clawd.core.reason import Reason
from clawd.core.reports import Quote, VenueState
from clawd.execution.life_cycle import OrderState
from clawd.execution.order_ids import client_id
from clawd.execution.recovery import open_account
from clawd.execution.trader import Trader
from clawd.execution.view import MarketNow
from clawd.risk.gate import Code, Outcome, Verdict
from clawd.store.switchboard import Command, Pause, Switch
from clawd.venues.venue import Cancel, Capabilities, Query, ReportAccount, Submit

D = Decimal
BAR = 60 * SECOND
HALVES = {"stop": {"percent": 5}, "take": [{"percent": 4, "share": 0.5}, {"percent": 8, "share": 0.5}]}
DISTANCES = [-0.05, 0.0, 0.0, 0.0, -0.04, -0.08, 0.0, 0.0]
INSTRUMENTS = {symbol: Instrument(symbol, D("0.01"), LOT) for symbol in SYMBOLS}


class Bench:
    """A trader at a model venue, on a wire in the hands of a test."""

    def __init__(self, can: Capabilities = ALL) -> None:
        self.clock = ReplayClock(T0)
        self.journal = ListJournal()
        self.venue = ModelVenue(self.clock, D(10_000))
        self.wire = Wire(self.venue, can)
        self.prices = {"BTC": D(100), "ETH": D(10)}
        self.number = 0
        open_account(self.journal, opened(), T0)
        funded = [AgentFunded(agent=agent, capital=D(4_000)).model_dump(mode="json") for agent in ("a", "b")]
        self.journal.append([(T0, "AgentFunded", body) for body in funded])
        self.start()
        self.see()
        self.through()
        self.trader.work()
        self.through()
        self.trader.work()
        assert self.trader.dealer.ready

    def start(self) -> None:
        markets = {symbol: MarketNow(each) for symbol, each in INSTRUMENTS.items()}
        self.trader = Trader(self.journal, self.wire, limits_of(D(100)), markets, self.clock)

    def crash(self) -> None:
        """We die with what was on its way to us; what was on its way to the venue arrives."""
        self.wire.back.clear()
        self.wire.arrived.clear()
        self.start()
        self.see()

    def see(self, **prices: str) -> None:
        self.prices |= {symbol: D(price) for symbol, price in prices.items()}
        now = self.clock.now()
        for symbol, price in self.prices.items():
            self.trader.quote(Quote(symbol, price, D(10), price, D(10), now, now))

    def wait(self, seconds: float, *, blind: bool = False) -> None:
        self.clock.set(self.clock.now() + int(seconds * SECOND))
        if not blind:
            self.see()
        self.trader.work()

    def through(self) -> None:
        for _ in range(50):
            self.wire.all_through()
            if not self.trader.receive() and not self.wire.there:
                return
        raise AssertionError("they do not come to rest")

    def order(self, size: str, kind: OrderKind = OrderKind.OPENING, **changes: Any) -> Order:
        self.number += 1
        name = client_id("main", "a", "BTC", self.clock.now(), kind, self.number)
        if kind is OrderKind.OPENING:
            changes = {"stop_distance": D(5), "reference": self.prices["BTC"]} | changes
        reason = Reason.ENTRY if kind is OrderKind.OPENING else Reason.SIGNAL
        return Order(name, "a", "BTC", kind, D(size), reason, **changes)

    def enter(self, size: str, exits: dict[str, Any] | None = HALVES, **changes: Any) -> tuple[str, Verdict]:
        order = self.order(size, **changes)
        return order.id, self.trader.enter(order, exits, DISTANCES, BAR)

    def hold(self, size: str = "2") -> str:
        name, verdict = self.enter(size)
        assert verdict.outcome is Outcome.ALLOW
        self.through()
        self.trade(name)
        self.through()
        return name

    def trade(self, name: str, size: str | None = None, price: str | None = None) -> None:
        resting = self.venue.orders[name]
        price_ = D(price) if price else self.prices["BTC"]
        self.wire.back += self.venue.trade(name, D(size) if size else resting.rest, price_)

    def exits(self) -> list[tuple[str, Decimal | None, Decimal]]:
        """Kind, level and size of the exits that work at the venue."""
        working = [each for each in self.venue.orders.values() if each.working]
        return sorted((each.order.kind.value, each.order.level, each.rest) for each in working if each.order.reduces)

    def order_of(self, kind: OrderKind, level: str | None = None) -> str:
        """The working exit at the venue of a kind."""
        return next(
            name
            for name, each in self.venue.orders.items()
            if each.working and each.order.kind is kind and (level is None or each.order.level == D(level))
        )

    def commands(self, switch: Switch, number: int) -> bool:
        return self.trader.obey(Command(number, self.clock.now(), switch, "person", "TEST"))

    def pauses(self, paused: bool, number: int) -> None:
        self.trader.heed({"a": Pause(number, self.clock.now(), "main", "hash", paused, "person", "TEST")})

    @property
    def size(self) -> Decimal:
        return self.trader.account.agents["a"].size("BTC")


PROTECTED = [("stop", D("95.00"), D(-2)), ("take", D("104.00"), D(-1)), ("take", D("108.00"), D(-1))]


def test_an_entry_and_its_exits_are_written_before_anything_is_sent() -> None:
    bench = Bench()
    sent: list[tuple[object, list[str]]] = []
    bench.trader.dealer.writer.sent.append(lambda request: sent.append((request, list(bench.journal.kinds))))
    bench.enter("2")
    ((request, written),) = sent
    assert isinstance(request, Submit)
    assert written[-3:] == ["ExitsPlanned", "VerdictGiven", "OrderSubmitted"]


def test_a_fill_is_followed_by_its_exits_in_the_same_batch() -> None:
    bench = Bench()
    name, _ = bench.enter("2")
    bench.through()
    bench.trade(name)
    while bench.wire.back:
        bench.wire.to_us()
    appends: list[list[str]] = []
    append = bench.journal.append
    bench.journal.append = lambda records: (appends.append([kind for _, kind, _ in records]), append(records))[1]  # type: ignore[method-assign, assignment, func-returns-value]
    bench.trader.receive()
    assert len(appends) == 1, "one transaction"
    (kinds,) = appends
    assert kinds.index("OrderFilled") < kinds.index("ProtectionChanged") < kinds.index("OrderSubmitted")
    assert kinds.count("OrderSubmitted") == 3
    bench.through()
    assert bench.exits() == PROTECTED


def test_a_journal_that_refuses_lets_nothing_be_sent_and_nothing_more_happen() -> None:
    bench = Bench()
    before = len(bench.wire.sent)
    bench.journal.fails = True
    with pytest.raises(OSError, match="full"):
        bench.enter("2")
    with pytest.raises(ClawdError, match="nothing more is sent"):
        bench.see()
    assert len(bench.wire.sent) == before
    bench.journal.fails = False
    bench.crash()
    bench.through()
    assert bench.trader.account.orders == {}


def test_the_same_decision_is_carried_out_once_and_plans_its_exits_once() -> None:
    bench = Bench()
    order = bench.order("2")
    first = bench.trader.enter(order, HALVES, DISTANCES, BAR)
    again = bench.trader.enter(order, HALVES, DISTANCES, BAR)
    assert (first.outcome, again.outcome, again.code) == (Outcome.ALLOW, Outcome.REFUSE, Code.DUPLICATE)
    bench.crash()
    assert bench.trader.enter(order, HALVES, DISTANCES, BAR).code is Code.DUPLICATE
    assert bench.journal.kinds.count("ExitsPlanned") == 1
    assert sum(isinstance(each, Submit) for each in bench.wire.sent) == 1


def test_parts_of_an_entry_enlarge_its_exits() -> None:
    bench = Bench()
    name, _ = bench.enter("2")
    bench.through()
    bench.trade(name, "0.5")
    bench.through()
    assert bench.exits()[0] == ("stop", D("95.00"), D("-0.5"))
    bench.trade(name)
    bench.through()
    assert bench.exits() == PROTECTED


def test_a_target_that_is_taken_makes_the_stop_smaller() -> None:
    bench = Bench()
    bench.hold()
    bench.trade(bench.order_of(OrderKind.TAKE, "104"), price="104")
    bench.through()
    assert (bench.size, bench.exits()) == (D(1), [("stop", D("95.00"), D(-1)), ("take", D("108.00"), D(-1))])


def test_a_stop_that_is_hit_takes_the_targets_off() -> None:
    bench = Bench()
    bench.hold()
    bench.trade(bench.order_of(OrderKind.STOP), price="95")
    bench.through()
    assert (bench.size, bench.exits()) == (0, [])
    assert bench.trader.account.protections.get("a", {}) == {}


def test_leaving_takes_every_exit_off() -> None:
    bench = Bench()
    bench.hold()
    order = bench.order("-2", OrderKind.CLOSING)
    assert bench.trader.leave(order).outcome is Outcome.ALLOW
    bench.through()
    bench.trade(order.id)
    bench.through()
    assert (bench.size, bench.exits()) == (0, [])


def test_a_bar_moves_a_trailing_stop_and_the_old_one_stays_until_the_new_one_is_there() -> None:
    bench = Bench()
    order = bench.order("2")
    exits = {"stop": {"percent": 5}, "trail": {"percent": 3}}
    bench.trader.enter(order, exits, [-0.05, -0.03, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], BAR)
    bench.through()
    bench.trade(order.id)
    bench.through()
    before = bench.exits()
    bench.see(BTC="110")
    bench.trader.bar("BTC", BAR, T0 + BAR, 110.0, 100.0, 110.0, True, {})
    while bench.wire.there:
        bench.wire.to_venue()
    levels = {level for _, level, _ in bench.exits()}
    assert before[0][1] in levels and len(levels) == 2, "both, before the venue's word on the new one has come"
    bench.through()
    ((kind, level, size),) = bench.exits()
    assert (kind, size) == ("stop", D(-2)) and level is not None and before[0][1] is not None and level > before[0][1]


def test_a_stop_that_the_venue_takes_off_is_sent_again() -> None:
    bench = Bench()
    bench.hold()
    bench.wire.back += bench.venue.end(bench.order_of(OrderKind.STOP), VenueState.CANCELLED)
    bench.through()
    assert bench.exits() == PROTECTED


def test_a_stop_that_no_venue_holds_is_watched_here() -> None:
    plain = Capabilities(frozenset({OrderType.MARKET}), ALL.times_in_force, True, False, False)
    bench = Bench(plain)
    bench.hold()
    assert bench.exits() == []
    bench.see(BTC="95.01")
    assert bench.wire.there == []
    bench.see(BTC="94.90")
    (request,) = bench.wire.there
    assert isinstance(request, Submit)
    assert (request.approved.order.size, request.approved.order.type) == (D(-2), OrderType.MARKET)


def test_a_position_that_nothing_protects_for_too_long_is_closed_and_said() -> None:
    bench = Bench()
    name, _ = bench.enter("2")
    bench.through()
    bench.trade(name)
    while bench.wire.back:
        bench.wire.to_us()
    bench.trader.receive()
    bench.wire.there.clear()  # its exits never arrive, and no price comes any more
    for _ in range(17):
        bench.wait(1, blind=True)
    assert "ProtectionOverdue" in bench.journal.kinds
    closing = [each for each in bench.trader.account.working() if each.order.kind is OrderKind.CLOSING]
    assert [each.order.size for each in closing] == [D(-2)]


def test_a_crash_between_the_fill_and_its_report_loses_no_exit() -> None:
    bench = Bench()
    name, _ = bench.enter("2")
    bench.through()
    bench.trade(name)
    bench.crash()
    for _ in range(4):
        bench.through()
        bench.wait(6)
    assert (bench.size, bench.exits()) == (D(2), PROTECTED)


def test_a_start_asks_about_everything_and_sends_no_order_again() -> None:
    bench = Bench()
    name, _ = bench.enter("2")
    sent = len(bench.wire.sent)
    bench.crash()
    bench.trader.work()
    asked = bench.wire.sent[sent:]
    assert {type(each) for each in asked} <= {Query, ReportAccount}
    assert Query(name, "BTC") in asked
    assert bench.trader.account.orders[name].state is OrderState.UNKNOWN
    assert bench.enter("1")[1].outcome is Outcome.REFUSE


def test_an_instrument_that_is_not_ours_moves_nothing() -> None:
    bench = Bench()
    now = bench.clock.now()
    bench.trader.quote(Quote("DOGE", D(1), D(1), D(1), D(1), now, now))
    assert bench.trader.dealer.ready


# What a person orders.


def test_a_halt_holds_through_restarts_until_it_is_resumed() -> None:
    bench = Bench()
    bench.hold()
    waiting, _ = bench.enter("0.5", reference=D(90), type=OrderType.LIMIT, limit=D(90))
    bench.through()
    assert bench.commands(Switch.HALT, 1)
    bench.through()
    state = bench.trader.account.orders.get(waiting)
    assert state is None or not state.state.working, "entries that wait are taken off"
    assert bench.exits() == PROTECTED, "exits live on"
    bench.crash()
    for _ in range(3):
        bench.through()
        bench.wait(6)
    assert bench.trader.account.state is TradingState.HALTED
    assert bench.enter("1")[1].code is Code.HALTED
    assert bench.commands(Switch.RESUME, 2)
    assert bench.trader.account.state is TradingState.ACTIVE


def test_a_pause_of_an_agent_holds_through_restarts_and_other_switches_until_it_is_unpaused() -> None:
    bench = Bench()
    bench.hold()
    waiting, _ = bench.enter("0.5", reference=D(90), type=OrderType.LIMIT, limit=D(90))
    bench.through()
    for number in (1, 1, 2):  # heard again, and said again
        bench.pauses(True, number)
        bench.through()
    state = bench.trader.account.orders.get(waiting)
    assert state is None or not state.state.working, "entries that wait are taken off"
    assert bench.exits() == PROTECTED, "exits live on"
    assert bench.trader.account.state is TradingState.ACTIVE
    bench.crash()
    for _ in range(3):
        bench.through()
        bench.wait(6)
    assert bench.trader.dealer.ready
    assert bench.enter("1")[1].code is Code.AGENT_PAUSED
    assert bench.commands(Switch.HALT, 1)
    assert bench.commands(Switch.RESUME, 2)
    assert bench.enter("1")[1].code is Code.AGENT_PAUSED, "who resumes everything unpauses nobody"
    assert bench.trader.leave(bench.order("-1", OrderKind.CLOSING)).outcome is Outcome.ALLOW
    bench.through()
    bench.trade(bench.order_of(OrderKind.CLOSING))
    bench.through()
    assert bench.exits()[0][:2] == ("stop", D("95.00"))
    assert bench.journal.kinds.count("AgentPaused") == 1
    bench.pauses(False, 3)
    bench.pauses(False, 4)
    assert bench.journal.kinds.count("AgentUnpaused") == 1
    assert bench.enter("0.5")[1].outcome is Outcome.ALLOW


def test_who_unpauses_resumes_nothing() -> None:
    bench = Bench()
    bench.pauses(True, 1)
    assert bench.commands(Switch.REDUCE, 1)
    bench.pauses(False, 2)
    assert bench.enter("1")[1].code is Code.REDUCING


def test_reducing_lets_positions_only_become_smaller() -> None:
    bench = Bench()
    bench.hold()
    assert bench.commands(Switch.REDUCE, 1)
    assert bench.enter("1")[1].outcome is Outcome.REFUSE
    assert bench.trader.leave(bench.order("-1", OrderKind.CLOSING)).outcome is Outcome.ALLOW


def test_flattening_is_done_when_the_venue_has_said_so_and_not_before() -> None:
    bench = Bench()
    bench.hold()
    assert not bench.commands(Switch.FLATTEN, 1)
    bench.through()
    bench.trade(bench.order_of(OrderKind.CLOSING))
    assert not bench.commands(Switch.FLATTEN, 1)
    for _ in range(4):
        bench.through()
        bench.wait(3)
    bench.through()
    assert bench.commands(Switch.FLATTEN, 1)
    assert (bench.size, bench.exits()) == (0, [])
    assert bench.journal.kinds.count("FlatVerified") == 1
    assert bench.trader.account.state is TradingState.HALTED
    assert not any(isinstance(each, Cancel) and each.symbol == "ETH" for each in bench.wire.sent)


def flat(bench: Bench) -> None:
    """What is being closed is traded, and the venue says that nothing is left."""
    bench.through()
    for name in [
        name for name, each in bench.venue.orders.items() if each.working and each.order.kind is OrderKind.CLOSING
    ]:
        bench.trade(name)
    for _ in range(4):
        bench.through()
        bench.wait(3)
    bench.through()
    assert not bench.trader.account.flattening and bench.size == 0


def tomorrow(bench: Bench) -> None:
    bench.clock.set(bench.clock.now() + DAY)
    for _ in range(4):
        bench.wait(31)
        bench.through()
    assert bench.trader.account.day == T0 // DAY + 1


def test_who_flattens_while_the_days_limit_closes_everything_is_obeyed_on_the_next_day_too() -> None:
    bench = Bench()
    bench.hold()
    bench.see(BTC="40")
    bench.trader.work()
    assert bench.trader.account.flattening and bench.trader.account.until_day is not None
    assert not bench.commands(Switch.FLATTEN, 1)
    flat(bench)
    tomorrow(bench)
    assert bench.commands(Switch.FLATTEN, 1)
    assert bench.trader.account.state is TradingState.HALTED
    assert bench.enter("1")[1].code is Code.HALTED
    assert bench.journal.kinds.count("FlattenBegan") == 1


def test_who_resumes_on_a_day_that_has_lost_its_limit_is_obeyed_on_the_next() -> None:
    bench = Bench()
    bench.hold()
    assert bench.commands(Switch.HALT, 1)
    bench.see(BTC="40")
    bench.trader.work()
    flat(bench)
    assert not bench.commands(Switch.RESUME, 2)
    assert bench.trader.account.state is TradingState.HALTED
    tomorrow(bench)
    assert bench.commands(Switch.RESUME, 2)
    assert bench.trader.account.state is TradingState.ACTIVE


def test_who_reduces_on_a_halted_day_is_obeyed_from_the_first_moment_of_the_next() -> None:
    bench = Bench()
    bench.hold()
    bench.see(BTC="40")
    bench.trader.work()
    assert bench.commands(Switch.REDUCE, 1)
    flat(bench)
    assert bench.trader.account.state is TradingState.HALTED
    tomorrow(bench)
    assert bench.enter("1")[1].code is Code.REDUCING, "before the order is heard again"
    assert bench.commands(Switch.RESUME, 2)
    assert bench.trader.account.state is TradingState.ACTIVE
