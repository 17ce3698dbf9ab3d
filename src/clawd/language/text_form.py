"""The text form of a program: infix signs with the fewest brackets, and names for the parts that are used twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from clawd.core.errors import ClawdError
from clawd.language.assembly import shown
from clawd.language.expression import LONGEST_NAME
from clawd.language.node import Node, literal, walk
from clawd.language.operators import OPERATORS

MOST_PARTS = 200
#: How tightly each form binds, as in the grammar of :mod:`clawd.language.expression`.
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _MINUS, _ATOM = range(8)
_BINDINGS = {"or": _OR, "and": _AND, "not": _NOT, "gt": _COMPARISON, "add": _SUM, "mul": _PRODUCT, "div": _PRODUCT}
_BINDINGS |= {"neg": _MINUS}
_SIGNS = {"and": "and", "or": "or", "mul": "*", "div": "/"}
_SMALLEST_PART = 4


def written(target: Node, names: Mapping[str, str] | None = None) -> tuple[dict[str, str], str]:
    """A program as named parts, each using only those before it, and the expression of the target.

    Args:
        target: the program.
        names: names that parts are known by, from canonical text; parts used twice find their own.
    """
    chosen = _named(target, names or {})
    writer = _Writer(chosen)
    parts = {
        chosen[node.text]: writer.expression(node) for node in sorted(_parts(target, chosen), key=lambda n: n.size)
    }
    return parts, writer.expression(target)


def check_part_name(name: str, where: str) -> None:
    """Refuse what cannot name a part.

    Raises:
        ClawdError: when it is no name, or that of an operator.
    """
    if not name.isidentifier() or not name.isascii() or len(name) > LONGEST_NAME:
        raise ClawdError(
            f"{shown(name)} is not a name",
            where=where,
            hint=f"at most {LONGEST_NAME} letters, digits and _, not starting with a digit",
        )
    if name in OPERATORS or name in ("and", "or", "not"):
        raise ClawdError(f"`{name}` is an operator and cannot be bound", where=where)


def _parts(target: Node, names: Mapping[str, str]) -> list[Node]:
    return [node for node in walk(target) if node.text in names]


def _named(target: Node, names: Mapping[str, str]) -> dict[str, str]:
    nodes = list(walk(target))
    uses = Counter(child.text for node in nodes for child in node.inputs)
    wanted = [node for node in nodes if node.text in names and node != target]
    shared = [node for node in nodes if uses[node.text] > 1 and node.size >= _SMALLEST_PART and node.text not in names]
    shared.sort(key=lambda node: node.size, reverse=True)
    chosen = {node.text: names[node.text] for node in wanted}
    taken = {*chosen.values(), *OPERATORS, "and", "or", "not"}
    for node in shared[: max(0, MOST_PARTS - len(chosen))]:
        stem = "_".join([node.operator, *(str(value) for value in node.parameters if isinstance(value, int))])
        name, count = stem, 0
        while name in taken:
            count += 1
            name = f"{stem}_{count}"
        taken.add(name)
        chosen[node.text] = name
    return chosen


class _Writer:
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def expression(self, node: Node) -> str:
        """A node written out, its own name aside."""
        if node.constant is not None:
            return literal(node.constant)
        match node.operator:
            case "add":
                return self._sum(*node.inputs)
            case "and" | "or" | "mul" | "div":
                return self._pair(node)
            case "gt":
                x, y = node.inputs
                sign, left, right = ("<", y, x) if x.constant is not None else (">", x, y)
                return f"{self._within(left, _SUM)} {sign} {self._within(right, _SUM)}"
            case "not":
                return f"not {self._within(node.inputs[0], _NOT)}"
            case "neg":
                return f"-{self._within(node.inputs[0], _MINUS)}"
        words = [self._within(child, _OR) for child in node.inputs] + [literal(value) for value in node.parameters]
        return f"{node.operator}({', '.join(words)})" if words else node.operator

    def _within(self, node: Node, least: int) -> str:
        """A node as an operand of something that binds as tightly as ``least``."""
        if node.text in self.names:
            return self.names[node.text]
        text = self.expression(node)
        return text if self._binding(node) >= least else f"({text})"

    def _binding(self, node: Node) -> int:
        if node.text in self.names:
            return _ATOM
        if node.constant is not None:
            return _ATOM if node.constant >= 0 else _MINUS
        return _BINDINGS.get(node.operator, _ATOM)

    def _sum(self, x: Node, y: Node) -> str:
        """The canonical form has no difference: it is the sum with a negative."""
        for left, right in ((x, y), (y, x)):
            if right.text in self.names:
                continue
            if right.operator == "neg":
                return f"{self._within(left, _SUM)} - {self._within(right.inputs[0], _PRODUCT)}"
            if right.constant is not None and right.constant < 0:
                return f"{self._within(left, _SUM)} - {literal(-right.constant)}"
        if x.constant is not None or self._binding(y) == _SUM != self._binding(x):
            x, y = y, x
        return f"{self._within(x, _SUM)} + {self._within(y, _PRODUCT)}"

    def _pair(self, node: Node) -> str:
        sign, binding = _SIGNS[node.operator], _BINDINGS[node.operator]
        left, right = node.inputs
        if OPERATORS[node.operator].commutative and self._binding(right) == binding != self._binding(left):
            left, right = right, left
        return f"{self._within(left, binding)} {sign} {self._within(right, binding + 1)}"


def toml_value(value: object) -> str:
    """A JSON value as TOML writes it on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(inner) for inner in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return literal(value)
    text = str(value)
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
