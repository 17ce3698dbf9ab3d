"""The journal: appended to beside bare SQLite, and read back at a start beside bare JSON."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.measure import Result, seconds
from clawd.core.events import BarClosed, OrderFilled, read_event
from clawd.store.journal import Durability, Journal, open_journal

BATCHES, BATCH = 400, 50
SINGLE, SINGLE_FULL = 5_000, 500
BODY = {"agent": "a001", "symbol": "SP500", "size": "0.00251122", "price": "2488.830078", "fee": "0.0031250000"}
TEXT = json.dumps(BODY)

EVENTS, BEHIND = 1_000_000, 20_000
AGENTS, SYMBOLS = 2_000, ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")


def journal_append() -> Result:
    """Events a second, one in a commit, as a venue's reports come; and fifty in a commit, as a fleet's bar.

    The value is one in a commit with the durability of paper; ``full`` is with the durability of money. The peer
    inserts the same text with the same pragmas, and without chain, checks or guards.
    """

    def ours(commits: int, batch: int, durability: Durability) -> float:
        def work() -> None:
            with (
                tempfile.TemporaryDirectory() as folder,
                open_journal(Path(folder) / "journal.sqlite", durability=durability) as journal,
            ):
                records = [(time, "OrderFilled", BODY) for time in range(batch)]
                for _ in range(commits):
                    journal.append(records)

        return commits * batch / seconds(work, 3)

    def bare(commits: int, batch: int, synchronous: str) -> float:
        def work() -> None:
            with tempfile.TemporaryDirectory() as folder:
                connection = sqlite3.connect(Path(folder) / "bare.sqlite", isolation_level=None)
                connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous};")
                connection.execute("CREATE TABLE journal(seq INTEGER PRIMARY KEY, ts INTEGER, kind TEXT, body TEXT)")
                rows = [(time, "OrderFilled", TEXT) for time in range(batch)]
                for _ in range(commits):
                    connection.execute("BEGIN IMMEDIATE")
                    connection.executemany("INSERT INTO journal(ts, kind, body) VALUES(?, ?, ?)", rows)
                    connection.execute("COMMIT")
                connection.close()

        return commits * batch / seconds(work, 3)

    more = {
        "batches_of_50": ours(BATCHES, BATCH, "normal"),
        "peer_batches_of_50": bare(BATCHES, BATCH, "NORMAL"),
        "full": ours(SINGLE_FULL, 1, "full"),
        "peer_full": bare(SINGLE_FULL, 1, "FULL"),
        "full_batches_of_50": ours(BATCHES // 4, BATCH, "full"),
        "peer_full_batches_of_50": bare(BATCHES // 4, BATCH, "FULL"),
    }
    value, peer = ours(SINGLE, 1, "normal"), bare(SINGLE, 1, "NORMAL")
    return Result("journal-append", value, "events/s, one a commit", "bare SQLite inserts", peer, more=more)


def journal_replay() -> Result:
    """Seconds to read, check and decode a million events of a fleet's orders, folding them into positions and cash.

    The peer reads the same bodies from the same file and parses their JSON, and does nothing else. ``snapshot_s`` is
    the same start with a snapshot twenty thousand entries before the end; ``bars_s`` is to read the bars among the
    events, which the programs of a fleet are shown again at a start.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        with open_journal(path) as journal:
            for batch in _batches():
                journal.append(batch)

        def bare() -> None:
            with closing(sqlite3.connect(path)) as connection:
                for (text,) in connection.execute("SELECT body FROM journal ORDER BY seq"):
                    json.loads(text)

        peer = _once(bare)
        with open_journal(path) as journal:
            value = _once(lambda: _start(journal))
            whole = _start(journal)
            entry = next(journal.entries(EVENTS - BEHIND - 1))
            journal.keep_snapshot(entry.seq, entry.hash, "positions", "1", _body(_fold(journal, 0, entry.seq)))
        with open_journal(path, read_only=True) as journal:
            quick = _once(lambda: _start(journal))
            assert _body(_start(journal)) == _body(whole)
            bars = _once(lambda: _bars(journal))
        with open_journal(path, read_only=True) as journal:
            verify = _once(journal.verify_chain)
        megabytes = path.stat().st_size / 1e6
    more = {
        "events": EVENTS,
        "snapshot_s": quick,
        "behind_snapshot": BEHIND,
        "bars_s": bars,
        "verify_s": verify,
        "file_mb": megabytes,
    }
    return Result("journal-replay", value, "s", "bare json.loads", peer, less_is_better=True, more=more)


def _once(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


#: Size held by agent and symbol; under the empty symbol an agent's cash.
Positions = dict[tuple[str, str], Decimal]


def _start(journal: Journal) -> Positions:
    found = journal.latest_snapshot("positions", "1")
    if found is None:
        return _fold(journal, 0)
    held: Positions = defaultdict(Decimal)
    held.update({(agent, symbol): Decimal(size) for agent, symbol, size in json.loads(found.body)})
    return _fold(journal, found.seq, held=held)


def _fold(journal: Journal, after: int, until: int = EVENTS, held: Positions | None = None) -> Positions:
    positions: Positions = defaultdict(Decimal) if held is None else held
    for entry in journal.entries(after):
        if entry.seq > until:
            break
        event = read_event(entry.kind, entry.body)
        if isinstance(event, OrderFilled):
            positions[event.agent, event.symbol] += event.size
            positions[event.agent, ""] -= event.size * event.price + event.fee
    return positions


def _bars(journal: Journal) -> int:
    return sum(1 for entry in journal.entries_of(BarClosed.__name__) if BarClosed.model_validate(entry.body).bars)


def _body(positions: Positions) -> bytes:
    return json.dumps([[*key, str(size)] for key, size in sorted(positions.items())]).encode()


def _batches() -> Iterator[list[tuple[int, str, dict[str, Any]]]]:
    """A million events of bars and orders.

    Each order has the gate's verdict, the order and its fill; a tenth of the orders is refused.
    """
    bar, number, events = 60_000_000_000, 0, 0
    while events < EVENTS:
        time = 1_704_067_200_000_000_000 + number // BATCH * bar
        prices = [64_000.5, 64_100.25, 63_990.75, 64_020.0, 12.125]
        batch: list[tuple[int, str, dict[str, Any]]] = [
            (time, "BarClosed", {"time": time, "bars": dict.fromkeys(SYMBOLS, prices), "ranges": {}})
        ]
        while len(batch) < 3 * BATCH and events + len(batch) < EVENTS:
            batch += _order(number, time)
            number += 1
        del batch[EVENTS - events :]
        events += len(batch)
        yield batch


def _order(number: int, time: int) -> list[tuple[int, str, dict[str, Any]]]:
    agent = f"a{number % AGENTS:04d}"
    order = {"order": f"{agent}-{number:07d}", "agent": agent, "symbol": SYMBOLS[number % len(SYMBOLS)]}
    size = f"{'-' if number // AGENTS % 2 else ''}0.0{number % 9_000 + 1_000}"
    price = f"{64_000 + number % 977}.{number % 90 + 10}"
    kind = "closing" if number // AGENTS % 2 else "opening"
    refused = number % 10 == 0
    numbers = {"day_loss": "0.3125", "reserved": f"1.0{number % 1_000}", "limit": "2", "leverage": "0.81"}
    verdict = {
        "order_kind": kind,
        "outcome": "refused" if refused else "allowed",
        "code": "DAY_LOSS_LIMIT" if refused else "WITHIN_LIMITS",
        "asked": size,
        "allowed": "0" if refused else size,
        "numbers": numbers,
    }
    events = [(time, "VerdictGiven", {**order, **verdict})]
    if not refused:
        reason = "signal" if kind == "closing" else "entry"
        submitted = {"order_kind": kind, "size": size, "reason": reason, "level": None, "reference": price}
        costs = {"fee": "0.16102", "slippage": "0.00005"}
        filled = {"order_kind": kind, "time": time, "size": size, "price": price, "reason": reason, **costs}
        events += [(time, "OrderSubmitted", {**order, **submitted}), (time, "OrderFilled", {**order, **filled})]
    return events
