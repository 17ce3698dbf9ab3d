"""The trial ledger: every distinct thing that was ever tried, so that luck can be charged for.

A trial is one strategy on one stretch of one data set at one cost. Trying it again teaches nothing new and
counts once; trying it with another fee does, and counts. Nothing is ever taken out: a failure that is
forgotten makes the survivors look better than they are.

Durability is that of the journal: a killed process loses nothing that ``record`` has returned; a power cut
may lose the last transactions.
"""

from __future__ import annotations

import json
import math
import operator
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from clawd.store.database import Schema, connect, lay_out, mendable, transaction
from clawd.store.lock import take_lock

CHUNK: Final = 1024

SCHEMA: Final = Schema(
    noun="trial ledger",
    application_id=0x434C544C,  # "CLTL"
    version=1,
    statements=(
        """
        CREATE TABLE trials(
            id INTEGER PRIMARY KEY,
            content_hash TEXT NOT NULL,
            family_hash TEXT NOT NULL,
            data_fingerprint TEXT NOT NULL,
            first_ts INTEGER NOT NULL,
            last_ts INTEGER NOT NULL,
            fee REAL NOT NULL,
            slippage REAL NOT NULL,
            author TEXT NOT NULL,
            name TEXT NOT NULL,
            recorded_at INTEGER NOT NULL,
            code_version TEXT NOT NULL,
            bars INTEGER NOT NULL,
            trades INTEGER NOT NULL,
            sharpe REAL,
            mean REAL,
            sd REAL,
            skew REAL,
            kurtosis REAL,
            total_return REAL,
            max_drawdown REAL,
            turnover REAL,
            extra TEXT NOT NULL,
            looks INTEGER NOT NULL,
            UNIQUE(content_hash, data_fingerprint, first_ts, last_ts, fee, slippage)
        )
        """,
        "CREATE INDEX trials_of_family ON trials(family_hash, content_hash)",
        """
        CREATE TRIGGER trials_stay BEFORE DELETE ON trials
        BEGIN SELECT RAISE(ABORT, 'what was tried stays counted'); END
        """,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One strategy on one stretch of data at one cost, and what came out. A number that is undefined is NaN.

    Attributes:
        content_hash: the strategy, its constants included.
        family_hash: the strategy with its constants left out.
        data_fingerprint: the data set.
        first_ts, last_ts: the opens of the first and the last bar it was tried on, UTC nanoseconds.
        fee: per side, share of notional.
        slippage: per side, share of price.
        author: who wrote it, such as ``library`` or ``evolution``.
        name: what its author calls it.
        recorded_at: when it was tried, UTC nanoseconds.
        code_version: of the program that tried it.
        bars, trades: how many bars were traded on, and how many trades there were.
        sharpe: annualised, of net returns.
        mean, sd, skew, kurtosis: of net returns per bar; the kurtosis of a normal law is 3.
        total_return: share of the capital at the start.
        max_drawdown: the deepest fall from a peak, a share of the peak, not negative.
        turnover: notional traded over capital, as the engine states it.
        extra: whatever else, JSON without NaN.
        looks: how often it was recorded.
    """

    content_hash: str
    family_hash: str
    data_fingerprint: str
    first_ts: int
    last_ts: int
    fee: float
    slippage: float
    author: str
    name: str
    recorded_at: int
    code_version: str
    bars: int
    trades: int
    sharpe: float = math.nan
    mean: float = math.nan
    sd: float = math.nan
    skew: float = math.nan
    kurtosis: float = math.nan
    total_return: float = math.nan
    max_drawdown: float = math.nan
    turnover: float = math.nan
    extra: Mapping[str, Any] = field(default_factory=dict)
    looks: int = 1


COLUMNS: Final = tuple(column.name for column in fields(Trial))
INTEGERS: Final = frozenset({"first_ts", "last_ts", "recorded_at", "bars", "trades", "looks"})
COSTS: Final = frozenset({"fee", "slippage"})
RESULTS: Final = COLUMNS[COLUMNS.index("sharpe") : COLUMNS.index("extra")]

RECORD: Final = (
    f"INSERT INTO trials({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
    " ON CONFLICT(content_hash, data_fingerprint, first_ts, last_ts, fee, slippage)"
    " DO UPDATE SET looks = looks + excluded.looks"
)


class Ledger:
    """An open ledger; several processes may record into one file. Used by the thread that opened it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """Open a ledger, creating what is missing.

        Raises:
            ClawdError: when the file is not a ledger, is newer than this program, or cannot be opened.
        """
        connection = connect(path, SCHEMA)
        try:
            # Held for the moment of laying out only: from then on SQLite orders the writers.
            with take_lock(path, SCHEMA.noun, wait=True):
                lay_out(connection, path, SCHEMA)
        except BaseException:
            connection.close()
            raise
        return cls(path, connection)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def record(self, trials: Sequence[Trial]) -> int:
        """Count trials, all in one transaction.

        One that is known keeps what it was first recorded with; only its looks grow.

        Returns:
            How many were new.

        Raises:
            ClawdError: when the disk refuses or another process does not let go of the file in half a minute.
            ValueError, TypeError, OverflowError: for a cost that is not finite, an ``extra`` that is not
                JSON, or an integer beyond 64 bits.
        """
        rows = [_row(trial) for trial in trials]
        if not rows:
            return 0
        with mendable(self.path), transaction(self._connection):
            before = self._last_id()
            self._connection.executemany(RECORD, rows)
            # Ids grow by one with every new row, and only with one: nobody else writes inside our
            # transaction.
            return self._last_id() - before

    def distinct(self) -> int:
        """How many distinct trials there are."""
        return self._count("SELECT COUNT(*) FROM trials")

    def distinct_strategies(self) -> int:
        """How many distinct strategies were tried, on whatever data and at whatever cost."""
        return self._count("SELECT COUNT(DISTINCT content_hash) FROM trials")

    def families(self) -> dict[str, int]:
        """How many distinct strategies were tried of each family, by its hash."""
        query = "SELECT family_hash, COUNT(DISTINCT content_hash) FROM trials GROUP BY family_hash"
        with mendable(self.path):
            return dict(self._connection.execute(query).fetchall())

    def trials(
        self,
        *,
        content_hash: str | None = None,
        family_hash: str | None = None,
        data_fingerprint: str | None = None,
        author: str | None = None,
    ) -> Iterator[Trial]:
        """The trials that fit, in the order in which they were first recorded.

        Raises:
            ClawdError: when the file is damaged.
        """
        wanted = {
            "content_hash": content_hash,
            "family_hash": family_hash,
            "data_fingerprint": data_fingerprint,
            "author": author,
        }
        conditions = {column: value for column, value in wanted.items() if value is not None}
        where = "".join(f" AND {column} = ?" for column in conditions)
        query = f"SELECT id, {', '.join(COLUMNS)} FROM trials WHERE id > ?{where} ORDER BY id LIMIT ?"
        after = 0
        while True:
            with mendable(self.path):
                rows = self._connection.execute(query, (after, *conditions.values(), CHUNK)).fetchall()
            yield from (_trial(row[1:]) for row in rows)
            if len(rows) < CHUNK:
                return
            after = rows[-1][0]

    def _count(self, query: str) -> int:
        with mendable(self.path):
            (count,) = self._connection.execute(query).fetchone()
        return int(count)

    def _last_id(self) -> int:
        return self._count("SELECT COALESCE(MAX(id), 0) FROM trials")


def _row(trial: Trial) -> list[object]:
    """The trial's columns as SQLite's own types."""
    row: list[object] = []
    for column in COLUMNS:
        value = getattr(trial, column)
        if column in INTEGERS:
            # A numpy integer would be stored as its bytes.
            row.append(operator.index(value))
        elif column in COSTS:
            # NaN becomes NULL, and NULLs differ from one another: the same trial would count again and again.
            if not math.isfinite(value):
                raise ValueError(f"a trial's {column} must be finite, it was {value!r}")
            row.append(float(value))
        elif column in RESULTS:
            row.append(float(value))
        elif column == "extra":
            row.append(json.dumps(dict(value), sort_keys=True, separators=(",", ":"), allow_nan=False))
        else:
            row.append(value)
    return row


def _trial(row: tuple[Any, ...]) -> Trial:
    values = dict(zip(COLUMNS, row, strict=True))
    for column in RESULTS:
        if values[column] is None:
            values[column] = math.nan
    values["extra"] = json.loads(values["extra"])
    return Trial(**values)
