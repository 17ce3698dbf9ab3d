"""``clawd web people``: who may come in beside the owner, and what each of them may do."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from clawd.cli.grid import Column, grid, screen
from clawd.cli.options import JsonOption
from clawd.cli.password import StdinOption, new_password
from clawd.cli.recording import record_done
from clawd.cli.settings import home
from clawd.core.clock import SystemClock, iso
from clawd.server.access import owner
from clawd.store.access import open_access
from clawd.store.journal import JSON
from clawd.store.people import MEANINGS, Person, Role, role_named

people = typer.Typer(help="People who may come in, and the role of each.", invoke_without_command=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="by which the person signs in")]
_ROLES = "; ".join(f"{role} {MEANINGS[role]}" for role in Role)


@people.callback()
def list_people(context: typer.Context, as_json: JsonOption = False) -> None:
    """The people of this home: what they may do, and when they were here last."""
    if context.invoked_subcommand is not None:
        return
    with open_access(home()) as access:
        found = access.people.all()
        sessions = [session.person for session in access.sessions(SystemClock().now())]
    if as_json:
        typer.echo(json.dumps([_fields(person, sessions.count(person.id)) for person in found], indent=2))
        return
    if not found:
        typer.echo(
            f"Nobody but the owner, {owner()}, may come in. `clawd web people add NAME --role viewer` adds somebody."
        )
        return
    columns = [
        Column("name", left=True),
        Column("role", left=True),
        Column("signs in with", matters=2, left=True),
        Column("sessions", matters=1),
        Column("last here", matters=3, left=True),
    ]
    rows = [
        (
            person.name,
            _role(person),
            "a link or a password" if person.has_password else "a link",
            str(sessions.count(person.id)),
            "never" if person.seen is None else iso(person.seen),
        )
        for person in found
    ]
    console = screen()
    console.print(grid(columns, rows, console.width))


@people.command()
def add(name: NameArgument, role: Annotated[str, typer.Option("--role", metavar="ROLE", help=_ROLES)]) -> None:
    """Let a person in: with a link of `clawd web link --for NAME`, or a password once one is set."""
    wanted = role_named(role, "--role")
    with open_access(home()) as access:
        person = access.people.add(name, wanted, owner(), owner(), SystemClock().now())
    record_done("PersonAdded", {"person": person.id, "name": person.name, "role": str(wanted)})
    typer.echo(f"{person.name} is {wanted}: {MEANINGS[wanted]}")
    typer.echo(f"`clawd web link --for {person.name}` prints a link to come in by.", err=True)


@people.command("role")
def change_role(
    name: NameArgument, role: Annotated[str, typer.Argument(metavar="ROLE", help=f"one of {', '.join(Role)}")]
) -> None:
    """Give a person another role; it holds at once, open pages too."""
    wanted = role_named(role, "ROLE")
    with open_access(home()) as access:
        person = access.people.named(name)
        access.people.change_role(person, wanted)
    before: JSON = None if person.role is None else str(person.role)
    record_done("RoleChanged", {"person": person.id, "name": person.name, "before": before, "role": str(wanted)})
    typer.echo(f"{person.name} is {wanted}: {MEANINGS[wanted]}")


@people.command()
def password(name: NameArgument, from_stdin: StdinOption = False) -> None:
    """Set the password with which a person can sign in too; every session of his ends."""
    with open_access(home()) as access:
        person = access.people.named(name)
    typed = new_password(from_stdin)
    with open_access(home()) as access:
        ended = access.people.set_password(person, typed)
    record_done("PasswordSet", {"person": person.id, "name": person.name, "sessions_ended": ended})
    typer.echo(f"the password of {person.name} is set" + (f"; sessions that have ended: {ended}" if ended else ""))


@people.command()
def remove(name: NameArgument) -> None:
    """Let a person in no more: his sessions, links and keys end at once."""
    with open_access(home()) as access:
        person = access.people.named(name)
        ended, keys = access.people.remove(person)
    facts: dict[str, JSON] = {"person": person.id, "name": person.name, "sessions_ended": ended}
    record_done("PersonRemoved", {**facts, "keys_ended": list(keys)})
    typer.echo(
        f"{person.name} may not come in any more; sessions that have ended: {ended}"
        + (f"; keys: {', '.join(keys)}" if keys else "")
    )


def _role(person: Person) -> str:
    return str(person.role or ", ".join(sorted(person.scopes)) or "nothing")


def _fields(person: Person, sessions: int) -> dict[str, object]:
    return {
        "id": person.id,
        "name": person.name,
        "role": person.role,
        "scopes": sorted(person.scopes),
        "has_password": person.has_password,
        "made": iso(person.made),
        "by": person.by,
        "last_here": None if person.seen is None else iso(person.seen),
        "sessions": sessions,
    }
