"""``clawd research worlds``: the pipeline on worlds whose truth is known."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from clawd import __version__
from clawd.cli.compiling import ready_engine
from clawd.cli.grid import Column, grid, screen
from clawd.cli.interruptions import interruptions
from clawd.cli.market import read_market
from clawd.cli.options import DataOption, JsonOption, UniverseOption, WorkersOption
from clawd.cli.settings import read_settings
from clawd.cluster.pool import cores
from clawd.core.clock import SystemClock, iso
from clawd.core.costs import Costs
from clawd.core.panel import NANOSECONDS_PER_SECOND
from clawd.research.worlds import table
from clawd.research.worlds.experiment import Found
from clawd.research.worlds.results import Table as KeptTable
from clawd.research.worlds.results import keep_table
from clawd.research.worlds.surrogates import Rows
from clawd.research.worlds.table import Row, rows_of, run_worlds

_CAMPAIGNS, _FEW = 100, 2


def worlds(
    quick: Annotated[bool, typer.Option("--quick", help="a small version, in less than a minute on two cores")] = False,
    campaigns: Annotated[
        int | None,
        typer.Option(
            "--campaigns",
            metavar="COUNT",
            min=1,
            max=100_000,
            help="of noise, 100 or, quick, 2; the others go with it",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="NUMBER", min=0, help="of every world and every search")] = 1,
    workers: WorkersOption = None,
    data: DataOption = "sample",
    universe: UniverseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try the whole pipeline on worlds whose truth is known: false proofs, and planted edges found.

    Worlds are made from real bars, without an edge or with one of a known kind and size. Each campaign runs in a
    home of its own, which is thrown away: your ledger stays as it is. The table is kept with those made before, in
    research/worlds.json of your home. Ctrl-C stops it and shows what is done.
    """
    settings = read_settings()
    costs = Costs(settings.fee, settings.slippage)
    rows = Rows.of(read_market(data, universe, None).panel)
    size = table.quick(campaigns or _FEW) if quick else table.full(campaigns or _CAMPAIGNS)
    ready_engine()
    found: list[Found] = []
    with interruptions() as interrupted, _Progress() as progress:
        for step in run_worlds(
            rows, size, seed=seed, costs=costs, workers=workers or cores(), stop=lambda: bool(interrupted)
        ):
            progress.show(step)
            if step.found is not None:
                found.append(step.found)
    told = rows_of(found)
    if told:
        command = ["clawd", "research", "worlds", *(["--quick"] if quick else []), "--seed", str(seed), "--data", data]
        command += [] if campaigns is None else ["--campaigns", str(campaigns)]
        command += [] if universe is None else ["--universe", universe]
        keep_table(settings.home, _table(told, size, shlex.join(command), seed, data, universe, costs))
    if as_json:
        typer.echo(json.dumps([each.to_json() for each in told], indent=2))
    else:
        show_table(told, size)
    if interrupted:
        raise typer.Exit(130)


def _table(
    told: Sequence[Row], size: table.Size, command: str, seed: int, data: str, universe: str | None, costs: Costs
) -> KeptTable:
    return KeptTable(
        at=iso(SystemClock().now() // NANOSECONDS_PER_SECOND * NANOSECONDS_PER_SECOND),
        version=__version__,
        command=command,
        source=data if universe is None else f"{data}: {universe}",
        seed=seed,
        years=size.years,
        budget=size.budget,
        planned=size.campaigns,
        fee=float(costs.fee),
        slippage=float(costs.slippage),
        promoted=sum(each.promoted for each in told),
        rows=tuple(each.to_json() for each in told),
    )


class _Progress:
    """How far it is, on standard error: a bar on a terminal, lines elsewhere."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, soft_wrap=True, highlight=False)
        moving = self._console.is_terminal and os.environ.get("TERM") != "dumb"
        self._bars = (
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            if moving
            else None
        )
        self._task = self._bars.add_task("", total=None) if self._bars else None
        self._tenth = -1

    def __enter__(self) -> _Progress:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars:
            self._bars.stop()

    def show(self, step: table.Progress) -> None:
        """Say how far it is."""
        what = "measuring the edges" if step.calibrating else "campaigns"
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, description=what, total=step.total, completed=step.done)
            return
        tenth = -1 if step.calibrating else 10 * step.done // max(step.total, 1)
        if step.calibrating or tenth != self._tenth:
            self._tenth = tenth
            self._console.print(what if step.calibrating else f"{step.done:,} of {step.total:,} campaigns")


_COLUMNS = (
    Column("worlds", left=True),
    Column("Sharpe"),
    Column("campaigns"),
    Column("trials", matters=4),
    Column("found"),
    Column("95 %", matters=6),
    Column("oracle"),
    Column("false"),
    Column("campaigns with one, 95 %", matters=5),
    Column("FDR"),
    Column("naive found"),
    Column("naive false"),
    Column("lost at", left=True, matters=3),
)


def show_table(told: Sequence[Row], size: table.Size) -> None:
    """The table for people."""
    console = screen()
    cells: list[list[Text | str]] = [
        [
            Text(each.kind),
            f"{each.sharpe:.1f}" if each.planted else "",
            f"{each.campaigns:,}",
            f"{each.trials:,}",
            f"{each.found} of {each.planted}" if each.planted else "",
            _interval(each.power) if each.planted else "",
            f"{each.oracle}" if each.planted else "",
            Text(f"{each.false}", "red" if each.false else "green"),
            _interval(each.false_share),
            f"{each.discovery_rate:.0%}",
            f"{each.naive_found}" if each.planted else "",
            f"{each.naive_false}",
            Text(", ".join(f"{stage} {number}" for stage, number in each.missed)),
        ]
        for each in told
    ]
    console.print(grid(_COLUMNS, cells, console.width))
    console.print(
        Text(
            f"worlds of {size.years:g} years of daily bars; searches of {size.budget:,} strategies; "
            "false: promotions without an edge; oracle: proven on the same bars by the rule that knows the edge; "
            "naive: the best backtest of the same trials, promoted where p < 0.05"
        ),
        soft_wrap=True,
    )


def _interval(share: tuple[float, float]) -> str:
    return f"{share[0]:.0%} to {share[1]:.0%}"
