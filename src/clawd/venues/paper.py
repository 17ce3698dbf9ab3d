"""The paper venue: one netted account whose orders are matched against bars by the fill rules.

It has no way to reach a real venue: it imports no network, and takes only bars.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

import numpy as np

from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.money import booked_amount, booked_float, booked_price, cash_of_fill, fee_of_fill, studied
from clawd.core.orders import Order, OrderKind
from clawd.engine.position import in_band, market_price, stop_price, take_price
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
        self._costs = costs
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
            averages: by order id, the entry price of the position that an exit protects.
        """
        reports: list[FillReport | CancelReport] = []
        closed: set[tuple[str, str]] = set()
        for order in self.orders.values():
            bar = bars.get(order.symbol)
            if bar is None or not bar.traded or (order.agent, order.symbol) in closed:
                continue
            if phase is Phase.CLOSINGS and order.kind is OrderKind.CLOSING:
                reports.append(self._market(order, bar))
            elif phase is Phase.OPENINGS and order.kind is OrderKind.OPENING:
                if order.reference is not None and in_band(bar.open, studied(order.reference)):
                    reports.append(self._market(order, bar))
                else:
                    reports.append(CancelReport(order, "PRICE_BAND"))
            elif phase in (Phase.EXITS_AT_OPEN, Phase.EXITS_WITHIN) and order.kind is OrderKind.STOP:
                report = self._stop(order, bar, phase is Phase.EXITS_AT_OPEN, averages[order.id])
                if report is not None:
                    closed.add((order.agent, order.symbol))
                    reports.append(report)
        if phase in (Phase.EXITS_AT_OPEN, Phase.EXITS_WITHIN):
            for order in self.orders.values():
                bar = bars.get(order.symbol)
                if (
                    order.kind is OrderKind.TAKE
                    and bar is not None
                    and bar.traded
                    and (order.agent, order.symbol) not in closed
                ):
                    report = self._take(order, bar, phase is Phase.EXITS_AT_OPEN)
                    if report is not None:
                        reports.append(report)
        return reports

    def _market(self, order: Order, bar: Bar) -> FillReport:
        side = 1.0 if order.size > 0 else -1.0
        instrument = self._instruments[order.symbol]
        price = market_price(bar.open, side, studied(self._costs.slippage), studied(instrument.tick))
        return self._report(order, price, bar.open)

    def _stop(self, order: Order, bar: Bar, at_open: bool, average: Decimal) -> FillReport | None:
        assert order.level is not None
        side = 1.0 if order.size < 0 else -1.0
        instrument = self._instruments[order.symbol]
        price = stop_price(
            studied(order.level),
            side,
            studied(average),
            bar.open,
            at_open,
            bar.low if side > 0 else bar.high,
            studied(self._costs.slippage),
            studied(instrument.tick),
        )
        return (
            None
            if np.isnan(price)
            else self._report(
                order,
                price,
                min(studied(order.level), bar.open) if side > 0 else max(studied(order.level), bar.open),
            )
        )

    def _take(self, order: Order, bar: Bar, at_open: bool) -> FillReport | None:
        assert order.level is not None
        side = 1.0 if order.size < 0 else -1.0
        tick = studied(self._instruments[order.symbol].tick)
        price = take_price(
            studied(order.level), side, bar.open, at_open, bar.high if side > 0 else bar.low, tick
        )
        return None if np.isnan(price) else self._report(order, price, price)

    def _report(self, order: Order, price: float, undisturbed: float) -> FillReport:
        booked = booked_price(price, self._instruments[order.symbol].tick)
        given_up = (booked - booked_float(undisturbed)) * order.size
        return FillReport(
            order=order,
            price=booked,
            fee=fee_of_fill(order.size, booked, self._costs.fee),
            slippage=booked_amount(max(given_up, Decimal(0))),
        )
