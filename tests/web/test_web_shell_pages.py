"""What surrounds every page, the overview, and an agent in full, over the journal of a real run."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest
from axe import axe_violations, axe_violations_in_both_schemes
from busy_fleet import BusyFleet
from live_world import small_run, written
from playwright.sync_api import Locator, Page, expect
from web_server import Served, served

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server.site import Site

pytestmark = pytest.mark.usefixtures("front_end")

AGENT = "a001"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a run that has ended."""
    home = tmp_path_factory.mktemp("run") / "home"
    written(small_run(), home)
    return home


@pytest.fixture
def site(home: Path) -> Site:
    return Site(Settings(home=home), SystemClock())


def ready(page: Page) -> None:
    """Wait until the run was read to its end, and nothing is loading."""
    expect(page.get_by_test_id("link")).to_contain_text("Live")
    expect(page.locator(".phase")).to_contain_text("Run ended")
    expect(page.locator("[aria-busy=true], .mantine-Skeleton-root")).to_have_count(0)


def test_the_overview_says_what_the_interface_says(page: Page, web: Served, client: httpx2.Client) -> None:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(web.url)
    ready(page)
    status = client.get("/api/status").json()
    equity = client.get("/api/equity").json()
    expect(page.get_by_test_id("equity")).to_have_text(f"{status['equity']:,.2f}")
    first, last = equity["equity"][0], equity["equity"][-1]
    summary = page.locator("figure[aria-label='Equity of the fleet'] figcaption")
    expect(summary).to_contain_text(f"From {first:,.2f} to {last:,.2f} USD (+{100 * (last / first - 1):.1f}%)")
    expect(summary).to_contain_text(f"deepest drawdown −{100 * max(equity['drawdown']):.1f}%")
    used = max(0.0, -status["day_profit"]) + status["reserved"]
    meter = page.get_by_role("meter", name="Risk budget of the day")
    expect(meter).to_have_attribute("aria-valuenow", str(round(100 * used / status["day_loss_limit"])))
    # The same numbers as a table, with the last first when it is sorted.
    page.locator("figure").get_by_role("button", name="Show as table").click()
    table = page.get_by_role("table")
    table.get_by_role("button", name="Time (UTC)").click()
    table.get_by_role("button", name="Time (UTC)").click()
    expect(table.get_by_role("row").nth(1)).to_contain_text(f"{last:,.2f}")
    # What nobody has seen yet is seen, here and in every other place.
    needs = page.get_by_role("region", name="Needs you")
    for alert in client.get("/api/alerts").json()["alerts"]:
        needs.get_by_role("button", name=f"I have seen: {alert['text']}").click()
        expect(needs.get_by_role("button", name=f"I have seen: {alert['text']}")).to_have_count(0)
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    expect(page.get_by_role("button", name="No alerts")).to_be_visible()
    assert client.get("/api/alerts").json()["open"] == 0
    assert wrong == []


def test_an_agent_in_full(page: Page, web: Served, client: httpx2.Client) -> None:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{web.url}/fleet/{AGENT}")
    ready(page)
    agent = client.get(f"/api/agents/{AGENT}").json()
    trades = client.get(f"/api/agents/{AGENT}/trades").json()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text(agent["summary"]["name"])
    expect(drawer).to_contain_text(agent["why"][0]["text"])
    for tab, words in [
        ("Now", "Why it did what it did"),
        ("Trades", f"Trades, {trades['total']} in all"),
        ("Evidence", "on a logarithmic scale"),
        ("Strategy", "In plain English"),
        ("Journal", "entries"),
    ]:
        drawer.get_by_role("tab", name=tab).click()
        expect(drawer).to_contain_text(words)
        expect(drawer.locator(".mantine-Skeleton-root")).to_have_count(0)
        assert axe_violations_in_both_schemes(page) == []
    # A trade brings the chart to its fill, and says what it was.
    drawer.get_by_role("tab", name="Trades").click()
    drawer.get_by_role("button", name="show on the chart").first.click()
    expect(drawer.get_by_role("status")).to_contain_text(f"Entry {trades['trades'][0]['fills'][0]} of the journal")
    drawer.get_by_role("tab", name="Strategy").click()
    expect(drawer).to_contain_text(agent["strategy"]["explanation"].splitlines()[-1].strip())
    drawer.get_by_role("link", name="Open in Build").click()
    page.wait_for_url(re.compile("/build/"))
    assert wrong == []


def test_an_agent_that_is_none_is_said_and_can_be_left(page: Page, web: Served) -> None:
    page.goto(f"{web.url}/fleet/<b>nobody")
    expect(page.get_by_role("alert")).to_contain_text("There is no agent '<b>nobody'")
    page.get_by_role("button", name="Close").click()
    expect(page).to_have_url(re.compile("/fleet$"))


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def test_a_walk_by_keyboard_alone(page: Page, web: Served) -> None:
    page.goto(web.url)
    ready(page)
    page.keyboard.press("Tab")
    expect(focused(page)).to_have_text("Skip to the content")
    # Whatever has the focus is seen to have it.
    for _ in range(12):
        page.keyboard.press("Tab")
        seen = focused(page).evaluate("it => getComputedStyle(it).outlineStyle + getComputedStyle(it).outlineWidth")
        assert not seen.startswith("none"), focused(page).evaluate("it => it.outerHTML.slice(0, 200)")
    page.keyboard.press("Control+k")
    search = page.get_by_placeholder("A page, an agent or an action")
    expect(search).to_be_focused()
    assert axe_violations(page) == []
    search.fill(AGENT)
    expect(page.get_by_role("button", name=AGENT)).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("tab", name="Now")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.get_by_label("Filter agents")).to_be_focused()
    page.keyboard.press("Control+Shift+K")
    expect(page.get_by_role("dialog")).to_contain_text("Stop")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name=re.compile("alert", re.I)).first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name=re.compile("alert"))).to_be_visible()
    assert axe_violations(page) == []
    page.keyboard.press("Escape")


def test_a_phone_reaches_every_page_and_the_stop_button(page: Page, web: Served) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(web.url)
    expect(page.get_by_test_id("mode")).to_have_text(re.compile("^PAPER$"))
    for name in ("Fleet", "Build", "Backtests", "Evidence", "Approvals", "Risk & audit", "Settings", "Overview"):
        page.get_by_role("button", name="Pages").click()
        page.get_by_role("dialog").get_by_role("link", name=name).click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page).to_have_title(re.compile(f"{re.escape(name)}.* · clawd"))
        expect(page.get_by_test_id("mode")).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    stop = page.get_by_role("button", name="Stop trading")
    expect(stop).to_be_in_viewport()
    assert (stop.bounding_box() or {})["height"] >= 44
    stop.click()
    expect(page.get_by_role("dialog")).to_contain_text("Stop")


def test_what_was_chosen_of_the_appearance_stays(page: Page, web: Served) -> None:
    page.goto(web.url)
    expect(page.get_by_test_id("link")).to_contain_text("Live")
    before = page.evaluate("document.documentElement.dataset.mantineColorScheme")
    page.get_by_role("button", name=re.compile("Switch to the .* theme")).click()
    after = page.evaluate("document.documentElement.dataset.mantineColorScheme")
    assert {before, after} == {"dark", "light"}
    page.evaluate("localStorage.setItem('clawd.profit-colours', 'blue-orange')")
    page.evaluate("localStorage.setItem('clawd.fleet-views', '{\"no\": \"list\"}')")
    page.reload()
    expect(page.get_by_test_id("link")).to_contain_text("Live")
    assert page.evaluate("document.documentElement.dataset.mantineColorScheme") == after
    assert page.evaluate("document.documentElement.dataset.profitColours") == "blue-orange"
    page.evaluate("localStorage.setItem('clawd.profit-colours', '__proto__')")
    page.reload()
    expect(page.get_by_test_id("link")).to_contain_text("Live")
    assert page.evaluate("document.documentElement.dataset.profitColours") == "teal-orange"


@pytest.mark.parametrize(
    ("phase", "text", "progress", "says"),
    [
        ("searching", "strategy 7 of 20 is tried", 0.35, "Strategy 7 of 20 is tried."),
        ("compiling", "the engine is compiled", None, "The engine is compiled."),
        ("idle", "nothing has been traded from this home yet", None, "clawd up"),
        ("failed", "the data are damaged", None, "The run has failed"),
    ],
)
def test_before_the_first_run_no_figure_is_made_up(
    page: Page, tmp_path: Path, phase: str, text: str, progress: float | None, says: str
) -> None:
    empty = BusyFleet(0, phase=phase, phase_text=text, progress=progress)
    with served(Site(Settings(home=tmp_path / "empty"), SystemClock(), source=empty)) as web:
        web.sign_in(page.context)
        page.goto(web.url)
        expect(page.locator("main")).to_contain_text(says)
        assert page.locator(".key-figure, canvas").count() == 0
        assert axe_violations(page) == []
        page.goto(f"{web.url}/fleet")
        expect(page.locator("main")).to_contain_text("No agents yet")
        expect(page.locator("main").get_by_role("link")).to_have_count(1)
