"""Logic: conditions, which are true or false and never missing, and choices by them."""

from __future__ import annotations

from functools import partial

from clawd.language.operators.operator import LOWER_FIRST, ONE_BAR, WINDOW_LESS_ONE, Operator

_logic = partial(Operator, "logic")

LOGIC = (
    _logic(
        "gt",
        "S[d], S[d] -> B",
        "x > y; false where either is missing",
        formula="x > y",
        example="ema(close, 20) > ema(close, 60)",
    ),
    _logic(
        "between",
        "N, k, k -> B",
        "lower <= x <= upper; false where x is missing",
        formula="k₁ ≤ x ≤ k₂",
        example="between(rsi(close, 2), 0, 10)",
        rule=LOWER_FIRST,
    ),
    _logic(
        "and",
        "B, B -> B",
        "both",
        formula="x ∧ y",
        example="close > ts_mean(close, 200) and rsi(close, 2) < 10",
        commutative=True,
    ),
    _logic(
        "or",
        "B, B -> B",
        "either",
        formula="x ∨ y",
        example="close > delay(high, 1) or volume > 3 * ts_mean(volume, 20)",
        commutative=True,
    ),
    _logic("not", "B -> B", "not", formula="¬x", example="not between(rsi(close, 14), 30, 70)"),
    _logic(
        "where",
        "B, S[d], S[d] -> S[d]",
        "y where x is true, else z",
        formula="y if x else z",
        example="long_only(where(close > ts_mean(close, 200), 1, 0.25))",
    ),
    _logic(
        "cross_up",
        "S[d], S[d] -> B",
        "x > y now and not at the bar before",
        formula="x[t] > y[t] ∧ x[t-1] ≤ y[t-1]",
        source="the usual meaning of a crossing in charting",
        example="signal_if(cross_up(ema(close, 20), ema(close, 60)), cross_up(ema(close, 60), ema(close, 20)))",
        warm_up=ONE_BAR,
    ),
    _logic(
        "count_true",
        "B, w -> N",
        "share of the last w bars on which x was true",
        formula="(1/w) Σ [x[t-i]], i = 0 … w-1",
        example="count_true(close > open, 10) > 0.7",
        warm_up=WINDOW_LESS_ONE,
    ),
    _logic(
        "bars_since",
        "B -> N",
        "bars since x was last true: 0 on that bar itself, at most 1000, and 1000 before it was ever true",
        formula="min(1000, min{i ≥ 0 : x[t-i]})",
        source="the `barssince` of charting languages; the bound is ours",
        example="bars_since(cross_up(close, ts_mean(close, 50))) < 5",
    ),
    _logic(
        "latch",
        "B, B -> B",
        "true from the bar on which x is true until y is; y wins when both are",
        formula="false if y, true if x, else the value of the bar before",
        source="the set-reset latch of digital circuits",
        example="gate(long_only(1), latch(rsi(close, 2) < 10, close > ts_mean(close, 5)), 0)",
    ),
)
