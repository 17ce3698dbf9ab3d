"""Who loses is let go: the gambler's bet turned round, and the drawdown.

The gambler of :mod:`clawd.evidence.eprocess` now bets against the agent, on x_t = min(r_t, c_t), its net return with
gains above c_t counted as c_t:

    L_n = mean over λ in FRACTIONS of Π_{t≤n} (1 - min(λ, 1/c_t) x_t)

What is bet on can gain without limit, so without a cap every stake could lose everything. The null is about what is
left:

    H0: E[min(r_t, c_t) | past] ≥ 0 on every bar.

Under it L is a nonnegative supermartingale from 1, whatever the law and the dependence, and the chance that an agent
which deserves its slot is *ever* fired by it is at most :data:`FALSE_FIRING` (Ville). Losses enter whole.

Capping gains makes the null stronger than "does not lose", and so the test is harsher than that: an agent which lives
on gains beyond the cap alone, a buyer of lottery tickets, is fired although its mean may be zero. The other way round
than for promotion this is the safe side: what is lost is a slot on paper, what is kept is capital. The cap is chosen so
that it seldom speaks: c_t is :data:`CAP` times what such a bar usually moves, and never more than the bound b_t.
Usual is known before the bar: the mean of \\|r\\|/b over the bars held, the last hundred weighing most, times b_t.
For returns as heavy in the tails as Student's t with 3 degrees of freedom, the gains beyond it are worth 0.06 of annual
Sharpe ratio with daily bars; for normal ones nothing.

An agent whose equity falls by a given share of its capital from its peak is fired whatever the evidence says.

References: as of :mod:`clawd.evidence.eprocess`; Waudby-Smith and Ramdas (2024) test a mean by betting either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from clawd.evidence.eprocess import EProcess

#: The chance that an agent with no loss is ever fired by the evidence.
FALSE_FIRING: Final = 0.05

#: Gains count up to so many times what a bar usually moves.
CAP: Final = 8.0

#: Bars over which "usual" is averaged: the first so many evenly, then with weights that fade.
_MEMORY: Final = 100


@dataclass(frozen=True, slots=True)
class Monitor:
    """The evidence that an agent loses after some bars; ``Monitor()`` is the start.

    Attributes:
        against: the e-process that bets against the agent.
        usual: what a bar that was held usually moves, as a share of its bound, not above 1.
        held: bars so far on which something was held and moved.
    """

    against: EProcess = field(default_factory=EProcess)
    usual: float = 1.0
    held: int = 0

    @property
    def wealth(self) -> float:
        """L_n, at least 0."""
        return self.against.wealth

    @property
    def fires(self) -> bool:
        """Whether the evidence of loss has ever reached 1 / :data:`FALSE_FIRING`."""
        return self.against.reached(1.0 / FALSE_FIRING)

    def cap(self, bound: float) -> float:
        """The most that a gain on the coming bar will count."""
        return min(bound, CAP * self.usual * bound)

    def after(self, net_return: float, bound: float) -> Monitor:
        """The evidence after one more bar.

        Args:
            net_return, bound: as of :meth:`~clawd.evidence.eprocess.EProcess.after`.

        Raises:
            ValueError: as there.
        """
        cap = self.cap(bound)
        against = self.against.after(-min(net_return, cap), cap)
        if bound == 0 or net_return == 0:  # nothing held, or nothing traded
            return Monitor(against, self.usual, self.held)
        held = self.held + 1
        moved = min(abs(net_return) / bound, 1.0)
        usual = moved if self.held == 0 else self.usual + (moved - self.usual) / min(held, _MEMORY)
        return Monitor(against, usual, held)

    def to_json(self) -> dict[str, Any]:
        """A JSON object that ``from_json`` turns back into the same bits."""
        return {"against": self.against.to_json(), "usual": self.usual, "held": self.held}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Monitor:
        """The monitor that ``to_json`` saved; errors as of :meth:`~clawd.evidence.eprocess.EProcess.from_json`."""
        return cls(EProcess.from_json(saved["against"]), float(saved["usual"]), int(saved["held"]))


def why_to_fire(monitor: Monitor, drawdown: Decimal, limit: Decimal) -> str | None:
    """``DRAWDOWN``, ``EVIDENCE``, or None for who may stay.

    Args:
        monitor: with the bar that has just closed.
        drawdown: the fall of the equity from its peak, a share of the capital.
        limit: the same share at which an agent is fired.
    """
    if drawdown >= limit:
        return "DRAWDOWN"
    return "EVIDENCE" if monitor.fires else None
