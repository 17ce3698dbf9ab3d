"""Copies of a journal: exported as lines of JSON and read back, or backed up while it is being written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from clawd.core.errors import ClawdError
from clawd.store.entry import GENESIS, Entry
from clawd.store.journal import Journal, open_journal

_FIELDS: Final = {"seq": int, "ts": int, "kind": str, "body": dict, "hash": str}


def export_line(entry: Entry) -> str:
    """An entry as one JSON object with seq, ts, kind, body and hash, without a line feed."""
    fields = {"seq": entry.seq, "ts": entry.ts, "kind": entry.kind, "body": entry.body, "hash": entry.hash}
    # ASCII alone, so that no terminal, pipe or mail can change a letter of it.
    return json.dumps(fields, separators=(",", ":"), allow_nan=False)


def export(journal: Journal, write: Callable[[str], object]) -> tuple[int, str]:
    """Write every entry as a line of text.

    Returns:
        Seq and hash of the last.

    Raises:
        ClawdError: naming the first entry that is broken; those before it have been written.
    """
    head = (0, GENESIS)
    for entry in journal.entries():
        write(export_line(entry) + "\n")
        head = entry.seq, entry.hash
    return head


def read_export(lines: Iterable[bytes], where: str) -> Iterator[Entry]:
    """The entries of an export. Its hashes are not looked at: :meth:`Journal.adopt` does that.

    Args:
        lines: UTF-8, an entry each; empty ones are passed over.
        where: the file, for messages.

    Raises:
        ClawdError: naming the first line that is no entry.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{where}, line {number}"
        try:
            fields: Any = json.loads(line)
        except ValueError as error:
            raise ClawdError(f"this is not JSON: {error}", where=place, hint=_EXPECTED) from None
        if not isinstance(fields, dict) or any(type(fields.get(name)) is not kind for name, kind in _FIELDS.items()):
            raise ClawdError("this is not an entry of a journal", where=place, hint=_EXPECTED)
        yield Entry(**{name: fields[name] for name in _FIELDS})


def back_up(journal: Journal, destination: Path) -> tuple[int, str]:
    """Write one moment of a journal into a new file, which is verified and on the disk before it gets its name.

    Of a SQLite journal it is a journal in a file, which can be opened as it is; of one in PostgreSQL an export. A
    writer may go on meanwhile.

    Returns:
        The head of the copy: seq and hash of its last entry.

    Raises:
        ClawdError: when there is such a file already or it cannot be written, or naming the first broken entry.
    """
    if destination.exists():
        raise ClawdError("there is something here already", where=str(destination), hint="name a new file")
    part = destination.with_name(f"{destination.name}.part")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
    except OSError as error:
        raise ClawdError(error.strerror or str(error), where=str(destination.parent)) from error
    try:
        if journal.copy_to(part):
            with open_journal(part, read_only=True) as copy:
                copy.verify_chain()
                head = copy.head
        else:
            with part.open("x", encoding="utf-8", newline="\n") as file:
                head = export(journal, file.write)
        _to_disk(part)
        part.rename(destination)
        _to_disk(destination.parent)
    except OSError as error:
        raise ClawdError(error.strerror or str(error), where=str(destination)) from error
    finally:
        part.unlink(missing_ok=True)
    return head


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_EXPECTED: Final = "what `clawd journal export` writes: an object a line with seq, ts, kind, body and hash"
