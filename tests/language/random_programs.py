"""Random programs that are valid: well typed, of any operator of the registry, as text.

``Writer`` takes any ``random.Random``: a test may use a seed, and Hypothesis its own source through :func:`programs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from random import Random

from hypothesis import strategies as st

from clawd.language.operators import CLOCK_NAMES, OPERATORS, Operator
from clawd.language.operators.arithmetic import EXPONENTS
from clawd.language.types import CONDITION, MONEY, NUMBER, POSITION, PRICE, QUANTITY, Kind, Parameter, Type, Unit

UNITS = (NUMBER, PRICE, QUANTITY, MONEY)
_FIXED = {"num": NUMBER, "px": PRICE, "qty": QUANTITY, "usd": MONEY}
_LEAVES = {PRICE: ("open", "high", "low", "close", "vwap"), QUANTITY: ("volume",)}
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "gt": ">"}
_WORDS = {"and": "and", "or": "or"}

#: The operators that look at other instruments.
ACROSS = frozenset(
    {
        *(name for name, operator in OPERATORS.items() if operator.group == "cross-section"),
        *("xs_portfolio", "share_by", "inv_vol", "spread_position"),
    }
)
#: The names of outside series that a market of the tests has, by the input that reads them.
SERIES = {"ext": ("mood", "rate"), "book": ("imbalance5",), "deriv": ("funding_8h",), "model": ("mu",)}

Bindings = dict[str, Unit]


def series(unit: Unit) -> Type:
    return Type(Kind.SERIES, unit)


@dataclass
class Writer:
    """Writes random programs.

    Attributes:
        random: where its choices come from.
        without: operators that it does not use.
        windows, symbols, groups: what it may name.
        series: names of outside series, by the input that reads them.
        bound: names that are bound to something of a type, as by [let].
    """

    random: Random
    without: frozenset[str] = frozenset()
    windows: Sequence[int] = (1, 2, 3, 5, 8, 13)
    symbols: Sequence[str] = ("A", "B", "C")
    groups: Sequence[str] = ("sector",)
    series: Mapping[str, Sequence[str]] = field(default_factory=lambda: SERIES)
    bound: Mapping[str, Type] = field(default_factory=dict)

    def write(self, goal: Type, depth: int) -> str:
        """An expression of a type, at most so many operators deep, macros counted as one."""
        bound = [name for name, kind in self.bound.items() if kind == goal]
        if bound and self.random.random() < 0.3:
            return self.random.choice(bound)
        leaf = self._leaf(goal)
        if leaf is not None and (depth <= 0 or self.random.random() < 0.15):
            return leaf
        if depth <= 0:
            return self._shallow(goal)
        operator, units = self.random.choice(self._candidates(goal, depth))
        return self._call(operator, units, goal, depth)

    def _leaf(self, goal: Type) -> str | None:
        if goal.kind is not Kind.SERIES:
            return None
        if goal.unit in _LEAVES:
            return self.random.choice([name for name in _LEAVES[goal.unit] if name not in self.without])
        if goal.unit != NUMBER:
            return None
        form = self.random.randrange(4)
        if form == 0:
            kind = self.random.choice([kind for kind in self.series if kind not in self.without])
            return f'{kind}("{self.random.choice(self.series[kind])}")'
        if form == 1:
            return f'clock("{self.random.choice(CLOCK_NAMES)}")'
        return self.number()

    def _shallow(self, goal: Type) -> str:
        if goal == CONDITION:
            unit = self.random.choice((PRICE, QUANTITY, NUMBER))
            return f"({self._leaf(series(unit))} > {self._leaf(series(unit))})"
        if goal == POSITION:
            return f"{self.random.choice(('long_short', 'long_only'))}({self._leaf(series(NUMBER))})"
        return "(close * volume)"

    def number(self) -> str:
        return f"{self.random.choice((-2, -1, -0.5, 0.25, 0.5, 1, 1.5, 2, 3, 10, 50)):g}"

    def _candidates(self, goal: Type, depth: int) -> list[tuple[Operator, Bindings]]:
        found: list[tuple[Operator, Bindings]] = []
        for operator in OPERATORS.values():
            plain = operator.group != "inputs" and operator.name not in self.without
            if plain and (operator.expansion is None or depth <= 2):
                found += [(operator, dict(units)) for units in _bindings(operator.signature.result, goal)]
        return found

    def _call(self, operator: Operator, units: Bindings, goal: Type, depth: int) -> str:
        wanted = operator.signature.inputs
        arguments = []
        for index, word in enumerate(wanted):
            twin = word in wanted[:index] and word not in ("B", "P", "N")
            zero = twin and self.random.random() < 0.08
            arguments.append("0" if zero else self.write(self._type(word, units), depth - 1))
        name = operator.name
        if name in _WORDS:
            return f"({arguments[0]} {name} {arguments[1]})"
        if name == "not":
            return f"(not {arguments[0]})"
        if name == "gt" and self.random.random() < 0.5:
            return f"({arguments[1]} < {arguments[0]})"
        if name in _SIGNS and self.random.random() < 0.8:
            return f"({arguments[0]} {_SIGNS[name]} {arguments[1]})"
        if name == "neg":
            return f"(-{arguments[0]})"
        arguments += [self._exponent(units["d"], goal)] if name == "signed_pow" else self._parameters(operator)
        return f"{name}({', '.join(arguments)})" if arguments else name

    def _type(self, word: str, units: Bindings) -> Type:
        if word in ("B", "P"):
            return CONDITION if word == "B" else POSITION
        letter = "num" if word == "N" else word[2:-1]
        if letter in _FIXED:
            return series(_FIXED[letter])
        return series(units.setdefault(letter, self.random.choice(UNITS)))

    def _exponent(self, unit: Unit, goal: Type) -> str:
        """A power of a unit that is that of the goal."""
        return f"{self.random.choice([k for k in EXPONENTS if unit.power(Fraction(k)) == goal.unit]):g}"

    def _parameters(self, operator: Operator) -> list[str]:
        pick, name = self.random.choice, operator.name
        if name in ("clip", "between"):
            low = pick((-2, -1, 0, 0.25))
            return [f"{low:g}", f"{low + pick((0.5, 1, 3)):g}"]
        if name == "hysteresis":
            low = pick((0, 0.25, 0.5))
            return [f"{low + pick((0, 0.5, 1)):g}", f"{low:g}"]
        if name == "spread_position":
            return [f'"{symbol}"' for symbol in self.random.sample(list(self.symbols), 2)]
        parameters = []
        for kind in operator.signature.parameters:
            if kind is Parameter.WINDOW:
                # One bar of an exponential mean is the bar itself but for a rounding, so it is not compared.
                shortest = max(operator.least_window, 2 if name == "ema" else 1)
                parameters.append(str(max(shortest, pick(self.windows))))
            elif kind is Parameter.INSTRUMENT:
                parameters.append(f'"{pick(self.symbols)}"')
            elif kind is Parameter.GROUP:
                parameters.append(f'"{pick(self.groups)}"')
            elif kind is Parameter.QUANTILE:
                parameters.append(f"{pick((0.05, 0.25, 0.75, 0.9)):g}")
            else:
                parameters.append(f"{pick((0.1, 0.25, 0.5, 0.9)):g}")
        return parameters


@cache
def _bindings(result: str, goal: Type) -> list[Bindings]:
    """The units of a signature's letters with which its result has the type of the goal."""
    if goal.kind is not Kind.SERIES:
        return [{}] if result == ("B" if goal == CONDITION else "P") else []
    if result in ("B", "P"):
        return []
    inside = "num" if result == "N" else result[2:-1]
    if inside in _FIXED:
        return [{}] if _FIXED[inside] == goal.unit else []
    if inside.startswith("sqrt "):
        return [{inside[5:]: unit} for unit in UNITS if unit.root() == goal.unit]
    if inside == "d^k":
        return [{"d": unit} for unit in UNITS if any(unit.power(Fraction(k)) == goal.unit for k in EXPONENTS)]
    for sign in "*/":
        left, found, right = inside.partition(sign)
        if found:
            return [{left: a, right: b} for a in UNITS for b in UNITS if (a * b if sign == "*" else a / b) == goal.unit]
    return [{inside: goal.unit}]


def strategy_toml(random: Random, depth: int, without: frozenset[str] = frozenset()) -> str:
    """The text of a random strategy file, with named parts and exits."""
    writer = Writer(random, without)
    bound: dict[str, Type] = {}
    lines = [f'name = "random {random.randrange(10**6)}"']
    if random.random() < 0.5:
        lines.append(f'bar = "{random.choice(("5m", "1h", "1d", "90m"))}"')
    if random.random() < 0.3:
        lines.append('universe = ["A", "B", "C"]')
    if random.random() < 0.3:
        lines += ['claim = "it rises"', 'source = "a paper"']
    lines.append("[let]")
    for index in range(random.randrange(4)):
        writer.bound = bound
        kind = random.choice((series(NUMBER), series(PRICE), series(QUANTITY), CONDITION, POSITION))
        name = f"part_{index}"
        lines.append(f"{name} = '{writer.write(kind, depth - 1)}'")
        bound[name] = kind
    lines += ["[position]", f"target = '{Writer(random, without, bound=bound).write(POSITION, depth)}'", "[exits]"]
    for key, chance in (("stop", 1.0), ("trail", 0.4), ("take", 0.4)):
        if random.random() < chance:
            atr = f"{{ atr = {random.choice((0.5, 2, 3.5))}, window = {random.choice((3, 7, 14))} }}"
            lines.append(f"{key} = {random.choice((atr, '{ percent = 7.5 }'))}")
    for key in ("time", "cooldown"):
        if random.random() < 0.3:
            lines.append(f"{key} = {random.choice((1, 5, 40))}")
    return "\n".join(lines) + "\n"


@st.composite
def programs(draw: st.DrawFn, goal: Type = POSITION, depth: int = 4) -> str:
    """Texts of valid programs of a type."""
    return Writer(draw(st.randoms(use_true_random=False))).write(goal, draw(st.integers(1, depth)))


@st.composite
def strategies(draw: st.DrawFn, depth: int = 3) -> str:
    """Texts of valid strategy files."""
    return strategy_toml(draw(st.randoms(use_true_random=False)), draw(st.integers(1, depth)))
