"""Changes of a strategy by chance: each gives another valid strategy within the bounds of a vocabulary, or none.

Every mutation is a pure function of its random source: the same seed gives the same child. A child is canonical, holds
a position, keeps a stop, and is not its parent; where a mutation finds no such child in a few tries, it gives None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random

from clawd.core.errors import ClawdError
from clawd.language.assembly import admits, assemble
from clawd.language.canonical import make
from clawd.language.exit_choices import changed_exits, neighbours
from clawd.language.grow import grow
from clawd.language.node import Node, ParameterValue
from clawd.language.operators import OPERATORS
from clawd.language.signature import MismatchError
from clawd.language.strategy import Strategy
from clawd.language.types import CONDITION, POSITION, Kind, Parameter
from clawd.language.vocabulary import Vocabulary

Path = tuple[int, ...]
Mutation = Callable[[Random, Node, Vocabulary], Node | None]

#: Nodes by which a new subprogram may be larger than the one whose place it takes.
_GROWTH = 6
_TRIES = 12
_WRAPS = ("gate", "smooth", "vol_target", "min_hold", "no_trade_band")


def places(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every place of a program written out as a tree, with what stands there, from the root."""
    yield path, node
    for index, child in enumerate(node.inputs):
        yield from places(child, (*path, index))


def put(root: Node, path: Path, new: Node) -> Node:
    """The canonical program with something else at a place.

    Raises:
        ClawdError: when the whole would not be a program.
    """
    if not path:
        return new
    first, rest = path[0], path[1:]
    inputs = [*root.inputs]
    inputs[first] = put(inputs[first], rest, new)
    return assemble(root.operator, inputs, root.parameters)


def replaced(root: Node, path: Path, new: Node, vocabulary: Vocabulary) -> Node | None:
    """The same, None where it would be no position, no change, or out of bounds."""
    try:
        child = put(root, path, new)
    except ClawdError:
        return None
    return child if within(child, vocabulary) and child != root else None


def within(program: Node, vocabulary: Vocabulary) -> bool:
    """Whether a program is a position and within the bounds."""
    return program.type == POSITION and program.size <= vocabulary.largest and program.depth <= vocabulary.deepest


def subtree(random: Random, program: Node, vocabulary: Vocabulary) -> Node | None:
    """A random subprogram gives way to a new one of its type (Koza)."""
    path, old = random.choice([*places(program)])
    depth = vocabulary.deepest - len(path)
    size = min(vocabulary.largest - program.size + old.size, old.size + random.randint(0, _GROWTH))
    new = grow(random, old.type, vocabulary, depth, size) if depth > 0 and size > 0 else None
    return replaced(program, path, new, vocabulary) if new else None


def point(random: Random, program: Node, vocabulary: Vocabulary) -> Node | None:
    """An operator gives way to one that takes and gives the same, or a name to another name."""
    path, old = random.choice([*places(program)])
    kinds = OPERATORS[old.operator].signature.parameters
    if any(isinstance(value, str) for value in old.parameters) and random.random() < 0.5:
        index = next(index for index, value in enumerate(old.parameters) if isinstance(value, str))
        others = [value for value in vocabulary.values(old.operator, kinds[index]) if value != old.parameters[index]]
        return _with_parameter(random, program, path, old, index, others, vocabulary)
    names = [name for name in vocabulary.kin.get((len(old.inputs), kinds), ()) if name != old.operator]
    random.shuffle(names)
    for name in names:
        words = [(kind, value) for kind, value in zip(kinds, old.parameters, strict=True) if isinstance(value, str)]
        # A market that has a series for one input need not have one of that name for another.
        known = all(value in vocabulary.values(name, kind) for kind, value in words)
        if not known or not admits(name, old.parameters):
            continue
        try:
            new = make(name, old.inputs, old.parameters)
        except MismatchError:
            continue
        child = replaced(program, path, new, vocabulary) if new.type == old.type else None
        if child is not None:
            return child
    return None


def window(random: Random, program: Node, vocabulary: Vocabulary) -> Node | None:
    """A window moves by one step of its grid."""
    return _jitter(random, program, vocabulary, (Parameter.WINDOW,))


def constant(random: Random, program: Node, vocabulary: Vocabulary) -> Node | None:
    """A constant or a quantile moves by one step of its grid."""
    numbers = [kind for kind in Parameter if kind.name in ("CONSTANT", "QUANTILE")]
    return _jitter(random, program, vocabulary, numbers)


def hoist(random: Random, program: Node, vocabulary: Vocabulary) -> Node | None:
    """A subprogram gives way to a part of itself that has its type."""
    found = [
        (path, part)
        for path, old in places(program)
        for _, part in places(old)
        if part is not old and part.type == old.type and part.constant is None
    ]
    if not found:
        return None
    path, part = random.choice(found)
    return replaced(program, path, part, vocabulary)


def shrink(random: Random, program: Node, vocabulary: Vocabulary) -> Node | None:
    """A subprogram gives way to a smaller new one of its type."""
    path, old = random.choice([*places(program)])
    depth = vocabulary.deepest - len(path)
    new = grow(random, old.type, vocabulary, depth, max(1, old.size // 3)) if old.size > 1 and depth > 0 else None
    return replaced(program, path, new, vocabulary) if new else None


def wrap(random: Random, program: Node, vocabulary: Vocabulary) -> Node | None:
    """A position is gated, smoothed, scaled to a volatility, held for longer, or kept from small changes."""
    names = [name for name in _WRAPS if name in OPERATORS and name in vocabulary.operators]
    path, old = random.choice([(path, node) for path, node in places(program) if node.type == POSITION])
    if not names:
        return None
    name = random.choice(names)
    inputs: list[Node] = [old]
    for _ in OPERATORS[name].signature.inputs[1:]:
        room = vocabulary.largest - program.size - 1
        condition = grow(random, CONDITION, vocabulary, vocabulary.deepest - len(path) - 1, min(room, 2 * _GROWTH))
        if condition is None:
            return None
        inputs.append(condition)
    parameters = vocabulary.parameters(random, name)
    if parameters is None:
        return None
    return replaced(program, path, assemble(name, inputs, parameters), vocabulary)


def negate(random: Random, program: Node, vocabulary: Vocabulary) -> Node | None:
    """A series changes its sign, or a condition its truth."""
    path, old = random.choice([*places(program)])
    if old.type.kind is Kind.POSITION:
        return None
    try:
        new = assemble("not" if old.type.kind is Kind.CONDITION else "neg", [old], ())
    except ClawdError:
        return None
    return replaced(program, path, new, vocabulary)


PROGRAM_MUTATIONS: Mapping[str, Mutation] = {
    "subtree": subtree,
    "point": point,
    "window": window,
    "constant": constant,
    "hoist": hoist,
    "shrink": shrink,
    "wrap": wrap,
    "negate": negate,
}
#: Every way in which a strategy can change.
MUTATIONS = (*PROGRAM_MUTATIONS, "exits")


def mutate(random: Random, parent: Strategy, vocabulary: Vocabulary, kind: str | None = None) -> Strategy | None:
    """A child that differs from its parent in one way.

    The child has its parent's name, bars and universe. Source and claim are not handed down: what a person said of the
    parent was not said of the child.

    Args:
        random: where the choices come from.
        parent: the strategy to change. It may be larger than the bounds; the child is not.
        vocabulary: what may be used, and the bounds.
        kind: one of :data:`MUTATIONS`, any of them when left out.

    Returns:
        The child, None where a few tries found none.
    """
    kind = kind or random.choice(MUTATIONS)
    if kind == "exits":
        return mutate_exits(random, parent, vocabulary) if within(parent.target, vocabulary) else None
    change = PROGRAM_MUTATIONS[kind]
    for _ in range(_TRIES):
        target = change(random, parent.target, vocabulary)
        if target is not None:
            return child_of(parent, target)
    return None


def child_of(parent: Strategy, target: Node) -> Strategy:
    """The parent with another program."""
    return replace(parent, target=target, source="", claim="", let={}, target_text="")


def mutate_exits(random: Random, parent: Strategy, vocabulary: Vocabulary) -> Strategy | None:
    """A child one of whose exits is nearer or farther, gone or new. Its stop may move and never goes."""
    for _ in range(_TRIES):
        exits = changed_exits(random, parent.exits, vocabulary)
        if exits is not None:
            return replace(parent, exits=exits, source="", claim="")
    return None


def _jitter(random: Random, program: Node, vocabulary: Vocabulary, kinds: Sequence[Parameter]) -> Node | None:
    found = [
        (path, node, index)
        for path, node in places(program)
        if node.parameters
        for index, kind in enumerate(OPERATORS[node.operator].signature.parameters)
        if kind in kinds
    ]
    if not found:
        return None
    path, node, index = random.choice(found)
    kind = OPERATORS[node.operator].signature.parameters[index]
    grid = [float(value) for value in vocabulary.values(node.operator, kind) if not isinstance(value, str)]
    steps: list[ParameterValue] = [*neighbours(grid, float(node.parameters[index]))]
    return _with_parameter(random, program, path, node, index, steps, vocabulary)


def _with_parameter(
    random: Random,
    program: Node,
    path: Path,
    node: Node,
    index: int,
    values: Sequence[ParameterValue],
    vocabulary: Vocabulary,
) -> Node | None:
    for value in random.sample(values, len(values)):
        parameters = (*node.parameters[:index], value, *node.parameters[index + 1 :])
        if admits(node.operator, parameters):
            return replaced(program, path, assemble(node.operator, node.inputs, parameters), vocabulary)
    return None
