"""What a request may bring: JSON, a megabyte at most, within twenty seconds."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clawd.server.problem import Problem, problem_answer
from clawd.server.safe_answers import is_api

LARGEST_BODY: Final = 1_000_000
#: Seconds within which the whole body must have come.
BODY_SECONDS: Final = 20.0

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Bodies:
    """Reads the whole body of a request before anybody looks at it, and refuses what is too large, late or not JSON."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _WITH_BODY or not is_api(scope):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def refuse(status: int, what: str, hint: str) -> None:
            # What still comes of the body is not read: the connection ends.
            await problem_answer(status, Problem(what=what, where="body", hint=hint), {"Connection": "close"})(
                scope, receive, send
            )

        stated = headers.get("content-length", "0")
        if stated.isascii() and stated.isdigit() and len(stated) < 19 and int(stated) > LARGEST_BODY:
            await refuse(413, f"the body has {int(stated):,} bytes", f"{LARGEST_BODY:,} at most")
            return
        try:
            body = await asyncio.wait_for(_whole(receive), BODY_SECONDS)
        except TimeoutError:
            await refuse(408, "the body has not come in time", f"all of it within {BODY_SECONDS:g} seconds")
            return
        if body is None:
            return  # the client has gone
        if len(body) > LARGEST_BODY:
            await refuse(413, f"the body has more than {LARGEST_BODY:,} bytes", f"{LARGEST_BODY:,} at most")
            return
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if body and kind != "application/json":
            # A form of a foreign page can send anything but this without asking first.
            await refuse(415, f"the body is {kind[:60]!r}", "application/json")
            return
        handed = False

        async def again() -> Message:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)


async def _whole(receive: Receive) -> bytes | None:
    """The body, or a little more than the largest; None where the client has gone before its end."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > LARGEST_BODY:
            return bytes(body)
