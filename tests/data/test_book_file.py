"""Captures of books are told by their columns, stamped when they were known, or refused with their row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from clawd.core.errors import ClawdError
from clawd.data.book_file import read_book

SECOND = 10**9
START = 1_704_067_200 * SECOND  # 2024-01-01

QUOTES = {
    "ts": [START, START + SECOND, START + 2 * SECOND],
    "bid": [99.0, 99.0, 98.0],
    "bid_qty": [1.0, 3.0, 1.0],
    "ask": [101.0, 101.0, 102.0],
    "ask_qty": [1.0, 1.0, 3.0],
}
CHANGES = {
    "ts": [START, START, START + SECOND, START + 2 * SECOND],
    "first_id": [-1, -1, 6, 7],
    "last_id": [5, 5, 6, 7],
    "prev_id": [-2, -2, -1, -1],
    "side": [1, -1, 1, -1],
    "price": [99.0, 101.0, 99.0, 101.0],
    "qty": [1.0, 1.0, 3.0, 9.0],
}


def written(folder: Path, columns: dict[str, list[object]], **changes: list[object]) -> Path:
    path = folder / "book.parquet"
    pl.DataFrame({**columns, **changes}).write_parquet(path)
    return path


def rows(path: Path, name: str = "imbalance1") -> list[tuple[int, float]]:
    return [((ts - START) // 1_000_000, value) for ts, value in read_book(path).frames[name].iter_rows()]


def test_quotes_are_read(tmp_path: Path) -> None:
    book = read_book(written(tmp_path, QUOTES))
    assert set(book.frames) == {"imbalance1", "microprice_dev", "spread_bps"}
    assert book.notes == ()
    assert rows(written(tmp_path, QUOTES)) == [(0, 0.0), (1_000, 0.5), (2_000, -0.5)]


def test_quotes_of_a_text_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text("ts,bid,bid_qty,ask,ask_qty\n2024-01-01T00:00:00Z,99,1,101,1\n2024-01-01T00:00:01Z,99,3,101,1\n")
    assert rows(path) == [(0, 0.0), (1_000, 0.5)]


def test_changes_are_replayed_onto_their_snapshot(tmp_path: Path) -> None:
    assert rows(written(tmp_path, CHANGES)) == [(0, 0.0), (1_000, 0.5), (2_000, -0.5)]


def test_nothing_is_known_before_it_happened_and_nothing_before_what_came_before_it(tmp_path: Path) -> None:
    """The receiver's clock is 1.5 s slow in the first row; the second happened before it was received, as it must."""
    happened = [START // 1_000_000 + 1_500, START // 1_000_000 + 800, START // 1_000_000 + 1_900]
    path = written(tmp_path, QUOTES, exch_ms=happened)
    # Two rows come to be known at 1.5 s, of which the later one counts.
    assert rows(path) == [(1_500, 0.5), (2_000, -0.5)]
    assert "1 of 3 rows were received before they happened, by 1.5 s" in read_book(path).notes[0]
    path = written(tmp_path, QUOTES, exch_ts=[(ms + 100) * 1_000_000 for ms in happened])
    assert rows(path) == [(1_600, 0.5), (2_000, -0.5)]


def test_an_exchange_without_times_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, QUOTES, exch_ms=[-1, -1, -1])
    assert rows(path) == [(0, 0.0), (1_000, 0.5), (2_000, -0.5)]
    assert "exchange's time is unknown" in read_book(path).notes[0]


def test_of_one_time_the_last_row_counts(tmp_path: Path) -> None:
    assert rows(written(tmp_path, QUOTES, ts=[START, START, START])) == [(0, -0.5)]


def test_a_crossed_book_is_unknown_until_it_is_not(tmp_path: Path) -> None:
    path = written(tmp_path, QUOTES, bid=[99.0, 103.0, 98.0])
    found = read_book(path)
    np.testing.assert_array_equal(found.frames["spread_bps"]["value"].to_numpy(), [200.0, np.nan, 400.0])
    assert "1 of 3 books are unknown" in found.notes[0]


def test_sizes_in_quote_currency_become_base_units(tmp_path: Path) -> None:
    levels = {
        f"{side}_px_{n}": [price + step * n]
        for n in range(5)
        for side, price, step in (("bid", 50, -1), ("ask", 52, 1))
    }
    worth = {f"bid_usd_{n}": [float(50 - n)] for n in range(5)} | {f"ask_usd_{n}": [3.0 * (52 + n)] for n in range(5)}
    path = written(tmp_path, {"ts": [START], **levels, **worth})
    assert rows(path) == [(0, -0.5)]
    assert rows(path, "imbalance5") == [(0, pytest.approx(-0.5))]
    assert "depth_ratio" not in read_book(path).frames


def test_single_orders_need_an_hour_to_make_a_book(tmp_path: Path) -> None:
    hour = 3_600 * SECOND
    columns = {
        "ts": [START, START + 1, START + hour, START + hour + SECOND, START + hour + 2 * SECOND],
        "order_id": [1, 2, 3, 4, 4],
        "action": ["created", "created", "created", "created", "deleted"],
        "side": ["bid", "ask", "bid", "ask", "ask"],
        "price": [99.0, 101.0, 99.0, 101.0, 101.0],
        "qty": [1.0, 1.0, 2.0, 2.0, 2.0],  # what a deleted order had left is no size
    }
    path = written(tmp_path, columns)
    assert [(ms - 3_600_000, value) for ms, value in rows(path)] == [(0, 0.5), (1_000, 0.0), (2_000, 0.5)]
    assert any("first 1h is left out" in note for note in read_book(path).notes)
    with pytest.raises(ClawdError, match="need 1h"):
        read_book(written(tmp_path, {name: cells[:2] for name, cells in columns.items()}))


@pytest.mark.parametrize(
    ("columns", "changes", "told"),
    [
        (QUOTES, {"ts": [START, START - 1, START]}, "row 2, column `ts`: a row was received before the row above"),
        (QUOTES, {"bid": [99.0, None, 98.0]}, "row 2, column `bid`: this is missing"),
        (QUOTES, {"bid": [99.0, np.nan, 98.0]}, "row 2, column `bid`: this is missing"),
        (QUOTES, {"ask": [99.0, np.inf, 98.0]}, "row 2, column `ask`: this is inf"),
        (QUOTES, {"ask_qty": [1.0, -1.0, 1.0]}, "row 2, column `ask_qty`: this is -1"),
        (QUOTES, {"bid": [99.0, 0.0, 98.0]}, "row 2, column `bid`: this is 0"),
        (QUOTES, {"bid": ["99", "x", "98"]}, "row 2, column `bid`: 1 cell is not a number"),
        (QUOTES, {"bid": [102.0, 102.0, 103.0]}, "the book is known at no time"),
        (QUOTES, {name: [1.0] * 3 for name in ("open", "high", "low", "close")}, "no order books"),
        (QUOTES, {"bid_qty": [[1.0]] * 3}, "column `bid_qty` holds List(Float64), not numbers"),
        (
            QUOTES,
            {"exch_ms": [START // 10**6, START // 10**6 + 3_700_000, 0]},
            "row 2, column `exch_ms`: this happened more",
        ),
        (QUOTES, {"exch_ms": [2**62] * 3}, "this happened more than 1h after it was received"),
        (QUOTES, {"exch_ms": [START // 10**6, START, START]}, "mixed units"),
        (CHANGES, {"prev_id": [-1, -1, -1, -1]}, "there is no snapshot"),
        (CHANGES, {"side": [[1], [-1], [1], [1]]}, "column `side` holds List(Int64), not words"),
        (CHANGES, {"first_id": [1, None, 6, 7]}, "row 2, column `first_id`: this is no whole number"),
        (CHANGES, {"first_id": [1.0, 1.0, 6.5, 7.0]}, "row 3, column `first_id`: this is no whole number"),
        (
            {name: CHANGES[name] for name in ("ts", "side", "price", "qty")},
            {"order_id": [1, 2, 3, 4], "action": ["created", "gone", "created", "created"]},
            "row 2, column `action`: `gone` is no action",
        ),
        (CHANGES, {"side": [1, -1, 2, 1]}, "row 3, column `side`: `2` is no side"),
        (CHANGES, {"last_id": ["5", "5", "x", "7"]}, "row 3, column `last_id`: this is no whole number"),
        (CHANGES, {"qty": [1.0, 1.0, -3.0, 9.0]}, "row 3, column `qty`: this is -3"),
        ({"ts": [START], "mid": [1.0]}, {}, "snapshots have bid_px_0"),
        ({"ts": [START], "bid_px_0": [1.0]}, {}, "`bid_qty_0` is missing"),
        (
            {"ts": [START]} | {f"{s}_{w}_{n}": [5.0] for s in ("bid", "ask") for w in ("px", "qty") for n in (0, 1)},
            {},
            "row 1: the levels are not in order",
        ),
    ],
)
def test_what_is_no_book_is_refused(
    tmp_path: Path, columns: dict[str, list[object]], changes: dict[str, list[object]], told: str
) -> None:
    with pytest.raises(ClawdError) as caught:
        read_book(written(tmp_path, columns, **changes))
    assert told in str(caught.value)
