"""How long an answer may take, and how many a caller may wait for at once."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clawd.server.caller import IN_SCOPE
from clawd.server.problem import Problem, problem_answer
from clawd.server.safe_answers import is_api

#: Seconds until an answer must have begun. Pages wait for ten and then say so themselves.
ANSWER_SECONDS: Final = 15.0
#: Of one caller, of the forty threads that work on requests.
MOST_AT_ONCE: Final = 24

_log = logging.getLogger("clawd.server")


class Patience:
    """Answers in time in the place of a route that does not. The route's thread goes on: it cannot be stopped."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._at_work: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_api(scope):
            await self._app(scope, receive, send)
            return
        caller = scope.get(IN_SCOPE)
        who = caller.via if caller is not None else scope["client"][0] if scope.get("client") else ""
        if self._at_work[who] >= MOST_AT_ONCE:
            busy = Problem(
                what=f"{MOST_AT_ONCE} of your requests are being worked on", where=None, hint="wait for one of them"
            )
            await problem_answer(429, busy, {"Retry-After": "1"})(scope, receive, send)
            return
        begun = late = False

        async def in_time(message: Message) -> None:
            nonlocal begun
            if not late:
                begun = True
                await send(message)

        task = asyncio.ensure_future(self._app(scope, receive, in_time))
        self._at_work[who] += 1
        self._tasks.add(task)

        def ended(_: object) -> None:
            self._tasks.discard(task)
            self._at_work[who] -= 1
            if not self._at_work[who]:
                del self._at_work[who]
            if late and not task.cancelled() and (error := task.exception()) is not None:
                _log.error("%s %s has failed, too late", scope["method"], scope["path"][:200], exc_info=error)

        task.add_done_callback(ended)
        try:
            await asyncio.wait({task}, timeout=ANSWER_SECONDS)
            if task.done() or begun:
                await task
                return
        except asyncio.CancelledError:
            task.cancel()
            raise
        late = True
        _log.warning("%s %s is taking longer than %g s", scope["method"], scope["path"][:200], ANSWER_SECONDS)
        slow = Problem(
            what=f"this has taken longer than {ANSWER_SECONDS:g} seconds",
            where=None,
            hint="it may still be done: look before you try again",
        )
        await problem_answer(504, slow)(scope, receive, send)
