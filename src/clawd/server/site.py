"""What every route works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from clawd.core.clock import Clock
from clawd.core.settings import Settings
from clawd.server.fleet_process import FleetProcess
from clawd.server.frames import Changed


@dataclass(slots=True)
class Site:
    """What every route works on.

    Attributes:
        settings: limits and costs, and the home in which everything lies.
        clock: stamps what a person does.
        fleet: the process that trades, None where this server has started none.
        deploy: has the paper run begin anew with the fleet's list as it is now; None where none can be begun from here.
        announce: tells every open page that something it may hold has changed; from any thread.
    """

    settings: Settings
    clock: Clock
    fleet: FleetProcess | None = None
    deploy: Callable[[], None] | None = None
    announce: Callable[[Changed], None] = lambda what: None

    @property
    def home(self) -> Path:
        return self.settings.home


def site_of(connection: HTTPConnection) -> Site:
    """The site that a request or a WebSocket has come to."""
    site: Site = connection.app.state.site
    return site


#: For the signature of a route.
AtSite = Annotated[Site, Depends(site_of)]
