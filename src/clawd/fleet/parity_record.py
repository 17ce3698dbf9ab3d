"""What a replay of a day has imposed on it, remembers and leaves behind."""

from __future__ import annotations

import sys
from copy import copy
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clawd.core.events import OrderFilled
from clawd.core.orders import OrderKind
from clawd.fleet.parity_replay import Ledger
from clawd.fleet.parity_words import Cause

#: Where a fact stands: index of the bar, of the instrument, and the phase within the bar. A fact bears on what comes
#: after it, never before.
Key = tuple[int, int, int]
NONE: Final[Key] = (-1, -1, -1)
ALL: Final[Key] = (sys.maxsize, 0, 0)

#: The classes of facts that a replay can have imposed on it, in the order in which they are.
IMPOSED: Final = (
    Cause.GATE,
    Cause.RESERVE,
    Cause.HALT,
    Cause.PAUSED,
    Cause.FIRED,
    Cause.SLIPPAGE,
    Cause.LATENCY,
    Cause.PARTIAL,
    Cause.LATE_SLIPPAGE,
)


@dataclass(frozen=True, slots=True)
class Note:
    """A fact that changed something.

    Attributes:
        key: where it stands.
        cause: its class.
        symbol: instrument, empty for all.
        time: UTC nanoseconds.
        words: what happened.
    """

    key: Key
    cause: Cause
    symbol: str
    time: int
    words: str


@dataclass(slots=True)
class State:
    """Everything that is remembered from bar to bar."""

    positions: NDArray[np.void]
    ledger: Ledger
    placed: dict[tuple[int, OrderKind], str | None]
    touched: dict[tuple[int, OrderKind], Key]
    ruined: Key | None = None

    def same(self, other: State) -> bool:
        """Whether what follows is the same."""
        return (
            self.ledger.sizes == other.ledger.sizes
            and self.working() == other.working()
            and self.touched == other.touched
            and self.ruined == other.ruined
            and self.positions.tobytes() == other.positions.tobytes()
        )

    def working(self) -> dict[tuple[int, OrderKind], str | None]:
        """Which real orders the working ones are."""
        return {place: order for place, order in self.placed.items() if self.positions[place[0]][place[1].value] != 0.0}

    def with_cash(self, cash: Decimal) -> State:
        ledger = copy(self.ledger)
        ledger.cash = cash
        return replace(self, ledger=ledger)

    def copy(self) -> State:
        return State(self.positions.copy(), self.ledger.copy(), dict(self.placed), dict(self.touched), self.ruined)


@dataclass(slots=True)
class Replay:
    """A day as it would have been.

    Attributes:
        profit: quote currency.
        notes: the facts that changed something, by bar.
        fees: real fee less modelled, by bar, of each fill that was imposed with its price.
        states: at the start of each bar, to go on from.
        funding: modelled, by open of the bar and instrument.
        lowest: equity at any close.
    """

    profit: Decimal = Decimal(0)
    notes: dict[int, list[Note]] = field(default_factory=dict)
    fees: dict[int, list[tuple[OrderFilled, Decimal]]] = field(default_factory=dict)
    states: dict[int, State] = field(default_factory=dict)
    funding: dict[tuple[int, str], Decimal] = field(default_factory=dict)
    lowest: Decimal = Decimal(0)

    def of(self, cause: Cause) -> list[Note]:
        """The facts of a cause, in the order in which they bear on one another."""
        return sorted((note for notes in self.notes.values() for note in notes if note.cause is cause), key=_key)


def _key(note: Note) -> Key:
    return note.key
