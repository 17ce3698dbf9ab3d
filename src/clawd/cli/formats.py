"""Figures as people read them on a terminal."""

from __future__ import annotations

import math
from decimal import Decimal


def percent(share: float, digits: int = 1, *, signed: bool = False) -> str:
    """A share as percent, a dash where it does not exist."""
    return "–" if math.isnan(share) else f"{share * 100:{'+' if signed else ''}z,.{digits}f} %"


def number(value: float, digits: int = 2) -> str:
    """A number, a dash where it does not exist."""
    return "–" if math.isnan(value) else f"{value:z,.{digits}f}"


def money(amount: Decimal, digits: int = 2, *, signed: bool = False) -> str:
    """An amount in quote currency."""
    return f"{amount:{'+' if signed else ''}z,.{digits}f}"


def price(value: Decimal) -> str:
    """A price with five digits, or all that lie before the point."""
    digits = max(2, 4 - value.adjusted()) if value else 2
    return f"{value:,.{min(digits, 12)}f}"


def count(number: int, noun: str) -> str:
    """A number of things: 1 agent, 2 agents."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
