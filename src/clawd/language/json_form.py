"""The JSON form of a program: ``{"op": "ema", "args": [{"op": "close"}, {"w": 20}]}``."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping

from clawd.core.errors import ClawdError, suggestion
from clawd.language.builder import DEEPEST_PROGRAM
from clawd.language.expression import LARGEST_NUMBER
from clawd.language.node import Node, literal
from clawd.language.operators import OPERATORS
from clawd.language.signature import PARAMETER_KEYS


def program_json(node: Node) -> dict[str, object]:
    """The JSON form of a program."""
    kinds = OPERATORS[node.operator].signature.parameters
    arguments: list[object] = [program_json(child) for child in node.inputs]
    arguments += [{PARAMETER_KEYS[kind]: value} for kind, value in zip(kinds, node.parameters, strict=True)]
    return {"op": node.operator, "args": arguments} if arguments else {"op": node.operator}


def expression_of(value: object, where: str, depth: int = 0) -> str:
    """The text of a JSON program, ready to be built.

    Raises:
        ClawdError: with the path inside the JSON, when it is not a program.
    """
    if depth > DEEPEST_PROGRAM + 1:
        raise ClawdError(f"nested deeper than {DEEPEST_PROGRAM} operators", where=where)
    if not isinstance(value, Mapping):
        raise ClawdError(f"an object with `op` is needed, not {type(value).__name__}", where=where)
    if len(value) == 1 and next(iter(value)) in PARAMETER_KEYS.values():
        return _parameter(next(iter(value)), next(iter(value.values())), where)
    name = value.get("op")
    if not isinstance(name, str) or name not in OPERATORS:
        hint = suggestion(name, OPERATORS) if isinstance(name, str) else None
        raise ClawdError(f"unknown operator {reprlib.repr(name)}", where=where, hint=hint)
    arguments = value.get("args", [])
    if not isinstance(arguments, list) or set(value) - {"op", "args"}:
        raise ClawdError("an operator has `op` and a list `args`, nothing else", where=where)
    words = [expression_of(argument, f"{where}.args[{index}]", depth + 1) for index, argument in enumerate(arguments)]
    if name in ("and", "or") and len(words) == 2:
        return f"({words[0]} {name} {words[1]})"
    if name == "not" and len(words) == 1:
        return f"(not {words[0]})"
    return f"{name}({', '.join(words)})" if words else name


def _parameter(key: str, value: object, where: str) -> str:
    if key in ("name", "a", "g"):
        if not isinstance(value, str) or '"' in value or not value.isprintable():
            raise ClawdError(f"`{key}` must be a printable text without quotes", where=where)
        return f'"{value}"'
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_NUMBER:
        raise ClawdError(
            f"`{key}` must be a number of at most {LARGEST_NUMBER:g}, not {reprlib.repr(value)}", where=where
        )
    return literal(value)
