"""``clawd pause`` and ``unpause``: a person's hand on single agents."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from clawd.cli.recording import record_done
from clawd.cli.settings import read_settings
from clawd.cli.switches import WaitOption, WhyOption, who
from clawd.core.account_events import AgentPaused, AgentUnpaused
from clawd.core.clock import SystemClock, iso
from clawd.core.errors import ClawdError
from clawd.core.events import read_event
from clawd.fleet.roster import Member, meant, roster_of
from clawd.fleet.run import journals
from clawd.reports.fact_words import fact_words
from clawd.store.journal import JSON, Journal
from clawd.store.lock import is_locked
from clawd.store.switchboard import PAPER_FLEET, Pause, Switchboard

#: Seconds between two looks at what the run has written.
_LOOK_EVERY = 0.1

AgentsArgument = Annotated[
    list[str],
    typer.Argument(metavar="AGENT...", help="ids such as a003, or names of their strategies"),
]
AccountOption = Annotated[
    str | None,
    typer.Option("--account", metavar="NAME", help="whose agents, of `clawd trade`; the fleet's when left out"),
]


def pause(agents: AgentsArgument, account: AccountOption = None, why: WhyOption = "", wait: WaitOption = 10.0) -> None:
    """Let single agents enter nothing until `clawd unpause`; all others trade on.

    Their entries that wait are cancelled. Positions and their exits stay. It outlives restarts and days, and holds for
    whoever trades the same strategy in the next run.
    """
    _say(agents, account, why, wait, paused=True)


def unpause(
    agents: AgentsArgument, account: AccountOption = None, why: WhyOption = "", wait: WaitOption = 10.0
) -> None:
    """Let paused agents enter positions again."""
    _say(agents, account, why, wait, paused=False)


def _say(words: list[str], account: str | None, why: str, wait: float, *, paused: bool) -> None:
    home = read_settings().home
    path, desk = _journal(home, account), PAPER_FLEET if account is None else account
    with Journal.open(path, read_only=True) as journal, Switchboard.open(home) as switchboard:
        head, _ = journal.head
        members = meant(roster_of(journal.entries()), switchboard.pauses(desk), words)
        strategies = [member.strategy for member in members]
        given = switchboard.pause(desk, strategies, who(), why, SystemClock().now(), paused=paused)
        for member, each in zip(members, given, strict=True):
            typer.echo(f"{member}: {_in_words(each)}")
        which: list[JSON] = [member.agent or member.strategy for member in members]
        facts: dict[str, JSON] = {"run": path.parent.name, "agents": len(members), "which": which, "why": why}
        record_done("AgentsPaused" if paused else "AgentsUnpaused", facts)
        waited = {
            member.agent: member
            for member in members
            if member.agent is not None and not member.gone and member.paused is not paused
        }
        if not is_locked(path):
            typer.echo("nothing is running; it holds for whatever starts next")
        elif waited:
            _wait(journal, path, head, waited, wait, paused=paused)


def _journal(home: Path, account: str | None) -> Path:
    """The journal that names the agents.

    Raises:
        ClawdError: where there is none.
    """
    if account is not None:
        found = {path.parent.name: path for path in sorted(home.glob("accounts/*/journal.sqlite"))}
        if account not in found:
            raise ClawdError(
                f"there is no account {account!r}",
                where="--account",
                hint=f"one of {', '.join(found)}" if found else "`clawd trade` begins one",
            )
        return found[account]
    runs = journals(home)
    if not runs:
        raise ClawdError(
            "the fleet has not begun to trade, so it has no agents",
            where=str(home),
            hint="`clawd up` begins; the agents of an account are named with --account",
        )
    return runs[0]


def _wait(journal: Journal, path: Path, after: int, waited: dict[str, Member], wait: float, *, paused: bool) -> None:
    """Show what the run writes of the agents, until it has obeyed for each.

    Raises:
        ClawdError: where it has not, in time and before it ended.
    """
    run, kind = path.parent.name, AgentPaused if paused else AgentUnpaused
    typer.echo(f"waiting for {run}")
    names = {agent: member.name for agent, member in waited.items()}
    deadline = time.monotonic() + wait
    while True:
        last = not is_locked(path) or time.monotonic() >= deadline
        for entry in journal.entries(after):
            after = entry.seq
            if entry.kind != kind.__name__:
                continue
            event = read_event(entry.kind, entry.body)
            if waited.pop(str(entry.body["agent"]), None) is not None:
                typer.echo(f"{run}: {fact_words(event, names).text}")
        if not waited:
            return
        if last:
            raise ClawdError(
                f"no word that it has heard, within {wait:g} seconds and before it ended, of {', '.join(waited)}",
                where=run,
                hint="what was said stands; say it again to go on waiting, and look at the run",
            )
        time.sleep(_LOOK_EVERY)


def _in_words(pause: Pause) -> str:
    state = "paused" if pause.paused else "unpaused"
    return f"{state} (by {pause.by}, {iso(pause.ts)}{f': {pause.why}' if pause.why else ''})"
