"""What is traded: its symbol and the steps in which it is priced and sized."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Instrument:
    """A tradable instrument.

    Attributes:
        symbol: its name, unique within a market, such as ``BTCUSDT``.
        tick: the step of its prices, in quote currency.
        lot: the step of its sizes, in units of the instrument.
        min_size, max_size: the least and the most that one order may be for, in units; None where the venue says none.
        min_notional: the least that one order may be worth, quote currency; None where the venue says none.
    """

    symbol: str
    tick: Decimal
    lot: Decimal
    min_size: Decimal | None = None
    max_size: Decimal | None = None
    min_notional: Decimal | None = None

    @classmethod
    def from_first_price(cls, symbol: str, price: float) -> Instrument:
        """An instrument whose venue states no steps: both follow the magnitude of its first price.

        A tick is about a billionth of the price and a lot is worth about a millionth of the quote currency, so
        rounding never decides a result, and prices times a power of ten give the same trades.
        """
        magnitude = math.floor(math.log10(price))
        return cls(symbol, tick=Decimal(1).scaleb(magnitude - 9), lot=Decimal(1).scaleb(-magnitude - 6))
