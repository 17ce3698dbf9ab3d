"""Settings, as a command needs them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from clawd.core.errors import ClawdError
from clawd.core.refused_value import refused_value
from clawd.core.settings import Settings


def read_settings(**given: Any) -> Settings:
    """The settings of the environment, with those that were given in their place; None counts as not given.

    Raises:
        ClawdError: naming the first variable that is wrong.
    """
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise ClawdError(f"{refused_value(first)}, not {first['input']!r}", where=f"CLAWD_{name}") from None
    if os.environ.get("CLAWD_HOME") == "":
        raise ClawdError("no folder is named", where="CLAWD_HOME", hint="unset it for the usual place")
    if settings.home.exists() and not settings.home.is_dir():
        raise ClawdError("this is a file, not a folder", where=f"CLAWD_HOME {settings.home}")
    return settings


def home() -> Path:
    """The folder in which the catalog, the ledger and the journals lie."""
    return read_settings().home
