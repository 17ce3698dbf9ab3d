"""What is known of a strategy, as its report needs it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clawd.core.panel import Floats
from clawd.engine.backtest import Backtest
from clawd.evidence.eprocess import EProcess
from clawd.evidence.gates import Gate
from clawd.store.ledger import Ancestor
from clawd.store.registry import Bet, Hypothesis


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The strategy with one number a step up or down.

    Attributes:
        change: such as ``ts_mean window 20 → 30``.
        sharpe: annual, on the same bars.
    """

    change: str
    sharpe: float


@dataclass(frozen=True, slots=True)
class Regime:
    """The bars of one kind of market.

    Attributes:
        name: such as ``calm``.
        meaning: which bars these are.
        share: of all bars.
        sharpe: annual, of the strategy on them.
        annual_return: a year's worth of its mean bar on them, a share of the capital.
    """

    name: str
    meaning: str
    share: float
    sharpe: float
    annual_return: float


@dataclass(frozen=True, eq=False)
class Story:
    """All that is known of a strategy.

    Attributes:
        result: on the bars of the search, at the costs in force.
        stressed, delayed, endured: annual Sharpe ratios at double costs, one bar late, and both.
        explanation: what it does, in plain English.
        lineage: itself and its ancestors, nearest first; empty where it was never tried before.
        family: distinct strategies tried of its family.
        strategies, trials: distinct ones in the ledger.
        gates: in order; those that need a look at the selection only where a campaign has judged it.
        run: the campaign that judged it, empty where none has.
        selection: annual Sharpe ratio on the selection, NaN where it was not looked at.
        verdict: where it stands.
        hypothesis: as it is registered, None where it is not.
        bets: the bars that count, in order of time.
        neighbours: the strategy with other numbers.
        regimes: how it did in different markets.
    """

    result: Backtest
    stressed: float
    delayed: float
    endured: float
    explanation: str
    lineage: tuple[Ancestor, ...]
    family: int
    strategies: int
    trials: int
    gates: tuple[Gate, ...]
    run: str
    selection: float
    verdict: str
    hypothesis: Hypothesis | None
    bets: tuple[Bet, ...]
    neighbours: tuple[Neighbour, ...]
    regimes: tuple[Regime, ...]

    @property
    def wealth(self) -> Floats:
        """[bets], the wealth after each bar that counts."""
        process, found = EProcess(), []
        for bet in self.bets:
            process = process.after(bet.net_return, bet.bound)
            found.append(process.wealth)
        return np.array(found)
