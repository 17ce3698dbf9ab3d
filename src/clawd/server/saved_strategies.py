"""The strategies that a person has saved, as a request names them."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from fastapi import Path

from clawd.authors.starter import starter_names
from clawd.core.errors import ClawdError, suggestion
from clawd.language.strategy import Strategy, parse_toml
from clawd.server.problem import MissingError
from clawd.server.site import Site
from clawd.store.strategies import Saved, read_saved, saved_strategies

Name = Annotated[str, Path(max_length=80, description="of a saved strategy or of the starter library")]


def saved_strategy(site: Site, name: str) -> Saved:
    """The strategy that was saved under a name.

    Raises:
        MissingError: where there is none.
    """
    try:
        saved = read_saved(site.home, name)
    except ClawdError as error:
        if error.where != "name":
            raise
        saved = None
    if saved is None:
        names = [*starter_names(), *(each.name for each in saved_strategies(site.home))]
        raise MissingError(f"there is no strategy `{name}`", where="name", hint=suggestion(name, names))
    return saved


@lru_cache(maxsize=2_000)
def parsed(text: str) -> Strategy | None:
    """What a text says; None where it is no strategy."""
    try:
        return parse_toml(text)
    except ClawdError:
        return None
