"""Signing in, in a browser: by a link, by a link that is used up, by the password, and when a session ends."""

from __future__ import annotations

import httpx2
import pytest
from axe import axe_violations_in_both_schemes
from playwright.sync_api import BrowserContext, Page, expect
from web_server import Served, open_session, served

from clawd.server.access import new_link
from clawd.server.site import Site
from clawd.store.access import open_access

pytestmark = pytest.mark.usefixtures("front_end")

PASSWORD = "seven brown foxes"


def link_to(web: Served) -> str:
    return new_link(web.site.home, web.url, web.site.clock.now())


def signed_in(page: Page) -> None:
    expect(page.get_by_role("link", name="Evidence")).to_be_visible()
    expect(page.get_by_role("heading", name="Sign in to clawd")).to_have_count(0)


def signed_out(page: Page) -> None:
    expect(page.get_by_role("heading", name="Sign in to clawd")).to_be_visible()
    expect(page.get_by_role("link", name="Evidence")).to_be_hidden()


def test_a_link_signs_in_and_leaves_no_token_anywhere(web: Served, context: BrowserContext) -> None:
    page, link = context.new_page(), link_to(web)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.headers}"))
    page.goto(link)
    signed_in(page)
    token = link.partition("#token=")[2]
    assert page.url == f"{web.url}/"
    assert not any(token in line for line in asked)
    assert token not in page.evaluate("JSON.stringify([localStorage, sessionStorage, history.state, document.cookie])")
    page.reload()
    signed_in(page)


def test_a_link_that_is_used_up_says_so_and_how_to_get_another(web: Served, context: BrowserContext) -> None:
    link = link_to(web)
    first = context.new_page()
    first.goto(link)
    signed_in(first)
    context.clear_cookies()
    page = context.new_page()
    page.goto(link)
    signed_out(page)
    expect(page.get_by_role("alert")).to_contain_text("This link was used already")
    expect(page.get_by_role("alert")).to_contain_text("clawd web link")
    page.goto(link_to(web))  # over the same page: only what stands behind the # changes
    signed_in(page)


def test_the_sign_in_page_is_accessible(web: Served, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(web.url)
    signed_out(page)
    assert axe_violations_in_both_schemes(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_password_signs_in_by_keyboard(web: Served, context: BrowserContext) -> None:
    with open_access(web.site.home) as access:
        access.set_password(PASSWORD, "tester", web.site.clock.now())
    page = context.new_page()
    page.goto(web.url)
    page.get_by_label("Password", exact=True).focus()
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This is not the password")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    signed_in(page)


def test_a_session_that_is_ended_shows_the_sign_in_within_seconds_and_the_page_is_there_again(
    web: Served, page: Page
) -> None:
    page.goto(f"{web.url}/settings")
    signed_in(page)
    now = web.site.clock.now()
    with open_access(web.site.home) as access:
        for session in access.sessions(now):
            access.end_session(session.id, now)
    expect(page.get_by_role("heading", name="Sign in to clawd")).to_be_visible()
    page.evaluate("hash => { location.hash = hash }", link_to(web).partition("#")[2])
    signed_in(page)
    assert page.url == f"{web.url}/settings"


def test_a_restart_of_the_server_asks_nobody_to_sign_in(site: Site, context: BrowserContext) -> None:
    with served(site) as first:
        first.sign_in(context)
        port = int(first.url.rpartition(":")[2])
        page = context.new_page()
        page.goto(f"{first.url}/settings")
        signed_in(page)
    link = page.get_by_test_id("link")
    expect(link).to_contain_text("Reconnecting")
    with served(Site(site.settings, site.clock), port):
        expect(link).to_contain_text("Live")
        signed_in(page)


def test_keys_are_made_shown_once_and_revoked_on_the_settings_page(web: Served, page: Page) -> None:
    page.goto(f"{web.url}/settings")
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("night-report")
    dialog.get_by_role("checkbox", name="build").check()
    dialog.get_by_role("button", name="Make the key").click()
    secret = dialog.get_by_text("clawd_").inner_text()
    shown = httpx2.get(f"{web.url}/api/session", headers={"Authorization": f"Bearer {secret}"}).json()
    assert (shown["name"], shown["scopes"]) == ("key:night-report", ["build", "read"])
    dialog.get_by_role("button", name="I have copied it").click()
    assert secret not in page.content()
    page.get_by_role("button", name="Revoke night-report").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke the key").click()
    expect(page.get_by_text("There is none yet")).to_be_visible()
    assert httpx2.get(f"{web.url}/api/about", headers={"Authorization": f"Bearer {secret}"}).status_code == 401


def test_the_password_is_set_on_the_settings_page_and_others_are_signed_out(web: Served, page: Page) -> None:
    name, other = open_session(web.site)
    page.goto(f"{web.url}/settings")
    card = page.get_by_role("region", name="Password")
    save = card.get_by_role("button", name="Set the password")
    card.get_by_label("New password").fill("too short")
    expect(card.get_by_text("9 of at least 12 characters")).to_be_visible()
    card.get_by_label("New password").fill(PASSWORD)
    card.get_by_label("Once more").fill(PASSWORD + "!")
    expect(save).to_be_disabled()
    card.get_by_label("Once more").fill(PASSWORD)
    save.click()
    expect(card.get_by_label("Current password")).to_be_visible()
    assert httpx2.get(f"{web.url}/api/about", cookies={name: other}).status_code == 401
    signed_in(page)
    with open_access(web.site.home) as access:
        assert access.is_password(PASSWORD)


def test_signing_out_shows_the_sign_in_and_another_session_can_be_ended(web: Served, page: Page) -> None:
    name, other = open_session(web.site)
    page.goto(f"{web.url}/settings")
    sessions = page.get_by_role("region", name="Sessions").first
    expect(sessions.get_by_role("row")).to_have_count(3)
    sessions.get_by_role("button", name="Sign out tests").first.click()
    expect(sessions.get_by_role("row")).to_have_count(2)
    sessions.get_by_role("button", name="Sign out here").click()
    signed_out(page)
    for value in (other, web.cookie[1]):
        assert httpx2.get(f"{web.url}/api/about", cookies={name: value}).status_code == 401


def test_the_settings_of_access_are_accessible(web: Served, page: Page) -> None:
    with web.client() as client:
        client.post("/api/keys", json={"name": "night-report", "scopes": ["read", "build"]})
    page.goto(f"{web.url}/settings")
    expect(page.get_by_text("night-report")).to_be_visible()
    assert axe_violations_in_both_schemes(page) == []
    page.get_by_role("button", name="New key").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert axe_violations_in_both_schemes(page) == []
