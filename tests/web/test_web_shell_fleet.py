"""The page of all agents: 2,000 of them, filtered, sorted, walked through, and held still under the pointer."""

from __future__ import annotations

import itertools
import re
import time
from pathlib import Path

import httpx2
import pytest
from busy_fleet import BusyFleet
from playwright.sync_api import Page, expect
from web_server import Served

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server.site import Site

AGENTS = 2_000
HOSTILE = ('<img src=x onerror="window.hacked = 1">', "\u202esdrawkcab\u202c", "x" * 200)

pytestmark = pytest.mark.usefixtures("front_end")


@pytest.fixture
def fleet() -> BusyFleet:
    return BusyFleet(AGENTS, HOSTILE)


@pytest.fixture
def site(tmp_path: Path, fleet: BusyFleet) -> Site:
    return Site(Settings(home=tmp_path / "home"), SystemClock(), source=fleet, every=0.1)


def rows(page: Page) -> list[str]:
    """The agents in sight, from above."""
    return page.evaluate(
        """() => {
          const grid = document.querySelector('[role=grid]').getBoundingClientRect()
          return [...document.querySelectorAll('[data-agent]')]
            .map(row => [row.getBoundingClientRect(), row.dataset.agent])
            .filter(([box]) => box.top >= grid.top + 31 && box.bottom <= grid.bottom + 1)
            .sort(([a], [b]) => a.top - b.top)
            .map(([, agent]) => agent)
        }"""
    )


def ranked(client: httpx2.Client, sort: str, descending: bool, **more: str) -> list[str]:
    """The same as the interface ranks them."""
    asked = {"sort": sort, "descending": str(descending).lower(), "limit": "2000", **more}
    return [agent["id"] for agent in client.get("/api/agents", params=asked).json()["agents"]]


def open_fleet(page: Page, web: Served, path: str = "/fleet") -> None:
    page.goto(web.url + path)
    expect(page.get_by_test_id("count")).to_contain_text("of 2,000 agents")


def test_a_filter_says_how_many_agents_fit_and_stands_in_the_address(
    page: Page, web: Served, client: httpx2.Client
) -> None:
    open_fleet(page, web)
    fitting = client.get("/api/agents", params={"text": "grid", "limit": "1"}).json()["total"]
    assert 0 < fitting < AGENTS
    page.keyboard.press("/")
    page.keyboard.type("grid")
    expect(page.get_by_test_id("count")).to_have_text(f"{fitting} of 2,000 agents")
    assert "q=grid" in page.url
    page.reload()
    expect(page.get_by_test_id("count")).to_have_text(f"{fitting} of 2,000 agents")
    page.get_by_label("Filter agents").press("Escape")
    expect(page.get_by_test_id("count")).to_have_text("2,000 of 2,000 agents")


def test_states_are_chosen_by_their_counts(page: Page, web: Served, client: httpx2.Client) -> None:
    open_fleet(page, web)
    halted = client.get("/api/agents", params={"state": "halted", "limit": "1"}).json()["total"]
    page.get_by_role("button", name=f"Halted {halted}").click()
    expect(page.get_by_test_id("count")).to_have_text(f"{halted} of 2,000 agents")
    states = page.locator("[data-agent] .agent-state")
    expect(states.first).to_contain_text("Halted")
    assert set(states.all_inner_texts()) == {"■ Halted"}


def test_numbers_sort_both_ways_as_the_interface_does(
    page: Page, web: Served, client: httpx2.Client, fleet: BusyFleet
) -> None:
    fleet.walking = False
    open_fleet(page, web, "/fleet?sort=name-up")
    columns = [("P&L today", "profit"), ("Equity", "equity"), ("Evidence", "wealth")]
    for (title, sort), descending in itertools.product(columns, (True, False)):
        page.get_by_role("columnheader", name=title).get_by_role("button").click()
        wanted = ranked(client, sort, descending)
        expect(page.locator(f"[data-agent={wanted[0]}]")).to_be_visible()
        deadline = time.monotonic() + 60
        while len(shown := rows(page)) <= 10 or shown != wanted[: len(shown)]:
            assert time.monotonic() < deadline, (sort, descending, shown[:10], wanted[:10])
            page.wait_for_timeout(50)


def test_the_keys_go_to_the_end_and_open_an_agent(
    page: Page, web: Served, client: httpx2.Client, fleet: BusyFleet
) -> None:
    fleet.walking = False
    open_fleet(page, web)
    wanted = ranked(client, "profit", True)
    grid = page.get_by_role("grid", name="Agents")
    grid.focus()
    for key, place in [
        ("ArrowDown", 0),
        ("ArrowDown", 1),
        ("ArrowUp", 0),
        ("End", AGENTS - 1),
        ("ArrowUp", AGENTS - 2),
    ]:
        page.keyboard.press(key)
        expect(page.locator("[role=row][aria-selected=true]")).to_have_attribute("data-agent", wanted[place])
        expect(page.locator("[role=row][aria-selected=true]")).to_have_attribute("aria-rowindex", str(place + 2))
    expect(grid).to_have_attribute("aria-rowcount", str(AGENTS + 1))
    assert page.locator("[data-agent]").count() < 100
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.url.endswith(f"/fleet/{wanted[AGENTS - 2]}")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url.endswith("/fleet")


def test_the_row_under_the_pointer_stays_while_its_numbers_move(page: Page, web: Served) -> None:
    open_fleet(page, web)
    row = page.locator("[data-agent]").nth(5)
    row.hover()
    page.wait_for_timeout(200)
    before = rows(page)
    numbers = page.locator(f"[data-agent={before[5]}]").inner_text()
    page.wait_for_timeout(5_000)
    assert rows(page) == before
    assert page.locator(f"[data-agent={before[5]}]").inner_text() != numbers


def test_a_view_is_kept_under_a_name(page: Page, web: Served) -> None:
    open_fleet(page, web, "/fleet?q=grid&sort=equity-up")
    few = page.get_by_test_id("count").inner_text()
    page.get_by_role("button", name="Views").click()
    page.get_by_label("Keep what is shown").fill("<b>mine</b>")
    page.keyboard.press("Enter")
    page.goto(web.url + "/fleet")
    expect(page.get_by_test_id("count")).to_have_text("2,000 of 2,000 agents")
    page.get_by_role("button", name="Views 1").click()
    page.get_by_role("menuitem", name="<b>mine</b>", exact=True).click()
    expect(page.get_by_test_id("count")).to_have_text(few)
    assert "sort=equity-up" in page.url


def test_names_that_mean_harm_are_names(page: Page, web: Served) -> None:
    said: list[str] = []
    page.on("dialog", lambda dialog: said.append(dialog.message))
    open_fleet(page, web, "/fleet?sort=name-up")
    expect(page.locator("[data-agent=a0000]")).to_contain_text("<img src=x onerror=")
    expect(page.locator("[data-agent=a0002]")).to_contain_text("x" * 200)
    # What turns the direction of writing turns its own name and nothing after it.
    assert page.locator("[data-agent=a0001] bdi").count() >= 2
    assert page.evaluate("() => 'hacked' in window") is False
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("[data-agent=a0002]").evaluate("row => row.scrollHeight <= row.clientHeight + 1")
    page.goto(web.url)
    expect(page.get_by_role("heading", name="Top movers today")).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_placeholder("A page, an agent or an action").fill("onerror")
    expect(page.get_by_role("dialog")).to_contain_text("<img src=x onerror=")
    assert page.evaluate("() => 'hacked' in window") is False
    assert said == []


def test_a_phone_shows_what_matters_of_each_agent(page: Page, web: Served) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_fleet(page, web)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    heads = [re.sub(r"\s", " ", text).strip() for text in page.get_by_role("columnheader").all_inner_texts()][1:]
    assert heads == ["Agent", "State", "P&L today", "Equity", "Risk"]
    assert page.locator("[role=grid]").evaluate("grid => grid.scrollWidth <= grid.clientWidth")
