"""Arithmetic of one bar. A missing input makes a missing result."""

from __future__ import annotations

from functools import partial

from clawd.language.operators.operator import LOWER_FIRST, Operator, Rule

EXPONENTS = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0)

_arithmetic = partial(Operator, "arithmetic")

ARITHMETIC = (
    _arithmetic(
        "add", "S[d], S[d] -> S[d]", "x + y", formula="x + y", example="(high + low) / 2 > close", commutative=True
    ),
    _arithmetic("sub", "S[d], S[d] -> S[d]", "x - y", formula="x - y", example="(close - open) / open"),
    _arithmetic(
        "mul", "S[d], S[e] -> S[d*e]", "x * y", formula="x · y", example="ts_sum(close * volume, 20)", commutative=True
    ),
    _arithmetic(
        "div",
        "S[d], S[e] -> S[d/e]",
        "x / y; missing where |y| < 1e-12",
        formula="x / y",
        example="close / delay(close, 20) - 1",
    ),
    _arithmetic("neg", "S[d] -> S[d]", "-x", formula="-x", example="long_short(-ts_zscore(close, 20))"),
    _arithmetic("abs", "S[d] -> S[d]", "|x|", formula="|x|", example="ts_mean(abs(delta(close, 1)), 14)"),
    _arithmetic("sign", "S[d] -> N", "-1, 0 or 1", formula="sgn(x)", example="sign(close - ts_mean(close, 50))"),
    _arithmetic(
        "log",
        "S[d] -> N",
        "natural logarithm; missing where x <= 0. It counts as a pure number, yet the log of a price has the currency"
        " in it: only ratios and differences of logs are comparable across instruments",
        formula="ln x",
        example="log(close / delay(close, 1))",
    ),
    _arithmetic(
        "sqrt",
        "S[d] -> S[sqrt d]",
        "sign(x) times the root of |x|",
        formula="sgn(x) · √|x|",
        example="sqrt(ts_mean(ret(close, 1) * ret(close, 1), 20))",
    ),
    _arithmetic(
        "signed_pow",
        "S[d], k -> S[d^k]",
        "sign(x) times |x| to the power of the constant, one of 0.5, 1, 2, 3, 4, 5",
        formula="sgn(x) · |x|ᵏ",
        source="SignedPower in Z. Kakushadze, 101 Formulaic Alphas, Wilmott 84 (2016)",
        example="long_short(signed_pow(ts_zscore(close, 20) / 3, 3))",
        rule=Rule("a constant of 0.5, 1, 2, 3, 4 or 5", lambda parameters: parameters[0] in EXPONENTS),
    ),
    _arithmetic(
        "pow",
        "N, N -> N",
        "x to the power of y, x held between 0 and 1e6 and y between -10 and 10; missing where x is 0 or below and y"
        " negative",
        formula="min(max(x, 0), 10⁶) ^ min(max(y, -10), 10)",
        source="Z. Kakushadze, 101 Formulaic Alphas, Wilmott 84 (2016); the bounds are ours",
        example="pow(ts_rank(volume, 20), ts_rank(close, 10))",
    ),
    _arithmetic(
        "as_num",
        "S[d] -> N",
        "x without its unit. It lets unlike things be added and compared, which is seldom right: divide by something of"
        " the same unit instead where that can be said",
        formula="x",
        source="clawd; needed for the unit-mixing ones of Z. Kakushadze, 101 Formulaic Alphas, Wilmott 84 (2016)",
        example="as_num(close - open) / (as_num(high - low) + 0.001)",
    ),
    _arithmetic(
        "min2",
        "S[d], S[d] -> S[d]",
        "the smaller of x and y",
        formula="min(x, y)",
        example="min2(open, close) - low > high - max2(open, close)",
        commutative=True,
    ),
    _arithmetic(
        "max2",
        "S[d], S[d] -> S[d]",
        "the larger of x and y",
        formula="max(x, y)",
        example="ts_mean(max2(delta(close, 1), 0), 14)",
        commutative=True,
    ),
    _arithmetic(
        "clip",
        "N, k, k -> N",
        "x held between two constants, the lower first",
        formula="min(max(x, k₁), k₂)",
        example="clip(ts_zscore(close, 60), -2, 2)",
        rule=LOWER_FIRST,
    ),
    _arithmetic(
        "squash",
        "N -> N",
        "tanh(x), between -1 and 1",
        formula="tanh x",
        example="long_short(squash(2 * ts_zscore(close, 120)))",
    ),
)
