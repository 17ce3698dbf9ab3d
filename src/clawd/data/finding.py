"""What a look at the quality of data finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "missing_value",
    "negative",
    "infinite",
    "duplicate",
    "disorder",
    "overlap",
    "gap",
    "ohlc",
    "bad_tick",
    "constant_price",
    "dead",
    "zero_volume",
    "unreadable",
]
Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """Something about an instrument's bars that is worth knowing before trading on them.

    Attributes:
        kind: what it is.
        severity: ``error`` where an import would refuse, ``warning`` where results may be wrong, ``note``
            otherwise.
        symbol: of the instrument.
        place: where it is first seen, for people.
        count: how many bars or places it concerns.
        message: what was found, with the numbers, for people.
    """

    kind: Kind
    severity: Severity
    symbol: str
    place: str
    count: int
    message: str
