"""Exits under anything: fills in parts, bars, quotes, refusals, answers lost, doubled and late, and restarts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from exit_venue import SECOND, Bench, capabilities_of
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from clawd.core.account_events import ProtectionOverdue
from clawd.core.orders import OrderKind, OrderType
from clawd.core.reason import Reason
from clawd.execution.life_cycle import OrderState
from clawd.execution.watch import HELD

D = Decimal
EXITS: list[tuple[dict[str, Any], list[float]]] = [
    ({"stop": {"percent": 5}}, [-0.05]),
    ({"stop": {"percent": 5}, "trail": {"percent": 3}, "take": {"percent": 4}, "time": 4}, [-0.05, -0.03, 0, 0, -0.04]),
    (
        {
            "stop": {"percent": 5},
            "break_even": {"percent": 1},
            "take": [
                {"percent": 2, "share": 0.3, "decay": 7},
                {"percent": 4, "share": 0.3},
                {"percent": 6, "share": 0.4},
            ],
        },
        [-0.05, 0, 0, -0.01, -0.02, -0.04, -0.06],
    ),
]


class Exits(RuleBasedStateMachine):
    """One agent, one instrument, a venue that misbehaves. The watch over what is naked looks once a second."""

    @initialize(
        slots=st.sampled_from([None, 1, 2, 3]),
        replace=st.booleans(),
        stops=st.sampled_from([True, True, True, False]),
        reduce_only=st.sampled_from([True, True, False]),
        lots=st.integers(1, 40),
        long=st.booleans(),
        plan=st.sampled_from(EXITS),
    )
    def begin(
        self,
        slots: int | None,
        replace: bool,
        stops: bool,
        reduce_only: bool,
        lots: int,
        long: bool,
        plan: tuple[dict[str, Any], list[float]],
    ) -> None:
        types = {OrderType.MARKET, OrderType.LIMIT} | ({OrderType.STOP} if stops else set())
        self.bench = Bench(capabilities_of(slots, replace=replace, reduce_only=reduce_only, types=frozenset(types)))
        self.bench.quote("100")
        self.stop: tuple[int, Decimal] | None = None
        self.naked_for = self.opened = self.bars = 0
        self.enter(lots, long, plan, 0)
        self.hear_all()

    @property
    def size(self) -> Decimal:
        return self.bench.size

    @rule(lots=st.integers(1, 40), long=st.booleans(), plan=st.sampled_from(EXITS), parts=st.integers(0, 3))
    def enter_again(self, lots: int, long: bool, plan: tuple[dict[str, Any], list[float]], parts: int) -> None:
        self.enter(lots, long, plan, parts)

    def enter(self, lots: int, long: bool, plan: tuple[dict[str, Any], list[float]], parts: int) -> None:
        bench = self.bench
        if self.size or any(each.order.kind is OrderKind.OPENING for each in bench.account.working()):
            return
        if bench.venue.net:
            return  # the books have not heard of it yet
        exits, distances = plan
        side = 1 if long else -1
        level = "100000" if long else "0.01"
        name = bench.open(str(side * lots * D("0.1")), exits, distances, level=level)
        for _ in range(parts):
            if name in bench.venue.live:
                bench.venue.trade(name, side * D("0.1"), bench.venue.price)
        if parts == 0 and name in bench.venue.live:
            bench.venue.trade(name, side * lots * D("0.1"), bench.venue.price)

    @rule(lots=st.integers(1, 20))
    def more_of_the_entry(self, lots: int) -> None:
        for order in list(self.bench.venue.live.values()):
            if order.kind is OrderKind.OPENING:
                rest = abs(order.size) - abs(self.bench.venue.filled.get(order.id, D(0)))
                part = min(rest, lots * D("0.1"))
                self.bench.venue.trade(order.id, part if order.size > 0 else -part, self.bench.venue.price)

    @rule(lots=st.integers(1, 20))
    def enlarge(self, lots: int) -> None:
        held = self.bench.manager.protection("a1", "AAA")
        opening = any(each.order.kind is OrderKind.OPENING for each in self.bench.account.working())
        if held is None or held.took or opening or self.bench.venue.net != self.size:
            return
        name = self.bench.open(
            str((1 if self.size > 0 else -1) * lots * D("0.1")),
            reason=Reason.INCREASE,
            level="100000" if self.size > 0 else "0.01",
        )
        if name in self.bench.venue.live:
            self.bench.venue.trade(name, self.bench.venue.live[name].size, self.bench.venue.price)

    @rule(percent=st.integers(-400, 400))
    def move_and_quote(self, percent: int) -> None:
        self.bench.quote(self._moved(percent))

    @rule(percent=st.integers(-400, 400))
    def move_unseen(self, percent: int) -> None:
        self.bench.venue.move(self._moved(percent))

    def _moved(self, percent: int) -> Decimal:
        price = self.bench.venue.price * (1 + D(percent) / 10_000)
        return max(price.quantize(D("0.01")), D(1))

    @rule(lots=st.integers(1, 5))
    def touch_in_part(self, lots: int) -> None:
        """What the price has come to fills a little."""
        for order in list(self.bench.venue.live.values()):
            if order.reduces and order.type is OrderType.LIMIT and order.level is not None:
                self.bench.venue.price = order.level
                self.bench.venue.match(order.id, lots * D("0.1"))
                return

    @rule(up=st.integers(0, 300), down=st.integers(0, 300))
    def bar(self, up: int, down: int) -> None:
        price = float(self.bench.venue.price)
        self.bars += 1
        time = 1_700_000_000 * SECOND + self.bars * 60 * SECOND
        self.bench.bar(time, price * (1 + up / 1e4), price * (1 - down / 1e4), price)

    @rule(seconds=st.integers(1, 12))
    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.bench.now += SECOND
            self._watch()

    def _watch(self) -> None:
        bench = self.bench
        was = self._is_protected()
        overdue = [fact for fact in bench.check() if isinstance(fact, ProtectionOverdue)]
        bench.keep()
        held = bench.account.protection("a1", "AAA")
        opened = held.memory["opened"] if held else 0
        self.naked_for = 0 if was or not self.size or opened != self.opened else self.naked_for + 1
        self.opened = opened
        closing = any(each.order.kind is not OrderKind.OPENING for each in bench.account.working() if _at_once(each))
        if overdue or closing:
            self.naked_for = 0
        assert self.naked_for <= 11, "naked for too long, and nothing was done about it"

    def _is_protected(self) -> bool:
        """As an outsider sees it: fresh quotes on this side of the stop, or stops that the venue has acknowledged."""
        bench = self.bench
        event = bench.account.protection("a1", "AAA")
        if event is None:
            return False
        quote = bench.quotes.get("AAA")
        if quote is not None and bench.now - quote.time <= 5 * SECOND:
            return quote.bid > event.stop if self.size > 0 else quote.bid < event.stop
        stops = [each for each in bench.account.working() if each.order.kind is OrderKind.STOP and each.state in HELD]
        return sum((abs(each.rest) for each in stops if not _at_once(each)), D(0)) >= abs(self.size)

    @precondition(lambda self: self.bench.venue.said)
    @rule(place=st.integers(0, 20))
    def hear(self, place: int) -> None:
        self.bench.deliver(place % len(self.bench.venue.said))

    @rule()
    def hear_what_is_left(self) -> None:
        self.hear_all()

    def hear_all(self) -> None:
        while self.bench.venue.said:
            self.bench.deliver()

    @precondition(lambda self: self.bench.venue.said)
    @rule()
    def hear_twice(self) -> None:
        self.bench.venue.said.insert(0, self.bench.venue.said[0])

    @precondition(lambda self: self.bench.venue.said)
    @rule()
    def lose_an_answer(self) -> None:
        what, name, *_ = self.bench.venue.said.pop(0)
        placed = self.bench.account.orders[name]
        if what != "fill" and placed.state in (OrderState.SUBMITTED, OrderState.PENDING_CANCEL):
            self.bench.lose_outcomes()
        if what == "fill":
            self.bench.query()

    @rule(times=st.integers(1, 3))
    def refuse(self, times: int) -> None:
        self.bench.venue.refuse = times

    @rule()
    def restart(self) -> None:
        before = {} if not self.size else dict(self.bench.account.protections["a1"])
        heard = len(self.bench.account.trades)
        self.bench.restart()
        if before and len(self.bench.account.trades) == heard:
            assert self.bench.account.protections["a1"] == before
        self.bench.keep()

    @rule()
    def close(self) -> None:
        bench = self.bench
        if not self.size or any(_at_once(each) for each in bench.account.working()):
            return
        if not bench.venue.capabilities.reduce_only:
            bench.keep(leaving=True)
            if any(each.order.reduces for each in bench.account.working()):
                return
        bench.close(str(-self.size))

    @rule()
    def come_to_rest(self) -> None:
        """Without further faults what is there in the end is what is needed, and nothing else."""
        bench = self.bench
        bench.venue.refuse = 0
        for _ in range(40):
            bench.now += SECOND
            bench.lose_outcomes()
            bench.query()
            bench.quote(bench.venue.price)
            bench.do(bench.manager.on_time(bench.now))
            bench.settle()
            self._watch()
        assert self.size == bench.venue.net
        working = [each for each in bench.account.working() if each.order.reduces]
        assert {each.order.id for each in working} == {order.id for order in bench.venue.live.values() if order.reduces}
        event = bench.account.protection("a1", "AAA")
        if not self.size:
            assert working == [] and event is None
            return
        assert event is not None
        capabilities = bench.venue.capabilities
        stops = [each for each in working if each.order.kind is OrderKind.STOP]
        if OrderType.STOP in capabilities.order_types:
            assert [(each.order.level, each.rest) for each in stops] == [(event.stop, -self.size)]
        else:
            assert stops == []
        takes = {(each.order.level, each.rest) for each in working if each.order.kind is OrderKind.TAKE}
        targets = [(each.level, each.size) for each in event.targets if capabilities.reduce_only]
        room = (
            len(targets)
            if capabilities.exits is None
            else capabilities.exits - (1 if stops or OrderType.STOP in capabilities.order_types else 0)
        )
        assert takes == set(targets[:room])

    @invariant()
    def a_stop_never_moves_back(self) -> None:
        if not hasattr(self, "bench"):
            return
        event = self.bench.account.protection("a1", "AAA")
        if event is None:
            self.stop = None
            return
        opened, side = event.memory["opened"], 1 if self.size > 0 else -1
        if self.stop is not None and self.stop[0] == opened * side:
            assert (event.stop - self.stop[1]) * side >= 0
        self.stop = (opened * side, event.stop)
        assert self.bench.account.agents["a1"].holdings["AAA"].stop == event.stop

    @invariant()
    def no_exit_opens_a_position(self) -> None:
        assert not hasattr(self, "bench") or not self.bench.venue.opened_by_exits

    @invariant()
    def no_more_rests_than_the_position_and_what_is_being_replaced(self) -> None:
        if not hasattr(self, "bench"):
            return
        orders = [order for order in self.bench.venue.live.values() if order.reduces]
        stops = [order for order in orders if order.kind is OrderKind.STOP and order.type is OrderType.STOP]
        assert len(stops) <= 4, "the one that rests, its successor, and at most two that nobody knows of"
        slots = self.bench.venue.capabilities.exits
        assert slots is None or len([order for order in orders if order.type is not OrderType.MARKET]) <= slots


def _at_once(placed: Any) -> bool:
    order = placed.order
    return order.kind is not OrderKind.OPENING and (
        order.type is OrderType.MARKET or order.time_in_force.value == "ioc"
    )


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Exits,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


def test_exits_hold_under_anything() -> None:
    run(50, 30)


@pytest.mark.long
def test_exits_hold_under_anything_for_long() -> None:
    run(1_000, 60)
