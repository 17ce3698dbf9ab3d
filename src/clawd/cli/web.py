"""``clawd web``: the pages alone, and who may come in."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from clawd.cli.grid import Column, grid, screen
from clawd.cli.options import HostOption, JsonOption, PortOption, PublicUrlOption
from clawd.cli.password import StdinOption, new_password
from clawd.cli.recording import record_done
from clawd.cli.settings import home, read_settings
from clawd.cli.web_people import people
from clawd.core.clock import SystemClock, iso
from clawd.core.errors import ClawdError, suggestion
from clawd.server.access import new_link, owner
from clawd.server.address import LOOPBACK, published
from clawd.server.audit import is_served
from clawd.server.serving import serve as serve_pages
from clawd.store.access import open_access
from clawd.store.api_keys import Key, Scope

app = typer.Typer(
    help="The pages alone, and who may come in: links, the password, people, API keys.", no_args_is_help=True
)
keys = typer.Typer(help="API keys, which programs show.", no_args_is_help=True)
app.add_typer(keys, name="keys")
app.add_typer(people, name="people")


@app.command()
def serve(host: HostOption = LOOPBACK, port: PortOption = None, public_url: PublicUrlOption = None) -> None:
    """Show what other processes of this home do, such as `clawd trade`, and decide for them; nothing is traded here."""
    serve_pages(read_settings(), host, port, None, public_url)


@app.command()
def link(
    name: Annotated[
        str | None, typer.Option("--for", metavar="NAME", help="of `clawd web people`; else it is the owner's")
    ] = None,
) -> None:
    """Print a link to the server of this home that signs a browser in, once, within ten minutes."""
    folder = home()
    address = published(folder)
    if address is None or not is_served(folder):
        raise ClawdError("no server is at work on this home", where=str(folder), hint="`clawd up` starts one")
    person = None
    if name is not None:
        with open_access(folder) as access:
            person = access.people.named(name)
    made = new_link(folder, address.for_people, SystemClock().now(), person)
    if person is not None:
        record_done("LinkMade", {"person": person.id, "name": person.name})
    typer.echo(made)


@app.command()
def password(from_stdin: StdinOption = False) -> None:
    """Set the password with which your browser can sign in too; every session of yours ends."""
    typed = new_password(from_stdin)
    with open_access(home()) as access:
        ended = access.set_password(typed, owner(), SystemClock().now())
    record_done("PasswordSet", {"sessions_ended": ended})
    typer.echo("the password is set" + (f"; sessions that have ended: {ended}" if ended else ""))


@keys.command("list")
def list_keys(as_json: JsonOption = False) -> None:
    """The keys of this home: what they may do, and when they were used last."""
    now = SystemClock().now()
    with open_access(home()) as access:
        found = access.keys.all()
    if as_json:
        typer.echo(json.dumps([_fields(key) for key in found], indent=2))
        return
    if not found:
        typer.echo("There is no API key. `clawd web keys new NAME --scope read` makes one.")
        return
    columns = [
        Column("name", left=True),
        Column("may", left=True),
        Column("made", matters=1, left=True),
        Column("ends", matters=3, left=True),
        Column("last used", matters=2, left=True),
    ]
    rows = [
        (
            key.name,
            ", ".join(sorted(key.scopes)),
            iso(key.made),
            "never" if key.ends is None else ("ended " if now >= key.ends else "") + iso(key.ends),
            "never" if key.seen is None else iso(key.seen),
        )
        for key in found
    ]
    console = screen()
    console.print(grid(columns, rows, console.width))


@keys.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="letters, digits, dots, dashes and underscores")],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope", metavar="RIGHT", help=f"what it may do: {', '.join(Scope)}; once for each, none implies another"
        ),
    ],
    days: Annotated[int | None, typer.Option("--days", metavar="COUNT", help="after which it ends; else never")] = None,
) -> None:
    """Make a key and print it; it is shown this once."""
    unknown = next((word for word in scope if word not in set(Scope)), None)
    if unknown is not None:
        hint = suggestion(unknown, Scope) or f"one of {', '.join(Scope)}"
        raise ClawdError(f"there is no right {unknown!r}", where="--scope", hint=hint)
    with open_access(home()) as access:
        key, secret = access.keys.new(name, frozenset(Scope(word) for word in scope), days, SystemClock().now())
    record_done(
        "KeyMade", {"key": key.id, "name": key.name, "scopes": [str(each) for each in sorted(key.scopes)], "days": days}
    )
    typer.echo(secret)
    typer.echo("It is nowhere else. Programs send it as `Authorization: Bearer ...`.", err=True)


@keys.command()
def revoke(key: Annotated[str, typer.Argument(metavar="NAME|ID", help="of `clawd web keys list`")]) -> None:
    """Revoke a key for ever; what it is used for now ends within seconds."""
    with open_access(home()) as access:
        gone = access.keys.revoke(key)
        names = [each.name for each in access.keys.all()]
    if gone is None:
        hint = suggestion(key, names) or (f"there is {', '.join(names)}" if names else None)
        raise ClawdError(f"there is no API key {key!r}", hint=hint)
    record_done("KeyRevoked", {"key": gone.id, "name": gone.name})
    typer.echo(f"{gone.name} opens nothing any more")


def _fields(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "made": iso(key.made),
        "ends": None if key.ends is None else iso(key.ends),
        "last_used": None if key.seen is None else iso(key.seen),
    }
