"""What every answer carries, and what becomes of a mistake of ours: pure ASGI, around everything else."""

from __future__ import annotations

import logging
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clawd.server.problem import Problem, problem_answer

_log = logging.getLogger("clawd.server")

_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: Pages run scripts of their own files alone. Styles may stand in a page because Mantine puts its own there.
_PAGES: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_DATA: Final = "default-src 'none'; frame-ancestors 'none'"


def is_api(scope: Scope) -> bool:
    """Whether a request is for the interface rather than for a page."""
    path: str = scope["path"]
    return path == "/api" or path.startswith("/api/")


class SafeAnswers:
    """Puts the security headers on every answer, and a plain 500 in the place of an exception that nobody caught."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        begun = False

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                headers = MutableHeaders(scope=message)
                headers.update(_ALWAYS)
                headers["Content-Security-Policy"] = _DATA if is_api(scope) else _PAGES
                if is_api(scope):
                    headers["Cache-Control"] = "no-store"
            begun = begun or message["type"] in {"http.response.start", "websocket.http.response.start"}
            begun = begun or message["type"] in {"websocket.accept", "websocket.close"}
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        except Exception:
            _log.exception("%s %s has failed", scope.get("method", "WebSocket"), scope["path"][:200])
            if scope["type"] == "websocket":
                # Code 1011 of RFC 6455: the server could not go on.
                await send({"type": "websocket.close", "code": 1011})
            elif begun:
                raise  # half an answer is not one: the connection must break
            else:
                mistake = Problem(
                    what="the server has made a mistake", where=None, hint="what happened is in the log of `clawd up`"
                )
                await problem_answer(500, mistake)(scope, receive, with_headers)
