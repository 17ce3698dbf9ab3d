"""No page of ours breaks its own policy, and an injected script does not run."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from web_server import Served

pytestmark = pytest.mark.usefixtures("front_end")

PAGES = ("/", "/fleet", "/build", "/backtests", "/evidence", "/approvals", "/risk", "/settings")


def test_no_page_asks_for_what_the_policy_forbids(web: Served, page: Page) -> None:
    wrong: list[str] = []
    page.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
    elsewhere: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(own(web)) else elsewhere.append(request.url))
    for path in PAGES:
        page.goto(f"{web.url}{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_timeout(300)
    assert (wrong, elsewhere) == ([], [])


def own(web: Served) -> tuple[str, ...]:
    return (web.url, web.url.replace("http", "ws", 1), "data:", "blob:")


def test_a_script_that_gets_into_a_page_does_not_run(web: Served, page: Page) -> None:
    page.goto(f"{web.url}/settings")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.evaluate(
        """() => {
            const inline = document.createElement('script'); inline.textContent = 'window.owned = 1'
            const image = document.createElement('img')
            image.setAttribute('onerror', 'window.owned = 2'); image.src = 'x:'
            const foreign = document.createElement('script'); foreign.src = 'data:text/javascript,window.owned=3'
            document.body.append(inline, image, foreign)
        }"""
    )
    page.wait_for_timeout(300)
    assert page.evaluate("window.owned") is None
    stopped = page.evaluate(
        """() => new Promise(resolve => {
            document.addEventListener('securitypolicyviolation', event => resolve(event.effectiveDirective))
            fetch('http://127.0.0.1:1/stolen').catch(() => setTimeout(() => resolve('sent'), 500))
        })"""
    )
    assert stopped == "connect-src"
