"""What every route works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from clawd.backtests.desk import Desk
from clawd.core.clock import Clock
from clawd.core.errors import ClawdError
from clawd.core.settings import Settings
from clawd.server.at_stake import Stakes
from clawd.server.audit import Audit
from clawd.server.evidence_desk import EvidenceDesk
from clawd.server.fleet_process import FleetProcess
from clawd.server.frames import Changed
from clawd.server.live.follower import Before, Follower
from clawd.server.live.hub import EVERY, Hub
from clawd.server.live.picture import Source
from clawd.server.public_url import PublicUrl
from clawd.server.rates import Rates
from clawd.server.signing import Signers
from clawd.server.standing import Hand


@dataclass(slots=True)
class Site:
    """What every route works on.

    Attributes:
        settings: limits and costs, and the home in which everything lies.
        clock: stamps what a person does.
        fleet: the process that trades, None where this server has started none.
        deploy: has the paper run begin anew with the fleet's list as it is now; None where none can be begun from here.
        announce: tells every open page that something it may hold has changed; from any thread.
        public: where browsers reach the server through a proxy, None where they come to it themselves.
        hosts: names under which the server is reached, besides the address that a request comes to.
        rates: how often somebody may call.
        audit: the open audit, while the application runs.
        phase: what the process that trades does before it has a journal: the phase, words for people, and the share of
            it that is done; None where nothing was started.
        source: where the pictures of open pages come from; the journals of the home, where it is None.
        every: seconds between two frames of a topic.
        follower, hub: at work while the application is.
        evidence: the counts and the stories, likewise.
        hand: a person's hand on everything that trades from the home.
        signers: sign decisions on orders that wait.
        backtests: where they are asked for, while the application runs; or why they are not.
    """

    settings: Settings
    clock: Clock
    fleet: FleetProcess | None = None
    deploy: Callable[[], None] | None = None
    announce: Callable[[Changed], None] = lambda what: None
    public: PublicUrl | None = None
    hosts: frozenset[str] = frozenset()
    rates: Rates = field(default_factory=Rates)
    audit: Audit | None = None
    phase: Before | None = None
    source: Source | None = None
    every: float = EVERY
    follower: Follower | None = None
    hub: Hub | None = None
    evidence: EvidenceDesk | None = None
    backtests: Desk | ClawdError | None = None
    hand: Hand = field(init=False)
    signers: Signers = field(init=False)

    def __post_init__(self) -> None:
        self.hand = Hand(self.settings.home, Stakes(lambda: self.follower), self.clock)
        self.signers = Signers(self.settings.home)

    @property
    def home(self) -> Path:
        return self.settings.home


def site_of(connection: HTTPConnection) -> Site:
    """The site that a request or a WebSocket has come to."""
    site: Site = connection.app.state.site
    return site


#: For the signature of a route.
AtSite = Annotated[Site, Depends(site_of)]
