"""Every limit that may be set: it shrinks to what it leaves, refuses where its figure is missing, binds only if set.

What each limit leaves is computed here from the words of docs/risk.md, in fractions, one formula a limit.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.orders import Order, OrderKind, OrderType
from clawd.risk.gate import SMALLEST_PART, Code, Outcome, judge
from clawd.risk.limits import OPTIONAL, Limits
from clawd.risk.snapshot import Cluster, MarginFacts, Snapshot
from risk.cases import CALM, HOUR, LIMITS, but, order_of

OPENING = order_of(OrderKind.OPENING, "0.5")
#: So much money that only the limit in question can object.
RICH = but(CALM, {"agent.capital": Decimal(10**9), "agent.share": Decimal(10**9)})
LOOSE = replace(LIMITS, day_loss=Decimal(10**9))
COSTS = Fraction(LIMITS.costs.fee) + Fraction(LIMITS.costs.slippage) * (1 + Fraction(LIMITS.costs.fee))
MARGIN = MarginFacts(
    equity=Decimal(4000), free=Decimal(3000), gross=Decimal(2000), initial=Decimal("0.1"), maintenance=Decimal("0.05")
)


@dataclass(frozen=True)
class Limited:
    """A limit on the size: what it is called, where its figure stands, and what it leaves at a price of 100."""

    name: str
    value: Decimal
    figure: str
    leaves: Callable[[Fraction], Fraction]
    code: Code
    used: Decimal = Decimal(500)
    facts: tuple[tuple[str, Any], ...] = ()


SIZES = [
    Limited("order_notional", Decimal(30), "", lambda _: Fraction(30, 100), Code.ORDER_NOTIONAL),
    Limited("instrument_gross", Decimal(530), "market.gross", lambda used: (530 - used) / 100, Code.INSTRUMENT_GROSS),
    Limited("venue_gross", Decimal(530), "venue.gross", lambda used: (530 - used) / 100, Code.VENUE_GROSS),
    Limited("account_gross", Decimal(530), "account.gross", lambda used: (530 - used) / 100, Code.ACCOUNT_GROSS),
    Limited("account_net", Decimal(530), "account.net", lambda used: (530 - used) / 100, Code.ACCOUNT_NET),
    Limited(
        "equity_leverage",
        Decimal("0.13"),
        "account.gross",
        lambda used: (Fraction(13, 100) * 4000 - used) / 100,
        Code.EQUITY_LEVERAGE,
    ),
    Limited(
        "concentration",
        Decimal("0.13"),
        "market.gross",
        lambda used: (Fraction(13, 100) * 4000 - used) / 100,
        Code.CONCENTRATION,
    ),
    Limited(
        "cluster_share",
        Decimal("0.13"),
        "market.cluster.gross",
        lambda used: (Fraction(13, 100) * 4000 - used) / 100,
        Code.CLUSTER_SHARE,
    ),
    Limited(
        "depth_share", Decimal("0.1"), "market.ask_depth", lambda d: d / 10, Code.DEPTH_SHARE, used=Decimal("2.005")
    ),
    Limited(
        "volume_share",
        Decimal("0.001"),
        "market.day_volume",
        lambda volume: volume / 1000,
        Code.VOLUME_SHARE,
        used=Decimal(300),
    ),
    Limited(
        "margin_left",
        Decimal("0.7"),
        "venue.margin.free",
        lambda free: (free - Fraction(7, 10) * 4000) / (100 * (Fraction(1, 10) + COSTS)),
        Code.FREE_MARGIN,
        used=Decimal(2803),
        facts=(("venue.margin", MARGIN),),
    ),
    Limited(
        "liquidation_distance",
        Decimal("0.2"),
        "venue.margin.gross",
        # equity / (m + d (1 + m)) is the notional at which a move of d against all of it liquidates.
        lambda gross: (
            (4000 - (Fraction("0.05") + Fraction("0.2") * Fraction("1.05")) * gross)
            / (100 * (Fraction("0.05") + Fraction("0.2") * Fraction("1.05") + COSTS))
        ),
        Code.LIQUIDATION_DISTANCE,
        used=Decimal(15350),
        facts=(("venue.margin", MARGIN),),
    ),
]
IDS = [limited.name for limited in SIZES]


def facts_of(limited: Limited, used: Decimal | None) -> Snapshot:
    snapshot = but(RICH, dict(limited.facts))
    return but(snapshot, {limited.figure: used}) if limited.figure else snapshot


@pytest.mark.parametrize("limited", SIZES, ids=IDS)
def test_an_entry_shrinks_to_what_the_limit_leaves_and_to_no_less(limited: Limited) -> None:
    limits = replace(LOOSE, **{limited.name: limited.value})
    verdict = judge(OPENING, facts_of(limited, limited.used), limits)
    lot = Fraction(RICH.market.instrument.lot)
    left = limited.leaves(Fraction(limited.used))
    assert (verdict.outcome, verdict.code) == (Outcome.SHRINK, limited.code)
    assert Fraction(verdict.allowed) <= left < Fraction(verdict.allowed) + lot


@pytest.mark.parametrize("limited", SIZES, ids=IDS)
def test_a_limit_that_is_not_set_does_not_bind(limited: Limited) -> None:
    facts = but(RICH, {limited.figure: limited.used}) if limited.figure and not limited.facts else RICH
    assert judge(OPENING, facts, LOOSE).outcome is Outcome.ALLOW


@pytest.mark.parametrize("value", [None, Decimal("NaN"), Decimal("Infinity"), "5", 5.0], ids=repr)
@pytest.mark.parametrize("limited", [each for each in SIZES if each.figure], ids=lambda each: each.name)
def test_a_limit_that_is_set_and_whose_figure_is_missing_refuses(limited: Limited, value: Any) -> None:
    limits = replace(LOOSE, **{limited.name: limited.value})
    verdict = judge(OPENING, facts_of(limited, value), limits)
    assert (verdict.outcome, verdict.code) == (Outcome.REFUSE, Code.FIGURE_UNKNOWN)
    assert verdict.numbers, "the figure is named"


@pytest.mark.parametrize("name", ["equity_leverage", "concentration", "cluster_share"])
@pytest.mark.parametrize("equity", [None, Decimal("NaN")], ids=repr)
def test_a_limit_on_equity_needs_the_equity(name: str, equity: Decimal | None) -> None:
    limits = replace(LOOSE, **{name: Decimal(1)})
    assert judge(OPENING, but(RICH, {"account.equity": equity}), limits).code is Code.FIGURE_UNKNOWN


@pytest.mark.parametrize("name", ["equity_leverage", "concentration", "cluster_share"])
@pytest.mark.parametrize("equity", [Decimal(0), Decimal(-50)])
def test_an_account_that_is_worth_nothing_enters_nothing(name: str, equity: Decimal) -> None:
    verdict = judge(OPENING, but(RICH, {"account.equity": equity}), replace(LOOSE, **{name: Decimal(3)}))
    assert (verdict.outcome, verdict.code.lower()) == (Outcome.REFUSE, name)


def test_unrealised_loss_is_part_of_the_equity_that_limits_are_held_against() -> None:
    """Freqtrade's users asked for it in #9977: closed trades alone let an account lose everything."""
    limits = replace(LOOSE, equity_leverage=Decimal(1))
    held = but(RICH, {"account.gross": Decimal(3900)})
    assert judge(OPENING, held, limits).outcome is Outcome.ALLOW
    fallen = but(held, {"account.equity": Decimal(3900)})
    assert judge(OPENING, fallen, limits).outcome is Outcome.REFUSE


@pytest.mark.parametrize("missing", ["market.cluster", "venue.margin"])
def test_whole_facts_that_a_limit_needs_and_that_are_missing_refuse(missing: str) -> None:
    limits = replace(LOOSE, cluster_share=Decimal(1), liquidation_distance=Decimal("0.1"), margin_left=Decimal("0.1"))
    facts = but(RICH, {"venue.margin": MARGIN})
    assert judge(OPENING, facts, limits).outcome is Outcome.ALLOW
    verdict = judge(OPENING, but(facts, {missing: None}), limits)
    assert verdict.code is Code.FIGURE_UNKNOWN


@pytest.mark.parametrize("name", ["equity", "free", "gross", "initial", "maintenance"])
def test_margin_facts_that_are_given_must_be_numbers_even_without_a_limit(name: str) -> None:
    facts = but(RICH, {"venue.margin": replace(MARGIN, **{name: Decimal("NaN")})})
    assert judge(OPENING, facts, LOOSE).code is Code.FIGURE_UNKNOWN


def test_margin_is_never_overdrawn() -> None:
    """With no limit set: 20 free, 100 a unit at a tenth and its costs, is less than 2 units."""
    facts = but(RICH, {"venue.margin": replace(MARGIN, free=Decimal(20))})
    verdict = judge(order_of(OrderKind.OPENING, "5"), facts, LOOSE)
    assert (verdict.outcome, verdict.code) == (Outcome.SHRINK, Code.FREE_MARGIN)
    assert (
        Fraction(verdict.allowed)
        <= 20 / (100 * (Fraction(1, 10) + COSTS))
        < Fraction(verdict.allowed) + Fraction(1, 1000)
    )


def test_the_net_of_the_account_may_be_turned_but_not_passed_on_the_other_side() -> None:
    limits = replace(LOOSE, account_net=Decimal(100))
    long = but(RICH, {"account.net": Decimal(80)})
    assert judge(order_of(OrderKind.OPENING, "1"), long, limits).allowed == Decimal("0.2")
    assert judge(order_of(OrderKind.OPENING, "-1"), long, limits).outcome is Outcome.ALLOW
    assert judge(order_of(OrderKind.OPENING, "-10"), long, limits).allowed == Decimal("-1.8")


def test_a_short_takes_the_depth_of_the_bid() -> None:
    facts = but(RICH, {"market.bid_depth": Decimal(1), "market.ask_depth": Decimal(1000)})
    limits = replace(LOOSE, depth_share=Decimal("0.1"))
    assert judge(order_of(OrderKind.OPENING, "-0.5"), facts, limits).allowed == Decimal("-0.1")
    assert judge(order_of(OrderKind.OPENING, "0.5"), facts, limits).outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    ("name", "figure", "code"),
    [("agent_orders", "agent.orders", Code.AGENT_ORDERS), ("venue_orders", "venue.orders", Code.VENUE_ORDERS)],
)
def test_entries_come_no_faster_than_the_limit(name: str, figure: str, code: Code) -> None:
    limits = replace(LOOSE, **{name: 3})
    assert judge(OPENING, but(RICH, {figure: 2}), limits).outcome is Outcome.ALLOW
    assert judge(OPENING, but(RICH, {figure: 3}), limits).code is code
    for unknown in (None, -1, Decimal(1), True):
        assert judge(OPENING, but(RICH, {figure: unknown}), limits).code is Code.FIGURE_UNKNOWN


@pytest.mark.parametrize("skew", [2, -2])
def test_a_clock_that_is_too_far_from_ours_enters_nothing(skew: int) -> None:
    limits = replace(LOOSE, longest_skew=10**9)
    assert judge(OPENING, but(RICH, {"venue.clock_skew": skew * 10**9 // 2}), limits).outcome is Outcome.ALLOW
    assert judge(OPENING, but(RICH, {"venue.clock_skew": skew * 10**9}), limits).code is Code.CLOCK_SKEW
    assert judge(OPENING, but(RICH, {"venue.clock_skew": None}), limits).code is Code.FIGURE_UNKNOWN


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal(-1), Decimal("Infinity"), 0.5, "1"], ids=repr)
@pytest.mark.parametrize("name", OPTIONAL)
def test_a_limit_that_is_no_number_lets_nothing_in(name: str, value: Any) -> None:
    facts = but(RICH, {"venue.margin": MARGIN})
    assert judge(OPENING, facts, replace(LOOSE, **{name: value})).outcome is Outcome.REFUSE


@pytest.mark.parametrize("name", [field.name for field in fields(Limits) if field.name not in OPTIONAL])
def test_the_limits_that_are_always_in_force_cannot_be_left_out(name: str) -> None:
    assert judge(OPENING, RICH, replace(LOOSE, **{name: None})).outcome is Outcome.REFUSE


# The instrument's own bounds.


def test_an_order_below_the_venues_minimum_is_refused_and_so_is_one_that_would_shrink_below_it() -> None:
    facts = but(RICH, {"market.instrument.min_size": Decimal("0.4")})
    assert judge(OPENING, facts, LOOSE).outcome is Outcome.ALLOW
    assert judge(order_of(OrderKind.OPENING, "0.399"), facts, LOOSE).code is Code.BELOW_MINIMUM
    shrunk = judge(OPENING, facts, replace(LOOSE, order_notional=Decimal(39)))
    assert (shrunk.outcome, shrunk.code) == (Outcome.REFUSE, Code.ORDER_NOTIONAL)
    assert judge(OPENING, facts, replace(LOOSE, order_notional=Decimal(40))).allowed == Decimal("0.4")


def test_a_minimum_of_notional_is_counted_at_the_orders_own_price() -> None:
    facts = but(RICH, {"market.instrument.min_notional": Decimal(50)})
    assert judge(OPENING, facts, LOOSE).outcome is Outcome.ALLOW
    cheaper = replace(OPENING, type=OrderType.LIMIT, limit=Decimal("99.99"))
    assert judge(cheaper, facts, LOOSE).code is Code.BELOW_MINIMUM
    shrunk = judge(OPENING, facts, replace(LOOSE, order_notional=Decimal("49.95")))
    assert (shrunk.outcome, shrunk.code) == (Outcome.REFUSE, Code.ORDER_NOTIONAL)


def test_an_order_above_the_venues_maximum_shrinks_to_it() -> None:
    facts = but(RICH, {"market.instrument.max_size": Decimal("0.3")})
    verdict = judge(OPENING, facts, LOOSE)
    assert (verdict.code, verdict.allowed) == (Code.LARGEST_SIZE, Decimal("0.3"))


@pytest.mark.parametrize("name", ["min_size", "max_size", "min_notional"])
def test_a_bound_that_is_no_number_lets_nothing_in(name: str) -> None:
    facts = but(RICH, {f"market.instrument.{name}": Decimal("NaN")})
    assert judge(OPENING, facts, LOOSE).code is Code.FIGURE_UNKNOWN


# Several at once.


@st.composite
def crowded(draw: st.DrawFn) -> tuple[Order, Snapshot, Limits]:
    """Every limit set, each about where it begins to bind, and facts of any size."""
    amount = st.decimals(Decimal(0), Decimal(400), places=2)
    snapshot = but(
        CALM,
        {
            "agent.loss": draw(st.decimals(0, 2, places=2)),
            "account.reserved": draw(st.decimals(0, 4, places=2)),
            "agent.exposure": draw(amount),
            "account.gross": draw(amount),
            "account.net": draw(st.decimals(-400, 400, places=2)),
            "account.equity": draw(st.decimals(-100, 1000, places=2)),
            "market.gross": draw(amount),
            "market.cluster": Cluster("c", draw(amount)),
            "venue.gross": draw(amount),
            "market.bid_depth": draw(st.decimals(0, 100, places=2)),
            "market.ask_depth": draw(st.decimals(0, 100, places=2)),
            "market.day_volume": draw(st.decimals(0, 1000, places=2)),
            "venue.margin": MarginFacts(
                equity=draw(st.decimals(-100, 1000, places=2)),
                free=draw(st.decimals(-100, 1000, places=2)),
                gross=draw(amount),
                initial=draw(st.decimals("0.01", 1, places=2)),
                maintenance=draw(st.decimals(0, "0.5", places=2)),
            ),
        },
    )
    limits = replace(
        LIMITS,
        order_notional=draw(st.decimals(1, 500, places=2)),
        instrument_gross=draw(st.decimals(1, 500, places=2)),
        venue_gross=draw(st.decimals(1, 500, places=2)),
        account_gross=draw(st.decimals(1, 500, places=2)),
        account_net=draw(st.decimals(1, 500, places=2)),
        equity_leverage=draw(st.decimals("0.1", 3, places=1)),
        concentration=draw(st.decimals("0.1", 2, places=1)),
        cluster_share=draw(st.decimals("0.1", 2, places=1)),
        depth_share=draw(st.decimals("0.01", 1, places=2)),
        volume_share=draw(st.decimals("0.01", 1, places=2)),
        margin_left=draw(st.decimals("0.01", 1, places=2)),
        liquidation_distance=draw(st.decimals("0.01", "0.9", places=2)),
        agent_orders=9,
        venue_orders=9,
        longest_skew=10**9,
    )
    size = draw(st.integers(1, 5000)) * Decimal("0.001") * draw(st.sampled_from([1, -1]))
    return order_of(OrderKind.OPENING, size), snapshot, limits


@settings(deadline=None, max_examples=400)
@given(crowded())
def test_after_what_is_let_through_no_limit_is_passed(case: tuple[Order, Snapshot, Limits]) -> None:
    """The state after the order is computed here and held against every limit, in the words of docs/risk.md."""
    order, snapshot, limits = case
    verdict = judge(order, snapshot, limits)
    assert abs(verdict.allowed) <= abs(order.size)
    if verdict.outcome is Outcome.REFUSE:
        assert verdict.allowed == 0
        return
    size, price = Fraction(verdict.allowed), Fraction(100)
    notional = abs(size) * price
    equity = Fraction(snapshot.account.equity or 0)
    gross = Fraction(snapshot.market.gross or 0) + notional

    def limit(name: str) -> Fraction:
        return Fraction(getattr(limits, name))

    assert notional <= limit("order_notional")
    assert gross <= limit("instrument_gross")
    assert Fraction(snapshot.venue.gross or 0) + notional <= limit("venue_gross")
    assert Fraction(snapshot.account.gross or 0) + notional <= limit("account_gross")
    side = 1 if size > 0 else -1
    assert side * Fraction(snapshot.account.net or 0) + notional <= limit("account_net")
    assert Fraction(snapshot.account.gross or 0) + notional <= limit("equity_leverage") * equity
    assert gross <= limit("concentration") * equity
    assert snapshot.market.cluster is not None
    assert Fraction(snapshot.market.cluster.gross) + notional <= limit("cluster_share") * equity
    depth = snapshot.market.ask_depth if size > 0 else snapshot.market.bid_depth
    assert abs(size) <= limit("depth_share") * Fraction(depth or 0)
    assert abs(size) <= limit("volume_share") * Fraction(snapshot.market.day_volume or 0)
    assert Fraction(snapshot.agent.exposure) + notional <= Fraction(limits.leverage) * Fraction(snapshot.agent.capital)
    margin = snapshot.venue.margin
    assert margin is not None
    costs = COSTS * notional
    assert Fraction(margin.free) - Fraction(margin.initial) * notional - costs >= limit("margin_left") * Fraction(
        margin.equity
    )
    # The whole book falls (or rises) by the distance at once: what is left still keeps the positions.
    moved = (Fraction(margin.gross) + notional) * limit("liquidation_distance")
    kept = (Fraction(margin.gross) + notional) * (1 + limit("liquidation_distance")) * Fraction(margin.maintenance)
    assert Fraction(margin.equity) - costs - moved >= kept


@settings(deadline=None, max_examples=200)
@given(crowded())
def test_the_smallest_limit_names_the_code_and_nothing_is_taken_for_nothing(
    case: tuple[Order, Snapshot, Limits],
) -> None:
    order, snapshot, limits = case
    verdict = judge(order, snapshot, limits)
    if verdict.outcome is Outcome.ALLOW or verdict.code is Code.FIGURE_UNKNOWN:
        return
    most = {name: value for name, value in verdict.numbers.items() if name.startswith("most_by_")}
    least = min(most.values())
    assert most[f"most_by_{verdict.code.lower()}"] == least
    largest = verdict.numbers["largest"]
    assert largest <= least < largest + snapshot.market.instrument.lot
    if verdict.outcome is Outcome.REFUSE:
        assert largest < SMALLEST_PART * abs(order.size)


@settings(deadline=None, max_examples=60)
@given(crowded(), st.sampled_from([1, 4, 9, 200]))
def test_the_arithmetic_of_the_thread_changes_no_verdict(case: tuple[Order, Snapshot, Limits], precision: int) -> None:
    """At four digits a difference of large sums is whatever it likes."""
    expected = judge(*case)
    with decimal.localcontext(prec=precision, rounding=decimal.ROUND_UP):
        found = judge(*case)
    assert found == expected


# Reducing is free of all of it.


@settings(deadline=None, max_examples=100)
@given(crowded(), st.integers(1, 1000))
def test_no_limit_stands_in_the_way_of_an_order_that_reduces(case: tuple[Order, Snapshot, Limits], lots: int) -> None:
    _, snapshot, limits = case
    size = lots * Decimal("0.001")
    verdict = judge(order_of(OrderKind.CLOSING, -size), but(snapshot, {"position.size": size}), limits)
    assert (verdict.outcome, verdict.allowed) == (Outcome.ALLOW, -size)


WAITING = [
    (OrderKind.STOP, OrderType.STOP, {"level": Decimal(95)}),
    (OrderKind.TAKE, OrderType.LIMIT, {"level": Decimal(110)}),
    (OrderKind.TAKE, OrderType.LIMIT, {"limit": Decimal(110)}),
    (OrderKind.STOP, OrderType.TRAILING_STOP, {"trail": Decimal(5)}),
]
AT_ONCE = [
    (OrderKind.CLOSING, OrderType.MARKET, {}),
    (OrderKind.CLOSING, OrderType.LIMIT, {"limit": Decimal(99)}),
    (OrderKind.STOP, OrderType.MARKET, {}),
]


@pytest.mark.parametrize(("kind", "type_", "prices"), AT_ONCE)
def test_two_orders_that_close_cannot_turn_a_position(
    kind: OrderKind, type_: OrderType, prices: dict[str, Any]
) -> None:
    """Not even by size: nautilus lets a sale of 10 against a long of 1 through while it only reduces."""
    order = replace(order_of(kind, "-1"), type=type_, **prices)
    held = but(CALM, {"position.size": Decimal("1.5"), "account.state": "reducing"})
    assert judge(order, held, LIMITS).code is Code.REDUCES_RISK
    assert judge(order, but(held, {"position.closing": Decimal("0.5")}), LIMITS).code is Code.REDUCES_RISK
    assert judge(order, but(held, {"position.closing": Decimal("0.501")}), LIMITS).code is Code.NOT_REDUCING
    assert judge(order, but(held, {"position.exits": Decimal("1.5")}), LIMITS).code is Code.REDUCES_RISK
    assert judge(replace(order, size=Decimal(-10)), held, LIMITS).code is Code.NOT_REDUCING


@pytest.mark.parametrize(("kind", "type_", "prices"), WAITING)
def test_exits_that_rest_add_up_to_no_more_than_the_position(
    kind: OrderKind, type_: OrderType, prices: dict[str, Any]
) -> None:
    order = replace(order_of(kind, "-1"), type=type_, **prices)
    held = but(CALM, {"position.size": Decimal("1.5")})
    assert judge(order, but(held, {"position.exits": Decimal("0.5")}), LIMITS).code is Code.REDUCES_RISK
    assert judge(order, but(held, {"position.exits": Decimal("0.501")}), LIMITS).code is Code.NOT_REDUCING
    # A stop must be there until what closes the position has filled.
    assert judge(order, but(held, {"position.closing": Decimal("1.5")}), LIMITS).code is Code.REDUCES_RISK


@pytest.mark.parametrize("value", [None, Decimal("NaN"), Decimal(-1), "0"], ids=repr)
def test_what_works_beside_an_order_that_reduces_must_be_known(value: Any) -> None:
    held = but(CALM, {"position.size": Decimal(1), "position.closing": value, "position.exits": value})
    assert judge(order_of(OrderKind.CLOSING, "-1"), held, LIMITS).code is Code.NOT_REDUCING
    assert judge(order_of(OrderKind.STOP, "-1", level="95"), held, LIMITS).code is Code.NOT_REDUCING


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_whatever_is_let_through_while_reducing_a_position_never_changes_its_side(data: st.DataObject) -> None:
    """Closings are sent one after another, fill whenever they like, and the position only ever comes nearer to flat."""
    held = data.draw(st.integers(-50, 50)) * Decimal("0.001")
    working: list[Decimal] = []
    for _ in range(12):
        if working and data.draw(st.booleans()):
            held += working.pop(data.draw(st.integers(0, len(working) - 1)))
            continue
        size = data.draw(st.integers(-60, 60)) * Decimal("0.001")
        facts = but(
            CALM,
            {
                "account.state": "halted",
                "position.size": held,
                "position.closing": sum((abs(each) for each in working), Decimal(0)),
            },
        )
        verdict = judge(order_of(OrderKind.CLOSING, size), facts, LIMITS)
        if verdict.allowed:
            working.append(verdict.allowed)
        assert verdict.allowed in (0, size)
        all_filled = held + sum(working, Decimal(0))
        assert all_filled * held >= 0
        assert abs(all_filled) <= abs(held)


# Prices.

QUOTED = but(CALM, {"market.bid": Decimal("99.9"), "market.ask": Decimal("100.1"), "market.quote_time": CALM.now})


def limit_order(size: str, limit: str) -> Order:
    return replace(order_of(OrderKind.OPENING, size), type=OrderType.LIMIT, limit=Decimal(limit))


@pytest.mark.parametrize(
    ("order", "facts", "code"),
    [
        (limit_order("0.1", "120"), CALM, Code.WITHIN_LIMITS),
        (limit_order("0.1", "120.01"), CALM, Code.PRICE_BAND),
        (limit_order("-0.1", "79.99"), CALM, Code.PRICE_BAND),
        (limit_order("0.1", "79.99"), CALM, Code.PRICE_BAND),
        (limit_order("0.1", "120"), but(QUOTED, {"market.ask": Decimal("99.95")}), Code.PRICE_BAND),
        (limit_order("-0.1", "80"), but(QUOTED, {"market.bid": Decimal("100.05")}), Code.PRICE_BAND),
        (replace(OPENING, reference=Decimal("120.01")), CALM, Code.PRICE_BAND),
        (replace(OPENING, reference=Decimal("79.99")), CALM, Code.PRICE_BAND),
        (replace(OPENING, reference=None), CALM, Code.PRICE_MISSING),
        (replace(OPENING, reference=Decimal("NaN")), CALM, Code.PRICE_MISSING),
        (replace(OPENING, type=OrderType.STOP, level=Decimal(121)), CALM, Code.PRICE_BAND),
        # An empty book: the next offer is far away, and a market order would go there.
        (OPENING, but(QUOTED, {"market.ask": Decimal(121)}), Code.PRICE_BAND),
        (OPENING, but(QUOTED, {"market.bid": Decimal(79)}), Code.WITHIN_LIMITS),
        (replace(OPENING, size=Decimal("-0.5")), but(QUOTED, {"market.bid": Decimal(79)}), Code.PRICE_BAND),
        (OPENING, but(QUOTED, {"market.bid": Decimal("100.2")}), Code.PRICE_MISSING),
        (OPENING, but(QUOTED, {"market.bid": None}), Code.PRICE_MISSING),
        (OPENING, but(QUOTED, {"market.ask": Decimal("NaN")}), Code.PRICE_MISSING),
        (OPENING, but(QUOTED, {"market.bid": Decimal(0)}), Code.PRICE_MISSING),
        (OPENING, but(QUOTED, {"market.quote_time": None}), Code.PRICE_MISSING),
        (OPENING, but(QUOTED, {"market.quote_time": CALM.now - HOUR - 1}), Code.PRICE_STALE),
        (OPENING, but(QUOTED, {"market.quote_time": CALM.now + 1}), Code.PRICE_STALE),
    ],
)
def test_an_entry_far_from_the_market_or_in_one_that_is_not_seen_is_refused(
    order: Order, facts: Snapshot, code: Code
) -> None:
    assert judge(order, facts, LIMITS).code is code


def test_an_order_that_reduces_may_be_as_far_from_the_market_as_it_likes() -> None:
    order = replace(order_of(OrderKind.CLOSING, "-1"), type=OrderType.LIMIT, limit=Decimal("0.01"))
    assert judge(order, but(CALM, {"position.size": Decimal(1)}), LIMITS).outcome is Outcome.ALLOW


@pytest.mark.parametrize(("side", "prices"), [(1, ("99.99", "100", "110")), (-1, ("100.01", "100", "90"))])
def test_an_order_that_would_add_to_a_loser_by_the_time_it_fills_is_refused(
    side: int, prices: tuple[str, str, str]
) -> None:
    """It wins now, and a limit behind its average would add to it once it loses."""
    held = but(
        CALM, {"position.size": Decimal(side), "position.average": Decimal(100), "market.price": Decimal(100 + side)}
    )
    behind, at, ahead = (limit_order(f"{side * 0.01}", price) for price in prices)
    assert judge(behind, held, LIMITS).code is Code.ADDING_TO_LOSER
    assert judge(at, held, LIMITS).outcome is Outcome.ALLOW
    assert judge(ahead, held, LIMITS).outcome is Outcome.ALLOW


def test_an_order_is_worth_the_worst_that_it_may_cost() -> None:
    """Max notional per order is held against what the order may fill at: nautilus filled 50,000 through 1,000."""
    limits = replace(LOOSE, order_notional=Decimal(100))
    one = order_of(OrderKind.OPENING, "1")
    assert judge(one, RICH, limits).outcome is Outcome.ALLOW
    dear = judge(replace(one, type=OrderType.LIMIT, limit=Decimal(110)), RICH, limits)
    assert dear.allowed == Decimal("0.909")
    asked = but(RICH, {"market.bid": Decimal(100), "market.ask": Decimal(105), "market.quote_time": RICH.now})
    assert judge(one, asked, limits).allowed == Decimal("0.952")
