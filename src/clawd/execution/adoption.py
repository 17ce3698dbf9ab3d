"""What an account holds and no agent has done, and a person's word that it is theirs."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from clawd.core.account_events import UNATTRIBUTED
from clawd.core.errors import ClawdError
from clawd.execution.account import Account
from clawd.store.switchboard import Decision, Switchboard


class Unattributed(NamedTuple):
    """An instrument that nobody enters before a person has decided.

    Attributes:
        symbol: of the instrument.
        size: signed, what is there of it.
        decided: whether a person has decided, and the account has not heard it yet.
    """

    symbol: str
    size: Decimal
    decided: bool


def unattributed(account: Account, switchboard: Switchboard) -> list[Unattributed]:
    """What waits for a decision, by symbol."""
    book = account.agents.get(UNATTRIBUTED)
    decided = {decision.symbol for decision in switchboard.decisions(account.start.account, account.decided)}
    waiting = sorted({block.symbol for block in account.blocks if block.why == UNATTRIBUTED})
    return [Unattributed(symbol, book.size(symbol) if book else Decimal(0), symbol in decided) for symbol in waiting]


def adopt(account: Account, switchboard: Switchboard, symbol: str, by: str, now: int) -> Decision:
    """Say that what is unattributed in an instrument is a person's, so that agents may enter beside it.

    Args:
        account: as its journal says.
        switchboard: of the home.
        symbol: of the instrument.
        by: who decides.
        now: UTC nanoseconds.

    Raises:
        ClawdError: when nothing there waits.
    """
    waiting = [each.symbol for each in unattributed(account, switchboard)]
    if symbol not in waiting:
        raise ClawdError(
            f"nothing in {symbol} waits for a decision",
            where=f"account {account.start.account}",
            hint=f"there is {', '.join(waiting)}" if waiting else None,
        )
    return switchboard.decide(account.start.account, symbol, by, now)
