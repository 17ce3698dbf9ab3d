"""People: listed, let in, given a role or a link, and let in no more.

Nobody gives a right that he does not have himself, nor changes who may do more than he. The owner is in no list.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from clawd.server.access import new_link, owner
from clawd.server.caller import AsCaller, Caller, Scope, needs
from clawd.server.milliseconds import MILLISECOND
from clawd.server.problem import ConflictError, ForbiddenError
from clawd.server.recording import record
from clawd.server.site import AtSite
from clawd.store.access import TOKEN_LIFETIME, Access, open_access
from clawd.store.journal import JSON
from clawd.store.people import MEANINGS, ROLES, People, Person, Role

router = APIRouter(tags=["access"], dependencies=[needs(Scope.ADMIN)])

Name = Annotated[str, Path(max_length=64, description="of the person, whatever its case")]


class RoleMeaning(BaseModel):
    """A role, and what it allows."""

    role: Role
    meaning: str
    scopes: list[Scope]
    yours: bool = Field(description="whether who asks has all of these rights, and so may give them")


class SomePerson(BaseModel):
    """A person who may come in. Times are milliseconds since 1970."""

    id: str
    name: str
    role: Role | None = Field(description="null: rights that are no role of this version")
    scopes: list[Scope]
    has_password: bool = Field(description="whether he can sign in without a link")
    made: int
    by: str = Field(description="who has added him")
    seen: int | None = Field(description="when he was last here, to the minute; null: never")
    sessions: int = Field(description="how many are open")
    keys: list[str] = Field(description="the API keys that he has made: they end with him")
    own: bool = Field(description="whether it is who asks")
    changeable: bool = Field(description="whether who asks may change him: he may do no more than who asks")


class ListedPeople(BaseModel):
    """Who may come in beside the owner."""

    owner: str = Field(description="what the owner is called")
    people: list[SomePerson]
    roles: list[RoleMeaning]


class NewPerson(BaseModel):
    """Somebody to be let in."""

    name: str = Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$")
    role: Role


class NewRole(BaseModel):
    """What a person is to be."""

    role: Role
    before: Role | None = Field(description="what he is as you have seen it")


class PersonalLink(BaseModel):
    """A link that signs one person in, once."""

    link: str = Field(description="shown this once")
    ends: int = Field(description="milliseconds since 1970")


@router.get("/people")
def list_people(site: AtSite, caller: AsCaller) -> ListedPeople:
    """All people by name, and the roles there are."""
    with open_access(site.home) as access:
        people = _shown(access, caller, access.people.all(), site.clock.now())
    roles = [
        RoleMeaning(role=role, meaning=MEANINGS[role], scopes=sorted(scopes), yours=scopes <= caller.scopes)
        for role, scopes in ROLES.items()
    ]
    return ListedPeople(owner=owner(), people=people, roles=roles)


@router.post("/people", status_code=201)
def add_person(site: AtSite, caller: AsCaller, wanted: NewPerson) -> SomePerson:
    """Let somebody in; he signs in with a link that is made for him, and sets a password if he likes."""
    _see_giveable(caller, wanted.role)
    now = site.clock.now()
    with open_access(site.home) as access:
        person = access.people.add(wanted.name, wanted.role, caller.name, owner(), now)
        added = _one(access, caller, person.name, now)
    record(site, caller, "PersonAdded", {"person": person.id, "name": person.name, "role": str(wanted.role)})
    site.announce("settings")
    return added


@router.put("/people/{name}/role")
def change_role(site: AtSite, caller: AsCaller, name: Name, wanted: NewRole) -> SomePerson:
    """Give a person another role: it holds from his next request on, and his open pages follow within seconds."""
    _see_giveable(caller, wanted.role)
    now = site.clock.now()
    with open_access(site.home) as access:
        person = _changeable(access.people, caller, name)
        if person.role != wanted.before:
            raise ConflictError(f"{person.name} is {person.role} by now", where="before", hint="look again")
        access.people.change_role(person, wanted.role)
        changed = _one(access, caller, person.name, now)
    before = None if person.role is None else str(person.role)
    facts = {"person": person.id, "name": person.name, "before": before, "role": str(wanted.role)}
    record(site, caller, "RoleChanged", facts)
    site.announce("settings")
    return changed


@router.post("/people/{name}/link", status_code=201)
def make_link(site: AtSite, caller: AsCaller, name: Name, request: Request) -> PersonalLink:
    """Make a link that signs a person in, once, within ten minutes: whoever opens it is let in as him."""
    now = site.clock.now()
    with open_access(site.home) as access:
        person = _changeable(access.people, caller, name)
    url = site.public.origin if site.public else f"{request.url.scheme}://{request.url.netloc}"
    link = new_link(site.home, url, now, person)
    record(site, caller, "LinkMade", {"person": person.id, "name": person.name})
    return PersonalLink(link=link, ends=(now + TOKEN_LIFETIME) // MILLISECOND)


@router.delete("/people/{name}", status_code=204)
def remove_person(site: AtSite, caller: AsCaller, name: Name) -> None:
    """Let a person in no more: his sessions, links and keys end at once."""
    with open_access(site.home) as access:
        person = _changeable(access.people, caller, name)
        ended, keys = access.people.remove(person)
    facts: dict[str, JSON] = {
        "person": person.id,
        "name": person.name,
        "sessions_ended": ended,
        "keys_ended": list(keys),
    }
    record(site, caller, "PersonRemoved", facts)
    site.announce("settings")


def _see_giveable(caller: Caller, role: Role) -> None:
    lacking = ROLES[role] - caller.scopes
    if lacking:
        raise ForbiddenError(f"{caller.name} does not have the right to {min(lacking)}, which {role} has", where="role")


def _changeable(people: People, caller: Caller, name: str) -> Person:
    """The person of a name, where the caller may do whatever he may."""
    person = people.named(name)
    if not person.scopes <= caller.scopes:
        raise ForbiddenError(f"{person.name} may do more than {caller.name}, who cannot change that", where="name")
    return person


def _one(access: Access, caller: Caller, name: str, now: int) -> SomePerson:
    return _shown(access, caller, [access.people.named(name)], now)[0]


def _shown(access: Access, caller: Caller, people: list[Person], now: int) -> list[SomePerson]:
    open_now = [session.person for session in access.sessions(now)]
    keys = access.keys.all()
    return [
        SomePerson(
            id=person.id,
            name=person.name,
            role=person.role,
            scopes=sorted(person.scopes),
            has_password=person.has_password,
            made=person.made // MILLISECOND,
            by=person.by,
            seen=None if person.seen is None else person.seen // MILLISECOND,
            sessions=open_now.count(person.id),
            keys=[key.name for key in keys if key.person == person.id],
            own=person.id == caller.person,
            changeable=person.scopes <= caller.scopes,
        )
        for person in people
    ]
