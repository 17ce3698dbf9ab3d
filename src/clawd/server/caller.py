"""Who calls, and what he may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends
from fastapi.params import Depends as Dependency
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection


class Scope(StrEnum):
    """What a session or a key may do; none implies another."""

    READ = "read"
    BUILD = "build"
    DECIDE = "decide"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or a program.

    Attributes:
        name: as it stands in the audit.
        scopes: what it may do.
    """

    name: str
    scopes: frozenset[Scope]


def caller_of(connection: HTTPConnection) -> Caller:
    """Who has sent a request."""
    del connection
    return Caller("owner", frozenset(Scope))


#: For the signature of a route.
AsCaller = Annotated[Caller, Depends(caller_of)]


def needs(scope: Scope) -> Dependency:
    """For the dependencies of a route: only callers with this scope come in."""

    def check(caller: AsCaller) -> None:
        if scope not in caller.scopes:
            raise HTTPException(403, f"this needs the right to {scope}")

    checked: Callable[[Caller], None] = check
    dependency: Dependency = Depends(checked)
    return dependency
