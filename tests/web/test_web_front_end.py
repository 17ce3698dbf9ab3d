"""The built front end: what is served where."""

from __future__ import annotations

import httpx2
import pytest
from playwright.sync_api import Page, expect
from web_server import Served


@pytest.mark.usefixtures("front_end")
def test_every_path_that_is_no_route_is_the_page(web: Served) -> None:
    for path in ("/", "/fleet/a001", "/build/mine"):
        answer = httpx2.get(f"{web.url}{path}")
        assert answer.status_code == 200
        assert '<div id="root">' in answer.text
        assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.usefixtures("front_end")
@pytest.mark.parametrize("path", ["/api/nothing", "/assets/nothing.js", "/assets/../../app.py", "/%2e%2e/app.py"])
def test_what_is_not_there_is_not_a_page_and_nothing_outside_the_build_is_served(
    client: httpx2.Client, path: str
) -> None:
    answer = client.get(path)
    assert "create_app" not in answer.text
    assert answer.status_code == 404 or '<div id="root">' in answer.text


@pytest.mark.usefixtures("front_end")
def test_the_pages_open_in_a_browser(web: Served, page: Page) -> None:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(web.url)
    page.get_by_role("link", name="Evidence").click()
    expect(page).to_have_title("Evidence · clawd")
    assert wrong == []
