"""The simulated exchange beside a bare loop that writes the same changes of levels into dictionaries."""

from __future__ import annotations

import random
from decimal import Decimal

from benchmarks.measure import Result, seconds
from clawd.core.instrument import Instrument
from clawd.data.book_replay import ASK, BID
from clawd.data.capture import BookChange, MarketEvent, Print
from clawd.venues.matching.rules import FeeTier, Listing, Rules
from clawd.venues.matching.venue import MatchingVenue

MESSAGES, LEVELS, DEPTH = 10_000, 20, 1_000
INSTRUMENT = Instrument("WALK", Decimal("0.01"), Decimal("0.001"))
RULES = Rules((FeeTier(Decimal(0), Decimal("0.0002"), Decimal("0.0005")),))


def _market() -> list[MarketEvent]:
    """Books of a thousand levels a side around a price that walks: a message of changes, then a trade, and so on."""
    chance = random.Random(7)
    middle = 100_000
    whole = [(BID, middle - 1 - n, chance.randint(1, 9_999)) for n in range(DEPTH)]
    whole += [(ASK, middle + 1 + n, chance.randint(1, 9_999)) for n in range(DEPTH)]
    events: list[MarketEvent] = [BookChange(0, "WALK", tuple(whole), snapshot=True)]
    for time in range(1, MESSAGES):
        step = chance.choice([-1, 0, 0, 1])
        middle += step
        levels = [(BID, middle, 0), (ASK, middle, 0), (BID, middle - 1, 50), (ASK, middle + 1, 50)]
        for _ in range(LEVELS - 4):
            away = int(chance.expovariate(0.02)) + 2
            side = chance.choice([BID, ASK])
            price = middle - away if side == BID else middle + away
            levels.append((side, price, chance.choice([0, chance.randint(1, 9_999)])))
        events.append(BookChange(time, "WALK", tuple(levels)))
        side = chance.choice([BID, ASK])
        events.append(Print(time, "WALK", middle + (1 if side == ASK else -1), 5, side))
    return events


def matching() -> Result:
    """Changes of levels a second, with the trades between them."""
    events = _market()
    changes = sum(len(event.levels) for event in events if isinstance(event, BookChange))

    def ours() -> None:
        venue = MatchingVenue("walk", [Listing(INSTRUMENT, leverage=Decimal(1))], RULES, Decimal(1_000))
        venue.follow(events)
        venue.advance(MESSAGES)

    def bare() -> None:
        book: tuple[dict[int, int], dict[int, int]] = ({}, {})
        for event in events:
            if isinstance(event, BookChange):
                for side, price, lots in event.levels:
                    if lots:
                        book[side][price] = lots
                    else:
                        book[side].pop(price, None)

    return Result(
        "matching", changes / seconds(ours), "levels/s", "a bare loop into dictionaries", changes / seconds(bare)
    )
