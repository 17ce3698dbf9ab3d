"""``clawd adopt``: decide about what an account holds and no agent has done."""

from __future__ import annotations

from typing import Annotated

import typer

from clawd.cli.settings import read_settings
from clawd.cli.switches import who
from clawd.core.clock import SystemClock
from clawd.execution.adoption import adopt as take_over
from clawd.execution.adoption import unattributed
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
    with Switchboard.open(settings.home) as switchboard:
        if symbol is None:
            waiting = unattributed(found, switchboard)
            for name, size, decided in waiting:
                typer.echo(f"{name}: {size:+f} unattributed{', decided on' if decided else ''}")
            if not waiting:
                typer.echo("nothing waits for a decision")
            return
        take_over(found, switchboard, symbol, who(), SystemClock().now())
    typer.echo(f"{symbol} is yours: agents may enter beside it, at once or when trading goes on")
