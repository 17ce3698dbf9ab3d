"""Captures as one stream: in the venue's order, in whole ticks and lots, with what is missing said."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clawd.core.errors import ClawdError
from clawd.core.instrument import Instrument
from clawd.data.book_replay import ASK, BID
from clawd.data.capture import BookChange, Gap, MarketEvent, Print, Top, read_captures

SECOND = 10**9
START = 1_704_067_200 * SECOND  # 2024-01-01
AAA = Instrument("AAA", Decimal("0.5"), Decimal("0.1"))


def events(folder: Path, **tables: dict[str, list[Any]]) -> list[MarketEvent]:
    for name, columns in tables.items():
        pl.DataFrame(columns).write_parquet(folder / f"{name}.parquet")
    return read_captures([folder / f"{name}.parquet" for name in tables], AAA)


def changes(rows: list[tuple[int, int, int, int, int, float, float]]) -> dict[str, list[Any]]:
    """Rows of (tenths of a second, first, last, previous, side, price, size), received at once."""
    names = ("ts", "first_id", "last_id", "prev_id", "side", "price", "qty")
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    return {**columns, "ts": [START + tenths * SECOND // 10 for tenths in columns["ts"]]}


def test_what_came_before_the_snapshot_is_applied_to_it_if_it_happened_after(tmp_path: Path) -> None:
    l2 = changes(
        [
            (0, 3, 4, -1, 1, 99.0, 1.0),  # contained in the snapshot
            (1, 5, 6, -1, 1, 99.0, 2.0),  # happened after it
            (2, -1, 4, -2, 1, 99.0, 5.0),
            (2, -1, 4, -2, -1, 101.0, 5.0),
            (3, 7, 7, -1, -1, 101.0, 0.0),
        ]
    )
    assert [(type(each), each.levels) for each in events(tmp_path, l2=l2) if isinstance(each, BookChange)] == [
        (BookChange, ((BID, 198, 50), (ASK, 202, 50))),
        (BookChange, ((BID, 198, 20),)),
        (BookChange, ((ASK, 202, 0),)),
    ]


def test_a_missing_message_is_said(tmp_path: Path) -> None:
    l2 = changes(
        [
            (0, -1, 4, -2, 1, 99.0, 5.0),
            (1, 5, 5, -1, 1, 99.0, 4.0),
            (2, 7, 7, -1, 1, 99.0, 3.0),
            (3, 8, 8, -1, 1, 99.0, 2.0),
            (4, -1, 7, -2, 1, 99.0, 9.0),
        ]
    )
    found = events(tmp_path, l2=l2)
    # The change that was missed is in the snapshot that came later; what waited for it follows.
    assert [type(each) for each in found] == [BookChange, BookChange, Gap, BookChange, BookChange]
    assert [each.levels[0][2] for each in found if isinstance(each, BookChange)] == [50, 40, 90, 20]


def test_the_venues_clock_rules_and_the_receivers_is_corrected_by_it(tmp_path: Path) -> None:
    """The receiver is 1.2 s slow, and the first trade was 0.1 s on its way; the quotes have no other clock."""
    trades = {
        "ts": [START, START + SECOND],
        "exch_ms": [(START + each) // 10**6 for each in (1_100_000_000, 2_200_000_000)],
        "trade_id": [1, 2],
        "price": [100.0, 100.5],
        "qty": [1.0, 2.0],
        "buyer_is_maker": [True, False],
    }
    quotes = {
        "ts": [START + SECOND // 2, START + SECOND],
        "exch_ms": [-1, -1],
        "bid": [100.0, 100.0],
        "bid_qty": [1.0, 2.0],
        "ask": [100.5, 100.5],
        "ask_qty": [1.0, 2.0],
    }
    found = events(tmp_path, trades=trades, quotes=quotes)
    assert [((each.time - START) / SECOND, type(each)) for each in found] == [
        (1.1, Print),
        (1.7, Top),
        (2.2, Print),  # a trade before the book of the same time
        (2.2, Top),
    ]
    first, _, second, last = found
    assert isinstance(first, Print)
    assert isinstance(second, Print)
    assert (first.price, first.lots, first.maker, second.maker) == (200, 10, BID, ASK)
    assert last == Top(START + 2_200_000_000, "AAA", 200, 20, 201, 20)


def test_single_orders_become_levels_and_what_two_of_them_lost_alike_a_trade(tmp_path: Path) -> None:
    rows = [
        (0, 1, "created", "bid", 100.0, 2.0),
        (1, 2, "created", "bid", 100.0, 3.0),
        (2, 3, "created", "ask", 99.5, 1.5),  # comes to the first bid
        (3, 1, "changed", "bid", 100.0, 0.5),
        (4, 3, "deleted", "ask", 99.5, 0.0),
        (5, 2, "deleted", "bid", 100.0, 3.0),  # taken off: no trade
        (6, 9, "deleted", "ask", 101.0, 1.0),  # rested before the file began
    ]
    names = ("ts", "order_id", "action", "side", "price", "qty")
    table = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    table["ts"] = [START + each * SECOND for each in table["ts"]]
    found = events(tmp_path, l3=table)
    assert [each for each in found if isinstance(each, Print)] == [Print(START + 3 * SECOND, "AAA", 200, 15, BID)]
    at = [type(each) for each in found if each.time == START + 3 * SECOND]
    assert at == [Print, BookChange]
    assert [each.levels for each in found if isinstance(each, BookChange)] == [
        (),
        ((BID, 200, 20),),
        ((BID, 200, 50),),
        ((ASK, 199, 15),),
        ((BID, 200, 35),),
        ((ASK, 199, 0),),
        ((BID, 200, 5),),
    ]


def test_snapshots_in_quote_currency_become_lots_rounded_down(tmp_path: Path) -> None:
    book = {
        "ts": [START],
        "bid_px_0": [100.0000000001],
        "bid_usd_0": [125.0],
        "bid_px_1": [99.5],
        "bid_usd_1": [5.0],
        "ask_px_0": [100.5],
        "ask_usd_0": [100.5],
        "ask_px_1": [101.0],
        "ask_usd_1": [29.0],
    }
    (found,) = events(tmp_path, book=book)
    assert isinstance(found, BookChange)
    assert found.snapshot
    assert found.levels == ((BID, 200, 12), (ASK, 201, 10), (ASK, 202, 2))


def test_a_price_off_the_grid_is_refused_with_its_row(tmp_path: Path) -> None:
    l2 = changes([(0, -1, 4, -2, 1, 99.0, 5.0), (1, 5, 5, -1, 1, 99.3, 4.0)])
    with pytest.raises(ClawdError, match=r"row 2, column `price`: 99\.3 is no multiple of the tick 0\.5"):
        events(tmp_path, l2=l2)
