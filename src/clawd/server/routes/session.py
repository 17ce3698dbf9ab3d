"""Signing in and out, the sessions that are open, and the password of who asks."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field

from clawd.server.caller import AsCaller, Caller, Scope, needs, see_right, signed_out
from clawd.server.door import address_of, cookie_name
from clawd.server.milliseconds import MILLISECOND
from clawd.server.problem import ForbiddenError, MissingError, TooOftenError
from clawd.server.rates import Kind
from clawd.server.recording import record
from clawd.server.site import AtSite, Site
from clawd.store.access import SESSION_LIFETIME, Access, Session, SignInError, open_access
from clawd.store.password import LONGEST_PASSWORD, SHORTEST_PASSWORD
from clawd.store.people import Person, Role

router = APIRouter(tags=["access"])


class SignIn(BaseModel):
    """By which a session is opened: the token of a link, or a password."""

    token: str | None = Field(None, max_length=200, description="of a link that was not used yet")
    password: str | None = Field(None, max_length=LONGEST_PASSWORD)
    name: str = Field("", max_length=64, description="of the person whose password it is; empty for the owner")


class Who(BaseModel):
    """Who has asked."""

    name: str = Field(description="as it stands in the audit")
    kind: Literal["session", "key"]
    id: str = Field(description="of the session or the key")
    scopes: list[Scope] = Field(description="what he may do now")
    owner: bool = Field(description="whether it is the owner, or a key of his")
    role: Role | None = Field(description="of the person; null for the owner and for keys")
    ends: int | None = Field(description="milliseconds since 1970: then it ends, unless it is used before; null: never")
    has_password: bool = Field(description="whether who asks has one: the owner, or the person")


class OpenSession(BaseModel):
    """A browser that was let in."""

    id: str
    name: str = Field(description="of the person")
    owner: bool = Field(description="whether it is the owner's, which nobody else ends")
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

    sessions_ended: int = Field(description="all others of the same person were signed out")


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
            session, secret = access.use_password(wanted.password, address, program, now, wanted.name.strip())
        name = cookie_name(access)
        caller = Caller(session.by, session.scopes, session.id, address, session.person)
        who = _who(access, caller, session.ends)
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
    return who


@router.get("/session")
def read_session(site: AtSite, caller: AsCaller) -> Who:
    """Who has asked, and what he may do."""
    with open_access(site.home) as access:
        ends = {session.id: session.ends for session in access.sessions(site.clock.now())}
        key_ends = {key.id: key.ends for key in access.keys.all()}
        return _who(access, caller, ends.get(caller.via, key_ends.get(caller.via)))


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
    now = site.clock.now()
    with open_access(site.home) as access:
        found = next((each for each in access.sessions(now) if each.id == id), None)
        if found is not None and found.person is None and caller.person is not None:
            raise ForbiddenError("nobody but the owner ends a session of the owner's", where="id")
        session = access.end_session(id, now)
    if session is None:
        raise _no_session(id)
    facts = {"session": session.id, "name": session.by, "opened_from": session.address}
    record(site, caller, "SessionEnded", facts)
    site.announce("settings")


def _may_set_a_password(caller: AsCaller) -> None:
    """A person sets his own, whatever his role."""
    if not (caller.is_session and caller.person is not None):
        see_right(caller, Scope.ADMIN)


@router.put("/password", dependencies=[Depends(_may_set_a_password)])
def set_password(site: AtSite, caller: AsCaller, wanted: NewPassword) -> PasswordSet:
    """Set the password of who asks, and sign out all his other sessions."""
    if caller.person is not None and not caller.is_session:
        raise ForbiddenError("the key of a person sets no password", hint="sign in")
    lacking = frozenset(Scope) - caller.scopes
    if caller.person is None and lacking:  # the owner's opens a session that may do everything
        raise ForbiddenError(
            f"whoever has the password may do everything, and {caller.name} may not {min(lacking)}",
            hint="sign in, or use `clawd web password`",
        )
    now = site.clock.now()
    with open_access(site.home) as access:
        person = _person_of(access, caller)
        if person.has_password if person else access.has_password():
            _count(site, "sign-in", caller.via)
            if wanted.current is None or not access.is_password(wanted.current, person):
                command = "clawd web password" if person is None else f"clawd web people password {person.name}"
                raise ForbiddenError(
                    "this is not the password that is set",
                    where="current",
                    hint=f"`{command}` sets another without it",
                )
        if person is None:
            ended = access.set_password(wanted.password, caller.name, now, keep=caller.via)
        else:
            ended = access.people.set_password(person, wanted.password, keep=caller.via)
    record(site, caller, "PasswordSet", {"name": caller.name, "sessions_ended": ended})
    site.announce("settings")
    return PasswordSet(sessions_ended=ended)


def _secure(site: Site, request: Request) -> bool:
    """Whether the cookie is for connections with TLS alone.

    So it is behind a proxy that adds it, unless who asks has come to us without, as a browser on this machine may.
    """
    if request.url.scheme == "https" or site.public is None or not site.public.secure:
        return request.url.scheme == "https"
    return not request.headers.get("origin", "").lower().startswith("http://")


def _person_of(access: Access, caller: Caller) -> Person | None:
    """The person who asks, None for the owner."""
    if caller.person is None:
        return None
    person = next((each for each in access.people.all() if each.id == caller.person), None)
    if person is None:  # between the door and here
        raise signed_out()
    return person


def _who(access: Access, caller: Caller, ends: int | None) -> Who:
    person = _person_of(access, caller)
    return Who(
        name=caller.name,
        kind="session" if caller.is_session else "key",
        id=caller.via,
        scopes=sorted(caller.scopes),
        owner=person is None,
        role=person.role if person and caller.is_session else None,
        ends=None if ends is None else ends // MILLISECOND,
        has_password=person.has_password if person else access.has_password(),
    )


def _open(session: Session, caller: Caller) -> OpenSession:
    return OpenSession(
        id=session.id,
        name=session.by,
        owner=session.person is None,
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
