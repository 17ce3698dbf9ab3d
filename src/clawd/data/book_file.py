"""Captures of order books: snapshots of levels, best bids and offers, changes of levels, single orders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clawd.core.clock import duration
from clawd.core.errors import ClawdError
from clawd.core.panel import NANOSECONDS_PER_SECOND, Floats
from clawd.data.book_replay import ASK, BID, Message, OrderEvent, replay_levels, replay_orders
from clawd.data.numbers import floats, integers, words
from clawd.data.order_book import DEPTH, Levels, features
from clawd.data.table import Place, Table, open_table, read_columns
from clawd.data.times import nanoseconds

_QUOTES = ("bid", "bid_qty", "ask", "ask_qty")
_CHANGES = ("first_id", "last_id", "prev_id", "side", "price", "qty")
_ORDERS = ("order_id", "action", "side", "price", "qty")
_LEVEL = re.compile(r"(?:bid|ask)_px_(\d+)")
_ACTIONS = ("created", "changed", "deleted")
_SNAPSHOT = -2  # what `prev_id` says in the rows of a whole book
_SIDES = {"1": BID, "bid": BID, "buy": BID, "b": BID, "-1": ASK, "ask": ASK, "sell": ASK, "a": ASK}
_WARM_UP = 3_600 * NANOSECONDS_PER_SECOND
_CLOCKS_APART = 3_600 * NANOSECONDS_PER_SECOND  # by which a receiver's clock may be slow; more is a mistake in the file
_FORMATS = (
    "snapshots have bid_px_0, bid_qty_0 (or bid_usd_0), ask_px_0, ask_qty_0 and so on; "
    f"quotes {', '.join(_QUOTES)}; changes {', '.join(_CHANGES)}; orders {', '.join(_ORDERS)}; all of them ts"
)


@dataclass(frozen=True, eq=False)
class BookFeatures:
    """What a capture of a book says.

    Attributes:
        frames: for each feature ``ts`` (int64, UTC nanoseconds, strictly rising, when it was known) and ``value``
            (float64, NaN where the book was not known).
        notes: what was decided and left out, for people.
    """

    frames: dict[str, pl.DataFrame]
    notes: tuple[str, ...]


def read_book(path: Path) -> BookFeatures:
    """The features of a capture, which is told by its columns; see `order_book.features`.

    A row counts from the moment at which it was received (``ts``), or from that at which it happened by the
    exchange's clock (``exch_ms`` or ``exch_ts``) where that is later: the clock of a receiver may be slow. Nothing
    counts before what arrived before it. Of several rows with one time the last one counts.

    Raises:
        ClawdError: the file is no capture of a book; a price or size is missing, infinite or negative; rows are
            out of order; or changes come without a snapshot.
    """
    table = open_table(path)
    names = set(table.names)
    notes: list[str] = []
    if "bid_px_0" in names:
        levels = _snapshots(table, notes)
    elif names.issuperset(_QUOTES) and not names.issuperset(("open", "high", "low", "close")):
        levels = _quotes(table, notes)
    elif names.issuperset(_CHANGES):
        levels = _changes(table, notes)
    elif names.issuperset(_ORDERS):
        levels = _orders(table, notes)
    else:
        raise ClawdError("these are no order books", where=str(path), hint=_FORMATS)
    final = np.append(levels.times[1:] != levels.times[:-1], True)
    found = {name: values[final] for name, values in features(levels).items()}
    unknown = np.isnan(found["spread_bps"])
    if unknown.all():
        raise ClawdError("the book is known at no time", where=str(path))
    if unknown.any():
        notes.append(f"{unknown.sum():,} of {final.sum():,} books are unknown: crossed, one-sided or not yet complete")
    times = levels.times[final]
    frames = {
        name: pl.DataFrame({"ts": times, "value": values})
        for name, values in found.items()
        if not np.isnan(values).all()
    }
    return BookFeatures(frames, tuple(notes))


def _snapshots(table: Table, notes: list[str]) -> Levels:
    depth = 1 + max(int(found[1]) for name in table.names if (found := _LEVEL.fullmatch(name)))
    depth = min(depth, DEPTH)
    unit = "usd" if "bid_usd_0" in table.names else "qty"
    sides = [[f"{side}_{what}_{level}" for level in range(depth)] for side in ("bid", "ask") for what in ("px", unit)]
    rows, known = known_rows(table, [name for names in sides for name in names], notes)
    bid, bid_size, ask, ask_size = (positive(rows, names, table.place) for names in sides)
    if unit == "usd":
        bid_size, ask_size = bid_size / bid, ask_size / ask
    for prices, sign in ((bid, -1), (ask, 1)):
        wrong = (sign * np.diff(prices, axis=1) <= 0).any(axis=1)
        if wrong.any():
            where = table.place.at(int(rows["line"][int(wrong.argmax())]))
            raise ClawdError("the levels are not in order, the best first", where=where)
    return Levels(known, bid, bid_size, ask, ask_size)


def _quotes(table: Table, notes: list[str]) -> Levels:
    rows, known = known_rows(table, _QUOTES, notes)
    bid, bid_size, ask, ask_size = (positive(rows, [name], table.place) for name in _QUOTES)
    return Levels(known, bid, bid_size, ask, ask_size)


def _changes(table: Table, notes: list[str]) -> Levels:
    rows, known = known_rows(table, _CHANGES, notes)
    replay = replay_levels(messages_of(rows, known, table.place))
    notes.append("the book is known from the first snapshot on, and as deep as the snapshot was")
    if replay.breaks:
        notes.append(f"messages are missing in {replay.breaks:,} places; after each the book waits for a snapshot")
    return replay.levels


def messages_of(rows: pl.DataFrame, known: NDArray[np.int64], place: Place) -> list[Message]:
    """What rows of changes, one a level, say message by message.

    Raises:
        ClawdError: there is no snapshot, or a value is wrong.
    """
    numbers = {name: integers(rows, name, name, place).to_numpy() for name in _CHANGES[:3]}
    snapshot = numbers["prev_id"] == _SNAPSHOT
    if not snapshot.any():
        what = "there is no snapshot, so the book that these changes belong to is not known"
        raise ClawdError(what, where=str(place.path), hint=f"its rows have prev_id {_SNAPSHOT}")
    sides = sides_of(rows, place)
    price, size = (positive(rows, [name], place)[:, 0].tolist() for name in ("price", "qty"))
    key = np.stack([known, numbers["last_id"], snapshot.astype(np.int64)])
    starts = np.flatnonzero(np.append(True, (key[:, 1:] != key[:, :-1]).any(axis=0)))
    return [
        Message(
            int(known[start]),
            int(numbers["first_id"][start]),
            int(numbers["last_id"][start]),
            int(numbers["prev_id"][start]) if numbers["prev_id"][start] >= 0 else None,
            bool(snapshot[start]),
            tuple(zip(sides[start:end], price[start:end], size[start:end], strict=True)),
        )
        for start, end in zip(starts, np.append(starts[1:], known.size), strict=True)
    ]


def _orders(table: Table, notes: list[str]) -> Levels:
    rows, known = known_rows(table, _ORDERS, notes)
    sides = sides_of(rows, table.place)
    price, size = (positive(rows, [name], table.place)[:, 0].tolist() for name in ("price", "qty"))
    actions = words(rows, "action", "action", table.place)
    strange = ~actions.is_in(_ACTIONS).fill_null(False)
    if strange.any():
        first = int(strange.arg_max() or 0)
        where = table.place.at(int(rows["line"][first]), "action")
        raise ClawdError(f"`{actions[first]}` is no action", where=where, hint=", ".join(_ACTIONS))
    gone = (actions == "deleted").to_list()
    orders = integers(rows, "order_id", "order_id", table.place).to_list()
    events = [
        OrderEvent(int(time), order, side, at, 0.0 if deleted else left)
        for time, order, side, at, left, deleted in zip(known, orders, sides, price, size, gone, strict=True)
    ]
    levels = replay_orders(events)
    late = levels.times >= levels.times[0] + _WARM_UP
    if not late.any():
        what = f"single orders without a first snapshot need {duration(_WARM_UP)} to make a book, and end before"
        raise ClawdError(what, where=str(table.place.path))
    notes.append(
        f"orders that rested before the file begins are seen only when touched: the first {duration(_WARM_UP)} is "
        "left out, and deep levels may lack old orders after it too"
    )
    return Levels(
        levels.times[late], *(each[late] for each in (levels.bid, levels.bid_size, levels.ask, levels.ask_size))
    )


def known_rows(table: Table, names: Sequence[str], notes: list[str]) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """The wanted columns, and when each row was known, int64 [N], never falling."""
    exchange = next((name for name in ("exch_ms", "exch_ts") if name in table.names), None)
    roles = ["ts", *names, *([exchange] if exchange else [])]
    missing = [name for name in roles if table.names.count(name) != 1]
    if missing:
        raise ClawdError(f"the column `{missing[0]}` is missing or stands more than once", where=str(table.place.path))
    rows = read_columns(table, {name: name for name in roles})
    received = nanoseconds(rows, "ts", table.place)
    if not received.is_sorted():
        line = int(rows["line"][int((received.diff() < 0).fill_null(False).arg_max() or 0)])
        raise ClawdError("a row was received before the row above it", where=table.place.at(line, "ts"))
    known = received.to_numpy()
    if exchange is not None:
        stated = happened(rows, exchange, table.place)
        ahead = stated - known
        if ahead.max() > _CLOCKS_APART:
            where = table.place.at(int(rows["line"][int(ahead.argmax())]), exchange)
            raise ClawdError(f"this happened more than {duration(_CLOCKS_APART)} after it was received", where=where)
        if (ahead > 0).any():
            slow = float(np.median(ahead[ahead > 0])) / NANOSECONDS_PER_SECOND
            notes.append(
                f"{(ahead > 0).sum():,} of {known.size:,} rows were received before they happened, by {slow:.3g} s in "
                "the middle: the receiver's clock was slow, and the exchange's time counts"
            )
        if (stated == 0).all():
            notes.append(
                "the exchange's time is unknown: the receiver's clock is trusted, so let --lag cover its error"
            )
        known = np.maximum(known, stated)
    return rows, np.maximum.accumulate(known)


def happened(rows: pl.DataFrame, name: str, place: Place) -> NDArray[np.int64]:
    """The exchange's time of each row, int64 [N], UTC nanoseconds; 0 where it is missing or, as -1, unknown."""
    times = floats(rows, name, name, place).fill_null(-1)
    stated = rows.filter(times > 0)
    found = np.zeros(rows.height, np.int64)
    if stated.height:
        cells = stated.select("line", stated[name].alias("ts"))
        found[(times > 0).to_numpy()] = nanoseconds(cells, name, place).to_numpy()
    return found


def sides_of(rows: pl.DataFrame, place: Place) -> list[int]:
    text = words(rows, "side", "side", place).str.to_lowercase()
    wrong = ~text.is_in(list(_SIDES)).fill_null(False)
    if wrong.any():
        first = int(wrong.arg_max() or 0)
        where = place.at(int(rows["line"][first]), "side")
        raise ClawdError(f"`{rows['side'][first]}` is no side", where=where, hint="1, bid or buy; -1, ask or sell")
    return text.replace_strict(_SIDES, return_dtype=pl.Int64).to_list()


def positive(rows: pl.DataFrame, names: Sequence[str], place: Place) -> Floats:
    """Columns as float64 [N, len(names)]; prices above 0, sizes 0 or more."""
    columns = []
    for name in names:
        values = floats(rows, name, name, place)
        least_is_wrong = "px" in name or name in {"price", "bid", "ask"}
        wrong = values.is_null() | values.is_infinite() | (values < 0) | ((values == 0) & least_is_wrong)
        if wrong.any():
            first = int(wrong.arg_max() or 0)
            shown = "missing" if values[first] is None else f"{values[first]:g}"
            raise ClawdError(
                f"this is {shown}", where=place.at(int(rows["line"][first]), name), hint="a number above 0"
            )
        columns.append(values.to_numpy())
    result: Floats = np.column_stack(columns)
    return result
