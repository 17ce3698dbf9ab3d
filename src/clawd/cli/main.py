"""``clawd``: every command, grouped by task."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from clawd import __version__
from clawd.core.errors import ClawdError

TRADE = "Trade on paper"
STUDY = "Write and study strategies"
DATA = "Data"
BOOKS = "Journal"

app = typer.Typer(
    name="clawd",
    help="Agents propose, evidence promotes, the gate disposes. Paper only: nothing here can reach a real venue.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"clawd {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    del version


def _register() -> None:
    from clawd.cli import backtest, data, journal, operators, strategy, up  # noqa: PLC0415  (start-up time)

    app.command(name="up", rich_help_panel=TRADE)(up.up)
    app.command(name="backtest", rich_help_panel=STUDY)(backtest.backtest)
    app.add_typer(strategy.app, name="strategy", rich_help_panel=STUDY)
    app.command(name="operators", rich_help_panel=STUDY)(operators.operators)
    app.add_typer(data.app, name="data", rich_help_panel=DATA)
    app.add_typer(journal.app, name="journal", rich_help_panel=BOOKS)


def run() -> None:
    """The console script. A mistake that a person can mend is one message on standard error and exit code 2."""
    _register()
    try:
        app()
    except ClawdError as error:
        _complain(str(error))
        sys.exit(2)
    except ValidationError as error:
        first = error.errors()[0]
        name = "CLAWD_" + "_".join(str(part) for part in first["loc"]).upper()
        _complain(f"{name}: {first['msg'].lower()}, it was {first['input']!r}")
        sys.exit(2)
    except KeyboardInterrupt:
        _complain("stopped; nothing is half done")
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


def _complain(message: str) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"[bold red]error:[/] ", end="")
    Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(message)


if __name__ == "__main__":
    run()
