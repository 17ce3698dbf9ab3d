"""The causes of a difference between paper and backtest, and how each difference is told."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from clawd.core.account_events import AgentPaused
from clawd.core.clock import iso
from clawd.core.events import VerdictGiven


class Cause(StrEnum):
    """Why a real day was not the backtest's, in the order in which the facts are imposed."""

    BARS = "missing bars"
    SPOT = "paid whole"
    GATE = "gate"
    RESERVE = "reserve"
    HALT = "halts"
    PAUSED = "paused"
    FIRED = "fired"
    SLIPPAGE = "slippage"
    LATENCY = "latency"
    PARTIAL = "partial fills"
    LATE_SLIPPAGE = "slippage of late fills"
    EXITS = "exits"
    FEES = "fees"
    FUNDING = "funding"
    AFTER = "after the last bar"
    OUTSIDE = "no agent's"
    UNEXPLAINED = "not explained"


#: A code of the gate that speaks for another cause than the gate.
SPEAKS_FOR: Final = {
    "HALTED": Cause.HALT,
    "REDUCING": Cause.HALT,
    "AGENT_PAUSED": Cause.PAUSED,
    "AGENT_NOT_ACTIVE": Cause.FIRED,
}


def plain(amount: Decimal) -> str:
    """A figure without idle zeros, of five significant digits where it has more after its point."""
    if not amount.is_finite():
        return "unknown"
    digits = max(0, 4 - amount.adjusted()) if amount else 0
    text = f"{amount:.{min(digits, 12)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def told(amount: float | Decimal) -> str:
    return plain(amount if isinstance(amount, Decimal) else Decimal(repr(float(amount))))


def of_verdict(verdict: VerdictGiven) -> str:
    """The gate's answer with its numbers: asked 0.5, gate allowed 0.2 (DAY_BUDGET: 0.61 of 0.25 free)."""
    answer = f"allowed {plain(verdict.allowed)}" if verdict.allowed else "refused it"
    return f"asked {plain(verdict.asked)}, gate {answer} ({verdict.code}{_figures(verdict)})"


def _figures(verdict: VerdictGiven) -> str:
    try:
        numbers = {name: Decimal(text) for name, text in verdict.numbers.items()}
    except InvalidOperation:
        return ""
    if verdict.code == "DAY_BUDGET" and {"agent_share", "account_free", "reserve_per_unit"} <= numbers.keys():
        own = numbers["agent_share"] - numbers["agent_loss"] - numbers["agent_reserved"]
        free = max(min(own, numbers["account_free"]), Decimal(0)) * numbers["part"]
        return f": {plain(abs(verdict.asked) * numbers['reserve_per_unit'])} of {plain(free)} free"
    shown = ("price", "average", "position", "age_seconds", "longest_seconds", "day_loss", "limit", "agent_exposure")
    parts = [f"{name.replace('_', ' ')} {plain(numbers[name])}" for name in shown if name in numbers]
    return ": " + ", ".join(parts) if parts else ""


def of_pause(event: AgentPaused) -> str:
    """That a person has paused an agent: paused by ann: it is too hot."""
    return f"paused by {event.by}{f': {event.why}' if event.why else ''}"


def moment(time: int) -> str:
    """A UTC time for people, always with its hour."""
    text = iso(time).replace("T", " ").removesuffix("Z")
    return text if " " in text else f"{text} 00:00"
