"""``clawd keys``: make the keys of approvers, and say which are trusted."""

from __future__ import annotations

import getpass
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from clawd.cli.options import JsonOption
from clawd.cli.settings import home, read_settings
from clawd.core.errors import ClawdError
from clawd.core.settings import Settings
from clawd.risk.approvals import Approver, policy_of
from clawd.store import keys

app = typer.Typer(help="Make the keys that approve orders, and say whose are trusted.", no_args_is_help=True)

#: Where scripts put the passphrase; on a command line others could read it.
PASSPHRASE_VARIABLE = "CLAWD_KEY_PASSPHRASE"

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="of the key: letters, digits, dots, dashes")]


@app.command()
def new(name: NameArgument) -> None:
    """Make a key pair; the private key is encrypted with a passphrase, which is asked for twice."""
    folder = home()
    keys.check_name(name)
    if keys.has_key(folder, name):
        raise ClawdError(f"there is a key {name!r}, and keys are never overwritten", hint="take another name")
    made = keys.make_key(folder, name, read_passphrase(name, twice=True))
    typer.echo(f"key {made.name}: {grouped(made.fingerprint)}")
    typer.echo(f"private, encrypted: {folder / 'keys' / name}.key")
    typer.echo(f"public: {folder / 'keys' / name}.pub")
    typer.echo(f"`clawd keys trust {name}` makes it an approver's; elsewhere, `clawd keys trust {name}.pub`.")


@app.command("list")
def list_keys(as_json: JsonOption = False) -> None:
    """The keys in this home, and the keys that may approve."""
    folder = home()
    own = [keys.public_part_of(keys.find_key(folder, name)) for name in keys.key_names(folder)]
    trusted = keys.trusted(folder)
    rows = [(approver, approver in trusted, approver in own) for approver in dict.fromkeys((*own, *trusted))]
    if as_json:
        fields = [
            {
                "name": approver.name,
                "fingerprint": approver.fingerprint,
                "public_key": approver.public_key.hex(),
                "trusted": is_trusted,
                "private_key_here": is_own,
            }
            for approver, is_trusted, is_own in rows
        ]
        typer.echo(json.dumps(fields, indent=2))
        return
    for approver, is_trusted, is_own in rows:
        state = "may approve" if is_trusted else "not trusted"
        typer.echo(f"{approver.name}: {approver.fingerprint[:16]}, {state}{', private key here' if is_own else ''}")
    if not rows:
        typer.echo("There is no key yet. `clawd keys new NAME` makes one.")


@app.command()
def show(name: NameArgument) -> None:
    """The public part of a key, as others need it to trust it."""
    folder = home()
    known = next((each for each in keys.trusted(folder) if each.name == name), None)
    if known is None or keys.has_key(folder, name):
        known = keys.public_part_of(keys.find_key(folder, name))
    typer.echo(keys.public_text(known), nl=False)


@app.command()
def trust(
    key: Annotated[str, typer.Argument(metavar="FILE|NAME", help="a public key file, or a key of this home")],
) -> None:
    """Let a key approve orders. Compare its fingerprint with what its owner sees first."""
    folder = home()
    own = keys.has_key(folder, key)
    approver = keys.public_part_of(keys.find_key(folder, key)) if own else _from_file(key)
    fresh = keys.trust(folder, approver)
    typer.echo(
        f"{approver.name} {'may now approve' if fresh else 'may approve already'}: {grouped(approver.fingerprint)}"
    )
    if fresh:
        typer.echo("What waits for approvals now was asked of others, and is not granted any more.")


@app.command()
def untrust(name: NameArgument) -> None:
    """Let a key approve nothing any more; what it has approved and was not sent is not granted."""
    settings = read_settings()
    gone = keys.untrust(settings.home, name)
    typer.echo(f"{gone.name} may not approve any more: {grouped(gone.fingerprint)}")
    warn_of_too_few(settings)


def read_passphrase(name: str, *, twice: bool = False) -> str:
    """The passphrase of a key, from the environment or from a person.

    Args:
        name: of the key.
        twice: whether it is a new one, and a slip would be a key that nobody can open.

    Raises:
        ClawdError: when there is nobody to ask, or the two differ.
    """
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise ClawdError(
            "there is no terminal to ask for the passphrase on", hint=f"{PASSPHRASE_VARIABLE} is read instead"
        )
    try:
        typed = getpass.getpass(f"Passphrase of {name}: ")
        if twice and getpass.getpass("Once more: ") != typed:
            raise ClawdError("the passphrases differ")
    except EOFError:
        raise ClawdError("no passphrase was given") from None
    return typed


def warn_of_too_few(settings: Settings) -> None:
    """Say on standard error that orders above a limit can never be approved, where that is so."""
    try:
        policy_of(settings, keys.trusted(settings.home), 1)
    except ClawdError as error:
        typer.echo(f"warning: {error}", err=True)


def grouped(fingerprint: str) -> str:
    """A fingerprint in groups of eight, to be read aloud."""
    return " ".join(fingerprint[place : place + 8] for place in range(0, len(fingerprint), 8))


def _from_file(key: str) -> Approver:
    path = Path(key)
    if not path.exists() and "/" not in key and not path.suffix:
        raise ClawdError(
            f"there is no key {key!r}", where=str(home() / "keys"), hint="a key of `clawd keys list`, or a file"
        )
    return keys.read_public_key(path)
