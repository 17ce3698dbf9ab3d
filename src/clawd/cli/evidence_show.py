"""``clawd evidence show``: all that is known of one strategy."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from clawd.cli.backtest import output
from clawd.cli.compiling import ready_engine
from clawd.cli.formats import count, number, percent
from clawd.cli.grid import Column, grid, screen
from clawd.cli.market import read_market
from clawd.cli.options import BarOption, DataOption, JsonOption, UniverseOption, read_amount
from clawd.cli.settings import read_settings
from clawd.core.clock import SystemClock
from clawd.core.costs import Costs
from clawd.reports.buy_and_hold import buy_and_hold
from clawd.reports.evidence_html import evidence_html
from clawd.reports.story import Story
from clawd.research.story import find
from clawd.research.telling import story_json, tell_and_keep

_GATES = (
    Column("gate", left=True),
    Column("number"),
    Column("threshold"),
    Column("verdict", left=True),
    Column("meaning", left=True, wraps=True, matters=1),
)


def show(
    strategy: Annotated[
        str, typer.Argument(metavar="STRATEGY", help="a file, a name, or the first digits of a content hash")
    ],
    data: DataOption = "sample",
    universe: UniverseOption = None,
    bar: BarOption = None,
    capital: Annotated[
        str, typer.Option("--capital", metavar="AMOUNT", help="quote currency; exposures are shares of it")
    ] = "10000",
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="write a report to this file; it needs nothing else to open"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The whole story of a strategy: gates, proof, lineage, stress, neighbourhood, and what would make it fail.

    Only the bars of the search are run on, and every run counts as a trial. What is known of later bars is what the
    campaign that judged the strategy has kept.
    """
    settings = read_settings()
    money = read_amount(capital, "--capital")
    found = find(strategy, settings.home)
    market = read_market(data, universe, bar)
    costs = Costs(settings.fee, settings.slippage)
    ready_engine()
    with output(html, "--html") as file:
        story = tell_and_keep(found, data, market.panel, settings.home, costs=costs, capital=money, clock=SystemClock())
        if file is not None:
            benchmark = buy_and_hold(story.result.panel, costs, money)
            file.write(evidence_html(story, benchmark=benchmark, market=data))
    if as_json:
        typer.echo(json.dumps(story_json(story), indent=2, allow_nan=False))
        return
    _show(story)
    if html is not None:
        typer.echo(f"written: {html}")


def _show(story: Story) -> None:
    console = screen()
    strategy, metrics = story.result.strategy, story.result.metrics
    lines = [
        Text(strategy.name, "bold"),
        Text(f"{story.verdict}\n"),
        Text(
            f"hash {strategy.content_hash[:12]}; {story.family:,} of its family among "
            f"{story.strategies:,} distinct strategies tried"
        ),
    ]
    if story.lineage:
        made = [f"{each.name} ({each.origin or 'unknown'})" for each in story.lineage[:5]]
        lines.append(Text(f"lineage: {' from '.join(made)}" + (" and so on" if len(story.lineage) > 5 else "")))
    ratios = [each.sharpe for each in story.neighbours if math.isfinite(each.sharpe)]
    lines.append(
        Text(
            f"Sharpe ratio {number(metrics.sharpe)} on the search, {number(story.selection)} on the selection; "
            f"{number(story.stressed)} at double costs, {number(story.delayed)} one bar late, "
            f"{number(story.endured)} with both; "
            + (f"neighbours {number(min(ratios))} to {number(max(ratios))}" if ratios else "no neighbours")
        )
    )
    if story.regimes:
        weakest = min(story.regimes, key=lambda each: each.annual_return)
        lines.append(
            Text(
                f"weakest where the market is {weakest.name}: {percent(weakest.annual_return)} a year; deepest "
                f"drawdown {percent(metrics.max_drawdown)}"
            )
        )
    claim, wealth = story.hypothesis, story.wealth
    if claim is not None:
        now = float(wealth[-1]) if wealth.size else 1.0
        lines.append(
            Text(
                f"hypothesis {claim.number}: wealth {number(now)} of {number(claim.wealth_to_reach, 0)} after "
                f"{count(len(story.bets), 'bar')} that count"
            )
        )
    rows = [
        (
            Text(gate.name),
            number(gate.value, 3),
            number(gate.threshold, 3),
            Text("passed" if gate.passed else "not passed", "green" if gate.passed else "red"),
            Text(gate.meaning, "dim"),
        )
        for gate in story.gates
    ]
    console.print(*lines, "", grid(_GATES, rows, console.width), sep="\n")
