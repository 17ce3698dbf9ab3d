"""``clawd journal``: verify the journals, read them, and take them elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from clawd.cli.compiling import ready_engine
from clawd.cli.grid import Column, grid, screen
from clawd.cli.options import JournalOption, JsonOption, journal_named
from clawd.cli.settings import home
from clawd.core.account_events import AccountOpened
from clawd.core.clock import duration, iso
from clawd.core.errors import ClawdError, suggestion
from clawd.core.events import EVENTS
from clawd.execution.reconcile import reconcile
from clawd.execution.recovery import replay as replay_account
from clawd.fleet.run import code_version, journal_path, journals, replay, written_at
from clawd.reports.fills_csv import fills_csv
from clawd.store.journal import Entry, Journal, checked_rows, open_journal
from clawd.store.journal_copy import back_up, export_line, read_export

app = typer.Typer(help="Verify the journals, read them, and take them elsewhere.", no_args_is_help=True)

RunArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN", help="name of a run or an account in `clawd journal list`; the last one written to when left out"
    ),
]
#: What a run may be called where its name becomes that of a folder.
_RUN = re.compile(r"[0-9a-z][0-9a-z-]{0,63}")


@app.command()
def verify(
    run: RunArgument = None,
    journal: JournalOption = None,
    every: Annotated[bool, typer.Option("--all", help="every run and account")] = False,
    as_json: JsonOption = False,
) -> None:
    """Recompute all that a journal says and compare: the chain, the books of every bar, the venue's account."""
    if every and (run or journal) is not None:
        raise ClawdError(f"--all and {run or '--journal'} cannot both be meant")
    places: list[Path | str] = [*_journals()] if every else [_place(run, journal)]
    ready_engine()
    reports = [_verified(place) for place in places]
    if as_json:
        typer.echo(json.dumps(reports, indent=2))
        return
    for report in reports:
        if "account" in report:
            typer.echo(
                f"account {report['account']}: {report['entries']:,} entries, chain unbroken; every fact fits those "
                f"before it; {report['state']}, {report['anomalies']} anomalies, cash {report['cash']}"
            )
            continue
        typer.echo(
            f"run {report['run']}: {report['entries']:,} entries, chain unbroken; {report['bars']:,} bars, "
            f"every book adds up; agents and venue agree; equity {report['equity']}"
        )


@app.command()
def show(
    run: RunArgument = None,
    journal: JournalOption = None,
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
    with open_journal(_place(run, journal), read_only=True) as opened:
        entries = [
            entry
            for entry in opened.entries()
            if (kind is None or entry.kind == kind) and (agent is None or entry.body.get("agent") == agent)
        ]
    for entry in entries[-last:] if last else entries:
        typer.echo(json.dumps(_fields(entry)))
    if not entries:
        typer.echo("no entry fits", err=True)


@app.command()
def export(
    run: RunArgument = None,
    journal: JournalOption = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="only the fills, as comma-separated values")] = False,
) -> None:
    """Every entry as one JSON object a line: seq, ts, kind, body and hash. `clawd journal import` reads it."""
    with open_journal(_place(run, journal), read_only=True) as opened:
        if as_csv:
            for row in fills_csv(opened.entries()):
                typer.echo(row, nl=False)
            return
        head = None
        for entry in opened.entries():
            typer.echo(export_line(entry))
            head = entry
    if head is not None:
        typer.echo(f"{head.seq:,} entries, the last with hash {head.hash}", err=True)


@app.command("import")
def import_export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="what `clawd journal export` wrote")],
    journal: JournalOption = None,
) -> None:
    """Take an exported journal over into an empty one: every hash is computed anew, all of it goes in or nothing."""
    with file.open("rb") as lines:
        first = next(read_export(lines, str(file)), None)
        if first is None:
            raise ClawdError("there is no entry in this file", where=str(file))
        place = journal_named(journal) if journal is not None else _place_of(first, file)
        # Twice over the file: what is broken must not leave an empty journal behind.
        lines.seek(0)
        for _ in checked_rows(read_export(lines, str(file)), str(file)):
            pass
        lines.seek(0)
        with open_journal(place) as opened:
            opened.adopt(read_export(lines, str(file)))
            entries, digest = opened.head
            typer.echo(f"{entries:,} entries, chain unbroken, are now in {opened.where}; the last has hash {digest}")


@app.command()
def backup(
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="a file that is not there yet")],
    run: RunArgument = None,
    journal: JournalOption = None,
) -> None:
    """Copy a journal as it is now, while it is written to: a file into a file, one in PostgreSQL into an export."""
    with open_journal(_place(run, journal), read_only=True) as opened:
        entries, digest = back_up(opened, destination)
    typer.echo(f"{entries:,} entries, chain unbroken, are copied to {destination}; the last has hash {digest}")


@app.command("list")
def list_journals() -> None:
    """The runs and the accounts that have a journal, the last one written to first."""
    folder = home()
    runs, accounts = journals(folder), account_journals(folder)
    if not runs and not accounts:
        typer.echo(f"There is no journal yet ({folder}). `clawd up` makes one.")
        return
    rest = (
        Column("market", left=True, most=40),
        Column("traded", left=True),
        Column("entries"),
        Column("state", left=True, wraps=True),
    )
    console = screen()
    if runs:
        console.print(grid((Column("run", left=True), *rest), [_row(path) for path in runs], console.width))
    if accounts:
        rows = [_account_row(path) for path in accounts]
        console.print(grid((Column("account", left=True), *rest), rows, console.width))


def _fields(entry: Entry) -> dict[str, object]:
    """An entry for people who read JSON: its times in words, the open of its bar apart from when it was written."""
    body = dict(entry.body)
    bar = body.pop("time", None)
    moment = {"bar_opened": iso(bar)} if isinstance(bar, int) else {}
    return {"seq": entry.seq, "time": iso(entry.ts), "kind": entry.kind, **moment, **body}


def _row(path: Path) -> tuple[str, ...]:
    run = path.parent.name
    try:
        entries, first, last = _ends(path)
    except ClawdError as error:
        return run, "", "", "", error.what
    if first is None or last is None or first.kind != "RunStarted":
        return run, "", "", f"{entries:,}", "not begun"
    start = EVENTS["RunStarted"].model_validate(first.body).model_dump()
    market = f"{duration(start['bar'])}: {', '.join(start['symbols'])}"
    span = f"{iso(start['first'])} to {iso(last.ts)}"
    return run, market, span, f"{entries:,}", "finished" if last.kind == "RunFinished" else "goes on"


def _account_row(path: Path) -> tuple[str, ...]:
    name = path.parent.name
    try:
        entries, first, last = _ends(path)
    except ClawdError as error:
        return name, "", "", "", error.what
    if first is None or last is None or first.kind != AccountOpened.__name__:
        return name, "", "", f"{entries:,}", "not begun"
    start = AccountOpened.model_validate(first.body)
    bar = f"{duration(start.bar)}: " if start.bar else ""
    market = f"{bar}{', '.join(start.symbols)} at {start.venue}"
    return name, market, f"{iso(first.ts)} to {iso(last.ts)}", f"{entries:,}", "goes on"


def _ends(path: Path) -> tuple[int, Entry | None, Entry | None]:
    """How many entries a journal has, the first and the last."""
    with Journal.open(path, read_only=True) as journal:
        entries, _ = journal.head
        return entries, next(iter(journal.entries()), None), next(iter(journal.entries(after=entries - 1)), None)


def account_journals(folder: Path) -> list[Path]:
    """The journals of every account of a home, the one written to last first."""
    return sorted((folder / "accounts").glob("*/journal.sqlite"), key=written_at, reverse=True)


def _journals() -> list[Path]:
    folder = home()
    found = [*journals(folder), *account_journals(folder)]
    if not found:
        raise ClawdError("there is no journal yet", where=str(folder), hint="`clawd up` makes one")
    return sorted(found, key=written_at, reverse=True)


def journal_of(run: str | None, account: str | None) -> Path:
    """The journal of a run or of an account; the last one written to where neither is named.

    Raises:
        ClawdError: when there is none, or both are named.
    """
    if run is not None and account is not None:
        raise ClawdError("--run and --account cannot both be meant", hint="leave one out")
    if account is None:
        return written(run)
    folder = home()
    path, found = folder / "accounts" / account / "journal.sqlite", account_journals(folder)
    if path not in found:
        names = ", ".join(each.parent.name for each in found[:5]) or "none yet: `clawd trade` makes one"
        raise ClawdError(f"there is no account {account}", where=str(folder), hint=f"there is {names}")
    return path


def written(name: str | None) -> Path:
    """The journal of a run, or of an account where no run has the name; the last one written to where none is named.

    Raises:
        ClawdError: when there is none.
    """
    found = _journals()
    if name is None:
        return found[0]
    folder = home()
    for path in (journal_path(folder, name), folder / "accounts" / name / "journal.sqlite"):
        if path in found:
            return path
    names = ", ".join(each.parent.name for each in found[:5])
    raise ClawdError(f"there is no run {name}", where=str(folder), hint=f"there is {names}")


def _place(run: str | None, journal: str | None) -> Path | str:
    """Where the journal that was asked for lies."""
    if journal is None:
        return written(run)
    if run is not None:
        raise ClawdError(f"--journal and {run} cannot both be meant", hint="leave one out")
    return journal_named(journal)


def _verified_account(journal: Journal, entries: int) -> dict[str, object]:
    account = replay_account(journal.entries())
    return {
        "account": account.start.account,
        "entries": entries,
        "cash": f"{account.cash:.2f}",
        "state": str(account.state),
        "working_orders": sum(1 for _ in account.working()),
        "anomalies": account.anomalies,
    }


def _place_of(first: Entry, file: Path) -> Path:
    """Where the run that begins with this entry belongs."""
    run = first.body.get("run")
    if first.kind != "RunStarted" or not isinstance(run, str) or not _RUN.fullmatch(run):
        raise ClawdError("this is not the journal of a run", where=str(file), hint="--journal says where it shall lie")
    return journal_path(home(), run)


def _verified(place: Path | str) -> dict[str, object]:
    with open_journal(place, read_only=True) as journal:
        path = journal.where
        entries = journal.verify_chain()
        if not entries:
            raise ClawdError("the journal is empty: the run was stopped before it began", where=path)
        first = next(journal.entries())
        if first.kind == AccountOpened.__name__:
            return _verified_account(journal, entries)
        try:
            books, venue = replay(journal)
        except ClawdError as error:
            written_by = first.body.get("code")
            if written_by == code_version():
                raise error.at(path) from None
            raise ClawdError(
                error.what,
                where=f"{path}: {error.where}",
                hint=f"written by clawd {written_by}, this is {code_version()}",
            ) from None
    held = {symbol: size for symbol, size in venue.positions.items() if size}
    reconcile(books.net_sizes(), books.cash, books.orders, held, venue.cash, venue.orders)
    return {
        "run": place.parent.name if isinstance(place, Path) and place.is_relative_to(home()) else books.start.run,
        "entries": entries,
        "bars": books.bars,
        "equity": f"{books.equity:.2f}",
        "finished": books.finished,
    }
