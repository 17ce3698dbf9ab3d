"""Two strategies exchange subprograms of the same type (Montana 1995: strongly typed crossover)."""

from __future__ import annotations

from random import Random

from clawd.language.mutation import child_of, places, replaced
from clawd.language.strategy import Strategy
from clawd.language.vocabulary import Vocabulary

_TRIES = 12


def crossover(
    random: Random, one: Strategy, other: Strategy, vocabulary: Vocabulary
) -> tuple[Strategy, Strategy] | None:
    """Both children of two parents.

    Each child is one parent, with its exits, bars and universe, and a subprogram of the other in the place of one of
    the same kind and unit. Both are within the bounds, and neither is the parent whose place it takes.

    Returns:
        The children, None where a few tries found none.
    """
    here = [*places(one.target)]
    there = [*places(other.target)]
    for _ in range(_TRIES):
        path, part = random.choice(here)
        fitting = [(way, each) for way, each in there if each.type == part.type and each != part and (way or path)]
        if not fitting:
            continue
        way, each = random.choice(fitting)
        first = replaced(one.target, path, each, vocabulary)
        second = replaced(other.target, way, part, vocabulary)
        if first is not None and second is not None:
            return child_of(one, first), child_of(other, second)
    return None
