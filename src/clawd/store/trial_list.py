"""The trials of a ledger as a list: found, sorted and cut into pages by the database."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal

from clawd.core.errors import ClawdError
from clawd.store.database import at_one_moment, mendable
from clawd.store.ledger import Conditions
from clawd.store.ledger_file import open_ledger_file

Order = Literal["recorded", "sharpe", "total_return", "max_drawdown", "turnover", "trades", "bars", "name"]

#: Rows of a page at most.
MOST_ROWS: Final = 200
#: How far a list is sorted by something else than the time: further down it takes seconds where much was tried.
DEEPEST: Final = 20_000


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A trial in short.

    Attributes:
        id: its place in the ledger, from 1, in the order in which trials were recorded first.
        content_hash, family_hash, data_fingerprint, first_ts, last_ts, fee, slippage, author, name, recorded_at, bars,
            trades, sharpe, mean, sd, total_return, max_drawdown, turnover, exposure, run, origin, looks: as of
            :class:`~clawd.store.trial.Trial`, but that a number that is undefined is None.
    """

    id: int
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
    bars: int
    trades: int
    sharpe: float | None
    mean: float | None
    sd: float | None
    total_return: float | None
    max_drawdown: float | None
    turnover: float | None
    exposure: float | None
    run: str
    origin: str
    looks: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which trials; what is None is not asked.

    Attributes:
        author, run, data_fingerprint: exactly these.
        content_hash: how the strategy's hash begins.
        name: words that stand in the name of the strategy, in any case.
    """

    author: str | None = None
    run: str | None = None
    data_fingerprint: str | None = None
    content_hash: str | None = None
    name: str | None = None

    def _conditions(self) -> tuple[str, list[str]]:
        clauses, values = ["1"], []
        for column in ("author", "run", "data_fingerprint"):
            value = getattr(self, column)
            if value is not None:
                clauses.append(f"{column} = ?")
                values.append(value)
        if self.content_hash is not None:
            # A range, not LIKE: nothing in the text has a meaning of its own, and the index is used.
            clauses.append("content_hash >= ? AND content_hash < ?")
            values += [self.content_hash, self.content_hash + "\U0010ffff"]
        if self.name is not None:
            clauses.append("instr(lower(name), lower(?)) > 0")
            values.append(self.name)
        return " AND ".join(clauses), values


@dataclass(frozen=True, slots=True)
class Best:
    """The trials under the same conditions, and the best of them.

    Attributes:
        conditions: what they share.
        trials: how many there are.
        best: the one with the highest Sharpe ratio, None where none has one.
    """

    conditions: Conditions
    trials: int
    best: TrialRow | None


class TrialList:
    """The trials of a ledger. Used by the thread that opened it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> TrialList:
        """Open a ledger's list.

        Raises:
            ClawdError: as of :meth:`clawd.store.ledger.Ledger.open`.
        """
        return cls(path, open_ledger_file(path))

    def __enter__(self) -> TrialList:
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    def page(
        self, wanted: Wanted, *, order: Order = "recorded", descending: bool = True, offset: int = 0, limit: int = 50
    ) -> tuple[int, tuple[TrialRow, ...]]:
        """How many trials fit, and some of them in order; those without the number that orders them come last.

        Args:
            wanted: which.
            order, descending: by what; trials that are equal in it keep the order in which they were recorded, in the
                same direction.
            offset, limit: how many are passed over, and how many are given at most.

        Raises:
            ClawdError: for an offset beyond :data:`DEEPEST` in another order than that of time.
        """
        if order != "recorded" and offset > DEEPEST:
            raise ClawdError(
                f"a list in the order of {order} is shown as far as number {DEEPEST:,}",
                where="offset",
                hint="ask for fewer by author, campaign or name, or in the order of time",
            )
        where, values = wanted._conditions()
        column = "id" if order == "recorded" else _COLUMNS[_COLUMNS.index(order)]
        way = "DESC" if descending else "ASC"
        # The primary key's own order needs no sorting.
        sorting = f"id {way}" if column == "id" else f"{column} IS NULL, {column} {way}, id {way}"
        # What is sorted is small: numbers and places alone, and the rows of one page are read after that.
        places = f"SELECT id FROM trials WHERE {where} ORDER BY {sorting} LIMIT ? OFFSET ?"
        query = f"SELECT {', '.join(_COLUMNS)} FROM trials WHERE id IN ({places}) ORDER BY {sorting}"
        with mendable(self.path), at_one_moment(self._connection, self.path):
            (total,) = self._connection.execute(f"SELECT COUNT(*) FROM trials WHERE {where}", values).fetchone()
            rows = self._connection.execute(query, (*values, min(limit, MOST_ROWS), offset)).fetchall()
        return int(total), tuple(TrialRow(*row) for row in rows)

    def strategies(self, digits: str, most: int) -> tuple[tuple[str, str], ...]:
        """The content hashes that begin with some digits, and what each strategy was called first; at most so many."""
        where, values = Wanted(content_hash=digits)._conditions()
        query = f"SELECT content_hash, name, MIN(id) FROM trials WHERE {where} GROUP BY content_hash LIMIT ?"
        with mendable(self.path):
            return tuple(row[:2] for row in self._connection.execute(query, (*values, most)).fetchall())

    def family(self, family_hash: str) -> int:
        """How many distinct strategies of a family were tried."""
        query = "SELECT COUNT(DISTINCT content_hash) FROM trials WHERE family_hash = ?"
        with mendable(self.path):
            (count,) = self._connection.execute(query, (family_hash,)).fetchone()
        return int(count)

    def best(self, most: int) -> tuple[Best, ...]:
        """The conditions under which most bars were traded on, trials times bars, and the best trial under each."""
        same = ", ".join(_CONDITIONS)
        query = f"SELECT {same}, COUNT(*) FROM trials GROUP BY {same} ORDER BY SUM(bars) DESC, MIN(id) LIMIT ?"
        with mendable(self.path):
            found = self._connection.execute(query, (most,)).fetchall()
        return tuple(Best(Conditions(*row[:-1]), row[-1], self._best(row[:-1])) for row in found)

    def _best(self, conditions: tuple[Any, ...]) -> TrialRow | None:
        query = f"SELECT {', '.join(_COLUMNS)} FROM trials WHERE sharpe IS NOT NULL"
        where = "".join(f" AND {column} = ?" for column in _CONDITIONS)
        with mendable(self.path):
            row = self._connection.execute(f"{query}{where} ORDER BY sharpe DESC, id LIMIT 1", conditions).fetchone()
        return None if row is None else TrialRow(*row)


_COLUMNS: Final = tuple(column.name for column in fields(TrialRow))
_CONDITIONS: Final = tuple(column.name for column in fields(Conditions))
