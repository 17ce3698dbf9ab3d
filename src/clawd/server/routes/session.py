"""Signing in and out, the sessions that are open, and the password."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from clawd.server.caller import AsCaller, Caller, Scope, needs
from clawd.server.door import address_of, cookie_name
from clawd.server.milliseconds import MILLISECOND
from clawd.server.problem import ForbiddenError, MissingError, TooOftenError
from clawd.server.rates import Kind
from clawd.server.recording import record
from clawd.server.site import AtSite, Site
from clawd.store.access import SESSION_LIFETIME, Session, SignInError, open_access
from clawd.store.password import LONGEST_PASSWORD, SHORTEST_PASSWORD

router = APIRouter(tags=["access"])


class SignIn(BaseModel):
    """By which a session is opened: the token of a link, or the password."""

    token: str | None = Field(None, max_length=200, description="of a link that was not used yet")
    password: str | None = Field(None, max_length=LONGEST_PASSWORD)


class Who(BaseModel):
    """Who has asked."""

    name: str = Field(description="as it stands in the audit")
    kind: Literal["session", "key"]
    id: str = Field(description="of the session or the key")
    scopes: list[Scope]
    ends: int | None = Field(description="milliseconds since 1970: then it ends, unless it is used before; null: never")
    has_password: bool = Field(description="whether a password is set")


class OpenSession(BaseModel):
    """A browser that was let in."""

    id: str
    name: str = Field(description="of the person")
    means: Literal["link", "password"]
    address: str = Field(description="from which it was opened")
    program: str = Field(description="what the browser called itself")
    made: int = Field(description="milliseconds since 1970")
    seen: int = Field(description="when it was last used, to the minute, milliseconds since 1970")
    ends: int = Field(description="unless it is used before, milliseconds since 1970")
    own: bool = Field(description="whether it is the one that asks")


class NewPassword(BaseModel):
    """A password in the place of the one before."""

    password: str = Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)
    current: str | None = Field(None, max_length=LONGEST_PASSWORD, description="the one before, where one is set")


class PasswordSet(BaseModel):
    """What came of it."""

    sessions_ended: int = Field(description="all others were signed out")


@router.post("/session")
def sign_in(site: AtSite, request: Request, response: Response, wanted: SignIn) -> Who:
    """Open a session with the token of a link or with the password; the cookie of the answer shows it."""
    address, program = address_of(request), request.headers.get("user-agent", "")
    now = site.clock.now()
    if (wanted.token is None) == (wanted.password is None):
        raise SignInError("a token or a password is needed", hint="one of the two")
    with open_access(site.home) as access:
        if wanted.token is not None:
            session, secret = access.use_token(wanted.token, address, program, now)
        else:
            assert wanted.password is not None
            _count(site, "everyone", "")
            session, secret = access.use_password(wanted.password, address, program, now)
        name, has_password = cookie_name(access), access.has_password()
    caller = Caller(session.by, frozenset(Scope), session.id, address)
    record(site, caller, "SignedIn", {"means": session.means, "program": session.program})
    site.announce("settings")
    response.set_cookie(
        name,
        secret,
        max_age=SESSION_LIFETIME // (1000 * MILLISECOND),
        path="/",
        httponly=True,
        samesite="strict",
        secure=_secure(site, request),
    )
    return _who(caller, session.ends, has_password)


@router.get("/session")
def read_session(site: AtSite, caller: AsCaller) -> Who:
    """Who has asked, and what he may do."""
    with open_access(site.home) as access:
        ends = {session.id: session.ends for session in access.sessions(site.clock.now())}
        key_ends = {key.id: key.ends for key in access.keys.all()}
        return _who(caller, ends.get(caller.via, key_ends.get(caller.via)), access.has_password())


@router.delete("/session", status_code=204)
def sign_out(site: AtSite, caller: AsCaller, request: Request, response: Response) -> None:
    """End the session that asks."""
    with open_access(site.home) as access:
        session = access.end_session(caller.via, site.clock.now())
        name = cookie_name(access)
    if session is None:
        raise MissingError("an API key is no session", hint="revoke the key instead")
    record(site, caller, "SignedOut", {"session": session.id})
    site.announce("settings")
    response.delete_cookie(name, path="/", httponly=True, samesite="strict", secure=_secure(site, request))


@router.get("/sessions", dependencies=[needs(Scope.ADMIN)])
def list_sessions(site: AtSite, caller: AsCaller) -> list[OpenSession]:
    """The sessions that are open, the last used first."""
    with open_access(site.home) as access:
        return [_open(session, caller) for session in access.sessions(site.clock.now())]


@router.get("/sessions/{id}", dependencies=[needs(Scope.ADMIN)])
def read_open_session(site: AtSite, caller: AsCaller, id: Annotated[str, Path(max_length=64)]) -> OpenSession:
    """One of the sessions that are open."""
    with open_access(site.home) as access:
        found = next((each for each in access.sessions(site.clock.now()) if each.id == id), None)
    if found is None:
        raise _no_session(id)
    return _open(found, caller)


@router.delete("/sessions/{id}", status_code=204, dependencies=[needs(Scope.ADMIN)])
def end_session(site: AtSite, caller: AsCaller, id: Annotated[str, Path(max_length=64)]) -> None:
    """End a session: who holds it must sign in anew."""
    with open_access(site.home) as access:
        session = access.end_session(id, site.clock.now())
    if session is None:
        raise _no_session(id)
    record(site, caller, "SessionEnded", {"session": session.id, "opened_from": session.address})
    site.announce("settings")


@router.put("/password", dependencies=[needs(Scope.ADMIN)])
def set_password(site: AtSite, caller: AsCaller, wanted: NewPassword) -> PasswordSet:
    """Set the password, and sign out every other session."""
    lacking = frozenset(Scope) - caller.scopes
    if lacking:  # a password opens a session, which may do everything: nobody gives himself a right that he has not
        raise ForbiddenError(
            f"whoever has the password may do everything, and {caller.name} may not {min(lacking)}",
            hint="sign in, or use `clawd web password`",
        )
    now = site.clock.now()
    with open_access(site.home) as access:
        if access.has_password():
            _count(site, "sign-in", caller.via)
            if wanted.current is None or not access.is_password(wanted.current):
                raise ForbiddenError(
                    "this is not the password that is set",
                    where="current",
                    hint="`clawd web password` sets another without it",
                )
        ended = access.set_password(wanted.password, caller.name, now, keep=caller.via)
    record(site, caller, "PasswordSet", {"sessions_ended": ended})
    site.announce("settings")
    return PasswordSet(sessions_ended=ended)


def _secure(site: Site, request: Request) -> bool:
    """Whether the cookie is for connections with TLS alone.

    So it is behind a proxy that adds it, unless who asks has come to us without, as a browser on this machine may.
    """
    if request.url.scheme == "https" or site.public is None or not site.public.secure:
        return request.url.scheme == "https"
    return not request.headers.get("origin", "").lower().startswith("http://")


def _who(caller: Caller, ends: int | None, has_password: bool) -> Who:
    return Who(
        name=caller.name,
        kind="session" if caller.via.startswith("s-") else "key",
        id=caller.via,
        scopes=sorted(caller.scopes),
        ends=None if ends is None else ends // MILLISECOND,
        has_password=has_password,
    )


def _open(session: Session, caller: Caller) -> OpenSession:
    return OpenSession(
        id=session.id,
        name=session.by,
        means=session.means,
        address=session.address,
        program=session.program,
        made=session.made // MILLISECOND,
        seen=session.seen // MILLISECOND,
        ends=session.ends // MILLISECOND,
        own=session.id == caller.via,
    )


def _no_session(id: str) -> MissingError:
    return MissingError(f"no session {id!r} is open", where="id")


def _count(site: Site, kind: Kind, who: str) -> None:
    wait = site.rates.hit(kind, who)
    if wait is not None:
        raise TooOftenError(wait)
