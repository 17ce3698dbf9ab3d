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
from clawd.core.errors import ClawdError
from clawd.data import catalog
from clawd.data.catalog import Draft, Entry
from clawd.data.report import Report, reports

app = typer.Typer(no_args_is_help=True, help="Import bars, funding and series; list the catalog; check quality.")


@app.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="CSV, .csv.gz or Parquet files", metavar="FILE")],
    symbol: Annotated[
        str | None, typer.Option(metavar="SYMBOL", help="of the instrument; else the file's name tells it")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="PAIRS", help='where names do not tell: "close=Last,ts=Date"')
    ] = None,
    series: Annotated[
        str | None, typer.Option(metavar="NAME", help="the file is a series of this name; it needs --lag")
    ] = None,
    lag: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="how long after its stamp a series' value is known, such as 1d; or 0"),
    ] = None,
    funding: Annotated[
        str | None, typer.Option(metavar="SYMBOL", help="the file is the funding rates of this instrument")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="overwrite entries that exist")] = False,
) -> None:
    """Read and check files, then put all of them into the catalog, or none."""
    if sum(option is not None for option in (symbol, series, funding)) > 1:
        raise ClawdError("only one of --symbol, --series and --funding can be given")
    if len(files) > 1 and (symbol or series or funding):
        raise ClawdError(f"{len(files)} files cannot be one entry", where="--symbol, --series or --funding")
    if (series is None) != (lag is None):
        hint = "how long after its stamp a value is known, such as --lag 1d, or 0 for at once"
        raise ClawdError("--series and --lag belong together", where="--lag", hint=hint)
    named = _columns(columns)
    drafts = [_draft(file, symbol, series, lag, funding, named) for file in files]
    catalog.store(_root(), drafts, replace=replace)
    for draft in drafts:
        typer.echo(f"imported {catalog.describe(draft)}")
        for note in draft.notes:
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
        *(Column(name, left=True) for name in ("kind", "symbol", "bar", "lag", "first", "last")),
        Column("rows"),
        Column("size", matters=1),
    )
    rows = []
    for entry in entries:
        fields = _entry_fields(entry)
        texts = [str(fields[name] or "") for name in ("kind", "symbol", "bar", "lag")]
        days = [iso(time)[:10] for time in (entry.first, entry.last)]
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


def _draft(
    file: Path,
    symbol: str | None,
    series: str | None,
    lag: str | None,
    funding: str | None,
    columns: dict[str, str],
) -> Draft:
    if series is not None and lag is not None:
        return catalog.draft_series(file, series, _lag(lag), columns)
    if funding is not None:
        return catalog.draft_funding(file, funding, columns)
    return catalog.draft_bars(file, symbol, columns)


def _lag(text: str) -> int:
    if text == "0":
        return 0
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ClawdError(str(error), where="--lag", hint="or 0 for at once") from error


def _columns(text: str | None) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in (text or "").split(",") if pair.strip()]
    for role, sign, name in pairs:
        if not sign or not role.strip() or not name.strip():
            hint = 'pairs such as --columns "close=Last,ts=Date"'
            raise ClawdError(f"`{role}{sign}{name}` names no column", where="--columns", hint=hint)
    return {role.strip(): name.strip() for role, _, name in pairs}


def _entry_fields(entry: Entry) -> dict[str, str | int | None]:
    return {
        "kind": entry.kind,
        "symbol": entry.symbol,
        "bar": None if entry.bar is None else duration(entry.bar),
        "lag": None if entry.lag is None else duration(entry.lag) if entry.lag else "0",
        "first": iso(entry.first),
        "last": iso(entry.last),
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
