"""The account of a simulated exchange: cash, net positions, its trades and what they cost."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from clawd.core.instrument import Instrument
from clawd.core.money import cash_of_fill, fee_of_fill
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.core.reports import FillReport
from clawd.venues.matching.rules import VOLUME_DAYS, Rules
from clawd.venues.matching.working import Working

_VOLUME_SPAN = VOLUME_DAYS * NANOSECONDS_PER_DAY


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade of the account, in ticks and lots, with its fee as it was booked."""

    number: int
    order: str
    venue_order: int
    symbol: str
    lots: int
    price: int
    fee: Decimal
    maker: bool
    time: int

    def report(self, venue: str, instrument: Instrument) -> FillReport:
        return FillReport(
            venue=venue,
            trade=str(self.number),
            order=self.order,
            venue_order=str(self.venue_order),
            symbol=self.symbol,
            size=self.lots * instrument.lot,
            price=self.price * instrument.tick,
            fee=self.fee,
            maker=self.maker,
            venue_time=self.time,
            time=self.time,
        )

    def as_json(self) -> list[Any]:
        fee = str(self.fee)
        return [
            self.number,
            self.order,
            self.venue_order,
            self.symbol,
            self.lots,
            self.price,
            fee,
            self.maker,
            self.time,
        ]

    @classmethod
    def from_json(cls, body: list[Any]) -> Fill:
        number, order, venue_order, symbol, lots, price, fee, maker, time = body
        return cls(number, order, venue_order, symbol, lots, price, Decimal(fee), maker, time)


class Account:
    """Cash and net positions. Cash pays a purchase whole and receives a sale whole, of a perpetual too.

    So cash plus fees plus the sum of size times price over all fills is what the account was opened with, to the last
    digit, and equity is cash plus the positions at their prices.

    Attributes:
        cash: quote currency.
        positions: signed lots by symbol, without those that are flat.
        fills: all of them, in order.
    """

    def __init__(self, cash: Decimal, opened: int) -> None:
        self.cash = cash
        self.opened = opened
        self.positions: dict[str, int] = {}
        self.fills: list[Fill] = []
        self._volume = Decimal(0)
        self._recent: deque[tuple[int, Decimal]] = deque()

    def book(
        self, order: Working, instrument: Instrument, lots: int, price: int, maker: bool, time: int, rules: Rules
    ) -> Fill:
        """Book a trade. Its fee is that of the tier of the trades before it, rounded half to even to 1e-10."""
        assert order.number is not None
        size, at = order.sign * lots * instrument.lot, price * instrument.tick
        tier = rules.tier(self.volume(time, rules))
        fee = fee_of_fill(size, at, tier.maker if maker else tier.taker)
        fill = Fill(
            len(self.fills) + 1, order.id, order.number, order.symbol, order.sign * lots, price, fee, maker, time
        )
        self.cash += cash_of_fill(size, at) - fee
        self._add(fill, instrument)
        return fill

    def volume(self, time: int, rules: Rules) -> Decimal:
        """Quote currency traded in the 30 days before a time."""
        while self._recent and self._recent[0][0] <= time - _VOLUME_SPAN:
            self._volume -= self._recent.popleft()[1]
        before = rules.volume if time < self.opened + _VOLUME_SPAN else Decimal(0)
        return before + self._volume

    def _add(self, fill: Fill, instrument: Instrument) -> None:
        self.fills.append(fill)
        held = self.positions.pop(fill.symbol, 0) + fill.lots
        if held:
            self.positions[fill.symbol] = held
        notional = abs(fill.lots) * instrument.lot * fill.price * instrument.tick
        self._recent.append((fill.time, notional))
        self._volume += notional

    @classmethod
    def of(cls, cash: Decimal, opened: int, fills: Iterable[Fill], instruments: Mapping[str, Instrument]) -> Account:
        """The account that these trades left with this cash."""
        account = cls(cash, opened)
        for fill in fills:
            account._add(fill, instruments[fill.symbol])
        return account
