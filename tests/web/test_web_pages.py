"""Every page over a real fleet: in both themes, at three widths, looked at by a machine and kept for a person.

The pictures are left in ``build/screens``; `python docs/pages.py` takes those of the README from there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe import axe_violations_in_both_schemes
from playwright.sync_api import Browser, BrowserContext, Page, expect

import clawd as package
from clawd.engine.warm import warm_up

SCREENS = Path(__file__).parents[2] / "build" / "screens"
PAGES = {
    "fleet": "/fleet",
    "agent": "/fleet/a001",
    "build": "/build",
    "build-strategy": "/build/ema_crossover",
    "backtests": "/backtests",
    "evidence": "/evidence",
    "approvals": "/approvals",
    "risk": "/risk",
    "settings": "/settings",
    "overview": "/",  # last, when there is something to see
}

pytestmark = pytest.mark.usefixtures("front_end")


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The link that `clawd up` prints; it trades the sample market fifteen bars a second until the tests are done."""
    warm_up()
    home = tmp_path_factory.mktemp("pages")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLAWD_")}
    environment |= {"CLAWD_HOME": str(home), "PYTHONPATH": str(Path(package.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-m", "clawd", "up", "--pace", "15"], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield next(line for line in process.stdout if "#token=" in line).split()[-1]
        process.terminate()
        process.communicate(timeout=60)
        assert process.returncode == 0


@pytest.fixture(scope="module")
def signed_in(link: str, browser: Browser) -> Iterator[tuple[str, BrowserContext]]:
    """A browser that came in by the link, and where the server is."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce", timezone_id="UTC")
    page = context.new_page()
    wrong = listened(page)
    page.goto(link)
    # From the start of the program to the first profit or loss on the screen.
    today = page.locator(".key-figure", has_text="P&L today")
    expect(today).to_be_visible()
    expect(today).to_have_text(re.compile(r"[1-9]"))
    assert "token" not in page.url
    assert wrong == []
    page.close()
    yield link.partition("/#")[0], context
    context.close()


def listened(page: Page) -> list[str]:
    """What goes wrong on a page from now on."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    return wrong


def settled(page: Page) -> None:
    """Wait until nothing is loading."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text(re.compile("^Loading"))).to_have_count(0)
    expect(page.get_by_test_id("link")).to_contain_text("Live")


def fits(page: Page, name: str, width: int) -> None:
    """Nothing is wider than the window, what matters stays in sight, and a picture is taken."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.get_by_test_id("mode")).to_be_in_viewport()
    if name != "agent":  # whose drawer covers a phone; it closes with one tap
        expect(page.get_by_role("button", name="Stop trading").locator("visible=true").first).to_be_in_viewport()
    page.screenshot(path=SCREENS / f"{name}-{width}.png")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_sound_in_both_themes_and_fits_a_desktop(
    signed_in: tuple[str, BrowserContext], name: str
) -> None:
    url, context = signed_in
    page = context.new_page()
    page.emulate_media(color_scheme="dark")
    wrong = listened(page)
    try:
        page.goto(url + PAGES[name])
        settled(page)
        fits(page, name, 1440)
        expect(page.get_by_test_id("mode")).to_have_text("PAPER · SAMPLE MARKET")
        if name == "build-strategy":
            page.locator(".build-block", has_text="forecast").first.click()
            expect(page.get_by_role("heading", name="clip")).to_be_visible()
        # A chart is drawn a moment after its words, and after the colours have changed.
        moment = 1_000 if page.locator("canvas").count() else 300
        page.wait_for_timeout(moment)
        page.screenshot(path=SCREENS / f"{name}-dark.png")
        assert axe_violations_in_both_schemes(page) == []
        page.wait_for_timeout(moment)
        page.screenshot(path=SCREENS / f"{name}-light.png")
        assert wrong == []
    finally:
        page.close()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_fits_a_phone_and_the_tablet_that_it_is_turned_into(
    signed_in: tuple[str, BrowserContext], name: str
) -> None:
    url, context = signed_in
    page = context.new_page()
    wrong = listened(page)
    try:
        for width, height in ((390, 844), (1024, 768)):
            page.set_viewport_size({"width": width, "height": height})
            if width == 390:
                page.goto(url + PAGES[name])
            settled(page)
            fits(page, name, width)
        assert wrong == []
    finally:
        page.close()
