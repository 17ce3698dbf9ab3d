"""``clawd parity``: a day on paper against its backtest, every difference explained, in money."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from clawd.cli.backtest import output
from clawd.cli.compiling import ready_engine
from clawd.cli.formats import count, money
from clawd.cli.grid import Column, grid, screen
from clawd.cli.journal import written
from clawd.cli.market import read_market
from clawd.cli.options import JsonOption, read_time
from clawd.core.clock import duration, iso, utc_day
from clawd.core.errors import ClawdError, suggestion
from clawd.core.events import RunStarted
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.data.align import fingerprint
from clawd.data.sample import SYMBOLS
from clawd.fleet.parity import parities
from clawd.fleet.parity_difference import AgentParity, DayParity
from clawd.fleet.parity_facts import bar_times, events_of, full_days, read_history
from clawd.fleet.parity_words import Cause, moment
from clawd.reports.parity_html import ParitySheet, parity_html
from clawd.store.journal import Journal

#: Causes that have their column even where they cost nothing; the others only where they cost something.
_ALWAYS = (Cause.GATE, Cause.HALT, Cause.SLIPPAGE, Cause.LATENCY, Cause.BARS, Cause.FUNDING, Cause.UNEXPLAINED)
_COLUMNS = tuple(cause for cause in Cause if cause is not Cause.LATE_SLIPPAGE)


def parity(
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN", help="its name in `clawd journal list`; else the last one written"),
    ] = None,
    day: Annotated[
        str | None, typer.Option("--day", metavar="DATE", help="a UTC day; the last full one when left out")
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="DATE", help="the first of several days")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="DATE", help="the last of several days")] = None,
    agent: Annotated[str | None, typer.Option("--agent", metavar="AGENT", help="only this agent, such as a001")] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            help="where the run's market lies: sample, catalog, or a folder; named, its bars are compared with those "
            "that the fleet saw",
        ),
    ] = None,
    lines: Annotated[int, typer.Option("--lines", min=0, help="so many of the largest differences; 0 for all")] = 12,
    as_json: JsonOption = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="write a page to this file; it needs nothing else to open"),
    ] = None,
) -> None:
    """Set a day on paper against its backtest, and explain every difference in money.

    Each agent's strategy is replayed on the bars that the fleet saw, from where the agent stood when the day opened and
    restrained by nothing. Then what really happened is imposed on the replay, one fact after the other. Ends with 1
    where something is not explained.
    """
    path = written(run)
    with output(html, "--html") as page:
        with Journal.open(path, read_only=True) as journal:
            if not journal.verify_chain():
                raise ClawdError("the journal is empty: the run was stopped before it began", where=str(path))
            times = bar_times(journal)
            start = next(events_of(journal))
            if not isinstance(start, RunStarted) or not times:
                raise ClawdError("the run has no bar yet", where=str(path))
            days = _days(times, start.bar, day, from_, to)
            ready_engine()
            panel, changed = _market(data, start)
            try:
                history = read_history(events_of(journal), times, days)
            except ClawdError as error:
                raise error.at(str(path)) from None
        known = sorted({name for each in history.days for name in each.openings})
        if agent is not None and agent not in known:
            hint = suggestion(agent, known) or (f"there was {', '.join(known)}" if known else "nobody was active")
            raise ClawdError(f"agent {agent} was not active then", where="--agent", hint=hint)
        found = list(parities(history, panel, compare=data is not None, agents=() if agent is None else (agent,)))
        sheet = _sheet(found, start, changed)
        if page is not None:
            page.write(parity_html(sheet))
    explained = all(each.explained for each in found)
    if as_json:
        report = {
            "run": start.run,
            "explained": explained,
            "market_changed": changed,
            "days": [_json(each) for each in found],
        }
        typer.echo(json.dumps(report, indent=2))
    else:
        _show(sheet, _columns(found), lines)
    if not explained:
        typer.echo(_alarm(found), err=True)
        raise typer.Exit(1)


def _days(times: Sequence[int], bar: int, day: str | None, first: str | None, last: str | None) -> list[int]:
    """The UTC days that the options mean.

    Raises:
        ClawdError: where the run has no bar on any of them, or the options contradict each other.
    """
    if day is not None and (first is not None or last is not None):
        raise ClawdError("--day and --from or --to cannot both be meant", hint="leave one out")
    there = sorted({utc_day(time) for time in times})
    span = f"the run has bars from {iso(times[0])} to {iso(times[-1])}"
    if day is not None:
        wanted = utc_day(read_time(day, "--day") or 0)
        if wanted not in there:
            raise ClawdError(f"the run has no bar on {day}", where="--day", hint=span)
        return [wanted]
    if first is None and last is None:
        return (full_days(times, bar) or there)[-1:]
    begin, end = read_time(first, "--from"), read_time(last, "--to")
    low = there[0] if begin is None else utc_day(begin)
    high = there[-1] if end is None else utc_day(end)
    meant = [each for each in there if low <= each <= high]
    if not meant:
        raise ClawdError("the run has no bar between --from and --to", hint=span)
    return meant


def _market(data: str | None, start: RunStarted) -> tuple[Panel, bool]:
    """The run's market as it is now, and whether it has changed where the run read it.

    Raises:
        ClawdError: where it is not there.
    """
    named = data or ("sample" if set(start.symbols) <= set(SYMBOLS) else "catalog")
    try:
        panel = read_market(named, ",".join(start.symbols), duration(start.bar)).panel
    except ClawdError as error:
        hint = None if data else "name with --data where the bars of the run lie: its programs are warmed up with them"
        raise ClawdError(error.what, where=error.where or named, hint=hint or error.hint) from None
    if set(panel.symbols) != set(start.symbols):
        raise ClawdError(f"the run trades {', '.join(start.symbols)}", where=f"--data {named}")
    upto = panel.between(0, int((panel.times <= start.last).sum()))
    return panel, fingerprint(upto) != start.market


def _causes(found: Sequence[AgentParity]) -> list[Cause]:
    return [cause for cause in _COLUMNS if cause in _ALWAYS or any(agent.of(cause) for agent in found)]


def _columns(found: Sequence[DayParity]) -> list[Column]:
    everyone = [agent for each in found for agent in each.agents]
    names = [Column("agent", left=True), Column("strategy", left=True, matters=4, most=28)]
    return [
        *(names if len(found) == 1 else [Column("day", left=True)]),
        Column("replayed"),
        *(Column(str(cause), matters=5 + (cause in _ALWAYS)) for cause in _causes(everyone)),
        Column("real"),
    ]


def _sheet(found: Sequence[DayParity], start: RunStarted, changed: bool) -> ParitySheet:
    """The figures of the report: a row for each agent of one day, or for each of several days, and their sum."""
    everyone = [agent for each in found for agent in each.agents]
    causes, digits, one = _causes(everyone), _digits(everyone), len(found) == 1
    first, last = _date(found[0].day), _date(found[-1].day)
    rows = []
    for each in found:
        if one:
            rows += [_row([agent.agent, agent.strategy], [agent], causes, digits) for agent in each.agents]
        else:
            rows.append(_row([_date(each.day)], each.agents, causes, digits))
    rows.append(_row(["all", ""] if one else ["all"], everyone, causes, digits))
    warnings = [] if all(each.explained for each in found) else [_alarm(found)]
    if changed:
        warnings.append("the market is not as it was when the run read it; --data compares its bars")
    differences = sorted(
        (each for agent in everyone for each in agent.differences),
        key=lambda each: (each.cause is not Cause.UNEXPLAINED, -abs(each.money)),
    )
    return ParitySheet(
        run=start.run,
        span=first if one else f"{first} to {last}",
        warnings=warnings,
        heads=[column.name for column in _columns(found)],
        rows=rows,
        differences=[
            (str(each.cause), each.agent, each.symbol, moment(each.time), each.words, each.money)
            for each in differences
        ],
    )


def _show(sheet: ParitySheet, columns: Sequence[Column], lines: int) -> None:
    console = screen()
    console.print(f"run {sheet.run}, {sheet.span}: profit and loss in quote currency")
    for text in sheet.warnings:
        console.print(Text(text, "bold"))
    console.print(grid(columns, sheet.rows, console.width, rest=True))
    if not sheet.differences:
        console.print("No difference: paper is the backtest, to the last digit.")
        return
    shown = sheet.differences[:lines] if lines else sheet.differences
    console.print(f"{count(len(sheet.differences), 'difference')}, the largest first:")
    for difference in shown:
        console.print(Text(f"  {_told(difference)}"), soft_wrap=True)
    if len(sheet.differences) > len(shown):
        console.print(f"  and {len(sheet.differences) - len(shown):,} more; --lines 0 shows all")


def _date(day: int) -> str:
    return iso(day * NANOSECONDS_PER_DAY)


def _digits(agents: Sequence[AgentParity]) -> int:
    """Digits behind the point that show small accounts, too."""
    amounts = [abs(amount) for agent in agents for amount in (agent.real, agent.replayed)]
    return 2 if max(amounts, default=Decimal(0)) >= 100 else 4


def _row(names: Sequence[str], agents: Sequence[AgentParity], causes: Sequence[Cause], digits: int) -> list[str]:
    def total(amounts: Sequence[Decimal]) -> str:
        amount = sum(amounts, Decimal(0))
        return money(amount, digits, signed=True) if amount else "0"

    return [
        *names,
        total([agent.replayed for agent in agents]),
        *(total([agent.of(cause) for agent in agents]) for cause in causes),
        total([agent.real for agent in agents]),
    ]


def _told(difference: tuple[str, str, str, str, str, Decimal]) -> str:
    """One line in plain words, such as ``a003 BTCUSDT 2024-05-03 08:00: asked 0.5, ...: -0.14``."""
    cause, agent, symbol, time, words, amount = difference
    loud = "NOT EXPLAINED: " if cause == Cause.UNEXPLAINED else ""
    return f"{agent}{f' {symbol}' if symbol else ''} {time}: {loud}{words}: {_exact(amount)}"


def _exact(amount: Decimal) -> str:
    """An amount; one that would be rounded away is told as it is."""
    rounded = money(amount, 4 if abs(amount) < 1 else 2, signed=True)
    return f"{amount.normalize():+}" if amount and not rounded.strip("+-0.,") else rounded


def _alarm(found: Sequence[DayParity]) -> str:
    parts = []
    for each in found:
        amount = sum((abs(agent.of(Cause.UNEXPLAINED)) for agent in each.agents), Decimal(0))
        if not each.explained:
            beside = f", {each.beside:f} of the account is no agent's" if each.beside else ""
            parts.append(f"{_date(each.day)}: {amount:f}{beside}")
    return f"NOT EXPLAINED: {'; '.join(parts)}. Paper and backtest differ for a reason that is not in the journal."


def _json(each: DayParity) -> dict[str, object]:
    return {
        "day": _date(each.day),
        "account": str(each.profit),
        "explained": each.explained,
        "agents": [
            {
                "agent": agent.agent,
                "strategy": agent.strategy,
                "replayed": str(agent.replayed),
                "causes": {cause.name.lower(): str(agent.of(cause)) for cause in _COLUMNS},
                "real": str(agent.real),
                "differences": [
                    {
                        "cause": difference.cause.name.lower(),
                        "symbol": difference.symbol,
                        "time": moment(difference.time),
                        "words": difference.words,
                        "money": str(difference.money),
                    }
                    for difference in agent.differences
                ],
            }
            for agent in each.agents
        ],
    }
