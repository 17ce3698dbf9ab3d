"""The JSON form of a program: ``{"op": "ema", "args": [{"op": "close"}, {"w": 20}]}``."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping

from clawd.core.errors import ClawdError, suggestion
from clawd.language.assembly import MOST_NODES, assemble, parameter_keys, sound
from clawd.language.builder import DEEPEST_PROGRAM
from clawd.language.node import Node, ParameterValue
from clawd.language.operators import OPERATORS, Operator


def program_json(node: Node) -> dict[str, object]:
    """The JSON form of a program."""
    arguments: list[object] = [program_json(child) for child in node.inputs]
    arguments += [{key: value} for key, value in zip(parameter_keys(node.operator), node.parameters, strict=True)]
    return {"op": node.operator, "args": arguments} if arguments else {"op": node.operator}


def read_program(value: object, where: str) -> Node:
    """The program of a JSON value.

    Raises:
        ClawdError: with the path inside the JSON, when it is not a program.
    """
    return _Reader().node(value, where, 0)


class _Reader:
    def __init__(self) -> None:
        self.nodes = 0

    def node(self, value: object, where: str, depth: int) -> Node:
        self.nodes += 1
        if depth > DEEPEST_PROGRAM:
            raise ClawdError(f"nested deeper than {DEEPEST_PROGRAM} operators", where=where)
        if self.nodes > MOST_NODES:
            raise ClawdError(f"more than {MOST_NODES:,} operators", where=where)
        if not isinstance(value, Mapping):
            raise ClawdError(f"an object with `op` is needed, not {type(value).__name__}", where=where)
        operator = known_operator(value.get("op"), where)
        arguments = value.get("args", [])
        if not isinstance(arguments, list) or set(value) - {"op", "args"}:
            raise ClawdError("an operator has `op` and a list `args`, nothing else", where=where)
        keys = parameter_keys(operator.name)
        taken = len(operator.signature.inputs)
        if len(arguments) != taken + len(keys):
            raise ClawdError(
                f"`{operator.name}` takes {taken + len(keys)} of `args`, {len(arguments)} given",
                where=where,
                hint=f"its signature is {operator.signature.text}",
            )
        places = [f"{where}.args[{index}]" for index in range(len(arguments))]
        inputs = [
            self.node(argument, place, depth + 1)
            for argument, place in zip(arguments[:taken], places[:taken], strict=True)
        ]
        parameters = [
            _parameter(argument, key, place)
            for argument, key, place in zip(arguments[taken:], keys, places[taken:], strict=True)
        ]
        try:
            return assemble(operator.name, inputs, parameters)
        except ClawdError as error:
            raise error.at(where) from None


def known_operator(name: object, where: str) -> Operator:
    """The operator of a name.

    Raises:
        ClawdError: when there is none, with the closest.
    """
    if not isinstance(name, str) or name not in OPERATORS:
        hint = suggestion(name[:50], OPERATORS) if isinstance(name, str) else None
        raise ClawdError(f"unknown operator {reprlib.repr(name)}", where=where, hint=hint)
    return OPERATORS[name]


def _parameter(value: object, key: str, where: str) -> ParameterValue:
    if not isinstance(value, Mapping) or set(value) != {key}:
        raise ClawdError(f'an object with `{key}` alone is needed, such as {{"{key}": …}}', where=where)
    return sound(value[key], key, where)
