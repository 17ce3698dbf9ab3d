"""Units and types: what may be combined with what, and what comes of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.language.builder import build, type_of
from clawd.language.operators import OPERATORS
from clawd.language.signature import Signature
from clawd.language.types import CONDITION, MONEY, NUMBER, POSITION, PRICE, QUANTITY, Kind, Type, Unit
from language.random_programs import UNITS, Writer, series

TYPES = {
    "close": "a price",
    "volume": "a volume",
    "close * volume": "a dollar volume",
    "close / open": "a pure number",
    "close * volume / volume": "a price",
    "close * volume / close": "a volume",
    "volume / close": "currency^-1 × volume",
    "close * close": "currency^2",
    "sqrt(close * close)": "a price",
    "sqrt(close)": "currency^1/2",
    "signed_pow(close, 0.5)": "currency^1/2",
    "signed_pow(close, 1)": "a price",
    "signed_pow(close, 3)": "currency^3",
    "signed_pow(close * volume, 2)": "currency^2 × volume^2",
    "signed_pow(sqrt(close), 2)": "a price",
    "signed_pow(close / open, 5)": "a pure number",
    "as_num(close * volume)": "a pure number",
    "as_num(close) + as_num(open)": "a pure number",
    "max2(as_num(close), as_num(open))": "a pure number",
    "log(close)": "a pure number",
    "vwap": "a price",
    'book("imbalance5")': "a pure number",
    "ts_cov(close, volume, 5)": "a dollar volume",
    "ts_cov(close, close, 5)": "currency^2",
    "ts_resid(volume, close, 5)": "a volume",
    "ts_quantile(close * volume, 5, 0.5)": "a dollar volume",
    "ts_argmax(volume, 5)": "a pure number",
    "kalman_level(volume, 0.1)": "a volume",
    "adv(20)": "a dollar volume",
    "coint_z(close, open, 20)": "a pure number",
    "cs_top(ret(close, 5), 0.2)": "a condition",
    'spread_position(long_only(1), 1, "A", "B")': "a position",
    "sqrt(close) * sqrt(close)": "a price",
    "1 / close": "currency^-1",
    "-close": "a price",
    "abs(close - open)": "a price",
    "sign(close - open)": "a pure number",
    "ret(close, 1)": "a pure number",
    "ts_zscore(volume, 5)": "a pure number",
    "ts_beta(close, volume, 5)": "currency × volume^-1",
    "ts_corr(close, volume, 5)": "a pure number",
    "atr(14)": "a price",
    "where(close > open, close, open)": "a price",
    "where(close > open, 0, open)": "a price",
    "max2(close - open, 0)": "a price",
    "max2(0, close - open)": "a price",
    "0 + close": "a price",
    "2 * close": "a price",
    "close > open": "a condition",
    "close > 0": "a condition",
    "long_short(close / open)": "a position",
    "cs_rank(close * volume)": "a pure number",
    'asset(volume, "A")': "a volume",
    "3": "a pure number",
}


@pytest.mark.parametrize(("expression", "expected"), TYPES.items())
def test_an_expression_has_the_type(expression: str, expected: str) -> None:
    assert str(type_of(build(expression))) == expected


@pytest.mark.parametrize("sign", ["+", "-", ">", "<"])
@pytest.mark.parametrize("left", UNITS)
@pytest.mark.parametrize("right", UNITS)
def test_only_equal_units_are_added_or_compared(sign: str, left: Unit, right: Unit) -> None:
    text = {PRICE: "close", QUANTITY: "volume", MONEY: "(close * volume)", NUMBER: "ret(close, 1)"}
    expression = f"{text[left]} {sign} {text[right]}"
    if left == right:
        assert type_of(build(expression)) == (CONDITION if sign in "<>" else series(left))
    else:
        with pytest.raises(ClawdError, match="the same unit on both sides"):
            build(expression)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.randoms(use_true_random=False),
    st.sampled_from([*(series(unit) for unit in UNITS), CONDITION, POSITION]),
    st.integers(0, 4),
)
def test_a_program_written_for_a_type_has_it(random, goal: Type, depth: int) -> None:  # type: ignore[no-untyped-def]
    found = type_of(build(Writer(random).write(goal, depth)))
    if goal.kind is Kind.SERIES and goal.unit == NUMBER:
        assert found.kind is Kind.SERIES
    else:
        assert found == goal


units = st.builds(Unit, st.fractions(-3, 3, max_denominator=4), st.fractions(-3, 3, max_denominator=4))


@given(units, units)
def test_units_multiply_and_divide_as_numbers_do(a: Unit, b: Unit) -> None:
    assert a * b == b * a
    assert a * b / b == a
    assert a / a == NUMBER
    assert (a * a).root() == a


def test_a_signature_that_puts_a_parameter_before_an_input_is_refused() -> None:
    with pytest.raises(ValueError, match="inputs must come before parameters"):
        Signature.parse("w, S[d] -> S[d]")


def test_the_registry_has_one_entry_a_name_and_a_meaning_for_each() -> None:
    for name, operator in OPERATORS.items():
        assert operator.name == name
        assert name.isidentifier()
        assert operator.meaning
        assert not operator.commutative or len(operator.signature.inputs) == 2
