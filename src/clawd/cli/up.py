"""``clawd up``: the main job, from bars to a paper fleet."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from clawd.authors.starter import starter_library
from clawd.cli.interruptions import interruptions, keep_pace, stop_with_stdin
from clawd.cli.json_view import JsonView
from clawd.cli.live_view import LiveView
from clawd.cli.market import read_market
from clawd.cli.options import (
    BarOption,
    DataOption,
    HostOption,
    JournalOption,
    PortOption,
    PublicUrlOption,
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
from clawd.fleet.campaign import BarTraded, campaign, first_traded
from clawd.language.strategy import Strategy
from clawd.server.address import LOOPBACK
from clawd.server.fleet_process import FleetProcess, Given
from clawd.store.fleet_list import fleet_files, read_fleet_list
from clawd.store.journal import open_journal

#: Bars a second where somebody watches.
_PACE = 2.0


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


def _tried(instead: Sequence[str], added: Sequence[str]) -> list[Strategy]:
    """The strategies that are tried: the library or what was given in its place, and what was added.

    Raises:
        ClawdError: when one of them stands there twice, or cannot be read.
    """
    tried = [read_strategy(file) for name in instead for file in _files(name)] or list(starter_library())
    tried += [read_strategy(file) for name in added for file in _files(name)]
    names = [strategy.content_hash for strategy in tried]
    if len(set(names)) != len(names):
        twice = next(strategy.name for place, strategy in enumerate(tried) if names.index(names[place]) < place)
        raise ClawdError(f"the same strategy was given twice: {twice}", where="--strategy or --add")
    return tried


def _deployed(home: Path, tried: Sequence[Strategy]) -> list[str]:
    """The files of the strategies that were deployed through the pages and are not tried anyway."""
    known = {strategy.content_hash for strategy in tried}
    listed = zip(read_fleet_list(home), fleet_files(home), strict=True)
    return [file for each, file in listed if each.content_hash not in known]


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
    added: Annotated[
        list[str] | None,
        typer.Option("--add", metavar="NAME", help="likewise, to be tried beside the library or those of --strategy"),
    ] = None,
    pace: Annotated[
        float | None,
        typer.Option(
            "--pace",
            metavar="BARS",
            min=0.001,
            max=100_000,
            help="bars a second; else 2 with the pages, and as fast as it goes without",
        ),
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="no pages: show it here, then end")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="headless, one JSON object a line, for programs")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="headless, plain lines even on a terminal")] = False,
    host: HostOption = LOOPBACK,
    port: PortOption = None,
    public_url: PublicUrlOption = None,
    while_stdin: Annotated[bool, typer.Option("--while-stdin", hidden=True)] = False,
) -> None:
    """Trade on paper: check the data, try every strategy, hire the best, and show it all in a browser.

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
    tried = _tried(strategies or (), added or ())
    if fresh and journal is not None:
        raise ClawdError("--fresh and --journal cannot both be meant", hint="name a journal that does not exist yet")
    if not (headless or as_json or plain):
        if journal is not None:
            raise ClawdError(
                "the pages show the journals of the home, and this one lies elsewhere",
                where="--journal",
                hint="add --headless",
            )
        # What is wrong with the market is said at once, before anything is begun; the fleet reads it for itself.
        first_traded(read_market(data, universe, bar), settings)
        options = {
            "--data": data,
            "--universe": universe,
            "--bar": bar,
        }
        market_of = [word for name, value in options.items() if value is not None for word in (name, value)]
        limits = {
            "capital": ("--capital", capital),
            "day_loss_limit": ("--day-limit", day_limit),
            "slots": ("--slots", None if slots is None else str(slots)),
        }
        given = {name: Given(word, text) for name, (word, text) in limits.items() if text is not None}
        replaced = [word for name in strategies or () for word in ("--strategy", name)]

        def beside() -> list[str]:
            return [*(added or ()), *_deployed(settings.home, tried)]

        fleet = FleetProcess([*market_of, *replaced], _PACE if pace is None else pace, beside, fresh, given)
        from clawd.server.serving import serve  # noqa: PLC0415 - the process that trades needs none of it

        serve(settings, host, port, fleet, public_url)
        return
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
            author="person" if strategies or added else "library",
            fresh=fresh,
            journal=opened,
            stop=lambda: bool(interrupted),
        )
        if while_stdin:
            stop_with_stdin(interrupted)
        due = None if pace is None else keep_pace(pace, interrupted)
        for stage in stages:
            view.show(stage)
            if due is not None and isinstance(stage, BarTraded):
                next(due)
    if interrupted:
        raise typer.Exit(130)
