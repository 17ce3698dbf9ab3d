"""The process that trades: what it does, going on at another pace, beginning again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from clawd.server.caller import AsCaller, Scope, needs
from clawd.server.fleet_process import FleetProcess
from clawd.server.frames import Phase
from clawd.server.problem import ConflictError
from clawd.server.recording import record
from clawd.server.site import AtSite, Site

router = APIRouter(tags=["fleet process"])


class FleetWork(BaseModel):
    """What the process that trades is doing."""

    phase: Phase
    text: str = Field(description="for people")
    progress: float | None = Field(description="share of the phase that is done, where that is known")
    pace: float = Field(description="bars a second")


class FleetRestart(BaseModel):
    """How it is to go on."""

    pace: Annotated[float, Field(ge=0.001, le=100_000)] | None = Field(
        None, description="bars a second; else as before"
    )
    fresh: bool = Field(False, description="set the run aside and begin it again; nothing is deleted")


@router.get("/fleet/process", dependencies=[needs(Scope.READ)])
def read_fleet_process(site: AtSite) -> FleetWork:
    """What the process that trades is doing; 409 where this server has started none."""
    return _work(_fleet(site))


@router.post("/fleet/process/restart", dependencies=[needs(Scope.DECIDE)])
def restart_fleet_process(restart: FleetRestart, site: AtSite, caller: AsCaller) -> FleetWork:
    """Stop it after the bar at hand and start it: it goes on from its journal, or begins anew."""
    fleet = _fleet(site)
    before = fleet.pace
    pace = before if restart.pace is None else restart.pace
    record(site, caller, "FleetRestarted", {"fresh": restart.fresh, "pace": pace, "pace_before": before})
    fleet.restart_soon(pace, restart.fresh)
    return _work(fleet)


def _fleet(site: Site) -> FleetProcess:
    if site.fleet is None:
        raise ConflictError(
            "this server has started no fleet: it shows what others do", hint="`clawd up` serves and trades"
        )
    return site.fleet


def _work(fleet: FleetProcess) -> FleetWork:
    progress = fleet.progress
    return FleetWork(phase=progress.phase, text=progress.text, progress=progress.share, pace=fleet.pace)
