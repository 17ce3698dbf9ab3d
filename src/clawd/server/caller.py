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

__all__ = ["AsCaller", "Caller", "Scope", "caller_of", "needs", "see_right", "signed_out"]

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
        person: the id of the person who calls or whose key it is; None for the owner and his keys.
    """

    name: str
    scopes: frozenset[Scope]
    via: str = ""
    address: str = ""
    person: str | None = None

    @property
    def is_session(self) -> bool:
        """Whether it is a browser that somebody has signed in."""
        return self.via.startswith("s-")


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


def see_right(caller: Caller, scope: Scope) -> None:
    """See that a caller has a right.

    Raises:
        ForbiddenError: when he has it not.
    """
    if scope not in caller.scopes:
        raise ForbiddenError(
            f"this needs the right to {scope}, which {caller.name} does not have",
            hint="the owner, or who may change people, can give another role"
            if caller.is_session
            else "make an API key with it, or sign in",
        )


def needs(scope: Scope) -> Dependency:
    """For the dependencies of a route: only callers with this scope come in."""

    def check(caller: AsCaller) -> None:
        see_right(caller, scope)

    checked: Callable[[Caller], None] = check
    dependency: Dependency = Depends(checked)
    return dependency
