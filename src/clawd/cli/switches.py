"""``clawd halt``, ``reduce``, ``flatten`` and ``resume``: a person's hand on everything that trades from this home."""

from __future__ import annotations

import getpass
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from clawd.cli.settings import read_settings
from clawd.core.clock import SystemClock
from clawd.core.errors import ClawdError
from clawd.store.switchboard import (
    RESUME_WORD,
    Answer,
    Command,
    Switch,
    Switchboard,
    as_state,
    in_words,
    runs_at_work,
)

#: Seconds between two looks at what the runs have answered.
_LOOK_EVERY = 0.1

WhyOption = Annotated[str, typer.Option("--why", metavar="TEXT", help="a reason, kept with the order")]
WaitOption = Annotated[
    float,
    typer.Option("--wait", metavar="SECONDS", min=0, max=86_400, help="how long to wait for the runs to answer"),
]


def halt(why: WhyOption = "", wait: WaitOption = 10.0) -> None:
    """Let nothing be entered, in any run of this home, until `clawd resume`.

    Entries that wait are cancelled. Positions and their exits stay. It outlives restarts, days and changes of the
    clock.
    """
    _order(Switch.HALT, why, wait)


def reduce(why: WhyOption = "", wait: WaitOption = 10.0) -> None:
    """Let positions only become smaller, in any run of this home, until `clawd resume`."""
    _order(Switch.REDUCE, why, wait)


def flatten(why: WhyOption = "", wait: WaitOption = 60.0) -> None:
    """Halt, cancel all, close all, and do not rest until the venue says that everything is flat."""
    _order(Switch.FLATTEN, why, wait)


def resume(why: WhyOption = "", wait: WaitOption = 10.0) -> None:
    """Let the fleet enter positions again. It asks for a word to be typed."""
    with Switchboard.open(read_settings().home) as switchboard:
        standing = switchboard.standing()
    if standing.switch is Switch.RESUME:
        typer.echo("nothing is halted")
        return
    typer.echo(in_words(standing))
    typer.echo(f"Type {RESUME_WORD} to let the fleet enter positions again: ", nl=False)
    typed = sys.stdin.readline()
    if not sys.stdin.isatty():
        typer.echo()
    if typed.strip() != RESUME_WORD:
        raise ClawdError(f"that was not {RESUME_WORD}: nothing has changed", where="resume")
    _order(Switch.RESUME, why, wait)


def _order(switch: Switch, why: str, wait: float) -> None:
    home, clock = read_settings().home, SystemClock()
    with Switchboard.open(home) as switchboard:
        command = switchboard.give(switch, who(), why, clock.now())
        typer.echo(in_words(command))
        at_work = runs_at_work(home)
        if not at_work:
            typer.echo(f"nothing is running; whatever starts next begins {as_state(switch)}")
            return
        typer.echo(f"waiting for {', '.join(at_work)}")
        unanswered = _wait(switchboard, command, home, at_work, wait)
    if unanswered:
        raise ClawdError(
            f"no word that it is done, within {wait:g} seconds and before the run ended, from {', '.join(unanswered)}",
            where=str(switch),
            hint="the order stands; give it again to go on waiting, and look at the run",
        )


def _wait(switchboard: Switchboard, command: Command, home: Path, at_work: list[str], wait: float) -> list[str]:
    """Show the answers as they come; the runs that did not say that they are done, in time and before they ended."""
    shown: list[Answer] = []
    deadline = time.monotonic() + wait
    while True:
        answers = list(switchboard.answers(command))
        for answer in answers[len(shown) :]:
            typer.echo(f"{answer.run}: {answer.text}")
        shown = answers
        done = {answer.run for answer in shown if answer.done}
        left = [run for run in at_work if run not in done]
        if not set(left) & set(runs_at_work(home)) or time.monotonic() >= deadline:
            return left
        time.sleep(_LOOK_EVERY)


def who() -> str:
    """The name of the person at the keyboard."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number that has no name
        return "somebody"
