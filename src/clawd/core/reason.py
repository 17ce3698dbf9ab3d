"""Why an order was made: the same words in the backtest, the journal and on the screen."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Why a position was changed."""

    ENTRY = 1
    INCREASE = 2
    REDUCE = 3
    SIGNAL = 4
    STOP = 5
    TRAIL = 6
    TAKE = 7
    TIME = 8
    RUIN = 9
    FIRED = 10
    BUDGET = 11
    HALT = 12
    CHANDELIER = 13
    BREAK_EVEN = 14

    @property
    def word(self) -> str:
        return self.name.lower()

    @property
    def opens(self) -> bool:
        """Whether it makes a position larger."""
        return self in (Reason.ENTRY, Reason.INCREASE)
