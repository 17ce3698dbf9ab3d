"""Numbers and times as people read them, alike on every machine: no locale, UTC."""

from __future__ import annotations

import math
from decimal import Decimal

from clawd.core.clock import iso
from clawd.core.instrument import Instrument

MINUS = "\u2212"
UNKNOWN = "—"


def number(value: float, decimals: int = 2, *, signed: bool = False) -> str:
    """A number with thousands separated. What rounds to zero has no sign; what does not exist is a dash."""
    if not math.isfinite(value):
        return UNKNOWN
    text = f"{abs(value):,.{decimals}f}"
    if not text.strip("0.,"):
        return text
    return (MINUS if value < 0 else "+" if signed else "") + text


def percent(share: float, decimals: int = 1, *, signed: bool = False) -> str:
    """A share as percent."""
    text = number(share * 100, decimals, signed=signed)
    return text if text == UNKNOWN else text + "%"


def rate(share: Decimal) -> str:
    """An exact share as percent, with the digits that it has."""
    return f"{(share * 100).normalize():f}%"


def money(value: float, decimals: int = 2, *, signed: bool = False) -> str:
    """An amount: fewer digits the larger it is, so that none of them is noise."""
    if math.isfinite(value) and abs(value) >= 999_999.5:
        return number(value / 1e6, 2, signed=signed) + "M"
    return number(value, decimals if abs(value) < 100_000 else 0, signed=signed)


def wealth(value: float) -> str:
    """A wealth of evidence: two digits while small, no decimals when large."""
    return f"{value:,.2f}" if value < 100 else f"{value:,.0f}" if value < 1e6 else f"{value:.1e}"


def axis_number(value: float, decimals: int) -> str:
    """A number that labels an axis: an amount, or a power of ten where that would be long with zeros."""
    if decimals <= 7 or value == 0:
        return money(value, decimals)
    mantissa, exponent = f"{value:.2e}".split("e")
    text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return text.replace("-", MINUS)


def money_decimals(capital: Decimal) -> int:
    """How many decimals matter in the amounts of an account of this capital: two, more below a hundred."""
    return min(max(2, 3 - capital.adjusted()), 10) if capital > 0 else 2


def price_decimals(instrument: Instrument, highest: float) -> int:
    """How many decimals a column of prices has: those of the venue's tick, or six digits where that is finer.

    Args:
        instrument: whose prices they are.
        highest: of them.
    """
    exponent = instrument.tick.normalize().as_tuple().exponent
    by_tick = max(0, -exponent) if isinstance(exponent, int) else 0
    if not (math.isfinite(highest) and highest > 0):
        return min(by_tick, 6)
    magnitude = math.floor(math.log10(highest))
    # Venues quote up to eight digits. A finer grid belongs to an instrument that states none.
    return by_tick if by_tick + magnitude < 8 else max(0, 5 - magnitude)


def size_decimals(instrument: Instrument, largest: float) -> int:
    """How many decimals a column of sizes has: those of the lot, five digits where it is finer."""
    exponent = instrument.lot.normalize().as_tuple().exponent
    by_lot = max(0, -exponent) if isinstance(exponent, int) else 0
    if not (math.isfinite(largest) and largest > 0):
        return min(by_lot, 4)
    return min(by_lot, max(0, 4 - math.floor(math.log10(largest))))


def moment(nanoseconds: int, *, clock: bool = False) -> str:
    """A UTC time: ``2024-03-01`` or ``2024-03-01 14:30``; with ``clock`` midnight is written out too."""
    text = iso(nanoseconds).replace("T", " ").removesuffix("Z")
    return f"{text} 00:00" if clock and len(text) == 10 else text


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """A count with its noun."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"
