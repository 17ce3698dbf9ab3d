"""Where the pages are served, and how whoever asks can find that out."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from clawd.core.errors import ClawdError
from clawd.store.whole_file import write_whole

LOOPBACK: Final = "127.0.0.1"
PORT: Final = 8765
_NAME: Final = "web.json"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server answers.

    Attributes:
        url: without a slash at the end.
        pid: of its process.
        public: where browsers reach it through a proxy, likewise; None where they come to it themselves.
    """

    url: str
    pid: int
    public: str | None = None

    @property
    def for_people(self) -> str:
        """The URL that a person opens."""
        return self.public or self.url


def listen(host: str, port: int | None) -> socket.socket:
    """A socket that listens: on the port that was asked for, else on the usual one, else on one that is free.

    Raises:
        ClawdError: when the address is none of this machine's, or the port that was asked for is taken.
    """
    found = _bound(host, PORT if port is None else port, refuse=port is not None)
    return found or _bound(host, 0, refuse=True) or socket.socket()


def _bound(host: str, port: int, *, refuse: bool) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        if not refuse:
            return None
        raise ClawdError(
            f"nothing can be served there: {error.strerror or error}",
            where=f"--host {host}" + (f" --port {port}" if port else ""),
            hint="another program may have it; leave --port out to take a free one",
        ) from None
    listening.set_inheritable(False)
    return listening


def url_of(listening: socket.socket) -> str:
    """The URL of a listening socket, as this machine reaches it."""
    host, port = listening.getsockname()[:2]
    if ip_address(host).is_unspecified:  # all addresses of this machine, and none that a browser would open
        host = "::1" if ":" in host else LOOPBACK
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def publish(home: Path, address: Address) -> None:
    """Write down where the pages of a home are, for other commands.

    Raises:
        ClawdError: when it cannot be written.
    """
    write_whole(home / _NAME, json.dumps(asdict(address)))


def published(home: Path) -> Address | None:
    """Where the pages of a home are or were last; None where there never were any."""
    try:
        found = json.loads((home / _NAME).read_text(encoding="utf-8"))
        public = found.get("public")
        return Address(str(found["url"]), int(found["pid"]), None if public is None else str(public))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
