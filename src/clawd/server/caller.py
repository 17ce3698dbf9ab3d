"""Who calls, and what he may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends
from fastapi.params import Depends as Dependency
from starlette.requests import HTTPConnection

from clawd.server.problem import ForbiddenError, SignedOutError
from clawd.store.access import NEW_LINK
from clawd.store.api_keys import Scope

__all__ = ["AsCaller", "Caller", "Scope", "caller_of", "needs"]

#: Where the door leaves the caller for the routes.
IN_SCOPE: Final = "clawd.caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or a program.

    Attributes:
        name: as it stands in the audit; a program's is ``key:`` and the name of its key.
        scopes: what it may do.
        via: the id of the session or key.
        address: from which it calls.
    """

    name: str
    scopes: frozenset[Scope]
    via: str = ""
    address: str = ""


def caller_of(connection: HTTPConnection) -> Caller:
    """Who has sent a request.

    Raises:
        SignedOutError: when nobody has shown who he is.
    """
    caller: Caller | None = connection.scope.get(IN_SCOPE)
    if caller is None:
        raise signed_out()
    return caller


def signed_out() -> SignedOutError:
    """Nobody has shown who he is."""
    return SignedOutError(
        "you are not signed in", hint=f"open the link that `clawd up` has printed; {NEW_LINK}; programs send an API key"
    )


#: For the signature of a route.
AsCaller = Annotated[Caller, Depends(caller_of)]


def needs(scope: Scope) -> Dependency:
    """For the dependencies of a route: only callers with this scope come in."""

    def check(caller: AsCaller) -> None:
        if scope not in caller.scopes:
            raise ForbiddenError(
                f"this needs the right to {scope}, which {caller.name} does not have",
                hint="make an API key with it, or sign in",
            )

    checked: Callable[[Caller], None] = check
    dependency: Dependency = Depends(checked)
    return dependency
