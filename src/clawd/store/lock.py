"""An advisory lock between processes, released by the operating system when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Final, TextIO

from clawd.core.errors import ClawdError

_ATTEMPTS: Final = 5
_BETWEEN_ATTEMPTS: Final = 0.02  # seconds


def take_lock(path: Path, noun: str, *, wait: bool = False) -> TextIO:
    """Lock ``<path>.lock`` for this process, until the returned file is closed or the process ends.

    The lock file stays behind when the lock is gone: removing it would let two processes lock two different
    files. A child made by a bare ``fork`` shares the lock with its parent; one started by ``subprocess`` does
    not.

    Args:
        path: the file that is to be guarded.
        noun: what it is, for the message.
        wait: wait for the present holder instead of refusing.

    Raises:
        ClawdError: when another holds the lock and ``wait`` is false, or the lock file cannot be made.
    """
    try:
        file = path.with_name(path.name + ".lock").open("a+", encoding="ascii")
    except OSError as error:
        raise ClawdError(f"the {noun} cannot be locked: {error.strerror}", where=str(path)) from error
    try:
        _lock(file, wait)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
    except BlockingIOError:
        file.seek(0)
        holder = file.read(20).strip()
        file.close()
        raise ClawdError(
            f"another clawd process{f' (pid {holder})' if holder else ''} is writing this {noun}",
            where=str(path),
            hint="stop it first, or open the file read-only",
        ) from None
    except OSError as error:
        file.close()
        raise ClawdError(f"the {noun} cannot be locked: {error.strerror}", where=str(path)) from error
    return file


def _lock(file: TextIO, wait: bool) -> None:
    """Take the lock; who only looks whether it is taken holds it for a moment, which is no reason to refuse."""
    if wait:
        fcntl.flock(file, fcntl.LOCK_EX)
        return
    for attempt in range(_ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_BETWEEN_ATTEMPTS)
        else:
            return


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock of a file at this moment. Nothing is made or changed."""
    try:
        with path.with_name(path.name + ".lock").open(encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is no such file, or none that we may look at
        return False
    return False
