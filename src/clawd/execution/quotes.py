"""The market as it was last seen: quotes and marks, and how old they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from clawd.core.reports import Quote


@dataclass(slots=True)
class Quotes:
    """The last quotes of one venue's instruments.

    Attributes:
        last: by symbol.
        marks: the middle of the last quote by symbol, quote currency; a mark without a quote may be put in as well.
        times: when the mark came, UTC nanoseconds.
    """

    last: dict[str, Quote] = field(default_factory=dict)
    marks: dict[str, Decimal] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)

    def take(self, quote: Quote) -> bool:
        """A quote came; whether it was taken: not when it is crossed, not positive, or older than the last one."""
        last = self.last.get(quote.symbol)
        if not (quote.bid.is_finite() and quote.ask.is_finite() and 0 < quote.bid <= quote.ask):
            return False
        if last is not None and quote.venue_time < last.venue_time:
            return False
        self.last[quote.symbol] = quote
        self.mark(quote.symbol, quote.middle, quote.time)
        return True

    def mark(self, symbol: str, price: Decimal, time: int) -> None:
        """What an instrument is worth now."""
        self.marks[symbol] = price
        self.times[symbol] = time

    def stale(self, symbols: Iterable[str], now: int, longest: int) -> list[str]:
        """Those of the instruments whose mark is missing, too old, or from a time that has not come."""
        return [symbol for symbol in symbols if not 0 <= now - self.times.get(symbol, -longest - 1) <= longest]

    def valued(self, symbols: Iterable[str], before: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Marks for some instruments: the last that came, else one from before.

        Raises:
            KeyError: for an instrument that never had one.
        """
        return {symbol: self.marks[symbol] if symbol in self.marks else before[symbol] for symbol in symbols}
