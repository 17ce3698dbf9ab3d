"""The paper venue: one netted account whose orders are matched against bars by the fill rules.

It has no way to reach a real venue: it imports no network, and takes only bars.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import Final

import numpy as np

from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.money import booked_amount, booked_float, booked_price, cash_of_fill, fee_of_fill, studied
from clawd.core.orders import Order, OrderKind
from clawd.engine.prices import Grid, closing_price, grid_of, in_band, market_price, stop_price, take_price
from clawd.risk.gate import ApprovedOrder


class Phase(Enum):
    """The order of things within a bar; see docs/fill-rules.md."""

    CLOSINGS = "market orders that make a position smaller fill at the open"
    EXITS_AT_OPEN = "exits that the bar opens beyond fill at the open"
    OPENINGS = "market orders that make a position larger fill at the open"
    EXITS_WITHIN = "exits that the bar touches fill at their level"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of one instrument, quote currency; volume is NaN where it is not known."""

    open: float
    high: float
    low: float
    close: float
    volume: float

    @property
    def traded(self) -> bool:
        """Whether anything could fill: a bar with no volume fills nothing."""
        return self.volume != 0.0


@dataclass(frozen=True, slots=True)
class FillReport:
    """What the venue says: an order filled whole."""

    order: Order
    price: Decimal
    fee: Decimal
    slippage: Decimal


@dataclass(frozen=True, slots=True)
class CancelReport:
    """What the venue says: an order was cancelled by it, and why."""

    order: Order
    why: str


class PaperVenue:
    """One paper account.

    Attributes:
        cash: quote currency.
        positions: the netted size of each instrument.
        orders: resting orders by id.
    """

    def __init__(self, instruments: Iterable[Instrument], costs: Costs, cash: Decimal) -> None:
        self._instruments = {instrument.symbol: instrument for instrument in instruments}
        self._grids: dict[str, Grid] = {
            symbol: grid_of(studied(instrument.tick)) for symbol, instrument in self._instruments.items()
        }
        self._costs = costs
        self._slippage = studied(costs.slippage)
        self.cash = cash
        self.positions: dict[str, Decimal] = defaultdict(Decimal)
        self.orders: dict[str, Order] = {}

    def submit(self, approved: ApprovedOrder) -> None:
        """Take an order. The same id again changes nothing."""
        self.restore(approved.order)

    def restore(self, order: Order) -> None:
        """Put back an order that the journal says is resting."""
        self.orders.setdefault(order.id, order)

    def cancel(self, order: str) -> None:
        """Take an order off."""
        self.orders.pop(order, None)

    def move(self, order: str, level: Decimal, size: Decimal) -> None:
        """Move a resting exit."""
        self.orders[order] = replace(self.orders[order], level=level, size=size)

    def settle(self, order: str, symbol: str, size: Decimal, price: Decimal, fee: Decimal) -> None:
        """Book a fill on the account."""
        self.orders.pop(order, None)
        self.positions[symbol] += size
        self.cash += cash_of_fill(size, price) - fee

    def pay_funding(self, amount: Decimal) -> None:
        """Book funding paid (positive) or received."""
        self.cash -= amount

    def match(
        self, phase: Phase, bars: Mapping[str, Bar], averages: Mapping[str, Decimal]
    ) -> list[FillReport | CancelReport]:
        """What happens to the resting orders in one phase of a bar; nothing is booked yet.

        Args:
            phase: which part of the bar.
            bars: by symbol, those that the bar has.
            averages: by order id, the entry price of the position that an order makes smaller.
        """
        at_open = phase is Phase.EXITS_AT_OPEN
        reports: list[FillReport | CancelReport] = []
        stopped: set[tuple[str, str]] = set()
        # Stops stand first in what is looked through: where a bar touches both, the stop came first. The targets of a
        # position rest in the order of their levels, nearest first, for the exit manager keeps them so.
        for order in sorted(self.orders.values(), key=lambda order: order.kind is OrderKind.TAKE):
            bar = bars.get(order.symbol)
            if bar is None or not bar.traded or order.kind not in _KINDS[phase]:
                continue
            report: FillReport | CancelReport | None
            match order.kind:
                case OrderKind.OPENING:
                    report = self._opening(order, bar)
                case OrderKind.CLOSING:
                    report = self._closing(order, bar, averages[order.id])
                case OrderKind.STOP:
                    report = self._stop(order, bar, at_open, averages[order.id])
                    if report is not None:
                        stopped.add((order.agent, order.symbol))
                case OrderKind.TAKE:
                    beaten = (order.agent, order.symbol) in stopped
                    report = None if beaten else self._take(order, bar, at_open)
            if report is not None:
                reports.append(report)
        return reports

    def _opening(self, order: Order, bar: Bar) -> FillReport | CancelReport:
        if order.reference is None or not in_band(bar.open, studied(order.reference)):
            return CancelReport(order, "PRICE_BAND")
        side = 1.0 if order.size > 0 else -1.0
        return self._report(order, market_price(bar.open, side, self._slippage, self._grid(order)), bar.open)

    def _closing(self, order: Order, bar: Bar, average: Decimal) -> FillReport:
        price = closing_price(bar.open, _protected(order), studied(average), self._slippage, self._grid(order))
        return self._report(order, price, bar.open)

    def _stop(self, order: Order, bar: Bar, at_open: bool, average: Decimal) -> FillReport | None:
        assert order.level is not None
        side, level = _protected(order), studied(order.level)
        extreme = bar.low if side > 0 else bar.high
        price = stop_price(level, side, studied(average), bar.open, at_open, extreme, self._slippage, self._grid(order))
        undisturbed = min(level, bar.open) if side > 0 else max(level, bar.open)
        return None if np.isnan(price) else self._report(order, price, undisturbed)

    def _take(self, order: Order, bar: Bar, at_open: bool) -> FillReport | None:
        assert order.level is not None
        side = _protected(order)
        extreme = bar.high if side > 0 else bar.low
        price = take_price(studied(order.level), side, bar.open, at_open, extreme, self._grid(order))
        return None if np.isnan(price) else self._report(order, price, price)

    def _grid(self, order: Order) -> Grid:
        return self._grids[order.symbol]

    def _report(self, order: Order, price: float, undisturbed: float) -> FillReport:
        booked = booked_price(price, self._instruments[order.symbol].tick)
        given_up = (booked - booked_float(undisturbed)) * order.size
        return FillReport(
            order=order,
            price=booked,
            fee=fee_of_fill(order.size, booked, self._costs.fee),
            slippage=booked_amount(max(given_up, Decimal(0))),
        )


_KINDS: Final = {
    Phase.CLOSINGS: (OrderKind.CLOSING,),
    Phase.EXITS_AT_OPEN: (OrderKind.STOP, OrderKind.TAKE),
    Phase.OPENINGS: (OrderKind.OPENING,),
    Phase.EXITS_WITHIN: (OrderKind.STOP, OrderKind.TAKE),
}


def _protected(order: Order) -> float:
    """The side of the position that an order makes smaller."""
    return 1.0 if order.size < 0 else -1.0
