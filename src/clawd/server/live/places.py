"""The journals of a home: which there are, and which of them is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from clawd.store.lock import is_locked
from clawd.store.whole_file import write_whole

Kind = Literal["bars", "account"]
_WANTED: Final = "shown.json"
_FOLDERS: Final[tuple[tuple[str, Kind], ...]] = (("runs", "bars"), ("accounts", "account"))


@dataclass(frozen=True, slots=True)
class Place:
    """A journal of a home.

    Attributes:
        run: the name of its folder, by which pages know it.
        kind: a run over bars, or an account at a venue.
        path: of the journal.
        working: whether a process is at work on it.
        written_at: when it was last written to by the clock of the disk, UTC nanoseconds.
    """

    run: str
    kind: Kind
    path: Path
    working: bool
    written_at: int


def places(home: Path) -> list[Place]:
    """The journals of a home: those that a process is at work on first, then the one written last.

    A file that comes or goes while we look is one that is not there.
    """
    found = []
    for folder, kind in _FOLDERS:
        for path in (home / folder).glob("*/journal.sqlite"):
            written_at = _written_at(path)
            if written_at is not None:
                found.append(Place(path.parent.name, kind, path, is_locked(path), written_at))
    return sorted(found, key=lambda place: (place.working, place.written_at, place.run), reverse=True)


def shown(found: Sequence[Place], wanted: str | None) -> Place | None:
    """The place that is shown: the one that a person wants while it is there, else the first."""
    named = next((place for place in found if place.run == wanted), None)
    return named or next(iter(found), None)


def read_wanted(home: Path) -> str | None:
    """The run that a person wants to be shown; None for the one that a process is at work on."""
    try:
        kept = json.loads((home / _WANTED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    run = kept.get("run") if isinstance(kept, dict) else None
    return run if isinstance(run, str) else None


def keep_wanted(home: Path, run: str | None) -> None:
    """Remember it.

    Raises:
        ClawdError: when it cannot be written.
    """
    write_whole(home / _WANTED, json.dumps({"run": run}) + "\n")


def _written_at(path: Path) -> int | None:
    # The newest entries may still stand in its write-ahead log alone; an empty one is made by whoever only reads.
    times = []
    for file in (path, path.with_name(f"{path.name}-wal")):
        try:
            about = file.stat()
        except OSError:
            continue
        if about.st_size:
            times.append(about.st_mtime_ns)
    return max(times, default=None)
