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
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clawd.store.database import at_one_moment, mendable, transaction
from clawd.store.ledger_file import open_ledger_file
from clawd.store.trial import FIGURES, Segments, Trial

CHUNK: Final = 1024

#: Rows that ``Ledger.segments`` gives at most, unless it is told otherwise: 60 segments of so many fill 8 MB.
MOST_ROWS: Final = 8192

#: Those kept in tables of their own.
_APART: Final = ("program", "segments")
_COLUMNS: Final = tuple(column.name for column in fields(Trial) if column.name not in _APART)
_INTEGERS: Final = ("first_ts", "last_ts", "recorded_at", "bars", "trades", "looks")
_COSTS: Final = ("fee", "slippage")
_IDENTITY: Final = ("content_hash", "data_fingerprint", "first_ts", "last_ts", "fee", "slippage")

_INSERT: Final = f"INSERT INTO trials({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_LOOK: Final = f"UPDATE trials SET looks = looks + ? WHERE {' AND '.join(f'{name} = ?' for name in _IDENTITY)}"
_READ: Final = (
    f"SELECT id, {', '.join(f'trials.{name}' for name in _COLUMNS)}, COALESCE(program, ''), data FROM trials"
    " LEFT JOIN strategies USING(content_hash) LEFT JOIN segments ON trial = id"
)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What trials must share to be compared: the data, the stretch of it, and the costs.

    Attributes:
        data_fingerprint, first_ts, last_ts, fee, slippage: as of :class:`~clawd.store.trial.Trial`.
    """

    data_fingerprint: str
    first_ts: int
    last_ts: int
    fee: float
    slippage: float


@dataclass(frozen=True, slots=True, eq=False)
class SegmentMatrix:
    """The segments of N trials that were made under the same conditions and cut alike into S segments.

    Attributes:
        content_hashes: N strategies, in the order in which they were recorded.
        bars: int64 [S].
        returns, squares: float64 [N, S].
    """

    content_hashes: tuple[str, ...]
    bars: NDArray[np.int64]
    returns: NDArray[np.float64]
    squares: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tally:
    """What was tried by one author, or in one campaign.

    Attributes:
        name: of the author or the campaign.
        trials, strategies, families: distinct ones.
        looks: how often trials were recorded, the same ones again included.
        first_at, last_at: when the first and the last of them was recorded first, UTC nanoseconds.
    """

    name: str
    trials: int
    strategies: int
    families: int
    looks: int
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A strategy in a lineage.

    Attributes:
        content_hash: of the strategy.
        name, author, origin, parents: as of its first trial.
        generations: how many steps it lies before the strategy that was asked for, 0 for that itself.
    """

    content_hash: str
    name: str
    author: str
    origin: str
    parents: tuple[str, ...]
    generations: int


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
        return cls(path, open_ledger_file(path))

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def at_one_moment(self) -> AbstractContextManager[None]:
        """All that is read in the block is as it was at one moment, whoever writes meanwhile; nobody waits for it."""
        return at_one_moment(self._connection, self.path)

    def record(self, trials: Sequence[Trial]) -> int:
        """Count trials, all in one transaction.

        One that is known keeps what it was first recorded with; only its looks grow, and a program or segments
        that nobody had kept are added.

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
        new = 0
        with mendable(self.path), transaction(self._connection):
            cursor = self._connection.cursor()
            for trial, row in zip(trials, rows, strict=True):
                identity = tuple(row[place] for place in _IDENTITY_PLACES)
                cursor.execute(_LOOK, (row[_LOOKS_PLACE], *identity))
                fresh = cursor.rowcount == 0
                if fresh:
                    cursor.execute(_INSERT, row)
                    new += 1
                if trial.segments is not None:
                    self._keep_segments(cursor, identity, cursor.lastrowid if fresh else None, trial)
                if trial.program:
                    self._keep_program(cursor, trial)
        return new

    def _keep_segments(
        self, cursor: sqlite3.Cursor, identity: tuple[object, ...], place: int | None, trial: Trial
    ) -> None:
        assert trial.segments is not None
        if place is None:
            # Only of the same run: with another capital other lots are traded.
            same = " AND ".join(f"{name} = ?" for name in _IDENTITY)
            found = cursor.execute(
                f"SELECT id FROM trials WHERE {same} AND capital IS ?"
                " AND NOT EXISTS (SELECT 1 FROM segments WHERE trial = id)",
                (*identity, trial.capital),
            ).fetchone()
            if found is None:
                return
            (place,) = found
        cursor.execute("INSERT INTO segments(trial, data) VALUES (?, ?)", (place, trial.segments.to_bytes()))

    def _keep_program(self, cursor: sqlite3.Cursor, trial: Trial) -> None:
        known = cursor.execute("SELECT 1 FROM strategies WHERE content_hash = ?", (trial.content_hash,)).fetchone()
        if known is None:
            cursor.execute(
                "INSERT INTO strategies(content_hash, program) VALUES (?, ?)", (trial.content_hash, trial.program)
            )

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

    def authors(self) -> tuple[Tally, ...]:
        """What each author tried, in the order in which they began; a trial belongs to who tried it first."""
        return self._tallies("author", "")

    def runs(self) -> tuple[Tally, ...]:
        """What was tried in each campaign, in the order in which they began."""
        return self._tallies("run", "WHERE run <> ''")

    def trials(
        self,
        *,
        content_hash: str | None = None,
        family_hash: str | None = None,
        data_fingerprint: str | None = None,
        author: str | None = None,
        run: str | None = None,
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
            "run": run,
        }
        conditions = {column: value for column, value in wanted.items() if value is not None}
        where = "".join(f" AND trials.{column} = ?" for column in conditions)
        query = f"{_READ} WHERE id > ?{where} ORDER BY id LIMIT ?"
        after = 0
        while True:
            with mendable(self.path):
                rows = self._connection.execute(query, (after, *conditions.values(), CHUNK)).fetchall()
            yield from (_trial(row) for row in rows)
            if len(rows) < CHUNK:
                return
            after = rows[-1][0]

    def known(
        self,
        data_fingerprint: str,
        first_ts: int,
        last_ts: int,
        fee: float,
        slippage: float,
        content_hashes: Iterable[str],
    ) -> dict[str, Trial]:
        """Which of these strategies were tried under these conditions, by content hash.

        What was found with another ``capital`` or by another ``code_version`` is given too; it is for the caller to
        compare.
        """
        found: dict[str, Trial] = {}
        wanted = list(dict.fromkeys(content_hashes))
        conditions = (data_fingerprint, operator.index(first_ts), operator.index(last_ts), float(fee), float(slippage))
        for start in range(0, len(wanted), CHUNK // 2):
            part = wanted[start : start + CHUNK // 2]
            query = (
                f"{_READ} WHERE content_hash IN ({', '.join('?' * len(part))}) AND data_fingerprint = ?"
                " AND first_ts = ? AND last_ts = ? AND fee = ? AND slippage = ?"
            )
            with mendable(self.path):
                rows = self._connection.execute(query, (*part, *conditions)).fetchall()
            found.update((row[_HASH_PLACE], _trial(row)) for row in rows)
        return found

    def strategy(self, content_hash: str) -> str | None:
        """The program of a strategy in its JSON form, None where it was not kept."""
        query = "SELECT program FROM strategies WHERE content_hash = ?"
        with mendable(self.path):
            row = self._connection.execute(query, (content_hash,)).fetchone()
        return None if row is None else str(row[0])

    def conditions(self) -> dict[Conditions, int]:
        """Under which conditions trials were made, and how many of them have segments; the most first."""
        query = """
            SELECT data_fingerprint, first_ts, last_ts, fee, slippage, COUNT(trial) FROM trials
            LEFT JOIN segments ON trial = id GROUP BY 1, 2, 3, 4, 5 ORDER BY COUNT(trial) DESC, MIN(id)
        """
        with mendable(self.path):
            return {Conditions(*row[:5]): row[5] for row in self._connection.execute(query).fetchall()}

    def segments(
        self,
        conditions: Conditions,
        *,
        run: str | None = None,
        content_hashes: Iterable[str] | None = None,
        most: int = MOST_ROWS,
    ) -> SegmentMatrix | None:
        """The segments of trials under the same conditions, None where there are none.

        Trials that were cut into another number of segments than most are left out. Of more than ``most`` trials,
        evenly spaced ones are given, so memory is bounded.

        Args:
            conditions: what the trials share.
            run: only those of one campaign.
            content_hashes: only those of these strategies.
            most: rows at most.
        """
        query = """
            SELECT id, content_hash, LENGTH(data) FROM trials JOIN segments ON trial = id
            WHERE data_fingerprint = ? AND first_ts = ? AND last_ts = ? AND fee = ? AND slippage = ?
        """ + ("" if run is None else " AND run = ?")
        values = (*(getattr(conditions, column.name) for column in fields(Conditions)), *([] if run is None else [run]))
        with mendable(self.path):
            found: list[tuple[int, str, int]] = self._connection.execute(f"{query} ORDER BY id", values).fetchall()
        if content_hashes is not None:
            chosen = frozenset(content_hashes)
            found = [row for row in found if row[1] in chosen]
        if not found:
            return None
        sizes = [size for _, _, size in found]
        usual = max(dict.fromkeys(sizes), key=sizes.count)
        alike = [row for row in found if row[2] == usual]
        places = np.linspace(0, len(alike) - 1, min(most, len(alike))).round().astype(int).tolist()
        rows = [alike[place] for place in places]
        first = self._segments(rows[0][0])
        returns, squares = np.empty((2, len(rows), first.bars.size))
        kept: list[str] = []
        for place, content_hash, _ in rows:
            each = self._segments(place)
            if np.array_equal(each.bars, first.bars):
                returns[len(kept)], squares[len(kept)] = each.returns, each.squares
                kept.append(content_hash)
        return SegmentMatrix(tuple(kept), first.bars, returns[: len(kept)], squares[: len(kept)])

    def lineage(self, content_hash: str) -> tuple[Ancestor, ...]:
        """A strategy and all that it descends from, the nearest first, each once; those never tried are left out."""
        query = "SELECT name, author, origin, parents FROM trials WHERE content_hash = ? ORDER BY id LIMIT 1"
        found: list[Ancestor] = []
        waiting, met = deque([(content_hash, 0)]), {content_hash}
        while waiting:
            each, generations = waiting.popleft()
            with mendable(self.path):
                row = self._connection.execute(query, (each,)).fetchone()
            if row is None:
                continue
            parents = tuple(json.loads(row[3]))
            found.append(Ancestor(each, row[0], row[1], row[2], parents, generations))
            waiting.extend((parent, generations + 1) for parent in dict.fromkeys(parents) if parent not in met)
            met.update(parents)
        return tuple(found)

    def _tallies(self, column: str, where: str) -> tuple[Tally, ...]:
        query = f"""
            SELECT {column}, COUNT(*), COUNT(DISTINCT content_hash), COUNT(DISTINCT family_hash), SUM(looks),
                MIN(recorded_at), MAX(recorded_at)
            FROM trials {where} GROUP BY {column} ORDER BY MIN(id)
        """
        with mendable(self.path):
            return tuple(Tally(*row) for row in self._connection.execute(query).fetchall())

    def _segments(self, trial: int) -> Segments:
        with mendable(self.path):
            (data,) = self._connection.execute("SELECT data FROM segments WHERE trial = ?", (trial,)).fetchone()
        return Segments.from_bytes(data)

    def _count(self, query: str) -> int:
        with mendable(self.path):
            (count,) = self._connection.execute(query).fetchone()
        return int(count)


_IDENTITY_PLACES: Final = tuple(_COLUMNS.index(name) for name in _IDENTITY)
_LOOKS_PLACE: Final = _COLUMNS.index("looks")
_HASH_PLACE: Final = 1 + _COLUMNS.index("content_hash")


def _row(trial: Trial) -> tuple[object, ...]:
    """The trial's columns as SQLite's own types."""
    values: dict[str, object] = {name: getattr(trial, name) for name in _COLUMNS}
    for name in _INTEGERS:
        # A numpy integer would be stored as its bytes.
        values[name] = operator.index(getattr(trial, name))
    for name in _COSTS:
        # NaN becomes NULL, and NULLs differ from one another: the same trial would count again and again.
        cost = float(getattr(trial, name))
        if not math.isfinite(cost):
            raise ValueError(f"a trial's {name} must be finite, it was {cost!r}")
        values[name] = cost
    for name in FIGURES:
        values[name] = float(getattr(trial, name))
    values["seed"] = None if trial.seed is None else operator.index(trial.seed)
    values["parents"] = json.dumps(trial.parents, separators=(",", ":")) if trial.parents else "[]"
    extra = dict(trial.extra)
    values["extra"] = json.dumps(extra, sort_keys=True, separators=(",", ":"), allow_nan=False) if extra else "{}"
    return tuple(values.values())


def _trial(row: tuple[Any, ...]) -> Trial:
    _, *columns, program, segments = row
    values = dict(zip(_COLUMNS, columns, strict=True))
    for name in FIGURES:
        if values[name] is None:
            values[name] = math.nan
    values["parents"] = tuple(json.loads(values["parents"]))
    values["extra"] = json.loads(values["extra"])
    kept = None if segments is None else Segments.from_bytes(segments)
    return Trial(**values, program=program, segments=kept)
