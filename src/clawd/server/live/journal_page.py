"""Entries of a journal by their numbers, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from clawd.core.errors import ClawdError
from clawd.core.events import read_event
from clawd.reports.fact_words import fact_words
from clawd.server.frames import FeedLine
from clawd.server.milliseconds import milliseconds
from clawd.store.journal import Entry, open_journal


def entries_at(path: Path, seqs: Iterable[int]) -> list[Entry]:
    """The entries of a journal with these numbers, in their order; each hash is computed anew.

    Raises:
        ClawdError: when one is broken or missing, or the journal cannot be read.
    """
    found = []
    with open_journal(path, read_only=True) as journal:
        for seq in seqs:
            entry = journal.entry(seq)
            if entry is None:
                raise ClawdError(f"entry {seq} is not there any more", where=str(path))
            found.append(entry)
    return found


def line_of(entry: Entry, names: Mapping[str, str]) -> FeedLine:
    """An entry in words; one that this version does not know by its kind alone.

    Args:
        entry: of a journal.
        names: of the agents' strategies, by agent.
    """
    agent = entry.body.get("agent")
    try:
        words = fact_words(read_event(entry.kind, entry.body), names)
        text, tone = words.text, words.tone
    except (KeyError, ValidationError):
        text, tone = entry.kind, "warn"
    return FeedLine(
        seq=entry.seq,
        time=milliseconds(entry.ts),
        kind=entry.kind,
        agent=agent if isinstance(agent, str) else None,
        text=text,
        tone=tone,
    )


def lines_at(path: Path, seqs: Sequence[int], names: Mapping[str, str]) -> list[FeedLine]:
    """The same as lines."""
    return [line_of(entry, names) for entry in entries_at(path, seqs)]
