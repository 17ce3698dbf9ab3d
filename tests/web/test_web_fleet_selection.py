"""Selecting among 2,000 agents that change all the time, by pointer and by keyboard, and pausing what is selected."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from axe import axe_violations_in_both_schemes
from busy_fleet import BusyFleet
from playwright.sync_api import Page, expect
from web_server import Served

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server.live.orders import pauses_of
from clawd.server.site import Site
from clawd.store.switchboard import PAPER_FLEET

AGENTS = 2_000

pytestmark = pytest.mark.usefixtures("front_end")


@pytest.fixture
def fleet(tmp_path: Path) -> BusyFleet:
    """A fleet that hears what is ordered of single agents."""
    busy = BusyFleet(AGENTS)
    busy.pauses = lambda: pauses_of(tmp_path / "home", PAPER_FLEET)
    return busy


@pytest.fixture
def site(tmp_path: Path, fleet: BusyFleet) -> Site:
    return Site(Settings(home=tmp_path / "home"), SystemClock(), source=fleet, every=0.1)


def open_fleet(page: Page, web: Served, path: str = "/fleet?sort=name-up") -> None:
    page.goto(web.url + path)
    expect(page.get_by_test_id("count")).to_contain_text("of 2,000 agents")


def box(page: Page, agent: str):  # type: ignore[no-untyped-def]
    return page.get_by_role("checkbox", name=f"Select {agent}", exact=True)


def checked(page: Page) -> list[str]:
    """The agents in sight whose box is checked, in the order of their names."""
    found: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('[data-agent]')]"
        ".filter(row => row.querySelector('input').checked).map(row => row.dataset.agent)"
    )
    return sorted(found)


def test_a_selection_survives_sorting_filtering_and_what_moves(page: Page, web: Served) -> None:
    open_fleet(page, web)
    box(page, "a0003").check()
    box(page, "a0006").click(modifiers=["Shift"])
    assert checked(page) == ["a0003", "a0004", "a0005", "a0006"]
    box(page, "a0005").click(modifiers=["Shift"])
    assert checked(page) == ["a0003", "a0004", "a0005"], "another range from the same place takes its place"
    box(page, "a0001").check()
    selected = page.get_by_test_id("selected")
    expect(selected).to_have_text("4 selected")
    page.get_by_role("columnheader", name="P&L today").get_by_role("button").click()
    page.mouse.move(5, 5)
    page.wait_for_timeout(2_500)  # ranked anew, twice
    expect(selected).to_have_text("4 selected")
    page.get_by_label("Filter agents").fill("a0003")
    expect(page.get_by_test_id("count")).to_have_text("1 of 2,000 agents")
    expect(selected).to_have_text("4 selected · 3 not shown")
    assert checked(page) == ["a0003"]
    page.get_by_label("Filter agents").fill("")
    page.get_by_role("columnheader", name="Agent").get_by_role("button").click()
    expect(page.locator("[data-agent=a0000]")).to_be_visible()
    assert checked(page) == ["a0001", "a0003", "a0004", "a0005"]
    page.get_by_role("button", name="Clear").click()
    expect(selected).to_have_count(0)
    expect(page.get_by_role("grid", name="Agents")).to_be_focused()


def test_a_click_on_a_box_opens_nothing_and_moves_no_row(page: Page, web: Served) -> None:
    open_fleet(page, web, "/fleet")
    row = page.locator("[data-agent]").nth(8)
    row.hover()
    page.wait_for_timeout(200)
    agent = row.get_attribute("data-agent")
    assert agent is not None
    before = page.locator(f"[data-agent={agent}]").bounding_box()
    box(page, agent).click()
    expect(page.get_by_test_id("selected")).to_have_text("1 selected")
    page.wait_for_timeout(2_500)
    assert page.locator(f"[data-agent={agent}]").bounding_box() == before
    assert page.url.endswith("/fleet")
    # The whole cell selects, and a row that is clicked with Shift or Control opens nothing either.
    cell = page.locator(f"[data-agent={agent}] .fleet-pick")
    cell.click(position={"x": 2, "y": 3})
    expect(page.get_by_test_id("selected")).to_have_count(0)
    page.locator(f"[data-agent={agent}]").click(modifiers=["Control"], position={"x": 500, "y": 10})
    expect(page.get_by_test_id("selected")).to_have_text("1 selected")
    page.locator("[data-agent]").nth(10).click(modifiers=["Shift"], position={"x": 500, "y": 10})
    expect(page.get_by_test_id("selected")).to_have_text("3 selected")
    assert page.evaluate("getSelection().toString()") == ""
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_agents_are_selected_and_paused_by_keyboard_alone(
    page: Page, web: Served, site: Site, fleet: BusyFleet
) -> None:
    fleet.obeys = False
    open_fleet(page, web)
    page.get_by_role("grid", name="Agents").focus()
    for key in ("ArrowDown", "Space", "ArrowDown", "ArrowDown", "Shift+ArrowDown", "Shift+ArrowDown"):
        page.keyboard.press(key)
    # The range begins at what was selected last.
    assert checked(page) == ["a0000", "a0001", "a0002", "a0003", "a0004"]
    page.keyboard.press("Shift+ArrowUp")
    assert checked(page) == ["a0000", "a0001", "a0002", "a0003"]
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("selected")).to_have_count(0)
    page.keyboard.press("Control+a")
    expect(page.get_by_test_id("selected")).to_have_text("2,000 selected")
    page.keyboard.press("Escape")
    page.keyboard.press("Space")  # a0003, where the keys have come to: halted
    page.keyboard.press("Shift+ArrowDown")
    expect(page.get_by_test_id("selected")).to_have_text("2 selected")
    page.keyboard.press("p")
    dialog = page.get_by_role("dialog", name="Pause 2 agents")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("grid", name="Agents")).to_be_focused()
    expect(page.get_by_test_id("selected")).to_have_text("2 selected")
    while not page.evaluate("document.activeElement.innerText").startswith("Pause"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Why")).to_be_focused()
    expect(dialog).to_contain_text("All of them hold positions, worth")
    page.keyboard.type("odd / strange")
    assert pauses_of(site.home, PAPER_FLEET) == {}
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Pause 2 agents")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Ordered: 2 agents paused")).to_be_visible()
    given = pauses_of(site.home, PAPER_FLEET).values()
    assert [(pause.paused, pause.by, pause.why) for pause in given] == [(True, "tester", "odd / strange")] * 2
    states = page.locator("[data-agent=a0003] .agent-state, [data-agent=a0004] .agent-state")
    expect(states).to_have_text(["◌ Pausing…", "◌ Pausing…"])
    fleet.obeys = True
    expect(states).to_have_text(["❚❚ Paused", "❚❚ Paused"])
    page.get_by_role("button", name="Paused 2").click()
    expect(page.get_by_test_id("count")).to_have_text("2 of 2,000 agents")


def test_all_that_are_filtered_are_paused_together_and_it_is_undone(
    page: Page, web: Served, client: httpx2.Client, site: Site
) -> None:
    open_fleet(page, web, "/fleet?q=grid")
    fitting = {each["id"]: each["state"] for each in _agents(client, text="grid")}
    concerned = {agent for agent, state in fitting.items() if state != "fired"}
    page.get_by_role("checkbox", name=f"Select all {len(fitting)} that are shown").check()
    expect(page.get_by_test_id("selected")).to_have_text(f"{len(fitting)} selected")
    page.get_by_role("button", name="Pause", exact=True).click()
    dialog = page.get_by_role("dialog", name=f"Pause {len(concerned)} agents")
    expect(dialog).to_contain_text(f"{len(fitting) - len(concerned)} agents were fired or released")
    dialog.get_by_role("button", name="Pause").click()
    expect(page.get_by_text(f"Ordered: {len(concerned)} agents paused")).to_be_visible()
    expect(page.get_by_role("button", name=f"Paused {len(concerned)}")).to_be_visible()
    assert {each["id"] for each in _agents(client, state="paused")} == concerned
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone")).to_be_visible()
    expect(page.get_by_role("button", name="Paused")).to_have_count(0)
    assert not any(pause.paused for pause in pauses_of(site.home, PAPER_FLEET).values())
    # Nothing is left to unpause: that is said, and nothing can be ordered.
    page.get_by_role("button", name="Unpause").click()
    dialog = page.get_by_role("dialog", name="Nobody to unpause")
    expect(dialog.get_by_role("button")).to_have_text(["", "Close"])


def test_a_refusal_is_said_where_it_was_asked_for(page: Page, web: Served, site: Site) -> None:
    open_fleet(page, web)
    box(page, "a0002").check()
    box(page, "a0006").check()
    page.get_by_role("button", name="Pause", exact=True).click()
    site.source = BusyFleet(4)  # another fleet, of which the page has not heard
    dialog = page.get_by_role("dialog", name="Pause 2 agents")
    dialog.get_by_role("button", name="Pause 2 agents").click()
    expect(dialog.get_by_role("alert")).to_contain_text("There is no agent 'a0006': nothing has changed")
    assert pauses_of(site.home, PAPER_FLEET) == {}


def test_axe_finds_nothing_wrong_with_a_selection(page: Page, web: Served) -> None:
    open_fleet(page, web)
    box(page, "a0001").check()
    box(page, "a0005").click(modifiers=["Shift"])
    expect(page.get_by_test_id("selected")).to_have_text("5 selected")
    assert axe_violations_in_both_schemes(page) == []
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert axe_violations_in_both_schemes(page) == []


def test_on_a_phone_the_bar_is_in_sight_and_fingers_meet_it(page: Page, web: Served) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_fleet(page, web)
    box(page, "a0001").check()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("[role=grid]").evaluate("grid => grid.scrollWidth <= grid.clientWidth")
    for name in ("Pause", "Unpause", "Clear"):
        button = page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_in_viewport(ratio=1)
        size = button.bounding_box()
        assert size is not None and size["height"] >= 44
    stop = page.get_by_role("button", name="Stop trading").locator("visible=true").first.bounding_box()
    bar = page.get_by_role("region", name="Selected agents").bounding_box()
    assert stop is not None and bar is not None and bar["y"] + bar["height"] <= stop["y"]


def _agents(client: httpx2.Client, **asked: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = client.get("/api/agents", params={"limit": "2000", **asked}).json()["agents"]
    return found
