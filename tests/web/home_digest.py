"""What a home says, as one number: the same for as long as nothing in it has changed."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

#: When something was last used is no change of it.
_SEEN = {("session", "seen"), ("key", "seen")}


def digest(home: Path) -> dict[str, str]:
    """By file: of a database its rows, of anything else its bytes. Locks and logs of databases say nothing."""
    return {
        path.relative_to(home).as_posix(): _of(path)
        for path in sorted(home.rglob("*"))
        if path.is_file() and not path.name.endswith((".lock", "-wal", "-shm"))
    }


#: What was read of a file, and how it and its log looked then.
_read: dict[Path, tuple[object, str]] = {}


def _of(path: Path) -> str:
    looks = [
        (each.stat().st_mtime_ns, each.stat().st_size) if each.exists() else None
        for each in (path, path.with_name(path.name + "-wal"))
    ]
    known = _read.get(path)
    if known is None or known[0] != looks:
        known = looks, _rows(path) if path.suffix == ".sqlite" else hashlib.sha256(path.read_bytes()).hexdigest()
        _read[path] = known
    return known[1]


def _rows(path: Path) -> str:
    total = hashlib.sha256()
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
        for (table,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        ).fetchall():
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            kept = ", ".join(f'"{column}"' for column in columns if (table, column) not in _SEEN)
            rows = connection.execute(f'SELECT {kept} FROM "{table}"').fetchall()
            total.update("\n".join(sorted(map(repr, rows))).encode())
    return total.hexdigest()
