"""The fills of a journal as comma-separated values, exact."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from clawd.reports.trades_csv import exact_time
from clawd.store.entry import Entry

COLUMNS: Final = (
    "seq", "time", "agent", "order", "symbol", "side", "size", "price", "fee", "slippage", "reason",
)  # fmt: skip


def fills_csv(entries: Iterable[Entry]) -> Iterator[str]:
    """A row of column names and one for each ``OrderFilled`` among the entries, each with its line feed.

    Times are ISO 8601 in UTC: the open of the bar of the fill. Sizes are positive, in units of the instrument.
    Prices, fees and slippage are in quote currency. Decimals are written out in full.
    """
    yield _row(COLUMNS)
    for entry in entries:
        if entry.kind != "OrderFilled":
            continue
        body = entry.body
        time = body.get("time")
        size = Decimal(str(body["size"]))
        yield _row(
            (
                str(entry.seq),
                exact_time(time if isinstance(time, int) else entry.ts),
                *(str(body.get(name, "")) for name in ("agent", "order", "symbol")),
                "buy" if size > 0 else "sell",
                f"{size.copy_abs():f}",
                *(f"{Decimal(str(body[name])):f}" if name in body else "" for name in ("price", "fee", "slippage")),
                str(body.get("reason", "")),
            )
        )


def _row(values: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()
