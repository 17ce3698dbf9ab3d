"""``clawd data``: import files into the catalog, list it, and look at the quality of bars."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clawd.core.clock import duration, iso, parse_duration
from clawd.core.errors import ClawdError
from clawd.core.settings import Settings
from clawd.data import catalog
from clawd.data.catalog import Draft, Entry
from clawd.data.report import Report, reports

app = typer.Typer(no_args_is_help=True, help="Import bars, funding and series; list the catalog; check quality.")

_COLORS = {"error": "red", "warning": "yellow", "note": "dim"}


@app.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="CSV, .csv.gz or Parquet files", metavar="FILE...")],
    symbol: Annotated[str | None, typer.Option(help="of the instrument; else the file's name tells it")] = None,
    columns: Annotated[str | None, typer.Option(help='where names do not tell: "close=Last,ts=Date"')] = None,
    series: Annotated[str | None, typer.Option(metavar="NAME", help="the file is a series of this name")] = None,
    lag: Annotated[str | None, typer.Option(help="how long after its stamp a series' value is known: 1d")] = None,
    funding: Annotated[str | None, typer.Option(metavar="SYMBOL", help="the file is its funding rates")] = None,
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
def list_entries(as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False) -> None:
    """What the catalog holds."""
    entries = catalog.entries(_root())
    if as_json:
        typer.echo(json.dumps([_entry_fields(entry) for entry in entries], indent=2))
        return
    if not entries:
        typer.echo(f"The catalog is empty ({_root()}). `clawd data import FILE` fills it.")
        return
    table = Table("kind", "symbol", "bar", "lag", "first", "last", box=box.SIMPLE)
    table.add_column("rows", justify="right")
    table.add_column("size", justify="right")
    for entry in entries:
        fields = _entry_fields(entry)
        texts = [str(fields[name] or "") for name in ("kind", "symbol", "bar", "lag")]
        days = [iso(time)[:10] for time in (entry.first, entry.last)]
        table.add_row(*texts, *days, f"{entry.rows:,}", f"{entry.size / 1_000:,.0f} kB")
    Console().print(table)


@app.command("check")
def check_quality(
    targets: Annotated[
        list[str] | None,
        typer.Argument(help="files, folders or symbols; else the whole catalog", metavar="[TARGET...]"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
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
    return Settings().home / "catalog"


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
    for report in found:
        bars = f"{report.rows:,} bars" if report.bar else "unreadable"
        typer.echo(f"{report.target}: {bars}{'' if report.findings else ', nothing odd'}")
        lines = Table(box=None, show_header=False, padding=(0, 1))
        for finding in report.findings:
            severity = Text(finding.severity, style=_COLORS[finding.severity])
            lines.add_row("", severity, finding.kind, Text(f"{finding.message} [{finding.place}]"))
        if report.findings:
            Console().print(lines)
