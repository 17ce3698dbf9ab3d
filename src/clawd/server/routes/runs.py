"""The runs and accounts of this home, and how the one that is shown stands."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from clawd.server.caller import AsCaller, Scope, needs
from clawd.server.frames import Status
from clawd.server.live.asked import AtFollower
from clawd.server.milliseconds import milliseconds
from clawd.server.recording import record
from clawd.server.site import AtSite

router = APIRouter(tags=["live"], dependencies=[needs(Scope.READ)])


class RunSummary(BaseModel):
    """A journal of this home."""

    run: str = Field(description="its name, for `?run=`")
    kind: Literal["bars", "account"] = Field(description="a run of `clawd up`, or an account of `clawd trade`")
    working: bool = Field(description="whether a process trades it at this moment")
    shown: bool
    written_at: float = Field(description="when it was last written to, our clock, milliseconds since 1970")


class ShownRun(BaseModel):
    """The run that every page shows where it asks for no other."""

    model_config = ConfigDict(extra="forbid")

    run: str | None = Field(
        max_length=80, description="null for the one that a process is at work on, else the one written last"
    )


@router.get("/status")
def read_status(site: AtSite, follower: AtFollower) -> Status:
    """How the run that is shown stands: the same that open pages are sent."""
    status = (site.source or follower).picture().status
    return status.model_copy(update={"sent_at": milliseconds(site.clock.now())})


@router.get("/runs")
def list_runs(follower: AtFollower) -> list[RunSummary]:
    """The runs and accounts of this home: those that a process is at work on, then the one written last."""
    place = follower.place
    return [
        RunSummary(
            run=each.run,
            kind=each.kind,
            working=each.working,
            shown=place is not None and each.path == place.path,
            written_at=milliseconds(each.written_at),
        )
        for each in follower.places()[:500]
    ]


@router.put("/runs/shown", dependencies=[needs(Scope.BUILD)])
def show_run(site: AtSite, caller: AsCaller, follower: AtFollower, wish: ShownRun) -> ShownRun:
    """Choose the run that is shown; kept over restarts."""
    before = follower.wanted
    follower.want(wish.run)
    record(site, caller, "ShownRunChosen", {"run": wish.run, "run_before": before})
    return wish
