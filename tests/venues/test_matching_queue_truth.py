"""The queue model against the truth: single orders of a real venue say when an order of ours would have traded.

The capture names every order, so who stood before us is known one by one. The exchange under test sees only the sizes
of levels and the trades, as on a venue that shows no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
import pytest

from clawd.core.reports import FillReport
from clawd.data.book_replay import ASK, BID
from clawd.venues.matching.rules import Listing
from clawd.venues.matching.venue import MatchingVenue
from clawd.venues.venue import Submit
from venues.matching_captures import DATA, INSTRUMENTS, stream
from venues.matching_cases import FREE, SECOND, Decimal, approved, order

NAME = "bitstamp_BTCUSD_20150501"
PATH = DATA / f"l3_{NAME}.parquet"
HOUR = 3_600 * SECOND
EVERY = 120 * SECOND

pytestmark = pytest.mark.skipif(not PATH.is_file(), reason=f"the real market data is not at {DATA}")


@dataclass
class Placed:
    """A virtual order: behind these, and traded when."""

    time: int
    side: int
    price: int
    before: set[int]
    level: float
    traded: int | None = None
    estimate: int | None = field(default=None)


def rows() -> list[tuple[int, int, int, int, float, bool]]:
    """(time, order, side, cents, what is left of it or was when it was taken off, whether it is gone)."""
    table = pl.read_parquet(PATH)
    return [
        (ts, id, BID if side == "bid" else ASK, round(price * 100), qty, action == "deleted")
        for ts, id, side, price, qty, action in table.select(
            "ts", "order_id", "side", "price", "qty", "action"
        ).iter_rows()
    ]


def executions(events: list[tuple[int, int, int, int, float, bool]]) -> set[int]:
    """The rows in which an order that waited lost something to one that came: both lost the same, within seconds."""
    left: dict[int, float] = {}
    losses = []
    for row, (time, id, side, _, size, _) in enumerate(events):
        if id in left and size < left[id]:
            losses.append((time, round((left[id] - size) * 1e8), side, id, row))
        left[id] = size
    found: set[int] = set()
    used: set[int] = set()
    for mine, (time, lots, side, id, row) in enumerate(losses):
        for other in range(mine - 1, -1, -1):
            then, same, theirs, whose, where = losses[other]
            if time - then > 5 * SECOND:
                break
            if other not in used and same == lots and theirs != side:
                used |= {mine, other}
                found.add(row if id < whose else where)
                break
    return found


def truth(steps: int, depth: int) -> list[Placed]:
    """Virtual orders, placed now and then at or behind the best price, and when a trade would have come to them."""
    events = rows()
    makers = executions(events)
    alive: tuple[dict[int, tuple[int, float]], dict[int, tuple[int, float]]] = ({}, {})
    gone: set[int] = set()
    placed: list[Placed] = []
    due = events[0][0] + HOUR
    for row, (time, id, side, price, size, over) in enumerate(events):
        if row in makers:
            held, _ = alive[side][id]
            for each in placed:
                worse = held < each.price if side == BID else held > each.price
                behind = held == each.price and id not in each.before
                if each.traded is None and each.side == side and (worse or behind):
                    each.traded = time
        if size > 0 and not over and id not in gone:
            alive[side][id] = price, size
        else:
            alive[side].pop(id, None)
            if over:
                gone.add(id)
        for of in (BID, ASK):
            _meet([each for each in placed if each.traded is None and each.side == of], alive, of, time)
        # Between two rows, in a book that is not crossed.
        if time >= due and row + 1 < len(events) and events[row + 1][0] > time:
            bid = max(held for held, _ in alive[BID].values())
            ask = min(held for held, _ in alive[ASK].values())
            if bid < ask:
                due = time + EVERY
                for of, best, way in ((BID, bid, -1), (ASK, ask, 1)):
                    for step in range(0, steps * depth, depth):
                        at = best + way * step
                        same = {who: left for who, (held, left) in alive[of].items() if held == at}
                        placed.append(Placed(time, of, at, set(same), sum(same.values())))
    return placed


def _meet(open: list[Placed], alive: tuple[dict[int, tuple[int, float]], ...], side: int, time: int) -> None:
    """Trade when somebody's order stands at our price or beyond, and nobody of our side is left before us."""
    if not open or not alive[1 - side]:
        return
    sign = 1 if side == BID else -1
    theirs = min(sign * held for held, _ in alive[1 - side].values())
    ours = max((sign * held for held, _ in alive[side].values()), default=theirs)
    for each in open:
        if theirs <= sign * each.price >= ours and not each.before & alive[side].keys():
            each.traded = time


def estimated(placed: list[Placed], exponent: float | None) -> None:
    """Put the virtual orders, a lot each, into the exchange, and note when it lets them trade."""
    for side in (BID, ASK):  # apart, so that they never meet
        rules = replace(FREE, queue_exponent=exponent, stale=HOUR)
        venue = MatchingVenue("l3", [Listing(INSTRUMENTS[NAME], leverage=Decimal(1))], rules, Decimal(10**9))
        venue.follow(stream(NAME, "l3"))
        mine = {f"{number}": each for number, each in enumerate(placed) if each.side == side}
        for id, each in mine.items():
            venue.advance(each.time)
            size = "0.00000001" if side == BID else "-0.00000001"
            venue.send(Submit(approved(order(id, size, str(Decimal(each.price) / 100), symbol="BTCUSD"))))
        venue.advance(stream(NAME, "l3")[-1].time)
        for report in venue.receive():
            if isinstance(report, FillReport):
                assert report.order is not None
                assert report.maker
                mine[report.order].estimate = report.venue_time


def lateness(placed: list[Placed]) -> tuple[list[float], int, int]:
    """Seconds by which the model is later than the truth, how often it is earlier, and how often it never came."""
    late, early, never = [], 0, 0
    for each in placed:
        if each.estimate is not None and (each.traded is None or each.estimate < each.traded):
            early += 1
        elif each.traded is not None and each.estimate is None:
            never += 1
        elif each.traded is not None and each.estimate is not None:
            late.append((each.estimate - each.traded) / SECOND)
    return late, early, never


def test_the_conservative_model_never_trades_before_its_turn() -> None:
    placed = truth(steps=3, depth=5)
    estimated(placed, None)
    late, early, never = lateness(placed)
    assert len(late) > 300, "the test has looked at something"
    assert early == 0
    # Not by never trading: nine of ten trade within the second in which it was their turn.
    assert float(np.quantile(late, 0.9)) < 1.0
    assert never < len(late) / 50
