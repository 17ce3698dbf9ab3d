"""A person pauses single agents of an account at an exchange: through kills, past forgetful code, and in its parity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_parity_account import TIMED, Slow, compared, words
from venue_markets import BEGAN, SECOND, market
from venue_place import RULES, STRATEGIES, Place

from clawd.core.account_events import AgentPaused, AgentUnpaused, CancelRequested, OrderDropped
from clawd.core.event import Event
from clawd.core.events import (
    BarClosed,
    IntentsProposed,
    OrderFilled,
    OrderHeld,
    OrderSubmitted,
    VerdictGiven,
    read_event,
)
from clawd.core.orders import OrderKind
from clawd.data.capture import MarketEvent
from clawd.fleet import venue_fleet
from clawd.fleet.parity_words import Cause
from clawd.risk.gate import Code
from clawd.store.journal import Journal
from clawd.store.switchboard import Pause, Switchboard
from clawd.venues.matching.rules import Delay

F, G = (strategy.content_hash for strategy in STRATEGIES)
Words = Callable[[], Mapping[str, Pause]]


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> list[MarketEvent]:
    return market(tmp_path_factory.mktemp("market"))


def said(number: int = 1, **paused: bool) -> Words:
    """The last word on the two strategies."""
    pauses = {
        {"f": F, "g": G}[name]: Pause(number, 0, "acc", {"f": F, "g": G}[name], word, "ann", "news")
        for name, word in paused.items()
    }
    return lambda: pauses


def events(place: Place) -> list[Event]:
    with Journal.open(place.folder / "journal.sqlite", read_only=True) as journal:
        return [read_event(entry.kind, entry.body) for entry in journal.entries()]


def entered(found: list[Event], agent: str) -> list[Event]:
    return [
        event
        for event in found
        if isinstance(event, OrderSubmitted | OrderHeld)
        and event.order_kind is OrderKind.OPENING
        and event.agent == agent
    ]


def between(found: list[Event]) -> list[Event]:
    """From the first pause of an agent to its end."""
    start = next(place for place, event in enumerate(found) if isinstance(event, AgentPaused))
    end = next((place for place, event in enumerate(found) if isinstance(event, AgentUnpaused)), len(found))
    return found[start:end]


def test_a_paused_agent_enters_nothing_through_a_restart_and_the_other_trades_on(
    messages: list[MarketEvent], tmp_path: Path
) -> None:
    place = Place(tmp_path, messages)
    for seconds in range(60, 120, 5):
        if place.live(BEGAN + seconds * SECOND).agents["a001"].holdings:
            break
    for until in (120, 121, 150, 180):
        account = place.live(BEGAN + until * SECOND, paused=said(f=True), swallow=until == 121)
        assert account.agents["a001"].paused
        assert not account.agents["a002"].paused
    account = place.live(None, paused=said(2, f=False))
    place.check(account)
    found = events(place)
    assert [event for event in found if isinstance(event, AgentPaused | AgentUnpaused)] == [
        AgentPaused(agent="a001", by="ann", why="news", pause=1),
        AgentUnpaused(agent="a001", by="ann", why="news", pause=2),
    ], "a restart does not say it again"
    during = between(found)
    assert not entered(during, "a001")
    assert entered(during, "a002")
    exits = [event for event in during if isinstance(event, OrderFilled) and event.agent == "a001"]
    assert exits and all(event.order_kind is not OrderKind.OPENING for event in exits), "it left by its exits"
    assert entered(found[found.index(during[-1]) :], "a001"), "and it enters again"
    (day,) = compared(place)
    paused = [text for agent in day.agents if agent.agent == "a001" for text in words(agent, Cause.PAUSED)]
    assert paused
    assert set(paused) == {"paused by ann: news: nothing is entered"}
    assert not [text for agent in day.agents if agent.agent == "a002" for text in words(agent, Cause.PAUSED)]


def test_who_is_paused_before_the_account_begins_never_enters(messages: list[MarketEvent], tmp_path: Path) -> None:
    place = Place(tmp_path, messages)
    account = place.live(None, paused=said(f=True, g=True))
    place.check(account)
    found = events(place)
    kinds = [type(event) for event in found]
    assert kinds.index(AgentPaused) < kinds.index(BarClosed)
    assert not any(isinstance(event, OrderSubmitted | VerdictGiven) for event in found)
    assert any(isinstance(event, IntentsProposed) for event in found), "it goes on deciding"
    assert {agent.cash for agent in account.agents.values()} == {Decimal(5_000)}
    compared(place)


def test_an_entry_that_is_under_way_is_taken_off(messages: list[MarketEvent], tmp_path: Path) -> None:
    """Orders take seven seconds there, so that a pause comes while an entry is on its way or works."""
    way = Delay(7_000_000_000)
    place = Place(tmp_path, messages, rules=replace(RULES, latency=replace(RULES.latency, request=way, report=way)))
    seconds = 20
    while not any(
        not placed.order.reduces and placed.order.agent == "a001"
        for placed in place.live(BEGAN + seconds * SECOND).working()
    ):
        seconds += 1
    account = place.live(BEGAN + (seconds + 2) * SECOND, paused=said(f=True))
    during = between(events(place))
    asked = [event for event in during if isinstance(event, CancelRequested)]
    assert asked and {event.why for event in asked} == {"PAUSED"}
    assert {account.orders[event.order].order.agent for event in asked} == {"a001"}
    place.check(place.live(None, paused=said(f=True)))
    assert not entered(between(events(place)), "a001")
    compared(place)


@pytest.mark.parametrize("approved", [True, False])
def test_what_people_would_sign_is_never_sent(messages: list[MarketEvent], tmp_path: Path, approved: bool) -> None:
    """People take three seconds: an entry that waits for them when its agent is paused is dropped."""
    place = Place(tmp_path, messages, approvals=Slow())
    seconds = 20
    while not any(
        held.order.agent == "a001" and not held.order.reduces
        for held in place.live(BEGAN + seconds * SECOND).held.values()
    ):
        seconds += 1
    if approved:  # and signed in the moment of the pause
        place.approvals.asked = dict.fromkeys(place.approvals.asked, 0)  # type: ignore[union-attr]
    place.live(BEGAN + (seconds + 20) * SECOND, paused=said(f=True))
    during = between(events(place))
    dropped = [event for event in during if isinstance(event, OrderDropped) and event.why == "PAUSED"]
    assert dropped
    account = place.live(None, paused=said(2, f=False))
    place.check(account)
    sent = {event.order for event in events(place) if isinstance(event, OrderSubmitted)}
    assert not sent & {event.order for event in dropped}, "not even once it is unpaused"
    assert not [
        event
        for event in during
        if isinstance(event, OrderSubmitted) and event.agent == "a001" and event.order_kind is OrderKind.OPENING
    ]
    compared(place)


def test_the_gate_refuses_what_a_paused_agent_asks_for_by_itself(
    messages: list[MarketEvent], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(venue_fleet, "enter_nothing", lambda before, after: None)
    place = Place(tmp_path, messages)
    place.live(BEGAN + 60 * SECOND)
    place.check(place.live(None, paused=said(f=True)))
    during = between(events(place))
    verdicts = [
        event
        for event in during
        if isinstance(event, VerdictGiven) and event.order_kind is OrderKind.OPENING and event.agent == "a001"
    ]
    assert verdicts
    assert {verdict.code for verdict in verdicts} == {Code.AGENT_PAUSED}
    assert not entered(during, "a001")
    assert entered(during, "a002")


def test_the_words_of_a_switchboard_reach_the_account_of_its_name_alone(
    messages: list[MarketEvent], tmp_path: Path
) -> None:
    place = Place(tmp_path, messages)
    with Switchboard.open(tmp_path) as switchboard:
        switchboard.pause("another", [F], "ann", "", 1, paused=True)
        switchboard.pause("", [F], "ann", "", 1, paused=True)
        switchboard.pause("acc", [G], "ann", "", 1, paused=True)
        account = place.live(BEGAN + 30 * SECOND, paused=lambda: switchboard.pauses("acc"))
    assert {name: agent.paused for name, agent in account.agents.items()} == {"a001": False, "a002": True}


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(1, 10_000),
    spot=st.booleans(),
    delay=st.sampled_from([0, 20, 400, 2500, 7000]),
    lives=st.lists(st.tuples(st.integers(1, 99), st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=4),
    timed=st.booleans(),
    reduce_only=st.booleans(),
    slow=st.booleans(),
)
def test_whatever_befalls_a_run_who_is_paused_enters_nothing_and_its_day_is_explained(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    spot: bool,
    delay: int,
    lives: list[tuple[int, bool, bool, bool]],
    timed: bool,
    reduce_only: bool,
    slow: bool,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    way = Delay(delay * 1_000_000)
    place = Place(
        folder,
        market(folder, 100, seed),
        leverage=None if spot else Decimal(10),
        strategies=TIMED if timed else STRATEGIES,
        rules=replace(
            RULES, latency=replace(RULES.latency, request=way, report=way, feed=way), reduce_only=reduce_only
        ),
        approvals=Slow() if slow else None,
    )
    hashes = [strategy.content_hash for strategy in place.strategies]
    pauses: dict[str, Pause] = {}
    number = 0
    for seconds, one, other, swallow in sorted(lives):
        for strategy, word in zip(hashes, (one, other), strict=True):
            number += 1
            pauses[strategy] = Pause(number, 0, "acc", strategy, word, "ann", "")
        place.live(BEGAN + seconds * SECOND, swallow=swallow, paused=lambda: pauses)
    account = place.live(None, paused=lambda: pauses)
    paused = {"a001": False, "a002": False}
    for event in events(place):
        match event:
            case AgentPaused() | AgentUnpaused():
                paused[event.agent] = isinstance(event, AgentPaused)
            case OrderSubmitted() | OrderHeld() if event.order_kind is OrderKind.OPENING:
                assert not paused[event.agent]
    assert {name: agent.paused for name, agent in account.agents.items()} == paused
    assert paused == {name: pauses[strategy].paused for name, strategy in zip(paused, hashes, strict=True)}
    compared(place)
