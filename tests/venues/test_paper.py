"""The paper venue: orders matched against bars by the fill rules, one phase of the bar after another."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind
from clawd.core.reason import Reason
from clawd.engine.bar import stop_fill, target_fill
from clawd.engine.position import POSITION
from clawd.engine.prices import grid_of
from clawd.risk.gate import Outcome, approve
from clawd.venues.paper import Bar, CancelReport, FillReport, PaperVenue, Phase
from risk.cases import CALM, LIMITS, order_of

TICK = Decimal("0.01")
GRID = grid_of(0.01)
COSTS = Costs(fee=Decimal("0.001"), slippage=Decimal("0.01"))
FREE = Costs(Decimal(0), Decimal(0))
QUIET = Bar(100.0, 101.0, 99.0, 100.0, 5.0)


def venue_of(*orders: Order, costs: Costs = FREE, cash: str = "1000") -> PaperVenue:
    """A venue of two instruments at which these orders rest."""
    instruments = [Instrument(symbol, TICK, Decimal("0.001")) for symbol in ("AAA", "BBB")]
    venue = PaperVenue(instruments, costs, Decimal(cash))
    for order in orders:
        venue.restore(order)
    return venue


def matched(
    venue: PaperVenue, bar: Bar, phase: Phase, average: str = "100", symbol: str = "AAA"
) -> list[FillReport | CancelReport]:
    averages = dict.fromkeys(venue.orders, Decimal(average))
    return venue.match(phase, {symbol: bar}, averages)


def filled(venue: PaperVenue, bar: Bar, phase: Phase, average: str = "100") -> list[tuple[OrderKind, Decimal]]:
    return [
        (report.order.kind, report.price)
        for report in matched(venue, bar, phase, average)
        if isinstance(report, FillReport)
    ]


# What may enter.


def test_the_venue_takes_only_what_the_gate_has_sealed_and_only_once() -> None:
    asked = order_of(OrderKind.OPENING, "1")
    verdict, approved = approve(asked, CALM, replace(LIMITS, day_loss=Decimal(2), costs=FREE))
    assert verdict.outcome is Outcome.SHRINK
    assert approved is not None
    venue = venue_of()
    venue.submit(approved)
    assert venue.orders == {asked.id: replace(asked, size=Decimal("0.4"))}
    venue.submit(approved)
    venue.restore(replace(approved.order, size=Decimal(7)))
    assert venue.orders[asked.id].size == Decimal("0.4"), "the same id again changes nothing"
    assert filled(venue, QUIET, Phase.OPENINGS) == [(OrderKind.OPENING, Decimal(100))]
    parameters = list(inspect.signature(PaperVenue.submit, eval_str=True).parameters.values())
    assert [parameter.annotation.__name__ for parameter in parameters[1:]] == ["ApprovedOrder"]


# Phases.

KINDS: Mapping[Phase, set[OrderKind]] = {
    Phase.CLOSINGS: {OrderKind.CLOSING},
    Phase.EXITS_AT_OPEN: {OrderKind.STOP, OrderKind.TAKE},
    Phase.OPENINGS: {OrderKind.OPENING},
    Phase.EXITS_WITHIN: {OrderKind.STOP, OrderKind.TAKE},
}


def crowded() -> PaperVenue:
    """Each kind of order rests, stop and take of different agents, and a bar that opens at 100 fills them all."""
    return venue_of(
        order_of(OrderKind.TAKE, "-1", level="90", agent="a002"),
        order_of(OrderKind.OPENING, "2"),
        order_of(OrderKind.STOP, "-1", level="110"),
        order_of(OrderKind.CLOSING, "-0.5"),
    )


def test_the_phases_come_in_the_order_of_the_fill_rules() -> None:
    assert list(Phase) == [Phase.CLOSINGS, Phase.EXITS_AT_OPEN, Phase.OPENINGS, Phase.EXITS_WITHIN]


@pytest.mark.parametrize("phase", Phase)
def test_each_phase_fills_its_own_kinds_of_order_and_no_others(phase: Phase) -> None:
    assert {kind for kind, _ in filled(crowded(), QUIET, phase)} == KINDS[phase]


@pytest.mark.parametrize("phase", Phase)
def test_matching_reports_and_books_nothing(phase: Phase) -> None:
    venue = crowded()
    before = (venue.cash, dict(venue.positions), dict(venue.orders))
    first = matched(venue, QUIET, phase)
    assert matched(venue, QUIET, phase) == first
    assert (venue.cash, dict(venue.positions), dict(venue.orders)) == before


@pytest.mark.parametrize("phase", Phase)
def test_a_bar_with_no_volume_or_of_another_instrument_fills_and_cancels_nothing(phase: Phase) -> None:
    venue = crowded()
    assert matched(venue, replace(QUIET, volume=0.0), phase) == []
    assert matched(venue, QUIET, phase, symbol="BBB") == []
    assert matched(venue, replace(QUIET, open=500.0, volume=0.0), phase) == []
    assert matched(venue, replace(QUIET, volume=float("nan")), phase), "an unknown volume is not no volume"


# Market orders.


@pytest.mark.parametrize(("size", "price"), [("2", "101"), ("-2", "99")])
def test_a_market_order_fills_at_the_open_worse_by_the_slippage(size: str, price: str) -> None:
    venue = venue_of(order_of(OrderKind.OPENING, size), costs=COSTS)
    (report,) = matched(venue, QUIET, Phase.OPENINGS)
    assert isinstance(report, FillReport)
    assert (report.price, report.fee, report.slippage) == (Decimal(price), 2 * Decimal(price) / 1000, Decimal(2))
    assert report.order.size == Decimal(size)


@pytest.mark.parametrize(
    ("open_price", "fills"), [(100.0, True), (120.0, True), (80.0, True), (120.01, False), (79.99, False)]
)
def test_an_entry_is_cancelled_where_the_open_has_run_a_fifth_away(open_price: float, fills: bool) -> None:
    venue = venue_of(order_of(OrderKind.OPENING, "1"))
    (report,) = matched(venue, replace(QUIET, open=open_price), Phase.OPENINGS)
    assert isinstance(report, FillReport) == fills
    if not fills:
        assert isinstance(report, CancelReport)
        assert report.why == "PRICE_BAND"


def test_an_entry_without_a_reference_is_not_filled_blindly() -> None:
    venue = venue_of(order_of(OrderKind.OPENING, "1", reference=None))
    (report,) = matched(venue, QUIET, Phase.OPENINGS)
    assert isinstance(report, CancelReport)


def test_what_closes_knows_no_price_band() -> None:
    venue = venue_of(order_of(OrderKind.CLOSING, "-1"))
    assert filled(venue, replace(QUIET, open=20.0), Phase.CLOSINGS) == [(OrderKind.CLOSING, Decimal(20))]


# Exits.


@pytest.mark.parametrize(
    ("size", "level", "bar", "at_open", "within"),
    [
        ("-1", "95", Bar(100.0, 101.0, 95.01, 98.0, 5.0), None, None),
        ("-1", "95", Bar(100.0, 101.0, 95.0, 98.0, 5.0), None, "95"),  # to the tick
        ("-1", "95", Bar(100.0, 101.0, 60.0, 98.0, 5.0), None, "95"),
        ("-1", "95", Bar(94.0, 101.0, 60.0, 98.0, 5.0), "94", "94"),
        ("1", "105", Bar(100.0, 104.99, 99.0, 98.0, 5.0), None, None),
        ("1", "105", Bar(100.0, 105.0, 99.0, 98.0, 5.0), None, "105"),
        ("1", "105", Bar(106.0, 140.0, 99.0, 98.0, 5.0), "106", "106"),
    ],
)
def test_a_stop_fills_at_its_level_or_at_an_open_beyond_it(
    size: str, level: str, bar: Bar, at_open: str | None, within: str | None
) -> None:
    venue = venue_of(order_of(OrderKind.STOP, size, level=level))
    for phase, price in ((Phase.EXITS_AT_OPEN, at_open), (Phase.EXITS_WITHIN, within)):
        assert filled(venue, bar, phase) == ([] if price is None else [(OrderKind.STOP, Decimal(price))])


@pytest.mark.parametrize(
    ("size", "level", "bar", "at_open", "within"),
    [
        ("-1", "105", Bar(100.0, 104.99, 99.0, 98.0, 5.0), None, None),
        ("-1", "105", Bar(100.0, 105.0, 99.0, 98.0, 5.0), None, "105"),
        ("-1", "105", Bar(107.0, 108.0, 99.0, 98.0, 5.0), "107", "107"),
        ("1", "95", Bar(100.0, 101.0, 95.01, 98.0, 5.0), None, None),
        ("1", "95", Bar(100.0, 101.0, 80.0, 98.0, 5.0), None, "95"),
        ("1", "95", Bar(93.0, 101.0, 80.0, 98.0, 5.0), "93", "93"),
    ],
)
def test_a_target_fills_at_its_level_or_better_and_never_slips(
    size: str, level: str, bar: Bar, at_open: str | None, within: str | None
) -> None:
    venue = venue_of(order_of(OrderKind.TAKE, size, level=level), costs=COSTS)
    for phase, price in ((Phase.EXITS_AT_OPEN, at_open), (Phase.EXITS_WITHIN, within)):
        reports = matched(venue, bar, phase)
        assert [report.price for report in reports if isinstance(report, FillReport)] == (
            [] if price is None else [Decimal(price)]
        )
        assert all(report.slippage == 0 for report in reports if isinstance(report, FillReport))


@pytest.mark.parametrize("first", [OrderKind.STOP, OrderKind.TAKE])
@pytest.mark.parametrize("phase", [Phase.EXITS_AT_OPEN, Phase.EXITS_WITHIN])
def test_where_a_bar_touches_both_exits_the_stop_came_first_and_alone(first: OrderKind, phase: Phase) -> None:
    """Whichever of the two was sent first."""
    exits = [order_of(OrderKind.STOP, "-1", level="99.5"), order_of(OrderKind.TAKE, "-1", level="100")]
    venue = venue_of(*(exits if first is OrderKind.STOP else reversed(exits)))
    bar = Bar(100.0, 101.0, 99.0, 100.0, 5.0) if phase is Phase.EXITS_WITHIN else Bar(99.0, 101.0, 98.0, 100.0, 5.0)
    assert [kind for kind, _ in filled(venue, bar, phase)] == [OrderKind.STOP]


def test_a_stop_of_one_agent_or_instrument_does_not_beat_the_target_of_another() -> None:
    venue = venue_of(
        order_of(OrderKind.STOP, "-1", level="99.5"), order_of(OrderKind.TAKE, "-1", level="101", agent="a002")
    )
    assert {kind for kind, _ in filled(venue, QUIET, Phase.EXITS_WITHIN)} == {OrderKind.STOP, OrderKind.TAKE}


@pytest.mark.parametrize(
    ("kind", "level", "phase"),
    [(OrderKind.CLOSING, None, Phase.CLOSINGS), (OrderKind.STOP, "150", Phase.EXITS_AT_OPEN)],
)
def test_a_short_never_pays_more_than_its_margin_covers(kind: OrderKind, level: str | None, phase: Phase) -> None:
    """Bought back at twice its entry price at the most, slippage included; the margin is the whole notional."""
    venue = venue_of(order_of(kind, "1", level=level), costs=COSTS)
    for open_price, price in ((150.0, "151.5"), (199.0, "200"), (500.0, "200")):
        assert filled(venue, replace(QUIET, open=open_price, high=600.0), phase) == [(kind, Decimal(price))]
    (report,) = matched(venue, replace(QUIET, open=500.0), phase)
    assert isinstance(report, FillReport)
    assert report.slippage == 0, "a price that the margin caps gives nothing up"


def test_a_long_falls_as_far_as_the_market_does() -> None:
    venue = venue_of(order_of(OrderKind.CLOSING, "-1"))
    assert filled(venue, replace(QUIET, open=0.01), Phase.CLOSINGS) == [(OrderKind.CLOSING, Decimal("0.01"))]


prices = st.integers(5_000, 20_000).map(lambda ticks: ticks / 100)


@settings(deadline=None)
@given(
    st.sampled_from([1.0, -1.0]),
    st.tuples(prices, prices, prices, prices),
    prices,
    st.one_of(st.just(0.0), prices),
    prices,
    st.sampled_from([Decimal(0), Decimal("0.0013"), Decimal("0.05")]),
)
def test_exits_fill_as_in_the_simulator(
    side: float,
    path: tuple[float, float, float, float],
    stop: float,
    take: float,
    average: float,
    slippage: Decimal,
) -> None:
    bar = Bar(path[0], max(path), min(path), path[-1], 5.0)
    position = np.zeros(1, POSITION)
    position["lots"], position["average"], position["stop"], position["take"][0, 0] = side, average, stop, take
    venue = venue_of(costs=Costs(Decimal(0), slippage))
    size = str(int(-side))
    venue.restore(order_of(OrderKind.STOP, size, level=str(stop)))
    if take:
        venue.restore(order_of(OrderKind.TAKE, size, level=str(take)))
    for phase in (Phase.EXITS_AT_OPEN, Phase.EXITS_WITHIN):
        at_open = phase is Phase.EXITS_AT_OPEN
        prices = {
            Reason.STOP: stop_fill(position[0], bar.open, bar.high, bar.low, at_open, float(slippage), GRID),
            Reason.TAKE: target_fill(position[0], 0, bar.open, bar.high, bar.low, at_open, GRID) if take else np.nan,
        }
        expected = [(reason, price) for reason, price in prices.items() if not np.isnan(price)][:1]
        found = matched(venue, bar, phase, average=str(average))
        assert [(report.order.reason, float(report.price)) for report in found if isinstance(report, FillReport)] == (
            expected
        )


# The account.


def test_a_settled_fill_moves_cash_and_position_by_price_size_and_fee() -> None:
    venue = venue_of(order_of(OrderKind.OPENING, "3"), cash="1000")
    venue.settle("a001.AAA.opening", "AAA", Decimal(3), Decimal("100.5"), Decimal("0.25"))
    assert (venue.cash, venue.positions["AAA"], venue.orders) == (Decimal("698.25"), Decimal(3), {})
    venue.settle("later", "AAA", Decimal("-4.5"), Decimal(90), Decimal("0.1"))
    assert (venue.cash, venue.positions["AAA"]) == (Decimal("1103.15"), Decimal("-1.5"))
    venue.pay_funding(Decimal("2.5"))
    venue.pay_funding(Decimal("-1"))
    assert venue.cash == Decimal("1101.65")


@given(
    st.lists(
        st.tuples(
            st.decimals(Decimal("-1e6"), Decimal("1e6"), places=8),
            st.decimals(Decimal("1e-6"), Decimal("1e6"), places=8),
            st.decimals(Decimal(0), Decimal(100), places=10),
        ),
        max_size=12,
    )
)
def test_the_order_of_fills_does_not_change_the_account(fills: list[tuple[Decimal, Decimal, Decimal]]) -> None:
    there, back = venue_of(), venue_of()
    for number, (size, price, fee) in enumerate(fills):
        there.settle(str(number), "AAA", size, price, fee)
    for number, (size, price, fee) in reversed(list(enumerate(fills))):
        back.settle(str(number), "AAA", size, price, fee)
    assert (there.cash, there.positions["AAA"]) == (back.cash, back.positions["AAA"])
    assert there.positions["AAA"] == sum((size for size, _, _ in fills), Decimal(0))


def test_orders_are_moved_and_cancelled_by_their_id_alone() -> None:
    stop, other = order_of(OrderKind.STOP, "-1", level="95"), order_of(OrderKind.STOP, "-1", level="95", agent="a002")
    venue = venue_of(stop, other)
    venue.move(stop.id, Decimal(97), Decimal(-2))
    assert venue.orders == {stop.id: replace(stop, level=Decimal(97), size=Decimal(-2)), other.id: other}
    venue.cancel(stop.id)
    venue.cancel(stop.id)
    assert venue.orders == {other.id: other}
    with pytest.raises(KeyError):
        venue.move(stop.id, Decimal(97), Decimal(-2))
