"""``clawd evidence``: what was tried, how much of it is different, what was claimed, and how far its proof has come."""

from __future__ import annotations

import json

import typer

from clawd.cli.evidence_show import show
from clawd.cli.evidence_view import show_overview
from clawd.cli.options import JsonOption
from clawd.cli.settings import home
from clawd.research.overview import overview_json, read_overview
from clawd.store.ledger_file import ledger_path

app = typer.Typer(help="What was tried, how much of it is different, and what is claimed and proven.")
app.command()(show)


@app.callback(invoke_without_command=True)
def evidence(context: typer.Context, as_json: JsonOption = False) -> None:
    """What was tried, how much of it is different, and what is claimed and proven."""
    if context.invoked_subcommand is not None:
        return
    overview = read_overview(ledger_path(home()))
    if as_json:
        typer.echo(json.dumps(overview_json(overview), indent=2))
    else:
        show_overview(overview)
