"""Fills and round trips, for people and for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from clawd.core.money import booked_price, booked_size
from clawd.core.panel import Panel
from clawd.core.reason import Reason


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill of a strategy.

    Attributes:
        time: open of the bar in which it happened, UTC nanoseconds.
        symbol: instrument.
        size: signed, in units of the instrument; positive is a purchase.
        price: quote currency.
        fee: quote currency, float64: simulated, not booked.
        reason: why.
    """

    time: int
    symbol: str
    size: Decimal
    price: Decimal
    fee: float
    reason: Reason

    @property
    def side(self) -> str:
        return "buy" if self.size > 0 else "sell"


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A position from flat to flat.

    Attributes:
        symbol: instrument.
        side: 1 long, -1 short.
        opened, closed: opens of the bars of its first and last fill, UTC nanoseconds; closed is None while it is open.
        entry, exit: average prices; the exit is None while it is open.
        size: largest absolute size.
        profit: net of fees, quote currency; for an open one what its fills have realised so far.
        reason: why it was closed, None while it is open.
        fees: paid for its fills, quote currency.
        fills: the places of its fills among all of the run.
    """

    symbol: str
    side: int
    opened: int
    closed: int | None
    entry: float
    exit: float | None
    size: float
    profit: float
    reason: Reason | None
    fees: float = field(default=0.0, compare=False)
    fills: tuple[int, ...] = field(default=(), compare=False)


def fills_of(rows: NDArray[np.void], panel: Panel) -> tuple[Fill, ...]:
    """The simulator's rows as fills."""
    steps = [(instrument.symbol, instrument.lot, instrument.tick) for instrument in panel.instruments]
    fills = []
    for bar, instrument, lots, price, fee, reason in rows.tolist():
        symbol, lot, tick = steps[instrument]
        fills.append(
            Fill(
                time=int(panel.times[bar]),
                symbol=symbol,
                size=booked_size(lots, lot),
                price=booked_price(price, tick),
                fee=fee,
                reason=Reason(reason),
            )
        )
    return tuple(fills)


class Fills(Sequence[Fill]):
    """The simulator's rows as a sequence of fills, which are made when one is first asked for: most runs ask for none.

    Args:
        rows: of :data:`~clawd.engine.bar.FILL`.
        panel: the bars that the simulator ran over.

    Attributes:
        rows: as they were given.
    """

    def __init__(self, rows: NDArray[np.void], panel: Panel) -> None:
        self.rows = rows
        self._panel = panel

    @cached_property
    def _fills(self) -> tuple[Fill, ...]:
        return fills_of(self.rows, self._panel)

    @overload
    def __getitem__(self, index: int) -> Fill: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Fill, ...]: ...
    def __getitem__(self, index: int | slice) -> Fill | tuple[Fill, ...]:
        return self._fills[index]

    def __len__(self) -> int:
        return self.rows.size

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._fills == tuple(other)

    def __hash__(self) -> int:
        return hash(self._fills)


@dataclass(slots=True)
class _Open:
    side: int
    opened: int
    size: float = 0.0
    largest: float = 0.0
    bought: float = 0.0
    entered: float = 0.0
    sold: float = 0.0
    left: float = 0.0
    fees: float = 0.0
    fills: list[int] = field(default_factory=list)


def round_trips(fills: Sequence[Fill]) -> tuple[RoundTrip, ...]:
    """Positions from flat to flat, in order of their end, those still open last."""
    open_: dict[str, _Open] = {}
    done: list[RoundTrip] = []
    for place, fill in enumerate(fills):
        size, price = float(fill.size), float(fill.price)
        trip = open_.get(fill.symbol)
        if trip is None:
            trip = open_[fill.symbol] = _Open(side=1 if size > 0 else -1, opened=fill.time)
        trip.fees += fill.fee
        trip.fills.append(place)
        if size * trip.side > 0:
            trip.entered += abs(size)
            trip.bought += abs(size) * price
        else:
            trip.left += abs(size)
            trip.sold += abs(size) * price
        trip.size += size
        trip.largest = max(trip.largest, abs(trip.size))
        if abs(trip.size) < 1e-9 * trip.largest:
            done.append(_trip(fill.symbol, trip, fill))
            del open_[fill.symbol]
    done += [_trip(symbol, trip, None) for symbol, trip in open_.items()]
    return tuple(done)


def _trip(symbol: str, trip: _Open, last: Fill | None) -> RoundTrip:
    entry = trip.bought / trip.entered
    exit_ = trip.sold / trip.left if trip.left else None
    gross = trip.side * (trip.sold - entry * trip.left)
    return RoundTrip(
        symbol=symbol,
        side=trip.side,
        opened=trip.opened,
        closed=last.time if last else None,
        entry=entry,
        exit=exit_,
        size=trip.largest,
        profit=gross - trip.fees,
        reason=last.reason if last else None,
        fees=trip.fees,
        fills=tuple(trip.fills),
    )
