"""Entering in the audit of the home what a command has done."""

from __future__ import annotations

from clawd.cli.settings import home
from clawd.core.clock import SystemClock
from clawd.core.errors import ClawdError
from clawd.server.access import owner
from clawd.server.audit import record_from_terminal
from clawd.store.journal import JSON


def record_done(what: str, facts: dict[str, JSON]) -> None:
    """Enter in the audit what has been done; where that fails so does the command, and says that it is done.

    Raises:
        ClawdError: when it cannot be entered.
    """
    try:
        record_from_terminal(home(), owner(), SystemClock().now(), what, facts)
    except ClawdError as error:
        raise ClawdError(
            f"it is done, and could not be entered in the audit: {error.what}", where=error.where
        ) from error
