"""API keys: made, listed and revoked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from clawd.server.caller import AsCaller, Scope, needs
from clawd.server.milliseconds import MILLISECOND
from clawd.server.problem import ForbiddenError, MissingError
from clawd.server.recording import record
from clawd.server.site import AtSite
from clawd.store.access import open_access
from clawd.store.api_keys import LONGEST_KEY, Key

router = APIRouter(tags=["access"], dependencies=[needs(Scope.ADMIN)])


class ApiKey(BaseModel):
    """A key as it is known; what opens the door is not kept. Times are milliseconds since 1970."""

    id: str
    name: str
    scopes: list[Scope]
    made: int
    ends: int | None = Field(description="null: never")
    seen: int | None = Field(description="when it was last used, to the minute; null: never")
    ended: bool


class NewKey(BaseModel):
    """A key to be made."""

    name: str = Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$")
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope), description="what it may do; none implies another")
    days: int | None = Field(None, ge=1, le=LONGEST_KEY, description="after which it ends; null: never")


class MadeKey(BaseModel):
    """A key that was made."""

    key: ApiKey
    secret: str = Field(description="to be sent as `Authorization: Bearer …`; it is shown this once")


@router.get("/keys")
def list_keys(site: AtSite) -> list[ApiKey]:
    """All keys by name, those that have ended too."""
    with open_access(site.home) as access:
        return [_known(key, site.clock.now()) for key in access.keys.all()]


@router.post("/keys", status_code=201)
def make_key(site: AtSite, caller: AsCaller, wanted: NewKey) -> MadeKey:
    """Make a key; nobody gives it a right that he does not have himself."""
    scopes = frozenset(wanted.scopes)
    if not scopes <= caller.scopes:
        raise ForbiddenError(f"{caller.name} does not have the right to {min(scopes - caller.scopes)}", where="scopes")
    now = site.clock.now()
    with open_access(site.home) as access:
        key, secret = access.keys.new(wanted.name, scopes, wanted.days, now, caller.person)
    made = _known(key, now)
    record(
        site,
        caller,
        "KeyMade",
        {"key": key.id, "name": key.name, "scopes": [str(scope) for scope in made.scopes], "days": wanted.days},
    )
    site.announce("settings")
    return MadeKey(key=made, secret=secret)


@router.delete("/keys/{id}", status_code=204)
def revoke_key(site: AtSite, caller: AsCaller, id: Annotated[str, Path(max_length=64)]) -> None:
    """Revoke a key for ever."""
    with open_access(site.home) as access:
        key = access.keys.revoke(id)
    if key is None:
        raise MissingError(f"there is no key {id!r}", where="id")
    record(site, caller, "KeyRevoked", {"key": key.id, "name": key.name})
    site.announce("settings")


def _known(key: Key, now: int) -> ApiKey:
    return ApiKey(
        id=key.id,
        name=key.name,
        scopes=sorted(key.scopes),
        made=key.made // MILLISECOND,
        ends=None if key.ends is None else key.ends // MILLISECOND,
        seen=None if key.seen is None else key.seen // MILLISECOND,
        ended=key.ends is not None and now >= key.ends,
    )
