"""The chain of replays on whole runs: zero where nothing binds, and always a sum to the last digit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from fleet_worlds import DAY, HOUR, Pausing, costs_of, panel_of, settings_of, strategy_of, walk, worlds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parity_worlds import Doctor, compared, history_of, strangers, traded
from test_parity import EXITS, WILD, wild_panel

from clawd.authors.starter import starter_library
from clawd.core.clock import utc_day
from clawd.core.events import BooksMarked, HaltBegan
from clawd.core.money import fee_of_fill
from clawd.core.orders import OrderKind
from clawd.data.market import load_market
from clawd.fleet.parity import parities
from clawd.fleet.parity_words import Cause
from clawd.store.switchboard import NOTHING_ORDERED, Command, Switch
from clawd.venues.paper import CancelReport, FillReport


@pytest.fixture(scope="module", autouse=True)
def _nobody_is_fired_by_the_evidence() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clawd.evidence.monitor.FALSE_FIRING", 1e-300)
        yield


@pytest.mark.parametrize(("strategies", "seed", "volatility"), [(WILD, 1, 0.01), (EXITS, 5, 0.012)])
def test_where_no_limit_binds_every_day_of_every_agent_is_the_backtest(
    strategies: list[object], seed: int, volatility: float
) -> None:
    """Bars missing, silent and gapped, funding, and every rule there is: not a digit of difference."""
    panel = wild_panel(seed, 170, volatility=volatility)
    free = settings_of(capital=Decimal(8_000), slots=len(strategies), fee=Decimal("0.001"), slippage=Decimal("0.0015"))
    days = compared(traded(strategies, panel, free, 40), panel, compare=True)
    agents = [agent for day in days for agent in day.agents]
    assert len(agents) == len(strategies) * len(days)
    assert [agent.differences for agent in agents] == [()] * len(agents)
    assert [agent.real for agent in agents] == [agent.replayed for agent in agents]
    assert sum(agent.real != 0 for agent in agents) > len(agents) / 2
    assert days[0].profit == sum((agent.real for agent in days[0].agents), Decimal(0))


@pytest.mark.parametrize("market", ["sample", "wild"])
def test_a_run_under_a_small_limit_is_explained_to_the_last_digit(market: str) -> None:
    """The gate shrinks and refuses, the reserve cuts, in the wild the account halts: what each agent made is told."""
    if market == "sample":
        panel = load_market("sample").panel.between(0, 800)
        strategies, first, limit = list(starter_library()), 700, Decimal(20)
    else:
        panel = wild_panel(5, 200, volatility=0.012)
        strategies, first, limit = WILD[6:7], 40, Decimal(25)
    tight = settings_of(day_loss_limit=limit, slots=len(strategies))
    events = traded(strategies, panel, tight, first)
    marked = {event.time: event.equity for event in events if isinstance(event, BooksMarked)}
    times = sorted(marked)
    days = compared(events, panel, compare=True)
    assert strangers(days) == []
    totals = {cause: sum(bool(agent.of(cause)) for day in days for agent in day.agents) for cause in Cause}
    assert totals[Cause.GATE] > 3
    assert totals[Cause.RESERVE] > 0
    halted = any(isinstance(event, HaltBegan) for event in events)
    assert halted == (market == "wild") == (totals[Cause.HALT] > 0)
    assert not any(totals[cause] for cause in (Cause.SLIPPAGE, Cause.LATENCY, Cause.PARTIAL, Cause.FEES, Cause.FUNDING))
    assert sum((day.profit for day in days), Decimal(0)) == marked[times[-1]] - tight.capital
    for day in days[1:]:
        last = [time for time in times if utc_day(time) == day.day][-1]
        before = [time for time in times if utc_day(time) < day.day][-1]
        assert day.profit == marked[last] - marked[before]
        assert day.profit == sum((agent.real for agent in day.agents), Decimal(0))


def test_some_days_alone_are_told_as_among_all() -> None:
    panel = wild_panel(2, 120, volatility=0.01)
    events = traded(WILD[:3], panel, settings_of(slots=3, day_loss_limit=Decimal(20)), 40)
    whole = compared(events, panel)
    assert len(whole) > 3
    assert any(agent.differences for agent in whole[2].agents)
    (alone,) = parities(history_of(events, [whole[2].day]), panel)
    assert alone == whole[2]
    (one,) = parities(history_of(events, [whole[2].day]), panel, agents=["a002"])
    assert one.agents == (whole[2].agents[1],)


def pauses(strategies: list[str], closes: int) -> st.SearchStrategy[dict[int, dict[str, bool]]]:
    """What a person says of single agents, and when."""
    words = st.dictionaries(st.sampled_from(strategies), st.booleans(), min_size=1)
    return st.dictionaries(st.integers(0, closes), words, max_size=6)


def doctored(seed: int, fee: Decimal) -> Doctor:
    """A venue that is late, dear, and takes orders off, the same way each time."""

    def doctor(bar: int, report: FillReport | CancelReport) -> FillReport | CancelReport | None:
        if isinstance(report, CancelReport):
            return report
        order = report.order
        name = f"{order.agent}{order.symbol}".encode()
        # All orders of an agent in an instrument are late together: none that reduces passes one that enlarges.
        if order.kind is not OrderKind.TAKE and np.random.default_rng([seed, bar, *name]).random() < 0.15:
            return None
        random = np.random.default_rng([seed, bar, *name, *order.kind.value.encode()])
        if random.random() < 0.3:
            price = report.price + Decimal(int(random.integers(-50, 50))) / 100
            if price > 0:
                return replace(report, price=price, fee=fee_of_fill(order.size, price, fee))
        if order.kind is OrderKind.OPENING and random.random() < 0.15:
            return CancelReport(order, "PRICE_BAND" if random.random() < 0.5 else "REJECTED")
        return report

    return doctor


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    data=st.data(),
    seed=st.integers(0, 10**6),
    bar=st.sampled_from([HOUR, 6 * HOUR, DAY]),
    torn=st.booleans(),
    sessions=st.booleans(),
    lies=st.booleans(),
)
def test_whatever_the_venue_does_the_causes_add_up_and_nothing_is_left(
    data: st.DataObject, seed: int, bar: int, torn: bool, sessions: bool, lies: bool
) -> None:
    """Limits that bind, days that halt, agents that are fired or paused, bars that are missing, fills that lie."""
    world = data.draw(worlds(bar, jump=30, sessions=sessions and bar == HOUR, torn=torn))
    doctor = doctored(seed, costs_of(world.limits).fee) if lies else (lambda _, report: report)
    hashes = [strategy.content_hash for strategy in world.strategies]
    words = {} if lies else data.draw(pauses(hashes, 40))
    events = traded(world.strategies, world.panel, world.limits, 1, doctor, paused=Pausing(words))
    days = compared(events, world.panel, compare=True)
    assert strangers(days) == []


def test_a_replay_that_is_cut_short_costs_each_fact_what_a_whole_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = panel_of({"AAA": walk(3, 30), "BBB": walk(4, 30)})
    strategy = strategy_of("long_short(sign(ret(close, 2)))")
    events = traded([strategy], panel, settings_of(day_loss_limit=Decimal(20)))
    short = compared(events, panel)
    assert len({each.money for agent in short[0].agents for each in agent.differences}) > 3
    monkeypatch.setattr("clawd.fleet.parity_twin.Twin._goes_on", lambda *_: False)
    assert compared(events, panel) == short


class Hand:
    """A person who gives orders at chosen bars, counted from the run's first."""

    def __init__(self, orders: Mapping[int, Switch]) -> None:
        self.orders, self.bar, self.standing = orders, 0, NOTHING_ORDERED

    def __call__(self) -> Command:
        if (switch := self.orders.get(self.bar)) is not None:
            self.standing = Command(self.standing.number + 1, self.bar, switch, "ann", "")
        self.bar += 1
        return self.standing


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(st.integers(1, 90), st.sampled_from(Switch), min_size=1, max_size=5), st.integers(0, 50))
def test_what_a_person_ordered_is_told_as_such(orders: dict[int, Switch], seed: int) -> None:
    strategy = strategy_of("long_short(sign(ret(close, 3)))", "stop = { percent = 4 }\ntake = { percent = 6 }")
    panel = panel_of({"AAA": walk(seed, 100), "BBB": walk(seed + 1, 100)})
    days = compared(traded([strategy], panel, settings_of(), 1, ordered=Hand(orders)), panel)
    assert strangers(days) == []
    found = {each.cause for day in days for agent in day.agents for each in agent.differences}
    assert found <= {Cause.HALT}
    if min(orders) < 80 and orders[min(orders)] is Switch.FLATTEN:
        words = [each.words for day in days for agent in day.agents for each in agent.differences]
        assert "flattened by ann" in words


@settings(max_examples=15, deadline=None)
@given(data=st.data(), seed=st.integers(0, 50), orders=st.dictionaries(st.integers(1, 90), st.sampled_from(Switch)))
def test_what_a_pause_cost_is_told_as_such(data: st.DataObject, seed: int, orders: dict[int, Switch]) -> None:
    strategies = [
        strategy_of("long_short(sign(ret(close, 3)))", "stop = { percent = 4 }\ntake = { percent = 6 }", name="f"),
        strategy_of("long_short(-1 * sign(ret(close, 2)))", "stop = { percent = 5 }", name="g"),
    ]
    panel = panel_of({"AAA": walk(seed, 100), "BBB": walk(seed + 1, 100)})
    words = data.draw(pauses([strategy.content_hash for strategy in strategies], 90))
    events = traded(strategies, panel, settings_of(slots=2), 1, ordered=Hand(dict(orders)), paused=Pausing(words))
    days = compared(events, panel)
    assert strangers(days) == []
    found = {(agent.strategy, each.cause) for day in days for agent in day.agents for each in agent.differences}
    assert {cause for _, cause in found} <= {Cause.HALT, Cause.PAUSED}
    if not orders:
        paused = {each.name for each in strategies if any(said.get(each.content_hash) for said in words.values())}
        assert {name for name, _ in found} <= paused


def test_the_replay_is_not_the_books_over_again() -> None:
    """Another strategy under the same name is found out: the replay asks for what the journal does not have."""
    panel = panel_of({"AAA": walk(3, 60)})
    events = traded([strategy_of("long_short(sign(ret(close, 3)))")], panel, settings_of(), 5)
    other = strategy_of("long_short(-1 * sign(ret(close, 3)))")
    start = events[0]
    finalist = {**start.finalists[0], "strategy": other.to_json(), "content_hash": other.content_hash}
    hired = [
        event.model_copy(update={"content_hash": other.content_hash}) if event.kind == "AgentHired" else event
        for event in events[1:]
    ]
    days = compared([start.model_copy(update={"finalists": [finalist]}), *hired], panel)
    assert not any(day.explained for day in days if any(agent.real for agent in day.agents))
