"""The gate: a pure function that lets through what reduces, and of what opens no more than can be lost.

Its arithmetic is checked against fractions that are computed here from the words of the rule, not from its code.
"""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clawd.core.account_events import TradingState
from clawd.core.costs import Costs
from clawd.core.orders import Order, OrderKind
from clawd.risk.gate import SMALLEST_PART, ApprovedOrder, Code, Outcome, Verdict, approve, judge
from clawd.risk.limits import Limits
from clawd.risk.snapshot import (
    AccountFacts,
    AgentFacts,
    MarketFacts,
    PositionFacts,
    Snapshot,
    VenueFacts,
)
from risk.cases import CALM, HOUR, LIMITS, but, order_of

OPENING = order_of(OrderKind.OPENING, "0.5")
NOT_A_NUMBER = [None, Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"), "5", float("nan")]


# Openings: nothing may be missing.


def test_an_entry_within_every_limit_is_let_through_whole() -> None:
    verdict, approved = approve(OPENING, CALM, LIMITS)
    assert (verdict.outcome, verdict.code, verdict.allowed) == (Outcome.ALLOW, Code.WITHIN_LIMITS, OPENING.size)
    assert approved is not None
    assert approved.order == OPENING


AMOUNTS = (
    "account.loss",
    "account.reserved",
    "agent.loss",
    "agent.reserved",
    "agent.share",
    "agent.capital",
    "agent.exposure",
    "position.size",
    "position.opening",
    "position.closing",
    "market.unattributed",
    "market.price",
    "market.instrument.lot",
    "part",
)
#: Those that may be negative, or whose sign another check looks at.
SIGNED = {
    "position.size",
    "position.opening",
    "market.unattributed",
    "market.price",
    "market.instrument.lot",
}


@pytest.mark.parametrize("value", NOT_A_NUMBER, ids=repr)
@pytest.mark.parametrize("name", AMOUNTS)
def test_an_entry_is_refused_where_a_figure_is_missing_or_is_no_number(name: str, value: Any) -> None:
    verdict, approved = approve(OPENING, but(CALM, {name: value}), LIMITS)
    assert verdict.outcome is Outcome.REFUSE
    assert verdict.allowed == 0
    assert approved is None


@pytest.mark.parametrize("value", NOT_A_NUMBER, ids=repr)
@pytest.mark.parametrize("name", ["day_loss", "leverage", "price_band", "fee", "slippage"])
def test_an_entry_is_refused_where_a_limit_or_a_cost_is_no_number(name: str, value: Any) -> None:
    limits = (
        replace(LIMITS, costs=replace(LIMITS.costs, **{name: value}))
        if name in {"fee", "slippage"}
        else replace(LIMITS, **{name: value})
    )
    assert judge(OPENING, CALM, limits).outcome is Outcome.REFUSE


@pytest.mark.parametrize("name", [name for name in AMOUNTS if name not in SIGNED])
def test_an_entry_is_refused_where_a_figure_that_cannot_be_negative_is(name: str) -> None:
    """A negative loss or reserve would make room that is not there."""
    verdict = judge(order_of(OrderKind.OPENING, "90"), but(CALM, {name: Decimal(-1000)}), LIMITS)
    assert verdict.outcome is Outcome.REFUSE


@pytest.mark.parametrize("part", ["1.0000001", "2", "1000"])
def test_an_entry_may_not_use_more_than_the_whole_of_what_is_free(part: str) -> None:
    assert judge(OPENING, but(CALM, {"part": Decimal(part)}), LIMITS).outcome is Outcome.REFUSE


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"account.state": TradingState.HALTED}, Code.HALTED),
        ({"account.state": None}, Code.HALTED),
        ({"account.state": TradingState.REDUCING}, Code.REDUCING),
        ({"account.state": "active"}, Code.HALTED),
        ({"agent.active": False}, Code.AGENT_NOT_ACTIVE),
        ({"agent.active": None}, Code.AGENT_NOT_ACTIVE),
        ({"agent.paused": True}, Code.AGENT_PAUSED),
        ({"agent.paused": None}, Code.AGENT_PAUSED),
        ({"agent.paused": 0}, Code.AGENT_PAUSED),
        ({"position.blocked": True}, Code.BLOCKED),
        ({"position.blocked": None}, Code.BLOCKED),
        ({"market.blocked": True}, Code.BLOCKED),
        ({"market.blocked": None}, Code.BLOCKED),
        ({"venue.breaker_open": True}, Code.VENUE_BREAKER),
        ({"venue.breaker_open": None}, Code.VENUE_BREAKER),
        ({"venue.connected": False}, Code.VENUE_DISCONNECTED),
        ({"venue.connected": None}, Code.VENUE_DISCONNECTED),
        ({"market.unattributed": Decimal("0.001")}, Code.UNATTRIBUTED),
        ({"market.unattributed": Decimal("-0.001")}, Code.UNATTRIBUTED),
        ({"market": None}, Code.FIGURE_UNKNOWN),
        ({"venue": None}, Code.FIGURE_UNKNOWN),
        ({"account": None}, Code.FIGURE_UNKNOWN),
        ({"agent.id": "a002"}, Code.SNAPSHOT_MISMATCH),
        ({"market.instrument.symbol": "BBB"}, Code.SNAPSHOT_MISMATCH),
        ({"market.price": None}, Code.PRICE_MISSING),
        ({"market.price": Decimal(0)}, Code.PRICE_MISSING),
        ({"market.price": Decimal(-1)}, Code.PRICE_MISSING),
        ({"market.price_time": None}, Code.PRICE_MISSING),
        ({"market.price_time": 99 * HOUR - 1}, Code.PRICE_STALE),
        ({"market.price_time": 100 * HOUR + 1}, Code.PRICE_STALE),
        ({"position.unknown_orders": 1}, Code.ORDER_UNKNOWN),
        ({"position.unknown_orders": None}, Code.FIGURE_UNKNOWN),
        ({"now": None}, Code.FIGURE_UNKNOWN),
        ({"agent.loss": None}, Code.FIGURE_UNKNOWN),
        ({"position.size": Decimal("-0.1"), "position.average": Decimal(100)}, Code.POSITION_FLIP),
        ({"position.opening": Decimal("-0.1")}, Code.POSITION_FLIP),
        (
            {
                "position.size": Decimal("-0.3"),
                "position.closing": Decimal("0.2"),
                "position.average": Decimal(100),
            },
            Code.POSITION_FLIP,
        ),
        ({"position.size": Decimal("0.1"), "position.average": None}, Code.PRICE_MISSING),
        ({"position.size": Decimal("0.1"), "position.average": Decimal("NaN")}, Code.PRICE_MISSING),
        ({"position.size": Decimal("0.1"), "position.average": Decimal("100.01")}, Code.ADDING_TO_LOSER),
        ({"market.instrument.lot": Decimal(0)}, Code.SIZE_INVALID),
        ({"market.instrument.lot": Decimal("0.3")}, Code.SIZE_INVALID),
        ({"agent.reserved": Decimal(5)}, Code.DAY_BUDGET),
        ({"agent.loss": Decimal(5)}, Code.DAY_BUDGET),
        ({"account.reserved": Decimal(10)}, Code.DAY_BUDGET),
        ({"account.loss": Decimal(10)}, Code.DAY_BUDGET),
        ({"agent.share": Decimal(0)}, Code.DAY_BUDGET),
        ({"part": Decimal(0)}, Code.DAY_BUDGET),
        ({"agent.exposure": Decimal(2000)}, Code.LEVERAGE),
    ],
    ids=str,
)
def test_a_refusal_names_the_rule_that_objects(changes: dict[str, Any], code: Code) -> None:
    verdict = judge(OPENING, but(CALM, changes), LIMITS)
    assert (verdict.outcome, verdict.code) == (Outcome.REFUSE, code)


@pytest.mark.parametrize("distance", [*NOT_A_NUMBER, Decimal(0), Decimal(-5)], ids=repr)
def test_an_entry_without_a_stop_is_refused(distance: Any) -> None:
    verdict, approved = approve(replace(OPENING, stop_distance=distance), CALM, LIMITS)
    assert (verdict.code, approved) == (Code.NO_STOP, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"market.price_time": 99 * HOUR},  # as old as a bar: just not stale
        {"position.size": Decimal("0.1"), "position.average": Decimal(100)},  # neither wins nor loses
        {"position.size": Decimal("0.1"), "position.average": Decimal(99)},
        {"position.size": Decimal("-0.1"), "position.average": Decimal(99), "position.closing": Decimal("0.1")},
        {"agent.exposure": Decimal(1950)},
    ],
    ids=str,
)
def test_the_edge_of_a_rule_is_within_it(changes: dict[str, Any]) -> None:
    assert judge(OPENING, but(CALM, changes), LIMITS).outcome is Outcome.ALLOW


def test_a_winner_may_be_made_larger_on_either_side_and_a_loser_on_neither() -> None:
    for side in (1, -1):
        order = replace(OPENING, size=side * OPENING.size)
        held = {"position.size": side * Decimal("0.1")}
        winning = but(CALM, {**held, "position.average": Decimal(100 - side)})
        losing = but(CALM, {**held, "position.average": Decimal(100 + side)})
        assert judge(order, winning, LIMITS).outcome is Outcome.ALLOW
        assert judge(order, losing, LIMITS).code is Code.ADDING_TO_LOSER


# The arithmetic.


def between(low: str, high: str, places: int = 4) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), places=places)


@st.composite
def entries(draw: st.DrawFn) -> tuple[Order, Snapshot, Limits]:
    """An entry that only the day's budget or the leverage can object to."""
    lot = draw(st.sampled_from([Decimal("0.001"), Decimal("0.5"), Decimal(1), Decimal("1e-8")]))
    side = draw(st.sampled_from([1, -1]))
    price = draw(between("0.0001", "5000"))
    snapshot = but(
        CALM,
        {
            "market.price": price,
            "market.instrument.lot": lot,
            "agent.loss": draw(between("0", "3")),
            "account.loss": draw(between("0", "8")),
            "agent.reserved": draw(between("0", "3")),
            "account.reserved": draw(between("0", "8")),
            "agent.share": draw(between("5", "30")),
            "part": draw(between("0.1", "1")),
            "agent.capital": draw(between("10", "10000")),
            "agent.exposure": draw(between("0", "20")),
        },
    )
    limits = Limits(
        day_loss=draw(between("15", "100")),
        leverage=draw(between("1", "20")),
        costs=Costs(draw(between("0", "0.05")), draw(between("0", "0.05"))),
        longest_silence=HOUR,
        price_band=Decimal("0.2"),
    )
    distance = draw(between("0.0001", "6000"))
    # Sizes about the largest that fits, where the answers differ.
    one = reserve(Fraction(side), distance, snapshot, limits)
    lots = (
        min(free_of(snapshot, limits) / one, room_of(snapshot, limits) / Fraction(snapshot.market.price or 1))
        * draw(st.sampled_from([Fraction(part) for part in ("0.5", "0.999", "1", "1.001", "1.5", "40", "90", "150")]))
        / Fraction(lot)
    )
    size = side * max(int(lots) + draw(st.integers(-1, 1)), 1) * lot
    order = order_of(OrderKind.OPENING, size, reference=str(price), stop_distance=str(distance))
    return order, snapshot, limits


def free_of(snapshot: Snapshot, limits: Limits) -> Fraction:
    """What this order may put at risk: of the agent's share and the account's limit, less what is lost or reserved."""
    agent = Fraction(snapshot.agent.share) - Fraction(snapshot.agent.loss) - Fraction(snapshot.agent.reserved)
    account = Fraction(limits.day_loss) - Fraction(snapshot.account.loss) - Fraction(snapshot.account.reserved)
    return max(min(agent, account), Fraction(0)) * Fraction(snapshot.part)


def room_of(snapshot: Snapshot, limits: Limits) -> Fraction:
    """The notional that the leverage leaves."""
    room = Fraction(limits.leverage) * Fraction(snapshot.agent.capital) - Fraction(snapshot.agent.exposure)
    return max(room, Fraction(0))


def worst_case(size: Decimal, distance: Decimal, snapshot: Snapshot, limits: Limits) -> Fraction:
    """The most that an entry of this size can lose where it fills at the price, by the fill rules: in, out, and costs.

    The entry slips and pays its fee; the stop lies at its distance from what was paid, is a market order once touched,
    so slips as well, and pays its fee on what it fills at. A long's stop is not below zero, a short's not above twice
    its entry.
    """
    assert snapshot.market.price is not None
    side = 1 if size > 0 else -1
    fee, slippage = Fraction(limits.costs.fee), Fraction(limits.costs.slippage)
    paid = Fraction(snapshot.market.price) * (1 + side * slippage)
    stop = paid - side * Fraction(distance)
    stop = max(stop, Fraction(0)) if side > 0 else min(stop, 2 * paid)
    left = stop * (1 - side * slippage)
    return abs(Fraction(size)) * (side * (paid - left) + fee * (paid + left))


@settings(deadline=None)
@given(entries())
def test_what_is_let_through_can_lose_no_more_than_is_free(case: tuple[Order, Snapshot, Limits]) -> None:
    order, snapshot, limits = case
    verdict = judge(order, snapshot, limits)
    if verdict.allowed == 0:
        return
    assert order.stop_distance is not None
    set_aside = reserve(Fraction(verdict.allowed), order.stop_distance, snapshot, limits)
    assert worst_case(verdict.allowed, order.stop_distance, snapshot, limits) <= set_aside <= free_of(snapshot, limits)
    assert snapshot.market.price is not None
    assert abs(Fraction(verdict.allowed)) * Fraction(snapshot.market.price) <= room_of(snapshot, limits)


@settings(deadline=None)
@given(entries())
def test_never_more_than_asked_never_another_side_always_whole_lots(case: tuple[Order, Snapshot, Limits]) -> None:
    order, snapshot, limits = case
    verdict = judge(order, snapshot, limits)
    assert abs(verdict.allowed) <= abs(order.size)
    assert verdict.allowed * order.size >= 0
    assert (Fraction(verdict.allowed) / Fraction(snapshot.market.instrument.lot)).denominator == 1
    match verdict.outcome:
        case Outcome.ALLOW:
            assert verdict.allowed == order.size
        case Outcome.SHRINK:
            assert abs(order.size) * SMALLEST_PART <= abs(verdict.allowed) < abs(order.size)
        case Outcome.REFUSE:
            assert verdict.allowed == 0


def reserve(size: Fraction, stop_distance: Decimal, snapshot: Snapshot, limits: Limits) -> Fraction:
    """What is set aside for an entry: the way to the stop, and the costs of both ways, the fee on the slipped price."""
    assert snapshot.market.price is not None
    side = 1 if size > 0 else -1
    fee, slippage = Fraction(limits.costs.fee), Fraction(limits.costs.slippage)
    rate = (1 + fee) * (1 + slippage) - 1
    price, distance = Fraction(snapshot.market.price), Fraction(stop_distance)
    return abs(size) * (distance + rate * (price + max(price - side * distance, Fraction(0))))


@settings(deadline=None)
@given(entries())
def test_what_is_taken_away_had_to_be(case: tuple[Order, Snapshot, Limits]) -> None:
    """One lot more would not have fitted: the gate does not shrink for nothing."""
    order, snapshot, limits = case
    verdict = judge(order, snapshot, limits)
    if verdict.outcome is Outcome.ALLOW:
        return
    most = verdict.numbers["largest"]
    assert isinstance(most, Decimal)
    size = (Fraction(most) + Fraction(snapshot.market.instrument.lot)) * (1 if order.size > 0 else -1)
    assert snapshot.market.price is not None
    assert order.stop_distance is not None
    dear = reserve(size, order.stop_distance, snapshot, limits) > free_of(snapshot, limits)
    assert dear or abs(size) * Fraction(snapshot.market.price) > room_of(snapshot, limits)
    if verdict.outcome is Outcome.REFUSE:
        assert most < SMALLEST_PART * abs(order.size)


@settings(deadline=None)
@given(entries())
def test_the_same_question_has_the_same_answer_and_changes_nothing(case: tuple[Order, Snapshot, Limits]) -> None:
    before = copy.deepcopy(case)
    first = judge(*case)
    judge(order_of(OrderKind.OPENING, "1"), CALM, LIMITS)
    assert judge(*case) == first
    assert case == before


@settings(deadline=None)
@given(
    st.decimals(allow_nan=True, allow_infinity=True),
    st.lists(st.sampled_from(AMOUNTS), max_size=4),
    st.decimals(allow_nan=True, allow_infinity=True),
)
def test_no_number_however_wild_makes_it_fall_over(size: Decimal, names: list[str], value: Decimal) -> None:
    """A gate that raises lets nothing through either, but takes the run with it."""
    snapshot = but(CALM, dict.fromkeys(names, value))
    verdict = judge(replace(OPENING, size=size), snapshot, LIMITS)
    assert verdict.outcome in Outcome
    if not size.is_finite():
        assert verdict.outcome is Outcome.REFUSE


# What reduces is let through, whatever else is wrong.

REDUCING = [OrderKind.CLOSING, OrderKind.STOP, OrderKind.TAKE]


def blind(position: Decimal) -> Snapshot:
    """All that can be wrong is wrong; only the position is known, and what closes it already."""
    unknown = Decimal("NaN")
    return Snapshot(
        now=0,
        account=AccountFacts(TradingState.HALTED, Decimal(1000), Decimal(1000)),
        agent=AgentFacts("a001", False, True, Decimal(0), Decimal(0), unknown, Decimal("Infinity"), unknown),
        position=PositionFacts(position, None, unknown, Decimal(0), Decimal(0), 7, True),
        market=MarketFacts(CALM.market.instrument, None, None, Decimal(9), True),
        venue=VenueFacts("paper", False, True),
        part=Decimal(0),
    )


@settings(deadline=None)
@given(st.sampled_from(REDUCING), st.integers(1, 10**6), st.integers(1, 10**6), st.sampled_from([1, -1]))
def test_an_order_that_only_reduces_is_let_through_halted_fired_and_blind(
    kind: OrderKind, lots: int, held: int, side: int
) -> None:
    assume(lots <= held)
    size = -side * lots * Decimal("0.001")
    order = order_of(kind, size)
    verdict, approved = approve(order, blind(side * held * Decimal("0.001")), LIMITS)
    assert (verdict.outcome, verdict.code, verdict.allowed) == (Outcome.ALLOW, Code.REDUCES_RISK, size)
    assert approved is not None
    assert approved.order == order


@settings(deadline=None)
@given(st.sampled_from(REDUCING), st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_an_order_that_calls_itself_reducing_and_is_not_is_refused(kind: OrderKind, lots: int, held: int) -> None:
    """The name of an order opens no door: against the position, and no larger than it, or not at all."""
    assume(lots != 0)
    assume(lots * held >= 0 or abs(lots) > abs(held))
    order = order_of(kind, lots * Decimal("0.001"))
    verdict, approved = approve(order, but(CALM, {"position.size": held * Decimal("0.001")}), LIMITS)
    assert (verdict.outcome, verdict.code, approved) == (Outcome.REFUSE, Code.NOT_REDUCING, None)


@pytest.mark.parametrize("kind", REDUCING)
@pytest.mark.parametrize("position", [None, Decimal("NaN"), Decimal("Infinity")], ids=repr)
def test_what_cannot_be_seen_to_reduce_is_refused(kind: OrderKind, position: Any) -> None:
    verdict = judge(order_of(kind, "-1"), but(CALM, {"position.size": position}), LIMITS)
    assert (verdict.outcome, verdict.code) == (Outcome.REFUSE, Code.NOT_REDUCING)


# Only the gate approves.


def test_an_approved_order_cannot_be_made_by_anyone_else() -> None:
    verdict = Verdict(Outcome.ALLOW, Code.WITHIN_LIMITS, OPENING.size, {})
    for seal in (None, object(), True, "seal"):
        with pytest.raises(TypeError, match="only the gate approves orders"):
            ApprovedOrder(OPENING, verdict, seal)


def test_an_approved_order_cannot_be_turned_into_another() -> None:
    _, approved = approve(OPENING, CALM, LIMITS)
    assert approved is not None
    larger = order_of(OrderKind.OPENING, "1000")
    with pytest.raises((TypeError, ValueError)):
        replace(approved, order=larger)
    with pytest.raises((TypeError, ValueError)):
        type(approved)(larger, approved.verdict, getattr(approved, "seal", None))
    with pytest.raises((TypeError, AttributeError)):
        approved.order = larger  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(approved)).order == OPENING
