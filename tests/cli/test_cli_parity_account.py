"""``clawd parity`` and ``clawd journal`` of an account that `clawd trade` has traded."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from cli_captures import FOLLOWS, captures
from cli_world import Clawd
from test_cli_up import stages

UP = ("up", "--data", "two", "--strategy", "cross.toml", "--json", "--capital", "1000")


@pytest.fixture
def traded(clawd: Clawd, place: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the run of an account named ``mine`` said at its end."""
    monkeypatch.setenv("CLAWD_CAPITAL", "10000")
    monkeypatch.setenv("CLAWD_DAY_LOSS_LIMIT", "200")
    (place / "follows.toml").write_text(FOLLOWS)
    words = (
        "trade",
        *captures(place),
        "--strategy",
        "follows.toml",
        "--perpetual",
        "10",
        "--account",
        "mine",
        "--json",
    )
    outcome = clawd(*words, "--symbol", "X")
    assert (outcome.code, outcome.err) == (0, "")
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    assert lines[-1]["stage"] == "ended"
    return lines[-1]  # type: ignore[no-any-return]


def test_an_account_is_explained_to_the_last_digit(clawd: Clawd, traded: dict[str, object]) -> None:
    outcome = clawd("parity", "--day", "2024-08-09", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    report = json.loads(outcome.out)
    assert (report["account"], report["explained"]) == ("mine", True)
    (day,) = report["days"]
    (agent,) = day["agents"]
    causes = {cause: Decimal(money) for cause, money in agent["causes"].items()}
    assert Decimal(agent["replayed"]) + sum(causes.values()) == Decimal(agent["real"]) == Decimal(day["account"])
    assert causes["slippage"] and not causes["unexplained"]
    assert [each["cause"] for each in agent["differences"]]


def test_people_read_it_and_open_it(clawd: Clawd, place: Path, traded: dict[str, object]) -> None:
    outcome = clawd("parity", "--account", "mine", "--html", "parity.html")
    assert (outcome.code, outcome.err) == (0, "")
    assert "account mine, 2024-08-09: profit and loss in quote currency" in outcome.out
    assert "ms after the close, the model says" in outcome.out
    page = (place / "parity.html").read_text()
    assert "account mine" in page and "slippage" in page


def test_the_last_one_written_is_meant_and_either_can_be_named(
    clawd: Clawd, place: Path, traded: dict[str, object]
) -> None:
    run = str(stages(clawd(*UP, "--day-limit", "100"))[-1]["run"])
    meant = clawd("parity", "--data", "two", "--from", "2018-01-01", "--json")
    assert json.loads(meant.out)["run"] == run
    journal = place / "home" / "accounts" / "mine" / "journal.sqlite"
    os.utime(journal)
    assert json.loads(clawd("parity", "--json").out)["account"] == "mine"
    assert json.loads(clawd("parity", "--run", "mine", "--json").out)["account"] == "mine"
    named = clawd("parity", "--run", run, "--data", "two", "--from", "2018-01-01", "--json")
    assert json.loads(named.out)["run"] == run


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--account", "other"), "there is no account other"),
        (("--account", "mine", "--run", "mine"), "--run and --account cannot both be meant"),
        (("--account", "mine", "--data", "two"), "the bars of an account are those in its journal"),
        (("--account", "mine", "--agent", "a009"), "agent a009 was not active then"),
        (("--account", "mine", "--day", "2011-01-01"), "has no bar on 2011-01-01"),
    ],
)
def test_what_makes_no_sense_is_refused(
    clawd: Clawd, traded: dict[str, object], words: tuple[str, ...], says: str
) -> None:
    outcome = clawd("parity", *words)
    assert outcome.code == 2
    assert says in outcome.err


def test_accounts_are_listed_beside_runs_and_read_by_their_names(clawd: Clawd, traded: dict[str, object]) -> None:
    run = str(stages(clawd(*UP, "--day-limit", "100"))[-1]["run"])
    listed = clawd("journal", "list").out
    assert run in listed and "account" in listed
    (line,) = [line for line in listed.splitlines() if line.strip().startswith("mine")]
    assert "5s: X at paper" in line and "2024-08-09" in line
    verified = clawd("journal", "verify", "mine")
    assert verified.code == 0 and verified.out.startswith("account mine: ")
    assert json.loads(clawd("journal", "show", "mine", "--last", "1").out)
    everything = clawd("journal", "verify", "--all").out
    assert "account mine: " in everything and f"run {run}: " in everything


def test_a_folder_without_a_journal_worth_the_name_is_listed_as_such(clawd: Clawd, place: Path) -> None:
    folder = place / "home" / "accounts" / "broken"
    folder.mkdir(parents=True)
    (folder / "journal.sqlite").write_bytes(b"no journal at all")
    listed = clawd("journal", "list")
    assert listed.code == 0
    assert "broken" in listed.out
