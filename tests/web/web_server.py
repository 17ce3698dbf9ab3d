"""A real server on a port of its own, for tests that speak HTTP to it or look at it in a browser."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from clawd.server.app import create_app
from clawd.server.site import Site


@dataclass(frozen=True)
class Served:
    """A server at work.

    Attributes:
        url: where it answers, without a slash at the end.
        site: what it works on.
    """

    url: str
    site: Site


@contextmanager
def served(site: Site) -> Iterator[Served]:
    """Serve a site on the loopback until the block ends."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(site), host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the server has not started"
        time.sleep(0.01)
    try:
        yield Served(f"http://127.0.0.1:{port}", site)
    finally:
        server.should_exit = True
        thread.join(20)
