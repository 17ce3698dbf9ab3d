"""Canonical form: programs that must mean the same are built as the same node.

Every node passes through :func:`make`, so rewriting happens from the leaves up and reaches its fixpoint as it goes.
Only rewrites that change no value are made: the engine runs the canonical form, and so does every author.
"""

from __future__ import annotations

from collections.abc import Sequence

from clawd.language.expression import LARGEST_NUMBER
from clawd.language.node import Node, ParameterValue, write
from clawd.language.operators import LONGEST_WINDOW, OPERATORS
from clawd.language.types import Kind

_IDEMPOTENT_PAIRS = ("and", "or", "min2", "max2")
_IDEMPOTENT = ("sign", "long_only", "long_short", "abs")


def make(operator: str, inputs: Sequence[Node] = (), parameters: Sequence[ParameterValue] = ()) -> Node:
    """The canonical node of an operator (not a macro) applied to canonical nodes.

    Raises:
        MismatchError: when an input has the wrong type or unit.
    """
    node = _typed(operator, tuple(inputs), tuple(parameters))
    return _rewritten(node)


def _typed(operator: str, inputs: tuple[Node, ...], parameters: tuple[ParameterValue, ...]) -> Node:
    entry = OPERATORS[operator]
    free = [node.constant == 0.0 for node in inputs]
    result = entry.signature.result_type([node.type for node in inputs], free, parameters)
    if entry.commutative:
        inputs = tuple(sorted(inputs, key=lambda node: node.text))
    numbers = [float(value) for value in parameters if not isinstance(value, str)]
    return Node(
        operator=operator,
        inputs=inputs,
        parameters=parameters,
        type=result,
        lookback=max((node.lookback for node in inputs), default=0) + entry.warm_up.bars(numbers),
        size=1 + sum(node.size for node in inputs),
        depth=1 + max((node.depth for node in inputs), default=0),
        text=write(operator, inputs, parameters),
    )


def _rewritten(node: Node) -> Node:
    name, inputs = node.operator, node.inputs
    folded = _folded(node)
    if folded is not None:
        return make("const", (), (folded,))
    if name == "sub":
        return make("add", (inputs[0], make("neg", inputs[1:])))
    if name in ("neg", "not") and inputs[0].operator == name:
        return inputs[0].inputs[0]
    if name == "abs" and inputs[0].operator == "neg":
        return make("abs", inputs[0].inputs)
    if name in _IDEMPOTENT and inputs[0].operator == name:
        return inputs[0]
    if name in _IDEMPOTENT_PAIRS and inputs[0] == inputs[1]:
        return inputs[0]
    if name == "where" and inputs[1] == inputs[2]:
        return inputs[1]
    if name == "delay" and inputs[0].operator == "delay":
        return _delayed(inputs[0], int(node.parameters[0]))
    if name in ("ts_mean", "ts_sum", "ts_min", "ts_max", "ema") and node.parameters[0] == 1:
        return inputs[0]
    if name == "mul" and inputs[0].constant == 1.0 and node.type == inputs[1].type:
        return inputs[1]
    if name == "mul" and inputs[1].constant == 1.0 and node.type == inputs[0].type:
        return inputs[0]
    if name == "div" and inputs[1].constant == 1.0:
        return inputs[0]
    return node


def _delayed(inner: Node, bars: int) -> Node:
    """A delay of a delay: one, or where that would pass the longest window, the longest and the rest."""
    first, total = int(inner.parameters[0]), int(inner.parameters[0]) + bars
    if total <= LONGEST_WINDOW:
        return make("delay", inner.inputs, (total,))
    if first == LONGEST_WINDOW:
        return _typed("delay", (inner,), (bars,))
    return make("delay", (make("delay", inner.inputs, (LONGEST_WINDOW,)),), (total - LONGEST_WINDOW,))


def _folded(node: Node) -> float | None:
    """The value of arithmetic on constants alone, None where it stays as it is."""
    values = [child.constant for child in node.inputs]
    if not values or any(value is None for value in values) or node.type.kind is not Kind.SERIES:
        return None
    numbers = [value for value in values if value is not None]
    result: float | None = None
    match node.operator:
        case "add":
            result = numbers[0] + numbers[1]
        case "sub":
            result = numbers[0] - numbers[1]
        case "mul":
            result = numbers[0] * numbers[1]
        case "div" if abs(numbers[1]) >= 1e-12:
            result = numbers[0] / numbers[1]
        case "neg":
            result = -numbers[0]
        case "abs":
            result = abs(numbers[0])
        case "min2":
            result = min(numbers)
        case "max2":
            result = max(numbers)
    return result if result is not None and abs(result) <= LARGEST_NUMBER else None
