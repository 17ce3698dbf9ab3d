"""The starter library: classic strategies of the literature with their textbook values, one file each."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from clawd.core.errors import ClawdError, suggestion
from clawd.language.strategy import Strategy, parse_toml


@cache
def _by_file() -> dict[str, Strategy]:
    folder = files("clawd.authors").joinpath("library")
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda e: e.name)
    return {entry.name.removesuffix(".toml"): parse_toml(entry.read_text(encoding="utf-8")) for entry in found}


def starter_names() -> tuple[str, ...]:
    """The names of the library's files without their ending, sorted."""
    return tuple(_by_file())


def starter_library() -> tuple[Strategy, ...]:
    """Every strategy of the library, sorted by the name of its file."""
    return tuple(_by_file().values())


def find_starter(name: str) -> Strategy:
    """The strategy of the library with this name, or in the file of this name without its ending.

    Raises:
        ClawdError: when there is none; it suggests the closest.
    """
    wanted = name.strip().casefold()
    for stem, strategy in _by_file().items():
        if wanted in (stem, strategy.name.casefold()):
            return strategy
    hint = suggestion(wanted, starter_names()) or f"one of {', '.join(starter_names())}"
    raise ClawdError(f"the starter library has no strategy `{name}`", hint=hint)
