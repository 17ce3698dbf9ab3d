"""Which operator is tried next: those that brought something lately, without forgetting the others.

Thompson sampling (W. Thompson, Biometrika 25, 1933) on a discounted Beta posterior for each operator, for it is worth
less to know what worked on the first generation than what worked on the last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

#: What a failure costs the operator that made it, from nothing to a whole one. A strategy that was nearly kept says
#: less against its operator than one that did not even trade.
BLAME: Final[Mapping[str, float]] = {
    "best": 0.0,
    "kept": 0.2,
    "dominated": 0.4,
    "weak": 0.5,
    "lost": 0.7,
    "costs": 0.7,
    "same behaviour": 0.8,
    "ruined": 1.0,
    "never traded": 1.0,
    "failed": 1.0,
    "duplicate": 0.3,
    "nothing": 0.2,
}
_FORGETTING: Final = 0.9


class Bandit:
    """Beta posteriors of the operators, for each situation apart.

    Args:
        operators: names of what can be chosen.
    """

    def __init__(self, operators: Sequence[str]) -> None:
        self.operators = tuple(operators)
        self._won: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._lost: defaultdict[tuple[str, str], float] = defaultdict(float)

    def choose(self, random: Random, situation: str, operators: Sequence[str] | None = None) -> str:
        """The operator whose chance, drawn from what is believed of it, is highest."""
        drawn = {
            name: random.betavariate(1.0 + self._won[situation, name], 1.0 + self._lost[situation, name])
            for name in operators or self.operators
        }
        return max(drawn, key=drawn.__getitem__)

    def learn(self, situation: str, operator: str, verdict: str) -> None:
        """Take note of what became of an operator's child: a key of :data:`BLAME`."""
        if verdict == "best":
            self._won[situation, operator] += 1
        else:
            self._lost[situation, operator] += BLAME[verdict]

    def forget(self) -> None:
        """A generation has passed."""
        for counts in (self._won, self._lost):
            for key in counts:
                counts[key] *= _FORGETTING

    def belief(self, situation: str) -> dict[str, float]:
        """The mean chance of each operator to bring something that is kept."""
        return {
            name: (1.0 + self._won[situation, name]) / (2.0 + self._won[situation, name] + self._lost[situation, name])
            for name in self.operators
        }
