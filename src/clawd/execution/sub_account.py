"""What one agent has of an account at a venue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from clawd.execution.holding import Holding
from clawd.execution.stance import Stance

_ZERO = Decimal(0)


@dataclass(slots=True)
class SubAccount:
    """What one agent has. Money is in quote currency.

    Attributes:
        id: of the agent; :data:`~clawd.core.account_events.UNATTRIBUTED` for what no agent has done.
        capital: what it was given.
        cash: capital and everything that its fills, fees and funding paid and received.
        holdings: by symbol, those that are not flat.
        orders: ids of its orders that may still trade, by symbol.
        day_value: its value when the day began.
        realised, fees, funding: since it was funded.
        stopped: why it may enter nothing any more, None while it may.
        paused: whether a person lets it enter nothing for now.
        about: what whoever funded it wanted to be remembered, such as its strategy.
        stances: what it has decided, by symbol.
    """

    id: str
    capital: Decimal
    cash: Decimal
    day_value: Decimal
    holdings: dict[str, Holding] = field(default_factory=dict)
    orders: dict[str, list[str]] = field(default_factory=dict)
    realised: Decimal = _ZERO
    fees: Decimal = _ZERO
    funding: Decimal = _ZERO
    stopped: str | None = None
    paused: bool = False
    about: dict[str, Any] = field(default_factory=dict)
    stances: dict[str, Stance] = field(default_factory=dict)

    def size(self, symbol: str) -> Decimal:
        """Signed size held."""
        holding = self.holdings.get(symbol)
        return holding.size if holding else _ZERO

    def value(self, marks: Mapping[str, Decimal]) -> Decimal:
        """Worth at some marks.

        Raises:
            KeyError: for a position without a mark: an account that cannot be valued is not valued at a guess.
        """
        return self.cash + sum((each.size * marks[symbol] for symbol, each in self.holdings.items()), _ZERO)

    def day_loss(self, marks: Mapping[str, Decimal]) -> Decimal:
        """Realised and unrealised loss of the day, not negative. Raises KeyError as `value` does."""
        return max(self.day_value - self.value(marks), _ZERO)
