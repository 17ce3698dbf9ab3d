"""Pausing agents over HTTP: a fleet that trades obeys, what does not trade keeps the order, nothing is half done."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import httpx2
import numpy as np
import pytest
from busy_fleet import BusyFleet
from decisions_world import STRATEGIES, Running, fleet, until
from hypothesis import given
from hypothesis import strategies as st
from live_world import World, capture_account, small_run, written
from playwright.sync_api import BrowserContext, expect
from web_server import Served, served

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.language.strategy import parse_json
from clawd.server.frames import AgentState
from clawd.server.live.columns import NUMBERS, STATES, Columns
from clawd.server.live.orders import Orders
from clawd.server.live.pauses import under_pauses, wished
from clawd.server.live.tale import Tale
from clawd.server.site import Site
from clawd.store.journal import Journal
from clawd.store.switchboard import PAPER_FLEET, Pause, Switch, Switchboard


def ordered(home: Path, desk: str = PAPER_FLEET) -> dict[str, bool]:
    """What the switchboard says of the strategies of a desk."""
    with Switchboard.open(home) as switchboard:
        return {strategy: pause.paused for strategy, pause in switchboard.pauses(desk).items()}


def words(home: Path) -> int:
    """How many words on single agents the switchboard has, of all desks."""
    with Switchboard.open(home) as switchboard:
        (count,) = switchboard._connection.execute("SELECT COUNT(*) FROM pause").fetchone()
    return int(count)


def audit(client: httpx2.Client) -> list[dict[str, Any]]:
    entries = client.get("/api/audit", params={"limit": 200}).json()["entries"]
    return [each for each in entries if each["what"].startswith("Agents")]


def pause(client: httpx2.Client, *agents: str, deed: str = "pause", **more: Any) -> httpx2.Response:
    return client.post(f"/api/agents/{deed}", json={"agents": list(agents), **more})


def states(client: httpx2.Client, **more: str) -> dict[str, str]:
    """Of every agent; of nobody while the journal is still being read."""
    answer = client.get("/api/agents", params=more)
    assert answer.status_code in (200, 409), answer.text
    return {agent["id"]: agent["state"] for agent in answer.json().get("agents", ())}


def outcomes(answer: httpx2.Response) -> dict[str, tuple[str, str]]:
    assert answer.status_code == 200, answer.text
    return {each["agent"]: (each["outcome"], each["state"]) for each in answer.json()["agents"]}


# A fleet at work.


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pausing") / "home"


_TWO = {
    name: STRATEGIES["restless"].replace("close, 3", f"close, {bars}").replace("Restless", name)
    for name, bars in (("quick", 3), ("slow", 5))
}


@pytest.fixture(scope="module")
def trading(home: Path) -> Iterator[Running]:
    """A fleet of two that both find a slot."""
    with fleet(home, pace=5, strategies=_TWO) as running:
        yield running


@pytest.fixture(scope="module")
def desk(home: Path, trading: Running) -> Iterator[Served]:
    """A server over the home of the fleet, once that has hired."""
    del trading
    with served(Site(Settings(home=home), SystemClock())) as at_work:
        with at_work.client() as client:
            # Before the first run has been read there are no agents to ask for.
            until(lambda: client.get("/api/agents").status_code == 200, "a run to be read", 120)
            until(lambda: "a002" in states(client), "the fleet to hire", 120)
        yield at_work


@pytest.fixture
def hand(desk: Served) -> Iterator[httpx2.Client]:
    """A person at the desk, before and after whom nobody is paused."""
    with desk.client() as client:
        yield client
        pause(client, "a001", "a002", deed="unpause")
        until(lambda: not {"paused", "pausing", "unpausing"} & set(states(client).values()), "the fleet to go on")


def facts(home: Path, kind: str) -> list[dict[str, Any]]:
    (path,) = home.glob("runs/*/journal.sqlite")
    with Journal.open(path, read_only=True) as journal:
        return [dict(entry.body) for entry in journal.entries() if entry.kind == kind]


def test_who_is_paused_is_so_in_the_journal_on_the_page_and_once_in_the_audit(hand: httpx2.Client, home: Path) -> None:
    said, entered = words(home), len(audit(hand))
    answer = pause(hand, "a001", "a001", why="behaves\x1b[2J oddly")
    assert outcomes(answer) == {"a001": ("ordered", "pausing")}
    assert answer.json() | {"agents": None} == {
        "run": hand.get("/api/status").json()["run"],
        "paused": True,
        "ordered": 1,
        "at_work": True,
        "text": "1 agent is paused as soon as the run hears it",
        "agents": None,
    }
    until(lambda: states(hand)["a001"] == "paused", "the fleet to obey")
    assert states(hand)["a002"] == "active"
    fact = facts(home, "AgentPaused")[-1]
    assert (fact["agent"], fact["by"], fact["why"], fact["pause"]) == ("a001", "tester", "behaves [2J oddly", said + 1)
    agent = hand.get("/api/agents/a001").json()
    assert (agent["state"], agent["summary"]["state"]) == ("paused", "paused")
    assert (agent["pause"]["paused"], agent["pause"]["by"], agent["pause"]["why"]) == (True, "tester", fact["why"])
    assert any(line["kind"] == "AgentPaused" for line in agent["why"])
    assert any(line["kind"] == "AgentPaused" for line in hand.get("/api/journal").json()["lines"])
    entries = audit(hand)
    assert len(entries) == entered + 1
    assert (entries[0]["what"], entries[0]["by"]) == ("AgentsPaused", "tester")
    assert entries[0]["facts"]["agents"] == 1 and entries[0]["facts"]["which"] == ["a001"]
    assert entries[0]["facts"]["run"] == agent["run"]
    # Once more: it holds already, and nothing is ordered or entered.
    again = pause(hand, "a001")
    assert outcomes(again) == {"a001": ("already", "paused")}
    assert again.json()["text"] == "nothing was ordered; 1 paused already"
    assert (words(home), len(audit(hand))) == (said + 1, entered + 1)
    back = pause(hand, "a002", "a001", deed="unpause")
    assert outcomes(back) == {"a002": ("already", "active"), "a001": ("ordered", "unpausing")}
    until(lambda: states(hand)["a001"] == "active", "the fleet to obey")
    assert facts(home, "AgentUnpaused")[-1]["agent"] == "a001"
    assert audit(hand)[0]["what"] == "AgentsUnpaused"


@pytest.mark.parametrize("deed", ["pause", "unpause"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"agents": ["a001", "a999"]}, 404),
        ({"agents": ["a001"], "run": "nowhere"}, 404),
        ({"agents": []}, 422),
        ({"agents": ["a001"], "why": "x" * 501}, 422),
        ({"agents": ["a001"], "paused": True}, 422),
        ({"agents": "a001"}, 422),
        ({"agents": ["a001"] * 20_001}, 422),
        ({"agents": ["a001"], "why": "\ud800"}, 422),
        ({}, 422),
    ],
)
def test_a_wish_that_is_wrong_in_one_thing_changes_nothing(
    hand: httpx2.Client, home: Path, deed: str, body: dict[str, Any], status: int
) -> None:
    before = (ordered(home), words(home), len(audit(hand)))
    sent = json.dumps(body).encode()
    answer = hand.post(f"/api/agents/{deed}", content=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert (ordered(home), words(home), len(audit(hand))) == before


def test_an_unknown_agent_is_named(hand: httpx2.Client) -> None:
    problem = pause(hand, "a001", "b1", "b2", "b3", "b4", "b5").json()
    assert problem["what"] == "there is no agent 'b1', 'b2', 'b3' and 2 more: nothing has changed"


@pytest.mark.usefixtures("front_end")
def test_one_agent_is_paused_from_its_drawer_and_let_go_on(
    hand: httpx2.Client, desk: Served, home: Path, context: BrowserContext
) -> None:
    desk.sign_in(context)
    page = context.new_page()
    page.goto(f"{desk.url}/fleet/a002")
    drawer = page.get_by_role("dialog", name="a002")
    drawer.get_by_role("button", name="Pause", exact=True).click()
    dialog = page.get_by_role("dialog", name="Pause a002")
    expect(dialog).to_contain_text("enters nothing any more")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(drawer).to_be_visible()
    assert ordered(home).get(hand.get("/api/agents/a002").json()["strategy"]["content_hash"]) is not True
    drawer.get_by_role("button", name="Pause", exact=True).click()
    dialog.get_by_label("Why").fill("<b>odd</b>")
    dialog.get_by_role("button", name="Pause a002").click()
    expect(drawer.locator(".agent-state").first).to_have_text("❚❚ Paused")
    expect(drawer).to_contain_text("Paused by tester")
    expect(drawer).to_contain_text("<b>odd</b>")
    expect(page.locator("[data-agent=a002] .agent-state")).to_have_text("❚❚ Paused")
    page.get_by_role("button", name="Undo").click()
    expect(drawer.locator(".agent-state").first).to_have_text("● Active")
    expect(drawer.get_by_role("button", name="Pause", exact=True)).to_be_visible()


def test_an_order_outlives_the_process_that_should_have_obeyed(
    hand: httpx2.Client, home: Path, trading: Running
) -> None:
    """The last one on this fleet: it kills it."""
    trading.kill()
    until(lambda: not hand.get("/api/runs").json()[0]["working"], "the server to see that it is gone")
    obeyed = len(facts(home, "AgentPaused"))
    answer = pause(hand, "a001")
    assert outcomes(answer) == {"a001": ("ordered", "paused")}
    assert answer.json()["at_work"] is False
    assert answer.json()["text"].endswith("from when a process trades it again: none does now")
    until(lambda: states(hand)["a001"] == "paused", "the page to say what holds")
    assert len(facts(home, "AgentPaused")) == obeyed
    with fleet(home, pace=5, strategies=_TWO):
        until(lambda: len(facts(home, "AgentPaused")) > obeyed, "the next process to obey", 60)
        pause(hand, "a001", deed="unpause")
        until(lambda: states(hand)["a001"] == "active", "it to go on")


# What no process trades.


def test_a_run_that_has_ended_keeps_the_order_and_has_nothing_to_pause_of_who_has_left(tmp_path: Path) -> None:
    world = small_run()
    site = Site(Settings(home=tmp_path), SystemClock())
    written(world, tmp_path)
    with served(site) as web, web.client() as client:
        until(lambda: client.get("/api/status").json()["phase"] == "ended", "the journal to be read")
        before = states(client)
        assert {"active", "released"} <= set(before.values())
        answer = pause(client, *before)
        for agent, (outcome, state) in outcomes(answer).items():
            over = before[agent] in ("fired", "released")
            assert (outcome, state) == (("over", before[agent]) if over else ("ordered", "paused"))
        hashes = {agent: client.get(f"/api/agents/{agent}").json()["strategy"]["content_hash"] for agent in before}
        assert ordered(tmp_path) == {hashes[agent]: True for agent in before if before[agent] == "active"}
        until(lambda: "active" not in states(client).values(), "the page to say what holds")


def test_an_account_is_a_desk_of_its_own_whichever_run_is_shown(tmp_path: Path) -> None:
    world = capture_account()
    site = Site(Settings(home=tmp_path), SystemClock())
    written(world, tmp_path)
    with served(site) as web, web.client() as client:
        until(lambda: len(states(client)) == 2, "the journal to be read")
        written(small_run(), tmp_path, 20)
        client.put("/api/runs/shown", json={"run": small_run().run})
        until(lambda: client.get("/api/status").json()["run"] == small_run().run, "the other run to be shown")
        answer = pause(client, "a002", run=world.run, why="odd")
        assert outcomes(answer) == {"a002": ("ordered", "paused")}
        about = next(entry.body["about"] for entry in world.entries if entry.body.get("agent") == "a002")
        assert ordered(tmp_path, world.run) == {parse_json(json.dumps(about)).content_hash: True}
        assert ordered(tmp_path) == {}
        assert states(client, run=world.run) == {"a001": "active", "a002": "paused"}
        assert "paused" not in states(client).values()
        detail = client.get("/api/agents/a002", params={"run": world.run}).json()
        assert (detail["state"], detail["pause"]["why"]) == ("paused", "odd")
        client.put("/api/runs/shown", json={"run": world.run})
        until(lambda: states(client) == {"a001": "active", "a002": "paused"}, "the account to be shown")


@pytest.mark.parametrize("world", [small_run, capture_account], ids=["bars", "account"])
def test_what_the_journal_says_of_a_pause_is_shown_where_nobody_has_ordered_since(
    world: Callable[[], World], tmp_path: Path
) -> None:
    made = world()
    tale = Tale(made.run, written(made, tmp_path, 300))
    with Journal.open(tale.path) as journal:
        fact = {"agent": "a002", "by": "me", "why": "", "pause": 7}
        journal.append([(made.entries[-1].ts, "AgentPaused", fact)])
        for entry in journal.entries():
            tale.take(entry)
    columns, row = tale.columns(), tale.columns().ids.index("a002")
    assert columns.desk == (made.run if made.folder == "accounts" else PAPER_FLEET)
    assert columns.state_of(row) == "paused"
    assert "paused" in tale.feed[-1].text and tale.feed[-1].agent == "a002"
    nobody = under_pauses(columns, {}, working=True)
    assert nobody.state_of(row) == "paused"
    (other,) = wished(columns, {}, ["a002"], paused=False)
    assert other == ("a002", columns.strategies[row], "ordered")


def test_two_thousand_agents_are_paused_in_one_call(tmp_path: Path) -> None:
    source = BusyFleet(2_000)
    site = Site(Settings(home=tmp_path), SystemClock(), source=source)
    with served(site) as web, web.client() as client:
        agents = list(states(client, limit="2000"))
        assert len(agents) == 2_000
        began = time.perf_counter()
        answer = pause(client, *agents)
        print(f"{time.perf_counter() - began:.3f} s for 2,000 agents")
        found = outcomes(answer)
        over = {agent for agent, state in states(client, limit="2000").items() if state == "fired"}
        assert {agent for agent, (outcome, _) in found.items() if outcome == "ordered"} == set(agents) - over
        assert answer.json()["ordered"] == len(ordered(tmp_path)) == 2_000 - len(over)
        (entry,) = audit(client)
        assert entry["facts"]["agents"] == 2_000 - len(over)


def test_a_halt_is_seen_on_a_switchboard_that_is_from_before_there_were_pauses(tmp_path: Path) -> None:
    with Switchboard.open(tmp_path) as switchboard:
        given = switchboard.give(Switch.HALT, "me", "", 1)
        switchboard._connection.execute("DROP TABLE pause")
        switchboard._connection.execute("PRAGMA user_version = 1")
    orders = Orders(tmp_path)
    orders.look(PAPER_FLEET)
    assert (orders.command, dict(orders.pauses)) == (given, {})
    with Switchboard.open(tmp_path) as switchboard:
        switchboard.pause(PAPER_FLEET, ["x"], "me", "", 2, paused=True)
    orders.look(PAPER_FLEET)
    assert orders.command == given and orders.pauses["x"].paused


# What was ordered against what the journal says.


@given(
    st.lists(st.tuples(st.sampled_from(get_args(AgentState)), st.sampled_from([None, True, False])), max_size=8),
    st.booleans(),
)
def test_an_order_shows_until_it_is_obeyed(agents: list[tuple[AgentState, bool | None]], working: bool) -> None:
    agents = [(state, word) for state, word in agents if state not in ("pausing", "unpausing")]
    names = tuple(f"a{row}" for row in range(len(agents)))
    codes = np.array([STATES.index(state) for state, _ in agents], np.int8)
    numbers = np.zeros((len(NUMBERS), len(agents)))
    columns = Columns("run", names, names, names, names, codes, numbers)
    pauses = {
        name: Pause(1, 0, PAPER_FLEET, name, word, "somebody", "")
        for name, (_, word) in zip(names, agents, strict=True)
        if word is not None
    }
    shown = under_pauses(columns, pauses, working=working)
    for row, (state, word) in enumerate(agents):
        if word is None or state in ("fired", "released"):
            expected = state
        elif word:
            expected = "paused" if state == "paused" or not working else "pausing"
        else:
            expected = state if state != "paused" else "unpausing" if working else "active"
        assert shown.state_of(row) == expected
    assert columns.state.tolist() == codes.tolist(), "a picture never changes"
    assert shown.state.dtype == columns.state.dtype
