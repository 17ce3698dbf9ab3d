"""People in a browser: added and changed on the settings page, and what a viewer is shown of what he may not do."""

from __future__ import annotations

import pytest
from axe import axe_violations_in_both_schemes
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from web_server import Served

from clawd.server.access import new_link, owner
from clawd.store.access import open_access
from clawd.store.people import Role

pytestmark = pytest.mark.usefixtures("front_end")

PASSWORD = "seven brown foxes"
HOSTILE = "<img src=x onerror=alert(1)>"
#: What somebody who may only look must not be able to press, wherever it stands.
DEEDS = (
    "Stop",
    "Resume",
    "Pause",
    "Unpause",
    "Deploy",
    "Change ",
    "Approve",
    "Reject",
    "New backtest",
    "Run the first",
)


def link_for(web: Served, name: str, role: Role) -> str:
    now = web.site.clock.now()
    with open_access(web.site.home) as access:
        person = access.people.add(name, role, "tester", owner(), now)
    return new_link(web.site.home, web.url, now, person)


@pytest.fixture
def viewers(web: Served, context: BrowserContext) -> Page:
    """A page that a viewer is signed in to."""
    page = context.new_page()
    page.goto(link_for(web, "ana", Role.VIEWER))
    expect(page.get_by_role("link", name="Evidence")).to_be_visible()
    return page


def enabled_deeds(page: Page) -> list[str]:
    """Names of the enabled buttons that would do what a viewer may not."""
    buttons: list[Locator] = page.get_by_role("button").all()
    named = [(each.get_attribute("aria-label") or each.inner_text(), each) for each in buttons if each.is_visible()]
    return [name for name, each in named if name.startswith(DEEDS) and each.is_enabled()]


def test_a_viewer_is_offered_nothing_that_he_may_not_do(web: Served, viewers: Page) -> None:
    problems: list[str] = []
    viewers.on("response", lambda answer: problems.append(answer.url) if answer.status == 403 else None)
    for path, heading in (
        ("/", "Overview"),
        ("/fleet", "Fleet"),
        ("/build", "Build"),
        ("/backtests", "Backtests"),
        ("/approvals", "Approvals"),
        ("/risk", "Risk"),
        ("/settings", "Settings"),
    ):
        viewers.goto(f"{web.url}{path}")
        expect(viewers.get_by_role("heading", name=heading, exact=False).first).to_be_visible()
        expect(viewers.locator(".stop:visible")).to_be_disabled()
        viewers.wait_for_load_state("networkidle")
        assert enabled_deeds(viewers) == [], path
        assert axe_violations_in_both_schemes(viewers) == [], path
    assert problems == [], "a page has asked for what its viewer may not see"


def test_a_viewer_is_told_at_once_why_he_cannot_stop(web: Served, viewers: Page) -> None:
    viewers.goto(f"{web.url}/risk")
    viewers.locator(".stop:visible").focus()
    expect(viewers.get_by_role("tooltip")).to_contain_text("Your role is viewer")
    viewers.keyboard.press("Enter")
    viewers.keyboard.press("Control+Shift+K")
    expect(viewers.get_by_text("Trading goes on")).to_be_visible()
    expect(viewers.get_by_role("dialog")).to_have_count(0)
    viewers.goto(f"{web.url}/settings")
    expect(viewers.get_by_role("region", name="You")).to_contain_text("may not change settings")
    expect(viewers.get_by_role("region", name="People")).to_have_count(0)
    viewers.get_by_role("button", name="Sign out").click()
    expect(viewers.get_by_role("heading", name="Sign in to clawd")).to_be_visible()


def test_a_strategy_is_read_and_not_changed_by_a_viewer(web: Served, viewers: Page) -> None:
    viewers.goto(f"{web.url}/build")
    viewers.locator(".build-card a").first.click()
    expect(viewers.get_by_text("Your role is viewer: you may not save strategies")).to_be_visible()
    expect(viewers.get_by_role("button", name="Deploy to paper")).to_have_count(0)
    assert enabled_deeds(viewers) == []


def test_another_role_reaches_the_page_that_is_open(web: Served, viewers: Page) -> None:
    viewers.goto(f"{web.url}/fleet")
    stop = viewers.locator(".stop:visible")
    expect(stop).to_be_disabled()
    with open_access(web.site.home) as access:  # as `clawd web people role` does, in another process
        access.people.change_role(access.people.named("ana"), Role.OPERATOR)
    expect(stop).to_be_enabled()
    with open_access(web.site.home) as access:
        access.people.remove(access.people.named("ana"))
    expect(viewers.get_by_role("heading", name="Sign in to clawd")).to_be_visible()


def test_somebody_is_added_comes_in_gets_a_role_and_is_removed(web: Served, page: Page, browser: Browser) -> None:
    page.goto(f"{web.url}/settings")
    card = page.get_by_role("region", name="People").first
    card.get_by_role("button", name="Add a person").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(HOSTILE)
    dialog.get_by_role("button", name="Add the person").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    dialog.get_by_label("Name").fill("ben")
    dialog.get_by_role("radio", name="builder").check()
    dialog.get_by_role("button", name="Add the person").click()
    dialog.get_by_role("button", name="Make a link").click()
    link = dialog.get_by_text("#token=").inner_text()
    dialog.get_by_role("button", name="I have copied it").click()
    elsewhere = browser.new_context()
    his = elsewhere.new_page()
    his.goto(link)
    expect(his.get_by_role("link", name="Evidence")).to_be_visible()
    row = card.get_by_role("row").filter(has_text="ben")
    expect(row).to_contain_text("builder")
    row.get_by_role("button", name="Role of ben").click()
    dialog.get_by_role("radio", name="operator").check()
    dialog.get_by_role("button", name="Change the role").click()
    expect(row).to_contain_text("operator")
    row.get_by_role("button", name="Remove ben").click()
    expect(dialog).to_contain_text("1 open session ends at once")
    dialog.get_by_role("button", name="Remove the person").click()
    expect(card.get_by_text("Nobody else may come in yet")).to_be_visible()
    expect(his.get_by_role("heading", name="Sign in to clawd")).to_be_visible()
    elsewhere.close()


def test_a_person_signs_in_by_name_and_password_and_a_hostile_name_is_only_wrong(
    web: Served, context: BrowserContext
) -> None:
    link_for(web, "ana", Role.VIEWER)
    with open_access(web.site.home) as access:
        access.people.set_password(access.people.named("ana"), PASSWORD)
    page = context.new_page()
    page.on("dialog", lambda dialog: pytest.fail(f"a script has run: {dialog.message}"))
    page.goto(web.url)
    page.get_by_role("textbox", name="Name").fill(HOSTILE)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This is not the password, or nobody has that name")
    assert page.locator("img[src=x]").count() == 0
    page.get_by_role("textbox", name="Name").fill("ana")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Evidence")).to_be_visible()


def test_the_people_on_the_settings_page_are_accessible(web: Served, page: Page) -> None:
    link_for(web, "ana", Role.OPERATOR)
    page.goto(f"{web.url}/settings")
    card = page.get_by_role("region", name="People").first
    expect(card.get_by_text("ana", exact=True)).to_be_visible()
    assert axe_violations_in_both_schemes(page) == []
    for button in ("Role of ana", "Link for ana", "Remove ana"):
        card.get_by_role("button", name=button).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert axe_violations_in_both_schemes(page) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
