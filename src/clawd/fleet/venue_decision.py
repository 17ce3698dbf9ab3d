"""What an agent on a venue's account decides at a closed bar: by the compiled rules of a replay, from its journal.

The trading loop and the daily parity report ask the same functions, so whoever has the journal can decide again.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from clawd.core.costs import Costs
from clawd.core.money import studied
from clawd.core.panel import Floats
from clawd.engine.decision import decide
from clawd.engine.position import POSITION
from clawd.execution.protection import Protection
from clawd.execution.stance import Stance
from clawd.execution.sub_account import SubAccount


def position_of(protection: Protection | None, stance: Stance, now: int, bar: int) -> np.void:
    """What the compiled rules know of a position: its exits' memory, and the agent's last word.

    Args:
        protection: of the position, None where nothing is held.
        stance: what the agent has decided.
        now: UTC nanoseconds.
        bar: duration of the bars, nanoseconds.
    """
    position: np.void = np.zeros(1, POSITION)[0] if protection is None else protection.position.copy()
    position["acted"] = np.nan if stance.acted is None else stance.acted
    position["shut"] = stance.shut
    position["shut_bars"] = (now - stance.shut_at) // bar if stance.shut else 0.0
    return position


def capital_of(agent: SubAccount, costs: Costs, closes: Mapping[str, Decimal], paid_whole: bool) -> float:
    """What exposures are shares of. What is paid for whole is paid from what there is, and its costs as well.

    Args:
        agent: whose.
        costs: of the account.
        closes: the last of each instrument, quote currency.
        paid_whole: whether one of its instruments is.
    """
    if not paid_whole:
        return studied(agent.capital)
    try:
        value = agent.value(closes)
    except KeyError:
        value = agent.cash
    return studied(min(agent.capital, value) / ((1 + costs.fee) * (1 + costs.slippage)))


def decided(
    before: NDArray[np.void],
    plan: np.void,
    targets: Floats,
    paid_whole: NDArray[np.bool_],
    close: Floats,
    present: NDArray[np.bool_],
    ranges: Floats,
    capital: float,
    lots: Floats,
) -> NDArray[np.void]:
    """The positions with the orders that an agent wants at a close.

    Args:
        before: [I] of :data:`~clawd.engine.position.POSITION`, its positions; they are left as they are.
        plan: its exits.
        targets: [I], the exposures that it wants.
        paid_whole: [I], where nothing is sold short.
        close: [I, 1].
        present: [I, 1], where it decides.
        ranges: [K, I, 1], average true ranges.
        capital: quote currency.
        lots: [I].
    """
    after = before.copy()
    after["target"] = np.where(paid_whole, np.maximum(targets, 0.0), targets)
    decide(after, plan, close, present, ranges, 0, capital, lots, False)
    return after
