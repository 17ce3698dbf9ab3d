"""Captures of a venue's book and trades as one stream of messages, in the order in which they happened there.

Prices are whole ticks and sizes whole lots, so that nothing which is matched against them is ever rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clawd.core.errors import ClawdError
from clawd.core.instrument import Instrument
from clawd.core.money import studied
from clawd.core.panel import NANOSECONDS_PER_SECOND, Floats
from clawd.data.book_file import happened, known_rows, messages_of, positive, sides_of
from clawd.data.book_replay import ASK, BID, Message, follows
from clawd.data.numbers import integers, words
from clawd.data.table import Table, open_table
from clawd.data.times import nanoseconds

_QUOTES = ("bid", "bid_qty", "ask", "ask_qty")
_CHANGES = ("first_id", "last_id", "prev_id", "side", "price", "qty")
_TRADES = ("trade_id", "price", "qty", "buyer_is_maker")
_ORDERS = ("order_id", "action", "side", "price", "qty")
_PRICES = frozenset({"price", "bid", "ask"})
_SIZES = frozenset({"qty", "bid_qty", "ask_qty"})
_MOST_DECIMALS = 12
_SIZE_DECIMALS = 8  # where sizes are told as amounts of quote currency
_OFF_GRID = 0.01  # ticks or lots by which what is written may miss a whole one: it was rebuilt from floats
_BEFORE_BOOKS = -1  # stands before the numbers of all messages about a book
_PAIRED_WITHIN = 5 * NANOSECONDS_PER_SECOND  # between the two reports of one trade between two single orders


@dataclass(frozen=True, slots=True)
class BookChange:
    """Levels whose sizes are stated anew.

    Attributes:
        time: UTC nanoseconds by the venue's clock.
        symbol: of which instrument.
        levels: (side, ticks, lots), with 0 lots for a level that went away.
        snapshot: it holds the whole book, not changes.
    """

    time: int
    symbol: str
    levels: tuple[tuple[int, int, int], ...]
    snapshot: bool = False


@dataclass(frozen=True, slots=True)
class Top:
    """The best bid and ask, in ticks and lots."""

    time: int
    symbol: str
    bid: int
    bid_lots: int
    ask: int
    ask_lots: int


@dataclass(frozen=True, slots=True)
class Print:
    """A trade, in ticks and lots. The side that waited is the bid's where the seller came to it."""

    time: int
    symbol: str
    price: int
    lots: int
    maker: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages are missing: the book is not known before the next snapshot."""

    time: int
    symbol: str


MarketEvent: TypeAlias = BookChange | Top | Print | Gap
_Placed: TypeAlias = tuple[int, int, MarketEvent]  # time, number at that time, event


def read_captures(paths: Iterable[Path], instrument: Instrument) -> list[MarketEvent]:
    """The captures of one instrument at one venue as one stream.

    The venue's clock rules: its own time of each row (``exch_ms``) where the file states it. The clock of a receiver
    may be wrong by seconds, as in captures that were received before they happened; it is used only in rows without
    a time of the venue, and then corrected by the largest difference between both clocks in the other rows, that of
    the message which came fastest: so none of them stands before it happened. Of one time, trades come first, for the
    book that a venue tells is that after them, then the book's messages by the venue's numbers.

    Kinds of files are told by their columns, as in `book_file.read_book`; trades have trade_id, price, qty and
    buyer_is_maker. Files of single orders say how much of an order is left: where two orders of opposite sides lose
    the same within five seconds, they traded at the price of the older one. What an order loses with no such other is
    not shown as a trade.

    Raises:
        ClawdError: a file is no such capture, or a price is no whole number of ticks.
    """
    tables = [open_table(path) for path in paths]
    read = [_timed(table) for table in tables]
    differences = np.concatenate([stated[stated > 0] - received[stated > 0] for _, received, stated in read])
    correction = int(differences.max()) if differences.size else 0
    placed: list[_Placed] = []
    for table, (rows, received, stated) in zip(tables, read, strict=True):
        times = np.maximum.accumulate(np.where(stated > 0, stated, received + correction))
        placed += _events(table, rows, times, _Grid(instrument, table))
    placed.sort(key=lambda each: each[:2])
    return [event for _, _, event in placed]


def steps_of(paths: Sequence[Path]) -> tuple[Decimal, Decimal]:
    """The tick and the lot of what some captures are of, read off their prices and sizes: one in the last decimal.

    Raises:
        ClawdError: a file is no such capture.
    """
    decimals = {"price": 0, "size": 0}
    for path in paths:
        table = open_table(path)
        rows, _ = known_rows(table, _columns(table), [])
        for name in rows.columns:
            for kind, names, part in (("price", _PRICES, "_px_"), ("size", _SIZES, "_qty_")):
                if name in names or part in name:
                    decimals[kind] = max(decimals[kind], _decimals(positive(rows, [name], table.place)))
    return Decimal(1).scaleb(-decimals["price"]), Decimal(1).scaleb(-(decimals["size"] or _SIZE_DECIMALS))


def _decimals(values: Floats) -> int:
    """How many decimals the values were written with."""
    for decimals in range(_MOST_DECIMALS):
        scaled = values * 10.0**decimals
        if np.all(np.abs(scaled - np.rint(scaled)) <= _OFF_GRID):
            return decimals
    return _MOST_DECIMALS


def _timed(table: Table) -> tuple[pl.DataFrame, NDArray[np.int64], NDArray[np.int64]]:
    """The rows, when each was received, and when it happened by the venue's clock, 0 where that is not stated."""
    rows, _ = known_rows(table, _columns(table), [])
    received = nanoseconds(rows, "ts", table.place).to_numpy()
    # Of single orders `exch_ts` is when the order was sent, not when it changed.
    stated = happened(rows, "exch_ms", table.place) if "exch_ms" in table.names else np.zeros(received.size, np.int64)
    return rows, received, stated


def _columns(table: Table) -> list[str]:
    names = set(table.names)
    if "bid_px_0" in names:
        return [name for name in table.names if name.startswith(("bid_px_", "ask_px_", "bid_qty_", "ask_qty_"))] + [
            name for name in table.names if name.startswith(("bid_usd_", "ask_usd_"))
        ]
    for wanted in (_TRADES, _QUOTES, _CHANGES, _ORDERS):
        if names.issuperset(wanted):
            return [*wanted, *(["update_id"] if wanted is _QUOTES and "update_id" in names else [])]
    hint = "changes of levels, quotes, snapshots, single orders or trades; see `clawd data` in docs/data.md"
    raise ClawdError("this is no capture of a book or of trades", where=str(table.place.path), hint=hint)


class _Grid:
    """Turns written prices into whole ticks, and sizes into whole lots: what is less than a lot is left off."""

    def __init__(self, instrument: Instrument, table: Table) -> None:
        self.symbol = instrument.symbol
        self._tick, self._lot = studied(instrument.tick), studied(instrument.lot)
        self._table = table

    def ticks(self, rows: pl.DataFrame, names: Sequence[str]) -> NDArray[np.int64]:
        values = positive(rows, names, self._table.place)
        whole = np.rint(values / self._tick)
        wrong = np.abs(values / self._tick - whole) > _OFF_GRID
        if wrong.any():
            row, column = (int(each) for each in np.argwhere(wrong)[0])
            where = self._table.place.at(int(rows["line"][row]), names[column])
            raise ClawdError(f"{values[row, column]:.12g} is no multiple of the tick {self._tick:.12g}", where=where)
        return whole.astype(np.int64)

    def lots(self, rows: pl.DataFrame, names: Sequence[str]) -> NDArray[np.int64]:
        return self._whole_lots(positive(rows, names, self._table.place))

    def lots_of_value(self, rows: pl.DataFrame, names: Sequence[str], prices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sizes that are written as an amount of quote currency."""
        return self._whole_lots(positive(rows, names, self._table.place) / (prices * self._tick))

    def of_levels(self, levels: Sequence[tuple[int, float, float]]) -> tuple[tuple[int, int, int], ...]:
        tick, lot = self._tick, self._lot
        return tuple((side, round(price / tick), int(size / lot + _OFF_GRID)) for side, price, size in levels)

    def _whole_lots(self, sizes: Floats) -> NDArray[np.int64]:
        return np.floor(sizes / self._lot + _OFF_GRID).astype(np.int64)


def _events(table: Table, rows: pl.DataFrame, times: NDArray[np.int64], grid: _Grid) -> Iterator[_Placed]:
    names = set(table.names)
    if "bid_px_0" in names:
        return _snapshots(table, rows, times, grid)
    if names.issuperset(_TRADES):
        return _trades(rows, times, grid)
    if names.issuperset(_QUOTES):
        return _tops(table, rows, times, grid)
    if names.issuperset(_CHANGES):
        grid.ticks(rows, ["price"])
        return _changes(messages_of(rows, times, table.place), grid)
    return _orders(table, rows, times, grid)


def _snapshots(table: Table, rows: pl.DataFrame, times: NDArray[np.int64], grid: _Grid) -> Iterator[_Placed]:
    depth = sum(name.startswith("bid_px_") for name in table.names)
    sides = []
    for side, word in ((BID, "bid"), (ASK, "ask")):
        prices = grid.ticks(rows, [f"{word}_px_{level}" for level in range(depth)])
        if f"{word}_usd_0" in table.names:
            lots = grid.lots_of_value(rows, [f"{word}_usd_{level}" for level in range(depth)], prices)
        else:
            lots = grid.lots(rows, [f"{word}_qty_{level}" for level in range(depth)])
        sides.append((side, prices.tolist(), lots.tolist()))
    for row, time in enumerate(times.tolist()):
        levels = tuple(
            (side, price, size)
            for side, prices, lots in sides
            for price, size in zip(prices[row], lots[row], strict=True)
            if size > 0
        )
        yield time, row, BookChange(time, grid.symbol, levels, snapshot=True)


def _tops(table: Table, rows: pl.DataFrame, times: NDArray[np.int64], grid: _Grid) -> Iterator[_Placed]:
    prices, lots = grid.ticks(rows, ["bid", "ask"]).tolist(), grid.lots(rows, ["bid_qty", "ask_qty"]).tolist()
    if "update_id" in table.names:
        numbers = integers(rows, "update_id", "update_id", table.place).to_list()
    else:
        numbers = list(range(rows.height))
    for time, number, (bid, ask), (bid_lots, ask_lots) in zip(times.tolist(), numbers, prices, lots, strict=True):
        yield time, number, Top(time, grid.symbol, bid, bid_lots, ask, ask_lots)


def _trades(rows: pl.DataFrame, times: NDArray[np.int64], grid: _Grid) -> Iterator[_Placed]:
    prices, lots = grid.ticks(rows, ["price"])[:, 0].tolist(), grid.lots(rows, ["qty"])[:, 0].tolist()
    makers = [BID if flag else ASK for flag in rows["buyer_is_maker"].cast(pl.Boolean).to_list()]
    for time, price, size, maker in zip(times.tolist(), prices, lots, makers, strict=True):
        yield time, _BEFORE_BOOKS, Print(time, grid.symbol, price, size, maker)


def _changes(messages: Sequence[Message], grid: _Grid) -> Iterator[_Placed]:
    """The messages that follow on one another, by the rule of `book_replay.replay_levels`."""
    known = False
    waiting: list[Message] = []
    last: int | None = None
    contained = 0
    for message in messages:
        if message.snapshot:
            known, last, contained = True, None, message.last
            event = BookChange(message.time, grid.symbol, grid.of_levels(message.levels), snapshot=True)
            yield message.time, message.last, event
            later, waiting = waiting, []
        else:
            later = [message]
        for change in later:
            if not known:
                waiting.append(change)
            elif change.last > contained:
                # What waited for the snapshot happened before it came, and is applied after it.
                time = max(change.time, message.time)
                if follows(change, last, contained):
                    last = change.last
                    yield time, change.last, BookChange(time, grid.symbol, grid.of_levels(change.levels))
                else:
                    known, waiting = False, [change]
                    yield time, change.last, Gap(time, grid.symbol)


def _orders(table: Table, rows: pl.DataFrame, times: NDArray[np.int64], grid: _Grid) -> Iterator[_Placed]:
    prices, lots = grid.ticks(rows, ["price"])[:, 0].tolist(), grid.lots(rows, ["qty"])[:, 0].tolist()
    orders = integers(rows, "order_id", "order_id", table.place).to_list()
    deleted = (words(rows, "action", "action", table.place) == "deleted").to_list()
    sides = sides_of(rows, table.place)
    held: dict[int, tuple[int, int, int]] = {}
    ended: set[int] = set()
    totals: dict[tuple[int, int], int] = {}
    changes: list[tuple[tuple[int, int, int], ...]] = []
    lost: list[_Loss] = []
    for row, (time, order, side, price, size, gone) in enumerate(
        zip(times.tolist(), orders, sides, prices, lots, deleted, strict=True)
    ):
        before = held.pop(order, None)
        touched = []
        if before is not None:
            totals[before[:2]] -= before[2]
            touched.append(before[:2])
            if size < before[2]:
                lost.append(_Loss(row, time, order, before[0], before[1], before[2] - size))
        if gone:
            ended.add(order)
        elif size > 0 and order not in ended:
            held[order] = side, price, size
            totals[side, price] = totals.get((side, price), 0) + size
            touched.append((side, price))
        changes.append(tuple((*level, totals[level]) for level in dict.fromkeys(touched)))
    traded = _paired(lost)
    yield int(times[0]), 0, BookChange(int(times[0]), grid.symbol, (), snapshot=True)
    for row, (time, levels) in enumerate(zip(times.tolist(), changes, strict=True)):
        if row in traded:
            loss = traded[row]
            yield time, 2 * row + 1, Print(time, grid.symbol, loss.price, loss.lots, loss.side)
        if levels:
            yield time, 2 * row + 2, BookChange(time, grid.symbol, levels)


@dataclass(frozen=True, slots=True)
class _Loss:
    """What a single order lost."""

    row: int
    time: int
    order: int
    side: int
    price: int
    lots: int


def _paired(lost: Sequence[_Loss]) -> dict[int, _Loss]:
    """Of what two orders of opposite sides lost to one another, the part of the one that waited, by its row."""
    open_by_lots: dict[tuple[int, int], list[_Loss]] = {}
    makers: dict[int, _Loss] = {}
    for loss in lost:
        others = open_by_lots.get((1 - loss.side, loss.lots), [])
        other = next((each for each in reversed(others) if loss.time - each.time <= _PAIRED_WITHIN), None)
        if other is None:
            open_by_lots.setdefault((loss.side, loss.lots), []).append(loss)
        else:
            others.remove(other)
            maker = min(loss, other, key=lambda each: each.order)
            makers[maker.row] = maker
    return makers
