"""Inputs: what is known of an instrument and of the world at the close of a bar."""

from __future__ import annotations

from functools import partial

from clawd.language.operators.operator import Operator

CLOCK_NAMES = ("hour", "weekday", "month_day", "month", "minutes_to_close", "is_month_turn")

_input = partial(Operator, "inputs")

INPUTS = (
    _input("open", "-> S[px]", "the bar's open", formula="open[t]", example="close / open - 1"),
    _input("high", "-> S[px]", "the bar's high", formula="high[t]", example="close > delay(ts_max(high, 55), 1)"),
    _input("low", "-> S[px]", "the bar's low", formula="low[t]", example="(close - low) / (high - low)"),
    _input("close", "-> S[px]", "the bar's close", formula="close[t]", example="close > ts_mean(close, 200)"),
    _input(
        "volume",
        "-> S[qty]",
        "the bar's volume in units of the instrument",
        formula="volume[t]",
        example="volume > 2 * ts_mean(volume, 20)",
    ),
    _input(
        "vwap",
        "-> S[px]",
        "volume-weighted average price of the bar where the data has it, else (high + low + close)/3",
        formula="Σ price·size / Σ size over the trades of the bar, else (high + low + close) / 3",
        source="S. Berkowitz, D. Logue, E. Noser, The Total Cost of Transactions on the NYSE, Journal of Finance 43"
        " (1988)",
        example="(close - vwap) / vwap",
    ),
    _input(
        "book",
        "name -> N",
        "a named series of the order book, such as imbalance5 or spread_bps, the latest value by the bar's close",
        formula="book:name[t]",
        source="clawd",
        example='long_short(ts_zscore(ema(book("imbalance5"), 10), 180))',
    ),
    _input(
        "deriv",
        "name -> N",
        "a named series of the derivatives market, such as funding_8h or basis_ann, the latest value published by the"
        " bar's close",
        formula="deriv:name[t]",
        source="clawd",
        example='long_short(-ts_zscore(deriv("funding_8h"), 90))',
    ),
    _input(
        "ext",
        "name -> N",
        "a named outside series, the latest value published by the bar's close",
        formula="name[t]",
        source="clawd",
        example='ext("vix") < 20',
    ),
    _input(
        "model",
        "name -> N",
        "a named forecast, such as mu or sigma, made from nothing later than the bar's close",
        formula="model:name[t]",
        source="clawd",
        example='kelly(long_short(sign(model("mu"))), model("mu"), model("sigma"), 0.25)',
    ),
    _input(
        "clock",
        "name -> N",
        "the calendar at the bar's open, UTC: hour, weekday (0 is Monday), month_day, month, is_month_turn (1 on the"
        " last five and first three days of a month, else 0); and minutes_to_close, from the bar's close to the end of"
        " its day, 0 for the bar that ends it",
        formula="calendar of the open of bar t; minutes_to_close: (end of its UTC day - close of bar t) / 1 minute",
        source="turn of the month: J. McConnell, W. Xu, Equity Returns at the Turn of the Month, Financial Analysts"
        " Journal 64 (2008), the days around it as clawd counts them",
        example='clock("is_month_turn") > 0.5',
        names=CLOCK_NAMES,
    ),
    _input(
        "const",
        "k -> N",
        "a constant; a bare number means the same",
        formula="k",
        example="long_only(const(0.5))",
    ),
)
