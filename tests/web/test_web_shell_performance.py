"""2,000 agents of which every one changes ten times a second, through the real WebSocket, in a real browser."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from busy_fleet import BusyFleet
from frame_rate import first_load, frame_rate
from playwright.sync_api import Page, expect
from web_server import Served

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server.site import Site

AGENTS = 2_000

pytestmark = pytest.mark.usefixtures("front_end")


@pytest.fixture
def fleet() -> BusyFleet:
    return BusyFleet(AGENTS)


@pytest.fixture
def site(tmp_path: Path, fleet: BusyFleet) -> Site:
    return Site(Settings(home=tmp_path / "home"), SystemClock(), source=fleet, every=0.1)


@pytest.mark.parametrize("seconds", [5, pytest.param(60, marks=pytest.mark.long)])
def test_a_busy_fleet_stays_right(page: Page, web: Served, fleet: BusyFleet, seconds: int) -> None:
    page.goto(f"{web.url}/fleet?sort=name-up")
    expect(page.get_by_test_id("count")).to_have_text("2,000 of 2,000 agents")
    page.wait_for_timeout(1_000)
    seen = frame_rate(page, seconds)
    print(asdict(seen))
    assert page.locator("[data-agent]").count() < 100
    expect(page.get_by_test_id("link")).to_contain_text("Live")
    fleet.walking = False
    with web.client() as client:
        agents = client.get("/api/agents", params={"limit": "3"}).json()["agents"]
    for agent in agents:
        row = page.locator(f"[data-agent={agent['id']}]")
        expect(row.get_by_role("gridcell").nth(7)).to_have_text(f"{agent['equity']:,.2f}")
    if seconds >= 60:
        # What is held after a minute is what was held before it: nothing grows with time.
        assert seen.heap_growth < 10


def test_the_first_load_is_small(page: Page, web: Served) -> None:
    for path in ("/", "/fleet"):
        assert first_load(page, web.url + path) < 300
