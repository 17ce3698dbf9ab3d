"""The parity report: each planted difference is found under its name, with the money that a hand works out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from fleet_worlds import DAY, HOUR, MIDNIGHT, Pausing, in_sessions, panel_of, settings_of, strategy_of, walk
from parity_worlds import Doctor, compared, history_of, strangers, traded

from clawd.core.event import Event
from clawd.core.events import OrderFilled
from clawd.core.orders import OrderKind
from clawd.core.panel import Floats, Panel
from clawd.core.reason import Reason
from clawd.core.settings import Settings
from clawd.fleet.parity import parities
from clawd.fleet.parity_difference import AgentParity
from clawd.fleet.parity_facts import Facts, full_days
from clawd.fleet.parity_words import Cause
from clawd.language.strategy import Strategy
from clawd.store.switchboard import NOTHING_ORDERED, Command, Switch
from clawd.venues.paper import CancelReport, FillReport

ENTRY, LEAVE = 4, 11
LOT = Decimal("1e-8")
COARSE = Decimal("1e-7")  # of an instrument whose first price is below 100


@pytest.fixture(scope="module", autouse=True)
def _nobody_is_fired_by_the_evidence() -> Iterator[None]:
    """Firing by evidence would come in between; firing by drawdown has a test of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clawd.evidence.monitor.FALSE_FIRING", 1e-300)
        yield


def stairs(step: float, *, flat_until: int = 0, length: int = 30) -> Floats:
    """[T, 5] bars without wicks, each of which opens a step from the one before, at its close."""
    opens = 100.0 + step * np.maximum(np.arange(length + 1) - flat_until, 0)
    first, last = opens[:-1], opens[1:]
    return np.stack([first, np.maximum(first, last), np.minimum(first, last), last, np.full(length, 5.0)], axis=1)


def wanted(length: int = 30) -> Floats:
    """Half of the capital, entered at the open of bar 4, left at the open of bar 11."""
    index = np.arange(length)
    return np.where((index >= ENTRY - 1) & (index < LEAVE - 1), 0.5, 0.0)


def world(bars: Floats, **others: Floats) -> Panel:
    return panel_of({"AAA": bars, **others}, series={"wanted": wanted(bars.shape[0])})


def holder(stop: float = 50, **given: object) -> Strategy:
    return strategy_of('long_only(ext("wanted"))', f"stop = {{ percent = {stop} }}", **given)


def free(**given: object) -> Settings:
    """No fee and no slippage, so that a hand can follow."""
    return settings_of(fee=Decimal(0), slippage=Decimal(0), **given)


def size_at(price: int, lot: Decimal = LOT) -> Decimal:
    """Half of a capital of 1,000 at a price, in whole lots."""
    return Decimal(500) / price // lot * lot


def first_day(
    panel: Panel, settings: Settings, doctor: Doctor = lambda _, report: report, stop: float = 50
) -> AgentParity:
    days = compared(traded([holder(stop)], panel, settings, 1, doctor), panel)
    assert strangers(days) == []
    assert not any(agent.differences for day in days[1:] for agent in day.agents)
    return days[0].agents[0]


def causes(agent: AgentParity) -> dict[Cause, Decimal]:
    return {cause: agent.of(cause) for cause in Cause if agent.of(cause)}


def on(bar: int, kind: OrderKind, change: Callable[[FillReport], FillReport | CancelReport | None]) -> Doctor:
    """What a venue says of orders of a kind in one bar, changed."""

    def doctor(now: int, report: FillReport | CancelReport) -> FillReport | CancelReport | None:
        hit = now == bar and report.order.kind is kind and isinstance(report, FillReport)
        return change(report) if hit else report

    return doctor


# The venue does otherwise than the model.


def test_a_day_that_went_as_modelled_has_no_difference() -> None:
    agent = first_day(world(stairs(1)), free())
    assert agent.differences == ()
    assert agent.real == agent.replayed == size_at(104) * 7


def test_slippage_beyond_the_model_costs_what_was_paid_more() -> None:
    dearer = on(ENTRY, OrderKind.OPENING, lambda report: replace(report, price=report.price + 1))
    agent = first_day(world(stairs(1)), free(), dearer)
    assert causes(agent) == {Cause.SLIPPAGE: -size_at(104)}
    assert agent.replayed == size_at(104) * 7
    (line,) = agent.differences
    assert (line.symbol, line.time) == ("AAA", MIDNIGHT + ENTRY * HOUR)
    assert line.words == "opening of 4.8077 filled at 105.0000000, the model says 104.0000000"


def test_a_stop_that_slippage_brought_nearer_is_a_cost_of_the_slippage() -> None:
    """Entered at 105 instead of 104 the stop lies at 99.75 instead of 98.8, and one low lies between them."""
    bars = stairs(1)
    bars[7, 2] = 99.5
    dearer = on(ENTRY, OrderKind.OPENING, lambda report: replace(report, price=report.price + 1))
    agent = first_day(world(bars), free(), dearer, stop=5)
    assert causes(agent) == {Cause.SLIPPAGE: size_at(104) * (Decimal("99.75") - 105) - size_at(104) * 7}


def test_an_order_that_filled_a_bar_later_costs_the_way_of_the_price() -> None:
    agent = first_day(world(stairs(1)), free(), on(ENTRY, OrderKind.OPENING, lambda _: None))
    assert causes(agent) == {Cause.LATENCY: -size_at(104)}
    (line,) = agent.differences
    assert line.words == "opening of 4.8077: 4.8077 of it filled later than modelled, at 2024-01-01 05:00"


def test_lateness_and_the_price_of_the_late_fill_are_told_apart() -> None:
    def doctor(bar: int, report: FillReport | CancelReport) -> FillReport | CancelReport | None:
        if report.order.kind is not OrderKind.OPENING or not isinstance(report, FillReport):
            return report
        return None if bar == ENTRY else replace(report, price=report.price + 2)

    agent = first_day(world(stairs(1)), free(), doctor)
    assert causes(agent) == {Cause.LATENCY: -size_at(104), Cause.SLIPPAGE: -2 * size_at(104)}


def test_a_stop_that_filled_a_bar_late() -> None:
    """Touched in bar 7 at 98.8, filled at the open of bar 8, at 98.5."""
    bars = stairs(1)
    bars[7, 2], bars[7, 3] = 98.0, 98.5
    bars[8, 0], bars[8, 2] = 98.5, 98.5
    agent = first_day(world(bars), free(), on(7, OrderKind.STOP, lambda _: None), stop=5)
    assert causes(agent) == {Cause.LATENCY: size_at(104) * (Decimal("98.5") - Decimal("98.8"))}


def test_an_order_that_the_venue_refused_costs_the_trade_that_was_not_made() -> None:
    refused = on(ENTRY, OrderKind.OPENING, lambda report: CancelReport(report.order, "REJECTED"))
    agent = first_day(world(stairs(1)), free(), refused)
    assert causes(agent) == {Cause.PARTIAL: -size_at(104) * 7}
    assert agent.differences[0].words == "opening of 4.8077: 4.8077 of it did not fill (REJECTED)"


def test_an_entry_that_the_price_band_took_away_and_that_was_made_a_bar_later() -> None:
    banded = on(ENTRY, OrderKind.OPENING, lambda report: CancelReport(report.order, "PRICE_BAND"))
    agent = first_day(world(stairs(1)), free(), banded)
    assert causes(agent) == {Cause.PARTIAL: size_at(105) * 6 - size_at(104) * 7}
    assert "(PRICE_BAND)" in agent.differences[0].words


# Fills are facts: parts of them, times within bars, fees of another tier. What is read from the journal is changed.


def changed(panel: Panel, settings: Settings, change: Callable[[Facts], None]) -> AgentParity:
    history = history_of(traded([holder()], panel, settings))
    history.days = history.days[:1]
    change(history.days[0].facts["a001"])
    (day,) = parities(history, panel)
    (agent,) = day.agents
    assert agent.real - agent.replayed == sum((agent.of(cause) for cause in Cause), Decimal(0))
    return agent


def parts(fill: OrderFilled, *sizes: Decimal) -> list[OrderFilled]:
    """A fill as several, within the bar."""
    return [
        fill.model_copy(update={"size": size, "time": fill.time + 17 * (place + 1), "trade": f"t{place}"})
        for place, size in enumerate(sizes)
    ]


def test_a_fill_in_parts_within_its_bar_is_no_difference() -> None:
    def change(facts: Facts) -> None:
        (fill,) = facts.fills[MIDNIGHT + ENTRY * HOUR]
        facts.fills[MIDNIGHT + ENTRY * HOUR] = parts(fill, Decimal("0.8"), fill.size - Decimal("0.8"))

    assert changed(world(stairs(1)), free(), change).differences == ()


def test_a_part_that_filled_two_bars_later() -> None:
    half = size_at(104) / 2 // LOT * LOT

    def change(facts: Facts) -> None:
        now, later = MIDNIGHT + ENTRY * HOUR, MIDNIGHT + (ENTRY + 2) * HOUR
        (fill,) = facts.fills[now]
        facts.fills[now] = parts(fill, half)
        rest = fill.model_copy(update={"size": fill.size - half, "price": Decimal(106), "time": later + 5})
        facts.fills[later] = [rest]
        facts.close -= 2 * (fill.size - half)

    agent = changed(world(stairs(1)), free(), change)
    assert causes(agent) == {Cause.LATENCY: -2 * (size_at(104) - half)}
    assert agent.differences[0].words.endswith("filled later than modelled, at 2024-01-01 06:00")


def test_a_part_that_never_filled() -> None:
    half = size_at(104) / 2 // LOT * LOT

    def change(facts: Facts) -> None:
        now, end, decided = (MIDNIGHT + bar * HOUR for bar in (ENTRY, LEAVE, LEAVE - 1))
        (fill,) = facts.fills[now]
        (leave,) = facts.fills[end]
        facts.fills[now] = parts(fill, half)
        facts.cancels[now, fill.order] = "EXPIRED"
        facts.fills[end] = parts(leave, -half)
        place = (decided, "AAA", OrderKind.CLOSING)
        facts.verdicts[place] = facts.verdicts[place].model_copy(update={"asked": -half, "allowed": -half})
        facts.close -= 7 * (fill.size - half)

    agent = changed(world(stairs(1)), free(), change)
    assert causes(agent) == {Cause.PARTIAL: -7 * (size_at(104) - half)}
    assert agent.differences[0].words.endswith("did not fill (EXPIRED)")


def test_fees_of_another_tier() -> None:
    def change(facts: Facts) -> None:
        (fill,) = facts.fills[MIDNIGHT + ENTRY * HOUR]
        facts.fills[MIDNIGHT + ENTRY * HOUR] = [fill.model_copy(update={"fee": fill.fee + Decimal("0.25")})]
        facts.close -= Decimal("0.25")

    settings = settings_of(fee=Decimal("0.001"))
    assert causes(changed(world(stairs(1)), settings, change)) == {Cause.FEES: Decimal("-0.25")}


def test_funding_that_is_not_the_markets() -> None:
    bars = stairs(1)
    funding = np.zeros(30)
    funding[6] = 0.001
    panel = panel_of({"AAA": bars}, series={"wanted": wanted()}, funding={"AAA": funding})
    due = size_at(104) * 107 * Decimal("0.001")

    def change(facts: Facts) -> None:
        assert facts.funding[MIDNIGHT + 6 * HOUR, "AAA"] == due.quantize(Decimal("1e-10"))
        facts.funding[MIDNIGHT + 6 * HOUR, "AAA"] += Decimal("0.5")
        facts.close -= Decimal("0.5")

    assert causes(changed(panel, free(), change)) == {Cause.FUNDING: Decimal("-0.5")}


# We did otherwise than the strategy asked.


def test_an_entry_that_the_gate_made_smaller() -> None:
    """A stop at half of the price of 96 risks 48 a unit, and the day may lose 20: 0.4166666 of 5.2083333."""
    agent = first_day(world(stairs(-1)), free(day_loss_limit=Decimal(20)))
    allowed = Decimal("0.4166666")
    assert causes(agent) == {Cause.GATE: (allowed - size_at(96, COARSE)) * -7}
    (line,) = agent.differences
    assert line.words == "asked 5.2083, gate allowed 0.41667 (DAY_BUDGET: 250 of 20 free)"
    assert line.time == MIDNIGHT + ENTRY * HOUR  # decided at the close of the bar before


def test_an_entry_that_the_gate_refused() -> None:
    agent = first_day(world(stairs(-1)), free(day_loss_limit=Decimal(2)))
    assert causes(agent) == {Cause.GATE: size_at(96, COARSE) * 7}
    assert agent.real == 0
    assert "gate refused it (DAY_BUDGET: 250 of 2 free)" in agent.differences[0].words


def test_a_position_that_outgrew_its_share_of_the_day() -> None:
    events = traded([holder()], world(stairs(1)), free(day_loss_limit=Decimal(20)))
    cuts = [event for event in events if isinstance(event, OrderFilled) and event.reason is Reason.BUDGET]
    agent = first_day(world(stairs(1)), free(day_loss_limit=Decimal(20)))
    allowed = Decimal("0.38461538")
    assert cuts
    assert causes(agent) == {
        Cause.GATE: (allowed - size_at(104)) * 7,
        Cause.RESERVE: sum((cut.size * (111 - cut.price) for cut in cuts), Decimal(0)),
    }


def test_a_halt_costs_what_the_position_would_have_made_afterwards() -> None:
    """A gap takes 200 from the second agent, which halts the account; the first is closed at 100 instead of 104."""
    gap = stairs(0)
    gap[6:, :4] = 60.0
    panel = world(stairs(1, flat_until=7), BBB=gap)
    strategies = [holder(5, name="first", universe=["AAA"]), holder(5, name="second", universe=["BBB"])]
    settings = free(capital=Decimal(2_000), slots=2, day_loss_limit=Decimal(100))
    days = compared(traded(strategies, panel, settings), panel)
    assert strangers(days) == []
    first, second = days[0].agents
    assert causes(first) == {Cause.HALT: Decimal(-20)}
    assert first.differences[0].words == "halted until 2024-01-02: the day's loss of 200 reached 100"
    assert second.differences == ()
    assert days[0].profit == -200


def test_an_agent_that_was_fired_while_its_strategy_went_on() -> None:
    agent = first_day(world(stairs(-1)), free(max_drawdown=Decimal("0.02")))
    assert causes(agent) == {Cause.FIRED: size_at(96, COARSE) * 3}
    assert agent.differences[0].words == "fired (DRAWDOWN: drawdown 2.0833 %, limit 2 %)"


def test_what_a_person_flattened_is_entered_again_when_it_may_be() -> None:
    """Closed at the open of bar 7, at 107, and entered anew at the open of bar 9, at 109."""
    standing = NOTHING_ORDERED
    bars = iter(range(1, 99))

    def ordered() -> Command:
        nonlocal standing
        switch = {6: Switch.FLATTEN, 8: Switch.RESUME}.get(next(bars))
        if switch is not None:
            standing = Command(standing.number + 1, 0, switch, "ann", "lunch")
        return standing

    panel = world(stairs(1))
    days = compared(traded([holder()], panel, free(), ordered=ordered), panel)
    assert strangers(days) == []
    (agent,) = days[0].agents
    assert causes(agent) == {Cause.HALT: size_at(104) * 3 + size_at(109) * 2 - size_at(104) * 7}
    assert agent.differences[0].words == "flattened by ann: lunch"


def test_an_agent_that_was_paused_when_it_wanted_to_enter() -> None:
    """It wants in at the close of bar 3 and may from that of bar 6 on: in at the open of bar 7, at 107, not at 104."""
    words = {2: {holder().content_hash: True}, 5: {holder().content_hash: False}}
    panel = world(stairs(1))
    days = compared(traded([holder()], panel, free(), paused=Pausing(words)), panel)
    assert strangers(days) == []
    (agent,) = days[0].agents
    assert causes(agent) == {Cause.PAUSED: size_at(107) * 4 - size_at(104) * 7}
    assert agent.differences[0].words == "paused by ann: news"


def test_an_agent_that_was_paused_while_it_held_leaves_as_it_would() -> None:
    """Paused from the close of bar 6 on: nothing differs on a day on which it only leaves."""
    panel = world(stairs(1))
    days = compared(traded([holder()], panel, free(), paused=Pausing({5: {holder().content_hash: True}})), panel)
    assert strangers(days) == []
    (agent,) = days[0].agents
    assert (agent.differences, agent.real) == ((), size_at(104) * 7)


def test_an_entry_that_waited_when_its_agent_was_paused() -> None:
    """Asked for at the close of bar 3, at 104; there are no bars until 7, and at the close of 4 it is taken off."""
    bars = stairs(1)
    bars[ENTRY:7] = np.nan
    panel, waits = world(bars, BBB=stairs(0)), holder(universe=["AAA"])
    days = compared(traded([waits], panel, free(), paused=Pausing({3: {waits.content_hash: True}})), panel)
    assert strangers(days) == []
    (agent,) = days[0].agents
    assert (agent.real, causes(agent)) == (0, {Cause.PAUSED: -size_at(104) * 4})


def test_a_halt_that_ends_with_the_bar_after_a_pause_kept_the_close_before_it_from_deciding() -> None:
    """Seven bars a day; the day after the halt begins with its first bar, and enters at the second."""
    length = 21
    bars = np.array([(100.0, 100.0, 100.0, 100.0, 5.0)] * 4 + [(60.0, 60.0, 60.0, 60.0, 5.0)] * (length - 4))
    for bar, price in enumerate((60.0, 61.0, 62.0), start=7):
        bars[bar, :4] = [price, price + 1, price, price + 1]
    bars[10:, :4] = 63.0
    again = np.where(np.arange(length) < 3, 0.5, np.where(np.arange(length) < 6, 0.0, 0.5))
    panel = panel_of({"AAA": bars}, series={"wanted": again}, times=in_sessions(length, HOUR))
    days = compared(traded([holder(5)], panel, free(day_loss_limit=Decimal(100))), panel)
    assert strangers(days) == []
    second = days[1].agents[0]
    assert causes(second) == {Cause.HALT: size_at(61) * 2 - size_at(60) * 3}


# The bars.


def test_a_bar_that_the_fleet_did_not_see() -> None:
    """Without the bar of 04:00 the entry filled at 105 instead of 104."""
    market = world(stairs(1))
    gappy = stairs(1)
    gappy[ENTRY] = np.nan
    events = traded([holder()], world(gappy), free())
    days = compared(events, market, compare=True)
    assert strangers(days) == []
    (agent,) = days[0].agents
    assert causes(agent) == {Cause.BARS: -size_at(104)}
    assert agent.differences[0].words == "AAA 2024-01-01 04:00 not seen by the fleet"
    assert compared(events, market)[0].agents[0].differences == (), "not asked for, not compared"


def test_a_bar_whose_prices_are_others_now() -> None:
    market = world(stairs(1))
    market.open[0, ENTRY] = market.low[0, ENTRY] = 103.0
    days = compared(traded([holder()], world(stairs(1)), free()), market, compare=True)
    assert causes(days[0].agents[0]) == {Cause.BARS: -size_at(104)}
    assert days[0].agents[0].differences[0].words == "AAA 2024-01-01 04:00 seen with other figures"


# What nothing explains is said.


def tampered(panel: Panel, change: Callable[[Facts], None]) -> AgentParity:
    return changed(panel, free(), change)


def test_money_that_no_fact_accounts_for() -> None:
    def change(facts: Facts) -> None:
        facts.close -= 1

    assert causes(tampered(world(stairs(1)), change)) == {Cause.UNEXPLAINED: Decimal(-1)}


def test_an_order_that_the_strategy_never_asked_for() -> None:
    def change(facts: Facts) -> None:
        place = (MIDNIGHT + (ENTRY - 1) * HOUR, "AAA", OrderKind.OPENING)
        verdict = facts.verdicts.pop(place)
        facts.verdicts[MIDNIGHT + HOUR, "AAA", OrderKind.OPENING] = verdict

    agent = tampered(world(stairs(1)), change)
    assert not agent.explained
    assert any("which the replay does not ask for" in each.words for each in agent.differences)


def test_a_size_that_is_not_what_the_strategy_asks_for() -> None:
    def change(facts: Facts) -> None:
        place = (MIDNIGHT + (ENTRY - 1) * HOUR, "AAA", OrderKind.OPENING)
        facts.verdicts[place] = facts.verdicts[place].model_copy(update={"asked": Decimal(3), "allowed": Decimal(3)})

    agent = tampered(world(stairs(1)), change)
    assert not agent.explained
    assert "the replay asks for opening of 4.8077, the journal has 3" in agent.differences[-1].words


def test_many_facts_of_a_kind_are_told_together_and_cost_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = panel_of({"AAA": walk(3, 24)})
    events = traded([strategy_of("long_short(sign(ret(close, 2)))")], panel, free(day_loss_limit=Decimal(20)))
    alone = compared(events, panel)[0].agents[0]
    gate = [each for each in alone.differences if each.cause is Cause.GATE]
    assert len(gate) > 2
    monkeypatch.setattr("clawd.fleet.parity._MOST_STEPS", 1)
    together = compared(events, panel)[0].agents[0]
    assert causes(together) == causes(alone)
    (line,) = [each for each in together.differences if each.cause is Cause.GATE]
    assert line.words.startswith(gate[0].words + "; and ")


# Days.


def test_the_last_full_day_is_the_last_that_has_closed() -> None:
    hours: Sequence[int] = [MIDNIGHT + hour * HOUR for hour in range(30)]
    today = MIDNIGHT // DAY
    assert full_days(hours, HOUR) == [today]
    assert full_days(hours[:24], HOUR) == [today]
    assert full_days(hours[:23], HOUR) == []
    assert full_days([], HOUR) == []


def test_what_is_decided_at_midnight_is_explained_on_the_day_that_it_trades() -> None:
    """The refusal comes at the close of the bar of 23:00; the trade would have been the next day's."""
    index = np.arange(40)
    bars = stairs(1, length=40)
    panel = panel_of({"AAA": bars}, series={"wanted": np.where((index >= 23) & (index < 30), 0.5, 0.0)})
    events: list[Event] = traded([holder()], panel, free(day_loss_limit=Decimal(2)))
    first, second = compared(events, panel)
    assert first.agents[0].differences == ()
    size = Decimal(500) / 124 // LOT * LOT
    assert causes(second.agents[0]) == {Cause.GATE: -size * 7}
