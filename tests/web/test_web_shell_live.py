"""A page that loses its server says so at once, and is right again without being loaded anew."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from busy_fleet import BusyFleet
from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect
from web_server import Served, served

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server.site import Site

AGENTS = 40

pytestmark = pytest.mark.usefixtures("front_end")


@pytest.fixture
def fleet() -> BusyFleet:
    return BusyFleet(AGENTS)


@pytest.fixture
def site(tmp_path: Path, fleet: BusyFleet) -> Site:
    return Site(Settings(home=tmp_path / "home"), SystemClock(), source=fleet)


class Wire:
    """Between a page and its server: what the server says passes, or not, or something else does."""

    def __init__(self, page: Page) -> None:
        self.passes: Callable[[str], list[str]] = lambda text: [text]
        self.asked: list[dict[str, Any]] = []
        page.route_web_socket(re.compile("/api/live$"), self._opened)

    def _opened(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def to_server(message: str | bytes) -> None:
            self.asked.append(json.loads(message))
            server.send(message)

        def to_page(message: str | bytes) -> None:
            for text in self.passes(str(message)):
                route.send(text)

        route.on_message(to_server)
        server.on_message(to_page)


def shown(page: Page) -> dict[str, tuple[str, str]]:
    """Equity and profit of every agent in sight, as the page writes them."""
    found = page.evaluate(
        """() => [...document.querySelectorAll('[data-agent]')].map(row => [row.dataset.agent,
          ...[...row.querySelectorAll('[role=gridcell]:not(.fleet-pick-cell)')].map(cell => cell.textContent)])"""
    )
    return {row[0]: (row[7], row[5]) for row in found}


def stated(client: httpx2.Client) -> dict[str, tuple[str, str]]:
    """The same of the interface, written as a page would."""
    agents = client.get("/api/agents", params={"limit": "2000"}).json()["agents"]
    return {agent["id"]: (f"{agent['equity']:,.2f}", _profit(agent["profit"])) for agent in agents}


def _profit(value: float) -> str:
    sign = "▲ +" if value >= 0.005 else "▼ −" if value <= -0.005 else "• "
    return f"{sign}{abs(value):,.2f}"


def test_a_server_that_dies_and_comes_back(context: BrowserContext, site: Site) -> None:
    with served(site) as dying:
        dying.sign_in(context)
        page = context.new_page()
        page.set_viewport_size({"width": 1600, "height": 1_800})
        page.goto(f"{dying.url}/fleet?sort=name-up")
        badge = page.get_by_test_id("link")
        expect(badge).to_contain_text("Live")
        expect(page.locator("[data-agent]")).to_have_count(AGENTS)
        page.evaluate("window.same = true")
        number = page.locator("[data-agent] .numbers").first
        bright = number.evaluate("cell => getComputedStyle(cell).opacity")
    expect(badge).to_contain_text("Reconnecting")
    assert float(number.evaluate("cell => getComputedStyle(cell).opacity")) < float(bright)
    expect(page.get_by_test_id("silent")).to_contain_text(re.compile(r"last heard \d+ s ago"))
    # Another server at the same address: its numbers of frames begin anew, and its agents have gone on.
    other = BusyFleet(AGENTS)
    for _ in range(50):
        other.picture()
    other.walking = False
    again = Site(site.settings, site.clock, source=other)
    with served(again, int(dying.url.rpartition(":")[2])) as alive:
        expect(badge).to_contain_text("Live")
        expect(page.get_by_test_id("silent")).to_have_count(0)
        assert page.evaluate("window.same") is True
        with alive.client() as client:
            wanted = stated(client)
        deadline = time.monotonic() + 60
        while shown(page) != wanted:
            assert time.monotonic() < deadline, "the page does not show what the interface says"
            page.wait_for_timeout(100)
        assert number.evaluate("cell => getComputedStyle(cell).opacity") == bright


def test_a_server_that_says_nothing_is_stale_within_two_seconds(page: Page, web: Served) -> None:
    wire = Wire(page)
    page.goto(web.url)
    badge = page.get_by_test_id("link")
    expect(badge).to_contain_text("Live")
    # What it says is written down in the page: who looks from outside may look too late.
    badge.evaluate(
        """badge => { window.said = []
          new MutationObserver(() => window.said.push(badge.textContent))
            .observe(badge, { subtree: true, childList: true, characterData: true, attributes: true }) }"""
    )
    wire.passes = lambda text: []
    expect(badge).to_contain_text(re.compile(r"Stale\D*([3-9]|\d\d) s"))
    first = next(said for said in page.evaluate("window.said") if "Stale" in said)
    assert re.search(r"Stale\D*[12] s", first), first
    wire.passes = lambda text: [text]
    expect(badge).not_to_contain_text("Stale")
    expect(badge).to_contain_text("Live")


def test_frames_that_are_lost_are_asked_for_anew(
    page: Page, web: Served, client: httpx2.Client, fleet: BusyFleet
) -> None:
    wire = Wire(page)
    page.set_viewport_size({"width": 1600, "height": 1_800})
    page.goto(f"{web.url}/fleet?sort=name-up")
    expect(page.locator("[data-agent]")).to_have_count(AGENTS)
    lost: list[str] = []

    def lossy(text: str) -> list[str]:
        if '"topic":"fleet"' in text[:200] and len(lost) < 3:
            lost.append(text)
            return []
        return [text]

    wire.passes = lossy
    deadline = time.monotonic() + 60
    while {"resync": "fleet"} not in wire.asked:
        assert time.monotonic() < deadline, "nothing was asked for anew"
        page.wait_for_timeout(50)
    fleet.walking = False
    wanted = stated(client)
    while shown(page) != wanted:
        assert time.monotonic() < deadline, "the page does not show what the interface says"
        page.wait_for_timeout(100)


def test_frames_that_mean_harm_change_nothing(page: Page, web: Served, fleet: BusyFleet) -> None:
    fleet.walking = False
    wire = Wire(page)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.set_viewport_size({"width": 1600, "height": 1_800})
    page.goto(f"{web.url}/fleet?sort=name-up")
    expect(page.locator("[data-agent]")).to_have_count(AGENTS)
    before = shown(page)
    hostile = [
        "[" * 5_000,
        '{"topic":"fleet","seq":99999,"whole":true,"sent_at":1,"run":"x","ids":["a"],"names":["a"],"markets":["a"],'
        '"index":[0],"state":["active"],"equity":["<b>"],"profit":[1],"total":[1],"drawdown":[0],"exposure":[0],'
        '"risk":[0],"wealth":[null]}',
        '{"topic":"fleet","seq":1e400,"whole":false}',
        '{"topic":"__proto__","seq":1}',
        '{"topic":"status","seq":5,"equity":{"toString":1}}',
        "null",
    ]
    wire.passes = lambda text: [*hostile, text]
    page.wait_for_timeout(1_500)
    expect(page.get_by_test_id("link")).to_contain_text("Live")
    assert shown(page) == before
    assert wrong == []


def test_what_stands_still_is_said_loudly_everywhere(page: Page, web: Served, fleet: BusyFleet) -> None:
    page.goto(f"{web.url}/settings")
    expect(page.get_by_test_id("standing")).to_have_count(0)
    fleet.say(standing="halted", approvals=2, alerts=3)
    expect(page.get_by_test_id("standing")).to_contain_text("HALTED")
    expect(page.get_by_role("button", name="3 alerts that nobody has seen")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Approvals.*2 waiting"))).to_be_visible()
    fleet.say(standing="day_limit")
    expect(page.get_by_test_id("standing")).to_contain_text("DAY LIMIT")
    page.get_by_role("link", name="Fleet").click()
    expect(page.get_by_test_id("standing")).to_be_visible()
    fleet.say(standing="active", approvals=0, alerts=0)
    expect(page.get_by_test_id("standing")).to_have_count(0)
