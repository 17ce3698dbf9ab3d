"""What a connection may keep waiting: uvicorn's HTTP/1.1, which gives a slow client all the time there is, with limits.

Who opens connections and sends a letter now and then, or asks for much and reads nothing, is cut off. How long a body
may take is the business of :mod:`clawd.server.bodies`, and a WebSocket bounds what it is sent itself.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds within which the line and the headers of a request must have come, from their first byte on.
HEAD_SECONDS: Final = 10.0
#: Seconds for which a client may read nothing of what it is sent.
READ_SECONDS: Final = 30.0


class BoundedHttp(H11Protocol):
    """HTTP/1.1 on one connection, with a clock."""

    _head: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None
    _upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before or (self.cycle is not None and not self.cycle.response_complete):
            self._head = _stopped(self._head)  # the head is whole
        elif self._head is None and not self._upgraded and not self.transport.is_closing():
            self._wait_for_head()

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._upgraded = True  # this is still within the receipt of its head: no other is waited for
        self._head = _stopped(self._head)
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._reading is None:
            self._reading = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._reading = _stopped(self._reading)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head, self._reading = _stopped(self._head), _stopped(self._reading)
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._head = self.loop.call_later(HEAD_SECONDS, self.transport.abort)


def _stopped(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """None, once the timer will not ring."""
    if timer is not None:
        timer.cancel()
    return None


#: For uvicorn's configuration.
CONNECTIONS: Final[dict[str, Any]] = {
    "http": BoundedHttp,
    "limit_concurrency": 256,  # connections and requests at once; the next is told 503
    "h11_max_incomplete_event_size": 32_768,  # bytes of the line and the headers
    "timeout_keep_alive": 10,  # seconds between two requests
    "ws_max_size": 65_536,  # bytes of a message to us
    "proxy_headers": False,  # an address or a scheme is what the connection says, not what a header claims
    "server_header": False,
}
