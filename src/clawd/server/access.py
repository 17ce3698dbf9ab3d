"""How a person comes in: the link that is printed, and where the pages may be served at all."""

from __future__ import annotations

import getpass
import socket
from ipaddress import ip_address
from pathlib import Path

from clawd.core.errors import ClawdError
from clawd.server.public_url import PublicUrl
from clawd.store.access import Access, open_access
from clawd.store.people import Person


def new_link(home: Path, url: str, now: int, person: Person | None = None) -> str:
    """A link that signs a browser in, once, within ten minutes.

    The token stands behind ``#``: browsers send that part to nobody, so it is in no log and no ``Referer``.

    Args:
        home: of the server.
        url: of the server, without a slash at the end.
        now: UTC nanoseconds.
        person: who comes in by it, None for the owner.
    """
    with open_access(home) as access:
        return f"{url}/#token={access.new_token(owner(), now, person)}"


def owner() -> str:
    """The name of the owner, who is at the keyboard, as it stands in the audit."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number that has no name
        return "owner"


def refuse_open_address(host: str, access: Access, public: PublicUrl | None = None) -> None:
    """See that only this machine can reach an address, or that a password is set.

    Args:
        host: at which the pages are to be served.
        access: of the home.
        public: where a proxy serves them.

    Raises:
        ClawdError: when others could reach it, and there is no password.
    """
    if access.has_password():
        return
    for name, option in (
        (host, f"--host {host}"),
        *([(public.host, f"--public-url {public.origin}")] if public else []),
    ):
        if not _is_loopback(name):
            raise ClawdError(
                "others can reach this address, and no password is set",
                where=option,
                hint=f"`clawd web password` sets one; or leave {option.split()[0]} out, and reach this machine with "
                "`ssh -L`",
            )


def own_names(host: str) -> frozenset[str]:
    """The names under which others reach a server at an address: none where only this machine can.

    Args:
        host: at which it is served.
    """
    if _is_loopback(host):
        return frozenset()
    machine = socket.gethostname().lower()
    return frozenset({host.lower(), machine, f"{machine.partition('.')[0]}.local", socket.getfqdn().lower()})


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False  # a name can come to mean anything
