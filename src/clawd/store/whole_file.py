"""A text file that is there whole or not at all, whoever reads it meanwhile and whenever the writer is killed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from clawd.store.database import mendable


def write_whole(path: Path, text: str) -> None:
    """Put a text in the place of a file, in one step; its folder is made where it is missing.

    Raises:
        ClawdError: when it cannot be written.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    with mendable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with scratch.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
