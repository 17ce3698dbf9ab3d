"""The facts of a journal in words, for people: one line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from clawd.core.account_events import (
    AccountMarked,
    AccountOpened,
    AccountReconciled,
    AdoptionDecided,
    AgentFunded,
    AgentPaused,
    AgentStopped,
    AgentUnpaused,
    AnomalyFound,
    CancelRefused,
    CancelRequested,
    DayBegan,
    DifferenceBooked,
    EntriesBlocked,
    EntriesUnblocked,
    ExitsPlanned,
    FlattenBegan,
    FlatVerified,
    OrderAccepted,
    OrderAdopted,
    OrderDropped,
    OrderExpired,
    OrderMissing,
    OrderRejected,
    OutcomeLost,
    ProtectionChanged,
    ProtectionEnded,
    ProtectionLapsed,
    ProtectionOverdue,
    ProtectionRestored,
    TradeAdopted,
    TradingState,
    TradingStateChanged,
)
from clawd.core.clock import iso
from clawd.core.event import Event
from clawd.core.events import (
    AgentFired,
    AgentHired,
    AgentReleased,
    BarClosed,
    BooksMarked,
    DayOpened,
    FundingPaid,
    HaltBegan,
    HaltEnded,
    HypothesisProven,
    IntentsProposed,
    KnowledgeNoted,
    OrderCancelled,
    OrderFilled,
    OrderHeld,
    OrderMoved,
    OrderSubmitted,
    RunFinished,
    RunStarted,
    VerdictGiven,
)
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.evidence.eprocess import EProcess
from clawd.evidence.monitor import FALSE_FIRING
from clawd.reports.formats import MINUS, counted, money, percent, wealth

Tone = Literal["plain", "gain", "loss", "warn", "danger"]

#: What happens with every bar or every order, and says little alone: left out where only news is told.
QUIET: Final = frozenset(
    {
        "AccountMarked",
        "AccountReconciled",
        "BarClosed",
        "BooksMarked",
        "CancelRequested",
        "DayBegan",
        "DayOpened",
        "ExitsPlanned",
        "IntentsProposed",
        "KnowledgeNoted",
        "OrderAccepted",
        "OrderCancelled",
        "OrderMoved",
        "OrderSubmitted",
        "ProtectionChanged",
        "ProtectionEnded",
    }
)


@dataclass(frozen=True, slots=True)
class Words:
    """A fact in words, and how it is to sound."""

    text: str
    tone: Tone = "plain"


def is_news(event: Event) -> bool:
    """Whether a person who watches wants to hear of it: an order that the gate let through as asked is none."""
    if isinstance(event, VerdictGiven):
        return event.outcome != "allow"
    return event.kind not in QUIET


def fact_words(event: Event, names: Mapping[str, str] | None = None) -> Words:
    """A fact in words.

    Args:
        event: the fact.
        names: of the agents' strategies, by agent.
    """
    words = (
        _of_agents(event)
        or _of_orders(event)
        or _of_states(event)
        or _of_positions(event)
        or _of_market(event)
        or Words(event.kind)
    )
    agent = getattr(event, "agent", None)
    name = (names or {}).get(agent) if isinstance(agent, str) else None
    if name is None or name in words.text:
        return words
    return Words(f"{words.text} ({name})", words.tone)


def _of_agents(event: Event) -> Words | None:
    match event:
        case AgentHired():
            needs = f"capital {_amount(event.capital)}, needs evidence of {wealth(event.level)}"
            if event.evidence is not None:
                needs += f", has earned {wealth(EProcess.from_json(event.evidence).wealth)} before"
            return Words(f"hired {event.agent} {event.strategy}: {needs}")
        case AgentFired(why="EVIDENCE"):
            lost = f"evidence that it loses {wealth(event.wealth or 0.0)}, limit {wealth(1 / FALSE_FIRING)}"
            return Words(f"fired {event.agent}: {lost}", "danger")
        case AgentFired():
            fell = f"drawdown {percent(float(event.drawdown))}, limit {percent(float(event.limit))}"
            return Words(f"fired {event.agent}: {fell}", "danger")
        case AgentReleased():
            return Words(f"{event.agent} is flat; its capital of {_amount(event.capital)} is free again")
        case HypothesisProven():
            reached = f"evidence {wealth(event.wealth)}, needed {wealth(event.level)}"
            return Words(f"proven {event.agent}: {reached}; waiting for a person", "gain")
        case AgentFunded():
            name = event.about.get("name")
            return Words(f"{event.agent}{f' {name}' if name else ''} was given {_amount(event.capital)}")
        case AgentStopped():
            return Words(f"{event.agent} may enter nothing any more: {_code(event.why)}", "danger")
        case AgentPaused():
            why = f": {event.why}" if event.why else ""
            return Words(f"paused {event.agent}, by {event.by}{why}; it enters nothing, its exits live on", "warn")
        case AgentUnpaused():
            why = f": {event.why}" if event.why else ""
            return Words(f"unpaused {event.agent}, by {event.by}{why}; it may enter again")
        case IntentsProposed():
            wishes = [
                f"{wish.symbol} {'no position' if wish.exposure is None else percent(wish.exposure, signed=True)}"
                for wish in event.wishes
            ]
            return Words(f"{event.agent} wants {', '.join(wishes) or 'nothing else'}")
        case _:
            return None


def _of_orders(event: Event) -> Words | None:
    match event:
        case VerdictGiven():
            asked = f"{_size(event.asked)} {event.symbol} ({event.order_kind.value})"
            code = _code(event.code)
            if event.outcome == "refuse":
                return Words(f"the gate refused {event.agent} {asked}: {code}", "warn")
            if event.outcome == "shrink":
                return Words(f"the gate let {event.agent} have {_size(event.allowed)} of {asked}: {code}", "warn")
            return Words(f"the gate let {event.agent} have {asked}")
        case OrderSubmitted():
            level = f" at {_number(event.level)}" if event.level is not None else ""
            return Words(f"{event.agent} sent {event.order_kind.value} {_size(event.size)} {event.symbol}{level}")
        case OrderHeld():
            size = _size(event.size)
            return Words(f"{event.agent} {size} {event.symbol} waits until it is {event.until.value}", "warn")
        case OrderMoved():
            return Words(f"{event.order} moved to {_number(event.level)}, {_size(event.size)}")
        case OrderCancelled():
            return Words(f"{event.agent} {event.order_kind.value} of {event.symbol} cancelled: {_code(event.why)}")
        case OrderFilled():
            verb = "bought" if event.size > 0 else "sold"
            worth = f"{_number(abs(event.size))} {event.symbol} at {_number(event.price)}"
            return Words(f"{event.agent} {verb} {worth}: {event.reason.word.replace('_', ' ')}")
        case OrderAccepted():
            return Words(f"the venue has {event.order}")
        case OrderRejected():
            return Words(f"the venue refused {event.order}: {_code(event.code)}", "warn")
        case OrderExpired():
            return Words(f"{event.order} expired")
        case OrderDropped():
            return Words(f"{event.order} waited and is never sent: {_code(event.why)}", "warn")
        case CancelRequested():
            return Words(f"{event.order} is to be taken off: {_code(event.why)}")
        case CancelRefused():
            return Words(f"the venue did not take {event.order} off: {_code(event.code)}", "warn")
        case OutcomeLost():
            return Words(f"nobody knows what became of {event.order}: {_code(event.why)}", "warn")
        case OrderMissing():
            return Words(f"the venue never had {event.order}", "warn")
        case _:
            return None


def _of_states(event: Event) -> Words | None:
    match event:
        case HaltBegan():
            lost = f"the day lost {_amount(event.loss)}, limit {_amount(event.limit)}"
            return Words(f"halted: {lost}; everything is closed", "danger")
        case HaltEnded():
            return Words("entries are allowed again")
        case TradingStateChanged(state=TradingState.ACTIVE):
            return Words(f"resumed by {event.by}: entries are allowed again")
        case TradingStateChanged():
            why = f" ({_code(event.why)})" if event.why else ""
            until = f" until {iso(event.until_day * NANOSECONDS_PER_DAY)}" if event.until_day is not None else ""
            return Words(f"{event.state.value} by {event.by}{why}: nothing is entered{until}", "danger")
        case FlattenBegan():
            return Words(f"everything is being closed, by {event.by}", "danger")
        case FlatVerified():
            return Words("flat: the venue has no order and no position of ours")
        case EntriesBlocked():
            whom = "nobody enters" if event.agent is None else f"{event.agent} does not enter"
            return Words(f"{whom} {event.symbol}: {_code(event.why)}", "warn")
        case EntriesUnblocked():
            return Words(f"{event.symbol} may be entered again: {_code(event.why)} is over")
        case _:
            return None


def _of_positions(event: Event) -> Words | None:
    match event:
        case AnomalyFound():
            about = f" of {event.symbol}" if event.symbol else ""
            return Words(f"the venue said what cannot be{about}: {_code(event.what)}, {event.detail}", "warn")
        case TradeAdopted():
            deal = f"{_size(event.size)} {event.symbol} at {_number(event.price)}"
            return Words(f"a trade that is no order's of ours: {deal}; kept as unattributed", "warn")
        case OrderAdopted():
            return Words(f"an order at the venue that is none of ours: {_size(event.size)} {event.symbol}", "warn")
        case DifferenceBooked():
            parts = [f"{_size(event.size)} {event.symbol}"] if event.symbol and event.size else []
            parts += [f"{_amount(event.cash, signed=True)} in cash"] if event.cash else []
            return Words(f"the venue and the books differ: {' and '.join(parts)} ({_code(event.why)})", "danger")
        case AdoptionDecided():
            return Words(f"{event.by} decided that the unattributed {event.symbol} is theirs")
        case ExitsPlanned():
            return Words(f"the exits of {event.agent} in {event.symbol} are planned")
        case ProtectionChanged():
            targets = ", ".join(_number(target.level) for target in event.targets)
            then = f", targets {targets}" if targets else ""
            return Words(f"{event.agent} {event.symbol}: stop {_number(event.stop)}{then}")
        case ProtectionEnded():
            return Words(f"{event.agent} {event.symbol}: closed, and its exits with it")
        case ProtectionLapsed():
            return Words(f"nothing protects {event.agent} in {event.symbol}: {_code(event.why)}", "danger")
        case ProtectionRestored():
            return Words(f"{event.agent} is protected in {event.symbol} again")
        case ProtectionOverdue():
            long = f"for {event.seconds:.0f} s"
            return Words(f"{event.agent} was without protection in {event.symbol} {long}: it is closed", "danger")
        case FundingPaid():
            verb = "paid" if event.amount >= 0 else "received"
            return Words(f"{event.agent} {verb} {_amount(abs(event.amount))} of funding for {event.symbol}")
        case _:
            return None


def _of_market(event: Event) -> Words | None:
    match event:
        case RunStarted():
            finalists = counted(len(event.finalists), "finalist")
            return Words(f"the run began: {finalists} for {counted(event.slots, 'slot')}, {_amount(event.capital)}")
        case AccountOpened():
            return Words(f"account {event.account} was opened at {event.venue} with {_amount(event.cash)}")
        case KnowledgeNoted():
            return Words("nothing was known before" if event.until is None else f"known until {iso(event.until)}")
        case BarClosed():
            closes = [f"{symbol} {_number(values[3])}" for symbol, values in list(event.bars.items())[:6]]
            more = f" and {len(event.bars) - 6} more" if len(event.bars) > 6 else ""
            return Words(f"a bar closed: {', '.join(closes)}{more}")
        case BooksMarked() | AccountMarked():
            return Words(f"equity {_amount(event.equity)}, lost today {_amount(event.day_loss)}")
        case DayOpened() | DayBegan():
            return Words(f"{iso(event.day * NANOSECONDS_PER_DAY)} began with {_amount(event.equity)}")
        case AccountReconciled():
            have = f"{counted(event.orders, 'order')}, {counted(event.positions, 'position')}"
            return Words(f"our books agree with the venue: {have}")
        case RunFinished():
            return Words(f"the bars came to their end: equity {_amount(event.equity)} after {event.bars:,} bars")
        case _:
            return None


def _amount(value: Decimal, *, signed: bool = False) -> str:
    return money(float(value), signed=signed)


def _size(value: Decimal) -> str:
    return ("+" if value > 0 else MINUS if value < 0 else "") + _number(abs(value))


def _number(value: Decimal | float) -> str:
    """Six digits that mean something, all that stand before the point."""
    amount = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not amount.is_finite():
        return "unknown"
    digits = max(0, 5 - amount.adjusted()) if amount else 0
    text = f"{amount:,.{min(digits, 12)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _code(text: str) -> str:
    """``DAY_BUDGET`` as ``day budget``; words of a person stay as they are."""
    return text.replace("_", " ").lower() if text.isupper() else text
