"""The desk for backtests while the application runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, Path

from clawd.backtests.desk import BusyError, Desk
from clawd.backtests.run import Run
from clawd.backtests.shelf import is_id
from clawd.core.errors import ClawdError
from clawd.server.problem import ConflictError, MissingError
from clawd.server.site import AtSite, Site


@asynccontextmanager
async def backtests_at_work(site: Site) -> AsyncIterator[None]:
    """Run backtests for as long as the application runs.

    Where another server is at work in the same home this one does without, and says so when one is asked for.
    """
    desk = Desk(site.home, site.clock, lambda: site.announce("backtests"))
    try:
        await asyncio.to_thread(desk.open)
    except ClawdError as error:
        site.backtests = error
        yield
        return
    site.backtests = desk
    try:
        yield
    finally:
        site.backtests = None
        await asyncio.to_thread(desk.close)


def _desk_of(site: AtSite) -> Desk:
    if isinstance(site.backtests, ClawdError):
        raise ConflictError(site.backtests.what, where=site.backtests.where, hint=site.backtests.hint)
    if site.backtests is None:
        raise ConflictError("backtests do not run here", hint="start the server with `clawd up`")
    return site.backtests


#: For the signature of a route.
AtDesk = Annotated[Desk, Depends(_desk_of)]


def _run_of(desk: AtDesk, id: Annotated[str, Path(max_length=40, description="of a backtest")]) -> Run:
    run = desk.find(id) if is_id(id) else None
    if run is None:
        raise missing()
    return run


#: The backtest that the path names.
ARun = Annotated[Run, Depends(_run_of)]


def missing() -> MissingError:
    """There is no such backtest."""
    return MissingError("there is no such backtest", hint="it may have been removed, or made room for newer ones")


def _done_of(run: ARun) -> Run:
    if run.state != "done":
        raise ConflictError(f"this backtest has no result: it is {run.state}", hint="only one that is done has")
    return run


#: The same, once it is done.
ADoneRun = Annotated[Run, Depends(_done_of)]


def result_of(desk: Desk, run: Run) -> dict[str, Any]:
    """What is kept of a backtest, in short.

    Raises:
        MissingError: when it has just been removed.
        ClawdError: when it cannot be read.
    """
    if desk.find(run.id) is None:
        raise missing()
    return desk.shelf.result(run.id)


def as_conflict(error: BusyError) -> ConflictError:
    """The error of a desk as that of a route."""
    return ConflictError(error.what, where=error.where, hint=error.hint)
