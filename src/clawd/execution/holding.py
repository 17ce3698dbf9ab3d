"""What one agent holds in one instrument, and the worst that can still become of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from clawd.core.costs import Costs
from clawd.core.money import cash_of_fill
from clawd.risk.reserve import leaving_rate

_ZERO = Decimal(0)


@dataclass(slots=True)
class Holding:
    """A position of one agent. Money is in quote currency.

    Attributes:
        size: signed, in units of the instrument.
        invested: signed entry notional of what is held.
        episode: cash that the open position has cost (negative) or brought so far, fees included.
        stop: the level that protects it, None where nothing says one.
    """

    size: Decimal = _ZERO
    invested: Decimal = _ZERO
    episode: Decimal = _ZERO
    stop: Decimal | None = None

    @property
    def average(self) -> Decimal | None:
        """Average entry price, None while flat."""
        return self.invested / self.size if self.size else None

    def book(self, size: Decimal, price: Decimal, fee: Decimal) -> Decimal:
        """Book a fill; a fill through flat leaves one position and begins another.

        Returns:
            The profit that was realised, fees included, where the position was closed; else zero.
        """
        if self.size * size < 0 and abs(size) > abs(self.size):
            rest = size + self.size
            closing_fee = fee * abs(self.size) / abs(size)
            realised = self.book(-self.size, price, closing_fee)
            self.book(rest, price, fee - closing_fee)
            return realised
        self.episode += cash_of_fill(size, price) - fee
        self.invested += size * price if self.size * size >= 0 else size * self.invested / self.size
        self.size += size
        if self.size:
            return _ZERO
        realised, self.episode, self.invested, self.stop = self.episode, _ZERO, _ZERO, None
        return realised

    def reserved(self, mark: Decimal, costs: Costs) -> Decimal:
        """The worst case still to come, from a mark to the stop; without a stop, all of it."""
        if self.stop is None:
            return abs(self.size) * mark
        return self.size * mark - self.value_at_stop(costs) + self.beyond_stop(mark, costs)

    def value_at_stop(self, costs: Costs) -> Decimal:
        """What leaving at the stop would pay, costs included; negative for a short. Zero where there is no stop."""
        if self.stop is None:
            return _ZERO
        return self.size * self.stop - abs(self.size) * self.stop * leaving_rate(costs)

    def beyond_stop(self, mark: Decimal, costs: Costs) -> Decimal:
        """How much worse than at its stop the position would be left at a mark that has passed it, not negative."""
        if self.stop is None or not self.size:
            return _ZERO
        distance = self.stop - mark if self.size > 0 else mark - self.stop
        if distance <= 0:
            return _ZERO
        # What a short is left at above its stop costs more to leave as well: see `risk.reserve.position_reserve`.
        return abs(self.size) * distance * (1 if self.size > 0 else 1 + leaving_rate(costs))
