"""The CSV holds the fills exactly."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from report_samples import market, result, traded

from clawd.core.reason import Reason
from clawd.engine.trades import Fill
from clawd.reports.trades_csv import trades_csv

_EMPTY = result(market({"AAA": [100.0]}))


def read(text: str) -> tuple[Fill, ...]:
    """The fills of a CSV, by a reader that knows nothing of the writer."""
    fills = []
    for row in csv.DictReader(io.StringIO(text, newline="")):
        whole, _, rest = row["time"].removesuffix("Z").partition(".")
        moment = dt.datetime.fromisoformat(whole + "+00:00") - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        time = (moment.days * 86_400 + moment.seconds) * 10**9 + int(rest or 0)
        size = Decimal(row["size"]).copy_sign(Decimal(1 if row["side"] == "buy" else -1))
        reason = Reason[row["reason"].upper()]
        fills.append(Fill(time, row["symbol"], size, Decimal(row["price"]), float(row["fee"]), reason))
    return tuple(fills)


decimals = st.decimals("1e-12", "1e12", allow_nan=False, allow_infinity=False)
symbols = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1, max_size=12)
some_fills = st.builds(
    Fill,
    time=st.integers(-(10**18), 4 * 10**18),
    symbol=symbols,
    size=st.one_of(decimals, decimals.map(lambda size: -size)),
    price=decimals,
    fee=st.floats(0, 1e9),
    reason=st.sampled_from(Reason),
)


@given(st.lists(some_fills, max_size=8))
def test_what_is_written_reads_back_as_it_was(fills: list[Fill]) -> None:
    text = trades_csv(replace(_EMPTY, fills=tuple(fills)))
    assert read(text) == tuple(fills)
    assert "E" not in "".join(
        row["size"] + row["price"] + row["fee"] for row in csv.DictReader(io.StringIO(text, newline=""))
    )


def test_a_run_is_written_row_by_row() -> None:
    backtest = traded(length=20, symbols=("AAA",))
    assert trades_csv(backtest).splitlines() == [
        "time,symbol,side,size,price,fee,reason",
        "2023-11-16T00:00:00Z,AAA,buy,10.5,120.00,1.26,entry",
        "2023-11-21T00:00:00Z,AAA,sell,10.5,132.37,1.389885,stop",
        "2023-11-26T00:00:00Z,AAA,sell,10.5,137.92,1.44816,entry",
    ]
    assert read(trades_csv(backtest)) == backtest.fills


def test_no_fills_are_a_row_of_names() -> None:
    assert trades_csv(_EMPTY) == "time,symbol,side,size,price,fee,reason\n"
