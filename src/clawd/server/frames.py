"""What travels over the WebSocket, ``/api/live``. Both ends hold to these models; OpenAPI names them too.

A client says which topics it wants. It is sent a whole picture of each first, and then, four times a second at most,
what has changed. Frames of a topic are numbered; who misses one asks for the whole picture with ``resync``. A client
that reads too slowly loses the oldest frames, never the newest.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

Topic = Literal["status", "fleet", "feed", "changed"]
#: What a client holds and has to ask for anew when it has changed.
Changed = Literal["approvals", "alerts", "audit", "backtests", "evidence", "runs", "strategies", "settings", "standing"]
#: An agent that a person has paused enters nothing, and its exits live on. ``pausing`` and ``unpausing`` are ordered,
#: and whoever trades has not obeyed yet.
AgentState = Literal["active", "pausing", "paused", "unpausing", "halted", "reducing", "fired", "released"]
#: ``reading`` is of the market, ``catching_up`` of the journal: before its end no figure of it is one of now.
Phase = Literal["idle", "compiling", "reading", "searching", "catching_up", "trading", "ended", "stopped", "failed"]


class Subscribe(BaseModel):
    """From a client: what it wants from now on; other topics end."""

    subscribe: list[Topic]


class Resync(BaseModel):
    """From a client: a whole picture of a topic, please."""

    resync: Topic


class Status(BaseModel):
    """The header of every page. Amounts are in ``currency``."""

    topic: Literal["status"] = "status"
    seq: int
    sent_at: float = Field(description="our clock, milliseconds since 1970")
    mode: Literal["sample", "paper"] = Field(description="sample: paper, on the market that comes with the program")
    run: str | None = Field(description="the run or account that is shown, none before the first")
    kind: Literal["bars", "account"] | None
    phase: Phase
    phase_text: str = Field(description="for people: what is being done, or why it failed")
    progress: float | None = Field(description="share of the phase that is done, where that is known")
    market_time: float | None = Field(description="the market's clock, milliseconds since 1970")
    heard_at: float | None = Field(description="our clock when the run last wrote, milliseconds since 1970")
    standing: Literal["active", "reducing", "halted", "flattening", "day_limit"]
    currency: str
    equity: float | None
    day_profit: float | None
    day_loss_limit: float | None
    reserved: float | None = Field(description="worst case still to come of every position and order")
    drawdown: float | None = Field(description="below the peak, share of the capital, not negative")
    gross: float | None = Field(description="gross notional")
    agents: int | None
    positions: int | None
    approvals: int | None = Field(description="orders that wait for a person")
    alerts: int | None = Field(description="alerts that nobody has acknowledged")


class FleetFrame(BaseModel):
    """Agents by columns. ``index`` says which rows the columns are for; a whole frame has every row, in order."""

    topic: Literal["fleet"] = "fleet"
    seq: int
    whole: bool
    sent_at: float
    run: str | None
    ids: list[str] | None = Field(description="of every row, in a whole frame and when agents were added")
    names: list[str] | None = Field(description="of the strategies, likewise")
    markets: list[str] | None = Field(description="the instruments that each may trade, likewise, by commas")
    index: list[int]
    state: list[AgentState]
    equity: list[float | None]
    profit: list[float | None] = Field(description="of the UTC day: of a run over bars, the one of its last bar")
    total: list[float | None] = Field(description="since it was hired")
    drawdown: list[float | None] = Field(description="below its peak, share of its capital, not negative")
    exposure: list[float | None] = Field(description="gross notional")
    risk: list[float | None] = Field(description="share of its part of the day's limit that is lost or reserved")
    wealth: list[float | None] = Field(description="of the bet on it: its evidence")


class FeedLine(BaseModel):
    """A fact of the journal in words."""

    seq: int = Field(description="its number in the journal")
    time: float = Field(description="the market's clock, milliseconds since 1970")
    kind: str
    agent: str | None
    text: str
    tone: Literal["plain", "gain", "loss", "warn", "danger"]


class FeedFrame(BaseModel):
    """The newest facts, oldest first."""

    topic: Literal["feed"] = "feed"
    seq: int
    whole: bool
    lines: list[FeedLine]


class ChangedFrame(BaseModel):
    """Something that is asked for over HTTP has changed."""

    topic: Literal["changed"] = "changed"
    seq: int
    what: list[Changed]


Wish = Subscribe | Resync
