"""``clawd research``: let evolution search, judge what it found, and choose values for the numbers of a strategy."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from clawd.cli.compiling import ready_engine
from clawd.cli.formats import count, number, percent
from clawd.cli.grid import Column, grid, screen
from clawd.cli.interruptions import interruptions
from clawd.cli.market import read_market, unsealed
from clawd.cli.options import (
    BarOption,
    CapitalOption,
    ClusterOption,
    DataOption,
    JsonOption,
    SeedOption,
    UniverseOption,
    WorkersOption,
    read_amount,
    read_strategy,
    refuse_both,
)
from clawd.cli.research_view import MovingSearch, PlainSearch, members_table
from clawd.cli.settings import read_settings
from clawd.cli.worlds import worlds
from clawd.core.clock import SystemClock, iso
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.data.align import fingerprint
from clawd.research.campaign import Chosen, Concluded, Sealed, Searched, campaign, run_of
from clawd.research.judgement import to_json
from clawd.research.search import SearchStep
from clawd.research.tune import Range, Tuned, ranges_of, read_range, tune
from clawd.store.ledger import Ledger
from clawd.store.ledger_file import ledger_path
from clawd.store.registry import Registry

app = typer.Typer(
    help="Search for strategies on your own bars, judge what was found, and tune the numbers of one.",
    no_args_is_help=True,
)

_SHOWN = 10
_TRIED_SEEDS = 10_000


@app.command()
def run(
    budget: Annotated[
        int, typer.Option("--budget", metavar="COUNT", min=1, max=10_000_000, help="distinct strategies to evaluate")
    ] = 20_000,
    data: DataOption = "sample",
    universe: UniverseOption = None,
    bar: BarOption = None,
    seed: SeedOption = 0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="another campaign: the first seed that none had on these bars")
    ] = False,
    capital: CapitalOption = "10000",
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search by evolution on the first 60 % of the bars, then judge the best on the rest.

    Every evaluation counts as a trial in the ledger. Ctrl-C stops it and keeps what is done; the same command goes on
    from there.
    """
    settings = read_settings()
    money = read_amount(capital, "--capital")
    refuse_both(workers, cluster)
    panel = read_market(data, universe, bar).panel
    costs = Costs(settings.fee, settings.slippage)
    if fresh:
        seed = _unused_seed(panel, settings.home, seed, budget, costs, money)
    ready_engine()
    last: SearchStep | None = None
    concluded: Concluded | None = None
    view = _view("strategies", as_json)
    with interruptions() as interrupted, view as progress:
        for stage in campaign(
            panel,
            settings.home,
            budget=budget,
            seed=seed,
            costs=costs,
            capital=money,
            clock=SystemClock(),
            workers=workers,
            cluster=cluster,
            stop=lambda: bool(interrupted),
        ):
            if isinstance(stage, Sealed) and not as_json:
                _say(
                    f"run {stage.run}, seed {seed}: {stage.bars[0]:,} bars to search on, {stage.bars[1]:,} to select "
                    f"on, {stage.bars[2]:,} in the vault, sealed from {iso(stage.selection_from)}"
                )
            if isinstance(stage, Searched):
                last = stage.step
                if progress:
                    progress.show(last)
            if isinstance(stage, Chosen) and not as_json:
                _say(f"{count(len(stage.finalists), 'finalist')}; judging them ...")
            if isinstance(stage, Concluded):
                concluded = stage
    if last is None:
        raise ClawdError("the search did not begin")
    if as_json:
        typer.echo(json.dumps(_run_json(seed, last, concluded), indent=2))
    else:
        _show_run(last, concluded)
    if concluded is None:
        raise typer.Exit(130 if interrupted else 1)


@app.command("tune")
def tune_(
    file: Annotated[str, typer.Argument(metavar="STRATEGY", help=r"a file whose \[let] table names the numbers")],
    trials: Annotated[
        int, typer.Option("--trials", metavar="COUNT", min=1, max=1_000_000, help="distinct variants to evaluate")
    ] = 1_000,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=LOW:HIGH[:STEP]",
            help="where a number is looked for, length=10:100:5; else all of them, around the values they have",
        ),
    ] = None,
    data: DataOption = "sample",
    universe: UniverseOption = None,
    bar: BarOption = None,
    seed: SeedOption = 0,
    capital: CapitalOption = "10000",
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="a file for the best, TOML")] = None,
    as_json: JsonOption = False,
) -> None:
    """Choose values for the numbers of a strategy. Optuna chooses, every variant counts as a trial.

    The best is shown with what luck alone would show of so many. Ctrl-C stops it and keeps what is done.
    """
    settings = read_settings()
    money = read_amount(capital, "--capital")
    refuse_both(workers, cluster)
    strategy = read_strategy(file)
    ranges = ranges_of(strategy, _ranges(sets or []))
    market, sealed = unsealed(read_market(data, universe, bar), None)
    if sealed:
        typer.echo(sealed, err=as_json)
    panel, clock, path = market.panel, SystemClock(), ledger_path(settings.home)
    ready_engine()
    tuned: Tuned | None = None
    view = _view("variants", as_json)
    with Ledger.open(path) as ledger, interruptions() as interrupted, view as progress:
        for step in tune(
            strategy,
            ranges,
            panel,
            ledger,
            trials=trials,
            seed=seed,
            costs=Costs(settings.fee, settings.slippage),
            capital=money,
            clock=clock,
            workers=workers,
            cluster=cluster,
            stop=lambda: bool(interrupted),
        ):
            tuned = step.tuned
            if progress:
                progress.show(step)
    assert tuned is not None
    if tuned.tried:
        with Registry.open(path) as registry:
            registry.show("person", panel.symbols, int(panel.times[-1]), clock.now(), "tune")
    if out is not None and tuned.best is not None:
        out.write_text(tuned.best.strategy.to_toml(), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(_tuned_json(tuned, ranges, trials), indent=2))
    else:
        _show_tuned(tuned, trials, out)
    if interrupted:
        raise typer.Exit(130)


def _view(noun: str, as_json: bool) -> AbstractContextManager[MovingSearch | PlainSearch | None]:
    if as_json:
        return nullcontext(None)
    moving = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    return MovingSearch(noun) if moving else PlainSearch(noun)


def _say(line: str) -> None:
    screen().print(Text(line), soft_wrap=True)


def _unused_seed(panel: Panel, home: Path, seed: int, budget: int, costs: Costs, capital: Decimal) -> int:
    """The first seed, from one on, with which no campaign was begun."""
    whole = fingerprint(panel)
    with Ledger.open(ledger_path(home)) as ledger:
        for each in range(seed, seed + _TRIED_SEEDS):
            run_ = run_of(whole, budget=budget, seed=each, costs=costs, capital=capital)
            if next(ledger.trials(run=run_), None) is None:
                return each
    raise ClawdError(f"the {_TRIED_SEEDS:,} seeds from {seed} on were all used on these bars", where="--fresh")


def _run_json(seed: int, last: SearchStep, concluded: Concluded | None) -> dict[str, object]:
    return {
        "run": concluded.run if concluded else None,
        "seed": seed,
        "finished": last.finished,
        "strategies": last.strategies,
        "budget": last.budget,
        "trials": last.trials,
        "remembered": last.remembered,
        "distinct_strategies": concluded.strategies if concluded else None,
        "folder": str(concluded.folder) if concluded else None,
        "elites": [
            {
                "name": each.strategy.name,
                "content_hash": each.strategy.content_hash,
                "program": each.strategy.target.text,
                "origin": each.origin,
                "cell": list(each.cell),
                "sharpe": each.objectives.sharpe,
                "marginal_sharpe": each.objectives.marginal,
                "whole_sharpe": each.objectives.whole,
                "size": each.objectives.size,
                "turnover": each.objectives.turnover,
            }
            for each in last.elites[:_SHOWN]
        ],
        "finalists": [to_json(each) for each in concluded.judgements] if concluded else [],
    }


def _show_run(last: SearchStep, concluded: Concluded | None) -> None:
    console = screen()
    told = f"{last.strategies:,} of {last.budget:,} strategies, {count(last.trials, 'trial')}"
    known = f", {last.remembered:,} of them remembered" if last.remembered else ""
    if last.elites:
        console.print("", members_table(last.elites[:_SHOWN], console.width), "", sep="\n")
    else:
        _say("nothing that was found earned anything")
    if concluded is None:
        _say(f"stopped: {told}{known} are counted; the same command goes on from there")
        return
    _say(f"searched: {told}{known}")
    if concluded.judgements:
        columns = (
            Column("rank"),
            Column("finalist", left=True, most=40),
            Column("selection"),
            Column("verdict", left=True, wraps=True),
        )
        rows = [
            (f"{each.rank}", each.strategy.name, number(each.selection_sharpe), each.verdict)
            for each in concluded.judgements
        ]
        console.print("", grid(columns, rows, console.width), "", sep="\n")
        _say(f"the finalists lie in {concluded.folder}")
    proven = len(concluded.proven)
    _say(
        f"{proven} of {count(len(concluded.judgements), 'finalist')} proven; "
        f"distinct strategies in the ledger: {concluded.strategies:,}"
    )


def _ranges(sets: Sequence[str]) -> dict[str, tuple[float, float, float | None]]:
    found: dict[str, tuple[float, float, float | None]] = {}
    for text in sets:
        try:
            name, each = read_range(text)
        except ClawdError as error:
            raise error.at("--set") from None
        if name in found:
            raise ClawdError(f"the number `{name}` is given twice", where="--set")
        found[name] = each
    return found


def _tuned_json(tuned: Tuned, ranges: dict[str, Range], trials: int) -> dict[str, object]:
    worth = tuned.objectives
    return {
        "trials": tuned.tried,
        "asked_for": trials,
        "distinct_trials": tuned.distinct,
        "ranges": {name: [each.low, each.high, each.step] for name, each in ranges.items()},
        "best_sharpe_by_luck": _or_none(tuned.by_luck),
        "best_deflated_sharpe": _or_none(tuned.deflated),
        "best": None
        if tuned.best is None or worth is None
        else {
            "parameters": dict(tuned.best.values),
            "content_hash": tuned.best.strategy.content_hash,
            "median_fold_sharpe": worth.sharpe,
            "sharpe": _or_none(tuned.sharpe),
            "turnover": worth.turnover,
        },
    }


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def _show_tuned(tuned: Tuned, trials: int, out: Path | None) -> None:
    _say(f"{count(tuned.tried, 'distinct variant')} of {trials:,} wanted were tried, and are counted")
    if tuned.best is None or tuned.objectives is None:
        _say("none of them traded")
        return
    _say(f"best: {', '.join(f'{name}={value}' for name, value in tuned.best.values.items())}")
    _say(
        f"its Sharpe ratio is {number(tuned.sharpe)}, the median over the folds {number(tuned.objectives.sharpe)}; "
        f"were none of the variants better than nothing, luck alone would show a best of about {number(tuned.by_luck)}"
    )
    _say(
        f"deflated: {percent(tuned.deflated, 0)}, the chance that it is better than luck makes the best of the "
        f"{tuned.distinct:,} trials in the ledger"
    )
    if out is not None:
        _say(f"written: {out}")


app.command("worlds")(worlds)
