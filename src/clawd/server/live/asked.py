"""The run that a request is about."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from clawd.server.live.follower import Follower
from clawd.server.problem import ConflictError
from clawd.server.site import AtSite

#: For the signature of a route: the name of a run, the one shown where there is none.
OfRun = Annotated[
    str | None, Query(alias="run", max_length=80, description="a name in /api/runs; the one shown if not given")
]


def follower_of(site: AtSite) -> Follower:
    """The follower of the site, while the application runs."""
    if site.follower is None:
        raise ConflictError("the server is starting or ending", hint="ask again in a moment")
    return site.follower


#: For the signature of a route.
AtFollower = Annotated[Follower, Depends(follower_of)]
