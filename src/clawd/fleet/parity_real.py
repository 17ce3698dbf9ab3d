"""An agent's real day, looked up by bar: what a replay of it has to be compared with."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from clawd.core.events import OrderFilled
from clawd.core.money import booked_size, studied
from clawd.core.orders import OrderKind
from clawd.core.reason import Reason
from clawd.engine.plan import CHANDELIER
from clawd.engine.prices import grid_of
from clawd.fleet.parity_facts import BEFORE, Facts
from clawd.fleet.parity_replay import Stretch


class RealDay:
    """A day with what really happened to the agent in it.

    Args:
        stretch: the day.
        symbols: of the run.
        facts: what really happened to the agent.
    """

    def __init__(self, stretch: Stretch, symbols: Sequence[str], facts: Facts) -> None:
        self.stretch, self.symbols, self.facts = stretch, symbols, facts
        course = stretch.course
        self.panel, self.plan = course.panel, course.plan
        self.names = course.panel.symbols
        self.grids = [grid_of(studied(instrument.tick)) for instrument in self.panel.instruments]
        self.slippage = studied(stretch.costs.slippage)
        window = int(self.plan["window"][CHANDELIER]) if self.plan["size"][CHANDELIER] > 0.0 else -1
        self.ranges = None if window < 0 else course.decisions.ranges[window]
        self.columns = stretch.columns
        self.times = self.panel.times
        self.fills: dict[tuple[int, str], list[OrderFilled]] = {}
        self.by_order: dict[str, list[tuple[int, OrderFilled]]] = {}
        for column in self.columns:
            time = int(self.times[column])
            for fill in facts.fills.get(time, ()):
                self.fills.setdefault((time, fill.symbol), []).append(fill)
                self.by_order.setdefault(fill.order, []).append((column, fill))
        self.held = self._held()

    def _held(self) -> dict[tuple[int, str], Decimal]:
        """The real size after each bar in which it changed, and when the day opened."""
        opening = self.stretch.opening
        found: dict[tuple[int, str], Decimal] = {}
        for row, symbol in enumerate(self.names):
            position = opening.positions[self.symbols.index(symbol)]
            size = booked_size(float(position["lots"]), self.panel.instruments[row].lot)
            found[BEFORE, symbol] = size
            for column in self.columns:
                time = int(self.times[column])
                size += sum((fill.size for fill in self.fills.get((time, symbol), ())), Decimal(0))
                found[time, symbol] = size
        return found

    def exits_after(self, column: int, row: int, kind: OrderKind) -> list[OrderFilled]:
        """The real fills of a kind of exit after a bar, as long as the position was the same."""
        found: list[OrderFilled] = []
        for later in range(column + 1, self.columns.stop):
            for fill in self.fills.get((int(self.times[later]), self.names[row]), ()):
                if fill.reason is Reason.ENTRY:
                    return found
                if fill.order_kind is kind:
                    found.append(fill)
        return found

    def real_size(self, column: int, symbol: str) -> Decimal:
        """The real size at the close of a bar."""
        return self.held.get((int(self.times[column]), symbol), self.held[BEFORE, symbol])

    @property
    def first(self) -> int:
        """The first bar at whose close something is decided."""
        return self.columns.start - 1 if self.stretch.decides_first else self.columns.start
