"""``clawd evidence`` counts what is in the ledger, on any screen, and makes nothing where there is nothing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_world import Clawd

from clawd.evidence.levels import wealth_to_reach
from clawd.store.ledger import Ledger
from clawd.store.registry import Registry, market_key
from clawd.store.trial import Segments, Trial

DAY = 86_400_000_000_000
MARKET = market_key(["BTC", "ETH"], DAY)
WAVES = np.sin(np.arange(60) * np.array([[1], [2], [3]]))


def trial(number: int, **changes: Any) -> Trial:
    """Trials behave like one of three waves, in turn."""
    returns = WAVES[number % 3] * (1 + number)
    made: dict[str, Any] = {
        "content_hash": f"content {number}",
        "family_hash": f"family {number % 2}",
        "data_fingerprint": "daily bars",
        "first_ts": 10_000 * DAY,
        "last_ts": 10_479 * DAY,
        "fee": 0.0005,
        "slippage": 0.0002,
        "author": "evolution",
        "name": f"mutant {number}",
        "recorded_at": 19_000 * DAY,
        "code_version": "0.1.0",
        "bars": 480,
        "trades": 40,
        "run": "spring",
        "segments": Segments(np.full(60, 8), returns, returns**2),
    }
    return Trial(**(made | changes))


@pytest.fixture
def path(place: Path) -> Path:
    return place / "home" / "ledger.sqlite"


@pytest.fixture
def filled(path: Path) -> Path:
    """Twelve trials of ten strategies in two families, three claims in three states, and a seal."""
    with Ledger.open(path) as ledger, Registry.open(path) as registry:
        ledger.record([trial(number) for number in range(9)])
        ledger.record([trial(9, author="person", run="", recorded_at=19_100 * DAY, segments=None)])
        ledger.record([trial(number, fee=0.001, segments=None) for number in range(2)])
        ledger.record([trial(0), trial(0)])
        for name in ("won", "tried", "silent"):
            registry.register(
                content_hash=name, name=name, author="evolution", market=MARKET, fee=0.0, slippage=0.0,
                at=19_000 * DAY, counts_from=10_600 * DAY, run="spring",
            )  # fmt: skip
            registry.look("selection", name, MARKET, 1, 2, "spring", 19_000 * DAY)
        registry.look("vault", "won", MARKET, 1, 2, "spring", 19_000 * DAY)
        registry.bet(1, [((10_600 + bar) * DAY, 0.5, 0.5) for bar in range(9)])
        registry.bet(2, [((10_600 + bar) * DAY, 0.01, 0.5) for bar in range(3)])
        registry.seal(["ETH", "BTC"], 10_500 * DAY, 10_600 * DAY, 10_700 * DAY, 19_000 * DAY, "spring")
    return path


def test_where_nothing_was_tried_it_says_what_to_do_and_makes_nothing(clawd: Clawd, path: Path) -> None:
    outcome = clawd("evidence")
    assert outcome.code == 0
    assert "Nothing was tried yet" in outcome.out
    assert "clawd backtest STRATEGY" in outcome.out
    found = json.loads(clawd("evidence", "--json").out)
    assert (found["distinct_trials"], found["hypotheses"], found["behaviour"]) == (0, [], [])
    assert not path.parent.exists()


def test_an_empty_ledger_is_like_none(clawd: Clawd, path: Path) -> None:
    Ledger.open(path).close()
    assert "Nothing was tried yet" in clawd("evidence").out


def test_what_it_counts(clawd: Clawd, filled: Path) -> None:
    found = json.loads(clawd("evidence", "--json").out)
    assert found["ledger"] == str(filled)
    assert (found["distinct_trials"], found["distinct_strategies"], found["trials_for_gates"]) == (12, 10, 12)
    assert (found["families"], found["largest_family"]) == (2, 5)
    assert found["looks"] == {"selection": 3, "vault": 1}
    evolution, person = found["authors"]
    assert (evolution["name"], evolution["trials"], evolution["strategies"], evolution["looks"]) == (
        "evolution", 11, 9, 13,
    )  # fmt: skip
    assert (person["name"], person["trials"], person["last_at"]) == ("person", 1, "2022-04-18")
    assert [(each["name"], each["trials"], each["families"]) for each in found["runs"]] == [("spring", 11, 2)]
    assert found["seals"] == [
        {
            "symbols": ["BTC", "ETH"],
            "selection_from": 10_500 * DAY,
            "vault_from": 10_600 * DAY,
            "until": 10_700 * DAY,
            "at": 19_000 * DAY,
            "run": "spring",
        }
    ]


def test_how_many_are_different(clawd: Clawd, filled: Path) -> None:
    """Nine trials along three waves that are next to uncorrelated: three things were tried, in nine sizes."""
    (sample,) = json.loads(clawd("evidence", "--json").out)["behaviour"]
    assert (sample["trials"], sample["compared"], sample["clusters"], sample["moving"]) == (9, 9, 3, 9)
    assert (sample["first"], sample["last"], sample["fee"]) == ("1997-05-19", "1998-09-10", 0.0005)
    correlation = np.corrcoef(np.repeat(WAVES, 3, axis=0))
    mean = (correlation.sum() - 9) / 72
    assert sample["average_correlation"] == pytest.approx(mean + (1 - mean) * 9)
    eigenvalues = np.linalg.eigvalsh(correlation)
    assert sample["participation_ratio"] == pytest.approx(81 / (eigenvalues**2).sum())
    shares = eigenvalues[eigenvalues > 1e-9] / 9
    assert sample["effective_rank"] == pytest.approx(math.exp(-(shares * np.log(shares)).sum()))


def test_of_very_many_it_says_that_some_are_compared(
    clawd: Clawd, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "evenly spaced" not in clawd("evidence").out
    segments = Ledger.segments
    monkeypatch.setattr(Ledger, "segments", lambda ledger, conditions: segments(ledger, conditions, most=4))
    assert "trials, evenly spaced ones are compared" in clawd("evidence").out
    (sample,) = json.loads(clawd("evidence", "--json").out)["behaviour"]
    assert (sample["trials"], sample["compared"], sample["moving"]) == (9, 4, 4)


def test_claims_say_what_they_need_have_and_are(clawd: Clawd, filled: Path) -> None:
    def states() -> list[tuple[Any, ...]]:
        found = json.loads(clawd("evidence", "--json").out)["hypotheses"]
        return [(each["number"], each["name"], each["bars"], each["state"]) for each in found]

    assert states() == [
        (1, "won", 9, "proven, waiting for you"),
        (2, "tried", 3, "on its way"),
        (3, "silent", 0, "no bar has counted yet"),
    ]
    with Registry.open(filled) as registry:
        registry.promote(1, 19_001 * DAY)
        registry.bet(2, [(10_603 * DAY, -0.9, 0.5)])
        wealth = registry.evidence(1).wealth
    assert [state for *_, state in states()] == [
        "proven, waiting for you",
        "a bar lost more than its bound",
        "no bar has counted yet",
    ]
    won, tried, _ = json.loads(clawd("evidence", "--json").out)["hypotheses"]
    assert won["promoted_at"] == 19_001 * DAY
    assert [won["proven"], tried["proven"]] == [True, False]
    assert won["wealth"] == won["peak_wealth"] == wealth
    assert won["wealth_to_reach"] == wealth_to_reach(1, 0)
    assert tried["level"] == pytest.approx(0.1 / 6)
    assert tried["wealth"] == 0


def test_wealth_beyond_all_numbers_is_still_json(clawd: Clawd, path: Path) -> None:
    with Registry.open(path) as registry:
        registry.register(
            content_hash="h", name="n", author="a", market=MARKET, fee=0.0, slippage=0.0, at=1, counts_from=1
        )
        registry.bet(1, [(bar, 0.5, 0.5) for bar in range(1, 1_100)])
        assert math.isinf(registry.evidence(1).wealth)
    (claim,) = json.loads(clawd("evidence", "--json").out)["hypotheses"]
    assert (claim["wealth"], claim["state"]) == (None, "proven, waiting for you")
    assert "inf" in clawd("evidence").out


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_it_fits_the_screen(clawd: Clawd, filled: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    outcome = clawd("evidence")
    assert outcome.code == 0
    assert max(len(line) for line in outcome.out.splitlines()) <= width
    text = " ".join(outcome.out.split())
    for wanted in ("distinct trials", "evolution", "person", "clusters", "wealth", "held back from authors"):
        assert wanted in text
    assert "Gates use the raw number of distinct trials, 12." in text


def test_what_people_read(clawd: Clawd, filled: Path) -> None:
    lines = [" ".join(line.split()) for line in clawd("evidence").out.splitlines()]
    assert any(line.startswith("12 distinct trials one strategy") and "tried again 2 times" in line for line in lines)
    assert "10 distinct strategies the same on other data or at other costs is one" in lines
    assert "4 looks at what is held back 3 at the selection, 1 into the vault" in lines
    assert "3 hypotheses claims with a level that their evidence has to reach; 1 proven" in lines
    assert any(line.startswith("1 won 1d BTC,ETH 5.00 %") and line.endswith("waiting for you") for line in lines)
    assert "BTC, ETH 1998-10-01 1999-01-09 1999-04-19 spring" in lines


def test_what_was_tried_on_the_command_line_is_in_it(clawd: Clawd, place: Path) -> None:
    assert clawd("backtest", "cross.toml", "hold.toml", "--data", "two").code == 0
    found = json.loads(clawd("evidence", "--json").out)
    assert [(each["name"], each["trials"]) for each in found["authors"]] == [("person", 2)]
    assert found["behaviour"][0]["trials"] == 2
    assert "Nothing is claimed" in clawd("evidence").out


def test_it_is_in_the_help(clawd: Clawd) -> None:
    assert "evidence" in clawd("--help").out
    assert "--json" in clawd("evidence", "--help").out
