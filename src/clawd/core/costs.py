"""What trading costs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs per side.

    Attributes:
        fee: share of the notional that the venue takes.
        slippage: share of the price by which a market or stop order fills worse.
    """

    fee: Decimal
    slippage: Decimal

    def times(self, factor: int) -> Costs:
        """The same costs multiplied, for stress."""
        return Costs(self.fee * factor, self.slippage * factor)
