"""Stopping and resuming everything that trades from this home."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from clawd.core.clock import iso
from clawd.server.at_stake import Stake
from clawd.server.caller import AsCaller, Scope, needs
from clawd.server.milliseconds import milliseconds
from clawd.server.problem import MissingError
from clawd.server.recording import record
from clawd.server.site import AtSite, Site
from clawd.server.standing import Consequence, Heard, Level, consequences, level_of
from clawd.store.journal import JSON
from clawd.store.switchboard import Command, Switch, as_state, in_words

router = APIRouter(tags=["standing"])


Ordered = Literal["resume", "stop_entries", "flatten", "halt"]


class RunStake(BaseModel):
    """What one run has in the market."""

    run: str
    kind: Literal["bars", "account"]
    at_work: bool = Field(description="whether a process trades it now")
    whole: bool = Field(description="whether its journal has been read to its end; else the counts are of the past")
    state: Literal["active", "reducing", "halted"]
    flattening: bool
    halted_until: float | None = Field(description="the day's limit has stopped it until then, milliseconds since 1970")
    agents: int = Field(description="that may enter")
    positions: int
    entries: int = Field(description="orders that would enter and work or wait")
    exits: int = Field(description="orders that protect positions")
    notional: str | None = Field(description="gross, of the positions, at the last prices; null where one is unknown")
    currency: str


class Notional(BaseModel):
    """An amount; unlike currencies are never added."""

    amount: str | None = Field(description="null where a price is not known")
    currency: str


class StopLevel(BaseModel):
    """A level, and what it would do now."""

    level: Literal["stop_entries", "flatten", "halt"]
    word: str | None = Field(description="what has to be typed, null where a click is enough")
    agents: int = Field(description="may enter nothing any more")
    cancelled: int = Field(description="entries that are taken off")
    closed: int = Field(description="positions that are closed at the market")
    kept: int = Field(description="positions that stay, with their exits")
    notional: list[Notional] = Field(description="of the positions")


class GivenOrder(BaseModel):
    """An order that a person has given."""

    number: int = Field(description="0 where none was ever given")
    ordered: Ordered
    by: str
    why: str
    at: float | None = Field(description="milliseconds since 1970")
    text: str = Field(description="in words")


class RunHeard(BaseModel):
    """What a run has said to an order."""

    run: str
    state: Literal["waiting", "working", "done", "ended"] = Field(
        description="waiting: no word yet; working: heard, not done; done; ended: its process ended before it was done"
    )
    text: str | None
    at: float | None = Field(description="when it said so by its own clock, milliseconds since 1970")
    positions: int | None = Field(description="that it still has, where that is known")


class Unattended(BaseModel):
    """What nobody is at work on and that has something in the market: no order reaches it before it is started."""

    run: str
    kind: Literal["bars", "account"]
    positions: int | None = Field(description="null where its journal could not be read yet")
    orders: int | None = Field(description="that work at the venue or wait, likewise")
    text: str = Field(description="what it holds, and what would have it closed")


class OrderAnswers(BaseModel):
    """What came of an order."""

    order: GivenOrder
    holds: bool = Field(description="whether no other has been given since")
    done: bool = Field(description="whether every run has said that nothing of it is left to do")
    flat: bool | None = Field(
        description="of a flattening: whether every run has heard from its venue that it is, nothing being unattended; "
        "false where none runs"
    )
    runs: list[RunHeard]
    unattended: list[Unattended]
    text: str = Field(description="where it stands, in words")


class Standing(BaseModel):
    """What holds, for whom, and what each level of a stop would do."""

    order: GivenOrder
    answers: OrderAnswers
    runs: list[RunStake] = Field(description="those at work, and others that still have something in the market")
    uncounted: int = Field(description="runs at work that are not among them, and that hear an order all the same")
    unattended: list[Unattended]
    levels: list[StopLevel]
    resume_word: str


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")

    word: str = Field("", max_length=40, description="as the level asks for, in capitals")
    why: str = Field("", max_length=500, description="a reason, kept with the order")
    once: str | None = Field(
        None, min_length=8, max_length=64, description="a name of this very wish: sent twice, it is one order"
    )


class StopWish(_Wish):
    """A stop, please."""

    level: Level


class ResumeWish(_Wish):
    """Entries may be made again, please."""


@router.get("/standing", dependencies=[needs(Scope.READ)])
def read_standing(site: AtSite) -> Standing:
    """What is ordered, what the runs have said to it, and what each level of a stop would do now."""
    stakes = site.hand.stakes.now()
    command = site.hand.standing()
    heard = site.hand.heard(command.number) or Heard(command, [], True)
    return Standing(
        order=_order(command),
        answers=_answers(heard, stakes),
        runs=[_stake(stake) for stake in stakes],
        uncounted=site.hand.stakes.uncounted,
        unattended=_unattended(stakes),
        levels=[_level(each) for each in consequences(stakes)],
        resume_word="RESUME",
    )


@router.post("/standing", dependencies=[needs(Scope.DECIDE)])
def stop_trading(site: AtSite, caller: AsCaller, wish: StopWish) -> OrderAnswers:
    """Stop everything that trades from this home, at one of three levels. It holds until it is resumed."""
    heard, fresh = site.hand.stop(wish.level, wish.word, wish.why, caller.name, wish.once)
    if fresh:
        record(site, caller, "TradingStopped", {"level": wish.level.value, **_facts(site, heard)})
        site.announce("standing")
    return _answers(
        heard, site.hand.stakes.now() if wish.level is Level.FLATTEN else list(site.hand.stakes.last.values())
    )


@router.post("/resume", dependencies=[needs(Scope.DECIDE)])
def resume_trading(site: AtSite, caller: AsCaller, wish: ResumeWish) -> OrderAnswers:
    """Let agents enter positions again. The word RESUME is asked for."""
    heard, fresh = site.hand.resume(wish.word, wish.why, caller.name, wish.once)
    if fresh:
        record(site, caller, "TradingResumed", _facts(site, heard))
        site.announce("standing")
    return _answers(heard, list(site.hand.stakes.last.values()))


@router.get("/standing/orders", dependencies=[needs(Scope.READ)])
def list_orders_given(site: AtSite, last: Annotated[int, Query(ge=1, le=500)] = 50) -> list[GivenOrder]:
    """The orders that people have given, the newest first."""
    return [_order(command) for command in site.hand.history(last)]


@router.get("/standing/orders/{number}", dependencies=[needs(Scope.READ)])
def read_order_given(site: AtSite, number: Annotated[int, Path(ge=1, le=2**53)]) -> OrderAnswers:
    """What the runs have said to an order: whether it is done, and where a flattening stands."""
    heard = site.hand.heard(number)
    if heard is None:
        raise MissingError(f"no order {number} was given", where="number")
    return _answers(heard, site.hand.stakes.now())


def _facts(site: Site, heard: Heard) -> dict[str, JSON]:
    """For the audit: the order, and what was at stake as far as it is known at this moment."""
    at_stake = [stake for stake in site.hand.stakes.last.values() if stake.at_work]
    return {
        "order": heard.command.number,
        "why": heard.command.why,
        "runs": [run.run for run in heard.runs],
        "agents": sum(stake.agents for stake in at_stake),
        "positions": sum(stake.positions for stake in at_stake),
        "entries": sum(stake.entries for stake in at_stake),
        "notional": [each.model_dump() for each in _notional(consequences(at_stake)[0])],
    }


def _notional(each: Consequence) -> list[Notional]:
    return [
        Notional(amount=None if amount is None else f"{amount:f}", currency=currency)
        for currency, amount in each.notional.items()
    ]


def _stake(stake: Stake) -> RunStake:
    return RunStake(
        run=stake.run,
        kind=stake.kind,
        at_work=stake.at_work,
        whole=stake.whole,
        state=stake.state.value,
        flattening=stake.flattening,
        halted_until=milliseconds(stake.halted_until),
        agents=stake.agents,
        positions=stake.positions,
        entries=stake.entries,
        exits=stake.exits,
        notional=None if stake.notional is None else f"{stake.notional:f}",
        currency=stake.currency,
    )


def _level(each: Consequence) -> StopLevel:
    return StopLevel(
        level=each.level.value,
        word=each.level.word,
        agents=each.agents,
        cancelled=each.cancelled,
        closed=each.closed,
        kept=each.kept,
        notional=_notional(each),
    )


def _order(command: Command) -> GivenOrder:
    level = level_of(command.switch)
    never = command.number == 0
    return GivenOrder(
        number=command.number,
        ordered="resume" if level is None else level.value,
        by=command.by,
        why=command.why,
        at=None if never else milliseconds(command.ts),
        text="nobody has stopped anything" if never else in_words(command),
    )


def _answers(heard: Heard, stakes: list[Stake]) -> OrderAnswers:
    held = {stake.run: stake.positions for stake in stakes if stake.whole}
    unattended = _unattended(stakes)
    runs = []
    for run, answer, at_work in heard.runs:
        done = answer is not None and answer.done
        runs.append(
            RunHeard(
                run=run,
                state="done" if done else "ended" if not at_work else "waiting" if answer is None else "working",
                text=None if answer is None else answer.text,
                at=None if answer is None else milliseconds(answer.ts),
                positions=held.get(run),
            )
        )
    return OrderAnswers(
        order=_order(heard.command),
        holds=heard.holds,
        done=heard.done,
        flat=heard.done and bool(runs) and not unattended if heard.command.switch is Switch.FLATTEN else None,
        runs=runs,
        unattended=unattended,
        text=_where(heard, runs, stakes),
    )


def _unattended(stakes: list[Stake]) -> list[Unattended]:
    return [
        Unattended(
            run=stake.run,
            kind=stake.kind,
            positions=stake.positions if stake.whole else None,
            orders=stake.entries + stake.exits if stake.whole else None,
            text=_left_alone(stake),
        )
        for stake in stakes
        if not stake.at_work and stake.holds
    ]


def _left_alone(stake: Stake) -> str:
    command = "clawd up" if stake.kind == "bars" else f"clawd trade --account {stake.run}"
    if not stake.whole:
        return f"nobody is at work on {stake.run}, and its journal could not be read: it may hold positions"
    orders = stake.entries + stake.exits
    held = [_counted(stake.positions, "position"), *([_counted(orders, "order")] if orders else [])]
    return f"nobody is at work on {stake.run}: it holds {' and '.join(held)}; start `{command}` to have them closed"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _where(heard: Heard, runs: list[RunHeard], stakes: list[Stake]) -> str:
    """Where an order stands, in words that claim nothing that no run has said."""
    command, flatten = heard.command, heard.command.switch is Switch.FLATTEN
    if command.number == 0:
        return "everything that the gate allows may be entered"
    left = [run.run for run in runs if run.state != "done"]
    ended = [run.run for run in runs if run.state == "ended"]
    if ended:
        return f"{', '.join(ended)} ended before it said that it is done; it begins {as_state(command.switch)}"
    if left:
        what = "not flat yet" if flatten else "no word yet"
        return f"{what}: waiting for {', '.join(left)}"
    if not runs:
        held = sum(stake.positions for stake in stakes)
        open_ = f"; {held} positions stay open until it does" if flatten and held else ""
        return f"nothing is running; whatever starts next begins {as_state(command.switch)}{open_}"
    if flatten:
        heard_by = ", ".join(run.run for run in runs)
        rest = "".join(f"; but {each.text}" for each in _unattended(stakes))
        return f"everything was closed, as {heard_by} heard it: the venue has no order and no position of theirs{rest}"
    limited = [stake for stake in stakes if stake.at_work and stake.halted_until is not None]
    if command.switch is Switch.RESUME and limited:
        until = ", ".join(f"{stake.run} until {iso(stake.halted_until or 0)}" for stake in limited)
        return f"every run has heard it; the day's loss limit still halts {until}"
    return f"every run has said that it is {as_state(command.switch)}"
