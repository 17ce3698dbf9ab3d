"""From parsed text to a typed, canonical program: names are resolved, macros expanded, units checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from clawd.core.errors import ClawdError, suggestion
from clawd.language.canonical import make
from clawd.language.expression import Tree, located, parse
from clawd.language.node import Node, ParameterValue
from clawd.language.operators import LONGEST_WINDOW, OPERATORS, Operator
from clawd.language.signature import MismatchError
from clawd.language.types import Parameter, Type

#: Bounds of a program with its names put in and its macros expanded: characters of canonical text, and depth. Whatever
#: is within them can be written as JSON and read back.
LARGEST_PROGRAM = 20_000
DEEPEST_PROGRAM = 100
_QUOTED = (Parameter.NAME, Parameter.INSTRUMENT, Parameter.GROUP)
#: How arguments are called where an error says how an operator is written; any other input is a series.
_INPUT_WORDS = {"N": "number", "B": "condition", "P": "position", "S[px]": "price"}
_PARAMETER_WORDS = {
    Parameter.WINDOW: "bars",
    Parameter.CONSTANT: "constant",
    Parameter.QUANTILE: "quantile",
    Parameter.NAME: '"name"',
    Parameter.INSTRUMENT: '"instrument"',
    Parameter.GROUP: '"classification"',
}

Bindings = Mapping[str, "Node | float"]


def build(source: str, bindings: Bindings | None = None) -> Node | float:
    """The program that an expression stands for, or a number where it is a bare number.

    Args:
        source: the expression.
        bindings: names that it may use, each a program or a number.

    Raises:
        ClawdError: located in the source, with a suggestion where one is close.
    """
    tree = parse(source)
    if tree.form == "number":
        return float(tree.head)
    return _Builder(source, bindings or {}).node(tree, 0)


class _Builder:
    def __init__(self, source: str, bindings: Bindings) -> None:
        self.source = source
        self.bindings = bindings

    def node(self, tree: Tree, depth: int) -> Node:
        if depth > DEEPEST_PROGRAM:
            raise self._too_deep(tree)
        if tree.form == "number":
            return make("const", (), (float(tree.head),))
        if tree.form == "text":
            raise located(self.source, tree, f'the name "{tree.head}" stands where a series is needed')
        if tree.form == "name":
            return self._name(tree)
        return self._call(tree, depth)

    def _name(self, tree: Tree) -> Node:
        name = str(tree.head)
        if name in self.bindings:
            bound = self.bindings[name]
            return bound if isinstance(bound, Node) else make("const", (), (bound,))
        operator = OPERATORS.get(name)
        if operator is None:
            known = [*self.bindings, *(entry.name for entry in OPERATORS.values() if _is_plain_input(entry))]
            raise located(self.source, tree, f"unknown name `{name}`", suggestion(name, known))
        if not _is_plain_input(operator):
            raise located(self.source, tree, f"`{name}` needs arguments: {_usage(operator)}")
        return make(name)

    def _call(self, tree: Tree, depth: int) -> Node:
        name = str(tree.head)
        operator = OPERATORS.get(name)
        if operator is None:
            if name in self.bindings:
                raise located(
                    self.source, tree, f"`{name}` is a bound name, not an operator: write it without brackets"
                )
            raise located(self.source, tree, f"unknown operator `{name}`", suggestion(name, OPERATORS))
        inputs_wanted = len(operator.signature.inputs)
        wanted = inputs_wanted + len(operator.signature.parameters)
        if len(tree.arguments) != wanted:
            given = len(tree.arguments)
            hint = f"write {_usage(operator)}" if wanted else f"write `{name}` without brackets"
            if given > wanted and operator.signature.result == "P":
                hint += "; how long a position may be held is said under [exits], such as time = 24"
            raise located(self.source, tree, f"`{name}` takes {_count(wanted)}, {given} given", hint)
        inputs = [self.node(argument, depth + 1) for argument in tree.arguments[:inputs_wanted]]
        parameters = [
            self._parameter(argument, kind, operator)
            for argument, kind in zip(tree.arguments[inputs_wanted:], operator.signature.parameters, strict=True)
        ]
        self._check_parameters(tree, operator, parameters)
        try:
            node = (
                self._expanded(tree, operator, inputs, parameters)
                if operator.expansion
                else make(name, inputs, parameters)
            )
        except MismatchError as mismatch:
            raise self._mismatch(tree, operator, inputs, mismatch) from None
        if node.depth > DEEPEST_PROGRAM:
            raise self._too_deep(tree)
        if len(node.text) > LARGEST_PROGRAM:
            raise located(self.source, tree, f"the program, written out, is longer than {LARGEST_PROGRAM:,} characters")
        return node

    def _too_deep(self, tree: Tree) -> ClawdError:
        return located(
            self.source,
            tree,
            f"the program is deeper than {DEEPEST_PROGRAM} operators",
            "put long sums in groups: (a + b) + (c + d)",
        )

    def _expanded(
        self, tree: Tree, operator: Operator, inputs: Sequence[Node], parameters: Sequence[ParameterValue]
    ) -> Node:
        operator.signature.result_type([node.type for node in inputs], [node.constant == 0.0 for node in inputs])
        arguments: dict[str, Node | float] = {
            f"${index}": value if isinstance(value, Node) else float(value)
            for index, value in enumerate([*inputs, *parameters])
        }
        expansion = operator.expansion or ""
        try:
            return _Builder(expansion, arguments).node(_parsed_expansion(expansion), 0)
        except ClawdError as error:
            what = f"in `{operator.name}`, {error.what.partition(chr(10))[0]}"
            raise located(self.source, tree, what) from None

    def _parameter(self, tree: Tree, kind: Parameter, operator: Operator) -> ParameterValue:
        value: object = tree.head
        if tree.form == "name" and tree.head in self.bindings:
            value = self.bindings[str(tree.head)]
        elif tree.form in ("name", "call"):
            value = None
        if kind in _QUOTED:
            if tree.form != "text":
                hint = f"write {_usage(operator)}"
                raise located(self.source, tree, f"`{operator.name}` needs {kind.value} here", hint)
            return str(tree.head)
        if tree.form == "text" or not isinstance(value, float):
            what = f"`{operator.name}` needs {kind.value} here, known before it runs"
            raise located(self.source, tree, what, f"write {_usage(operator)}")
        if kind is Parameter.CONSTANT:
            return value
        if kind is Parameter.QUANTILE:
            if not 0 <= value <= 1:
                raise located(self.source, tree, f"a quantile is a number from 0 to 1, not {value:g}")
            return value
        if not value.is_integer() or not 1 <= value <= LONGEST_WINDOW:
            raise located(self.source, tree, f"a window is a whole number from 1 to {LONGEST_WINDOW:,}, not {value:g}")
        if value < operator.least_window:
            raise located(self.source, tree, f"`{operator.name}` needs a window of at least {operator.least_window}")
        return int(value)

    def _check_parameters(self, tree: Tree, operator: Operator, parameters: Sequence[ParameterValue]) -> None:
        name = operator.name
        if operator.names and parameters[0] not in operator.names:
            hint = suggestion(str(parameters[0]), operator.names) or f"one of {', '.join(operator.names)}"
            raise located(self.source, tree, f'`{name}` has no "{parameters[0]}"', hint)
        if operator.rule is not None and not operator.rule.holds(parameters):
            raise located(self.source, tree, f"`{name}` needs {operator.rule.text}")

    def _mismatch(self, tree: Tree, operator: Operator, inputs: Sequence[Node], mismatch: MismatchError) -> ClawdError:
        at = tree.arguments[mismatch.index]
        signs = {"add": "+", "sub": "-", "gt": ">"}
        if operator.name in signs and len(inputs) == 2:
            left, right = inputs[0].type, inputs[1].type
            what = (
                f"`{signs[operator.name]}` needs the same unit on both sides: the left is {left}, the right is {right}"
            )
            return located(self.source, tree, what)
        what = f"argument {mismatch.index + 1} of `{operator.name}` must be {mismatch.wanted}, this is {mismatch.given}"
        return located(self.source, at, what, conversion(mismatch))


def conversion(mismatch: MismatchError) -> str | None:
    """How to make what is wanted of what was given, where there is one way."""
    if mismatch.wanted == "a position":
        return "make a position of it with long_short, long_only or signal_if"
    if mismatch.wanted == "a pure number":
        return "divide it by something of the same unit"
    if mismatch.wanted == "a condition":
        return "compare it with `<` or `>`"
    if mismatch.given == "a condition":
        return "make numbers of it: where(condition, 1, 0)"
    return None


def _is_plain_input(operator: Operator) -> bool:
    return operator.group == "inputs" and not operator.signature.parameters


def _usage(operator: Operator) -> str:
    """How an operator is written, such as ``ema(series, bars)``."""
    signature = operator.signature
    words = [_INPUT_WORDS.get(wanted, "series") for wanted in signature.inputs]
    return f"{operator.name}({', '.join([*words, *(_PARAMETER_WORDS[kind] for kind in signature.parameters)])})"


def _count(number: int) -> str:
    return "no arguments" if number == 0 else "1 argument" if number == 1 else f"{number} arguments"


@cache
def _parsed_expansion(expansion: str) -> Tree:
    return parse(expansion)


def type_of(value: Node | float) -> Type:
    """The type of what :func:`build` returned."""
    return value.type if isinstance(value, Node) else make("const", (), (value,)).type
