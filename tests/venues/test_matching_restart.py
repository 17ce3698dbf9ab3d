"""The simulated exchange outlives our process: at every instant, by its state and by its file."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from clawd.core.errors import ClawdError
from clawd.core.orders import Order, OrderKind
from clawd.core.reports import AccountReport, FillReport, Report, RequestFailed
from clawd.data.book_replay import ASK, BID
from clawd.data.capture import MarketEvent
from clawd.venues.matching.file import VenueFile
from clawd.venues.matching.rules import Delay, Latency, RateLimit, Rules
from clawd.venues.matching.venue import MatchingVenue
from clawd.venues.venue import Cancel, Query, ReportAccount, Request, Submit
from venues.matching_cases import (
    CHARGED,
    GTD,
    PERPETUAL,
    SECOND,
    approved,
    bought,
    change,
    fills,
    more_market,
    order,
    sent,
    snapshot,
    sold,
    states,
    stop,
)

MS = 10**6
RULES = replace(
    CHARGED,
    latency=Latency(Delay(2 * MS, 3 * MS), Delay(2 * MS, 5 * MS)),
    limits=(RateLimit(SECOND, 40),),
    retention=SECOND,
)
STEPS = 120


@cache
def market(seed: int) -> list[MarketEvent]:
    """A market that moves around 100 for a second."""
    chance = random.Random(seed)
    events: list[MarketEvent] = [snapshot(0)]
    for time in range(MS, SECOND, 2 * MS):
        middle = 10_000 + chance.randint(-3, 3)
        draw = chance.random()
        if draw < 0.4:
            happened = sold if chance.random() < 0.5 else bought
            events.append(happened(time, middle, chance.randint(1, 9_000)))
        elif draw < 0.97:
            levels = [(BID, middle - chance.randint(1, 4), chance.randint(0, 9_000)) for _ in range(2)]
            levels += [(ASK, middle + chance.randint(1, 4), chance.randint(0, 9_000)) for _ in range(2)]
            beyond = [(BID, at, 0) for at in range(middle, middle + 8)] + [
                (ASK, at, 0) for at in range(middle - 7, middle + 1)
            ]
            events.append(change(time, *beyond, *levels))
        else:
            events.append(snapshot(time))
    return events


@cache
def script(seed: int) -> list[tuple[int, Request | None]]:
    """What we ask for, and when."""
    chance = random.Random(seed + 1)
    steps: list[tuple[int, Request | None]] = []
    for number in range(STEPS):
        time = number * 9 * MS
        price = str(Decimal(10_000 + chance.randint(-3, 3)) / 100)
        size = str(Decimal(chance.choice([-1, 1]) * chance.randint(1, 4_000)) / 1_000)
        asked: list[Order | Cancel | Query | ReportAccount | None] = [
            order(f"{number}", size),
            order(f"{number}", size, price),
            order(f"{number}", size, price),
            order(f"{number}", size, price, time_in_force=GTD, expires=time + 60 * MS),
            stop(f"{number}", size, price, kind=OrderKind.STOP),
            Cancel(f"{chance.randint(0, number)}", "AAA"),
            Query(f"{chance.randint(0, number)}", "AAA"),
            ReportAccount(0),
            None,
        ]
        chosen = chance.choice(asked)
        if isinstance(chosen, Order):
            replaces = f"{number - 1}" if chance.random() < 0.2 else None
            steps.append((time, Submit(approved(chosen), replaces)))
        else:
            steps.append((time, chosen))
    steps.append((SECOND + 200 * MS, None))
    return steps


def fresh() -> MatchingVenue:
    return MatchingVenue("test", [PERPETUAL], RULES, Decimal(100_000), seed=5)


def told(seed: int, between: Callable[[MatchingVenue], MatchingVenue]) -> list[Report]:
    """All reports of the script, where `between` stands between its steps."""
    venue = fresh()
    venue.follow(market(seed))
    reports: list[Report] = []
    for time, request in script(seed):
        venue.advance(time)
        venue = between(venue)
        reports += venue.receive()
        if request is not None:
            venue.send(request)
        venue = between(venue)
    return reports


@pytest.mark.parametrize("seed", range(3))
def test_a_restart_at_every_step_changes_no_report(seed: int) -> None:
    def again(venue: MatchingVenue) -> MatchingVenue:
        parts = json.loads(json.dumps(venue.state()))
        other = fresh()
        other.restore(parts)
        assert other.state() == venue.state()
        other.follow(islice(market(seed), other.played, None))
        return other

    undisturbed = told(seed, lambda venue: venue)
    assert told(seed, again) == undisturbed
    assert sum(isinstance(each, FillReport) for each in undisturbed) > 15, "the test has looked at something"
    assert told(seed, lambda venue: venue) == undisturbed


def test_who_came_before_a_restart_is_before_who_came_after_it() -> None:
    venue = MatchingVenue("test", [PERPETUAL], Rules(CHARGED.fees), Decimal(100_000))
    venue.follow([snapshot(0)])
    venue.advance(0)
    sent(venue, order("x", "1", "99.00"), order("first", "1", "99.97"))
    parts = json.loads(json.dumps(venue.state()))
    venue = MatchingVenue("test", [PERPETUAL], Rules(CHARGED.fees), Decimal(100_000))
    venue.restore(parts)
    sent(venue, order("second", "1", "99.97"))
    reports = more_market(venue, sold(1, 9_997, 1_500))
    assert fills(reports) == [("first", "1.000", "99.97", True), ("second", "0.500", "99.97", True)]


def test_what_is_no_number_is_refused_after_a_restart_too() -> None:
    venue = MatchingVenue("test", [PERPETUAL], Rules(CHARGED.fees), Decimal(100_000))
    venue.send(Submit(approved(order("n", "NaN"))))
    venue.send(Submit(approved(order("i", "1", "Infinity"))))
    for _ in range(2):  # on their way there, and their answers on the way back
        parts = json.loads(json.dumps(venue.state()))
        venue = MatchingVenue("test", [PERPETUAL], Rules(CHARGED.fees), Decimal(100_000))
        venue.restore(parts)
        venue.advance(1)
    assert states(venue.receive()) == [("n", "rejected", "INVALID"), ("i", "rejected", "INVALID")]


def test_the_last_price_is_known_after_a_restart() -> None:
    venue = MatchingVenue("test", [PERPETUAL], Rules(CHARGED.fees), Decimal(100_000))
    venue.follow([snapshot(0), sold(0, 9_950, 1)])
    venue.advance(0)
    parts = json.loads(json.dumps(venue.state()))
    venue = MatchingVenue("test", [PERPETUAL], Rules(CHARGED.fees), Decimal(100_000))
    venue.restore(parts)
    assert fills(sent(venue, stop("s", "-1", "99.60"))) == [("s", "-1.000", "99.99", False)]


def test_the_script_is_not_the_same_for_other_seeds() -> None:
    assert told(0, lambda venue: venue) != told(1, lambda venue: venue)


def kept_and_compared(venue: MatchingVenue) -> list[int]:
    """Keep a venue in a dictionary, and at every write hold that against the whole; the list grows with each."""
    kept: dict[str, Any] = {}
    writes: list[int] = []

    def keep(parts: dict[str, Any]) -> None:
        writes.append(len(parts))
        for name, body in parts.items():
            if body is None:
                del kept[name]
            else:
                kept[name] = json.loads(json.dumps(body))
        assert kept == json.loads(json.dumps(venue.state()))

    keep(venue.changes())
    venue.keep = keep
    return writes


def test_what_is_written_is_at_every_write_all_that_there_is() -> None:
    venue = fresh()
    writes = kept_and_compared(venue)
    venue.follow(market(2))
    for time, request in script(2):
        venue.advance(time)
        venue.receive()
        if request is not None:
            venue.send(request)
    assert len(writes) > 200


def test_a_place_that_moved_without_a_word_is_written_with_the_next() -> None:
    venue = MatchingVenue("test", [PERPETUAL], Rules(CHARGED.fees), Decimal(100_000))
    kept_and_compared(venue)
    venue.follow([snapshot(0)])
    venue.advance(0)
    sent(venue, order("l", "1", "99.99"))
    assert more_market(venue, sold(1, 9_999, 3_000)) == []
    venue.send(Query("l", "AAA"))


class Killed(BaseException):
    pass


def run_until_killed(path: Path, seed: int, at: int | None, *, after: bool, first: int = 0) -> tuple[int, list[Report]]:
    """Go through the script from a step on, with the file, until a write; returns the step and what was received."""
    venue, writes, steps = fresh(), 0, script(seed)
    reports: list[Report] = []
    file = VenueFile.open(path, venue)
    write = venue.keep
    assert write is not None

    def keep(parts: dict[str, Any]) -> None:
        nonlocal writes
        writes += 1
        if writes == at and not after:
            raise Killed
        write(parts)
        if writes == at:
            raise Killed

    venue.keep = keep
    venue.follow(islice(market(seed), venue.played, None))
    try:
        while first < len(steps):
            time, request = steps[first]
            venue.advance(max(time, venue.now))
            reports += venue.receive()
            if request is not None:
                venue.send(request)
            first += 1
    except Killed:
        pass
    finally:
        file.close()
    return first, reports


def ended(path: Path) -> AccountReport:
    venue = fresh()
    file = VenueFile.open(path, venue)
    venue.advance(venue.now + 10 * SECOND)
    venue.receive()
    venue.send(ReportAccount(0))
    venue.advance(venue.now + 10 * SECOND)
    (report,) = (each for each in venue.receive() if isinstance(each, AccountReport))
    file.close()
    return report


def test_a_kill_at_every_write_leaves_an_account_that_adds_up_and_repeats_nothing(tmp_path: Path) -> None:
    seed, points = 3, 0
    for at in range(2, 400, 19):
        for after in (False, True):
            path = tmp_path / f"{at}-{after}.sqlite"
            step, before = run_until_killed(path, seed, at, after=after)
            if step == len(script(seed)):
                continue
            points += 1
            # Back again, we ask for what we were about to ask for once more: the id makes it one order.
            last, later = run_until_killed(path, seed, None, after=False, first=step)
            assert last == len(script(seed))
            account = ended(path)
            heard = [each for each in (*before, *later) if isinstance(each, FillReport)]
            trades = [each.trade for each in heard]
            assert len(trades) == len(set(trades)), "a trade was told twice"
            booked = {each.trade: each for each in account.fills}
            assert list(booked) == [f"{number}" for number in range(1, len(booked) + 1)]
            for each in heard:
                same = booked[each.trade]
                assert (each.order, each.size, each.price, each.fee) == (same.order, same.size, same.price, same.fee)
            flow = sum((each.size * each.price + each.fee for each in account.fills), Decimal(0))
            assert account.cash + flow == 100_000
            assert account.positions.get("AAA", Decimal(0)) == sum((each.size for each in account.fills), Decimal(0))
            orders = [each.order for each in account.fills]
            sizes = {
                request.approved.order.id: request.approved.order.size
                for _, request in script(seed)
                if isinstance(request, Submit)
            }
            for name in set(orders):
                traded = sum((abs(each.size) for each in account.fills if each.order == name), Decimal(0))
                assert name is not None
                assert traded <= abs(sizes[name]), "an order was worked twice"
    assert points > 20, "the test has looked at something"


def test_asking_again_after_a_kill_is_answered_by_the_first_order(tmp_path: Path) -> None:
    path = tmp_path / "venue.sqlite"
    venue = MatchingVenue("test", [PERPETUAL], Rules(CHARGED.fees), Decimal(100_000))
    file = VenueFile.open(path, venue)
    venue.follow([snapshot(0)])
    venue.advance(0)
    venue.send(Submit(approved(order("m", "1"))))
    file.close()  # the request is on its way: nobody can call it back
    venue = MatchingVenue("test", [PERPETUAL], Rules(CHARGED.fees), Decimal(100_000))
    file = VenueFile.open(path, venue)
    venue.follow([snapshot(0)])
    venue.advance(0)
    venue.send(Submit(approved(order("m", "1"))))
    venue.advance(0)
    reports = venue.receive()
    assert sum(isinstance(each, FillReport) for each in reports) == 1
    assert [each.code for each in reports if isinstance(each, RequestFailed)] == ["DUPLICATE"]
    file.close()


def test_a_failed_write_is_made_up_for_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "venue.sqlite"
    venue = MatchingVenue("test", [PERPETUAL], Rules(CHARGED.fees), Decimal(100_000))
    file = VenueFile.open(path, venue)
    venue.follow([snapshot(0)])

    def full(_: dict[str, Any]) -> None:
        raise ClawdError("the disk is full")

    venue.keep = full
    venue.advance(0)
    with pytest.raises(ClawdError):
        venue.send(Submit(approved(order("m", "1"))))
    with pytest.raises(ClawdError):
        venue.advance(1)
    venue.keep = file.write
    venue.advance(2)
    venue.receive()
    file.close()
    other = MatchingVenue("test", [PERPETUAL], Rules(CHARGED.fees), Decimal(100_000))
    file = VenueFile.open(path, other)
    assert other.state() == venue.state()
    file.close()


def test_a_state_is_not_read_with_other_ticks_or_another_seed() -> None:
    parts = fresh().state()
    finer = replace(PERPETUAL, instrument=replace(PERPETUAL.instrument, tick=Decimal("0.001")))
    for other in (
        MatchingVenue("test", [finer], RULES, Decimal(100_000), seed=5),
        MatchingVenue("test", [PERPETUAL], RULES, Decimal(100_000), seed=6),
        MatchingVenue("another", [PERPETUAL], RULES, Decimal(100_000), seed=5),
    ):
        with pytest.raises(ClawdError, match="with the terms"):
            other.restore(parts)


def test_a_file_serves_one_process_and_is_known_as_ours(tmp_path: Path) -> None:
    path = tmp_path / "venue.sqlite"
    file = VenueFile.open(path, fresh())
    with pytest.raises(ClawdError, match="another clawd process"):
        VenueFile.open(path, fresh())
    file.close()
    other = tmp_path / "other"
    other.write_text(
        "not ours, and longer than the hundred bytes of a header of a file of SQLite, by far and by far " * 3
    )
    with pytest.raises(ClawdError):
        VenueFile.open(other, fresh())


def test_a_process_that_is_killed_leaves_a_venue_that_knows_all_it_told(tmp_path: Path) -> None:
    """Really killed, with -9, while it trades as fast as it can; whatever it had printed, the venue knows."""
    program = """
        import sys
        from itertools import count, islice
        from pathlib import Path
        from clawd.core.reports import FillReport
        from clawd.venues.matching.file import VenueFile
        from clawd.venues.venue import Submit
        from venues.matching_cases import approved, order, snapshot
        from venues.test_matching_restart import fresh, MS

        venue = fresh()
        file = VenueFile.open(Path(sys.argv[1]), venue)
        for number in count():
            venue.follow([snapshot(number * 100 * MS)])
            venue.advance(number * 100 * MS)
            for report in venue.receive():
                if isinstance(report, FillReport):
                    print(report.trade, report.size, flush=True)
            venue.send(Submit(approved(order(f"{number}", "1" if number % 2 else "-1"))))
    """
    here = Path(__file__).resolve().parents[1]
    path = tmp_path / "venue.sqlite"
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent / "src")])},
    )
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(60)]
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read()
    child.stdout.close()
    child.wait()
    told = [line.split() for line in [*lines, *rest.splitlines(keepends=True)] if line.endswith("\n")]
    account = ended(path)
    booked = {each.trade: str(each.size) for each in account.fills}
    assert len(told) >= 60
    assert all(booked[trade] == size for trade, size in told)
    assert account.cash + sum((each.size * each.price + each.fee for each in account.fills), Decimal(0)) == 100_000
