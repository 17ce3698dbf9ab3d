"""What an expression can be: a series with a unit, a condition, a position, or a fixed parameter."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as powers of currency and of quantity: a price is (1, 0), a volume (0, 1), a pure number (0, 0)."""

    currency: Fraction = Fraction(0)
    quantity: Fraction = Fraction(0)

    def __mul__(self, other: Unit) -> Unit:
        return Unit(self.currency + other.currency, self.quantity + other.quantity)

    def __truediv__(self, other: Unit) -> Unit:
        return Unit(self.currency - other.currency, self.quantity - other.quantity)

    def power(self, exponent: Fraction) -> Unit:
        return Unit(self.currency * exponent, self.quantity * exponent)

    def root(self) -> Unit:
        return self.power(Fraction(1, 2))

    def __str__(self) -> str:
        names = {NUMBER: "a pure number", PRICE: "a price", QUANTITY: "a volume", MONEY: "a dollar volume"}
        if self in names:
            return names[self]
        powers = [("currency", self.currency), ("volume", self.quantity)]
        return " × ".join(name if power == 1 else f"{name}^{power}" for name, power in powers if power)

    @property
    def word(self) -> str:
        """As signatures write it: ``px``, ``qty``, ``usd``, ``num``, or a product of ``px`` and ``qty``."""
        known = {NUMBER: "num", PRICE: "px", QUANTITY: "qty", MONEY: "usd"}
        if self in known:
            return known[self]
        powers = [("px", self.currency), ("qty", self.quantity)]
        return "·".join(name if power == 1 else f"{name}^{power}" for name, power in powers if power)


NUMBER = Unit()
PRICE = Unit(currency=Fraction(1))
QUANTITY = Unit(quantity=Fraction(1))
MONEY = Unit(currency=Fraction(1), quantity=Fraction(1))


class Kind(Enum):
    """The kinds of value that flow between operators."""

    SERIES = "a series"
    CONDITION = "a condition"
    POSITION = "a position"


@dataclass(frozen=True, slots=True)
class Type:
    """The type of an expression. Only a series has a unit other than a pure number."""

    kind: Kind
    unit: Unit = NUMBER

    def __str__(self) -> str:
        return str(self.unit) if self.kind is Kind.SERIES else self.kind.value


CONDITION = Type(Kind.CONDITION)
POSITION = Type(Kind.POSITION)


class Parameter(Enum):
    """The kinds of fixed parameter. They are written as literals and never change while a strategy runs."""

    WINDOW = "a window: a whole number of bars"
    CONSTANT = "a constant: a number"
    QUANTILE = "a quantile: a number from 0 to 1"
    NAME = "a name in quotes"
    INSTRUMENT = "an instrument's symbol in quotes"
    GROUP = "the name of a classification in quotes"
