"""``clawd data``: import files into the catalog, list it, and look at the quality of bars."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from clawd.cli.formats import count
from clawd.cli.grid import SEVERITIES, Column, grid, screen
from clawd.cli.options import JsonOption
from clawd.cli.settings import home
from clawd.core.clock import duration, iso, parse_duration
from clawd.core.errors import ClawdError, suggestion
from clawd.data import catalog
from clawd.data.catalog import Entry
from clawd.data.draft import (
    SERIES_KINDS,
    Draft,
    describe,
    draft_bars,
    draft_book,
    draft_funding,
    draft_groups,
    draft_series,
)
from clawd.data.report import Report, reports

app = typer.Typer(no_args_is_help=True, help="Import bars, funding and series; list the catalog; check quality.")

_KINDS = ("bars", "funding", *SERIES_KINDS, "groups")
_NAMED = {
    "series": "such as --name vix",
    "deriv": "such as --name basis_ann",
    "model": "such as --name mu",
    "groups": "such as --name sector",
}


@dataclasses.dataclass(frozen=True)
class _Wanted:
    """What a file shall become."""

    kind: str
    name: str | None
    symbol: str | None


@app.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="CSV, .csv.gz or Parquet files", metavar="FILE")],
    kind: Annotated[
        str | None,
        typer.Option("--as", metavar="KIND", help=f"what the file holds: {', '.join(_KINDS)}; bars when left out"),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="what strategies call the series or classification")
    ] = None,
    symbol: Annotated[
        str | None,
        typer.Option(metavar="SYMBOL", help="of the instrument; the name of a file of bars tells it when left out"),
    ] = None,
    lag: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="how long after its stamp a value is published, such as 1d; or 0"),
    ] = None,
    where: Annotated[
        str | None, typer.Option(metavar="PAIRS", help='only the rows that hold these: "currency=BTC"')
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="PAIRS", help='where names do not tell: "close=Last,ts=Date"')
    ] = None,
    series: Annotated[str | None, typer.Option(metavar="NAME", help="short for --as series --name NAME")] = None,
    funding: Annotated[
        str | None, typer.Option(metavar="SYMBOL", help="short for --as funding --symbol SYMBOL")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="overwrite entries that exist")] = False,
) -> None:
    """Read and check files, then put all of them into the catalog, or none."""
    wanted = _wanted(kind, name, symbol, series, funding)
    if len(files) > 1 and (wanted.name or wanted.symbol):
        raise ClawdError(f"{len(files)} files cannot be one entry", where="--symbol or --name")
    known = None if lag is None else _lag(lag)
    if known is not None and wanted.kind in ("bars", "groups"):
        what = f"--lag says when a value is published; {wanted.kind} have none"
        raise ClawdError(what, where="--lag", hint="--as series --name NAME, if this is a series")
    named, rows = _pairs(columns, "--columns", "close=Last,ts=Date"), _pairs(where, "--where", "currency=BTC")
    drafts = [draft for file in files for draft in _drafts(file, wanted, known, named, rows)]
    catalog.store(_root(), drafts, replace=replace)
    for draft in drafts:
        typer.echo(f"imported {describe(draft)}")
        for note in draft.notes:
            typer.echo(f"  {note}")
    for note in catalog.remarks(_root(), drafts):
        typer.echo(f"  {note}")


@app.command("list")
def list_entries(as_json: JsonOption = False) -> None:
    """What the catalog holds."""
    entries = catalog.entries(_root())
    if as_json:
        typer.echo(json.dumps([_entry_fields(entry) for entry in entries], indent=2))
        return
    if not entries:
        typer.echo(f"The catalog is empty ({_root()}). `clawd data import FILE` fills it.")
        return
    columns = (
        *(Column(name, left=True) for name in ("kind", "name", "symbol", "bar", "lag")),
        Column("first", left=True, matters=3),
        Column("last", left=True),
        Column("rows", matters=2),
        Column("size", matters=1),
    )
    rows = []
    for entry in entries:
        fields = _entry_fields(entry)
        texts = [str(fields[name] or "") for name in ("kind", "name", "symbol", "bar", "lag")]
        days = ["" if time is None else iso(time)[:10] for time in (entry.first, entry.last)]
        rows.append((*texts, *days, f"{entry.rows:,}", f"{entry.size / 1_000:,.0f} kB"))
    console = screen()
    console.print(grid(columns, rows, console.width))


@app.command("check")
def check_quality(
    targets: Annotated[
        list[str] | None,
        typer.Argument(help="files, folders or symbols of the catalog; else the whole catalog", metavar="TARGET"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look for gaps, misprints, dead instruments and worse. Exits 1 where an import would refuse, else 0."""
    found = reports(targets or [], _root())
    if as_json:
        typer.echo(json.dumps([_report_fields(report) for report in found], indent=2))
    elif found:
        _print_reports(found)
    else:
        typer.echo(f"The catalog has no bars ({_root()}).")
    if any(finding.severity == "error" for report in found for finding in report.findings):
        raise typer.Exit(1)


def _root() -> Path:
    return home() / "catalog"


def _wanted(kind: str | None, name: str | None, symbol: str | None, series: str | None, funding: str | None) -> _Wanted:
    """What the options say a file is, when they say one thing."""
    if sum(option is not None for option in (kind, series, funding)) > 1:
        raise ClawdError("only one of --as, --series and --funding can be given")
    if symbol is not None and funding is not None:
        raise ClawdError("only one of --symbol and --funding can be given: both name the instrument")
    if name is not None and series is not None:
        raise ClawdError("only one of --name and --series can be given: both name the series")
    if series is not None:
        kind, name = "series", series
    elif funding is not None:
        kind, symbol = "funding", funding
    kind = "bars" if kind is None else kind
    if kind not in _KINDS:
        hint = suggestion(kind, _KINDS) or f"one of {', '.join(_KINDS)}"
        raise ClawdError(f"`{kind}` is no kind of data", where="--as", hint=hint)
    if name is None and kind in _NAMED:
        raise ClawdError(f"{kind} needs a name for strategies to call it by", where="--name", hint=_NAMED[kind])
    if name is not None and kind in ("bars", "funding"):
        raise ClawdError(f"{kind} has no name", where="--name", hint="--symbol names the instrument")
    if symbol is None and (kind == "funding" or (kind == "book" and name is None)):
        raise ClawdError(f"{kind} is of one instrument", where="--symbol", hint="such as --symbol BTCUSDT")
    if symbol is not None and kind == "groups":
        raise ClawdError("a classification is of many instruments", where="--symbol", hint="the file's rows name them")
    return _Wanted(kind, name, symbol)


def _drafts(
    file: Path, wanted: _Wanted, lag: int | None, columns: dict[str, str], where: dict[str, str]
) -> list[Draft]:
    match wanted:
        case _Wanted("bars", None, symbol):
            return [draft_bars(file, symbol, columns, where)]
        case _Wanted("funding", None, str(symbol)):
            return draft_funding(file, symbol, columns, lag=lag or 0, where=where)
        case _Wanted("groups", str(name), None):
            return [draft_groups(file, name, columns, where)]
        case _Wanted("book", None, str(symbol)):
            if columns or where:
                what = "a capture of a book is read by the names of its columns"
                raise ClawdError(what, where="--columns or --where", hint="--name imports a column as one feature")
            return draft_book(file, symbol, lag)
        case _Wanted(kind, str(name), symbol):
            return [draft_series(file, name, lag, columns, kind=kind, symbol=symbol, where=where)]
    raise AssertionError(wanted)  # `_wanted` makes no other


def _lag(text: str) -> int:
    if text == "0":
        return 0
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ClawdError(str(error), where="--lag", hint="or 0 for at once") from error


def _pairs(text: str | None, option: str, example: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in (text or "").split(",") if pair.strip()]
    for left, sign, right in pairs:
        if not sign or not left.strip() or not right.strip():
            what = f"`{left}{sign}{right}` names no column"
            raise ClawdError(what, where=option, hint=f'pairs such as {option} "{example}"')
    return {left.strip(): right.strip() for left, _, right in pairs}


def _entry_fields(entry: Entry) -> dict[str, str | int | None]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "symbol": entry.symbol,
        "bar": None if entry.bar is None else duration(entry.bar),
        "lag": None if entry.lag is None else duration(entry.lag) if entry.lag else "0",
        "first": None if entry.first is None else iso(entry.first),
        "last": None if entry.last is None else iso(entry.last),
        "rows": entry.rows,
        "bytes": entry.size,
    }


def _report_fields(report: Report) -> dict[str, object]:
    return {
        "target": report.target,
        "bar": None if report.bar is None else duration(report.bar),
        "rows": report.rows,
        "findings": [dataclasses.asdict(finding) for finding in report.findings],
    }


def _print_reports(found: list[Report]) -> None:
    console = screen()
    for report in found:
        bars = count(report.rows, "bar") if report.bar else "unreadable"
        console.print(Text(f"{report.target}: {bars}{'' if report.findings else ', nothing odd'}"), soft_wrap=True)
        lines = Table.grid(padding=(0, 2, 0, 0))
        for finding in report.findings:
            severity = Text(finding.severity, SEVERITIES[finding.severity])
            kind = finding.kind.replace("_", " ")
            lines.add_row(severity, kind, Text(finding.message).append(f"  {finding.place}", "dim"))
        if report.findings:
            console.print(Padding(lines, (0, 0, 0, 2), expand=False))
