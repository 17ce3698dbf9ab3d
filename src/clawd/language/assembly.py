"""Programs put together from nodes instead of text, under the checks of the builder.

The JSON form, the node graph and the genetic operators all build their programs here, so none of them can make a
program that could not have been written.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Sequence
from functools import cache, lru_cache

from clawd.core.errors import ClawdError
from clawd.language.builder import DEEPEST_PROGRAM, LARGEST_PROGRAM, build
from clawd.language.canonical import make
from clawd.language.expression import LARGEST_NUMBER, LONGEST_NAME
from clawd.language.node import Node, ParameterValue, literal
from clawd.language.operators import OPERATORS
from clawd.language.signature import MismatchError
from clawd.language.types import Parameter

#: Nodes that a file may hold. No program within the bounds of the builder has as many.
MOST_NODES = 10_000
#: Characters of a program with shared parts written out, before it is made canonical.
LONGEST_WRITTEN = 2 * LARGEST_PROGRAM

_SAMPLES = {"N": "close / open", "B": "close > open", "P": "long_only(1)", "px": "close", "qty": "volume"}
_SAMPLES |= {"usd": "close * volume"}


def assemble(name: str, inputs: Sequence[Node], parameters: Sequence[ParameterValue]) -> Node:
    """The canonical node of any operator, macros included, applied to canonical nodes.

    Args:
        name: an operator of the registry.
        inputs, parameters: as many as its signature takes; every parameter a :func:`sound` value.

    Raises:
        ClawdError: in one line and without a place, when it would not be a program.
    """
    operator = OPERATORS[name]
    plain = tuple(_plain(kind, value) for kind, value in zip(operator.signature.parameters, parameters, strict=True))
    if operator.expansion is None and admits(name, plain):
        try:
            node = make(name, inputs, plain)
        except MismatchError:
            return _built(name, inputs, plain)
        if node.depth <= DEEPEST_PROGRAM and len(node.text) <= LARGEST_PROGRAM:
            return node
    return _built(name, inputs, plain)


@lru_cache(maxsize=65_536)
def admits(name: str, parameters: tuple[ParameterValue, ...]) -> bool:
    """Whether an operator may have these parameters, by the builder's own judgement."""
    try:
        _built(name, [sample(word) for word in OPERATORS[name].signature.inputs], parameters)
    except ClawdError:
        return False
    return True


def sound(value: object, key: str, where: str) -> ParameterValue:
    """A value of a file that may stand as a parameter: a bounded number, or a short printable text without quotes.

    Raises:
        ClawdError: when it is something else.
    """
    if isinstance(value, str):
        if '"' in value or not value.isprintable() or len(value) > LONGEST_NAME:
            raise ClawdError(
                f"`{key}` must be a printable text without quotes, of at most {LONGEST_NAME} characters", where=where
            )
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_NUMBER:
        raise ClawdError(
            f"`{key}` must be a number of at most {LARGEST_NUMBER:g}, not {reprlib.repr(value)}", where=where
        )
    return value


def shown(value: object) -> str:
    """Anything from a file as an error message may repeat it: short, and nothing in it that moves a cursor."""
    if not isinstance(value, str):
        return reprlib.repr(value)
    return "`" + "".join(letter if letter.isprintable() else "?" for letter in value[:LONGEST_NAME]) + "`"


@cache
def parameter_keys(name: str) -> tuple[str, ...]:
    """The short key of each parameter of an operator, such as ``("k", "k")`` for clip."""
    signature = OPERATORS[name].signature
    words = [word.strip() for word in signature.text.partition("->")[0].split(",")]
    return tuple(words[len(signature.inputs) :]) if signature.parameters else ()


def _plain(kind: Parameter, value: ParameterValue) -> ParameterValue:
    if isinstance(value, str):
        return value
    return int(value) if kind is Parameter.WINDOW and math.isfinite(value) and value == int(value) else float(value)


def _built(name: str, inputs: Sequence[Node], parameters: Sequence[ParameterValue]) -> Node:
    bindings = {f"${index}": node for index, node in enumerate(inputs)}
    words = [*bindings, *(literal(value) for value in parameters)]
    if name in ("and", "or"):
        source = f"{words[0]} {name} {words[1]}"
    elif name == "not":
        source = f"not {words[0]}"
    else:
        source = f"{name}({', '.join(words)})" if words else name
    try:
        node = build(source, bindings)
    except ClawdError as error:
        raise ClawdError(error.what.partition("\n")[0], hint=error.hint) from None
    assert isinstance(node, Node)
    return node


@cache
def sample(word: str) -> Node:
    """Some node that fits an input of a signature."""
    unit = word[2:-1] if word.startswith("S[") else word
    node = build(_SAMPLES.get(unit, _SAMPLES["N"]))
    assert isinstance(node, Node)
    return node
