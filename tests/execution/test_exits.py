"""The exit manager: which exits must rest for a position, and what has to change so that they do."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind
from clawd.core.reason import Reason
from clawd.engine.plan import plan_of
from clawd.engine.position import POSITION
from clawd.execution.exits import exit_changes
from clawd.execution.reconcile import reconcile
from clawd.language.exits import read_exits

INSTRUMENT = Instrument("AAA", tick=Decimal("0.01"), lot=Decimal("0.1"))


ONE = plan_of(read_exits({"stop": {"percent": 5}, "take": {"percent": 5}}), ())
HALVES = plan_of(
    read_exits({"stop": {"percent": 5}, "take": [{"percent": 5, "share": 0.5}, {"percent": 9, "share": 0.5}]}), ()
)
PARTS = plan_of(
    read_exits({"stop": {"percent": 5}, "take": [{"percent": 5, "share": 0.25}, {"percent": 9, "share": 0.5}]}), ()
)


def position_of(lots: float, stop: float, trail: float = 0.0, take: float = 0.0, second: float = 0.0) -> np.void:
    position = np.zeros(1, POSITION)
    position["lots"], position["stop"], position["trail"], position["take"][0, :2] = lots, stop, trail, (take, second)
    position["average"] = 100.0
    return position[0]


def order_of(kind: OrderKind, size: str, level: str | None = None, reason: Reason = Reason.STOP) -> Order:
    return Order(f"a001.AAA.1.{kind}", "a001", "AAA", kind, Decimal(size), reason, level and Decimal(level))


def settled(
    position: np.void, size: str, resting: list[Order], time: int = 9 * 10**9, plan: np.void = ONE
) -> list[Order]:
    """The orders that rest once the changes are made."""
    changes = exit_changes("a001", INSTRUMENT, position, plan, Decimal(size), resting, time)
    orders = {order.id: order for order in resting}
    for order in changes.cancel:
        del orders[order.id]
    for order, level, moved in changes.move:
        orders[order.id] = Order(order.id, order.agent, order.symbol, order.kind, moved, order.reason, level)
    for order in changes.submit:
        assert order.id not in orders
        orders[order.id] = order
    return list(orders.values())


def test_a_new_position_gets_a_stop_for_its_whole_size_and_a_target_where_it_has_one() -> None:
    (stop,) = settled(position_of(20, 95.0), "2", [])
    assert (stop.kind, stop.size, stop.level, stop.reason) == (OrderKind.STOP, Decimal(-2), Decimal(95), Reason.STOP)
    stop, take = settled(position_of(-20, 105.0, take=90.004), "-2", [])
    assert (stop.size, stop.level) == (Decimal(2), Decimal(105))
    assert (take.kind, take.size, take.level, take.reason) == (
        OrderKind.TAKE,
        Decimal(2),
        Decimal("90.00"),
        Reason.TAKE,
    )


@pytest.mark.parametrize(("lots", "stop", "trail", "level"), [(1, 95, 97, 97), (1, 95, 92, 95), (-1, 105, 103, 103)])
def test_the_nearer_of_stop_and_trailing_stop_is_what_rests(lots: int, stop: int, trail: int, level: int) -> None:
    (order,) = settled(position_of(lots, stop, trail), str(lots), [])
    assert order.level == level


def test_exits_that_are_right_already_are_left_alone() -> None:
    resting = [order_of(OrderKind.STOP, "-2", "95"), order_of(OrderKind.TAKE, "-2", "110")]
    changes = exit_changes("a001", INSTRUMENT, position_of(20, 95.0, take=110.0), ONE, Decimal(2), resting, 9)
    assert (changes.submit, changes.move, changes.cancel) == ((), (), ())


def test_a_position_that_changed_its_size_or_its_trail_moves_its_exits() -> None:
    resting = [order_of(OrderKind.STOP, "-2", "95"), order_of(OrderKind.TAKE, "-2", "110")]
    stop, take = settled(position_of(30, 95.0, 96.5, 110.0), "3", resting)
    assert (stop.id, stop.size, stop.level) == (resting[0].id, Decimal(-3), Decimal("96.5"))
    assert (take.id, take.size, take.level) == (resting[1].id, Decimal(-3), Decimal(110))


def test_a_position_that_is_gone_takes_its_exits_and_what_was_to_change_it_along_but_not_a_new_entry() -> None:
    entry = order_of(OrderKind.OPENING, "1", reason=Reason.ENTRY)
    resting = [
        order_of(OrderKind.STOP, "-2", "95"),
        order_of(OrderKind.TAKE, "-2", "110"),
        order_of(OrderKind.CLOSING, "-2", reason=Reason.SIGNAL),
        entry,
    ]
    assert settled(position_of(0, 0.0), "0", resting) == [entry]
    increase = order_of(OrderKind.OPENING, "1", reason=Reason.INCREASE)
    assert settled(position_of(0, 0.0), "0", [increase]) == []


@settings(deadline=None)
@given(
    st.sampled_from([1, -1]),
    st.integers(1, 50),
    st.integers(9_000, 11_000),
    st.sampled_from([0, 1]),
    st.integers(9_000, 11_000),
    st.lists(st.sampled_from([OrderKind.STOP, OrderKind.TAKE, OrderKind.CLOSING]), unique=True),
)
def test_whatever_rested_before_a_position_ends_up_with_just_its_exits(
    side: int, tenths: int, stop: int, takes: int, take: int, before: list[OrderKind]
) -> None:
    size = side * Decimal(tenths) / 10
    resting = [order_of(kind, "-7", None if kind is OrderKind.CLOSING else "100") for kind in before]
    found = settled(position_of(side * tenths, stop / 100, take=takes * take / 100), str(size), resting)
    stops = [(order.size, order.level) for order in found if order.kind is OrderKind.STOP]
    assert stops == [(-size, Decimal(stop) / 100)]
    assert len([order for order in found if order.kind is OrderKind.TAKE]) <= 1
    if takes:
        assert [(order.size, order.level) for order in found if order.kind is OrderKind.TAKE] == [
            (-size, Decimal(take) / 100)
        ]
    again = exit_changes(
        "a001", INSTRUMENT, position_of(side * tenths, stop / 100, take=takes * take / 100), ONE, size, found, 10**10
    )
    assert (again.submit, again.move, again.cancel) == ((), (), ()), "right is right: nothing more to change"


def test_the_same_decision_names_the_same_order() -> None:
    """A decision that is made again after a crash cannot be sent twice."""
    first = exit_changes("a001", INSTRUMENT, position_of(20, 95.0), ONE, Decimal(2), [], 9 * 10**9)
    again = exit_changes("a001", INSTRUMENT, position_of(20, 95.0), ONE, Decimal(2), [], 9 * 10**9)
    later = exit_changes("a001", INSTRUMENT, position_of(20, 95.0), ONE, Decimal(2), [], 10 * 10**9)
    assert first.submit == again.submit
    assert first.submit[0].id != later.submit[0].id


# Several targets.


def targets(orders: list[Order]) -> list[tuple[Decimal, Decimal | None]]:
    return [(order.size, order.level) for order in orders if order.kind is OrderKind.TAKE]


def test_each_target_rests_for_its_part_nearest_first_and_the_stop_for_the_whole() -> None:
    found = settled(position_of(21, 95.0, take=109.0, second=105.0), "2.1", [], plan=HALVES)
    assert [order.size for order in found if order.kind is OrderKind.STOP] == [Decimal("-2.1")]
    assert targets(found) == [(Decimal("-1"), Decimal(105)), (Decimal("-1.1"), Decimal(109))]
    assert len({order.id for order in found}) == 3
    short = settled(position_of(-21, 105.0, take=91.0, second=95.0), "-2.1", [], plan=PARTS)
    assert targets(short) == [(Decimal("1"), Decimal(95)), (Decimal("0.5"), Decimal(91))]


def test_a_target_of_less_than_a_lot_does_not_rest_unless_it_is_the_last_of_the_whole() -> None:
    assert targets(settled(position_of(1, 95.0, take=105.0, second=109.0), "0.1", [], plan=PARTS)) == []
    assert targets(settled(position_of(1, 95.0, take=105.0, second=109.0), "0.1", [], plan=HALVES)) == [
        (Decimal("-0.1"), Decimal(109))
    ]


def test_after_a_partial_fill_the_stop_shrinks_and_the_other_target_stays_as_it_was() -> None:
    before = settled(position_of(20, 95.0, take=105.0, second=109.0), "2", [], plan=PARTS)
    rest = [order for order in before if order.level != Decimal(105)]
    position = position_of(15, 95.0, second=109.0)
    position["taken"] = 5
    changes = exit_changes("a001", INSTRUMENT, position, PARTS, Decimal("1.5"), rest, 10**10)
    assert [(order.kind, level, size) for order, level, size in changes.move] == [
        (OrderKind.STOP, Decimal(95), Decimal("-1.5"))
    ]
    assert (changes.submit, changes.cancel) == ((), ())


def test_targets_that_pass_one_another_keep_resting_nearest_first() -> None:
    before = settled(position_of(20, 95.0, take=105.0, second=109.0), "2", [], plan=PARTS)
    found = settled(position_of(20, 95.0, take=105.0, second=103.0), "2", before, plan=PARTS)
    assert targets(found) == [(Decimal("-1"), Decimal(103)), (Decimal("-0.5"), Decimal(105))]
    assert [order.id for order in found] == [order.id for order in before]


def test_an_order_to_enlarge_goes_once_a_target_has_closed_a_part() -> None:
    position = position_of(15, 95.0, second=109.0)
    rest = settled(position, "1.5", [], plan=PARTS)
    increase = order_of(OrderKind.OPENING, "1", reason=Reason.INCREASE)
    assert increase in settled(position, "1.5", [*rest, increase], plan=PARTS)
    position["taken"] = 5
    assert increase not in settled(position, "1.5", [*rest, increase], plan=PARTS)


# Reconciliation.

STOP = order_of(OrderKind.STOP, "-2", "95")


def differences(**changed: object) -> str | None:
    ours = {"sizes": {"AAA": Decimal(2)}, "cash": Decimal("10.5"), "orders": {STOP.id: STOP}}
    theirs = {"venue_sizes": {"AAA": Decimal(2)}, "venue_cash": Decimal("10.5"), "venue_orders": {STOP.id: STOP}}
    try:
        reconcile(**(ours | theirs | changed))  # type: ignore[arg-type]
    except ClawdError as error:
        return str(error)
    return None


def test_books_that_agree_with_the_venue_are_let_through() -> None:
    assert differences() is None
    assert differences(cash=Decimal("10.50")) is None, "the same amount with another zero is the same amount"
    assert differences(sizes={"AAA": Decimal(2), "BBB": Decimal(0)}) is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"sizes": {"AAA": Decimal("2.0000000001")}}, "AAA"),
        ({"sizes": {}}, "AAA"),
        ({"venue_sizes": {}}, "AAA"),
        ({"venue_sizes": {"AAA": Decimal(2), "BBB": Decimal(1)}}, "BBB"),
        ({"cash": Decimal("10.5000000001")}, "cash"),
        ({"venue_cash": Decimal(0)}, "cash"),
        ({"orders": {}}, STOP.id),
        ({"venue_orders": {}}, STOP.id),
        ({"venue_orders": {STOP.id: order_of(OrderKind.STOP, "-2", "95.01")}}, STOP.id),
        ({"venue_orders": {STOP.id: order_of(OrderKind.STOP, "-3", "95")}}, STOP.id),
    ],
    ids=str,
)
def test_the_smallest_difference_is_named(changed: dict[str, object], words: str) -> None:
    found = differences(**changed)
    assert found is not None
    assert words in found
