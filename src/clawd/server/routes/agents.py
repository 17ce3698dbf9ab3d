"""The agents of a run."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clawd.server.caller import Scope, needs
from clawd.server.frames import AgentState
from clawd.server.live.asked import AtFollower, OfRun
from clawd.server.live.columns import NUMBERS, STATES, Columns
from clawd.server.live.follower import Follower
from clawd.server.live.orders import pauses_of
from clawd.server.live.pauses import under_pauses
from clawd.server.site import AtSite

router = APIRouter(tags=["agents"], dependencies=[needs(Scope.READ)])

MOST: Final = 2_000
Sort = Literal["id", "name", "state", "equity", "profit", "total", "drawdown", "exposure", "risk", "wealth"]


class AgentSummary(BaseModel):
    """An agent, with the numbers of the fleet's frames: in the run's currency, null where not known."""

    id: str
    name: str = Field(description="of its strategy")
    markets: str = Field(description="the instruments that it may trade, by commas")
    state: AgentState
    equity: float | None
    profit: float | None = Field(description="of the UTC day: of a run over bars, the one of its last bar")
    total: float | None = Field(description="since it was hired")
    drawdown: float | None = Field(description="below its peak, share of its capital, not negative")
    exposure: float | None = Field(description="gross notional")
    risk: float | None = Field(description="share of its part of the day's limit that is lost or reserved")
    wealth: float | None = Field(description="of the bet on it: its evidence")


class AgentPage(BaseModel):
    """Some agents of a run, of all that fit."""

    run: str | None
    total: int = Field(description="how many fit the filter")
    agents: list[AgentSummary]


@router.get("/agents")
def list_agents(
    site: AtSite,
    follower: AtFollower,
    run: OfRun = None,
    text: Annotated[str, Query(max_length=200, description="stands in the id, the name or the instruments")] = "",
    state: Annotated[list[AgentState] | None, Query(max_length=len(STATES))] = None,
    sort: Sort = "id",
    descending: bool = False,
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 200,
) -> AgentPage:
    """A page of the agents of a run."""
    columns = columns_asked_for(site, follower, run)
    rows = _sorted(columns, _fitting(columns, text, state), sort, descending)
    return AgentPage(
        run=columns.run, total=len(rows), agents=[summary_of(columns, row) for row in rows[start : start + limit]]
    )


def columns_asked_for(site: AtSite, follower: AtFollower, run: str | None) -> Columns:
    """The columns that open pages are sent, or those of another run, as a person has ordered of its agents."""
    picture = (site.source or follower).picture()
    if run in (None, picture.status.run) and picture.status.agents is not None:  # None: the journal is still being read
        return picture.fleet
    with follower.tale(run) as tale:
        columns = tale.columns()
    return under_pauses(columns, pauses_of(site.home, columns.desk), working=is_at_work(follower, run))


def is_at_work(follower: Follower, run: str | None) -> bool:
    """Whether a process trades a run at this moment."""
    return any(place.run == run and place.working for place in follower.places())


def summary_of(columns: Columns, row: int) -> AgentSummary:
    """One row."""
    numbers = columns.numbers[:, row].tolist()
    return AgentSummary(
        id=columns.ids[row],
        name=columns.names[row],
        markets=columns.markets[row],
        state=columns.state_of(row),
        **{name: None if np.isnan(value) else value for name, value in zip(NUMBERS, numbers, strict=True)},
    )


def _fitting(columns: Columns, text: str, state: list[AgentState] | None) -> list[int]:
    wanted = text.casefold()
    codes = None if state is None else {STATES.index(each) for each in state}
    return [
        row
        for row, (id_, name, markets) in enumerate(zip(columns.ids, columns.names, columns.markets, strict=True))
        if (codes is None or int(columns.state[row]) in codes)
        and (not wanted or wanted in id_.casefold() or wanted in name.casefold() or wanted in markets.casefold())
    ]


def _sorted(columns: Columns, rows: list[int], sort: Sort, descending: bool) -> list[int]:
    """By one column; those where it is not known come last either way, and equal ones stay in the fleet's order."""
    if sort == "id":
        return rows[::-1] if descending else rows
    if sort == "name":
        return sorted(rows, key=lambda row: columns.names[row].casefold(), reverse=descending)
    if sort == "state":
        return sorted(rows, key=lambda row: int(columns.state[row]), reverse=descending)
    values = columns.number(sort)
    known = [row for row in rows if not np.isnan(values[row])]
    unknown = [row for row in rows if np.isnan(values[row])]
    return sorted(known, key=lambda row: float(values[row]), reverse=descending) + unknown
