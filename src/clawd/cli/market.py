"""The market, and the part of it, that the options of a command name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clawd.cli.settings import home
from clawd.core.clock import parse_duration
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.data.market import Market
from clawd.research import market as named
from clawd.store.ledger_file import ledger_path


def read_market(data: str, universe: str | None, bar: str | None) -> Market:
    """The market that the options name.

    Raises:
        ClawdError: when they name none.
    """
    with _at_options():
        try:
            size = None if bar is None else parse_duration(bar)
        except ValueError as error:
            raise ClawdError(str(error), where="bar") from None
        return named.named_market(data, universe, size, home())


def window(panel: Panel, start: int | None, end: int | None) -> tuple[int, int]:
    """As of :func:`clawd.research.market.window`."""
    with _at_options():
        return named.window(panel, start, end)


def unsealed(market: Market, start: int | None) -> tuple[Market, str | None]:
    """As of :func:`clawd.research.market.unsealed`, by the ledger of this home."""
    with _at_options():
        return named.unsealed(market, start, ledger_path(home()))


@contextmanager
def _at_options() -> Iterator[None]:
    """Errors at what an option has said name the option."""
    try:
        yield
    except ClawdError as error:
        if error.where not in ("data", "universe", "bar", "from"):
            raise
        raise ClawdError(error.what, where=f"--{error.where}", hint=error.hint) from None
