"""A protection is the bar simulator's position: same bars, same levels, to the last bit, and after a restart."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from exit_venue import Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.account_events import DayBegan, ExitsPlanned, ProtectionChanged
from clawd.core.errors import ClawdError
from clawd.core.instrument import Instrument
from clawd.core.money import booked_price
from clawd.core.orders import Order, OrderKind
from clawd.core.reason import Reason
from clawd.engine.account import ACCOUNT, open_account
from clawd.engine.bar import FILL, MOST_FILLS, trade_bar
from clawd.engine.plan import plan_of
from clawd.engine.position import POSITION
from clawd.engine.position import after_bar as engine_after_bar
from clawd.engine.prices import grid_of
from clawd.execution.protection import Protection, after_bar, after_fill, exits_of, from_event, stop_on_grid, to_event
from clawd.language.exits import read_exits

D = Decimal
MINUTE = 60_000_000_000
DAY = 1440 * MINUTE
INSTRUMENT = Instrument("AAA", tick=D("0.01"), lot=D("0.1"))
LEVELS = ("lots", "average", "entry", "stop", "trail", "chandelier", "break_even", "take", "best", "taken", "held")

WHOLE_SET: dict[str, Any] = {
    "stop": {"percent": 5},
    "trail": {"percent": 3},
    "chandelier": {"atr": 3, "window": 10},
    "break_even": {"percent": 1},
    "take": [{"percent": 2, "share": 0.3, "decay": 7}, {"percent": 4, "share": 0.3}, {"percent": 6, "share": 0.4}],
    "time": 9,
}


def order_of(kind: OrderKind, size: str | Decimal, level: Decimal | None = None, **more: Any) -> Order:
    reason = more.pop("reason", Reason.ENTRY if kind is OrderKind.OPENING else Reason.SIGNAL)
    return Order("o", "a1", "AAA", kind, D(size), reason, level, **more)


def planned_of(exits: dict[str, Any], distances: list[float]) -> ExitsPlanned:
    return ExitsPlanned(order="o", agent="a1", symbol="AAA", exits=exits, distances=distances, bar=MINUTE)


def entered(size: str = "3", exits: dict[str, Any] | None = None, distances: list[float] | None = None) -> Protection:
    planned = planned_of(exits or WHOLE_SET, distances or [-0.05, -0.03, 2.5, -0.01, -0.02, -0.04, -0.06, 0.0])
    held = after_fill(None, order_of(OrderKind.OPENING, size), planned, D(100), D(size), 0, INSTRUMENT)
    assert held is not None
    return held


def same(one: Protection, other: Protection) -> bool:
    """Bit for bit, which NaN and minus zero do not escape."""
    rest = ("agent", "instrument", "exits", "bar", "opened", "moved", "parts")
    return one.position.tobytes() == other.position.tobytes() and all(
        getattr(one, name) == getattr(other, name) for name in rest
    )


# Against the engine.

walks = st.lists(
    st.tuples(
        st.floats(-0.03, 0.03),  # of the open
        st.floats(0, 0.03),  # up to the high
        st.floats(0, 0.03),  # down to the low
        st.floats(0, 1),  # where the close lies between
        st.booleans(),  # traded
        st.sampled_from([np.nan, 0.5, 1.0, 2.5]),  # average true range
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(walks, st.sampled_from([30.0, -30.0, 7.0]), st.sampled_from([0.0, 0.001]))
def test_whole_fills_and_bars_give_the_levels_of_the_engine_bit_for_bit(
    bars: list[tuple[float, ...]], lots: float, slippage: float
) -> None:
    exits = read_exits(WHOLE_SET)
    plan, grid = plan_of(exits, exits.windows), grid_of(0.01)
    position, account = np.zeros(1, POSITION)[0], np.zeros(1, ACCOUNT)[0]
    open_account(account, 1e6)
    distances = [-0.05, -0.03, 2.5, -0.01, -0.02, -0.04, -0.06, 0.0]
    position["opening"], position["opening_reason"], position["reference"] = lots, float(Reason.ENTRY), 100.0
    position["distances"] = distances
    held: Protection | None = None
    close, size = 100.0, D(0)
    for t, (move, up, down, at, traded, average_range) in enumerate(bars):
        open_ = close * (1 + move)
        high, low = open_ * (1 + up), open_ * (1 - down)
        close = low + at * (high - low)
        if traded:
            fills = np.empty(MOST_FILLS, FILL)
            count = trade_bar(position, plan, account, open_, high, low, 1e6, 0.0, slippage, grid, 0.1, fills, 0, t, 0)
            for fill in fills[:count]:
                traded_size = D(round(fill["lots"])) * INSTRUMENT.lot
                size += traded_size
                reason, price = Reason(int(fill["reason"])), booked_price(fill["price"], INSTRUMENT.tick)
                kind, level = OrderKind.STOP, None
                if reason.opens:
                    kind = OrderKind.OPENING
                elif reason is Reason.TAKE:
                    assert held is not None
                    kind = OrderKind.TAKE
                    level = next(each.level for each in exits_of(held) if each.kind is kind)
                elif reason is Reason.TIME:
                    kind = OrderKind.CLOSING
                order = order_of(kind, traded_size, level, reason=reason)
                held = after_fill(held, order, planned_of(WHOLE_SET, distances), price, size, t * MINUTE, INSTRUMENT)
        if held is not None and not held.ended:
            held = after_bar(held, t * MINUTE, high, low, close, traded, {10: average_range})
        engine_after_bar(position, plan, high, low, traded, average_range, grid)
        if held is None:
            continue
        for name in LEVELS:
            assert np.array_equal(held.position[name], position[name]), (t, name)
        if held.ended:
            assert position["lots"] == 0.0
            assert held.position["shut"] == position["shut"]
            return


def test_an_atr_stop_lies_where_the_decision_put_it() -> None:
    held = entered("2", {"stop": {"atr": 2.5, "window": 14}}, [3.333, *[0.0] * 7])
    assert exits_of(held)[0].level == D("96.67")
    assert exits_of(entered("-2", {"stop": {"atr": 2.5, "window": 14}}, [3.333, *[0.0] * 7]))[0].level == D("103.33")


@given(st.integers(1, 10**9), st.floats(0.0, 0.999), st.sampled_from(["0.01", "0.5", "0.000001", "10"]))
def test_a_stop_off_the_grid_goes_onto_it_without_adding_risk(steps: int, part: float, tick: str) -> None:
    level, step = (steps + part) * float(tick), D(tick)
    up, down = stop_on_grid(level, 1, step), stop_on_grid(level, -1, step)
    assert up % step == 0 and down % step == 0
    assert float(up) >= level - float(step) * 1.001e-4
    assert float(down) <= level + float(step) * 1.001e-4
    assert abs(up - down) in (0, step)


def test_a_bar_moves_a_position_once_and_only_while_it_was_held() -> None:
    held = entered()
    after = after_bar(held, 0, 103.0, 99.0, 102.0, True, {10: 1.0})
    assert after.position["held"] == 1.0 and held.position["held"] == 0.0
    assert after_bar(after, 0, 109.0, 99.0, 102.0, True, {10: 1.0}) is after
    assert after_bar(held, -MINUTE, 109.0, 99.0, 102.0, True, {10: 1.0}) is held


def test_of_the_bar_that_it_was_entered_in_late_only_what_came_after_counts() -> None:
    planned = planned_of(TRAIL, [5.0, 3.0, *[0.0] * 6])
    order = order_of(OrderKind.OPENING, "1")
    late = after_fill(None, order, planned, D(100), D(1), MINUTE // 2, INSTRUMENT)
    early = after_fill(None, order, planned, D(100), D(1), MINUTE // 100, INSTRUMENT)
    assert late is not None and early is not None
    assert after_bar(late, 0, 130.0, 99.0, 101.0, True, {}).position["trail"] == 98.0
    assert after_bar(early, 0, 130.0, 99.0, 101.0, True, {}).position["trail"] == 127.0


TRAIL: dict[str, Any] = {"stop": {"percent": 5}, "trail": {"percent": 3}}


# Memory.


@settings(max_examples=100, deadline=None)
@given(walks, st.sampled_from(["3", "-0.7"]), st.integers(0, 10**6))
def test_what_is_written_down_is_read_back_bit_for_bit(bars: list[tuple[float, ...]], size: str, part: int) -> None:
    held, close = entered(size), 100.0
    for t, (move, up, down, at, traded, average_range) in enumerate(bars):
        high, low = close * (1 + move) * (1 + up), close * (1 + move) * (1 - down)
        close = low + at * (high - low)
        held = after_bar(held, t * MINUTE, high, low, close, traded, {10: average_range})
        event = to_event(held)
        text = json.dumps(event.model_dump(mode="json"), allow_nan=False)
        back = from_event(ProtectionChanged.model_validate(json.loads(text)), INSTRUMENT)
        assert same(back, held)
        assert to_event(back) == event
    position = held.position.copy()
    position["acted"], position["reference"], position["mark"] = np.nan, -0.0, 0.1 + part / 3
    odd = from_event(to_event(Protection(**{**_fields(held), "position": position})), INSTRUMENT)
    assert odd.position.tobytes() == position.tobytes()


def _fields(held: Protection) -> dict[str, Any]:
    return {name: getattr(held, name) for name in Protection.__slots__}


def test_a_memory_that_cannot_be_read_is_refused_by_name() -> None:
    event = to_event(entered())
    broken = event.model_copy(update={"memory": {**event.memory, "position": {"lots": "many"}}})
    with pytest.raises(ClawdError, match="exits of a1 in AAA cannot be read"):
        from_event(broken, INSTRUMENT)


def test_a_snapshot_of_the_account_keeps_the_exits() -> None:
    bench = Bench()
    bench.open("1", WHOLE_SET, [-0.05, -0.03, 2.5, -0.01, -0.02, -0.04, -0.06])
    bench.settle()
    back = type(bench.account).from_json(bench.account.to_json())
    assert back.plans == bench.account.plans and back.protections == bench.account.protections
    event = back.protection("a1", "AAA")
    held = bench.manager.protection("a1", "AAA")
    assert event is not None and held is not None and same(from_event(event, INSTRUMENT), held)


def test_a_plan_is_kept_for_as_long_as_its_entry_may_still_be_sent_or_fill() -> None:
    bench = Bench()
    bench.open("1", WHOLE_SET, [-0.05], level="200", id="rests")
    bench.hear(("accepted", "rests"))
    waits = planned_of(WHOLE_SET, [-0.05]).model_copy(update={"order": "waits"})
    bench.enter(waits)
    day = bench.now // DAY
    for later, kept in ((1, {"rests", "waits"}), (3, {"rests", "waits"}), (5, {"rests"})):
        bench.now = (day + later) * DAY
        bench.enter(DayBegan(day=day + later, equity=D(0), agents={}, marks={}))
        assert bench.account.plans.keys() == kept


# Partial fills.


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["take", "close", "open"]), st.integers(1, 12)), max_size=12), st.booleans())
def test_whatever_fills_in_parts_the_targets_never_add_up_to_more_than_is_held(
    steps: list[tuple[str, int]], long: bool
) -> None:
    side = 1 if long else -1
    held, size = entered("3" if long else "-3"), D(3) * side
    stop = exits_of(held)[0].level
    for what, lots in steps:
        exits = exits_of(held)
        if what == "open":
            change = lots * INSTRUMENT.lot * side
            order = order_of(OrderKind.OPENING, change, reason=Reason.INCREASE)
        else:
            takes = [each for each in exits if each.kind is OrderKind.TAKE]
            if what == "take" and not takes:
                continue
            most = abs(takes[0].size) if what == "take" else abs(size)
            change = -side * min(lots * INSTRUMENT.lot, most)
            level = takes[0].level if what == "take" else None
            order = order_of(OrderKind.TAKE if what == "take" else OrderKind.CLOSING, change, level)
        size += change
        before = {each.level: abs(each.size) for each in exits if each.kind is OrderKind.TAKE}
        after = after_fill(held, order, None, D(101), size, 0, INSTRUMENT)
        assert after is not None
        held = after
        if size == 0:
            assert held.ended
            return
        exits = exits_of(held)
        assert exits[0].size == -size
        assert (exits[0].level - stop) * side >= 0, "a stop never moves back"
        now = {each.level: abs(each.size) for each in exits if each.kind is OrderKind.TAKE}
        assert sum(now.values(), D(0)) <= abs(size)
        assert all(each.size * size < 0 for each in exits)
        if what == "take":
            assert order.level is not None
            assert now.get(order.level, D(0)) == before[order.level] - abs(change), "the rest of a target waits"
            assert all(now[level] == before[level] for level in now if level != order.level)
