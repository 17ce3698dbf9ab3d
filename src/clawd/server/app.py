"""The application: routes in their order, and the front end behind everything that is no route."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from clawd import __version__
from clawd.server.backtest_desk import backtests_at_work
from clawd.server.bodies import Bodies
from clawd.server.door import Door
from clawd.server.evidence_at_work import evidence_at_work
from clawd.server.frames import ChangedFrame, FeedFrame, FleetFrame, Resync, Status, Subscribe
from clawd.server.front_end import serve_front_end
from clawd.server.live.at_work import follow
from clawd.server.patience import Patience
from clawd.server.problem import PROBLEMS, answer_problems
from clawd.server.recording import keep_audit
from clawd.server.routes import (
    about,
    agent,
    agents,
    alerts,
    approvals,
    audit,
    backtest_views,
    backtests,
    campaigns,
    charts,
    claims,
    deployments,
    evidence,
    fleet_process,
    journal,
    keys,
    live,
    markets,
    pauses,
    people,
    positions,
    risk,
    runs,
    session,
    settings,
    standing,
    stories,
    strategies,
    unattributed,
    worlds,
)
from clawd.server.safe_answers import SafeAnswers
from clawd.server.site import Site

_ROUTERS = (
    about.router,
    agent.router,
    agents.router,
    alerts.router,
    approvals.router,
    audit.router,
    backtest_views.router,
    backtests.router,
    campaigns.router,
    charts.router,
    claims.router,
    deployments.router,
    evidence.router,
    fleet_process.router,
    journal.router,
    keys.router,
    people.router,
    live.router,
    markets.router,
    pauses.router,
    positions.router,
    risk.router,
    runs.router,
    session.router,
    settings.router,
    standing.router,
    stories.router,
    strategies.router,
    unattributed.router,
    worlds.router,
)
#: What runs for as long as the application does, in the order in which it starts.
_RUNNING: tuple[Callable[[Site], AbstractAsyncContextManager[None]], ...] = (
    keep_audit,
    follow,
    evidence_at_work,
    backtests_at_work,
)


def create_app(site: Site) -> FastAPI:
    """The application over a site."""
    app = FastAPI(
        title="clawd",
        version=__version__,
        summary="Agents propose, evidence promotes, the gate disposes.",
        generate_unique_id_function=_operation_id,
        docs_url=None,  # its pages come from another machine
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=_lifespan,
        responses=PROBLEMS,
    )
    app.state.site = site
    answer_problems(app)
    for router in _ROUTERS:
        app.include_router(router, prefix="/api")
    serve_front_end(app)
    # The last that is added is the first to be asked.
    app.add_middleware(Patience)
    app.add_middleware(Bodies)
    app.add_middleware(Door, site=site)
    app.add_middleware(SafeAnswers)
    plain = app.openapi
    app.openapi = lambda: _with_frames(plain())  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for running in _RUNNING:
            await stack.enter_async_context(running(app.state.site))
        yield


def _with_frames(document: dict[str, Any]) -> dict[str, Any]:
    """What OpenAPI does not know by itself: who may call, and the frames of the WebSocket, for the types of clients."""
    frames = (Status, FleetFrame, FeedFrame, ChangedFrame, Subscribe, Resync)
    _, schema = models_json_schema(
        [(frame, "serialization") for frame in frames], ref_template="#/components/schemas/{model}"
    )
    document["components"]["schemas"].update(schema["$defs"])
    document["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "an API key"},
        "session": {"type": "apiKey", "in": "cookie", "name": "clawd", "description": "of a browser; its name goes on"},
    }
    document["security"] = [{"key": []}, {"session": []}]
    document["paths"]["/api/session"]["post"]["security"] = []
    return document


def _operation_id(route: APIRoute) -> str:
    """The function's name: ``list_agents`` reads better in a client than the path."""
    return route.name
