"""Agents that a person has paused: what was ordered of each, and whether whoever trades has obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, Literal, NamedTuple

from clawd.server.frames import AgentState
from clawd.server.live.columns import STATES, Columns
from clawd.server.live.places import Place
from clawd.server.problem import ConflictError, MissingError
from clawd.store.switchboard import PAPER_FLEET, Pause

#: What becomes of a wish: it was ordered, it holds already, or the agent's slot has ended and nothing is left to pause.
Outcome = Literal["ordered", "already", "over"]
#: Whose slot has ended.
OVER: Final[frozenset[AgentState]] = frozenset({"fired", "released"})

_CODE: Final = {state: code for code, state in enumerate(STATES)}


def desk_of(place: Place) -> str:
    """Where the agents of a journal trade, as the switchboard knows it."""
    return PAPER_FLEET if place.kind == "bars" else place.run


def under_pauses(columns: Columns, pauses: Mapping[str, Pause], *, working: bool) -> Columns:
    """The agents as the journal says that they are, and as a person has ordered since.

    Args:
        columns: as the journal says.
        pauses: the last word on each strategy of their desk, by its content hash.
        working: whether a process trades them. Where none does nobody will obey, and what was ordered is what holds.
    """
    if not pauses or not columns.size:
        return columns
    codes = columns.state.tolist()
    for row, strategy in enumerate(columns.strategies):
        pause = pauses.get(strategy)
        if pause is not None:
            codes[row] = _CODE[_ordered(STATES[codes[row]], pause.paused, working)]
    state = columns.state.copy()
    state[:] = codes
    return replace(columns, state=state)


def _ordered(state: AgentState, paused: bool, working: bool) -> AgentState:
    if state in OVER or paused is (state == "paused"):
        return state
    if paused:
        return "pausing" if working else "paused"
    return "unpausing" if working else "active"  # or what holds for all, which is said of whoever is active


class Wished(NamedTuple):
    """What becomes of the wish that one agent is paused, or unpaused."""

    agent: str
    strategy: str
    outcome: Outcome


def wished(columns: Columns, pauses: Mapping[str, Pause], agents: Iterable[str], *, paused: bool) -> list[Wished]:
    """What becomes of the wish that some agents are paused, or unpaused: of each, once, in their order.

    Args:
        columns: the agents that there are.
        pauses: the last word on each strategy of their desk, by its content hash.
        agents: their ids.
        paused: whether they are to be, from now on.

    Raises:
        MissingError: when there is no such agent; the wish is for all of them or for none.
        ConflictError: when a strategy is one that this version cannot read.
    """
    rows = {agent: row for row, agent in enumerate(columns.ids)}
    asked = list(dict.fromkeys(agents))
    unknown = [agent for agent in asked if agent not in rows]
    if unknown:
        raise MissingError(_there_is_no(unknown), where=columns.run, hint="GET /api/agents has all of them")
    found = []
    for agent in asked:
        strategy, state = columns.strategies[rows[agent]], columns.state_of(rows[agent])
        if state in OVER:
            found.append(Wished(agent, strategy, "over"))
            continue
        if not strategy:
            raise ConflictError(
                f"what {agent} trades by cannot be read by this version", hint="stop trading stops every agent"
            )
        last = pauses.get(strategy)
        is_paused = state == "paused" if last is None else last.paused
        found.append(Wished(agent, strategy, "already" if is_paused is paused else "ordered"))
    return found


def _there_is_no(unknown: list[str]) -> str:
    named = ", ".join(repr(agent[:40]) for agent in unknown[:3])
    more = f" and {len(unknown) - 3:,} more" if len(unknown) > 3 else ""
    return f"there is no agent {named}{more}: nothing has changed"
