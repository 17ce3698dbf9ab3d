"""The market that the options of a command name."""

from __future__ import annotations

from clawd.cli.settings import home
from clawd.core.clock import parse_duration
from clawd.core.errors import ClawdError
from clawd.data.market import Market, load_market


def read_market(data: str, universe: str | None, bar: str | None) -> Market:
    """The market that the options name.

    Raises:
        ClawdError: when they name none.
    """
    if not data:
        raise ClawdError("no source is named", where="--data", hint="sample, catalog, or a folder")
    names = [name.strip() for name in (universe or "").split(",") if name.strip()]
    if universe is not None and not names:
        raise ClawdError("no instrument is named", where="--universe", hint="leave it out to take all")
    try:
        size = None if bar is None else parse_duration(bar)
    except ValueError as error:
        raise ClawdError(str(error), where="--bar") from None
    return load_market(data, names or None, size, home=home())
