"""Where others reach the pages: an address of a proxy in front of the server, which adds TLS."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from clawd.core.errors import ClawdError

_HOST: Final = re.compile(r"\[[0-9a-f:.]{2,45}\]|[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_USUAL: Final = {"http": 80, "https": 443}
_HINT: Final = "such as https://clawd.example.org"


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """The address at which browsers reach the server.

    Attributes:
        origin: as browsers write it: scheme, host, and the port where it is not the usual one.
        host: its name or address alone, without brackets.
    """

    origin: str
    host: str

    @property
    def secure(self) -> bool:
        """Whether browsers come by TLS."""
        return self.origin.startswith("https:")


def read_public_url(text: str, where: str = "--public-url") -> PublicUrl:
    """The address in a text.

    Raises:
        ClawdError: when it is none, or names more than a scheme, a host and a port: the pages lie at the root.
    """
    text = text.strip()
    if not text.isprintable():  # what is not would be dropped without a word
        raise ClawdError(f"{text[:80]!r} is no URL", where=where, hint=_HINT)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ClawdError(f"{text[:80]!r} is no URL", where=where, hint=_HINT) from None
    name = (parts.hostname or "").lower()
    host = f"[{name}]" if ":" in name else name
    if parts.scheme not in _USUAL or not _HOST.fullmatch(host):
        raise ClawdError(f"{text[:80]!r} is no URL of a web server", where=where, hint=_HINT)
    if parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ClawdError(
            "the pages lie at the root of a host: no path or user is in their URL", where=where, hint=_HINT
        )
    shown = "" if port is None or port == _USUAL[parts.scheme] else f":{port}"
    return PublicUrl(f"{parts.scheme}://{host}{shown}", name)
