"""``clawd parity``: a day on paper against its backtest, every difference explained, in money."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from clawd.cli.backtest import output
from clawd.cli.compiling import ready_engine
from clawd.cli.journal import journal_of
from clawd.cli.market import read_market
from clawd.cli.options import JsonOption, read_time
from clawd.cli.parity_view import alarm, columns_of, day_json, sheet_of, show
from clawd.core.account_events import AccountOpened
from clawd.core.clock import duration, iso, utc_day
from clawd.core.errors import ClawdError, suggestion
from clawd.core.events import RunStarted
from clawd.core.panel import Panel
from clawd.data.align import fingerprint
from clawd.data.sample import SYMBOLS
from clawd.fleet.parity import parities
from clawd.fleet.parity_account import read_account_history
from clawd.fleet.parity_difference import DayParity
from clawd.fleet.parity_facts import bar_times, events_of, full_days, read_history
from clawd.fleet.parity_handover import handed_over
from clawd.reports.parity_html import parity_html
from clawd.store.journal import Journal


def parity(
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN", help="its name in `clawd journal list`; else the last one written"),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option("--account", metavar="NAME", help="an account of `clawd trade` instead of a run of `clawd up`"),
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
    path = journal_of(run, account)
    with output(html, "--html") as page:
        with Journal.open(path, read_only=True) as journal:
            if not journal.verify_chain():
                raise ClawdError("the journal is empty: the run was stopped before it began", where=str(path))
            times = bar_times(journal)
            start = next(events_of(journal))
            if not isinstance(start, RunStarted | AccountOpened) or not times:
                raise ClawdError("the run has no bar yet", where=str(path))
            days = _days(times, start.bar, day, from_, to)
            ready_engine()
            if isinstance(start, AccountOpened):
                kind, name, changed = "account", start.account, False
                found = _of_account(journal, times, days, data, agent)
            else:
                kind, name = "run", start.run
                found, changed = _of_run(journal, start, times, days, data, agent)
        sheet = sheet_of(found, f"{kind} {name}", changed=changed)
        if page is not None:
            page.write(parity_html(sheet))
    explained = all(each.explained for each in found)
    if as_json:
        report = {
            kind: name,
            "explained": explained,
            "market_changed": changed,
            "days": [day_json(each) for each in found],
        }
        typer.echo(json.dumps(report, indent=2))
    else:
        show(sheet, columns_of(found), lines)
    if not explained:
        typer.echo(alarm(found), err=True)
        raise typer.Exit(1)


def _of_run(
    journal: Journal, start: RunStarted, times: list[int], days: list[int], data: str | None, agent: str | None
) -> tuple[list[DayParity], bool]:
    """The days of a run, and whether its market has changed since."""
    panel, changed = _market(data, start)
    try:
        history = read_history(events_of(journal), times, days)
    except ClawdError as error:
        raise error.at(journal.where) from None
    only = _only(agent, sorted({name for each in history.days for name in each.openings}))
    return list(parities(history, panel, compare=data is not None, agents=only)), changed


def _of_account(
    journal: Journal, times: list[int], days: list[int], data: str | None, agent: str | None
) -> list[DayParity]:
    """The days of an account."""
    if data is not None:
        raise ClawdError(
            "the bars of an account are those in its journal", where="--data", hint="leave it out: it is for runs"
        )
    try:
        history = read_account_history(journal.entries(), times, days)
    except ClawdError as error:
        raise error.at(journal.where) from None
    return list(handed_over(history, days, agents=_only(agent, sorted(history.agents))))


def _only(agent: str | None, known: Sequence[str]) -> tuple[str, ...]:
    """The one agent that is wanted; none for all.

    Raises:
        ClawdError: when it is not one of those known.
    """
    if agent is not None and agent not in known:
        hint = suggestion(agent, known) or (f"there was {', '.join(known)}" if known else "nobody was active")
        raise ClawdError(f"agent {agent} was not active then", where="--agent", hint=hint)
    return () if agent is None else (agent,)


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
