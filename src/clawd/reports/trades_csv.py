"""Fills as comma-separated values, exact."""

from __future__ import annotations

import csv
import datetime as dt
import io

from clawd.core.money import booked_float
from clawd.engine.backtest import Backtest

COLUMNS = ("time", "symbol", "side", "size", "price", "fee", "reason")


def trades_csv(result: Backtest) -> str:
    """The fills in order of time, one a row under a row of column names.

    Times are ISO 8601 in UTC: the open of the bar of the fill. Sizes are positive, in units of the
    instrument. Prices and fees are in quote currency. Decimals are written out in full, so reading them
    back gives equal fills.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for fill in result.fills:
        # abs() would round to the digits of the caller's decimal context.
        writer.writerow(
            (
                exact_time(fill.time),
                fill.symbol,
                fill.side,
                f"{fill.size.copy_abs():f}",
                f"{fill.price:f}",
                f"{booked_float(fill.fee):f}",
                fill.reason.word,
            )
        )
    return text.getvalue()


def exact_time(nanoseconds: int) -> str:
    """A UTC time in ISO 8601, to the nanosecond where it needs one."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    moment = dt.datetime.fromtimestamp(seconds, tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{rest:09d}Z" if rest else f"{moment}Z"
