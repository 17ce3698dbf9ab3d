"""The journal of a run: every fact in words, and each entry as it was written."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from clawd.core.events import EVENTS
from clawd.server.caller import Scope, needs
from clawd.server.frames import FeedLine
from clawd.server.live.asked import AtFollower, OfRun
from clawd.server.live.journal_page import entries_at, line_of, lines_at
from clawd.server.problem import MissingError
from clawd.server.routes.positions import OfAgent

router = APIRouter(tags=["journal"], dependencies=[needs(Scope.READ)])


class JournalPage(BaseModel):
    """Some entries of a journal, newest first, of all that fit."""

    run: str
    total: int = Field(description="how many fit the filter, as far as the journal was read")
    head: int = Field(description="number of the last entry that was read")
    lines: list[FeedLine]
    before: int | None = Field(description="ask for those before this number to go on; null where there are no more")


class JournalEntry(BaseModel):
    """An entry as it was written."""

    run: str
    line: FeedLine
    body: dict[str, Any] = Field(description="amounts are decimal text, times UTC nanoseconds")
    hash: str = Field(description="over this entry and, through the hash before it, over all before it")
    checked: bool = Field(description="whether the hash was computed anew and is the one that is stored")


@router.get("/journal")
def list_entries(
    follower: AtFollower,
    run: OfRun = None,
    agent: OfAgent = None,
    kind: Annotated[list[str] | None, Query(max_length=60, description="such as OrderFilled")] = None,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="only entries with a smaller number")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JournalPage:
    """The entries of a journal in words, newest first."""
    unknown = next((each for each in kind or () if each not in EVENTS), None)
    if unknown is not None:
        raise MissingError(f"there is no kind of entry {unknown[:60]!r}", hint=f"such as {', '.join(list(EVENTS)[:8])}")
    with follower.tale(run) as tale:
        seqs = tale.entries_of(agent, None if kind is None else frozenset(kind))
        fitting = seqs if before is None else seqs[seqs < before]
        page = fitting[-limit:][::-1].tolist()
        names, path, head, name, total = dict(tale.names), tale.path, tale.seq, tale.run, int(seqs.size)
    more = fitting.size > len(page)
    return JournalPage(
        run=name, total=total, head=head, lines=lines_at(path, page, names), before=page[-1] if more and page else None
    )


@router.get("/journal/{seq}")
def read_entry(follower: AtFollower, seq: Annotated[int, Path(ge=1, le=2**53)], run: OfRun = None) -> JournalEntry:
    """One entry of a journal as it was written."""
    with follower.tale(run) as tale:
        path, names, name, head = tale.path, dict(tale.names), tale.run, tale.seq
    if seq > head:
        raise MissingError(f"there is no entry {seq}", where=name, hint=f"the last one that was read is {head}")
    (entry,) = entries_at(path, [seq])
    return JournalEntry(run=name, line=line_of(entry, names), body=entry.body, hash=entry.hash, checked=True)
