"""One operator of the language, as data: how it is typed, what it means, and when its value can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass, field

from clawd.language.signature import Signature

LONGEST_WINDOW = 5_000

ParameterValue = float | int | str


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How much history an operator needs.

    Attributes:
        text: for people, such as "w - 1 bars".
        bars: bars of history before the value is settled, from the numeric parameters in their order.
    """

    text: str
    bars: Callable[[Sequence[float]], int]


NO_WARM_UP = WarmUp("none", lambda _: 0)
ONE_BAR = WarmUp("1 bar", lambda _: 1)
WINDOW = WarmUp("w bars", lambda parameters: int(parameters[0]))
WINDOW_LESS_ONE = WarmUp("w - 1 bars", lambda parameters: int(parameters[0]) - 1)
#: After four windows an exponential mean keeps less than 0.1 % of the value that seeded it.
FOUR_WINDOWS = WarmUp("4 w bars", lambda parameters: 4 * int(parameters[0]))


@dataclass(frozen=True, slots=True)
class Rule:
    """What the parameters of an operator must be, beyond their kinds.

    Attributes:
        text: completes "the operator needs …".
        holds: whether parameters, all of them in their order, keep it.
    """

    text: str
    holds: Callable[[Sequence[ParameterValue]], bool]


LOWER_FIRST = Rule("the lower constant first", lambda parameters: float(parameters[0]) < float(parameters[1]))
SHARE = Rule("a constant between 0 and 1", lambda parameters: 0 <= float(parameters[0]) <= 1)
SHARE_ABOVE_ZERO = Rule("a constant above 0, at most 1", lambda parameters: 0 < float(parameters[0]) <= 1)
VOLATILITY = Rule(
    "a volatility as a yearly share above 0, such as 0.2, at most 10", lambda parameters: 0 < float(parameters[0]) <= 10
)


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator of the language.

    Attributes:
        group: inputs, arithmetic, logic, rolling, recursive, cross-section, position or macros.
        name: as written in an expression.
        written: its signature as text.
        signature: how it is typed.
        meaning: one line for people; ``x``, ``y``, ``z`` are its inputs in order.
        formula: its definition in mathematical signs; ``x[t]`` is x at this bar, ``x[t-1]`` at the one before.
        example: an expression that uses it sensibly.
        source: the paper, book or library whose convention it is, "clawd" for our own; empty for what needs none.
        warm_up: how much history it needs beyond that of its inputs.
        commutative: whether its two inputs may change places.
        least_window: the shortest window that it takes.
        names: the names that it knows; empty where any will do.
        rule: what its parameters must be, beyond their kinds.
        expansion: for a macro, the expression that it stands for; ``$0``, ``$1`` … are its arguments in order.
    """

    group: str
    name: str
    written: InitVar[str]
    meaning: str
    formula: str
    example: str
    source: str = ""
    warm_up: WarmUp = NO_WARM_UP
    commutative: bool = False
    least_window: int = 1
    names: tuple[str, ...] = ()
    rule: Rule | None = None
    expansion: str | None = None
    signature: Signature = field(init=False)

    def __post_init__(self, written: str) -> None:
        object.__setattr__(self, "signature", Signature.parse(written))
