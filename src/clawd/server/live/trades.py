"""Fills as trades: from flat to flat."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from clawd.core.money import booked_amount, cash_of_fill
from clawd.server.live.tale import Fill

_ZERO = Decimal(0)


@dataclass(slots=True)
class Trade:
    """A position of one agent in one instrument from its first fill to its last. Money is in quote currency.

    Attributes:
        agent, symbol: whose and in what.
        side: 1 for a long, -1 for a short.
        opened, closed: by the market's clock, UTC nanoseconds; None while it is open.
        entered, left: units that were bought into it and that were closed, not signed.
        paid, got: what was paid for the former and got for the latter, not signed.
        fees: of all its fills.
        fills: in order.
    """

    agent: str
    symbol: str
    side: int
    opened: int
    closed: int | None = None
    entered: Decimal = _ZERO
    left: Decimal = _ZERO
    paid: Decimal = _ZERO
    got: Decimal = _ZERO
    fees: Decimal = _ZERO
    fills: list[Fill] = field(default_factory=list)

    @property
    def entry(self) -> Decimal:
        """Average price at which it was entered."""
        return self.paid / self.entered

    @property
    def exit(self) -> Decimal | None:
        """Average price at which it was left, None before the first part was."""
        return self.got / self.left if self.left else None

    @property
    def profit(self) -> Decimal | None:
        """What it has brought, fees included and funding not; None while it is open."""
        if self.closed is None:
            return None
        return sum((cash_of_fill(fill.size, fill.price) for fill in self.fills), _ZERO) - self.fees


def trades_of(fills: Iterable[Fill]) -> list[Trade]:
    """The trades that fills make up, in the order in which they were opened.

    A fill through flat ends one trade and begins another, each with its part of the fee.
    """
    open_: dict[tuple[str, str], Trade] = {}
    found: list[Trade] = []
    for fill in fills:
        place = fill.agent, fill.symbol
        for part in _parts(fill, open_.get(place)):
            trade = open_.get(place)
            if trade is None:
                trade = open_[place] = Trade(fill.agent, fill.symbol, 1 if part.size > 0 else -1, fill.time)
                found.append(trade)
            _book(trade, part)
            if trade.entered == trade.left:
                trade.closed = fill.time
                del open_[place]
    return found


def _parts(fill: Fill, trade: Trade | None) -> list[Fill]:
    """A fill as it closes one trade and opens the next."""
    if trade is None or fill.size * trade.side > 0:
        return [fill]
    rest = abs(fill.size) - (trade.entered - trade.left)
    if rest <= 0:
        return [fill]
    sign = 1 if fill.size > 0 else -1
    closing_fee = booked_amount(fill.fee * (abs(fill.size) - rest) / abs(fill.size))
    return [
        _part(fill, fill.size - sign * rest, closing_fee),
        _part(fill, sign * rest, fill.fee - closing_fee),
    ]


def _part(fill: Fill, size: Decimal, fee: Decimal) -> Fill:
    return fill._replace(size=size, fee=fee)


def _book(trade: Trade, fill: Fill) -> None:
    trade.fills.append(fill)
    trade.fees += fill.fee
    if fill.size * trade.side > 0:
        trade.entered += abs(fill.size)
        trade.paid += abs(fill.size) * fill.price
    else:
        trade.left += abs(fill.size)
        trade.got += abs(fill.size) * fill.price
