"""The market, and the part of it, that the options of a command name."""

from __future__ import annotations

import numpy as np

from clawd.cli.settings import home
from clawd.core.clock import iso, parse_duration
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
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


def window(panel: Panel, start: int | None, end: int | None) -> tuple[int, int]:
    """The indices of the first bar that opens at or after ``start``, and of the first at or after ``end``.

    Raises:
        ClawdError: when there is no bar between them.
    """
    first = 0 if start is None else int(np.searchsorted(panel.times, start))
    last = panel.times.size if end is None else int(np.searchsorted(panel.times, end))
    if first >= last:
        span = f"{iso(int(panel.times[0]))} to {iso(int(panel.times[-1]))}"
        raise ClawdError("there is no bar between --from and --to", hint=f"the market has bars from {span}")
    return first, last
