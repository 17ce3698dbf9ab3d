"""Whom a journal names, and whom a person means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from fleet_worlds import Pausing, Trading, panel_of, settings_of, strategy_of, walk

from clawd.core.account_events import AgentFunded, AgentPaused, AgentUnpaused
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.fleet.roster import Member, meant, roster_of
from clawd.store.switchboard import Pause


@dataclass(frozen=True)
class Entry:
    seq: int
    ts: int
    kind: str
    body: Any


def entries(events: Iterable[Event]) -> list[Entry]:
    return [Entry(seq, 0, event.kind, event.model_dump(mode="json")) for seq, event in enumerate(events, start=1)]


STRATEGIES = [
    strategy_of("long_only(sign(close))", f"stop = {{ percent = {number} }}", name=name)
    for number, name in enumerate(("breakout", "momentum", "momentum fast", "reversal"), start=50)
]
HASHES = [strategy.content_hash for strategy in STRATEGIES]
ROSTER = [
    Member("a001", "breakout", HASHES[0]),
    Member("a002", "momentum", HASHES[1]),
    Member("a003", "momentum", HASHES[2]),
    Member(None, "reversal", HASHES[3]),
]


def test_the_agents_of_a_run_are_named_and_behind_them_the_finalists_that_wait() -> None:
    words = {2: {HASHES[0]: True, HASHES[1]: True}, 4: {HASHES[1]: False}}
    trading = Trading(STRATEGIES, panel_of({"AAA": walk(3, 12)}), settings_of(slots=2), paused=Pausing(words))
    events = [trading.start, *(event for bar in trading.bars() for event in bar)]
    assert roster_of(entries(events)) == [
        Member("a001", "breakout", HASHES[0], paused=True),
        Member("a002", "momentum", HASHES[1], paused=False),
        Member(None, "momentum fast", HASHES[2]),
        Member(None, "reversal", HASHES[3]),
    ]


def test_the_agents_of_an_account_are_named_by_what_they_were_funded_for() -> None:
    funded = [
        AgentFunded(agent=f"a{number}", capital=Decimal(1), about=strategy.to_json())
        for number, strategy in enumerate(STRATEGIES[:2])
    ]
    paused = AgentPaused(agent="a1", by="ann", why="", pause=1)
    unpaused = AgentUnpaused(agent="a1", by="ann", why="", pause=2)
    assert roster_of(entries([*funded, paused])) == [
        Member("a0", "breakout", HASHES[0]),
        Member("a1", "momentum", HASHES[1], paused=True),
    ]
    assert not roster_of(entries([*funded, paused, unpaused]))[1].paused


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["a002"], [1]),
        (["breakout"], [0]),
        (["reversal"], [3]),
        ([HASHES[2]], [2]),
        (["a003", "breakout", "a001", "a003"], [2, 0]),
    ],
)
def test_a_word_is_an_id_a_name_or_a_hash(words: Sequence[str], found: Sequence[int]) -> None:
    assert meant(ROSTER, {}, words) == [ROSTER[place] for place in found]


def test_a_strategy_of_an_earlier_run_is_named_by_its_hash() -> None:
    gone = Pause(1, 1, "", "0f0f", True, "ann", "")
    assert meant(ROSTER, {"0f0f": gone}, ["0f0f"]) == [Member(None, "", "0f0f")]
    with pytest.raises(ClawdError, match="there is no agent and no strategy '0f0f'"):
        meant(ROSTER, {}, ["0f0f"])


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("brakout", "did you mean `breakout`?"),
        ("a00", "did you mean `a003` or `a002` or `a001`?"),
        ("BREAKOUT", "did you mean `breakout`?"),
        ("zzzzzz", "such as a001, breakout, a002"),
    ],
)
def test_a_word_that_names_nobody_is_an_error_that_names_what_is_like_it(word: str, hint: str) -> None:
    with pytest.raises(ClawdError) as raised:
        meant(ROSTER, {}, ["a001", word])
    assert raised.value.what == f"there is no agent and no strategy {word!r}"
    assert raised.value.hint == hint
    with pytest.raises(ClawdError, match="no agent has been hired yet"):
        meant([], {}, [word])


def test_a_name_of_several_is_asked_back() -> None:
    with pytest.raises(ClawdError, match="'momentum' names several: a002, a003"):
        meant(ROSTER, {}, ["momentum"])
