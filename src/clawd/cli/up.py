"""``clawd up``: the main job, from bars to a paper fleet."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from clawd.authors.starter import starter_library
from clawd.cli.interruptions import interruptions
from clawd.cli.json_view import JsonView
from clawd.cli.live_view import LiveView
from clawd.cli.market import read_market
from clawd.cli.options import (
    BarOption,
    DataOption,
    JournalOption,
    UniverseOption,
    journal_named,
    read_amount,
    read_strategy,
)
from clawd.cli.plain_view import PlainView
from clawd.cli.settings import read_settings
from clawd.core.clock import SystemClock
from clawd.core.errors import ClawdError
from clawd.core.settings import Settings
from clawd.fleet.campaign import campaign
from clawd.store.journal import open_journal


def _default(name: str) -> str:
    return f"else CLAWD_{name.upper()} or {Settings.model_fields[name].default}"


def _files(name: str) -> list[str]:
    """The strategy files of a folder in the order of their names; what is no folder as it is."""
    folder = Path(name)
    if not folder.is_dir():
        return [name]
    found = [str(path) for path in sorted(folder.glob("*.toml"))]
    if not found:
        raise ClawdError("no strategy file (.toml) is in this folder", where=f"--strategy {name}")
    return found


def up(
    data: DataOption = "sample",
    universe: UniverseOption = None,
    bar: BarOption = None,
    strategies: Annotated[
        list[str] | None,
        typer.Option(
            "--strategy",
            metavar="NAME",
            help="a file, a folder of them such as a campaign's, or the name of a starter strategy; give it again for "
            "more; the whole library when left out",
        ),
    ] = None,
    capital: Annotated[
        str | None,
        typer.Option("--capital", metavar="AMOUNT", help=f"the paper account, quote currency; {_default('capital')}"),
    ] = None,
    day_limit: Annotated[
        str | None,
        typer.Option(
            "--day-limit",
            metavar="AMOUNT",
            help=f"most that a UTC day may lose, quote currency; {_default('day_loss_limit')}",
        ),
    ] = None,
    slots: Annotated[
        int | None,
        typer.Option(
            "--slots", metavar="COUNT", min=1, max=2000, help=f"agents that trade at once; {_default('slots')}"
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="begin anew; the earlier run is set aside, not deleted")
    ] = False,
    journal: JournalOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line, for programs")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="plain lines even on a terminal")] = False,
) -> None:
    """Trade on paper: check the data, try every strategy, hire the best, say what came of it.

    Strategies are chosen on the earlier bars and trade the later ones. Started again, it goes on where it stopped.
    Ctrl-C stops it cleanly. Nothing here can reach a real venue.
    """
    settings = read_settings(
        capital=None if capital is None else read_amount(capital, "--capital"),
        day_loss_limit=None if day_limit is None else read_amount(day_limit, "--day-limit"),
        slots=slots,
    )
    for name in ("approval_notional", "approval_equity_share", "approval_volume_share"):
        if getattr(settings, name) is not None:
            raise ClawdError(
                "orders above this limit wait for signatures, and a replay of bars waits for nobody",
                where=f"CLAWD_{name.upper()}",
                hint="unset it for `clawd up`; `clawd trade` holds such orders",
            )
    tried = [read_strategy(file) for name in strategies or () for file in _files(name)] or list(starter_library())
    names = [strategy.content_hash for strategy in tried]
    if len(set(names)) != len(names):
        raise ClawdError("the same strategy was given twice", where="--strategy")
    if fresh and journal is not None:
        raise ClawdError("--fresh and --journal cannot both be meant", hint="name a journal that does not exist yet")
    market = read_market(data, universe, bar)
    moving = sys.stdout.isatty() and not plain and os.environ.get("TERM") != "dumb"
    view = JsonView() if as_json else LiveView() if moving else PlainView()
    with (
        # Before the search: that somebody else writes it, or that no server answers, is to be known at once.
        nullcontext() if journal is None else open_journal(journal_named(journal)) as opened,
        interruptions() as interrupted,
        view,
    ):
        stages = campaign(
            market,
            tried,
            settings,
            SystemClock(),
            # Who picks strategies may have seen what became of them; the library is as it was written.
            author="person" if strategies else "library",
            fresh=fresh,
            journal=opened,
            stop=lambda: bool(interrupted),
        )
        for stage in stages:
            view.show(stage)
    if interrupted:
        raise typer.Exit(130)
