"""What tests of the web face share: a Chromium of the system, and a server of their own.

Everything under /api asks who calls: `page` is signed in to every server that is at work when it opens, `client` is an
HTTP client that is signed in to `web`; `Served.client()` and `Served.sign_in(context)` do it for servers of your own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from web_server import AT_WORK, Served, served

from clawd.backtests import desk
from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server.front_end import DIST
from clawd.server.site import Site

#: Milliseconds for whatever a page has to come to: a slow machine is no fault of the page.
PATIENCE = 60_000
#: What a window of Chromium needs for people only: beside every page it would draw two more, the menu below its address
#: bar, which costs as much as the page. The first line is of playwright's own list, which ours takes the place of.
_WITHOUT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,OptimizationHints,PaintHolding,"
    "AimEnabled,MediaRouter,NetworkTimeServiceQuerying,PreconnectToSearch,"
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup"
)
_FLAGS = (
    f"--disable-features={_WITHOUT}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session", autouse=True)
def no_worker_before_it_is_asked_for() -> Iterator[None]:
    """A server starts the process of its backtests when the first is asked for, not a few seconds after its own start.

    Hundreds of tests have a server of their own and no backtest.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(desk, "_READY_AFTER", 3_600.0)
        yield


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The Chromium of the distribution: the one that playwright would download is not needed."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no Chromium here; CI installs Debian's")
    return {**browser_type_launch_args, "executable_path": chromium, "args": list(_FLAGS)}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A desktop of 1440 by 900; tests of phones set their own size."""
    size = {"width": 1440, "height": 900}
    return {**browser_context_args, "viewport": size, "reduced_motion": "reduce", "timezone_id": "UTC"}


@pytest.fixture(scope="session")
def front_end() -> None:
    """The built pages; `make test` builds them before."""
    assert (DIST / "index.html").is_file(), "the front end is not built: make web"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site in an empty home."""
    return Site(Settings(home=tmp_path / "home"), SystemClock())


@pytest.fixture
def web(site: Site) -> Iterator[Served]:
    """A server over the site."""
    with served(site) as at_work:
        yield at_work


@pytest.fixture
def client(web: Served) -> Iterator[httpx2.Client]:
    """A client that is signed in."""
    with web.client() as signed_in:
        yield signed_in


@pytest.fixture
def page(web: Served, context: BrowserContext) -> Page:
    """A page that is signed in, to `web` and to every other server at work."""
    assert web in AT_WORK
    for at_work in AT_WORK:
        at_work.sign_in(context)
    context.set_default_timeout(PATIENCE)
    return context.new_page()
