"""``clawd journal``: verify the journals and read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from clawd.core.clock import iso
from clawd.core.errors import ClawdError
from clawd.core.settings import Settings
from clawd.execution.reconcile import reconcile
from clawd.fleet.run import code_version, journal_path, journals, replay
from clawd.store.journal import Journal

app = typer.Typer(help="Verify the journals and read them.", no_args_is_help=True)

RunArgument = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help="the run; the last one written to when left out")
]


@app.command()
def verify(
    run: RunArgument = None,
    every: Annotated[bool, typer.Option("--all", help="every run")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Recompute everything that a journal says and compare: the chain, the books of every bar, and the venue's account."""
    paths = journals(Settings().home) if every else [_path(run)]
    reports = [_verified(path) for path in paths]
    if as_json:
        typer.echo(json.dumps(reports, indent=2))
        return
    for report in reports:
        typer.echo(
            f"run {report['run']}: {report['entries']:,} entries, chain unbroken; {report['bars']:,} bars, every book adds up; "
            f"agents and venue agree; equity {report['equity']}"
        )


@app.command()
def show(
    run: RunArgument = None,
    kind: Annotated[str | None, typer.Option("--kind", help="only entries of this kind, such as OrderFilled")] = None,
    agent: Annotated[str | None, typer.Option("--agent", help="only entries of this agent")] = None,
    last: Annotated[int, typer.Option("--last", min=0, help="only so many of the last; 0 for all")] = 20,
) -> None:
    """The entries of a journal, one JSON object a line."""
    with Journal.open(_path(run), read_only=True) as journal:
        lines = [
            json.dumps({"seq": entry.seq, "time": iso(entry.ts), "kind": entry.kind, **entry.body})
            for entry in journal.entries()
            if (kind is None or entry.kind == kind) and (agent is None or entry.body.get("agent") == agent)
        ]
    for line in lines[-last:] if last else lines:
        typer.echo(line)


@app.command("list")
def list_runs() -> None:
    """The runs that have a journal, the last one written to first."""
    for path in journals(Settings().home):
        with Journal.open(path, read_only=True) as journal:
            typer.echo(f"{path.parent.name}  {journal.head[0]:,} entries")


def _path(run: str | None) -> Path:
    home = Settings().home
    found = journals(home)
    if run is None:
        if not found:
            raise ClawdError("there is no journal yet", where=str(home), hint="`clawd up` makes one")
        return found[0]
    path = journal_path(home, run)
    if path not in found:
        names = ", ".join(each.parent.name for each in found[:5]) or "none"
        raise ClawdError(f"there is no run {run}", where=str(home), hint=f"there is {names}")
    return path


def _verified(path: Path) -> dict[str, object]:
    with Journal.open(path, read_only=True) as journal:
        entries = journal.verify_chain()
        try:
            books, venue = replay(journal)
        except ClawdError as error:
            written_by = next(journal.entries()).body.get("code")
            if written_by == code_version():
                raise
            raise ClawdError(
                error.what, where=error.where, hint=f"written by clawd {written_by}, this is {code_version()}"
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
