"""The evidence desk of a site, for as long as the application runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Final

from fastapi import Depends

from clawd.server.evidence_desk import EvidenceDesk
from clawd.server.site import AtSite, Site

#: How often the ledger's file is looked at for something new, seconds.
_EVERY: Final = 2.0


@asynccontextmanager
async def evidence_at_work(site: Site) -> AsyncIterator[None]:
    """The desk of a site, for as long as the application runs; says when the ledger has changed."""
    desk = site.evidence = EvidenceDesk(site.home, site.clock, lambda: site.announce("evidence"))
    worker = threading.Thread(target=desk.work, name="stories", daemon=True)
    worker.start()
    watching = asyncio.create_task(_watch(desk, site))
    try:
        yield
    finally:
        watching.cancel()
        desk.close()
        await asyncio.to_thread(worker.join, 10)


async def _watch(desk: EvidenceDesk, site: Site) -> None:
    known = desk.state()
    while True:
        await asyncio.sleep(_EVERY)
        now = desk.state()
        if now != known:
            known = now
            site.announce("evidence")


def _desk_of(site: AtSite) -> EvidenceDesk:
    """The desk of a site that is at work."""
    assert site.evidence is not None, "the application is not running"
    return site.evidence


#: For the signature of a route.
AtDesk = Annotated[EvidenceDesk, Depends(_desk_of)]
