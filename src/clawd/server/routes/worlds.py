"""The planted worlds: whether the pipeline finds edges that are there, and none where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from clawd.core.errors import ClawdError
from clawd.research.worlds.results import Table, read_tables, released
from clawd.server.caller import Scope, needs
from clawd.server.problem import Problem
from clawd.server.site import AtSite

router = APIRouter(tags=["evidence"], dependencies=[needs(Scope.READ)])


class Interval(BaseModel):
    """The shares that are compatible with a count, by Clopper and Pearson at 95 %."""

    low: FiniteFloat = Field(ge=0, le=1)
    high: FiniteFloat = Field(ge=0, le=1)


class WorldRow(BaseModel):
    """What campaigns of one kind came to."""

    kind: Literal["noise", "planted", "mixed", "hidden"]
    sharpe: FiniteFloat = Field(description="of the oracle, annual and net; 0 for none, the mean where they differ")
    campaigns: int
    trials: int
    planted: int
    found: int
    found_interval: Interval = Field(description="of the share of planted edges that is found")
    promoted: int | None = Field(None, description="strategies proven, the false ones included; null: not published")
    false: int = Field(description="proven strategies without an edge")
    false_campaigns: int
    false_interval: Interval = Field(description="of the share of campaigns with a false proof")
    oracle_found: int = Field(description="campaigns in which the rule that knows the truth would be proven")
    naive_found: int
    naive_false: int
    missed: dict[str, int] = Field(description="planted edges that were not found, by the stage that lost them")


class WorldTable(BaseModel):
    """Campaigns on worlds whose truth is known."""

    at: str = Field(description="when it was made, ISO 8601 in UTC")
    version: str
    command: str
    source: str
    seed: int
    years: FiniteFloat
    budget: int = Field(description="strategies that each search might try")
    planned: int
    campaigns: int = Field(description="run to their end; fewer than planned where it was stopped")
    fee: FiniteFloat
    slippage: FiniteFloat
    promoted: int
    rows: list[WorldRow]


class Worlds(BaseModel):
    """The planted-worlds table of this release, and those that were made in this home, the newest first."""

    released: WorldTable
    own: list[WorldTable]
    problem: Problem | None = Field(description="why those of this home cannot be read, null where they can")


@router.get("/evidence/worlds")
def read_worlds(site: AtSite) -> Worlds:
    """Whether the pipeline finds edges that are there, and none where there is none."""
    problem: Problem | None = None
    own: list[WorldTable] = []
    try:
        own = [_table(each) for each in read_tables(site.home)[:_MOST_TABLES]]
    except ClawdError as error:
        problem = Problem(what=error.what, where=error.where, hint=error.hint)
    return Worlds(released=_table(released()), own=own, problem=problem)


_MOST_TABLES = 20


def _table(table: Table) -> WorldTable:
    try:
        rows = [{**row, **{name: _interval(row[name]) for name in _INTERVALS}} for row in table.rows]
        return WorldTable.model_validate({**asdict(table), "campaigns": table.campaigns, "rows": rows})
    except ValidationError as error:
        raise ClawdError("a table of worlds in this home is none", where="research/worlds.json") from error


_INTERVALS = ("found_interval", "false_interval")


def _interval(ends: Sequence[float]) -> dict[str, float]:
    return {"low": ends[0], "high": ends[1]}
