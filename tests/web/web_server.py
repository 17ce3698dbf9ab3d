"""A real server on a port of its own, for tests that speak HTTP to it or look at it in a browser."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import uvicorn

from clawd.server.app import create_app
from clawd.server.connections import CONNECTIONS
from clawd.server.door import cookie_name
from clawd.server.site import Site
from clawd.store.access import open_access

#: The servers that are at work now, so that a browser can be signed in to all of them.
AT_WORK: list[Served] = []


@dataclass(frozen=True)
class Served:
    """A server at work, to which one session is open.

    Attributes:
        url: where it answers, without a slash at the end.
        site: what it works on.
        cookie: the name and the value of the cookie that shows the session.
    """

    url: str
    site: Site
    cookie: tuple[str, str]

    def client(self, **more: Any) -> httpx2.Client:
        """A client that is signed in and asks as our own pages do; to be closed by the caller."""
        return httpx2.Client(
            base_url=self.url, cookies=dict([self.cookie]), headers={"Origin": self.url}, timeout=30, **more
        )

    def sign_in(self, context: Any) -> None:
        """Sign a browser in: a context of playwright's."""
        name, value = self.cookie
        context.add_cookies([{"name": name, "value": value, "url": self.url, "httpOnly": True, "sameSite": "Strict"}])


def open_session(site: Site) -> tuple[str, str]:
    """A session of a site that is open: the name and the value of its cookie."""
    now = site.clock.now()
    with open_access(site.home) as access:
        _, secret = access.use_token(access.new_token("tester", now), "127.0.0.1", "tests", now)
        return cookie_name(access), secret


@contextmanager
def served(site: Site, port: int = 0) -> Iterator[Served]:
    """Serve a site on the loopback until the block ends, on a free port or on one that was asked for."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        port = listening.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(create_app(site), host="127.0.0.1", port=port, log_level="warning", **CONNECTIONS)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the server has not started"
        time.sleep(0.01)
    at_work = Served(f"http://127.0.0.1:{port}", site, open_session(site))
    AT_WORK.append(at_work)
    try:
        yield at_work
    finally:
        AT_WORK.remove(at_work)
        server.should_exit = True
        thread.join(20)
