"""What a simulated exchange demands and charges, and how far away it is."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from clawd.core.errors import ClawdError
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, NANOSECONDS_PER_SECOND
from clawd.core.reports import RequestKind

#: Days of the account's own trades that decide its fee tier.
VOLUME_DAYS: Final = 30


class Code(StrEnum):
    """The exchange's word for what it refused or took off; the codes of a book are in `book.Trust`."""

    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"
    UNSUPPORTED = "UNSUPPORTED"
    INVALID = "INVALID"
    DUPLICATE = "DUPLICATE"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    ORDER_FINISHED = "ORDER_FINISHED"
    TICK_SIZE = "TICK_SIZE"
    LOT_SIZE = "LOT_SIZE"
    MIN_NOTIONAL = "MIN_NOTIONAL"
    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
    INSUFFICIENT_MARGIN = "INSUFFICIENT_MARGIN"
    POST_ONLY = "POST_ONLY"
    REDUCE_ONLY = "REDUCE_ONLY"
    NO_LIQUIDITY = "NO_LIQUIDITY"
    NOT_WHOLE = "FOK_NOT_WHOLE"
    IOC_REST = "IOC_REST"
    SELF_TRADE = "SELF_TRADE"
    REQUESTED = "REQUESTED"
    REPLACED = "REPLACED"
    TIME = "GTD_TIME"
    RATE_LIMIT = "429"


@dataclass(frozen=True, slots=True)
class Listing:
    """An instrument and its terms.

    Attributes:
        instrument: with its tick and lot.
        least_notional: size times price below which an order is refused, but for one that only reduces.
        leverage: most exposure over equity of a perpetual; None for spot, which is paid for whole and never sold
            short.
    """

    instrument: Instrument
    least_notional: Decimal = Decimal(0)
    leverage: Decimal | None = None


@dataclass(frozen=True, slots=True)
class FeeTier:
    """Fees from a volume on.

    Attributes:
        volume: quote currency traded in the 30 days before, from which on the tier holds.
        maker, taker: share of the notional; a negative one is a rebate.
    """

    volume: Decimal
    maker: Decimal
    taker: Decimal


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How much may be asked for in each window of the venue's clock, counted from 1970."""

    window: int
    weight: int


@dataclass(frozen=True, slots=True)
class Delay:
    """Nanoseconds on the way in one direction: at least so many, and an exponentially distributed excess over them."""

    least: int = 0
    mean_excess: int = 0

    def draw(self, seed: int, direction: str, number: int) -> int:
        """The delay of a message, the same whenever the same message of the same seed is asked about."""
        if not self.mean_excess:
            return self.least
        digest = hashlib.blake2b(f"{seed} {direction} {number}".encode(), digest_size=8).digest()
        uniform = (int.from_bytes(digest, "big") + 1) / (2**64 + 1)
        return self.least + int(-math.log(uniform) * self.mean_excess)


@dataclass(frozen=True, slots=True)
class Latency:
    """The delays of our requests, of the venue's reports, and of its market data. Nothing overtakes on one way."""

    request: Delay = Delay()
    report: Delay = Delay()
    feed: Delay = Delay()


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for an account.

    Attributes:
        fees: tiers by rising volume, the first from 0 on.
        volume: quote currency traded in the days before the account was opened here; it counts as traded then.
        latency: see there.
        limits: all of them hold.
        weights: what a request counts for; 1 where it is not named. A request that is refused counts for nothing.
        stale: nanoseconds of silence about a book after which nothing is taken from it.
        retention: nanoseconds for which a finished order can be asked about and its id not used again.
        queue_exponent: see `queue.still_ahead`; None never puts an order before its true place.
        reduce_only: whether it knows orders that only make a position smaller; where not, two exits may both fill.
    """

    fees: tuple[FeeTier, ...]
    volume: Decimal = Decimal(0)
    latency: Latency = Latency()
    limits: tuple[RateLimit, ...] = ()
    weights: Mapping[RequestKind, int] = field(default_factory=dict)
    stale: int = 5 * NANOSECONDS_PER_SECOND
    retention: int = 7 * NANOSECONDS_PER_DAY
    queue_exponent: float | None = None
    reduce_only: bool = True

    def __post_init__(self) -> None:
        volumes = [tier.volume for tier in self.fees]
        if not volumes or volumes[0] != 0 or volumes != sorted(set(volumes)):
            raise ClawdError("fee tiers do not rise from a volume of 0", where="fees", hint="volumes 0, 1000000, ...")

    def tier(self, volume: Decimal) -> FeeTier:
        """The tier of a volume."""
        return tier_of(self.fees, volume)


def tier_of(tiers: Sequence[FeeTier], volume: Decimal) -> FeeTier:
    """The last tier whose volume is reached."""
    return [tier for tier in tiers if tier.volume <= volume][-1]
