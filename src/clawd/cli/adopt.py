"""``clawd adopt``: decide about what an account holds and no agent has done."""

from __future__ import annotations

from typing import Annotated

import typer

from clawd.cli.settings import read_settings
from clawd.cli.switches import who
from clawd.core.account_events import UNATTRIBUTED
from clawd.core.clock import SystemClock
from clawd.core.errors import ClawdError
from clawd.execution.recovery import replay
from clawd.store.journal import open_journal
from clawd.store.switchboard import Switchboard


def adopt(
    symbol: Annotated[
        str | None, typer.Argument(metavar="SYMBOL", help="of the instrument; what waits is listed when left out")
    ] = None,
    account: Annotated[str, typer.Option("--account", metavar="NAME", help="whose books")] = "captures",
) -> None:
    """Say that what no agent has done in an instrument is yours, so that agents may enter beside it.

    Trades by hand, transfers and what a venue cannot explain go to a book of their own, and nobody enters that
    instrument before you have decided.
    """
    settings = read_settings()
    place = settings.home / "accounts" / account / "journal.sqlite"
    with open_journal(place, read_only=True) as journal:
        found = replay(journal.entries())
    book = found.agents.get(UNATTRIBUTED)
    waiting = sorted({block.symbol for block in found.blocks if block.why == UNATTRIBUTED})
    with Switchboard.open(settings.home) as switchboard:
        decided = {decision.symbol for decision in switchboard.decisions(account, found.decided)}
        if symbol is None:
            for name in waiting:
                held = book.size(name) if book else 0
                typer.echo(f"{name}: {held:+f} unattributed{', decided on' if name in decided else ''}")
            if not waiting:
                typer.echo("nothing waits for a decision")
            return
        if symbol not in waiting:
            raise ClawdError(
                f"nothing in {symbol} waits for a decision",
                where=str(place),
                hint=f"there is {', '.join(waiting)}" if waiting else None,
            )
        switchboard.decide(account, symbol, who(), SystemClock().now())
    typer.echo(f"{symbol} is yours: agents may enter beside it, at once or when trading goes on")
