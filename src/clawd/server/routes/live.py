"""The WebSocket of open pages."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import TypeAdapter, ValidationError

from clawd.server.caller import Scope, needs
from clawd.server.frames import Subscribe, Wish
from clawd.server.live.hub import Client, Hub
from clawd.server.site import Site, site_of

router = APIRouter(tags=["live"])

_WISH: Final = TypeAdapter[Wish](Wish)
#: Characters of a wish, wishes within a second, and seconds in which a client has to take what it is sent.
LONGEST: Final = 2_000
MOST_WISHES: Final = 30
PATIENCE: Final = 20.0

# What a client is told when it is sent away (RFC 6455, 7.4.1).
GOING_AWAY, NOT_A_WISH, TOO_LONG, TRY_AGAIN = 1001, 1008, 1009, 1013


@router.websocket("/live", dependencies=[needs(Scope.READ)])
async def live(socket: WebSocket) -> None:
    """Frames of what is going on, for as long as the page is open: see `clawd.server.frames`."""
    site: Site = site_of(socket)
    if site.hub is None:
        await socket.close(TRY_AGAIN)
        return
    async with site.hub.joined() as client:
        if client is None:
            await socket.close(TRY_AGAIN, "too many pages are open")
            return
        await socket.accept()
        talking = {
            asyncio.create_task(_listen(socket, client)),
            asyncio.create_task(_tell(socket, client, site.hub)),
        }
        done, others = await asyncio.wait(talking, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for task in done:
            code, why = task.result()
            if code is not None:
                await _close(socket, code, why)


async def _listen(socket: WebSocket, client: Client) -> tuple[int | None, str]:
    """Take wishes until the client goes or misbehaves: how to send it away, if it is still there."""
    times: deque[float] = deque(maxlen=MOST_WISHES)
    while True:
        try:
            message = await socket.receive()
        except (WebSocketDisconnect, RuntimeError):
            return None, ""
        if message["type"] != "websocket.receive":
            return None, ""
        text = message.get("text")
        if text is None or len(text) > LONGEST:
            return TOO_LONG if text else NOT_A_WISH, "a wish is a short JSON text"
        now = time.monotonic()
        if len(times) == MOST_WISHES and now - times[0] < 1.0:
            return NOT_A_WISH, "too many wishes within a second"
        times.append(now)
        try:
            wish = _WISH.validate_json(text)
        except (ValidationError, RecursionError):
            return NOT_A_WISH, 'a wish is {"subscribe": [topics]} or {"resync": topic}'
        if isinstance(wish, Subscribe):
            client.subscribe(wish.subscribe)
        else:
            client.resync(wish.resync)


async def _tell(socket: WebSocket, client: Client, hub: Hub) -> tuple[int | None, str]:
    """Send what is due until the client does not take it."""
    while True:
        await client.wake.wait()
        client.wake.clear()
        for frame in hub.due(client):
            try:
                await asyncio.wait_for(socket.send_text(frame), PATIENCE)
            except TimeoutError:
                return NOT_A_WISH, "nothing was read for too long"
            except (WebSocketDisconnect, RuntimeError, OSError):
                return None, ""


async def _close(socket: WebSocket, code: int, why: str) -> None:
    try:
        await asyncio.wait_for(socket.close(code, why), 1.0)
    except (TimeoutError, RuntimeError, OSError):  # it is gone, or does not hear us
        return
