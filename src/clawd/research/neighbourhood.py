"""A strategy with one number a step up or down: whether it stands on a plateau or on a needle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from clawd.core.errors import ClawdError
from clawd.language.assembly import admits, assemble
from clawd.language.exit_choices import neighbours
from clawd.language.mutation import child_of
from clawd.language.node import Node, literal, walk
from clawd.language.operators import OPERATORS
from clawd.language.strategy import Strategy
from clawd.language.types import POSITION, Parameter
from clawd.language.vocabulary import Vocabulary

#: Neighbours of a strategy at most: a large program has hundreds.
MOST_NEIGHBOURS: Final = 40


def neighbourhood(strategy: Strategy) -> Iterator[tuple[str, Strategy]]:
    """The strategies that differ by one step of one window, constant or quantile, and what was changed.

    A number that stands in several places is changed in all of them. Each strategy comes once, and at most
    :data:`MOST_NEIGHBOURS` of them.
    """
    vocabulary = Vocabulary()
    seen = {strategy.content_hash}
    for node in walk(strategy.target):
        kinds = OPERATORS[node.operator].signature.parameters
        for index, (kind, value) in enumerate(zip(kinds, node.parameters, strict=True)):
            if isinstance(value, str):
                continue
            for other in _steps(vocabulary, node.operator, kind, float(value)):
                changed = (*node.parameters[:index], other, *node.parameters[index + 1 :])
                target = _with(strategy.target, node, changed)
                if target is None or target.type != POSITION:
                    continue
                child = child_of(strategy, target)
                if child.content_hash not in seen:
                    seen.add(child.content_hash)
                    what = kind.name.lower() if node.operator == "const" else f"{node.operator} {kind.name.lower()}"
                    yield f"{what} {literal(value)} → {literal(other)}", replace(child, name=strategy.name)
                    if len(seen) > MOST_NEIGHBOURS:
                        return


def _steps(vocabulary: Vocabulary, operator: str, kind: Parameter, value: float) -> list[float]:
    """The next values of the grid below and above; a constant off the grid moves by a fifth."""
    grid = sorted(float(each) for each in vocabulary.values(operator, kind) if not isinstance(each, str))
    if kind is Parameter.CONSTANT and value not in grid:
        return [value * 0.8, value * 1.2]
    return neighbours(grid, value)


def _with(root: Node, old: Node, parameters: tuple[float | int | str, ...]) -> Node | None:
    """The program with other parameters wherever a node stands; None where it would be none."""
    if not admits(old.operator, parameters):
        return None

    def changed(node: Node) -> Node:
        if node == old:
            return assemble(node.operator, node.inputs, parameters)
        inputs = [changed(child) for child in node.inputs]
        return node if inputs == list(node.inputs) else assemble(node.operator, inputs, node.parameters)

    try:
        return changed(root)
    except ClawdError:  # such as a band whose ends have met
        return None
