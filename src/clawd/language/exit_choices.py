"""Exits by chance: which there are, and where they lie."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from random import Random

from clawd.core.errors import ClawdError
from clawd.language.exits import Exits, read_exits
from clawd.language.vocabulary import Vocabulary

Choice = Callable[[Random, Vocabulary], object]

_MULTIPLES = (1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 8.0)
_PERCENTAGES = (2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 25.0)
#: How often a strategy by chance has each of the exits that it can do without.
_CHANCE = 0.3


def random_exits(random: Random, vocabulary: Vocabulary) -> Exits:
    """A stop always, everything else sometimes."""
    form: dict[str, object] = {"stop": _distance(random, vocabulary)}
    for key, choices in optional_exits().items():
        if random.random() < _CHANCE:
            form[key] = random.choice(choices)(random, vocabulary)
    return read_exits(form)


def changed_exits(random: Random, exits: Exits, vocabulary: Vocabulary) -> Exits | None:
    """Exits of which one is nearer or farther, gone, or new; None where chance did not hit on any that hold.

    The stop may move and never goes.
    """
    form = exits.to_json()
    change = random.random()
    optional = [key for key in form if key != "stop"]
    if optional and change < 0.2:
        gone = random.choice(optional)
        form = {key: value for key, value in form.items() if key != gone}
    elif change < 0.45:
        key = random.choice([*optional_exits()])
        form = {**form, key: random.choice(optional_exits()[key])(random, vocabulary)}
    else:
        key = random.choice([*form])
        form = {**form, key: _nudged(random, form[key], vocabulary)}
    try:
        changed = read_exits(form)
    except ClawdError:
        return None
    return changed if changed != exits else None


@cache
def optional_exits() -> Mapping[str, tuple[Choice, ...]]:
    """The ways to draw each exit that may be left out, of those that there are."""
    choices: dict[str, tuple[Choice, ...]] = {
        "trail": (_distance,),
        "chandelier": (_true_ranges,),
        "break_even": (_distance,),
        "take": (_distance, _falling, _two_targets),
        "time": (_bars,),
        "cooldown": (_bars,),
    }
    known = {key: tuple(choice for choice in ways if _is_known(key, choice)) for key, ways in choices.items()}
    return {key: ways for key, ways in known.items() if ways}


def _is_known(key: str, choice: Choice) -> bool:
    vocabulary = Vocabulary()
    try:
        read_exits({"stop": _distance(Random(0), vocabulary), key: choice(Random(0), vocabulary)})
    except ClawdError:
        return False
    return True


def _distance(random: Random, vocabulary: Vocabulary) -> dict[str, float]:
    if random.random() < 0.7:
        return _true_ranges(random, vocabulary)
    return {"percent": random.choice(_PERCENTAGES)}


def _true_ranges(random: Random, vocabulary: Vocabulary) -> dict[str, float]:
    windows = [window for window in vocabulary.windows if 5 <= window <= 60] or vocabulary.windows
    return {"atr": random.choice(_MULTIPLES), "window": random.choice(windows)}


def _falling(random: Random, vocabulary: Vocabulary) -> dict[str, float]:
    return {**_distance(random, vocabulary), "decay": random.choice(vocabulary.windows)}


def _two_targets(random: Random, vocabulary: Vocabulary) -> list[dict[str, float]]:
    share = random.choice((0.25, 0.5, 0.75))
    return [
        {**_distance(random, vocabulary), "share": share},
        {**_distance(random, vocabulary), "share": 1.0 - share},
    ]


def _bars(random: Random, vocabulary: Vocabulary) -> int:
    return random.choice(vocabulary.windows)


def _nudged(random: Random, value: object, vocabulary: Vocabulary) -> object:
    """One of the numbers of an exit, moved: bars by a step of the grid of windows, anything else by a quarter."""
    if isinstance(value, Mapping):
        key = random.choice([*value])
        return {**value, key: _nudged(random, value[key], vocabulary)}
    if isinstance(value, list | tuple) and value:
        index = random.randrange(len(value))
        return [_nudged(random, each, vocabulary) if at == index else each for at, each in enumerate(value)]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, int):
        steps = neighbours(vocabulary.windows, value)
        return int(random.choice(steps)) if steps else value
    return float(f"{value * random.choice((0.8, 1.25)):.3g}")


def neighbours(grid: Sequence[float], value: float) -> list[float]:
    """The values of a rising grid next below and next above."""
    below, above = bisect_left(grid, value), bisect_right(grid, value)
    return [*grid[max(0, below - 1) : below], *grid[above : above + 1]]
