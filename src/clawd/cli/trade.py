"""``clawd trade``: strategies on captured order books and trades, through the whole way that an order takes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from decimal import Decimal, InvalidOperation
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import Annotated

import typer

from clawd.cli.compiling import ready_engine
from clawd.cli.formats import count, money
from clawd.cli.grid import Column, grid, screen
from clawd.cli.interruptions import interruptions
from clawd.cli.options import JsonOption, read_amount, read_strategy
from clawd.cli.settings import read_settings
from clawd.core.account_events import (
    AgentFunded,
    AgentPaused,
    AgentUnpaused,
    FlattenBegan,
    FlatVerified,
    OrderDropped,
    OrderRejected,
    ProtectionOverdue,
    TradingState,
    TradingStateChanged,
)
from clawd.core.clock import iso, parse_duration
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import OrderFilled, OrderHeld
from clawd.core.instrument import Instrument
from clawd.core.settings import Settings
from clawd.data.capture import MarketEvent, read_captures, steps_of
from clawd.execution.signed_approvals import SignedApprovals
from clawd.fleet.venue_run import Moment, VenueRun, begin
from clawd.language.strategy import Strategy, parse_json
from clawd.reports.fact_words import fact_words
from clawd.risk.limit_settings import clusters_of, limits_of
from clawd.store.approval_desk import ApprovalDesk
from clawd.store.journal import Entry, Journal
from clawd.store.switchboard import Switch, Switchboard
from clawd.venues.faults import Rule, from_json
from clawd.venues.matching.file import VenueFile
from clawd.venues.matching.rules import Delay, FeeTier, Latency, Listing, Rules
from clawd.venues.matching.venue import MatchingVenue

_VENUE = "paper"
_MILLISECOND = 1_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


def trade(
    captures: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="captures of one instrument at one venue: book changes, quotes, snapshots, trades"
        ),
    ],
    strategies: Annotated[
        list[str],
        typer.Option("--strategy", metavar="NAME", help="a file or a starter strategy; give it again for more"),
    ],
    symbol: Annotated[str, typer.Option("--symbol", metavar="NAME", help="what the captures are of")] = "BTCUSDT",
    bar: Annotated[str, typer.Option("--bar", metavar="SIZE", help="how long the bars are that are decided on")] = "5s",
    leverage: Annotated[
        str | None,
        typer.Option("--perpetual", metavar="LEVERAGE", help="a perpetual with this leverage; spot when left out"),
    ] = None,
    maker: Annotated[str, typer.Option("--maker", metavar="SHARE", help="fee of an order that waited")] = "0.0002",
    delay: Annotated[
        int, typer.Option("--delay", metavar="MS", min=0, max=60_000, help="of an order, and of its answer")
    ] = 20,
    plain: Annotated[
        bool, typer.Option("--no-reduce-only", help="an exchange that does not know reduce-only orders")
    ] = False,
    stale: Annotated[
        int,
        typer.Option("--stale", metavar="SECONDS", min=1, max=86_400, help="silence after which a price is stale"),
    ] = 5,
    account: Annotated[str, typer.Option("--account", metavar="NAME", help="where the journal is kept")] = "captures",
    faults: Annotated[
        Path | None,
        typer.Option("--faults", metavar="FILE", help="what goes wrong on the way to the venue, as a script"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Trade captured order books and trades on a simulated exchange, the whole way that orders take.

    Orders go through the gate, travel, queue, fill in parts, and are protected by exits at the venue. The exchange and
    the journal outlive the process: killed at any instant, the same command goes on from there. `clawd halt`, `flatten`
    and `resume` are heard.
    """
    settings = read_settings()
    if not _NAME.fullmatch(account):
        raise ClawdError(f"{account!r} is no name of an account", where="--account", hint="letters, digits, - and _")
    try:
        duration = parse_duration(bar)
    except ValueError as error:
        raise ClawdError(str(error), where="--bar") from None
    instrument = Instrument(symbol, *steps_of(captures))
    chosen = [read_strategy(name) for name in strategies]
    script = () if faults is None else _script(faults)
    ready_engine()
    market = read_captures(captures, instrument)
    if not market:
        raise ClawdError("the captures hold no message", where=str(captures[0]))
    listing = Listing(instrument, leverage=None if leverage is None else read_amount(leverage, "--perpetual"))
    rules = _rules(settings, _share(maker, "--maker"), delay, stale, plain=plain)
    folder = settings.home / "accounts" / account
    terms = _terms(market, instrument, listing, rules, bar, settings)
    limits = limits_of(settings)
    with ExitStack() as open_, interruptions() as interrupted:
        journal = open_.enter_context(Journal.open(folder / "journal.sqlite"))
        switchboard = open_.enter_context(Switchboard.open(settings.home))
        _same_terms(folder, terms)
        venue = MatchingVenue(_VENUE, [listing], rules, settings.capital, now=market[0].time - 1)
        open_.callback(VenueFile.open(folder / "venue.sqlite", venue).close)
        approvals = ApprovalDesk.open(settings, account, _VENUE, limits.longest_silence)
        open_.callback(approvals.close)
        if journal.head[0] == 0:
            begin(journal, account, venue, chosen, [listing], limits, settings.capital, duration)
        run = VenueRun(
            journal,
            venue,
            market,
            strategies_of(journal.entries(), chosen),
            [listing],
            limits,
            duration,
            ordered=switchboard.standing,
            silence=rules.stale,
            approvals=partial(SignedApprovals, approvals),
            decided=partial(switchboard.decisions, account),
            clusters=clusters_of(settings, [symbol]),
            paused=partial(switchboard.pauses, account),
            faults=script,
        )
        view = _View(run, as_json)
        view.began(switchboard)
        for moment in run.moments():
            view.show(moment)
            _answer(switchboard, run, account)
            if interrupted:
                break
        view.ended(bool(interrupted))
    if interrupted:
        raise typer.Exit(130)


def strategies_of(entries: Iterable[Entry], chosen: Sequence[Strategy]) -> dict[str, Strategy]:
    """The strategies of an account's agents, as the beginning of its journal has them.

    Args:
        entries: of the journal, the first one and the agents that were funded with it.
        chosen: what was asked for.

    Raises:
        ClawdError: where others were asked for.
    """
    funded = takewhile(lambda entry: entry.kind == AgentFunded.__name__, islice(entries, 1, None))
    found = {str(entry.body["agent"]): parse_json(json.dumps(entry.body["about"])) for entry in funded}
    if [each.content_hash for each in found.values()] != [each.content_hash for each in chosen]:
        names = ", ".join(each.name for each in found.values())
        raise ClawdError(
            f"this account is traded by {names}", where="--strategy", hint="give the same, or another --account"
        )
    return found


def _script(path: Path) -> tuple[Rule, ...]:
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ClawdError(f"the script of faults cannot be read: {error}", where=str(path)) from error
    except ClawdError as error:
        raise error.at(str(path)) from error


def _share(text: str, option: str) -> Decimal:
    try:
        share = Decimal(text)
    except InvalidOperation:
        share = Decimal("NaN")
    if not share.is_finite() or abs(share) >= Decimal("0.1"):
        raise ClawdError(f"`{text}` is not a fee", where=option, hint="a share of the notional such as 0.0002")
    return share


def _rules(settings: Settings, maker: Decimal, delay: int, stale: int, *, plain: bool) -> Rules:
    way = Delay(delay * _MILLISECOND)
    return Rules(
        (FeeTier(Decimal(0), maker, settings.fee),),
        latency=Latency(request=way, report=way, feed=way),
        stale=stale * 1000 * _MILLISECOND,
        reduce_only=not plain,
    )


def _terms(
    market: Sequence[MarketEvent], instrument: Instrument, listing: Listing, rules: Rules, bar: str, settings: Settings
) -> str:
    """All that an account's exchange depends on: another one would be another exchange with the same file."""
    parts = (len(market), market[0], market[-1], instrument, listing.leverage, rules, bar, settings.capital)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _same_terms(folder: Path, terms: str) -> None:
    path = folder / "terms"
    if not path.exists():
        path.write_text(terms + "\n", encoding="ascii")
    elif path.read_text(encoding="ascii").strip() != terms:
        raise ClawdError(
            "this account was begun with other captures, fees, delays, bars or capital",
            where="--account",
            hint="give the same, or another --account",
        )


def _answer(switchboard: Switchboard, run: VenueRun, account: str) -> None:
    """Say on the switchboard that a person's order has been obeyed, once."""
    command = run.command
    if command.number == 0 or not run.obeyed or any(each.run == account for each in switchboard.answers(command)):
        return
    text = obeyed(command.switch, run.trader.account.state, len(run.trader.account.totals.held_by_agents()))
    switchboard.answer(command, account, text, run.clock.now(), done=True)


def obeyed(switch: Switch, state: TradingState, held: int) -> str:
    """What a run says once it has obeyed. That it is flat the venue has said of a flattening, and of nothing else."""
    if switch is Switch.FLATTEN and not held:
        return "flat: the venue has no order and no position of ours"
    return f"{state}; {count(held, 'instrument')} held, with their exits" if held else f"{state}; nothing is held"


class _View:
    """What a run says: lines for a person, or one JSON object a line."""

    def __init__(self, run: VenueRun, as_json: bool) -> None:
        self._run, self._as_json, self._console = run, as_json, screen()

    def began(self, switchboard: Switchboard) -> None:
        account, venue = self._run.trader.account, self._run.venue
        if self._as_json:
            _print({"stage": "began", "account": account.start.account, "played": venue.played})
            return
        agents = count(len(account.agents), "agent")
        typer.echo(f"{agents} with {money(account.start.cash)} at a simulated exchange, until {iso(self._run.end)}")
        if venue.played:
            typer.echo(f"going on at {iso(venue.now)}; the journal was replayed, and the venue is asked")
        if switchboard.standing().switch.state is not TradingState.ACTIVE:
            typer.echo(f"{switchboard.standing().switch.state}: nothing is entered until `clawd resume`")
        paused = [f"{name} {agent.about.get('name', '')}" for name, agent in account.agents.items() if agent.paused]
        if paused:
            typer.echo(f"paused, so entering nothing until `clawd unpause`: {', '.join(paused)}")

    def show(self, moment: Moment) -> None:
        for event in moment.events:
            if self._as_json:
                _print({"stage": "event", "time": iso(moment.time), "kind": event.kind} | event.model_dump(mode="json"))
            elif not self._as_json and (line := _line(event)) is not None:
                typer.echo(f"  {iso(moment.time)}  {line}")
        for alarm in moment.alarms:
            if self._as_json:
                _print({"stage": "alarm", "time": iso(moment.time), "text": alarm})
            else:
                typer.echo(f"  {iso(moment.time)}  ALARM {alarm}")

    def ended(self, stopped: bool) -> None:
        account = self._run.trader.account
        told = {symbol: self._run.trader.dealer.quotes.mark(symbol) for symbol in account.start.symbols}
        marks = {symbol: mark for symbol, mark in told.items() if mark is not None}
        rows = []
        for name, agent in account.agents.items():
            value = agent.value(marks)
            held = ", ".join(f"{holding.size:+f} {symbol}" for symbol, holding in agent.holdings.items()) or "flat"
            rows.append((name, str(agent.about.get("name", "")), value - agent.capital, agent.fees, held))
        if self._as_json:
            _print(
                {
                    "stage": "ended",
                    "stopped": stopped,
                    "cash": str(account.cash),
                    "equity": str(account.equity(marks)),
                    "state": account.state,
                    "anomalies": account.anomalies,
                    "agents": [
                        {"agent": name, "strategy": strategy, "profit": str(profit), "fees": str(fees), "held": held}
                        for name, strategy, profit, fees, held in rows
                    ],
                }
            )
            return
        columns = [
            Column("agent", left=True),
            Column("strategy", left=True, least=8),
            Column("profit"),
            Column("fees"),
            Column("held", left=True),
        ]
        cells = [
            (name, strategy, money(profit, signed=True), money(fees), held)
            for name, strategy, profit, fees, held in rows
        ]
        self._console.print(grid(columns, cells, self._console.width))
        gain = account.equity(marks) - account.start.cash
        typer.echo(f"equity {money(account.equity(marks))} ({money(gain, signed=True)}), {account.state}")
        if stopped:
            typer.echo("stopped; the same command goes on from there")


def _line(event: Event) -> str | None:
    match event:
        case OrderFilled():
            return f"{event.agent} {event.reason.word} {event.size:+f} {event.symbol} at {event.price}"
        case OrderHeld():
            return f"{event.agent} {event.size:+f} {event.symbol} waits until it is {event.until}"
        case OrderDropped():
            return f"an order that waited is never sent: {event.why}"
        case OrderRejected():
            return f"an order was refused by the venue: {event.code}"
        case TradingStateChanged():
            return f"{event.state.upper()} by {event.by}: {event.why}"
        case FlattenBegan() | FlatVerified() | ProtectionOverdue() | AgentPaused() | AgentUnpaused():
            return fact_words(event).text
        case _:
            return None


def _print(body: dict[str, object]) -> None:
    typer.echo(json.dumps(body, default=str))
