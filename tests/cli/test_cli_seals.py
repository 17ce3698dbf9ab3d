"""What is sealed for a vault is not read by the commands that show bars, and what they show is noted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_world import DAY, START, Clawd, bars, folder, waves

from clawd.core.clock import iso
from clawd.store.ledger import Ledger
from clawd.store.registry import Registry

NANOSECONDS = 1_000_000_000
SEALED = 250
SWEPT = """\
name = "Means"
[let]
fast = "5"
[position]
target = "long_short(sign(ema(close, fast) - ema(close, 20)))"
[exits]
stop = { percent = 10 }
"""


def opens(bar: int) -> int:
    return (START + bar * DAY) * NANOSECONDS


def command(name: str) -> tuple[str, ...]:
    if name == "sweep":
        return "sweep", "means.toml", "--set", "fast=4,5", "--workers", "1", "--data", "two"
    return "backtest", "means.toml", "--data", "two"


@pytest.fixture
def path(place: Path) -> Path:
    (place / "means.toml").write_text(SWEPT)
    return place / "home" / "ledger.sqlite"


@pytest.fixture
def sealed(path: Path) -> Path:
    with Registry.open(path) as registry:
        registry.seal(["A"], opens(SEALED), opens(320), opens(399), 1, "first")
        registry.seal(["B"], opens(SEALED + 9), opens(330), opens(399), 1, "second")
    return path


@pytest.mark.parametrize("name", ["backtest", "sweep"])
def test_sealed_bars_are_not_read(clawd: Clawd, place: Path, sealed: Path, name: str) -> None:
    outcome = clawd(*command(name))
    assert outcome.code == 0
    line = f"bars from {iso(opens(SEALED))} on are sealed for the vault of run first: they are not read"
    assert outcome.out.splitlines().count(line) == 1
    with Ledger.open(sealed) as ledger:
        found = list(ledger.trials())
    assert {each.last_ts for each in found} == {opens(SEALED - 1)}
    # The same trials as on a market that ends there.
    folder(place / "short", A=bars(waves(1, 400)[:SEALED]), B=bars(waves(2, 400)[:SEALED]))
    arguments = [*command(name)[:-1], "short"]
    assert clawd(*arguments).code == 0
    with Ledger.open(sealed) as ledger:
        assert [each.content_hash for each in ledger.trials()] == [each.content_hash for each in found]
        assert {each.looks for each in ledger.trials()} == {2}


@pytest.mark.parametrize("name", ["backtest", "sweep"])
def test_who_asks_for_sealed_bars_alone_is_refused(clawd: Clawd, sealed: Path, name: str) -> None:
    for start in (SEALED, SEALED + 20):
        outcome = clawd(*command(name), "--from", iso(opens(start)))
        assert outcome.code == 2
        assert f"bars from {iso(opens(SEALED))} on are sealed" in outcome.err
        assert "--from" in outcome.err and "name a time before" in outcome.err
    with Ledger.open(sealed) as ledger:
        assert ledger.distinct() == 0
    with Registry.open(sealed) as registry:
        assert registry.shown_until("person", ["A", "B"]) is None
    assert clawd(*command(name), "--from", iso(opens(SEALED - 1))).code == 0


def test_a_market_that_is_sealed_from_its_beginning_is_refused(clawd: Clawd, path: Path) -> None:
    with Registry.open(path) as registry:
        registry.seal(["A"], opens(0), opens(0), opens(399), 1)
    outcome = clawd(*command("backtest"))
    assert (outcome.code, "take another" in outcome.err) == (2, True)


@pytest.mark.parametrize("name", ["backtest", "sweep"])
def test_programs_get_json_alone(clawd: Clawd, sealed: Path, name: str) -> None:
    outcome = clawd(*command(name), "--json")
    found = json.loads(outcome.out)
    assert (found[0] if name == "backtest" else found)["last"] == iso(opens(SEALED - 1))
    assert "are sealed" in outcome.err


@pytest.mark.parametrize("name", ["backtest", "sweep"])
def test_another_market_is_not_concerned(clawd: Clawd, path: Path, name: str) -> None:
    with Registry.open(path) as registry:
        registry.seal(["C"], opens(SEALED), opens(320), opens(399), 1, "first")
        registry.seal(["A"], opens(400), opens(420), opens(499), 1, "later")
    outcome = clawd(*command(name))
    assert (outcome.code, "sealed" in outcome.out) == (0, False)


@pytest.mark.parametrize("name", ["backtest", "sweep"])
def test_what_a_person_was_shown_is_noted(clawd: Clawd, path: Path, name: str) -> None:
    clawd(*command(name), "--to", iso(opens(200)))
    with Registry.open(path) as registry:
        assert registry.shown_until("person", ["A"]) == registry.shown_until("person", ["B"]) == opens(199)
        assert registry.shown_until("person", ["C"]) is None
        assert registry.shown_until("evolution", ["A"]) is None
    clawd(*command(name), "--to", iso(opens(300)))
    clawd(*command(name), "--to", iso(opens(100)))
    with Registry.open(path) as registry:
        assert registry.shown_until("person", ["A"]) == opens(299)
