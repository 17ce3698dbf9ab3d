"""The header of every page: how the run that is shown stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Final, Literal

import numpy as np

from clawd.core.account_events import UNATTRIBUTED, TradingState
from clawd.core.errors import ClawdError
from clawd.core.events import HeldUntil
from clawd.core.money import studied
from clawd.core.settings import Settings
from clawd.data import sample
from clawd.data.market import load_market
from clawd.execution.account import Account
from clawd.fleet.books import Books
from clawd.server.frames import Phase, Status
from clawd.server.live.columns import STATES, Columns, no_agents
from clawd.server.live.currency import QUOTE, currency_in
from clawd.server.live.orders import Orders
from clawd.server.live.pauses import under_pauses
from clawd.server.live.picture import Picture
from clawd.server.live.places import Place
from clawd.server.live.reader import Reader
from clawd.server.live.tale import EQUITY, Tale
from clawd.server.milliseconds import milliseconds
from clawd.store.switchboard import NOTHING_ORDERED, Command, Switch

Standing = Literal["active", "reducing", "halted", "flattening", "day_limit"]


_COMPILING: Final = "the engine is compiled for this machine, once: about a minute"


@dataclass(frozen=True, slots=True)
class Child:
    """What the process that trades says of itself: a phase, words, and the share of it that is done."""

    phase: Phase
    text: str
    progress: float | None


def nothing_to_show(
    settings: Settings, child: Child | None, *, compiling: bool = False, command: Command = NOTHING_ORDERED
) -> Picture:
    """Before the first run of a home, or while the engine that folds it is compiled."""
    if child is None and compiling:
        child = Child("compiling", _COMPILING, None)
    phase = child or Child("idle", "nothing has been traded from this home yet", None)
    status = Status(
        seq=0,
        mode="paper",
        sent_at=0.0,
        run=None,
        kind=None,
        phase=phase.phase,
        phase_text=phase.text,
        progress=phase.progress,
        market_time=None,
        heard_at=None,
        standing=_ordered(command, flattening=False),
        currency=QUOTE,
        equity=None,
        day_profit=None,
        day_loss_limit=studied(settings.day_loss_limit),
        reserved=None,
        drawdown=None,
        gross=None,
        agents=0,
        positions=0,
        approvals=0,
        alerts=0,
    )
    return Picture(status, no_agents(), ())


def status_of(
    reader: Reader,
    place: Place,
    child: Child | None,
    orders: Orders,
    settings: Settings,
    heard_at: int | None,
    before: Picture,
    alerts: int = 0,
) -> Picture:
    """The picture of a run as its journal says; parts of it that are as before are the same objects.

    Until the journal has been read to its end nothing of it is shown: figures of the past are none of now.
    """
    tale = reader.tale
    if not reader.current and reader.trouble is None:
        return _catching_up(reader, place, child, orders, settings, heard_at)
    empty = nothing_to_show(settings, child).status
    columns = tale.columns()
    standing = standing_of(tale, orders.command, place.working)
    phase = _phase(reader, place, child, standing)
    status = empty.model_copy(
        update={
            "run": place.run,
            "kind": place.kind,
            "mode": mode_of(tale),
            "phase": phase.phase,
            "phase_text": phase.text,
            "progress": phase.progress,
            "market_time": milliseconds(tale.time) if tale.seq else None,
            "heard_at": milliseconds(heard_at),
            "standing": standing,
            "alerts": alerts,
            "currency": currency_in(tale),
            **_figures(tale, columns),
        }
    )
    fleet = _under(standing, under_pauses(columns, orders.pauses, working=place.working))
    if fleet.same_agents(before.fleet) and not fleet.changed_since(before.fleet).size:
        fleet = before.fleet
    return Picture(status, fleet, before.feed if tale.feed == before.feed else tale.feed)


def standing_of(tale: Tale, command: Command, working: bool) -> Standing:
    """What may be done: what the journal says, and what a person has ordered and nobody has obeyed yet.

    Where no process is at work nobody will obey, and the last order is what holds.
    """
    books, account = tale.books, tale.account
    fold = books or account
    if fold is None:
        return _ordered(command, flattening=False)
    heard = books.command if books is not None else None
    if fold.flattening:
        return "flattening"
    if books is not None and books.halted_until is not None:
        return "day_limit"
    if account is not None and account.state is TradingState.HALTED and account.until_day is not None:
        return "day_limit"
    if command.number and (not working or heard != command.number) and not (working and heard is None):
        return _ordered(command, flattening=working)
    if heard is None and command.switch.state is not TradingState.ACTIVE and fold.state is TradingState.ACTIVE:
        return _ordered(command, flattening=working)
    return _WORDS[fold.state]


_WORDS: Final[dict[TradingState, Standing]] = {
    TradingState.ACTIVE: "active",
    TradingState.REDUCING: "reducing",
    TradingState.HALTED: "halted",
}


def _ordered(command: Command, *, flattening: bool) -> Standing:
    if command.switch is Switch.FLATTEN and flattening:
        return "flattening"
    return _WORDS[command.switch.state]


def _under(standing: Standing, columns: Columns) -> Columns:
    """The agents as the account stands: who is active in a halted account enters nothing."""
    if standing == "active" or not columns.size:
        return columns
    code = STATES.index("reducing" if standing == "reducing" else "halted")
    state = np.where(columns.state == STATES.index("active"), np.int8(code), columns.state)
    return replace(columns, state=state)


def _catching_up(
    reader: Reader, place: Place, child: Child | None, orders: Orders, settings: Settings, heard_at: int | None
) -> Picture:
    """How far the journal has been read: that is to be waited for, and not what the process that trades does meanwhile.

    What has failed is said all the same, and so is that the process compiles: both concern who waits.
    """
    done, all_ = reader.tale.seq, reader.head
    phase = Child("catching_up", f"the journal is read: {done:,} of {all_:,} entries", done / all_ if all_ else None)
    if child is not None and child.phase in ("compiling", "failed"):
        phase = child
    picture = nothing_to_show(settings, phase, command=orders.command)
    status = picture.status.model_copy(
        update={
            "run": place.run,
            "kind": place.kind,
            "mode": mode_of(reader.tale),
            "heard_at": milliseconds(heard_at),
            "agents": None,
            "positions": None,
            "approvals": None,
            "alerts": None,
        }
    )
    return replace(picture, status=status, fleet=no_agents(place.run))


def _phase(reader: Reader, place: Place, child: Child | None, standing: Standing) -> Child:
    if reader.trouble is not None:
        return Child("failed", f"the journal cannot be read on: {reader.trouble}", None)
    if child is not None and child.phase in ("compiling", "reading", "searching", "catching_up", "failed"):
        return child
    if reader.tale.seq == 0:
        return Child("reading", "the run begins", None)
    share = _share(reader.tale)
    if place.working:
        stopped = standing in ("halted", "flattening")
        return Child("trading", "stopped by a person; exits live on" if stopped else "trading on paper", share)
    if reader.tale.finished:
        return Child("ended", "the bars came to their end", 1.0)
    return Child("stopped", "no process trades this run; the same command goes on from here", share)


def _share(tale: Tale) -> float | None:
    """The share of the bars that has been traded, by time."""
    if tale.books is None or tale.books.time < 0:
        return None
    start = tale.books.start
    return min(max((tale.books.time - start.first) / max(start.last - start.first, 1), 0.0), 1.0)


def mode_of(tale: Tale) -> Literal["sample", "paper"]:
    """Whether a run trades the market that comes with the program."""
    books = tale.books
    if books is None or books.start.bar != sample.BAR or set(books.symbols) != set(sample.SYMBOLS):
        return "paper"
    return "sample" if books.start.market == _sample_market() else "paper"


@cache
def _sample_market() -> str | None:
    """The fingerprint of the sample market, None where it cannot be read."""
    try:
        return load_market("sample").fingerprint
    except ClawdError:
        return None


def _figures(tale: Tale, columns: Columns) -> dict[str, object]:
    if tale.books is not None:
        return _of_books(tale.books, tale, columns)
    return _of_account(tale.account, tale, columns) if tale.account is not None else {}


def _of_books(books: Books, tale: Tale, columns: Columns) -> dict[str, object]:
    mark, capital = tale.marked, studied(books.start.capital)
    figures: dict[str, object] = {"day_loss_limit": studied(books.start.day_loss_limit)}
    figures |= {
        "agents": sum(not agent.released for agent in books.agents.values()),
        "positions": sum(1 for agent in books.agents.values() for size in agent.sizes.values() if size),
        "equity": capital if mark is None else studied(mark.equity),
        "day_profit": 0.0 if mark is None else studied(mark.equity) - tale.opened_with.get(EQUITY, capital),
        "reserved": 0.0 if mark is None else studied(mark.reserved),
        "drawdown": 0.0 if mark is None else (tale.peak - studied(mark.equity)) / capital,
        "gross": float(np.nansum(columns.number("exposure"))),
    }
    return figures


def _of_account(account: Account, tale: Tale, columns: Columns) -> dict[str, object]:
    marks, capital = tale.marks, studied(account.start.cash)
    known = all(symbol in marks for symbol in account.sizes())
    equity = account.equity(marks) if known else None
    held = {symbol: size for symbol, size in account.totals.gross.items() if size}
    priced = all(symbol in marks for symbol in held)
    gross = sum((size * marks[symbol] for symbol, size in held.items()), Decimal(0)) if priced else None
    return {
        "day_loss_limit": studied(account.start.day_loss_limit),
        "agents": columns.size,
        "positions": sum(len(agent.holdings) for name, agent in account.agents.items() if name != UNATTRIBUTED),
        "equity": None if equity is None else studied(equity),
        "day_profit": None if equity is None or account.day < 0 else studied(equity - account.day_equity),
        "reserved": studied(account.reserved(marks)) if known else None,
        "drawdown": None if equity is None else max(tale.peak - studied(equity), 0.0) / capital,
        "gross": None if gross is None else studied(gross),
        "approvals": sum(held.until is HeldUntil.APPROVED for held in account.held.values()),
    }
