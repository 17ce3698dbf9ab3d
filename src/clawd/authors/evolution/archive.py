"""An archive that stays diverse: a few of the best of every kind of strategy (MAP-Elites, Mouret and Clune 2015)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from clawd.authors.evolution.objectives import Objectives, Outcome
from clawd.authors.evolution.pareto import best_first
from clawd.core.panel import Floats
from clawd.language.strategy import Strategy

#: Bars held, on the edges of which a holding period is another kind.
HOLDING: Final = (2.0, 5.0, 15.0, 50.0)
#: Net over gross exposure below which a strategy is a short one, and above which it is a long one.
_SIDED: Final = 0.33
#: Annual Sharpe ratio by which a member must pass the others of its cell to be called better: less is luck.
_BETTER: Final = 0.05
#: Members of a cell.
DEEP: Final = 3


class Cell(NamedTuple):
    """A kind of strategy.

    Attributes:
        holding: index of its mean holding period among the bins of :data:`HOLDING`.
        side: ``short``, ``neutral`` or ``long``.
        family: of its signal.
    """

    holding: int
    side: str
    family: str


def cell_of(holding: float, outcome: Outcome, family: str) -> Cell:
    """The cell of a strategy that held its positions for so many bars in the mean."""
    tilt = outcome.net_exposure / outcome.exposure if outcome.exposure > 0 else 0.0
    side = "long" if tilt > _SIDED else "short" if tilt < -_SIDED else "neutral"
    return Cell(bisect_right(HOLDING, holding), side, family)


@dataclass(frozen=True, eq=False)
class Member:
    """A strategy that went through all folds.

    Attributes:
        strategy: what it is.
        outcome: what came of it over all folds.
        objectives: what it is worth.
        cell: its kind.
        origin: how it was made.
        parents: content hashes of what it was made from.
        burdened: whether costs took most of what it made before them.
    """

    strategy: Strategy
    outcome: Outcome
    objectives: Objectives
    cell: Cell
    origin: str
    parents: tuple[str, ...]
    burdened: bool = False

    @property
    def behaviour(self) -> bytes:
        """Equal for strategies whose returns are."""
        return self.outcome.returns.tobytes()


def coordinates(members: list[Member]) -> Floats:
    """[N, 4], the objectives, all to be high. What has not earned anything is dominated by whatever has, and among its
    like only by what lost less: a program is not good for being small (Deb's constrained domination)."""
    rows = np.array([member.objectives.coordinates for member in members]).reshape(len(members), 4)
    losers = rows[:, 0] <= 0.0
    floor = rows.min(axis=0, initial=0.0) - 1.0
    rows[losers, 1:] = floor[1:]
    return rows


@dataclass(eq=False)
class Archive:
    """The cells of one island."""

    cells: dict[Cell, list[Member]] = field(default_factory=dict)
    behaviours: dict[bytes, Member] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Member]:
        for members in self.cells.values():
            yield from members

    def __len__(self) -> int:
        return sum(map(len, self.cells.values()))

    def add(self, member: Member) -> str:
        """Take a strategy in if it is among the best of its kind.

        Returns:
            ``best`` of its cell by its Sharpe ratio, ``kept``, or why it was not: ``same behaviour`` or ``dominated``.
        """
        twin = self.behaviours.get(member.behaviour)
        if twin is not None:
            if twin.objectives.size <= member.objectives.size:
                return "same behaviour"
            self._remove(twin)
        others = self.cells.get(member.cell, [])
        best = all(member.objectives.sharpe > other.objectives.sharpe + _BETTER for other in others)
        cell = [*others, member]
        kept = [cell[index] for index in best_first(coordinates(cell))[:DEEP]]
        for gone in cell:
            if gone not in kept:
                self.behaviours.pop(gone.behaviour, None)
        self.cells[member.cell] = kept
        if member not in kept:
            return "dominated"
        self.behaviours[member.behaviour] = member
        return "best" if best else "kept"

    def _remove(self, member: Member) -> None:
        del self.behaviours[member.behaviour]
        self.cells[member.cell] = [each for each in self.cells[member.cell] if each is not member]
        if not self.cells[member.cell]:
            del self.cells[member.cell]
