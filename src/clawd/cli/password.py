"""A password that is set in a terminal: typed twice, or one line of a pipe; never an argument, which others can see."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from clawd.core.errors import ClawdError
from clawd.store.password import LONGEST_PASSWORD, check_password

StdinOption = Annotated[bool, typer.Option("--stdin", help="read it from standard input, one line")]


def new_password(from_stdin: bool) -> str:
    """The password that somebody gives.

    Raises:
        ClawdError: when he gives none, or two that differ.
    """
    return _line() if from_stdin else _typed_twice()


def _line() -> str:
    line = sys.stdin.readline(LONGEST_PASSWORD + 2).removesuffix("\n").removesuffix("\r")
    if not line:
        raise ClawdError("no password was given", where="--stdin")
    return line


def _typed_twice() -> str:
    if not sys.stdin.isatty():
        raise ClawdError("there is no terminal to ask for the password on", hint="--stdin reads it from a pipe")
    try:
        typed = getpass.getpass("New password: ")
        check_password(typed)
        if getpass.getpass("Once more: ") != typed:
            raise ClawdError("the passwords differ: nothing has changed")
    except EOFError:
        raise ClawdError("no password was given") from None
    return typed
