"""What random programs are made of: operators, grids of parameters, names, and bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, product
from random import Random

from clawd.language.assembly import admits, assemble, sample
from clawd.language.builder import build
from clawd.language.canonical import make
from clawd.language.node import Node, ParameterValue
from clawd.language.operators import OPERATORS, Operator
from clawd.language.signature import MismatchError
from clawd.language.types import CONDITION, MONEY, NUMBER, POSITION, PRICE, QUANTITY, Kind, Parameter, Type, Unit

WINDOWS = (2, 3, 5, 8, 10, 14, 20, 30, 40, 60, 90, 120, 180, 250)
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
_SMALL = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.7, 0.8)
_LARGE = (1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 50.0, 70.0, 80.0, 100.0)
_MAGNITUDES = (*_SMALL, *_LARGE)
CONSTANTS = (*(-value for value in reversed(_MAGNITUDES)), 0.0, *_MAGNITUDES)

#: What every market has names for.
_CALENDAR = ("hour", "weekday", "month_day", "month", "minutes_to_close", "is_month_turn")
#: Operators that mix units, which random programs leave alone unless they are asked to.
UNTYPED = frozenset({"as_num"})
#: How often the units of an operator's inputs are drawn: most ideas are about prices and pure numbers.
_LIKELY: Mapping[Unit, float] = {NUMBER: 4.0, PRICE: 4.0, QUANTITY: 1.0, MONEY: 0.5}
_EXAMPLES = {NUMBER: "close / open", PRICE: "close", QUANTITY: "volume", MONEY: "close * volume"}
_TRIES = 60
_SMALL_NUMBER, _REDRAWS = 2.0, 2


@dataclass(frozen=True, slots=True)
class Production:
    """A way to make something of a type: an operator applied to inputs of these types.

    Attributes:
        operator, inputs: what is applied to what.
        parameters: its parameters where the type hangs on them, as with a power; None where any will do.
        depth, size: the least that it comes to.
    """

    operator: Operator
    inputs: tuple[Type, ...]
    parameters: tuple[ParameterValue, ...] | None = None
    depth: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Choices:
    """The productions of one operator for one type, to draw from.

    Attributes:
        productions, weights: one for each units of the inputs, with cumulative weights.
        depth, size: the least of the smallest.
        leaf: whether it takes no inputs.
        modifier: whether it changes a position rather than making one.
    """

    productions: tuple[Production, ...]
    weights: tuple[float, ...]
    depth: int
    size: int
    leaf: bool
    modifier: bool

    def draw(self, random: Random, depth: int, size: int) -> Production:
        """One that fits into a depth and a size into which the smallest does."""
        drawn = random.choices(self.productions, cum_weights=self.weights)[0]
        if drawn.depth <= depth and drawn.size <= size:
            return drawn
        return random.choice([each for each in self.productions if each.depth <= depth and each.size <= size])


@dataclass(frozen=True)
class Vocabulary:
    """What random programs may use.

    Attributes:
        operators: names of operators, macros included.
        windows, constants, quantiles: the grids of parameters, rising.
        names: what the market has for inputs that ask by name, such as ``{"ext": ("vix",)}``. The calendar is known.
        instruments: symbols that may be named.
        groups: names of groupings of instruments.
        deepest: nodes on the longest path of a canonical program.
        largest: nodes of a canonical program written out as a tree.
    """

    operators: tuple[str, ...] = tuple(name for name in OPERATORS if name not in UNTYPED)
    windows: tuple[int, ...] = WINDOWS
    constants: tuple[float, ...] = CONSTANTS
    quantiles: tuple[float, ...] = QUANTILES
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    instruments: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    deepest: int = 12
    largest: int = 60

    def values(self, operator: str, kind: Parameter) -> Sequence[ParameterValue]:
        """What a parameter may be drawn from."""
        match kind:
            case Parameter.WINDOW:
                return self.windows
            case Parameter.CONSTANT:
                return self.constants
            case Parameter.NAME:
                names = _CALENDAR if operator == "clock" else self.names.get(operator, ())
                return [name for name in names if admits(operator, (name,))]
            case Parameter.INSTRUMENT:
                return self.instruments
        return self.quantiles if kind.name == "QUANTILE" else self.groups

    def parameters(self, random: Random, operator: str) -> tuple[ParameterValue, ...] | None:
        """Random parameters that the operator admits, None where none were found."""
        grids = [self.values(operator, kind) for kind in OPERATORS[operator].signature.parameters]
        if not all(grids):
            return None
        for _ in range(_TRIES):
            drawn = tuple(_drawn(random, grid) for grid in grids)
            if admits(operator, drawn):
                return drawn
        return None

    @cached_property
    def choices(self) -> Mapping[Type, tuple[Choices, ...]]:
        """Every way to make each type that can be made at all."""
        productions = self._productions()
        costs = {
            name: self._cost(name) for name in {each.operator.name for ways in productions.values() for each in ways}
        }
        # What is always at hand is made of prices: were the calendar or an outside series the smallest number, half of
        # all conditions would be about the weekday.
        priced = {
            goal: [way for way in ways if way.inputs or not way.operator.signature.parameters]
            for goal, ways in productions.items()
        }
        least = {**_least(productions, costs), **_least(priced, costs)}
        table: dict[Type, tuple[Choices, ...]] = {}
        for goal in least:
            ways: dict[str, list[Production]] = {}
            for production in productions[goal]:
                if all(kind in least for kind in production.inputs):
                    ways.setdefault(production.operator.name, []).append(production)
            table[goal] = tuple(_choices(found, least, costs[name]) for name, found in ways.items())
        return table

    @cached_property
    def kin(self) -> Mapping[tuple[int, tuple[Parameter, ...]], tuple[str, ...]]:
        """Operators by how many inputs and which parameters they take: they may stand in for each other."""
        found: dict[tuple[int, tuple[Parameter, ...]], list[str]] = {}
        for name in self.operators:
            signature = OPERATORS[name].signature
            if OPERATORS[name].expansion is None:
                found.setdefault((len(signature.inputs), signature.parameters), []).append(name)
        return {key: tuple(names) for key, names in found.items()}

    def _productions(self) -> dict[Type, list[Production]]:
        found: dict[Type, list[Production]] = {}
        series = [Type(Kind.SERIES, unit) for unit in _LIKELY]
        examples = {kind: _example(kind) for kind in (CONDITION, POSITION, *series)}
        for name in self.operators:
            operator = OPERATORS[name]
            drawn = self.parameters(Random(0), name)
            if drawn is None:
                continue
            ways: list[tuple[ParameterValue, ...]] = [drawn]
            if _is_power(operator):
                ways = [(value,) for value in self.constants if admits(name, (value,))]
            words = operator.signature.inputs
            kinds = [[CONDITION] if word == "B" else [POSITION] if word == "P" else series for word in words]
            for inputs, parameters in product(product(*kinds), ways):
                try:
                    result = _result([examples[kind] for kind in inputs], operator, parameters)
                except MismatchError:
                    continue
                fixed = parameters if _is_power(operator) else None
                found.setdefault(result, []).append(Production(operator, inputs, fixed))
        return found

    def _cost(self, name: str) -> tuple[int, int]:
        """How much depth and how many nodes an operator adds to its inputs: one each, more for a macro."""
        inputs = [sample(word) for word in OPERATORS[name].signature.inputs]
        node = assemble(name, inputs, self.parameters(Random(0), name) or ())
        depth = node.depth - max((each.depth for each in inputs), default=0)
        return max(1, depth), max(1, node.size - sum(each.size for each in inputs))


def _drawn(random: Random, grid: Sequence[ParameterValue]) -> ParameterValue:
    """A value of a grid, a small number before a large one: most pure numbers are shares, ranks and z-scores."""
    value = random.choice(grid)
    for _ in range(_REDRAWS):
        if not isinstance(value, float) or abs(value) <= _SMALL_NUMBER:
            break
        value = random.choice(grid)
    return value


def _is_power(operator: Operator) -> bool:
    return "^" in operator.signature.result


def _result(inputs: Sequence[Node], operator: Operator, parameters: tuple[ParameterValue, ...]) -> Type:
    if operator.expansion is None:
        return make(operator.name, inputs, parameters).type
    return operator.signature.result_type([node.type for node in inputs], [False] * len(inputs))


def _example(kind: Type) -> Node:
    """Something of a type, none of it constant, which would fit any unit."""
    texts = {CONDITION: "close > open", POSITION: "long_only(close / open)"}
    node = build(texts.get(kind) or _EXAMPLES[kind.unit])
    assert isinstance(node, Node)
    return node


def _least(
    productions: Mapping[Type, Sequence[Production]], costs: Mapping[str, tuple[int, int]]
) -> dict[Type, tuple[int, int]]:
    """The least depth and the least size of anything of each type that can be made."""
    least: dict[Type, tuple[int, int]] = {}
    changed = True
    while changed:
        changed = False
        for goal, ways in productions.items():
            for way in ways:
                if not all(kind in least for kind in way.inputs):
                    continue
                depth, size = costs[way.operator.name]
                depth += max((least[kind][0] for kind in way.inputs), default=0)
                size += sum(least[kind][1] for kind in way.inputs)
                before = least.get(goal, (depth + 1, size + 1))
                after = min(depth, before[0]), min(size, before[1])
                if after != least.get(goal):
                    least[goal], changed = after, True
    return least


def _choices(found: Sequence[Production], least: Mapping[Type, tuple[int, int]], cost: tuple[int, int]) -> Choices:
    sized = [
        replace(
            production,
            depth=cost[0] + max((least[kind][0] for kind in production.inputs), default=0),
            size=cost[1] + sum(least[kind][1] for kind in production.inputs),
        )
        for production in found
    ]
    likely = [min((_LIKELY.get(kind.unit, 0.5) for kind in each.inputs), default=1.0) for each in sized]
    # One fits both bounds at once: each of them is least for the production whose units cost least.
    smallest = min(sized, key=lambda each: (each.size, each.depth))
    return Choices(
        productions=tuple(sized),
        weights=tuple(accumulate(likely)),
        depth=smallest.depth,
        size=smallest.size,
        leaf=not sized[0].inputs,
        modifier=POSITION in sized[0].inputs,
    )
