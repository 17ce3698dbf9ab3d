"""Writing the settings of a home that are set below its environment; :mod:`clawd.core.settings` reads them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, NamedTuple

from clawd.core.errors import ClawdError
from clawd.core.settings import read_setting, read_settings_file, settings_path, settings_text
from clawd.store.database import mendable
from clawd.store.lock import take_lock


class Change(NamedTuple):
    """A setting before and after; None for one that the file does not set."""

    before: Any
    after: Any


def write_setting(home: Path, name: str, value: object, expected: Any) -> Change:
    """Set one setting in the file of a home, whole or not at all; runs that start afterwards begin under it.

    Args:
        home: whose.
        name: of the setting.
        value: as it is written; None takes it out of the file.
        expected: what the file says now, as far as whoever changes it knows.

    Raises:
        ClawdError: when the file says something else meanwhile, the value is wrong, or the file cannot be written.
    """
    path = settings_path(home)
    with mendable(path):
        home.mkdir(parents=True, exist_ok=True)
    with take_lock(path, "file of settings", wait=True):
        found = read_settings_file(path)
        before = found.get(name)
        if before != expected:
            raise ClawdError(
                f"it has been changed meanwhile, to {before}", where=name, hint="look at it again, then decide"
            )
        after = None if value is None else read_setting(name, value, "settings")
        found.pop(name, None)
        if after is not None:
            found[name] = after
        _put(path, settings_text(found))
    return Change(before, after)


def _put(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with mendable(path):
        try:
            # Whoever could write to it could set the limits.
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
