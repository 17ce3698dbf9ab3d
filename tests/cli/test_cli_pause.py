"""``clawd pause`` and ``unpause``: whom they name, what they say, and what the next start makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_captures import FOLLOWS, captures
from cli_world import Clawd, Outcome, disk

from clawd.core.account_events import AgentPaused
from clawd.fleet.run import journals
from clawd.store.journal import Journal
from clawd.store.switchboard import PAPER_FLEET, Switchboard

LINE = ("up", "--data", "two", "--strategy", "cross.toml", "--strategy", "hold.toml", "--plain")


def refused(outcome: Outcome) -> str:
    assert (outcome.code, outcome.out) == (2, "")
    return outcome.err


def hired(path: Path) -> dict[str, tuple[str, str]]:
    with Journal.open(path, read_only=True) as journal:
        bodies = [entry.body for entry in journal.entries() if entry.kind == "AgentHired"]
    return {str(body["agent"]): (str(body["strategy"]), str(body["content_hash"])) for body in bodies}


def test_before_the_fleet_or_the_account_has_begun_there_is_nobody_to_pause(clawd: Clawd, place: Path) -> None:
    before = disk(place)
    assert "the fleet has not begun to trade, so it has no agents" in refused(clawd("pause", "a001"))
    assert "there is no account 'main' (`clawd trade` begins one)" in refused(
        clawd("unpause", "a1", "--account", "main")
    )
    assert disk(place) == before


def test_who_is_paused_by_name_begins_the_next_run_paused_and_the_others_do_not(clawd: Clawd, place: Path) -> None:
    assert clawd(*LINE).code == 0
    home = place / "home"
    (first,) = journals(home)
    (agent, (name, strategy)), *others = hired(first).items()
    assert "no agent and no strategy 'a00'" in refused(clawd("pause", "a00"))
    assert "did you mean" in refused(clawd("pause", agent, name[:-1]))
    with Switchboard.open(home) as switchboard:
        assert switchboard.pauses(PAPER_FLEET) == {}, "one that is wrong and nobody is paused"
    said = clawd("pause", name, "--why", "news")
    assert said.code == 0, said.err
    assert f"{agent} {name}: paused (by " in said.out
    assert ": news)" in said.out
    assert "nothing is running; it holds for whatever starts next" in said.out
    with Switchboard.open(home) as switchboard:
        (pause,) = switchboard.pauses(PAPER_FLEET).values()
    assert (pause.strategy, pause.paused, pause.why) == (strategy, True, "news")
    again = clawd(*LINE, "--fresh")
    assert f"paused {agent}, by {pause.by}: news; it enters nothing, its exits live on ({name})" in again.out
    assert f"paused, so entering nothing until `clawd unpause`: {agent} {name}" in clawd(*LINE).out
    newest = journals(home)[0]
    with Journal.open(newest, read_only=True) as journal:
        sent = {entry.body["agent"] for entry in journal.entries() if entry.kind == "OrderSubmitted"}
        assert [entry.body["agent"] for entry in journal.entries() if entry.kind == AgentPaused.__name__] == [agent]
    assert sent == {name for name, _ in others}
    freed = clawd("unpause", agent)
    assert f"{agent} {name}: unpaused (by " in freed.out
    third = clawd(*LINE, "--fresh")
    assert f"paused {agent}" not in third.out
    assert len(third.out.splitlines()) > 3


def test_an_account_has_its_own_agents(clawd: Clawd, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAWD_CAPITAL", "10000")
    monkeypatch.setenv("CLAWD_DAY_LOSS_LIMIT", "500")
    (place / "follows.toml").write_text(FOLLOWS)
    trade = ("trade", *captures(place, 60), "--strategy", "follows.toml", "--perpetual", "10", "--symbol", "X")
    assert clawd(*trade, "--account", "one").code == 0
    assert "one of one" in refused(clawd("pause", "follows", "--account", "on"))
    said = clawd("pause", "follows", "--account", "one")
    assert said.code == 0, said.err
    assert "a001 follows: paused" in said.out
    assert "fleet has not begun" in refused(clawd("pause", "follows"))
    with Switchboard.open(place / "home") as switchboard:
        assert switchboard.pauses(PAPER_FLEET) == {}
        assert [pause.paused for pause in switchboard.pauses("one").values()] == [True]
    for _ in range(2):  # once it hears it, once its journal says so
        again = clawd(*trade, "--account", "one")
        assert "paused, so entering nothing until `clawd unpause`: a001 follows" in again.out
    other = clawd(*trade, "--account", "two")
    assert other.code == 0
    assert "paused a001" not in other.out
