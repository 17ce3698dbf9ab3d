"""``clawd parity``: what it prints, what it refuses, and that it is loud where something is not explained."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from cli_world import Clawd, folder
from test_cli_up import stages

UP = ("up", "--data", "two", "--strategy", "cross.toml", "--strategy", "hold.toml", "--json")
SPAN = ("--from", "2018-01-01", "--to", "2018-12-31")


@pytest.fixture
def tight(clawd: Clawd) -> str:
    """The name of a run whose limit binds."""
    return str(stages(clawd(*UP, "--capital", "1000", "--day-limit", "5"))[-1]["run"])


def test_wide_limits_leave_no_difference(clawd: Clawd) -> None:
    stages(clawd(*UP, "--capital", "1000", "--day-limit", "100000"))
    outcome = clawd("parity", "--data", "two", *SPAN)
    assert (outcome.code, outcome.err) == (0, "")
    assert "No difference: paper is the backtest, to the last digit." in outcome.out
    outcome = clawd("parity", "--data", "two")
    assert (outcome.code, outcome.err) == (0, "")
    assert "2018-08-17: profit and loss in quote currency" in outcome.out, "the last full day"


def test_every_amount_adds_up_for_programs(clawd: Clawd, tight: str) -> None:
    outcome = clawd("parity", "--data", "two", *SPAN, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    report = json.loads(outcome.out)
    assert (report["run"], report["explained"], report["market_changed"]) == (tight, True, False)
    gate = []
    for day in report["days"]:
        for agent in day["agents"]:
            causes = {cause: Decimal(amount) for cause, amount in agent["causes"].items()}
            assert Decimal(agent["replayed"]) + sum(causes.values()) == Decimal(agent["real"])
            assert causes["unexplained"] == 0
            assert sum(Decimal(each["money"]) for each in agent["differences"]) == sum(causes.values())
            gate.append(causes["gate"])
        assert sum(Decimal(agent["real"]) for agent in day["agents"]) == Decimal(day["account"])
    assert any(gate)
    *_, summary = stages(clawd(*UP, "--capital", "1000", "--day-limit", "5"))
    assert sum(Decimal(day["account"]) for day in report["days"]) == Decimal(summary["profit"])


def test_people_read_the_cause_and_its_numbers(clawd: Clawd, tight: str) -> None:
    report = json.loads(clawd("parity", "--data", "two", *SPAN, "--json").out)
    day, agent = next(
        (day["day"], agent)
        for day in report["days"]
        for agent in day["agents"]
        if Decimal(agent["causes"]["gate"]) and len(agent["differences"]) == 1
    )
    outcome = clawd("parity", "--run", tight, "--data", "two", "--day", day, "--agent", agent["agent"])
    assert (outcome.code, outcome.err) == (0, "")
    (line,) = [line for line in outcome.out.splitlines() if "asked" in line]
    assert line.strip().startswith(f"{agent['agent']} ")
    assert "DAY_BUDGET" in line
    for word in (
        "replayed",
        "gate",
        "halts",
        "slippage",
        "latency",
        "missing bars",
        "funding",
        "not explained",
        "real",
    ):
        assert word in outcome.out
    assert agent["strategy"] in outcome.out


def test_a_page_that_loads_nothing(clawd: Clawd, place: Path, tight: str) -> None:
    del tight
    outcome = clawd("parity", "--data", "two", *SPAN, "--html", "parity.html")
    assert (outcome.code, outcome.err) == (0, "")
    text = (place / "parity.html").read_text()
    assert "gate" in text and "DAY_BUDGET" in text
    assert "src=" not in text and "http" not in text.replace("http-equiv", "")


def test_a_fill_that_nobody_asked_for_is_loud(clawd: Clawd, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision of the fleet is changed behind the report's back: a run whose code did otherwise."""
    halved = []

    def decide(positions: object, *arguments: object) -> None:
        real(positions, *arguments)
        if not halved and positions["opening"].any():  # type: ignore[index]
            positions["opening"] = (positions["opening"] / 2).round()  # type: ignore[index]
            halved.append(True)

    from clawd.fleet import fleet  # noqa: PLC0415

    real = fleet.decide
    with monkeypatch.context() as patch:
        patch.setattr(fleet, "decide", decide)
        stages(clawd(*UP, "--capital", "1000", "--day-limit", "100000"))
    assert halved
    outcome = clawd("parity", "--data", "two", *SPAN)
    assert outcome.code == 1
    assert "NOT EXPLAINED" in outcome.err
    assert "NOT EXPLAINED: the replay asks for opening of" in outcome.out
    report = json.loads(clawd("parity", "--data", "two", *SPAN, "--json").out)
    assert not report["explained"]


def test_bars_that_have_changed_since(clawd: Clawd, place: Path, tight: str) -> None:
    del tight
    other = {}
    for name in ("A", "B"):
        lines = (place / "two" / f"{name}.csv").read_text().splitlines()
        del lines[300]
        other[name] = "\n".join(lines) + "\n"
    folder(place / "changed", **other)
    outcome = clawd("parity", "--data", "changed", *SPAN, "--lines", "0")
    assert (outcome.code, outcome.err) == (0, "")
    assert "the market is not as it was when the run read it" in outcome.out
    assert "seen by the fleet and gone since" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--day", "2011-01-01"), "the run has no bar on 2011-01-01"),
        (("--day", "soon"), "is not a date"),
        (("--day", "2018-08-17", "--from", "2018-08-01"), "cannot both be meant"),
        (("--from", "2011-01-01", "--to", "2011-02-01"), "no bar between --from and --to"),
        (("--agent", "a999"), "agent a999 was not active then"),
        (("--run", "nobody"), "there is no run nobody"),
        (("--html", "nowhere/page.html"), "the folder of the output does not exist"),
    ],
)
def test_what_cannot_be_meant(clawd: Clawd, tight: str, arguments: tuple[str, ...], words: str) -> None:
    del tight
    outcome = clawd("parity", "--data", "two", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err


def test_a_market_that_must_be_named(clawd: Clawd, tight: str) -> None:
    del tight
    outcome = clawd("parity")
    assert outcome.code == 2
    assert "name with --data where the bars of the run lie" in outcome.err
    outcome = clawd("parity", "--data", "sample")
    assert outcome.code == 2


def test_there_must_be_a_run(clawd: Clawd) -> None:
    outcome = clawd("parity")
    assert outcome.code == 2
    assert "there is no journal yet" in outcome.err
