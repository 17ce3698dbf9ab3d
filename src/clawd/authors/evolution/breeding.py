"""One new strategy from old ones, by an operator of a name: those of the language, and some that know the market."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from clawd.authors.evolution.archive import Member
from clawd.core.errors import ClawdError
from clawd.language.assembly import admits, assemble
from clawd.language.canonical import make
from clawd.language.crossover import crossover
from clawd.language.exits import Exits, read_exits
from clawd.language.grow import random_strategy
from clawd.language.mutation import MUTATIONS, child_of, mutate, places, replaced, within
from clawd.language.node import Node, ParameterValue, walk
from clawd.language.operators import OPERATORS
from clawd.language.strategy import Strategy
from clawd.language.types import Parameter
from clawd.language.vocabulary import Vocabulary

#: Every way to make a strategy: the mutations of the language, and
#: ``crossover`` with another member; ``finer``, a number between those of the grids; ``universe``, the same program on
#: other instruments; ``calm``, the same program traded less; ``fresh``, a random program that owes nothing to anybody.
OPERATORS_OF_BREEDING: Final = (*MUTATIONS, "crossover", "finer", "universe", "calm", "fresh")

#: Standard deviation of the logarithm by which ``finer`` moves a number.
_FINE: Final = 0.2
_CALM: Final[Sequence[tuple[str, Sequence[ParameterValue]]]] = (
    ("smooth", (2, 3, 5, 10, 20)),
    ("min_hold", (2, 3, 5, 10, 20)),
    ("rebalance", (2, 3, 5, 10, 20)),
    ("no_trade_band", (0.02, 0.05, 0.1, 0.2, 0.5)),
)
#: Positions whose sizes add up over the instruments already.
_SHARED: Final = frozenset({"xs_portfolio", "share_by", "spread_position"})
_MODIFIERS: Final = frozenset({"gate", "smooth", "min_hold", "rebalance", "no_trade_band", "scale_to_vol"})


def far_exits() -> Exits:
    """A stop far away, and back in after five bars: a signal is judged before its exits are."""
    return read_exits({"stop": {"percent": 25}, "cooldown": 5})


def bred(
    random: Random,
    operator: str,
    parent: Member | None,
    mate: Member | None,
    vocabulary: Vocabulary,
    symbols: Sequence[str],
) -> Strategy | None:
    """A child of a parent (of a parent and its mate, of nobody) by an operator; None where chance found none."""
    if operator == "fresh" or parent is None:
        return fresh(random, vocabulary, symbols)
    one = parent.strategy
    if operator == "crossover":
        pair = crossover(random, one, mate.strategy, vocabulary) if mate is not None else None
        child = pair[0] if pair else None
    elif operator == "finer":
        child = _finer(random, one, vocabulary)
    elif operator == "universe":
        child = _elsewhere(random, one, vocabulary, symbols)
    elif operator == "calm":
        child = _calmer(random, one, vocabulary)
    else:
        child = mutate(random, one, vocabulary, operator)
    return child if child is not None and _fits(child) else None


def fresh(random: Random, vocabulary: Vocabulary, symbols: Sequence[str]) -> Strategy | None:
    """A random strategy. In a market of several instruments its capital is shared among those it holds."""
    strategy = random_strategy(random, vocabulary)
    if strategy is None:
        return None
    if random.random() < 0.5:
        strategy = replace(strategy, exits=far_exits())
    return shared(strategy, vocabulary) if len(symbols) > 1 else strategy


def shared(strategy: Strategy, vocabulary: Vocabulary) -> Strategy:
    """The strategy with the capital shared among the instruments that it holds, where it was not."""
    if _is_shared(strategy.target):
        return strategy
    target = make("share_by", (strategy.target, make("const", (), (1.0,))))
    return child_of(strategy, target) if within(target, vocabulary) else strategy


def _is_shared(position: Node) -> bool:
    while position.operator in _MODIFIERS:
        position = position.inputs[0]
    return position.operator in _SHARED


def _finer(random: Random, parent: Strategy, vocabulary: Vocabulary) -> Strategy | None:
    """A window or a constant moves by about a fifth, on no grid."""
    found = [
        (path, node, index)
        for path, node in places(parent.target)
        for index, kind in enumerate(OPERATORS[node.operator].signature.parameters)
        if kind in (Parameter.WINDOW, Parameter.CONSTANT)
    ]
    if not found:
        return None
    path, node, index = random.choice(found)
    before = float(node.parameters[index])
    moved = float(f"{before * math.exp(random.gauss(0.0, _FINE)):.3g}")
    after: ParameterValue = moved
    if OPERATORS[node.operator].signature.parameters[index] is Parameter.WINDOW:
        after = max(1, round(moved)) if round(moved) != before else int(before) + random.choice((-1, 1))
    parameters = (*node.parameters[:index], after, *node.parameters[index + 1 :])
    if after == before or not admits(node.operator, parameters):
        return None
    target = replaced(parent.target, path, assemble(node.operator, node.inputs, parameters), vocabulary)
    return child_of(parent, target) if target is not None else None


def _calmer(random: Random, parent: Strategy, vocabulary: Vocabulary) -> Strategy | None:
    name, values = random.choice([way for way in _CALM if way[0] in vocabulary.operators])
    inner = parent.target
    # Of the same brake there is one: the new in the place of the old.
    inner = inner.inputs[0] if inner.operator == name else inner
    try:
        target = assemble(name, [inner], (random.choice(values),))
    except ClawdError:
        return None
    return child_of(parent, target) if within(target, vocabulary) and target != parent.target else None


def _elsewhere(random: Random, parent: Strategy, vocabulary: Vocabulary, symbols: Sequence[str]) -> Strategy | None:
    """One instrument alone, one more, one fewer, or all of them."""
    if len(symbols) < 2:
        return None
    now = list(parent.universe or symbols)
    change = random.random()
    if change < 0.4 and len(now) > 1:
        chosen = {random.choice(now)}
    elif change < 0.6 and len(now) > 1:
        chosen = {*now} - {random.choice(now)}
    elif change < 0.9 and len(now) < len(symbols):
        chosen = {*now, random.choice([symbol for symbol in symbols if symbol not in now])}
    else:
        chosen = {*symbols}
    universe = tuple(symbol for symbol in symbols if symbol in chosen)
    child = replace(parent, universe=None if len(universe) == len(symbols) else universe, source="", claim="")
    if child.universe == parent.universe:
        return None
    return shared(child, vocabulary) if len(universe) > 1 else child


def _fits(strategy: Strategy) -> bool:
    """Whether every instrument that a program names is one that it trades."""
    if strategy.universe is None:
        return True
    for node in walk(strategy.target):
        kinds = OPERATORS[node.operator].signature.parameters
        for kind, value in zip(kinds, node.parameters, strict=True):
            if kind is Parameter.INSTRUMENT and value not in strategy.universe:
                return False
    return True
