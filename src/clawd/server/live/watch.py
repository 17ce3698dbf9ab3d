"""Files of the home that others write: looked at now and then, so that open pages hear of what they have not done."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from clawd.server.frames import Changed

#: What a change of a file, or of what lies in a folder, means for pages.
_FILES: Final[tuple[tuple[str, tuple[Changed, ...]], ...]] = (
    ("approvals.sqlite", ("approvals",)),
    ("switchboard.sqlite", ("standing",)),
    ("ledger.sqlite", ("evidence",)),
    ("alerts.sqlite", ("alerts",)),
    ("audit.sqlite", ("audit",)),
)
_FOLDERS: Final[tuple[tuple[str, tuple[Changed, ...]], ...]] = (
    ("research", ("evidence",)),
    ("strategies", ("strategies",)),
    ("backtests", ("backtests",)),
    ("keys", ("approvals", "settings")),
)
#: Files of a folder that are looked at.
_MOST: Final = 5_000
#: Seconds between two tellings of the same: a run writes its evidence down every second.
_BETWEEN: Final = 2.0

_Stamp = tuple[tuple[str, int, int], ...]


class Watch:
    """Remembers how the files were.

    Args:
        home: the folder.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._seen: dict[str, _Stamp] | None = None
        self._pending: set[Changed] = set()
        self._said: dict[Changed, float] = {}

    def changes(self, now: float) -> list[Changed]:
        """What has changed, each word not more often than every few seconds; nothing at the first look.

        Args:
            now: seconds of a clock that only goes forward.
        """
        self._pending |= self._found()
        due = sorted(word for word in self._pending if now - self._said.get(word, -_BETWEEN) >= _BETWEEN)
        self._pending -= set(due)
        self._said |= dict.fromkeys(due, now)
        return due

    def _found(self) -> set[Changed]:
        now = {name: _of_file(self._home / name) for name, _ in _FILES}
        now |= {name: _of_folder(self._home / name) for name, _ in _FOLDERS}
        before, self._seen = self._seen, now
        if before is None:
            return set()
        return {word for name, words in _FILES + _FOLDERS if now[name] != before[name] for word in words}


def _of_file(path: Path) -> _Stamp:
    # The newest of what SQLite was told may be in its log alone; an empty log is made by whoever only reads.
    return tuple(stamp for file in (path, path.with_name(f"{path.name}-wal")) if (stamp := _stamp(file))[1])


def _of_folder(path: Path) -> _Stamp:
    found = []
    try:
        for file in path.rglob("*"):
            if not file.name.endswith(("-shm", ".lock")):
                found.append(_stamp(file))
            if len(found) >= _MOST:
                break
    except OSError:
        pass
    return tuple(sorted(found))


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        about = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), about.st_size, about.st_mtime_ns
