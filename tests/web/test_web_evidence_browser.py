"""The evidence page in a real browser: what it says, how it is reached by keyboard, and who can read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from axe import axe_violations_in_both_schemes
from evidence_world import BACKWARDS, HOSTILE, researched
from playwright.sync_api import BrowserContext, Page, Route, expect
from web_server import Served, served

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server.site import Site

pytestmark = pytest.mark.usefixtures("front_end")


@pytest.fixture(scope="module")
def home_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = researched(tmp_path_factory.mktemp("evidence"))
    with served(Site(Settings(home=home), SystemClock())) as at_work:
        yield at_work


@pytest.fixture(scope="module")
def ask(home_served: Served) -> Iterator[httpx2.Client]:
    with home_served.client() as client:
        yield client


@pytest.fixture
def view(home_served: Served, context: BrowserContext) -> Iterator[Page]:
    """A page that is signed in to the home with evidence; it must end without an error of its own."""
    home_served.sign_in(context)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    assert wrong == []


def opened(view: Page, at: Served, path: str, heading: str) -> None:
    view.goto(f"{at.url}/evidence{path}")
    expect(view.get_by_role("heading", level=1)).to_contain_text(heading)


def wrong_in(view: Page) -> list[str]:
    """What axe-core finds wrong with the page inside the shell, which has tests of its own."""
    return axe_violations_in_both_schemes(view, within="main")


def best_claim(ask: httpx2.Client) -> Any:
    return ask.get("/api/evidence/claims", params={"order": "nearness", "limit": 1}).json()["claims"][0]


def test_claims_stand_first_with_their_wealth_their_level_and_a_word(
    view: Page, home_served: Served, ask: httpx2.Client
) -> None:
    opened(view, home_served, "", "Evidence")
    first = view.locator("main section.card").first
    expect(first.get_by_role("heading")).to_have_text("What is claimed, and what is proven")
    claims = ask.get("/api/evidence/claims", params={"order": "nearness"}).json()["claims"]
    rows = first.get_by_role("table").locator("tbody tr")
    expect(rows).to_have_count(len(claims))
    words = {
        "proven": "✓ proven, waits for a person",
        "on_the_way": "… no proof yet",
        "not_begun": "○ no bar has counted yet",
        "broken": "✗ void: a bar lost more than its bound",
    }
    for row, claim in zip(rows.all(), claims, strict=True):
        expect(row).to_contain_text(words[claim["standing"]])
        expect(row).to_contain_text(f"{claim['wealth_to_reach']:,.0f}")
    expect(view.locator("main")).not_to_contain_text(re.compile("profitable", re.IGNORECASE))


def test_a_claim_shows_its_curve_its_level_with_the_numbers_and_every_gate(
    view: Page, home_served: Served, ask: httpx2.Client
) -> None:
    claim = best_claim(ask)
    number = claim["number"]
    opened(view, home_served, "", "Evidence")
    view.get_by_role("region", name="Claims and their wealth").get_by_role("link", name=claim["name"]).click()
    expect(view).to_have_url(f"{home_served.url}/evidence/claims/{number}")
    expect(view).to_have_title(f"Claim {number} · clawd")
    expect(view.locator("figure canvas").first).to_be_visible()
    why = view.locator("section.card", has=view.get_by_role("heading", name="Why this level"))
    expect(why).to_contain_text(f"1/({number} × {number + 1})")
    expect(why).to_contain_text(f"1/α = {claim['wealth_to_reach']:,.0f}")
    expect(why).to_contain_text("That is said of all claims together, not of this one.")
    gates = view.get_by_role("region", name="Gates", exact=True).locator("tbody tr")
    expect(gates).to_have_count(6)
    for gate in gates.all():
        expect(gate).to_contain_text("✓ passed")
        expect(gate).to_contain_text(re.compile("at least|at most|above"))


def test_every_term_is_reached_by_keyboard_and_explained_there_and_as_text(view: Page, home_served: Served) -> None:
    opened(view, home_served, "", "Evidence")
    term = view.get_by_role("link", name="wealth", exact=True)
    view.get_by_role("link", name="edge", exact=True).focus()
    view.keyboard.press("Tab")
    expect(term).to_be_focused()
    expect(view.get_by_role("tooltip", name="nobody’s money, no probability, no p-value")).to_be_visible()
    expect(term).to_have_accessible_description(re.compile("measure of evidence"))
    view.keyboard.press("Enter")
    expect(view).to_have_url(re.compile("#term-wealth$"))
    expect(view.locator("#term-wealth")).to_be_in_viewport()
    for link in view.locator("a.evidence-term").all():
        target = link.get_attribute("href")
        assert target is not None
        expect(view.locator(target)).to_have_count(1)


def test_trials_are_found_sorted_and_turned_over_and_the_address_reopens_them(view: Page, home_served: Served) -> None:
    opened(view, home_served, "", "Evidence")
    table = view.get_by_role("region", name="Trials", exact=True)
    table.get_by_role("button", name="Sharpe").click()
    expect(table.get_by_role("columnheader", name="Sharpe")).to_have_attribute("aria-sort", "descending")
    view.get_by_role("navigation", name="Pages of trials").get_by_role("button", name="Next").click()
    status = view.get_by_role("navigation", name="Pages of trials").get_by_role("status")
    expect(status).to_contain_text("26 to 50 of")
    view.reload()
    expect(status).to_contain_text("26 to 50 of")
    expect(table.get_by_role("columnheader", name="Sharpe")).to_have_attribute("aria-sort", "descending")
    view.get_by_label("Name of the strategy").fill("no such thing")
    expect(view.get_by_text("No trial is like that.")).to_be_visible()
    view.get_by_label("Name of the strategy").fill("<img")
    expect(status).to_contain_text("1 to 1 of 1 trials")


def test_hostile_names_are_text(view: Page, home_served: Served, ask: httpx2.Client) -> None:
    opened(view, home_served, "?name=%3Cimg", "Evidence")
    link = view.get_by_role("region", name="Trials", exact=True).get_by_role("link", name=HOSTILE)
    expect(link).to_be_visible()
    expect(view.get_by_role("link", name=BACKWARDS).first).to_be_visible()
    link.click()
    expect(view.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(view.locator("main img")).to_have_count(0)
    assert "taken" not in view.title().removeprefix(HOSTILE)


def test_from_a_campaign_to_a_strategy_and_its_story(view: Page, home_served: Served, ask: httpx2.Client) -> None:
    (campaign,) = ask.get("/api/evidence/campaigns").json()["campaigns"]
    opened(view, home_served, "", "Evidence")
    view.get_by_role("link", name=campaign["run"]).first.click()
    expect(view.get_by_role("heading", level=1)).to_contain_text(campaign["run"])
    finalists = view.get_by_role("heading", name=re.compile("^Finalist"))
    expect(finalists).to_have_count(campaign["finalists"])
    view.locator("section.card", has=finalists.first).get_by_role("link").first.click()
    expect(view.get_by_role("heading", name="What it does")).to_be_visible()
    expect(view.get_by_text("Every run is a trial and counts")).to_be_visible()
    expect(view.get_by_role("button", name="Run", exact=True)).to_be_enabled()


def test_a_fresh_home_says_what_the_page_is_for_and_shows_the_planted_worlds(web: Served, page: Page) -> None:
    page.goto(f"{web.url}/evidence")
    expect(page.get_by_role("heading", name="Nothing was tried yet")).to_be_visible()
    expect(page.get_by_role("link", name="Build a strategy")).to_have_attribute("href", "/build")
    worlds = page.get_by_role("region", name="Campaigns on worlds whose truth is known")
    expect(worlds.locator("tbody tr")).to_have_count(7)
    expect(worlds.locator("tbody tr").first).to_contain_text("0% to 3.6%")
    expect(page.get_by_text("clawd research worlds --seed 1")).to_be_visible()
    assert wrong_in(page) == []


def test_what_goes_wrong_is_said_and_can_be_tried_again(view: Page, home_served: Served) -> None:
    refused = {"times": 0}

    def refuse(route: Route) -> None:
        refused["times"] += 1
        route.fulfill(status=400, json={"what": "this file is damaged", "where": "ledger.sqlite", "hint": None})

    view.route("**/api/evidence/claims/1", refuse)
    view.goto(f"{home_served.url}/evidence/claims/1")
    expect(view.get_by_role("alert")).to_contain_text("This file is damaged")
    view.unroute("**/api/evidence/claims/1")
    view.get_by_role("button", name="Try again").click()
    expect(view.get_by_role("heading", name="Why this level")).to_be_visible()
    assert refused["times"] == 1
    view.goto(f"{home_served.url}/evidence/claims/99")
    expect(view.get_by_role("alert")).to_contain_text("There is no claim 99")


@pytest.mark.parametrize("place", ["", "/claims/1", "/strategies", "/campaigns"])
def test_anyone_can_read_it_in_both_themes_and_on_a_phone(
    view: Page, home_served: Served, ask: httpx2.Client, place: str
) -> None:
    if place == "/strategies":
        place += f"/{best_claim(ask)['content_hash']}"
    if place == "/campaigns":
        place += f"/{ask.get('/api/evidence/campaigns').json()['campaigns'][0]['run']}"
    opened(view, home_served, place, "")
    expect(view.get_by_role("heading", name="What the words mean")).to_be_visible()
    view.wait_for_load_state("networkidle") if place == "" else None
    assert wrong_in(view) == []
    for width in (1024, 390):
        view.set_viewport_size({"width": width, "height": 844})
        expect(view.get_by_role("heading", name="What the words mean")).to_be_visible()
        assert view.evaluate("document.documentElement.scrollWidth") <= width
