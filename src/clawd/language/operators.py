"""The registry of operators: the one list that the parser, the engine and the documentation read.

Each operator is causal: its value at a bar depends on that bar and earlier ones of the same instrument, or of other
instruments at the same bar. There is no operator that shifts forward, so a look into the future cannot be written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clawd.language.signature import Signature

LONGEST_WINDOW = 5_000

Lookback = Callable[[Sequence[float]], int]


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator of the language.

    Attributes:
        name: as written in an expression.
        group: inputs, arithmetic, logic, rolling, recursive, cross-section or position.
        signature: how it is typed.
        meaning: one line for people; ``x``, ``y``, ``z`` are its inputs in order.
        lookback: bars of history before the value is settled, from the parameters.
        commutative: whether its two inputs may change places.
        expansion: for a macro, the expression that it stands for; ``$0``, ``$1`` … are its arguments in order.
    """

    name: str
    group: str
    signature: Signature
    meaning: str
    lookback: Lookback
    commutative: bool = False
    expansion: str | None = None


def _none(_: Sequence[float]) -> int:
    return 0


def _window(parameters: Sequence[float]) -> int:
    return int(parameters[0])


def _window_less_one(parameters: Sequence[float]) -> int:
    return int(parameters[0]) - 1


def _four_windows(parameters: Sequence[float]) -> int:
    return 4 * int(parameters[0])


def _group(
    group: str, *rows: tuple[str, str, str] | tuple[str, str, str, Lookback], commutative: Sequence[str] = ()
) -> list[Operator]:
    return [
        Operator(
            name=row[0],
            group=group,
            signature=Signature.parse(row[1]),
            meaning=row[2],
            lookback=row[3] if len(row) == 4 else _none,
            commutative=row[0] in commutative,
        )
        for row in rows
    ]


def _macros(*rows: tuple[str, str, str, str]) -> list[Operator]:
    return [
        Operator(name, "macros", Signature.parse(signature), meaning, _none, expansion=expansion)
        for name, signature, meaning, expansion in rows
    ]


CLOCK_NAMES = ("hour", "weekday", "month_day", "month", "is_month_turn")

_ALL = [
    *_group(
        "inputs",
        ("open", "-> S[px]", "the bar's open"),
        ("high", "-> S[px]", "the bar's high"),
        ("low", "-> S[px]", "the bar's low"),
        ("close", "-> S[px]", "the bar's close"),
        ("volume", "-> S[qty]", "the bar's volume in units of the instrument"),
        ("clock", "name -> N", f"the calendar at the bar's open, UTC: {', '.join(CLOCK_NAMES)}"),
        ("ext", "name -> N", "a named outside series, the latest value published by the bar's close"),
        ("const", "k -> N", "a constant; a bare number means the same"),
    ),
    *_group(
        "arithmetic",
        ("add", "S[d], S[d] -> S[d]", "x + y"),
        ("sub", "S[d], S[d] -> S[d]", "x - y"),
        ("mul", "S[d], S[e] -> S[d*e]", "x * y"),
        ("div", "S[d], S[e] -> S[d/e]", "x / y; missing where |y| < 1e-12"),
        ("neg", "S[d] -> S[d]", "-x"),
        ("abs", "S[d] -> S[d]", "|x|"),
        ("sign", "S[d] -> N", "-1, 0 or 1"),
        ("log", "S[d] -> N", "natural logarithm; missing where x <= 0"),
        ("sqrt", "S[d] -> S[sqrt d]", "sign(x) times the root of |x|"),
        ("min2", "S[d], S[d] -> S[d]", "the smaller of x and y"),
        ("max2", "S[d], S[d] -> S[d]", "the larger of x and y"),
        ("clip", "N, k, k -> N", "x held between two constants, the lower first"),
        ("squash", "N -> N", "tanh(x), between -1 and 1"),
        commutative=("add", "mul", "min2", "max2"),
    ),
    *_group(
        "logic",
        ("gt", "S[d], S[d] -> B", "x > y; false where either is missing"),
        ("between", "N, k, k -> B", "lower <= x <= upper; false where x is missing"),
        ("and", "B, B -> B", "both"),
        ("or", "B, B -> B", "either"),
        ("not", "B -> B", "not"),
        ("where", "B, S[d], S[d] -> S[d]", "y where x is true, else z"),
        ("cross_up", "S[d], S[d] -> B", "x > y now and not at the bar before", lambda _: 1),
        ("count_true", "B, w -> N", "share of the last w bars on which x was true", _window_less_one),
        ("latch", "B, B -> B", "true from the bar on which x is true until y is; y wins when both are"),
        commutative=("and", "or"),
    ),
    *_group(
        "rolling",
        ("delay", "S[d], w -> S[d]", "x as it was w bars ago, w >= 1", _window),
        ("delta", "S[d], w -> S[d]", "x minus x of w bars ago", _window),
        ("ret", "S[px], w -> N", "simple return over w bars", _window),
        ("ts_mean", "S[d], w -> S[d]", "mean of the last w bars", _window_less_one),
        ("ts_sum", "S[d], w -> S[d]", "sum of the last w bars", _window_less_one),
        (
            "ts_std",
            "S[d], w -> S[d]",
            "sample standard deviation (n - 1) of the last w bars",
            _window_less_one,
        ),
        ("ts_min", "S[d], w -> S[d]", "smallest of the last w bars", _window_less_one),
        ("ts_max", "S[d], w -> S[d]", "largest of the last w bars", _window_less_one),
        (
            "ts_rank",
            "S[d], w -> N",
            "percentile rank of x among the last w bars, ties shared, above 0 to 1",
            _window_less_one,
        ),
        ("ts_zscore", "S[d], w -> N", "(x - mean) / standard deviation over w bars", _window_less_one),
        (
            "ts_slope",
            "S[d], w -> S[d]",
            "slope per bar of the least-squares line through w bars",
            _window_less_one,
        ),
        ("ts_corr", "S[d], S[e], w -> N", "correlation of x and y over w bars", _window_less_one),
        ("ts_beta", "S[d], S[e], w -> S[d/e]", "least-squares slope of x on y over w bars", _window_less_one),
        ("efficiency", "S[px], w -> N", "|net move| over path length of w bars (Kaufman)", _window),
        commutative=("ts_corr",),
    ),
    *_group(
        "recursive",
        (
            "ema",
            "S[d], w -> S[d]",
            "exponential mean, alpha = 2/(w + 1), seeded by the first value",
            _four_windows,
        ),
        (
            "rma",
            "S[d], w -> S[d]",
            "Wilder's mean, alpha = 1/w, seeded by the mean of the first w",
            _four_windows,
        ),
        (
            "ewm_std",
            "N, w -> N",
            "root of the exponential mean of x squared, alpha = 2/(w + 1)",
            _four_windows,
        ),
        (
            "vol_forecast",
            "S[px], w -> N",
            "volatility forecast for the next bar, annualised: exponential, of log returns (RiskMetrics)",
            _four_windows,
        ),
    ),
    *_group(
        "cross-section",
        ("cs_rank", "S[d] -> N", "percentile rank of x among the instruments, ties shared, above 0 to 1"),
        ("cs_zscore", "N -> N", "(x - mean) / standard deviation over the instruments"),
        ("cs_demean", "N -> N", "x minus the mean over the instruments"),
        ("cs_mean", "S[d] -> S[d]", "the mean over the instruments, for each of them"),
        ("asset", "S[d], a -> S[d]", "x of one instrument, for each of them"),
    ),
    *_group(
        "position",
        ("long_short", "N -> P", "x held between -1 and 1"),
        ("long_only", "N -> P", "x held between 0 and 1"),
        ("signal_if", "B, B -> P", "long from the bar on which x is true, short from the bar on which y is"),
        (
            "hysteresis",
            "N, k, k -> P",
            "enters on the side of x where |x| > the first constant, leaves where |x| < the second",
        ),
        ("xs_portfolio", "N -> P", "scores minus their mean, scaled to a gross exposure of 1"),
        ("gate", "P, B, k -> P", "x where y is true, else the constant times x"),
        ("blend", "P, P, k -> P", "the constant times x plus the rest times y"),
        ("smooth", "P, w -> P", "exponential mean of the position", _four_windows),
        ("min_hold", "P, w -> P", "no change of side before w bars"),
        ("rebalance", "P, w -> P", "changes only every w bars"),
        (
            "no_trade_band",
            "P, k -> P",
            "changes only when it would move by more than the constant, or to zero",
        ),
        ("scale_to_vol", "P, N, k -> P", "x times constant / y, not above 1: y is a volatility forecast"),
        (
            "share_by",
            "P, N -> P",
            "x times y as a share of the sum of y over the instruments that hold a position",
        ),
    ),
    *_macros(
        (
            "vol_target",
            "P, k, w -> P",
            "scaled so that its annual volatility is k",
            "scale_to_vol($0, vol_forecast(close, $2), $1)",
        ),
        (
            "inv_vol",
            "P, w -> P",
            "capital shared inversely to volatility",
            "share_by($0, 1 / vol_forecast(close, $1))",
        ),
        (
            "atr",
            "w -> S[px]",
            "average true range (Wilder)",
            "rma(max2(high - low, max2(abs(high - delay(close, 1)), abs(low - delay(close, 1)))), $0)",
        ),
        (
            "rsi",
            "S[px], w -> N",
            "relative strength index, 0 to 100 (Wilder)",
            "100 * rma(max2(delta($0, 1), 0), $1) / rma(abs(delta($0, 1)), $1)",
        ),
        (
            "macd",
            "S[px], w, w, w -> N",
            "MACD histogram as a share of the price",
            "(ema($0, $1) - ema($0, $2) - ema(ema($0, $1) - ema($0, $2), $3)) / $0",
        ),
        ("bb_z", "S[px], w -> N", "standard deviations from the mean (Bollinger)", "ts_zscore($0, $1)"),
        (
            "donchian_pos",
            "w -> N",
            "where the close lies in the channel of w bars, 0 to 1",
            "(close - ts_min(low, $0)) / (ts_max(high, $0) - ts_min(low, $0))",
        ),
        ("tsmom", "w -> N", "the sign of the return over w bars", "sign(ret(close, $0))"),
    ),
]

OPERATORS: dict[str, Operator] = {operator.name: operator for operator in _ALL}
