"""Which family of ideas a program belongs to, read from the program alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from clawd.language.node import Node
from clawd.language.types import Kind

#: In the order in which they are looked for: a program has one family, that of its rarest ingredient.
FAMILIES: Final = (
    "relation",
    "cross-section",
    "outside",
    "calendar",
    "volume",
    "trend",
    "reversal",
    "volatility",
    "static",
)

_RELATION: Final = frozenset({"asset", "spread_position", "kalman_beta"})
_OUTSIDE: Final = frozenset({"ext", "book", "deriv", "model"})
_VOLATILITY: Final = frozenset({"ts_std", "ts_mad", "ewm_std", "vol_forecast", "ts_skew", "ts_kurt"})
#: Positions whose later inputs say how large a position is, not which.
_SIZING: Final = frozenset({"scale_to_vol", "share_by"})

#: Below this a response to the price is rounding.
_NOTHING: Final = 1e-9


def family(program: Node) -> str:
    """One of :data:`FAMILIES`.

    What a position is scaled by (its volatility, its share of the capital) is left out. Trend and reversal are told
    apart by :func:`response`.
    """
    used = {node.operator for node in _signal(program)}
    if used & _RELATION:
        return "relation"
    if "xs_portfolio" in used or any(name.startswith("cs_") for name in used):
        return "cross-section"
    if used & _OUTSIDE:
        return "outside"
    if "clock" in used:
        return "calendar"
    if "volume" in used:
        return "volume"
    answer = response(program)
    if abs(answer) > _NOTHING:
        return "trend" if answer > 0 else "reversal"
    return "volatility" if used & _VOLATILITY or {"high", "low"} <= used else "static"


def _signal(node: Node) -> Iterator[Node]:
    """The nodes that decide which position is held."""
    yield node
    inputs = node.inputs[:1] if node.operator in _SIZING else node.inputs
    for child in inputs:
        yield from _signal(child)


def response(node: Node) -> float:
    """How the value of a program answers to a rise of the latest price: above 0 it follows, below it leans against.

    The derivative with respect to the logarithm of the latest close (of the open and the volume-weighted price, half of
    it), with thresholds and saturation taken as if they were steep but smooth, and products as if everything in them
    but constants were positive. A mean of w bars answers with a w-th. It is a rule of thumb: what it is for is to keep
    apart what is surely different.
    """
    answers = [response(child) for child in node.inputs]
    rule = _RULES.get(node.operator)
    if rule is not None:
        return rule(node, answers)
    if node.operator.startswith(("ts_m", "ts_sum", "ts_quantile", "decay_linear")):
        return answers[0] / _window(node)
    if node.type.kind is Kind.CONDITION:
        return sum(answers)
    return answers[0] if answers else 0.0


def _window(node: Node) -> float:
    return max(1.0, float(node.parameters[0]))


def _exponential(node: Node, answers: list[float]) -> float:
    return 2.0 * answers[0] / (_window(node) + 1.0)


def _where(node: Node, answers: list[float]) -> float:
    """The branches, and the condition as far as it chooses between two numbers."""
    first, second = (child.constant for child in node.inputs[1:])
    chosen = 0.0 if first is None or second is None else answers[0] * (first - second)
    return chosen + 0.5 * (answers[1] + answers[2])


def _product(node: Node, answers: list[float]) -> float:
    side = -1.0 if any(child.constant is not None and child.constant < 0 for child in node.inputs) else 1.0
    return side * sum(answers)


def _nothing(node: Node, answers: list[float]) -> float:
    del node, answers
    return 0.0


_RULES: Final[Mapping[str, Callable[[Node, list[float]], float]]] = {
    **dict.fromkeys(("close",), lambda _, __: 1.0),
    **dict.fromkeys(("open", "vwap"), lambda _, __: 0.5),
    **dict.fromkeys(("high", "low", "volume", "clock", "ext", "book", "deriv", "model", "const", "delay"), _nothing),
    **dict.fromkeys(("abs", "ts_std", "ts_mad", "ts_skew", "ts_kurt", "ts_r2", "efficiency", "ts_corr"), _nothing),
    **dict.fromkeys(("ewm_std", "vol_forecast", "ou_halflife", "ts_argmin", "ts_argmax"), _nothing),
    **dict.fromkeys(("add", "or", "and", "blend"), lambda _, answers: sum(answers)),
    **dict.fromkeys(("min2", "max2"), lambda _, answers: 0.5 * sum(answers)),
    **dict.fromkeys(("div", "gt", "cross_up", "signal_if", "latch"), lambda _, answers: answers[0] - answers[1]),
    **dict.fromkeys(("neg", "not"), lambda _, answers: -answers[0]),
    **dict.fromkeys(("ema", "rma", "kama", "smooth"), _exponential),
    **dict.fromkeys(("count_true",), lambda node, answers: answers[0] / _window(node)),
    **dict.fromkeys(("bars_since",), lambda _, answers: -answers[0]),
    "between": _nothing,
    "mul": _product,
    "where": _where,
}
