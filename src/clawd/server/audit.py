"""The audit: one append-only, hash-chained log of everything that was changed through the web face."""

from __future__ import annotations

from collections.abc import Mapping

from clawd.server.caller import Caller
from clawd.server.site import Site
from clawd.store.journal import JSON, open_journal

NAME = "audit.sqlite"


def record(site: Site, caller: Caller, what: str, facts: Mapping[str, JSON]) -> None:
    """Write down what a caller has done, before he is answered.

    Args:
        site: whose audit.
        caller: who.
        what: a fact in the past tense, such as ``StrategySaved``.
        facts: the details, before and after where something was replaced.

    Raises:
        ClawdError: when it cannot be written.
    """
    with open_journal(site.home / NAME) as journal:
        journal.append([(site.clock.now(), what, {"by": caller.name, **facts})])
    site.announce("audit")
