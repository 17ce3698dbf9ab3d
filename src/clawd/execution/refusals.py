"""What a venue has refused, so that it is not asked the same at once again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from clawd.core.orders import Order

#: After a refusal the same kind of order is asked for again after this long, and twice as long after each further one.
FIRST_WAIT: Final = 1_000_000_000
LONGEST_WAIT: Final = 10_000_000_000


@dataclass(slots=True)
class Refusals:
    """What a venue has refused, so that it is not asked the same at once again.

    It is not in the journal: after a restart each is asked for once more.
    """

    _waits: dict[tuple[str, ...], tuple[int, int]] = field(default_factory=dict)

    def note(self, order: Order, now: int) -> None:
        """An exit was refused."""
        self._note(_key(order), now)

    def note_cancel(self, order: str, now: int) -> None:
        """The venue did not take an order off."""
        self._note((order,), now)

    def forget(self, order: Order) -> None:
        """An exit was accepted."""
        self._waits.pop(_key(order), None)

    def hold_back(self, order: Order, now: int) -> bool:
        """Whether it is too early to ask for such an order again."""
        return self._too_early(_key(order), now)

    def hold_back_cancel(self, order: str, now: int) -> bool:
        """Whether it is too early to ask again that an order is taken off."""
        return self._too_early((order,), now)

    def _too_early(self, key: tuple[str, ...], now: int) -> bool:
        _, until = self._waits.get(key, (0, 0))
        return 0 < until - now <= LONGEST_WAIT  # a clock that was set back is not waited for

    def _note(self, key: tuple[str, ...], now: int) -> None:
        count, _ = self._waits.get(key, (0, 0))
        self._waits[key] = (count + 1, now + min(FIRST_WAIT << min(count, 10), LONGEST_WAIT))


def _key(order: Order) -> tuple[str, ...]:
    return order.agent, order.symbol, order.kind, order.type
