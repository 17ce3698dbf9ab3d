"""Who trades: the agents that a journal names, of a fleet or of an account, and those that a person means by a word."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from clawd.core.account_events import AgentFunded, AgentPaused, AgentUnpaused
from clawd.core.errors import ClawdError
from clawd.core.events import AgentHired, AgentReleased, RunStarted
from clawd.execution.recovery import Written
from clawd.language.strategy import parse_json
from clawd.store.switchboard import Pause

#: Words that an error names because they are like the one that it does not know.
_NEAR: Final = 3


@dataclass(frozen=True, slots=True)
class Member:
    """An agent, or a strategy that none trades yet, or none any more.

    Attributes:
        agent: its id; None where no agent trades the strategy.
        name: of the strategy; empty where only its hash is known.
        strategy: its content hash.
        paused: whether the journal says so.
        gone: whether the agent has left: fired, flat, and without capital.
    """

    agent: str | None
    name: str
    strategy: str
    paused: bool = False
    gone: bool = False

    def __str__(self) -> str:
        return " ".join(part for part in (self.agent, self.name or self.strategy) if part)


def roster_of(entries: Iterable[Written]) -> list[Member]:
    """The agents that a journal names, in the order in which they came, and behind them the finalists that wait.

    Args:
        entries: of the journal of a run or of an account, from the beginning.

    Raises:
        ClawdError: when a strategy of the journal cannot be read.
    """
    agents: dict[str, Member] = {}
    finalists: list[Member] = []
    for entry in entries:
        body: Mapping[str, Any] = entry.body  # type: ignore[assignment]
        match entry.kind:
            case RunStarted.__name__:
                finalists = [Member(None, str(each["name"]), str(each["content_hash"])) for each in body["finalists"]]
            case AgentHired.__name__:
                agents[body["agent"]] = Member(body["agent"], body["strategy"], body["content_hash"])
            case AgentFunded.__name__:
                strategy = parse_json(json.dumps(body["about"]))
                agents[body["agent"]] = Member(body["agent"], strategy.name, strategy.content_hash)
            case AgentPaused.__name__ | AgentUnpaused.__name__:
                paused = entry.kind == AgentPaused.__name__
                agents[body["agent"]] = replace(agents[body["agent"]], paused=paused)
            case AgentReleased.__name__:
                agents[body["agent"]] = replace(agents[body["agent"]], gone=True)
            case _:
                pass
    hired = {member.strategy for member in agents.values()}
    return [*agents.values(), *(each for each in finalists if each.strategy not in hired)]


def meant(roster: Sequence[Member], pauses: Mapping[str, Pause], words: Sequence[str]) -> list[Member]:
    """Whom a person means: ids of agents, names of their strategies, or content hashes; nobody twice.

    Args:
        roster: of the journal.
        pauses: the last word on each strategy of the desk: one of an earlier run can be named by its content hash.
        words: what was typed.

    Raises:
        ClawdError: for a word that names nobody, or several.
    """
    known = {member.strategy for member in roster}
    everyone = [*roster, *(Member(None, "", strategy) for strategy in pauses if strategy not in known)]
    found: dict[str, Member] = {}
    for word in words:
        exactly = [each for each in everyone if word in (each.agent, each.strategy)]
        matches = exactly or [each for each in everyone if word == each.name]
        if not matches:
            raise ClawdError(f"there is no agent and no strategy {word!r}", hint=_near(word, everyone))
        if len(matches) > 1:
            names = ", ".join(each.agent or each.strategy for each in matches)
            raise ClawdError(f"{word!r} names several: {names}", hint="say which")
        found.setdefault(matches[0].strategy, matches[0])
    return list(found.values())


def _near(word: str, everyone: Sequence[Member]) -> str:
    called = [name for each in everyone for name in (each.agent, each.name or each.strategy) if name]
    lower = {name.lower(): name for name in called}
    near = [lower[name] for name in difflib.get_close_matches(word.lower(), list(lower), n=_NEAR, cutoff=0.5)]
    if near:
        return f"did you mean {' or '.join(f'`{name}`' for name in near)}?"
    return f"such as {', '.join(called[:_NEAR])}" if called else "no agent has been hired yet"
