"""``clawd research``: a campaign from the command line, and the numbers of a strategy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_world import Outcome, bars, folder, walk, waves

from clawd.cli.research_view import PlainSearch, Speed
from clawd.language.strategy import load_strategy
from clawd.research.search import SearchStep
from clawd.store.ledger import Ledger
from clawd.store.registry import Registry

Clawd = Callable[..., Outcome]

TREND = """\
name = "Trend"
[let]
window = 10
[position]
target = "long_short(sign(ret(close, window)))"
[exits]
stop = { percent = 30 }
"""
RUN = ("research", "run", "--data", "seas", "--budget", "120", "--workers", "1")


@pytest.fixture(autouse=True)
def seas(place: Path) -> None:
    """Two instruments that swing, and a strategy with a number."""
    folder(place / "seas", AAA=bars(waves(1, 700)), BBB=bars(walk(2, 700)))
    (place / "trend.toml").write_text(TREND)


def test_a_campaign_is_searched_judged_and_written(clawd: Clawd, place: Path) -> None:
    told = clawd(*RUN, "--json")
    assert told.code == 0, told.err
    found = json.loads(told.out)
    assert (found["finished"], found["strategies"], found["budget"]) == (True, 120, 120)
    assert found["trials"] >= 120 > found["remembered"] == 0
    ratios = [elite["sharpe"] for elite in found["elites"]]
    assert ratios == sorted(ratios, reverse=True)
    assert Path(found["folder"]).is_dir() or not found["finalists"]
    with Ledger.open(place / "home" / "ledger.sqlite") as ledger:
        tried = {trial.content_hash for trial in ledger.trials(run=found["run"]) if trial.author == "evolution"}
        assert len(tried) == 120
        latest = max(trial.last_ts for trial in ledger.trials(author="evolution"))
    with Registry.open(place / "home" / "ledger.sqlite") as registry:
        (seal,) = registry.seals(("AAA",))
    assert latest < seal.selection_from, "the search saw nothing of what is held back"


def test_the_same_command_goes_on_and_another_seed_begins_anew(clawd: Clawd) -> None:
    first = json.loads(clawd(*RUN, "--json").out)
    again = json.loads(clawd(*RUN, "--json").out)
    assert again["remembered"] == again["trials"] == first["trials"]
    assert (again["run"], again["elites"]) == (first["run"], first["elites"])
    fresh = json.loads(clawd(*RUN, "--json", "--fresh").out)
    assert fresh["seed"] == 1
    assert fresh["run"] != first["run"]


def test_people_read_how_far_it_is_and_what_was_found(clawd: Clawd) -> None:
    told = clawd(*RUN)
    assert told.code == 0
    assert "120 of 120 strategies" in told.out
    assert "sealed from" in told.out
    assert "distinct strategies in the ledger: " in told.out
    assert "family" in told.out


def test_numbers_are_tuned_counted_and_written(clawd: Clawd, place: Path) -> None:
    command = (
        "research",
        "tune",
        "trend.toml",
        "--data",
        "seas",
        "--trials",
        "25",
        "--set",
        "window=2:60",
        "--workers",
        "1",
    )
    told = clawd(*command, "--out", "best.toml", "--json")
    assert told.code == 0, told.err
    found = json.loads(told.out)
    assert found["trials"] == 25
    assert found["best_deflated_sharpe"] <= 1
    assert found["best_sharpe_by_luck"] > 0
    best = load_strategy(place / "best.toml")
    assert best.content_hash == found["best"]["content_hash"]
    assert best.let["window"] == found["best"]["parameters"]["window"]
    with Ledger.open(place / "home" / "ledger.sqlite") as ledger:
        assert ledger.distinct() == 25
    said = clawd(*command).out
    assert "25 distinct variants" in said
    assert "luck alone would show" in said
    assert "deflated" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tune", "trend.toml", "--data", "seas", "--set", "windo=1:5"), "did you mean `window`"),
        (("tune", "trend.toml", "--data", "seas", "--set", "window=5"), "is not a range"),
        (("tune", "trend.toml", "--data", "seas", "--set", "window=1:5", "--set", "window=1:6"), "given twice"),
        (("run", "--data", "seas", "--workers", "1", "--cluster", "a:1"), "exclude each other"),
        (("run", "--data", "seas", "--capital", "none"), "not an amount"),
        (("run", "--data", "seas", "--budget", "0"), "budget"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_message(clawd: Clawd, words: tuple[str, ...], said: str) -> None:
    told = clawd("research", *words)
    assert told.code == 2
    assert said in told.err


def test_a_line_is_printed_for_each_tenth_only(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainSearch("strategies") as view:
        for done in range(0, 101):
            view.show(SearchStep(0, "a tenth", done, 100, done, 0, ()))
    assert len(capsys.readouterr().out.splitlines()) == 11


def test_the_speed_is_of_what_was_evaluated() -> None:
    times = iter([0.0, 2.0, 2.0])
    speed = Speed(lambda: next(times))
    assert speed.of(1_000) == "500 trials/s"
    assert speed.of(0) == ""
