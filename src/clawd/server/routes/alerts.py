"""What a person should know of."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from clawd.server.caller import AsCaller, Scope, needs
from clawd.server.live.alerts import Alert, AlertKind, Severity
from clawd.server.live.asked import AtFollower, OfRun
from clawd.server.milliseconds import milliseconds
from clawd.server.problem import MissingError
from clawd.server.recording import record
from clawd.server.site import AtSite
from clawd.store.acknowledged import Acknowledgement, acknowledge

router = APIRouter(tags=["alerts"])


class AlertView(BaseModel):
    """Something that a person should know of."""

    id: str = Field(description="made of the fact: the same after every restart")
    kind: AlertKind
    severity: Severity
    text: str
    run: str
    seq: int = Field(description="the fact in the journal; of silence and of a process that is gone, the last one")
    time: float = Field(description="of that fact, the market's clock, milliseconds since 1970")
    agent: str | None
    symbol: str | None
    acknowledged_at: float | None = Field(description="our clock, milliseconds since 1970; null while nobody has")
    acknowledged_by: str | None


class AlertList(BaseModel):
    """The alerts of a run, the newest first."""

    run: str | None
    open: int = Field(description="that nobody has acknowledged")
    alerts: list[AlertView] = Field(description="those first, then the others; at most 500")


@router.get("/alerts", dependencies=[needs(Scope.READ)])
def list_alerts(follower: AtFollower, run: OfRun = None) -> AlertList:
    """The alerts of a run. What was about something that went on and has ended is not among them."""
    try:
        name, found = follower.alerts(run)
    except MissingError:
        if run is not None:
            raise
        return AlertList(run=None, open=0, alerts=[])
    seen = follower.acknowledged
    views = [_view(alert, name, seen.get(alert.id)) for alert in found]
    views.sort(key=lambda view: (view.acknowledged_at is not None, -view.seq))
    return AlertList(run=name, open=sum(view.acknowledged_at is None for view in views), alerts=views)


@router.post("/alerts/{alert}/acknowledge", dependencies=[needs(Scope.DECIDE)])
def acknowledge_alert(
    site: AtSite, caller: AsCaller, follower: AtFollower, alert: Annotated[str, Path(max_length=40)], run: OfRun = None
) -> AlertView:
    """Say that an alert was seen. Said twice, the first stays."""
    name, alerts = follower.alerts(run)
    found = next((each for each in alerts if each.id == alert), None)
    if found is None:
        raise MissingError(f"there is no alert {alert!r}", where=name, hint="it may be over; GET /api/alerts has all")
    if acknowledge(site.home, alert, caller.name, site.clock.now()):
        record(site, caller, "AlertAcknowledged", {"alert": alert, "run": name, "text": found.text})
    seen = follower.look_at_acknowledged()
    site.announce("alerts")
    return _view(found, name, seen.get(alert))


def _view(alert: Alert, run: str, seen: Acknowledgement | None) -> AlertView:
    return AlertView(
        id=alert.id,
        kind=alert.kind,
        severity=alert.severity,
        text=alert.text,
        run=run,
        seq=alert.seq,
        time=milliseconds(alert.time),
        agent=alert.agent,
        symbol=alert.symbol,
        acknowledged_at=None if seen is None else milliseconds(seen.at),
        acknowledged_by=None if seen is None else seen.by,
    )
