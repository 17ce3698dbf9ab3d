"""Takes ``docs/images/build.png``: the Build page with a strategy of the starter library open.

Run it from the root of the repository, after ``make web``: ``.venv/bin/python docs/builder_picture.py``. It needs a
Chromium, as the tests do.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "web"))

from web_server import served

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server.site import Site

TARGET = Path(__file__).parent / "images" / "build.png"
STRATEGY = "ema_crossover"
BLOCK = "forecast"


def main() -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as home, served(Site(Settings(home=Path(home)), SystemClock())) as web:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            context = browser.new_context(
                viewport={"width": 1440, "height": 900}, color_scheme="dark", reduced_motion="reduce"
            )
            web.sign_in(context)
            page = context.new_page()
            page.goto(f"{web.url}/build/{STRATEGY}")
            page.locator(".build-block", has_text=BLOCK).first.click()
            page.get_by_role("heading", name="clip").wait_for()
            page.wait_for_timeout(500)
            page.screenshot(path=TARGET)
            browser.close()


if __name__ == "__main__":
    main()
