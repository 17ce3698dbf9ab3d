"""Signatures such as ``S[d], S[e], w -> S[d/e]``: how an operator's arguments and result are typed.

``S[d]`` is a series whose unit is called d; equal letters must be equal units. ``px``, ``qty`` and ``usd`` are the
fixed units of prices, volumes and their product, ``N`` is a series that is a pure number, ``B`` a condition and ``P`` a
position. ``w`` is a window, ``k`` a constant, ``q`` a quantile; ``name``, ``a`` (an instrument) and ``g`` (a
classification of the market, such as by sector) are words in quotes. A unit in a result may be ``d*e``, ``d/e``,
``sqrt d`` or ``d^k``, the power of the constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from clawd.language.types import (
    CONDITION,
    MONEY,
    NUMBER,
    POSITION,
    PRICE,
    QUANTITY,
    Kind,
    Parameter,
    Type,
    Unit,
)

_PARAMETERS = {
    "w": Parameter.WINDOW,
    "k": Parameter.CONSTANT,
    "q": Parameter.QUANTILE,
    "name": Parameter.NAME,
    "a": Parameter.INSTRUMENT,
    "g": Parameter.GROUP,
}
#: How a signature, and the JSON form, writes each kind of parameter.
PARAMETER_KEYS = {kind: word for word, kind in _PARAMETERS.items()}
_FIXED_UNITS = {"num": NUMBER, "px": PRICE, "qty": QUANTITY, "usd": MONEY}
_FIXED_TYPES = {"N": Type(Kind.SERIES), "B": CONDITION, "P": POSITION}


@dataclass(frozen=True, slots=True)
class Signature:
    """A parsed signature.

    Attributes:
        inputs: the series, conditions and positions it takes, as written, in order.
        parameters: the fixed parameters it takes, in order; they always follow the inputs.
        result: its result as written.
        text: the whole as written.
    """

    inputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    result: str
    text: str

    @classmethod
    def parse(cls, text: str) -> Signature:
        left, _, right = text.partition("->")
        tokens = [token.strip() for token in left.split(",") if token.strip()]
        inputs = tuple(token for token in tokens if token not in _PARAMETERS)
        parameters = tuple(_PARAMETERS[token] for token in tokens if token in _PARAMETERS)
        if tuple(tokens[: len(inputs)]) != inputs:
            raise ValueError(f"inputs must come before parameters in `{text}`")
        return cls(inputs, parameters, right.strip(), text)

    def result_type(
        self, arguments: Sequence[Type], free: Sequence[bool], parameters: Sequence[float | int | str] = ()
    ) -> Type:
        """The type of the result for given inputs.

        Args:
            arguments: types of the inputs, as many as ``inputs``.
            free: true for an input that fits any unit (the constant zero).
            parameters: values of the parameters, needed where the result is a power of a constant.

        Raises:
            MismatchError: for the first input that does not fit.
        """
        units: dict[str, Unit] = {}
        for index, (wanted, given) in enumerate(zip(self.inputs, arguments, strict=True)):
            if wanted in ("B", "P"):
                if given.kind is not _FIXED_TYPES[wanted].kind:
                    raise MismatchError(index, str(_FIXED_TYPES[wanted]), str(given))
                continue
            if given.kind is not Kind.SERIES:
                raise MismatchError(index, "a series", str(given))
            if free[index]:
                continue
            letter = "num" if wanted == "N" else wanted[2:-1]
            unit = _FIXED_UNITS.get(letter, units.get(letter))
            if unit is None:
                units[letter] = given.unit
            elif unit != given.unit:
                raise MismatchError(index, str(unit), str(given))
        if self.result in _FIXED_TYPES:
            return _FIXED_TYPES[self.result]
        base, power, _ = self.result[2:-1].partition("^")
        unit = _unit(base, units)
        if power:
            exponent = next(
                value for value, kind in zip(parameters, self.parameters, strict=True) if kind is Parameter.CONSTANT
            )
            unit = unit.power(Fraction(exponent))
        return Type(Kind.SERIES, unit)


class MismatchError(Exception):
    """Input ``index`` was ``given`` where ``wanted`` was needed."""

    def __init__(self, index: int, wanted: str, given: str) -> None:
        self.index, self.wanted, self.given = index, wanted, given
        super().__init__(index, wanted, given)


def _unit(text: str, units: dict[str, Unit]) -> Unit:
    if text.startswith("sqrt "):
        return _unit(text[5:], units).root()
    for sign in "*/":
        left, found, right = text.partition(sign)
        if found:
            first, second = _unit(left, units), _unit(right, units)
            return first * second if sign == "*" else first / second
    return _FIXED_UNITS[text] if text in _FIXED_UNITS else units.get(text, NUMBER)
