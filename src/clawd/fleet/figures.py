"""Figures that every entry of a close asks for and few facts change: kept until one does."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from clawd.core.event import Event
from clawd.core.events import AgentHired, AgentReleased, FundingPaid, OrderFilled
from clawd.evidence.eprocess import EProcess
from clawd.evidence.monitor import Monitor

#: What moves cash or positions.
_MOVES_MONEY = (AgentHired, AgentReleased, FundingPaid, OrderFilled)


@dataclass(slots=True)
class Figures:
    """What was computed of a run's books and still holds: an order costs a sum over the agents, not all their books.

    Attributes:
        cash: of the account, None where it is to be computed.
        net_sizes: by symbol, None likewise.
        reserved, evidence, monitors: by agent; the last two with the bar at hand.
        exposures: by agent, and by row of the instrument, None for all of them.
    """

    cash: Decimal | None = None
    net_sizes: dict[str, Decimal] | None = None
    reserved: dict[str, Decimal] = field(default_factory=dict)
    evidence: dict[str, EProcess] = field(default_factory=dict)
    monitors: dict[str, Monitor] = field(default_factory=dict)
    exposures: dict[str, dict[int | None, Decimal]] = field(default_factory=dict)

    def forget(self, event: Event) -> None:
        """Let go of what a fact may have changed: of its agent, or of all where it names none."""
        agent: str | None = getattr(event, "agent", None)
        if agent is None:
            for figures in (self.reserved, self.evidence, self.monitors, self.exposures):
                figures.clear()
        else:
            for figures in (self.reserved, self.evidence, self.monitors, self.exposures):
                figures.pop(agent, None)
        if agent is None or isinstance(event, _MOVES_MONEY):
            self.cash = self.net_sizes = None
