"""``clawd``: every command, grouped by task."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from clawd import __version__
from clawd.core.errors import ClawdError

_TRADE = "Trade on paper"
_STOP = "Stop it"
_STUDY = "Write and study strategies"
_DATA = "Data"
_BOOKS = "Journal"
_APPROVALS = "Approvals"

#: Name, panel of the help, and what it does. The module of the same name, or the one that is named for several, has the
#: rest, and is imported when called.
_COMMANDS = (
    ("up", _TRADE, "Trade on paper: check the data, try every strategy, hire the best, and show it all in a browser."),
    ("trade", _TRADE, "Trade captured order books and trades on a simulated exchange, the whole way that orders take."),
    ("web", _TRADE, "The pages alone, and who may come in: links, the password, API keys."),
    ("halt", _STOP, "Let nothing be entered, in any run of this home, until `clawd resume`."),
    ("reduce", _STOP, "Let positions only become smaller, in any run of this home, until `clawd resume`."),
    ("flatten", _STOP, "Halt, cancel all, close all, and do not rest until the venue says that everything is flat."),
    ("resume", _STOP, "Let the fleet enter positions again. It asks for a word to be typed."),
    ("pause", _STOP, "Let single agents enter nothing until `clawd unpause`; all others trade on."),
    ("unpause", _STOP, "Let paused agents enter positions again."),
    ("adopt", _STOP, "Say that what no agent has done in an instrument is yours, so that agents may enter beside it."),
    ("backtest", _STUDY, "Backtest strategies on the sample market, the catalog, or a folder of bars."),
    ("sweep", _STUDY, "Backtest every combination of a strategy's parameters, on all cores or on a cluster."),
    ("research", _STUDY, "Search for strategies by evolution, judge what is found; tune the numbers of one."),
    ("strategy", _STUDY, "List, show, check and explain strategies."),
    ("evidence", _STUDY, "What was tried, how much of it is different, and what is claimed and proven."),
    ("operators", _STUDY, "Every operator of the language, with its signature and meaning."),
    ("data", _DATA, "Import bars, funding and series; list the catalog; check quality."),
    ("journal", _BOOKS, "Verify the journals, read them, and take them elsewhere."),
    ("parity", _BOOKS, "Set a day on paper against its backtest, and explain every difference in money."),
    ("approvals", _APPROVALS, "See which orders wait for approvals; approve or reject them."),
    ("keys", _APPROVALS, "Make the keys that approve orders, and say whose are trusted."),
)

_MODULES = dict.fromkeys(("halt", "reduce", "flatten", "resume"), "switches") | dict.fromkeys(
    ("pause", "unpause"), "pauses"
)


def run() -> None:
    """The console script. A mistake that a person can mend is one message on standard error and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a line with a question mark is better than no line
    try:
        code = command_line(sys.argv[1:])(prog_name="clawd", standalone_mode=False)
        sys.stdout.flush()
    except ClawdError as error:
        code = _complain(str(error))
    except typer.TyperException as error:
        code = _complain_of_usage(error)
    except BrokenPipeError:
        # Nobody reads on, and the interpreter's own last flush must not complain of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except OSError as error:
        code = _complain(": ".join(str(part) for part in (error.filename, error.strerror) if part) or str(error))
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def command_line(arguments: Sequence[str]) -> typer.Typer:
    """The commands, of which only the one that the arguments call is imported: help answers at once."""
    app = typer.Typer(
        name="clawd",
        help="Agents propose, evidence promotes, the gate disposes. Paper only: nothing here can reach a real venue.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_options)
    called = next((word for word in arguments if not word.startswith("-")), None)
    for name, panel, text in _COMMANDS:
        if name != called:
            app.command(name=name, rich_help_panel=panel, help=text)(_stand_in)
            continue
        module = importlib.import_module(f"clawd.cli.{_MODULES.get(name, name)}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name, rich_help_panel=panel, help=text)
        else:
            app.command(name=name, rich_help_panel=panel)(getattr(module, name))
    return app


def _stand_in() -> None:
    """A command that was not called."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"clawd {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    del version


def _complain_of_usage(error: typer.TyperException) -> int:
    message = error.format_message().rstrip(".")
    if not message:  # called without arguments: the help has been printed
        return 2
    context = getattr(error, "ctx", None)
    hint = f" (`{context.command_path} --help` says what can be given)" if context else ""
    return _complain(f"{message[0].lower()}{message[1:]}{hint}")


def _complain(message: str) -> int:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(Text("error: ", "bold red").append(message, "not bold default"))
    return 2
