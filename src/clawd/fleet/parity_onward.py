"""The backtester, going on to the end of a day from any close and any orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from clawd.core.costs import Costs
from clawd.core.money import booked_price, booked_size, cash_of_fill, fee_of_fill, studied
from clawd.core.orders import OrderKind
from clawd.core.reason import Reason
from clawd.engine.account import ACCOUNT
from clawd.engine.bar import FILL, MOST_FILLS
from clawd.engine.simulate import advance
from clawd.fleet.parity_replay import Course

_STOPS = {Reason.STOP, Reason.TRAIL, Reason.CHANDELIER, Reason.BREAK_EVEN}

#: Ways on that are remembered: the end of one bar's chain is the beginning of the next.
_REMEMBERED = 8


@dataclass(frozen=True, slots=True)
class ModelFill:
    """A fill of the backtester.

    Attributes:
        row: of the instrument.
        kind, reason: of the order.
        size: signed.
        price: quote currency.
    """

    row: int
    kind: OrderKind
    reason: Reason
    size: Decimal
    price: Decimal


class Onward:
    """What a strategy makes of the rest of a day, as the backtester has it.

    Args:
        course: what it wants at every close.
        capital: quote currency, that its exposures are shares of.
        costs: of the model.
        end: place of the close at which the day ends.
        marks: [I] at that close, quote currency.
    """

    def __init__(self, course: Course, capital: Decimal, costs: Costs, end: int, marks: Sequence[Decimal]) -> None:
        self.course, self.costs, self.end, self.marks = course, costs, end, marks
        self.panel = course.panel
        self._capital = studied(capital)
        self._known: dict[tuple[int, Decimal, bytes], tuple[Decimal, list[ModelFill]]] = {}

    def worth(self, orders: NDArray[np.void], place: int, worth: Decimal) -> tuple[Decimal, list[ModelFill]]:
        """What orders at a close, and all that follows, are worth at the end of the day without the cash before.

        Args:
            orders: [I] of :data:`~clawd.engine.position.POSITION`, positions with what was decided at the close.
            place: of the close.
            worth: of the agent at the close, quote currency: one that is ruined is closed.

        Returns:
            Cash that is paid and received with what is held at the end, and the fills of the bar that follows.
        """
        key = (place, worth, orders.tobytes())
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[key] = self._go(orders, place, worth, self.end)
        return self._known[key]

    def next_bar(self, orders: NDArray[np.void], place: int, worth: Decimal) -> list[ModelFill]:
        """The fills of the bar that follows a close."""
        if not any(position["lots"] or position["closing"] or position["opening"] for position in orders):
            return []
        return self._go(orders, place, worth, min(place + 1, self.end))[1]

    def _go(self, orders: NDArray[np.void], place: int, worth: Decimal, end: int) -> tuple[Decimal, list[ModelFill]]:
        costs, instruments = self.costs, self.panel.instruments
        positions = orders.copy()
        sizes = [booked_size(float(each["lots"]), of.lot) for each, of in zip(positions, instruments, strict=True)]
        cash, first = Decimal(0), []
        if place < end:
            for fill in self._fills(positions, place, worth, end):
                instrument = instruments[int(fill["instrument"])]
                size = booked_size(float(fill["lots"]), instrument.lot)
                price = booked_price(float(fill["price"]), instrument.tick)
                cash += cash_of_fill(size, price) - fee_of_fill(size, price, costs.fee)
                sizes[int(fill["instrument"])] += size
                if fill["bar"] == 0:
                    reason = Reason(int(fill["reason"]))
                    first.append(ModelFill(int(fill["instrument"]), _kind(reason), reason, size, price))
        held = sum((size * mark for size, mark in zip(sizes, self.marks, strict=True)), Decimal(0))
        return cash + held, first

    def _fills(self, positions: NDArray[np.void], place: int, worth: Decimal, end: int) -> NDArray[np.void]:
        panel, at = self.panel, slice(place + 1, end + 1)
        account = np.zeros(1, ACCOUNT)[0]
        held = sum(
            float(position["lots"]) * studied(each.lot) * float(position["mark"])
            for position, each in zip(positions, panel.instruments, strict=True)
        )
        account["cash"], account["equity"], account["peak"] = studied(worth) - held, studied(worth), studied(worth)
        account["bars"] = 1  # it has begun
        fields = (panel.open, panel.high, panel.low, panel.close, panel.volume, panel.funding)
        fills = np.empty(MOST_FILLS * len(panel.instruments) * (end - place), FILL)
        count = advance(
            *(np.ascontiguousarray(field[:, at]) for field in fields),
            np.ascontiguousarray(~np.isnan(panel.close[:, at])),
            np.ascontiguousarray(self.course.decisions.targets[:, at]),
            np.ascontiguousarray(self.course.decisions.ranges[:, :, at]),
            self.course.plan,
            positions,
            account,
            self._capital,
            studied(self.costs.fee),
            studied(self.costs.slippage),
            panel.ticks,
            panel.lots,
            fills,
            np.empty(0),
            np.empty(0),
        )
        return fills[:count]


def _kind(reason: Reason) -> OrderKind:
    if reason.opens:
        return OrderKind.OPENING
    if reason is Reason.TAKE:
        return OrderKind.TAKE
    return OrderKind.STOP if reason in _STOPS else OrderKind.CLOSING
