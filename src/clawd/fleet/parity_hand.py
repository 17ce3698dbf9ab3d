"""One replay of a day in hand: where it has come to, and which facts it has imposed on it."""

from __future__ import annotations

from collections.abc import Mapping

from clawd.core.orders import OrderKind
from clawd.fleet.parity_real import RealDay
from clawd.fleet.parity_record import ALL, IMPOSED, NONE, Key, Note, Replay, State
from clawd.fleet.parity_replay import Ledger
from clawd.fleet.parity_words import Cause


class Hand:
    """A replay in hand.

    Args:
        day: that is replayed.
        cuts: by cause, how far its facts are imposed; one that is left out is not.

    Attributes:
        result: what it leaves behind.
        state: what it remembers from bar to bar.
        column: index of the bar at hand.
        final: whether everything is imposed.
    """

    def __init__(self, day: RealDay, cuts: Mapping[Cause, Key]) -> None:
        self.day, self.cuts, self.result = day, cuts, Replay()
        self.final = all(cuts.get(cause) == ALL for cause in IMPOSED)
        positions = day.stretch.positions(day.symbols)
        placed: dict[tuple[int, OrderKind], str | None] = {
            (row, kind): day.stretch.opening.orders.get((symbol, kind))
            for row, symbol in enumerate(day.names)
            for kind in (OrderKind.CLOSING, OrderKind.OPENING)
        }
        self.state = State(positions, Ledger(day.stretch, positions), placed, {})
        self.column = 0

    def imposes(self, cause: Cause, key: Key) -> bool:
        return key <= self.cuts.get(cause, NONE)

    def note(self, key: Key, cause: Cause, row: int | None, words: str, *, at_close: bool) -> None:
        time = int(self.day.times[self.column]) + (self.day.panel.bar if at_close else 0)
        symbol = "" if row is None else self.day.names[row]
        self.result.notes.setdefault(self.column, []).append(Note(key, cause, symbol, time, words))
