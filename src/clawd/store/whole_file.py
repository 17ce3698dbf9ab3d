"""Text files that are replaced as a whole: a reader sees the one before or the one after, never half of either."""

from __future__ import annotations

import os
from pathlib import Path

from clawd.core.errors import ClawdError


def write_whole(path: Path, text: str) -> None:
    """Write a file beside its place, have it on the disk, and put it there.

    Raises:
        ClawdError: when it cannot be written; what was there before is there still.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ClawdError(f"cannot be written: {error.strerror}", where=str(path)) from None
