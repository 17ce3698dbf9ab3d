"""What people have changed, whether the log of it is whole, and the log itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from clawd.core.errors import ClawdError
from clawd.server.audit import audit_path
from clawd.server.audit_list import NEWEST, Act, list_acts, read_place
from clawd.server.caller import Scope, needs
from clawd.server.milliseconds import MILLISECOND
from clawd.server.problem import ConflictError
from clawd.server.site import AtSite
from clawd.store.journal import CHUNK, GENESIS, open_journal
from clawd.store.journal_copy import export_line

router = APIRouter(prefix="/audit", tags=["audit"], dependencies=[needs(Scope.READ)])

_Time = Annotated[int | None, Query(ge=0, le=2**43, description="milliseconds since 1970")]


class AuditEntry(BaseModel):
    """Something that somebody has done."""

    id: str = Field(description="unlike that of any other line")
    time: int = Field(description="milliseconds since 1970")
    source: Literal["web", "command line"] = Field(
        description="web: an entry of the chain. command line: an order that stands on the switchboard alone"
    )
    number: int = Field(description="its place there, counted from 1")
    what: str = Field(description="the fact, such as StrategySaved")
    by: str = Field(description="who")
    via: str = Field(description="the session or the API key; empty for the command line")
    address: str = Field(description="from which; empty for the command line")
    facts: dict[str, Any] = Field(description="the details")
    hash: str | None = Field(description="over this entry and all before it; null where there is no chain")


class AuditPage(BaseModel):
    """A page of the list, newest first."""

    entries: list[AuditEntry]
    next: str | None = Field(
        description="the cursor of the next page, null where nothing is left; a page may be short where few fit"
    )


class Integrity(BaseModel):
    """Whether the chain is whole."""

    entries: int = Field(description="how many there are; of a broken chain, how many before the break are whole")
    head: str = Field(description="hash of the last; note it elsewhere to see later that nothing before it was changed")
    verified: bool
    broken: str | None = Field(description="the first entry that is broken, and why")


@router.get("")
def list_audit(
    site: AtSite,
    by: Annotated[str | None, Query(max_length=100, description="exactly this person or key")] = None,
    what: Annotated[str | None, Query(max_length=100, description="exactly this fact")] = None,
    since: _Time = None,
    until: _Time = None,
    text: Annotated[str | None, Query(max_length=200, description="anywhere in the line, in any case")] = None,
    cursor: Annotated[str | None, Query(max_length=64, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AuditPage:
    """What people have done, newest first: over the web face, and on the command line."""
    word = None if text is None else text.casefold()

    def wanted(act: Act) -> bool:
        return (
            (by is None or act.by == by)
            and (what is None or act.what == what)
            and (until is None or act.ts <= until * MILLISECOND)
            and (word is None or word in _line(act).casefold())
        )

    place = NEWEST if cursor is None else read_place(cursor)
    try:
        page = list_acts(site.home, wanted, limit, place, None if since is None else since * MILLISECOND)
    except ClawdError as error:
        raise ConflictError(error.what, where=error.where, hint=error.hint) from error
    return AuditPage(entries=[_entry(act) for act in page.acts], next=None if page.next is None else str(page.next))


@router.get("/integrity")
def read_audit_integrity(site: AtSite) -> Integrity:
    """Recompute every hash of the audit."""
    path = audit_path(site.home)
    if not path.exists():
        return Integrity(entries=0, head=GENESIS, verified=True, broken=None)
    # What this server has written is known to it: an end that was cut off since shows too.
    noted = None if site.audit is None else site.audit.head
    try:
        with open_journal(path, read_only=True) as journal:
            head = journal.head
            try:
                count = journal.verify_chain(noted)
            except ClawdError as error:
                return Integrity(entries=_whole(path), head=head[1], verified=False, broken=error.what)
    except ClawdError as error:
        return Integrity(entries=0, head=GENESIS, verified=False, broken=str(error))
    return Integrity(entries=count, head=head[1], verified=True, broken=None)


@router.get("/export", response_class=StreamingResponse, responses={200: {"content": {"application/x-ndjson": {}}}})
def export_audit(site: AtSite) -> StreamingResponse:
    """The audit as it stands, an entry a line with its hash: what `clawd journal import` takes and verifies."""
    return StreamingResponse(
        _lines(audit_path(site.home)),
        media_type="application/x-ndjson",
        headers={"Content-Disposition": 'attachment; filename="clawd-audit.jsonl"'},
    )


def _lines(path: Path) -> Iterator[str]:
    """The export in pieces; each is read by whichever thread sends it, so each opens the file anew."""
    after = 0
    while path.exists():
        with open_journal(path, read_only=True) as journal:
            entries = list(islice(journal.entries(after), CHUNK))
        if not entries:
            return
        yield "".join(export_line(entry) + "\n" for entry in entries)
        after = entries[-1].seq


def _whole(path: Path) -> int:
    """How many entries stand before the first that is broken."""
    count = 0
    try:
        with open_journal(path, read_only=True) as journal:
            for entry in journal.entries():
                count = entry.seq
    except ClawdError:
        pass
    return count


def _line(act: Act) -> str:
    facts = json.dumps(act.facts, ensure_ascii=False)
    return " ".join((act.what, act.by, act.via, act.address, act.source, facts))


def _entry(act: Act) -> AuditEntry:
    return AuditEntry(
        id=f"{act.source[0]}-{act.what if act.source != 'web' else 'entry'}-{act.number}",
        time=act.ts // MILLISECOND,
        source=act.source,
        number=act.number,
        what=act.what,
        by=act.by,
        via=act.via,
        address=act.address,
        facts=act.facts,
        hash=act.hash,
    )
