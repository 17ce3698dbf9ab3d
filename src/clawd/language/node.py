"""A typed node of a program: an operator applied to other nodes, in canonical text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from clawd.language.types import Type

ParameterValue = float | int | str


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An operator with its inputs and parameters. Two nodes are equal when their canonical texts are.

    Attributes:
        operator: name in the registry, never a macro.
        inputs: its series, conditions and positions.
        parameters: its windows, constants and names.
        type: what it yields.
        text: canonical text, which is its identity.
        lookback: bars of an instrument's own history before the value is settled.
        size: nodes of the expression written out as a tree.
        depth: nodes on its longest path from the root to an input.
    """

    operator: str
    inputs: tuple[Node, ...]
    parameters: tuple[ParameterValue, ...]
    type: Type
    lookback: int
    size: int
    depth: int
    text: str = field(default="")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def constant(self) -> float | None:
        """The value of a constant, None for anything else."""
        return float(self.parameters[0]) if self.operator == "const" else None


def write(operator: str, inputs: tuple[Node, ...], parameters: tuple[ParameterValue, ...]) -> str:
    """The canonical text of a node."""
    if operator == "const":
        return literal(parameters[0])
    words = [node.text for node in inputs] + [literal(value) for value in parameters]
    return f"{operator}({', '.join(words)})" if words else operator


def literal(value: ParameterValue) -> str:
    """A parameter as it is written: whole numbers without a point, names in quotes."""
    if isinstance(value, str):
        return f'"{value}"'
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def walk(*roots: Node) -> Iterator[Node]:
    """Every distinct node below the roots, inputs before what uses them."""
    seen: set[str] = set()
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if node.text in seen:
            continue
        if ready:
            seen.add(node.text)
            yield node
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.inputs))
