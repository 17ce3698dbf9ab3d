"""The web face: how smoothly the page of all agents runs in a browser while every agent changes ten times a second."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import Result
from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server.site import Site

# A fleet, a server and a browser: what the tests of the web face have.
sys.path.append(str(Path(__file__).parents[1] / "tests" / "web"))

AGENTS = 2_000
SECONDS = 60.0
#: What is typed into the filter, a letter at a time.
WORDS = ("grid", "ema-cross btc", "a19")
#: What is aimed at.
TARGETS = {
    "target_fps": 50.0,
    "target_p95_ms": 33.0,
    "target_heap_growth_mb": 10.0,
    "target_first_load_kb": 300.0,
    "target_filter_ms": 100.0,
}


def web_fleet() -> Result:
    """2,000 agents at ten updates a second through the real WebSocket, in the system's Chromium, for a minute.

    Meanwhile 200 of them are selected. Then words are typed into the filter: from each letter to the first paint of
    what it leaves.
    """
    from busy_fleet import BusyFleet  # noqa: PLC0415
    from frame_rate import filter_times, first_load, frame_rate  # noqa: PLC0415
    from playwright.sync_api import sync_playwright  # noqa: PLC0415
    from web_server import served  # noqa: PLC0415

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        site = Site(Settings(home=Path(home)), SystemClock(), source=BusyFleet(AGENTS), every=0.1)
        flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        with served(site) as web:
            web.sign_in(context)
            page = context.new_page()
            load = first_load(page, f"{web.url}/")
            page.goto(f"{web.url}/fleet")
            page.get_by_text("2,000 of 2,000 agents").wait_for()
            page.wait_for_timeout(5_000)
            page.locator("[data-agent]").nth(3).get_by_role("checkbox").check()
            for _ in range(8):
                page.keyboard.press("Shift+PageDown")
            seen = frame_rate(page, SECONDS)
            page.keyboard.press("Escape")
            filtered = filter_times(page, WORDS)
            browser.close()
    return Result(
        "web-fleet",
        seen.fps,
        "frames/s",
        "a screen",
        60.0,
        more={
            "p95_ms": seen.p95,
            "long_tasks": seen.long_tasks,
            "longest_ms": seen.longest,
            "heap_growth_mb": seen.heap_growth,
            "first_load_kb": load,
            "filter_p50_ms": median(filtered),
            "filter_max_ms": max(filtered),
            **TARGETS,
        },
    )
