"""``clawd journal``: verify the journals and read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from clawd.cli.compiling import ready_engine
from clawd.cli.grid import Column, grid, screen
from clawd.cli.options import JsonOption
from clawd.cli.settings import home
from clawd.core.clock import duration, iso
from clawd.core.errors import ClawdError, suggestion
from clawd.core.events import EVENTS
from clawd.execution.reconcile import reconcile
from clawd.fleet.run import code_version, journal_path, journals, replay
from clawd.store.journal import Entry, Journal

app = typer.Typer(help="Verify the journals and read them.", no_args_is_help=True)

RunArgument = Annotated[
    str | None,
    typer.Argument(metavar="RUN", help="its name in `clawd journal list`; the last one written to when left out"),
]


@app.command()
def verify(
    run: RunArgument = None,
    every: Annotated[bool, typer.Option("--all", help="every run")] = False,
    as_json: JsonOption = False,
) -> None:
    """Recompute all that a journal says and compare: the chain, the books of every bar, the venue's account."""
    if every and run is not None:
        raise ClawdError(f"--all and {run} cannot both be meant")
    paths = _journals() if every else [written(run)]
    ready_engine()
    reports = [_verified(path) for path in paths]
    if as_json:
        typer.echo(json.dumps(reports, indent=2))
        return
    for report in reports:
        typer.echo(
            f"run {report['run']}: {report['entries']:,} entries, chain unbroken; {report['bars']:,} bars, "
            f"every book adds up; agents and venue agree; equity {report['equity']}"
        )


@app.command()
def show(
    run: RunArgument = None,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="only entries of this kind, such as OrderFilled")
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="AGENT", help="only entries of this agent, such as a001")
    ] = None,
    last: Annotated[int, typer.Option("--last", min=0, help="only so many of the last; 0 for all")] = 20,
) -> None:
    """The entries of a journal, one JSON object a line."""
    if kind is not None and kind not in EVENTS:
        hint = suggestion(kind, EVENTS) or f"one of {', '.join(EVENTS)}"
        raise ClawdError(f"there is no kind of entry `{kind}`", where="--kind", hint=hint)
    with Journal.open(written(run), read_only=True) as journal:
        entries = [
            entry
            for entry in journal.entries()
            if (kind is None or entry.kind == kind) and (agent is None or entry.body.get("agent") == agent)
        ]
    for entry in entries[-last:] if last else entries:
        typer.echo(json.dumps(_fields(entry)))
    if not entries:
        typer.echo("no entry fits", err=True)


@app.command("list")
def list_runs() -> None:
    """The runs that have a journal, the last one written to first."""
    folder = home()
    found = journals(folder)
    if not found:
        typer.echo(f"There is no journal yet ({folder}). `clawd up` makes one.")
        return
    columns = (
        Column("run", left=True),
        Column("market", left=True, most=40),
        Column("traded", left=True),
        Column("entries"),
        Column("state", left=True, wraps=True),
    )
    console = screen()
    console.print(grid(columns, [_row(path) for path in found], console.width))


def _fields(entry: Entry) -> dict[str, object]:
    """An entry for people who read JSON: its times in words, the open of its bar apart from when it was written."""
    body = dict(entry.body)
    bar = body.pop("time", None)
    moment = {"bar_opened": iso(bar)} if isinstance(bar, int) else {}
    return {"seq": entry.seq, "time": iso(entry.ts), "kind": entry.kind, **moment, **body}


def _row(path: Path) -> tuple[str, ...]:
    run = path.parent.name
    try:
        with Journal.open(path, read_only=True) as journal:
            entries, _ = journal.head
            first = next(iter(journal.entries()), None)
            last = next(iter(journal.entries(after=entries - 1)), None)
    except ClawdError as error:
        return run, "", "", "", error.what
    if first is None or last is None or first.kind != "RunStarted":
        return run, "", "", f"{entries:,}", "not begun"
    start = EVENTS["RunStarted"].model_validate(first.body).model_dump()
    market = f"{duration(start['bar'])}: {', '.join(start['symbols'])}"
    span = f"{iso(start['first'])} to {iso(last.ts)}"
    return run, market, span, f"{entries:,}", "finished" if last.kind == "RunFinished" else "goes on"


def _journals() -> list[Path]:
    folder = home()
    found = journals(folder)
    if not found:
        raise ClawdError("there is no journal yet", where=str(folder), hint="`clawd up` makes one")
    return found


def written(run: str | None) -> Path:
    """The journal of a run; of the last one written to where none is named.

    Raises:
        ClawdError: when there is none.
    """
    found = _journals()
    if run is None:
        return found[0]
    folder = home()
    path = journal_path(folder, run)
    if path not in found:
        names = ", ".join(each.parent.name for each in found[:5])
        raise ClawdError(f"there is no run {run}", where=str(folder), hint=f"there is {names}")
    return path


def _verified(path: Path) -> dict[str, object]:
    with Journal.open(path, read_only=True) as journal:
        entries = journal.verify_chain()
        if not entries:
            raise ClawdError("the journal is empty: the run was stopped before it began", where=str(path))
        try:
            books, venue = replay(journal)
        except ClawdError as error:
            written_by = next(journal.entries()).body.get("code")
            if written_by == code_version():
                raise error.at(str(path)) from None
            raise ClawdError(
                error.what,
                where=f"{path}: {error.where}",
                hint=f"written by clawd {written_by}, this is {code_version()}",
            ) from None
    held = {symbol: size for symbol, size in venue.positions.items() if size}
    reconcile(books.net_sizes(), books.cash, books.orders, held, venue.cash, venue.orders)
    return {
        "run": path.parent.name,
        "entries": entries,
        "bars": books.bars,
        "equity": f"{books.equity:.2f}",
        "finished": books.finished,
    }
