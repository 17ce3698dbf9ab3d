"""Writing down in the audit of a site what was done through it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from clawd.server.audit import Audit, append
from clawd.server.caller import Caller
from clawd.server.site import Site
from clawd.store.journal import JSON


@asynccontextmanager
async def keep_audit(site: Site) -> AsyncIterator[None]:
    """Be the one server of the home for as long as the application runs, where whoever serves it is not already."""
    if site.audit is not None:
        yield
        return
    site.audit = Audit(site.home)
    try:
        yield
    finally:
        audit, site.audit = site.audit, None
        audit.close()


def record(site: Site, caller: Caller, what: str, facts: Mapping[str, JSON]) -> None:
    """Write down what a caller has done, before he is answered. From any thread.

    Args:
        site: whose audit.
        caller: who.
        what: a fact in the past tense, such as ``StrategySaved``.
        facts: the details, before and after where something was replaced. ``command`` is the number of an order on
            the switchboard and ``decision`` that of an adoption, where there is one: it is then listed once.

    Raises:
        ClawdError: when it cannot be written.
    """
    body: dict[str, JSON] = {**facts, "by": caller.name, "via": caller.via, "address": caller.address}
    if site.audit is not None:
        site.audit.append(site.clock.now(), what, body)
    else:  # no application runs: a command, or a test of a route alone
        append(site.home, site.clock.now(), what, body)
    site.announce("audit")
