"""The blocks of a visual builder: every operator with its ports, and its parameters with their ranges and defaults.

All of it comes from the registry. A default is what the operator's own example has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from clawd.core.errors import ClawdError
from clawd.language.assembly import assemble, sample
from clawd.language.expression import LARGEST_NUMBER, Tree, parse
from clawd.language.graph_form import Port, input_ports, parameter_names, result_port
from clawd.language.node import ParameterValue
from clawd.language.operators import LONGEST_WINDOW, OPERATORS, Operator
from clawd.language.reference import PARAMETERS, arguments, expansion, limits, usage
from clawd.language.signature import PARAMETER_KEYS
from clawd.language.types import Parameter


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter as a form asks for it.

    Attributes:
        name: its key in a node of the graph, such as ``k2``.
        symbol: what the operator's formula calls it, such as ``k₂``.
        kind: ``w``, ``k``, ``q``, ``name``, ``a`` or ``g``.
        meaning: one line for people.
        default: of the operator's example.
        least, most: of a number; None for a name.
        whole: whether only whole numbers will do.
        choices: the names that it may be; empty where any will do.
    """

    name: str
    symbol: str
    kind: str
    meaning: str
    default: ParameterValue
    least: float | None = None
    most: float | None = None
    whole: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockKind:
    """An operator as a builder offers it. ``needs`` is what its parameters must be beyond their ranges."""

    op: str
    group: str
    usage: str
    meaning: str
    formula: str
    example: str
    source: str
    warm_up: str
    needs: tuple[str, ...]
    stands_for: str | None
    inputs: tuple[Port, ...]
    result: Port
    parameters: tuple[Field, ...]


@cache
def block_kinds() -> tuple[BlockKind, ...]:
    """Every operator of the registry, in its order."""
    return tuple(_block_kind(operator) for operator in OPERATORS.values())


def _block_kind(operator: Operator) -> BlockKind:
    return BlockKind(
        operator.name,
        operator.group,
        usage(operator),
        operator.meaning,
        operator.formula,
        operator.example,
        operator.source,
        operator.warm_up.text,
        tuple(limits(operator)),
        expansion(operator),
        input_ports(operator),
        result_port(operator),
        _fields(operator),
    )


def _fields(operator: Operator) -> tuple[Field, ...]:
    kinds = operator.signature.parameters
    symbols = arguments(operator)[len(operator.signature.inputs) :]
    rows = zip(kinds, parameter_names(operator.name), symbols, default_parameters(operator.name), strict=True)
    return tuple(_field(operator, *row) for row in rows)


def _field(operator: Operator, kind: Parameter, name: str, symbol: str, default: ParameterValue) -> Field:
    key = PARAMETER_KEYS[kind]
    meaning = PARAMETERS[key]
    if kind is Parameter.WINDOW:
        return Field(name, symbol, key, meaning, default, operator.least_window, LONGEST_WINDOW, whole=True)
    if kind is Parameter.QUANTILE:
        return Field(name, symbol, key, meaning, default, 0.0, 1.0)
    if kind is Parameter.CONSTANT:
        return Field(name, symbol, key, meaning, default, -LARGEST_NUMBER, LARGEST_NUMBER)
    return Field(name, symbol, key, meaning, default, choices=operator.names if kind is Parameter.NAME else ())


@cache
def default_parameters(name: str) -> tuple[ParameterValue, ...]:
    """The parameters that an operator has in its own example."""
    operator = OPERATORS[name]
    if not operator.signature.parameters:
        return ()
    if name == "const":
        return (1,)
    call = _found(parse(operator.example), name)
    assert call is not None, f"the example of {name} does not use it"
    values = [argument.head for argument in call.arguments[len(operator.signature.inputs) :]]
    return tuple(int(value) if isinstance(value, float) and value.is_integer() else value for value in values)


def _found(tree: Tree, name: str) -> Tree | None:
    if tree.form == "call" and tree.head == name:
        return tree
    return next((found for argument in tree.arguments if (found := _found(argument, name))), None)


def parameter_problems(name: str, parameters: tuple[ParameterValue, ...]) -> list[tuple[str | None, ClawdError]]:
    """What is wrong with the parameters of an operator: each with its name, None for what concerns several."""
    whole = _complaint(name, parameters)
    if whole is None:
        return []
    usual, rule = default_parameters(name), OPERATORS[name].rule
    found: list[tuple[str | None, ClawdError]] = []
    for index, key in enumerate(parameter_names(name)):
        error = _complaint(name, (*usual[:index], parameters[index], *usual[index + 1 :]))
        if error is not None and (len(parameters) == 1 or rule is None or rule.text not in error.what):
            found.append((key, error))
    return found or [(None, whole)]


def _complaint(name: str, parameters: tuple[ParameterValue, ...]) -> ClawdError | None:
    try:
        assemble(name, [sample(word) for word in OPERATORS[name].signature.inputs], parameters)
    except ClawdError as error:
        return error
    return None
