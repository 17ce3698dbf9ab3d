"""The market as it was last seen, and how old that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from clawd.core.reports import Quote
from clawd.execution.view import MarketNow

#: Quotes that come out of order are not further apart than this, nanoseconds.
_STRAGGLING: Final = 60 * 10**9


class Quotes:
    """What the market of each instrument said last.

    Args:
        markets: by symbol; what the gate is shown is kept up to date through here.
    """

    def __init__(self, markets: Mapping[str, MarketNow]) -> None:
        self._markets = markets

    def take(self, quote: Quote) -> bool:
        """A quote came; whether it was taken: not of another instrument, crossed, not positive, or overtaken.

        One that is much older than the last is no straggler: one of the two had its clock wrong, and this one is newer.
        """
        market = self._markets.get(quote.symbol)
        if market is None or not (quote.bid.is_finite() and quote.ask.is_finite() and 0 < quote.bid <= quote.ask):
            return False
        if market.quote is not None and 0 < market.quote.venue_time - quote.venue_time < _STRAGGLING:
            return False
        market.quoted(quote)
        return True

    def mark(self, symbol: str) -> Decimal | None:
        """What an instrument is worth, None where nobody has said it yet."""
        market = self._markets.get(symbol)
        return None if market is None else market.price

    def stale(self, symbols: Iterable[str], now: int, longest: int) -> list[str]:
        """Those of the instruments whose price is missing, too old, or from a time that has not come."""
        return [symbol for symbol in symbols if not self._fresh(self._markets.get(symbol), now, longest)]

    def marks(self, symbols: Iterable[str], before: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """What some instruments are worth: by the last price that came, else by one from before.

        Raises:
            KeyError: for an instrument that never had one.
        """
        marks = {}
        for symbol in symbols:
            mark = self.mark(symbol)
            marks[symbol] = before[symbol] if mark is None else mark
        return marks

    @staticmethod
    def _fresh(market: MarketNow | None, now: int, longest: int) -> bool:
        if market is None or market.price is None or market.price_time is None:
            return False
        return 0 <= now - market.price_time <= longest
