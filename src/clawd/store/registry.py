"""The registry: what was claimed, what it had to reach, what it has reached, and what was looked at and shown.

Hypotheses are numbered k = 1, 2, ... over all campaigns and runs of a home, for ever: the number sets the level
(``clawd.evidence.levels``), so a number that could be had anew would be luck that is not charged for. It lies in the
file of the trial ledger, with the same durability: what a method has returned survives ``kill -9``, whole.
"""

from __future__ import annotations

import json
import operator
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeVar

from clawd.core.clock import duration, iso
from clawd.core.errors import ClawdError
from clawd.evidence.eprocess import EProcess
from clawd.evidence.levels import wealth_to_reach
from clawd.store.database import at_once, at_one_moment, mendable
from clawd.store.ledger_file import open_ledger_file

LookKind = Literal["selection", "vault"]

#: The author whose shows count for all.
EVERYBODY: Final = "*"

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A claim: this strategy, on this market, at these costs, has an edge.

    Attributes:
        number: k, its place among all that were ever registered in this home, from 1.
        content_hash: the strategy.
        name, author: of the strategy.
        market: as :func:`market_key` writes it.
        fee, slippage: per side, shares of notional and price.
        registered_at: UTC nanoseconds.
        promotions_before: R_k, how many promotions there were when it was registered.
        wealth_to_reach: 1/α_k.
        counts_from: the open of the first bar that may count as evidence, UTC nanoseconds.
        run: the campaign or fleet that registered it.
        promoted_at: UTC nanoseconds, None while it is not.
    """

    number: int
    content_hash: str
    name: str
    author: str
    market: str
    fee: float
    slippage: float
    registered_at: int
    promotions_before: int
    wealth_to_reach: float
    counts_from: int
    run: str
    promoted_at: int | None = None


class Bet(NamedTuple):
    """A bar that was bet on.

    Attributes:
        ts: its open, UTC nanoseconds.
        net_return, bound: as of :meth:`~clawd.evidence.eprocess.EProcess.after`.
    """

    ts: int
    net_return: float
    bound: float


@dataclass(frozen=True, slots=True)
class Seal:
    """Bars that authors are not given.

    Attributes:
        symbols: of the instruments, sorted.
        selection_from, vault_from, until: opens of the first bar of the selection, of the first of the vault, and of
            the last of the vault, UTC nanoseconds.
        at: when, UTC nanoseconds.
        run: the campaign.
    """

    symbols: tuple[str, ...]
    selection_from: int
    vault_from: int
    until: int
    at: int
    run: str


@dataclass(frozen=True, slots=True)
class Look:
    """A strategy was looked at on bars that were held back.

    Attributes:
        kind: ``selection`` or ``vault``.
        content_hash: the strategy.
        market: as :func:`market_key` writes it.
        first_ts, last_ts: the opens of the first and the last bar, UTC nanoseconds.
        run: the campaign.
        at: when, UTC nanoseconds.
    """

    kind: LookKind
    content_hash: str
    market: str
    first_ts: int
    last_ts: int
    run: str
    at: int


def market_key(symbols: Iterable[str], bar: int) -> str:
    """What a market is known by in the registry, such as ``1d BTC,ETH``: its bars' size and its sorted symbols.

    Args:
        symbols: of the instruments that the strategy trades.
        bar: duration, nanoseconds.
    """
    return f"{duration(bar)} {','.join(sorted(set(symbols)))}"


class Registry:
    """An open registry; several processes may write to one file. Used by the thread that opened it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Registry:
        """Open the ledger's file, creating what is missing.

        Raises:
            ClawdError: when the file is not a ledger, is newer than this program, or cannot be opened.
        """
        return cls(path, open_ledger_file(path))

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def at_once(self) -> AbstractContextManager[None]:
        """All that is written in the block, or none of it: such as a look at the vault and the bars that it gave.

        Others wait while it is open, half a minute at most; a ledger that is open on the same file is such another, and
        nothing must be recorded with it in the block.
        """
        return at_once(self._connection, self.path)

    def at_one_moment(self) -> AbstractContextManager[None]:
        """All that is read in the block is as it was at one moment, whoever writes meanwhile; nobody waits for it."""
        return at_one_moment(self._connection, self.path)

    # Hypotheses

    def register(
        self,
        *,
        content_hash: str,
        name: str,
        author: str,
        market: str,
        fee: float,
        slippage: float,
        at: int,
        counts_from: int,
        run: str = "",
    ) -> Hypothesis:
        """Give a claim its number and its level, for good.

        The same strategy on the same market at the same costs is the same claim: it is given as it was registered
        first, whatever the other arguments are now, and its evidence goes on.

        Args:
            market: from :func:`market_key`.
            at: the time, UTC nanoseconds.
            counts_from: the open of the first bar that may count.
        """
        with self.at_once():
            known = self.find(content_hash, market, fee, slippage)
            if known is not None:
                return known
            (number,) = self._row("SELECT COALESCE(MAX(number), 0) + 1 FROM hypotheses")
            (before,) = self._row("SELECT COUNT(*) FROM promotions")
            made = Hypothesis(
                number=number,
                content_hash=content_hash,
                name=name,
                author=author,
                market=market,
                fee=float(fee),
                slippage=float(slippage),
                registered_at=operator.index(at),
                promotions_before=before,
                wealth_to_reach=wealth_to_reach(number, before),
                counts_from=operator.index(counts_from),
                run=run,
            )
            values = tuple(getattr(made, column) for column in _HYPOTHESIS)
            self._write(
                f"INSERT INTO hypotheses({', '.join(_HYPOTHESIS)}) VALUES ({', '.join('?' * len(values))})", values
            )
            return made

    def find(self, content_hash: str, market: str, fee: float, slippage: float) -> Hypothesis | None:
        """The hypothesis of a strategy on a market at these costs, None where it was never registered."""
        same = "content_hash = ? AND market = ? AND fee = ? AND slippage = ?"
        found = self._hypotheses(f"WHERE {same}", (content_hash, market, float(fee), float(slippage)))
        return found[0] if found else None

    def hypothesis(self, number: int) -> Hypothesis:
        """Hypothesis k.

        Raises:
            ClawdError: when there is none.
        """
        found = self._hypotheses("WHERE number = ?", (operator.index(number),))
        if not found:
            raise ClawdError(f"there is no hypothesis {number}", where=str(self.path))
        return found[0]

    def hypotheses(self, content_hash: str | None = None) -> tuple[Hypothesis, ...]:
        """All that were ever registered, by their numbers; or those of one strategy."""
        if content_hash is None:
            return self._hypotheses("", ())
        return self._hypotheses("WHERE content_hash = ?", (content_hash,))

    def promotions(self) -> tuple[Hypothesis, ...]:
        """Those that were promoted, in the order in which they were."""
        promoted = [each for each in self.hypotheses() if each.promoted_at is not None]
        return tuple(sorted(promoted, key=lambda each: (each.promoted_at, each.number)))

    # Evidence

    def bet(self, number: int, bars: Sequence[tuple[int, float, float]]) -> EProcess:
        """Bet on bars: all of them are kept and counted, or none.

        A bar that was bet on before and is the same to the bit is passed over, so whoever was killed may give again
        what he is not sure of.

        Args:
            number: k.
            bars: the open in UTC nanoseconds, the net return and the bound of each, in order of time; see
                :meth:`~clawd.evidence.eprocess.EProcess.after`.

        Returns:
            The evidence with them.

        Raises:
            ClawdError: when there is no such hypothesis, a bar lies before the first that counts or before the last
                one bet on, or differs from what it was.
            ValueError: for a return or a bound that cannot be.
        """
        given = [Bet(operator.index(ts), float(net_return) + 0.0, float(bound) + 0.0) for ts, net_return, bound in bars]
        for one, other in pairwise(given):
            if other.ts <= one.ts:
                raise ClawdError(
                    f"the bar of {iso(other.ts)} comes after that of {iso(one.ts)}", hint="in order of time"
                )
        with self.at_once():
            hypothesis = self.hypothesis(number)
            where = f"hypothesis {number} ({hypothesis.name})"
            if given and given[0].ts < hypothesis.counts_from:
                raise ClawdError(
                    f"the bar of {iso(given[0].ts)} cannot count",
                    where=where,
                    hint=f"its evidence begins with the bar of {iso(hypothesis.counts_from)}",
                )
            process, last = self._evidence(number, None)
            fresh = [bar for bar in given if last is None or bar.ts > last]
            for bar in given[: len(given) - len(fresh)]:
                kept = self._row("SELECT ts, net_return, bound FROM bets WHERE number = ? AND ts = ?", (number, bar.ts))
                if kept is None or Bet(*kept) != bar:
                    why = "was passed over" if kept is None else f"was bet on with {kept[1]!r} and bound {kept[2]!r}"
                    raise ClawdError(
                        f"the bar of {iso(bar.ts)} {why}, and later ones were bet on",
                        where=where,
                        hint="what was bet on stays",
                    )
            rows: list[list[object]] = []
            for bar in fresh:
                process = process.after(bar.net_return, bar.bound)
                rows.append([number, *bar, None])
            if rows:
                # The others fold from the last state that was kept.
                rows[-1][-1] = json.dumps(process.to_json(), separators=(",", ":"))
                with mendable(self.path):
                    self._connection.executemany("INSERT INTO bets VALUES (?, ?, ?, ?, ?)", rows)
        return process

    def evidence(self, number: int, before: int | None = None) -> EProcess:
        """The evidence for hypothesis k, from all bars that were bet on, or from those that open before a time.

        Raises:
            ClawdError: when there is no such hypothesis.
        """
        self.hypothesis(number)
        return self._evidence(number, before)[0]

    def bars(self, number: int) -> tuple[Bet, ...]:
        """Every bar that was bet on for hypothesis k, in order of time."""
        query = "SELECT ts, net_return, bound FROM bets WHERE number = ? ORDER BY ts"
        return self._rows(query, (operator.index(number),), lambda row: Bet(*row))

    def last_bar(self, number: int) -> int | None:
        """The open of the last bar that was bet on for hypothesis k, None before the first."""
        (last,) = self._row("SELECT MAX(ts) FROM bets WHERE number = ?", (operator.index(number),))
        return None if last is None else int(last)

    def promote(self, number: int, at: int) -> Hypothesis:
        """Promote hypothesis k; one that is promoted stays so from the first time on.

        Raises:
            ClawdError: when its evidence has not reached its level.
        """
        with self.at_once():
            hypothesis = self.hypothesis(number)
            if hypothesis.promoted_at is None:
                process = self.evidence(number)
                if not process.reached(hypothesis.wealth_to_reach):
                    raise ClawdError(
                        f"the evidence was {process.peak:.6g} at its best and has to reach "
                        f"{hypothesis.wealth_to_reach:.6g}",
                        where=f"hypothesis {number} ({hypothesis.name})",
                        hint="a bar lost more than its bound, so nothing counts"
                        if process.broken
                        else "it needs more bars",
                    )
                self._write("INSERT INTO promotions VALUES (?, ?)", (number, operator.index(at)))
            return self.hypothesis(number)

    # What was held back, looked at and shown

    def seal(
        self, symbols: Iterable[str], selection_from: int, vault_from: int, until: int, at: int, run: str = ""
    ) -> Seal:
        """Hold bars back from authors; the same seal again is the one that there is.

        Args:
            symbols: of the instruments.
            selection_from, vault_from: opens of the first bars of the selection and of the vault, UTC nanoseconds.
            until: the open of the last bar of the vault.
            at: the time.
            run: the campaign.

        Raises:
            ClawdError: when nothing is named or the periods are out of order.
        """
        named = tuple(sorted(set(symbols)))
        if not named or not selection_from <= vault_from <= until:
            raise ClawdError("a seal needs instruments, and a selection before a vault", where=run or None)
        first, vault, last, now = map(operator.index, (selection_from, vault_from, until, at))
        made = Seal(named, first, vault, last, now, run)
        with self.at_once():
            for known in self.seals():
                if _same_but_for_time(known, made):
                    return known
            self._write(
                "INSERT INTO seals(symbols, selection_from, vault_from, until, at, run) VALUES (?, ?, ?, ?, ?, ?)",
                (json.dumps(named), made.selection_from, made.vault_from, made.until, made.at, run),
            )
        return made

    def seals(self, symbols: Iterable[str] | None = None) -> tuple[Seal, ...]:
        """All seals in the order in which they were set, or those of any of some instruments."""
        every = self._rows(
            "SELECT symbols, selection_from, vault_from, until, at, run FROM seals ORDER BY id",
            (),
            lambda row: Seal(tuple(json.loads(row[0])), *row[1:]),
        )
        wanted = None if symbols is None else frozenset(symbols)
        return tuple(seal for seal in every if wanted is None or wanted.intersection(seal.symbols))

    def sealed_from(self, symbols: Iterable[str]) -> int | None:
        """The open of the earliest bar of any of these instruments that is held back, None where none is."""
        return min((seal.selection_from for seal in self.seals(symbols)), default=None)

    def look(
        self, kind: LookKind, content_hash: str, market: str, first_ts: int, last_ts: int, run: str, at: int
    ) -> int:
        """Count a look at bars that are held back, before it is taken.

        A campaign that takes it and keeps what it saw in one :meth:`at_once` can be killed at any moment and go on.

        Returns:
            How many looks of this kind this strategy has had on this market, this one included.

        Raises:
            ClawdError: for a second look into the vault: what was seen there is kept, and is not seen anew.
        """
        if kind not in ("selection", "vault"):
            raise ClawdError(f"`{kind}` is no kind of look", hint="selection or vault")
        with self.at_once():
            before = self.looks(kind, content_hash=content_hash, market=market)
            if kind == "vault" and before:
                first = before[0]
                run_of = f" by run {first.run}" if first.run else ""
                raise ClawdError(
                    f"the vault was opened for this hypothesis on {iso(first.at)}{run_of} and is not opened again",
                    where=f"strategy {content_hash[:12]} on {market}",
                    hint="what was found then is kept: `clawd evidence show` has it",
                )
            columns = "kind, content_hash, market, first_ts, last_ts, run, at"
            first_bar, last_bar, now = map(operator.index, (first_ts, last_ts, at))
            values = (kind, content_hash, market, first_bar, last_bar, run, now)
            self._write(f"INSERT INTO looks({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            return len(before) + 1

    def looks(
        self,
        kind: LookKind | None = None,
        *,
        content_hash: str | None = None,
        market: str | None = None,
        run: str | None = None,
    ) -> tuple[Look, ...]:
        """The looks that fit, in the order in which they were taken."""
        wanted = {"kind": kind, "content_hash": content_hash, "market": market, "run": run}
        conditions = {column: value for column, value in wanted.items() if value is not None}
        where = "".join(f" AND {column} = ?" for column in conditions)
        query = f"SELECT kind, content_hash, market, first_ts, last_ts, run, at FROM looks WHERE 1{where} ORDER BY id"
        return self._rows(query, tuple(conditions.values()), lambda row: Look(*row))

    def show(self, author: str, symbols: Iterable[str], until: int, at: int, why: str) -> None:
        """Note that an author has seen what the bars of some instruments up to one of them were like.

        What an author had seen already is not noted again.

        Args:
            author: ``*`` or nothing for everybody, as when a result was reported for all to read.
            symbols: of the instruments.
            until: the open of the last bar shown, UTC nanoseconds.
            at: the time.
            why: such as ``backtest``.
        """
        author, until, at = author or EVERYBODY, operator.index(until), operator.index(at)
        with self.at_once():
            for symbol in sorted(set(symbols)):
                (known,) = self._row("SELECT MAX(until) FROM shows WHERE author = ? AND symbol = ?", (author, symbol))
                if known is None or known < until:
                    self._write("INSERT INTO shows VALUES (?, ?, ?, ?, ?)", (author, symbol, until, at, why))

    def shown_until(self, author: str, symbols: Iterable[str]) -> int | None:
        """The open of the last bar of any of these instruments that an author has seen, None where he saw none."""
        query = "SELECT MAX(until) FROM shows WHERE author IN (?, ?) AND symbol = ?"
        seen = [self._row(query, (author or EVERYBODY, EVERYBODY, symbol))[0] for symbol in set(symbols)]
        return max((until for until in seen if until is not None), default=None)

    def _evidence(self, number: int, before: int | None) -> tuple[EProcess, int | None]:
        """The evidence from the bars before a time, and the open of the last of them."""
        limit = 2**63 - 1 if before is None else operator.index(before)
        until = "<=" if before is None else "<"
        query = f"SELECT ts, state FROM bets WHERE number = ? AND ts {until} ? AND state IS NOT NULL"
        kept = self._row(f"{query} ORDER BY ts DESC LIMIT 1", (number, limit))
        process, last = EProcess(), None
        if kept is not None:
            try:
                process, last = EProcess.from_json(json.loads(kept[1])), kept[0]
            except ClawdError:
                last = None  # it bet with other fractions: all bars are folded anew
        query = f"SELECT ts, net_return, bound FROM bets WHERE number = ? AND ts {until} ? AND ts > ? ORDER BY ts"
        for bar in self._rows(query, (number, limit, -(2**63) if last is None else last), lambda row: Bet(*row)):
            process, last = process.after(bar.net_return, bar.bound), bar.ts
        return process, last

    def _hypotheses(self, where: str, values: tuple[object, ...]) -> tuple[Hypothesis, ...]:
        query = f"SELECT {', '.join(_HYPOTHESIS)}, at FROM hypotheses LEFT JOIN promotions USING(number) {where}"
        return self._rows(f"{query} ORDER BY number", values, lambda row: Hypothesis(*row))

    def _row(self, query: str, values: tuple[object, ...] = ()) -> Any:
        with mendable(self.path):
            return self._connection.execute(query, values).fetchone()

    def _rows(self, query: str, values: tuple[object, ...], make: Callable[[Any], Row]) -> tuple[Row, ...]:
        with mendable(self.path):
            return tuple(make(row) for row in self._connection.execute(query, values).fetchall())

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        with mendable(self.path):
            self._connection.execute(statement, values)


_HYPOTHESIS: Final = (
    "number", "content_hash", "name", "author", "market", "fee", "slippage", "registered_at", "promotions_before",
    "wealth_to_reach", "counts_from", "run",
)  # fmt: skip


def _same_but_for_time(one: Seal, other: Seal) -> bool:
    periods = (one.symbols, one.selection_from, one.vault_from, one.until, one.run)
    return periods == (other.symbols, other.selection_from, other.vault_from, other.until, other.run)
