"""``clawd sweep``: every combination of a strategy's parameters."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from clawd.authors.parameter_grid import Variant, parameter_grid, read_values
from clawd.cli.compiling import ready_engine
from clawd.cli.interruptions import interruptions
from clawd.cli.market import read_market, unsealed, window
from clawd.cli.options import (
    BarOption,
    CapitalOption,
    ClusterOption,
    DataOption,
    FromOption,
    JsonOption,
    ToOption,
    UniverseOption,
    WorkersOption,
    read_amount,
    read_strategy,
    read_time,
    refuse_both,
)
from clawd.cli.settings import read_settings
from clawd.cli.sweep_progress import MovingProgress, PlainProgress
from clawd.cli.sweep_view import Swept, show_sweep, sweep_json
from clawd.cluster.best import Ranking, ranking
from clawd.cluster.results_file import ResultsFile
from clawd.cluster.run import run_study
from clawd.cluster.study import Key, Result, Study, Window, in_order
from clawd.cluster.trials import segments_for, trial_of
from clawd.core.clock import SystemClock
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.engine.backtest import run_backtest
from clawd.evidence.sharpe import deflated_sharpe, moments
from clawd.language.strategy import Strategy
from clawd.store.ledger import Ledger
from clawd.store.ledger_file import ledger_path
from clawd.store.registry import Registry
from clawd.store.trial import Trial


def sweep(
    file: Annotated[str, typer.Argument(metavar="STRATEGY", help=r"a file whose \[let] table names the parameters")],
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUES",
            help="values of a parameter, length=10,20,30 or length=20:80:10; give it again for more parameters",
        ),
    ] = None,
    data: DataOption = "sample",
    universe: UniverseOption = None,
    bar: BarOption = None,
    from_: FromOption = None,
    to: ToOption = None,
    capital: CapitalOption = "10000",
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="a CSV file for every result; a sweep that was stopped goes on in it"
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Backtest every combination of a strategy's parameters, on all cores or on a cluster.

    Each counts as a trial in the ledger. Ctrl-C stops it and keeps what is done.
    """
    settings = read_settings()
    money = read_amount(capital, "--capital")
    refuse_both(workers, cluster)
    start, end = read_time(from_, "--from"), read_time(to, "--to")
    written = read_strategy(file)
    variants = parameter_grid(written, _values(sets or []))
    market, sealed = unsealed(read_market(data, universe, bar), start)
    if sealed:
        typer.echo(sealed, err=as_json)
    traded = Window(0, *window(market.panel, start, end))
    study = Study(
        strategies=tuple(variant.strategy for variant in variants),
        markets=(market.panel,),
        windows=(traded,),
        costs=Costs(settings.fee, settings.slippage),
        capital=money,
        segments=segments_for(traded.last - traded.first),
    )
    # Of variants that are the same, the first lends its name.
    meant = dict(reversed(list(zip(study.identities, variants, strict=True))))
    results: dict[Key, Result] = {}
    moving = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    view = nullcontext(None) if as_json else MovingProgress() if moving else PlainProgress()
    clock = SystemClock()
    path = ledger_path(settings.home)
    with (
        Ledger.open(path) as ledger,
        ResultsFile(out, study, {name: each.values for name, each in meant.items()}) if out else nullcontext() as kept,
    ):
        results.update(kept.known if kept else {})
        _count_kept(ledger, _trials(study, meant, written, results.values(), clock.now()))
        ready_engine()
        with interruptions() as interrupted, view as progress:
            for step in run_study(
                study, workers=workers, cluster=cluster, known=results, stop=lambda: bool(interrupted)
            ):
                # Before they are kept: what is kept was counted.
                ledger.record(_trials(study, meant, written, step.results, clock.now()))
                if kept:
                    kept.append(step.results)
                # What the ledger has of each is not held in memory too.
                results.update((each.key, replace(each, evaluation=None)) for each in step.results)
                if progress:
                    progress.show(step.progress)
        ordered = [each for each in dict.fromkeys(in_order(study, results)) if each is not None]
        if kept:
            kept.finish(ordered)
        distinct = ledger.distinct()
    if ordered:
        until = int(market.panel.times[traded.last - 1])
        with Registry.open(path) as registry:
            registry.show("person", market.panel.symbols, until, clock.now(), "sweep")
    ranked = ranking(ordered)
    deflated = _deflated(study, meant, ranked, distinct)
    swept = Swept(study, meant, tuple(ordered), ranked, deflated, distinct, market.notes)
    if as_json:
        typer.echo(json.dumps(sweep_json(swept), indent=2))
    elif not ordered:
        typer.echo("stopped before anything was done: nothing is counted")
    else:
        show_sweep(swept)
        if swept.missing:
            total = f"{len(ordered):,} of {len(ordered) + swept.missing:,}"
            kept_in = f"are kept in {out}; the same command goes on from there" if out else "were done, and are counted"
            typer.echo(f"stopped: {total} {kept_in}")
        elif out:
            typer.echo(f"written: {out}")
    if interrupted:
        raise typer.Exit(130)


def _trials(
    study: Study, meant: Mapping[str, Variant], written: Strategy, results: Iterable[Result], now: int
) -> list[Trial]:
    """The trials of those results that have figures."""
    (traded,) = study.windows
    return [
        trial_of(
            study,
            meant[each.key.strategy].strategy,
            traded,
            each,
            "grid",
            now,
            origin="grid",
            parents=() if each.key.strategy == written.content_hash else (written.content_hash,),
        )
        for each in results
        if each.metrics is not None
    ]


def _count_kept(ledger: Ledger, trials: Sequence[Trial]) -> None:
    """Count what a file of results has and this ledger does not: the file was written beside another one."""
    if trials:
        one = trials[0]
        conditions = (one.data_fingerprint, one.first_ts, one.last_ts, one.fee, one.slippage)
        known = ledger.known(*conditions, (each.content_hash for each in trials))
        ledger.record([each for each in trials if each.content_hash not in known])


def _values(sets: Sequence[str]) -> dict[str, tuple[str, ...]]:
    if not sets:
        raise ClawdError("no parameter is named", where="--set", hint="such as --set length=10,20,30")
    values: dict[str, tuple[str, ...]] = {}
    for text in sets:
        try:
            name, each = read_values(text)
        except ClawdError as error:
            raise error.at("--set") from None
        if name in values:
            raise ClawdError(f"the parameter `{name}` is given twice", where="--set")
        values[name] = each
    return values


def _deflated(study: Study, meant: dict[str, Variant], ranked: Ranking, distinct: int) -> float:
    """The deflated Sharpe ratio of the best, every distinct trial of the ledger counted."""
    if not ranked.results:
        return float("nan")
    best, panel, (traded,) = ranked.results[0], study.markets[0], study.windows
    result = run_backtest(
        meant[best.key.strategy].strategy, panel, study.costs, study.capital, traded.first, traded.last
    )
    shape = moments(result.net_returns)
    spread = ranked.spread / panel.bars_per_year**0.5
    return deflated_sharpe(
        shape.sharpe, shape.bars, shape.skew, shape.kurtosis, trials=max(distinct, ranked.trials), trials_sd=spread
    )
