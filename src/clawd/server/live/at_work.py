"""The live side of the application, for as long as that runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from clawd.server.live.follower import Follower
from clawd.server.live.hub import Hub, at_work

if TYPE_CHECKING:
    from clawd.server.site import Site


@asynccontextmanager
async def follow(site: Site) -> AsyncIterator[None]:
    """Follow the journals of the site's home and make frames of them; what is announced reaches open pages."""
    follower = site.follower = Follower(site.settings, site.clock, site.phase)
    hub = site.hub = Hub(site.source or follower, site.clock, site.every)
    before, site.announce, follower.announce = site.announce, hub.announce, hub.announce
    follower.start()
    try:
        async with at_work(hub):
            yield
    finally:
        site.announce, site.hub, site.follower = before, None, None
        await asyncio.to_thread(follower.stop)
