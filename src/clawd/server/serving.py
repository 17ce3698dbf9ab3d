"""Serve the pages, with the process that trades beside them, until somebody says stop."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

import uvicorn

from clawd import __version__
from clawd.core.clock import SystemClock
from clawd.core.errors import ClawdError
from clawd.core.settings import Settings
from clawd.server.access import new_link, own_names, refuse_open_address
from clawd.server.address import Address, listen, publish, url_of
from clawd.server.app import create_app
from clawd.server.audit import Audit
from clawd.server.connections import CONNECTIONS
from clawd.server.fleet_process import FleetProcess, Progress
from clawd.server.frames import Phase
from clawd.server.public_url import read_public_url
from clawd.server.site import Site
from clawd.store.access import open_access

#: Seconds that open requests have when the server stops.
_GRACE: Final = 3


def serve(
    settings: Settings, host: str, port: int | None, fleet: FleetProcess | None, public_url: str | None = None
) -> None:
    """Serve until Ctrl-C, or until the fleet cannot even begin.

    Args:
        settings: whose home.
        host, port: where; see :func:`~clawd.server.address.listen`.
        public_url: where browsers reach a proxy in front of it; None where they come here themselves.
        fleet: the process that trades, not yet started; None where only what others do is shown.

    Raises:
        ClawdError: when another server is at work on this home, nothing can be served at the address, or the fleet
            could not begin, with what it said.
    """
    public = None if public_url is None else read_public_url(public_url)
    settings.home.mkdir(parents=True, exist_ok=True)
    clock = SystemClock()
    with open_access(settings.home) as access:
        refuse_open_address(host, access, public)
    # Before anything else: of two that are started at the same moment one begins nothing.
    with closing(Audit(settings.home)) as audit, listen(host, port) as listening:
        url = url_of(listening)
        site = Site(settings, clock, fleet=fleet, phase=None if fleet is None else lambda: _said(fleet.progress))
        site.audit = audit
        site.hosts, site.public = own_names(host), public
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(site),
                log_level="warning",
                access_log=False,
                **CONNECTIONS,
                timeout_graceful_shutdown=_GRACE,
            )
        )
        address = Address(url, os.getpid(), None if public is None else public.origin)
        publish(settings.home, address)
        _say(f"clawd {__version__}, on paper")
        _say(f"open {new_link(settings.home, address.for_people, clock.now())}")
        _say("The link works once, within ten minutes; `clawd web link` prints another.")
        _say("Ctrl-C stops it; started again, it goes on where it stopped." if fleet else "Ctrl-C stops it.")
        failed: list[str] = []
        if fleet is not None:
            site.deploy = fleet.restart_soon
            fleet.changed = lambda progress: _show(progress, fleet, server, failed)
            fleet.start()
        with _signals_passed():
            try:
                server.run(sockets=[listening])
            finally:
                if fleet is not None and fleet.pid is not None:
                    _say("stopping after the bar at hand")
                    fleet.stop()
    if failed:
        raise ClawdError(failed[0])


@contextmanager
def _signals_passed() -> Iterator[None]:
    """The server ends at Ctrl-C or a system's signal and gives it on: to nobody, for the fleet is to be stopped yet."""
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _said(progress: Progress) -> tuple[Phase, str, float | None]:
    return progress.phase, progress.text, progress.share


def _show(progress: Progress, fleet: FleetProcess, server: uvicorn.Server, failed: list[str]) -> None:
    """Say what the fleet does; one that could not even begin ends the program, as a wrong option should."""
    if fleet.refused is not None and not fleet.traded:
        failed.append(fleet.refused)
        server.should_exit = True
        return
    if progress.phase != "searching" or progress.share in (None, 1.0):  # the page shows each strategy
        _say(progress.text)


def _say(line: str) -> None:
    print(line, file=sys.stdout, flush=True)
