"""What the parity report says: differences in money, of an agent, of a day."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from clawd.fleet.parity_words import Cause


@dataclass(frozen=True, slots=True)
class Difference:
    """What one fact did to the profit of a day.

    Attributes:
        cause: its class.
        agent, symbol: whose and where; the symbol is empty where it is all of them.
        time: UTC nanoseconds.
        words: what happened.
        money: real less replayed, quote currency, what followed from it within the day included.
    """

    cause: Cause
    agent: str
    symbol: str
    time: int
    words: str
    money: Decimal


@dataclass(frozen=True, slots=True)
class AgentParity:
    """One agent's day.

    Attributes:
        agent, strategy: who.
        replayed: profit of the backtest, quote currency.
        real: profit of the books.
        differences: in the order in which the facts were imposed.
    """

    agent: str
    strategy: str
    replayed: Decimal
    real: Decimal
    differences: tuple[Difference, ...]

    def of(self, cause: Cause) -> Decimal:
        """What a cause did to the profit; slippage of late fills is slippage."""
        return sum((each.money for each in self.differences if each.cause is cause), Decimal(0))

    @property
    def explained(self) -> bool:
        return not any(each.cause is Cause.UNEXPLAINED for each in self.differences)


@dataclass(frozen=True, slots=True)
class DayParity:
    """A UTC day of a run.

    Attributes:
        day: days since 1970.
        agents: in the order in which they were hired.
        profit: of the account, quote currency, as its books were marked.
        whole: whether these are all of its agents.
    """

    day: int
    agents: tuple[AgentParity, ...]
    profit: Decimal
    whole: bool

    @property
    def beside(self) -> Decimal:
        """Profit of the account that is no agent's: always 0, or the books are wrong."""
        return self.profit - sum((agent.real for agent in self.agents), Decimal(0)) if self.whole else Decimal(0)

    @property
    def explained(self) -> bool:
        return self.beside == 0 and all(agent.explained for agent in self.agents)
