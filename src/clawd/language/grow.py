"""Random programs and strategies, well typed by construction (Koza 1992: ramped half-and-half, with types)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from clawd.core.errors import ClawdError
from clawd.language.assembly import assemble
from clawd.language.exit_choices import random_exits
from clawd.language.node import Node
from clawd.language.strategy import Strategy
from clawd.language.types import POSITION, Kind, Type
from clawd.language.vocabulary import Choices, Vocabulary

#: The sizes of a population are log-normal about this median.
MEDIAN_SIZE = 12
_SPREAD = 0.45
_SMALLEST, _SHALLOWEST = 4, 4
#: How many programs are grown for one that is kept: the one whose size comes nearest to what was wanted.
_DRAFTS = 6
#: How often one of two inputs is a constant, where it may be.
_CONSTANT = 0.35
#: How often a branch ends early: pure numbers seldom do, since their leaves are the calendar and outside series.
_EARLY_LEAF, _EARLY_NUMBER = 0.2, 0.08
_MAKER = 0.65
_TRIES = 50
_NUMBER = Type(Kind.SERIES)


def grow(
    random: Random, goal: Type, vocabulary: Vocabulary, depth: int, nodes: int, *, full: bool = False
) -> Node | None:
    """A random canonical program of a type.

    Args:
        random: where its choices come from.
        goal: its type.
        vocabulary: what it may use.
        depth: nodes on its longest path, at most.
        nodes: nodes at most; it comes near to them where it may.
        full: branches end only where they must (Koza's "full"), else any of them may end early ("grow").

    Returns:
        None where nothing of this type is so small.
    """
    if goal not in vocabulary.choices:
        return None
    for attempt in range(4):
        node = _Grower(random, vocabulary, full).node(
            goal, depth, max(1, nodes - 2 * attempt), constant=goal != POSITION
        )
        if node is not None and node.type == goal and node.depth <= depth and node.size <= nodes:
            return node
    return None


class _Grower:
    def __init__(self, random: Random, vocabulary: Vocabulary, full: bool) -> None:
        self.random = random
        self.vocabulary = vocabulary
        self.full = full

    def node(self, goal: Type, depth: int, nodes: int, constant: bool) -> Node | None:
        ways = [way for way in self.vocabulary.choices[goal] if way.depth <= depth and way.size <= nodes]
        constants = [way for way in ways if way.productions[0].operator.name == "const"]
        if constants and constant and self.random.random() < _CONSTANT:
            ways = constants
        elif constants:
            ways = [way for way in ways if way not in constants]
        if not ways:
            return None
        way = self.random.choice(self._preferred(ways, goal, nodes))
        production = way.draw(self.random, depth, nodes)
        name = production.operator.name
        parameters = production.parameters or self.vocabulary.parameters(self.random, name)
        if parameters is None:
            return None
        # At most one input may be a constant, and none where it is alone: a rolling mean of 3 is 3.
        spare = self.random.randrange(len(production.inputs)) if len(production.inputs) > 1 else -1
        inputs: list[Node] = []
        for index, share in enumerate(self._shares(production.inputs, nodes)):
            grown = self._input(production.inputs[index], depth - 1, share, index == spare, inputs)
            if grown is None:
                return None
            inputs.append(grown)
        try:
            return assemble(name, inputs, parameters)
        except ClawdError:  # rewritten to a constant or a zero that fits no longer, or grown out of bounds
            return None

    def _input(self, kind: Type, depth: int, nodes: int, constant: bool, others: Sequence[Node]) -> Node | None:
        """An input that is not the same as another: nothing crosses itself."""
        for _ in range(4):
            grown = self.node(kind, depth, nodes, constant)
            if grown not in others:
                return grown
        return None

    def _preferred(self, ways: Sequence[Choices], goal: Type, nodes: int) -> Sequence[Choices]:
        """Leaves where no room is left or luck has it, and makers of positions before what modifies them."""
        leaves = [way for way in ways if way.leaf]
        branches = [way for way in ways if not way.leaf]
        if not branches:
            return leaves
        early = _EARLY_NUMBER if goal == _NUMBER else _EARLY_LEAF
        if leaves and (nodes < 2 or (not self.full and self.random.random() < early)):
            return leaves
        makers = [way for way in branches if not way.modifier]
        return makers if makers and (len(makers) == len(branches) or self.random.random() < _MAKER) else branches

    def _shares(self, kinds: Sequence[Type], nodes: int) -> list[int]:
        """The nodes that are left, shared among the inputs at random, the least of each first."""
        least = [min(each.size for each in self.vocabulary.choices[kind]) for kind in kinds]
        left = max(0, nodes - 1 - sum(least))
        shares = []
        for index, each in enumerate(least):
            more = left if index == len(least) - 1 else self.random.randint(0, left)
            shares.append(each + more)
            left -= more
        return shares


def random_strategy(random: Random, vocabulary: Vocabulary, name: str = "grown") -> Strategy | None:
    """A random strategy of a random size, None where luck had none.

    The sizes of many are log-normal with a median of :data:`MEDIAN_SIZE` nodes, whatever the operators are: of a few
    drafts the one is kept that comes nearest to the size drawn. Half of them grow full, half may end early, and their
    depth is ramped.
    """
    wanted = round(MEDIAN_SIZE * math.exp(_SPREAD * random.gauss(0.0, 1.0)))
    wanted = min(max(wanted, _SMALLEST), vocabulary.largest)
    best: Node | None = None
    for _ in range(_DRAFTS):
        depth = random.randint(min(_SHALLOWEST, vocabulary.deepest), vocabulary.deepest)
        full = random.random() < 0.5
        node = grow(random, POSITION, vocabulary, depth, min(wanted + 2, vocabulary.largest), full=full)
        if node is not None and (best is None or abs(node.size - wanted) < abs(best.size - wanted)):
            best = node
        if best is not None and best.size == wanted:
            break
    return None if best is None else Strategy(name=name, target=best, exits=random_exits(random, vocabulary))


def random_population(random: Random, count: int, vocabulary: Vocabulary) -> list[Strategy]:
    """Distinct random strategies, named by their number.

    Raises:
        ClawdError: when the vocabulary does not have so many.
    """
    found: dict[str, Strategy] = {}
    for _ in range(_TRIES * count):
        if len(found) == count:
            break
        strategy = random_strategy(random, vocabulary, f"grown {len(found) + 1}")
        if strategy is not None:
            found.setdefault(strategy.content_hash, strategy)
    if len(found) < count:
        raise ClawdError(
            f"the vocabulary gave {len(found):,} distinct strategies of the {count:,} wanted",
            hint="give it more operators, windows or constants",
        )
    return list(found.values())
