"""Pausing agents and letting them go on: any number of them at once."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from clawd.server.caller import AsCaller, Caller, Scope, needs
from clawd.server.frames import AgentState
from clawd.server.live.asked import AtFollower
from clawd.server.live.follower import Follower
from clawd.server.live.orders import pauses_of
from clawd.server.live.pauses import Outcome, Wished, under_pauses, wished
from clawd.server.recording import record
from clawd.server.routes.agents import columns_asked_for, is_at_work
from clawd.server.site import AtSite, Site
from clawd.server.standing import plain
from clawd.store.journal import JSON
from clawd.store.switchboard import Switchboard

router = APIRouter(tags=["agents"], dependencies=[needs(Scope.DECIDE)])

#: Agents of one call; a page shows no more.
MOST: Final = 20_000


class PauseWish(BaseModel):
    """These agents, please: all of them, or none where one of them is not there."""

    model_config = ConfigDict(extra="forbid")

    agents: Annotated[
        list[Annotated[str, Field(max_length=120)]],
        Field(min_length=1, max_length=MOST, description="ids, such as a001; named twice is once"),
    ]
    run: str | None = Field(None, max_length=80, description="a name in /api/runs; the one shown if not given")
    why: str = Field("", max_length=500, description="a reason, kept with the order")


class AgentOrdered(BaseModel):
    """What became of the wish for one agent."""

    agent: str
    outcome: Outcome = Field(
        description="ordered; already: it holds already, and nothing was ordered; over: fired or released"
    )
    state: AgentState = Field(description="as it is shown from now on")


class PauseAnswer(BaseModel):
    """What was ordered. It holds through restarts, and in the next run for the strategies of these agents."""

    run: str | None
    paused: bool = Field(description="whether it was ordered to pause them, or to let them go on")
    ordered: int = Field(description="agents of whom something was ordered")
    at_work: bool = Field(description="whether a process trades them now, and will obey")
    text: str = Field(description="where it stands, in words")
    agents: list[AgentOrdered]


@router.post("/agents/pause")
def pause_agents(site: AtSite, follower: AtFollower, caller: AsCaller, wish: PauseWish) -> PauseAnswer:
    """Pause agents: they enter nothing from now on; their positions stay, and the exits of these live on."""
    return _order(site, follower, caller, wish, paused=True)


@router.post("/agents/unpause")
def unpause_agents(site: AtSite, follower: AtFollower, caller: AsCaller, wish: PauseWish) -> PauseAnswer:
    """Let agents go on that were paused. What else stops them, such as a halt, goes on stopping them."""
    return _order(site, follower, caller, wish, paused=False)


def _order(site: Site, follower: Follower, caller: Caller, wish: PauseWish, *, paused: bool) -> PauseAnswer:
    columns = columns_asked_for(site, follower, wish.run)
    pauses = dict(pauses_of(site.home, columns.desk))
    found = wished(columns, pauses, wish.agents, paused=paused)
    ordered = [each for each in found if each.outcome == "ordered"]
    if ordered:
        strategies, now = [each.strategy for each in ordered], site.clock.now()
        with Switchboard.open(site.home) as switchboard:
            given = switchboard.pause(columns.desk, strategies, caller.name, plain(wish.why), now, paused=paused)
        pauses |= {pause.strategy: pause for pause in given}
        which: list[JSON] = [each.agent for each in ordered]
        facts: dict[str, JSON] = {"run": columns.run, "agents": len(which), "which": which, "why": plain(wish.why)}
        record(site, caller, "AgentsPaused" if paused else "AgentsUnpaused", facts)
        site.announce("standing")
    working = is_at_work(follower, columns.run)
    shown = under_pauses(columns, pauses, working=working)
    states = dict(zip(shown.ids, range(shown.size), strict=True))
    return PauseAnswer(
        run=columns.run,
        paused=paused,
        ordered=len(ordered),
        at_work=working,
        text=_where(found, paused, working),
        agents=[
            AgentOrdered(agent=each.agent, outcome=each.outcome, state=shown.state_of(states[each.agent]))
            for each in found
        ],
    )


def _where(found: list[Wished], paused: bool, working: bool) -> str:
    """Where it stands, in words that claim nothing that no run has done."""
    many = {outcome: sum(each.outcome == outcome for each in found) for outcome in ("ordered", "already", "over")}
    if not many["ordered"]:
        parts = ["nothing was ordered"]
    else:
        deed = "paused" if paused else "unpaused"
        when = "as soon as the run hears it" if working else "from when a process trades it again: none does now"
        parts = [f"{_agents(many['ordered'])} {deed} {when}"]
    if many["already"]:
        parts.append(f"{many['already']:,} {'paused' if paused else 'not paused'} already")
    if many["over"]:
        parts.append(f"{many['over']:,} fired or released")
    return "; ".join(parts)


def _agents(count: int) -> str:
    return f"{count:,} agent{' is' if count == 1 else 's are'}"
