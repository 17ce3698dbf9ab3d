"""Our ids of orders: the same decision has the same id, whoever asks, and however often.

An id names its decision by a hash, so a crash between two attempts cannot make two orders of one decision. It is short
enough, and of few enough characters, for real venues: 32 of ``[A-Za-z0-9-]``.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from clawd.core.orders import OrderKind

_PREFIX: Final = "clawd-"
_ACCOUNT_CHARACTERS: Final = 6
_LENGTH: Final = 32


def client_id(account: str, agent: str, symbol: str, time: int, kind: OrderKind, number: int = 0) -> str:
    """The id of an order.

    Args:
        account: at which it is placed.
        agent, symbol: whose and in what.
        time: of the decision, UTC nanoseconds, such as the close of the bar that it was made on.
        kind: what the order is for.
        number: tells orders of one kind and decision apart.

    Returns:
        32 characters: a prefix, six of the account's name, and 20 (100 bits) of everything else.
    """
    parts = "\x1f".join((account, agent, symbol, str(time), kind, str(number)))
    return _account_prefix(account) + _characters(parts, _LENGTH - len(_PREFIX) - _ACCOUNT_CHARACTERS)


def is_ours(order: str, account: str) -> bool:
    """Whether an id has the shape of those that an account of this name gives to its orders."""
    return len(order) == _LENGTH and order.startswith(_account_prefix(account))


def _account_prefix(account: str) -> str:
    return _PREFIX + _characters(account, _ACCOUNT_CHARACTERS)


def _characters(text: str, count: int) -> str:
    """The first characters, of 5 bits each, of the hash of a text."""
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:count]
