"""Every combination of a strategy's parameters: the named numbers of its ``[let]`` table, each with several values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from clawd.core.errors import ClawdError, suggestion
from clawd.language.builder import build, type_of
from clawd.language.expression import LARGEST_NUMBER
from clawd.language.node import Node, literal
from clawd.language.strategy import Strategy
from clawd.language.types import POSITION

#: More than these nobody waits for, and nobody should believe the best of.
MOST_COMBINATIONS = 100_000


@dataclass(frozen=True, slots=True)
class Variant:
    """A strategy with some of its numbers replaced.

    Attributes:
        values: by the name of the parameter, as they are written.
        strategy: the strategy that has them.
    """

    values: Mapping[str, str]
    strategy: Strategy


def read_values(text: str) -> tuple[str, tuple[str, ...]]:
    """The name and the values in ``length=10,20,30`` or ``length=10:100:10``, the last one included.

    Raises:
        ClawdError: when it is neither, or a value stands twice.
    """
    name, equals, listed = text.partition("=")
    if not equals or not name.strip() or not listed.strip():
        raise ClawdError(
            f"`{text}` names no parameter and its values", hint="such as length=10,20,30 or length=10:100:10"
        )
    values: list[str] = []
    for word in listed.split(","):
        values += _range(word) if ":" in word else [literal(float(_number(word)))]
    if len(set(values)) < len(values):
        twin = next(value for value in values if values.count(value) > 1)
        raise ClawdError(f"the value {twin} stands twice", where=name.strip())
    return name.strip(), tuple(values)


def _range(text: str) -> list[str]:
    words = text.split(":")
    if len(words) != 3:
        raise ClawdError(f"`{text}` is not a range", hint="first:last:step, such as 10:100:10")
    first, last, step = map(_number, words)
    if step <= 0 or last < first:
        raise ClawdError(f"the range {text} is empty", hint="first:last:step, with the last above the first")
    if (last - first) / step >= MOST_COMBINATIONS:
        raise ClawdError(f"the range {text} has more than {MOST_COMBINATIONS:,} values")
    return [literal(float(first + index * step)) for index in range(int((last - first) / step) + 1)]


def _number(word: str) -> Decimal:
    try:
        number = Decimal(word.strip())
    except InvalidOperation:
        raise ClawdError(f"`{word.strip()}` is not a number") from None
    if not number.is_finite() or abs(number) > LARGEST_NUMBER:
        raise ClawdError(f"a number of at most {LARGEST_NUMBER:g} is needed, not {word.strip()}")
    return number


def parameter_grid(strategy: Strategy, values: Mapping[str, Sequence[str]]) -> tuple[Variant, ...]:
    """The variants of a strategy, the last parameter varying fastest.

    Args:
        strategy: one that was written with ``[let]``.
        values: those of each parameter.

    Raises:
        ClawdError: when it has no such parameter, a value does not fit, or there are too many combinations.
    """
    numbers = [name for name, text in strategy.let.items() if _is_number(text)]
    for name in values:
        if name not in numbers:
            known = f"it has {', '.join(numbers)}" if numbers else "name a number under [let] and use it in the target"
            raise ClawdError(
                f"the strategy has no parameter `{name}`", where=strategy.name, hint=suggestion(name, numbers) or known
            )
    count = math.prod(len(each) for each in values.values())
    if count > MOST_COMBINATIONS:
        raise ClawdError(f"{count:,} combinations, more than {MOST_COMBINATIONS:,}", where=strategy.name)
    return tuple(
        Variant(chosen, _with(strategy, chosen))
        for chosen in (dict(zip(values, each, strict=True)) for each in itertools.product(*values.values()))
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _with(strategy: Strategy, chosen: Mapping[str, str]) -> Strategy:
    let = {name: chosen.get(name, text) for name, text in strategy.let.items()}
    said = ", ".join(f"{name}={value}" for name, value in chosen.items())
    bindings: dict[str, Node | float] = {}
    try:
        for name, text in let.items():
            bindings[name] = build(text, bindings)
        target = build(strategy.target_text, bindings)
    except ClawdError as error:
        raise error.at(said) from None
    if not isinstance(target, Node) or target.type != POSITION:
        raise ClawdError(f"the target must be a position, this is {type_of(target)}", where=said)
    return replace(strategy, name=f"{strategy.name} ({said})", target=target, let=let)
