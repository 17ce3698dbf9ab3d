"""Canonical form: programs that must mean the same are built as the same node.

Every node passes through :func:`make`, so rewriting happens from the leaves up and reaches its fixpoint as it goes.
Only rewrites that change no value are made: the engine runs the canonical form, and so does every author.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from clawd.language.expression import LARGEST_NUMBER
from clawd.language.node import Node, ParameterValue, write
from clawd.language.operators import LONGEST_WINDOW, OPERATORS
from clawd.language.signature import MismatchError
from clawd.language.types import Kind

_CHAINS = ("and", "or", "min2", "max2")
_IDEMPOTENT = ("sign", "abs", "cs_rank")
#: Of one bar these are that bar, to the last bit. An exponential mean of one bar is too, but for the rounding of
#: e + (x - e), and x is the truer; Wilder's mean and `smooth` are left as they are.
_SAME_OF_ONE_BAR = (
    *("ts_mean", "ts_sum", "ts_prod", "ts_min", "ts_max", "ts_quantile", "decay_linear"),
    *("min_hold", "rebalance", "ema"),
)


def make(operator: str, inputs: Sequence[Node] = (), parameters: Sequence[ParameterValue] = ()) -> Node:
    """The canonical node of an operator (not a macro) applied to canonical nodes.

    Raises:
        MismatchError: when an input has the wrong type or unit.
    """
    node = _typed(operator, tuple(inputs), tuple(parameters))
    return _rewritten(node)


def family_text(node: Node) -> str:
    """The text of a node without its windows and constants: what it shares with the same idea in other numbers."""
    if node.operator == "const":
        return "k"
    words = [family_text(child) for child in node.inputs]
    if OPERATORS[node.operator].commutative:
        words.sort()
    words += [value if isinstance(value, str) else "_" for value in node.parameters]
    return f"{node.operator}({','.join(words)})"


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
    if name == "abs" and inputs[0].operator in ("neg", "add"):
        return _absolute(node)
    if name in _IDEMPOTENT and inputs[0].operator == name:
        return inputs[0]
    if name in _CHAINS:
        return _chain(node)
    if name == "where" and inputs[1] == inputs[2]:
        return inputs[1]
    if name == "delay" and inputs[0].operator == "delay":
        return _delayed(inputs[0], int(node.parameters[0]))
    if name in _SAME_OF_ONE_BAR and node.parameters[0] == 1:
        return inputs[0]
    if name == "mul" and inputs[0].constant == 1.0 and node.type == inputs[1].type:
        return inputs[1]
    if name == "mul" and inputs[1].constant == 1.0 and node.type == inputs[0].type:
        return inputs[0]
    if (name == "div" and inputs[1].constant == 1.0) or (name == "signed_pow" and node.parameters[0] == 1):
        return inputs[0]
    if name == "as_num" and node.type == inputs[0].type:
        return inputs[0]
    if name == "clip" and inputs[0].operator == "clip":
        return _clipped(node)
    return _unit_kept(node)


def _absolute(node: Node) -> Node:
    """|-x| is |x|, and |a - b| is |b - a| to the last bit: of both ways to write a sum's sign, the first in order.

    As in a chain, the order is first that of their families.
    """
    (inner,) = node.inputs
    if inner.operator == "neg":
        return make("abs", inner.inputs)
    other = make("add", [make("neg", (part,)) for part in inner.inputs])

    def order(part: Node) -> tuple[int, str, str]:
        return part.size, family_text(part), part.text

    return make("abs", (other,)) if order(other) < order(inner) else node


def _chain(node: Node) -> Node:
    """A chain of one of the operators in which neither order, brackets nor repetition matter.

    Its parts are in the order of their families, so that other numbers do not make another family of it. Sums and
    products are no such chains: in floating point, brackets change their last bits.
    """
    name = node.operator
    parts: dict[str, Node] = {}
    waiting = list(node.inputs)
    while waiting:
        part = waiting.pop()
        if part.operator == name:
            waiting += part.inputs
        else:
            parts[part.text] = part
    numbers = [part for part in parts.values() if part.constant is not None]
    if len(numbers) > 1:
        chosen = (min if name == "min2" else max)(numbers, key=lambda part: part.constant or 0.0)
        parts = {text: part for text, part in parts.items() if part.constant is None or part is chosen}
    return _balanced(name, sorted(parts.values(), key=lambda part: (family_text(part), part.text)))


def _balanced(name: str, parts: Sequence[Node]) -> Node:
    """The chain of some parts in their order, as shallow as can be."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return _typed(name, (_balanced(name, parts[:half]), _balanced(name, parts[half:])), ())


def _clipped(node: Node) -> Node:
    """A clip of a clip: one, where the two ranges overlap."""
    (inner,) = node.inputs
    low, high = (
        join(float(first), float(second))
        for join, first, second in zip((max, min), inner.parameters, node.parameters, strict=True)
    )
    return make("clip", inner.inputs, (low, high)) if low < high else node


def _unit_kept(node: Node) -> Node:
    """Without `as_num` where it makes no difference: a rank or a correlation of a price needs no number.

    Nothing else is taken from under a rank, though it may keep the order of real numbers: of floating-point numbers a
    logarithm, a root or a product with a constant makes equal ones that were not, and a logarithm missing ones.
    """
    if not any(child.operator == "as_num" for child in node.inputs):
        return node
    bare = [child.inputs[0] if child.operator == "as_num" else child for child in node.inputs]
    try:
        other = make(node.operator, bare, node.parameters)
    except MismatchError:
        return node
    return other if other.type == node.type else node


def _delayed(inner: Node, bars: int) -> Node:
    """A delay of a delay: one, or where that would pass the longest window, the longest and the rest."""
    first, total = int(inner.parameters[0]), int(inner.parameters[0]) + bars
    if total <= LONGEST_WINDOW:
        return make("delay", inner.inputs, (total,))
    if first == LONGEST_WINDOW:
        return _typed("delay", (inner,), (bars,))
    return make("delay", (make("delay", inner.inputs, (LONGEST_WINDOW,)),), (total - LONGEST_WINDOW,))


def _folded(node: Node) -> float | None:
    """The value of arithmetic on constants alone, None where it stays as it is.

    Only what every machine rounds alike is computed here: no logarithm, no hyperbolic tangent, no power.
    """
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
        case "sign":
            result = float(numbers[0] > 0.0) - float(numbers[0] < 0.0)
        case "sqrt":
            result = math.copysign(math.sqrt(abs(numbers[0])), numbers[0])
        case "as_num":
            result = numbers[0]
        case "clip":
            result = min(max(numbers[0], float(node.parameters[0])), float(node.parameters[1]))
        case "min2":
            result = min(numbers)
        case "max2":
            result = max(numbers)
    return result if result is not None and abs(result) <= LARGEST_NUMBER else None
