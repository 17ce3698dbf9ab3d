"""The registry gives every claim one number for good, keeps its evidence bit by bit, and opens the vault once."""

from __future__ import annotations

import math
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.evidence.eprocess import EProcess
from clawd.evidence.levels import wealth_to_reach
from clawd.store.registry import Hypothesis, Registry, market_key

DAY = 86_400_000_000_000
MARKET = market_key(["ETH", "BTC"], DAY)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


def register(registry: Registry, content_hash: str = "h1", **changes: Any) -> Hypothesis:
    claim: dict[str, Any] = {
        "name": f"claim {content_hash}",
        "author": "evolution",
        "market": MARKET,
        "fee": 0.0005,
        "slippage": 0.0002,
        "at": 100 * DAY,
        "counts_from": 50 * DAY,
        "run": "r1",
    }
    return registry.register(content_hash=content_hash, **(claim | changes))


def bars(count: int, first: int = 50, seed: int = 3) -> list[tuple[int, float, float]]:
    chance = random.Random(seed)
    return [((first + number) * DAY, chance.gauss(0.002, 0.01), chance.uniform(0.3, 1.0)) for number in range(count)]


def winners(count: int, first: int = 50) -> list[tuple[int, float, float]]:
    return [((first + number) * DAY, 0.5, 0.5) for number in range(count)]


# Numbers and levels


def test_a_market_is_known_by_its_bars_and_its_instruments_in_whatever_order() -> None:
    assert MARKET == market_key(["BTC", "ETH", "BTC"], DAY) == "1d BTC,ETH"
    assert market_key(["BTC", "ETH"], DAY // 24) == "1h BTC,ETH"


def test_claims_are_numbered_from_one_and_keep_their_level(registry: Registry) -> None:
    made = [register(registry, f"h{number}") for number in range(1, 5)]
    assert [each.number for each in made] == [1, 2, 3, 4]
    assert [each.wealth_to_reach for each in made] == [wealth_to_reach(k, 0) for k in range(1, 5)]
    assert made[0].wealth_to_reach == 20  # 1 * 2 / 0.1
    assert registry.hypotheses() == tuple(made)
    assert registry.hypothesis(3) == made[2]
    assert registry.find("h3", MARKET, 0.0005, 0.0002) == made[2]
    assert registry.find("h3", MARKET, 0.0005, 0.0) is None


def test_the_same_claim_is_registered_once_whatever_it_is_called(registry: Registry) -> None:
    first = register(registry)
    registry.bet(1, bars(10))
    for number in range(1_000):
        again = register(
            registry, name=f"disguise {number}", author="me", at=7, counts_from=90 * DAY + number, run=f"r{number}"
        )
        assert again == first
    assert len(registry.hypotheses()) == 1
    assert registry.evidence(1).bars == 10


@pytest.mark.parametrize("change", [{"market": "1h BTC,ETH"}, {"fee": 0.0}, {"slippage": 0.0}, {"content_hash": "h2"}])
def test_another_strategy_market_or_cost_is_another_claim(registry: Registry, change: dict[str, Any]) -> None:
    register(registry)
    assert register(registry, **change).number == 2


def test_promotions_before_a_claim_ease_its_level(registry: Registry) -> None:
    register(registry, "h1")
    register(registry, "h2")
    registry.bet(1, winners(30))
    assert registry.promote(1, 200 * DAY).promoted_at == 200 * DAY
    third = register(registry, "h3")
    assert (third.promotions_before, third.wealth_to_reach) == (1, wealth_to_reach(3, 1))
    assert registry.hypothesis(2).wealth_to_reach == wealth_to_reach(2, 0)  # fixed when it was registered
    assert [each.number for each in registry.promotions()] == [1]


def test_who_has_not_reached_the_level_is_not_promoted(registry: Registry) -> None:
    register(registry)
    registry.bet(1, bars(5))
    with pytest.raises(ClawdError, match="has to reach 20"):
        registry.promote(1, 200 * DAY)
    assert registry.promotions() == ()


def test_a_promotion_keeps_its_first_time(registry: Registry) -> None:
    register(registry)
    registry.bet(1, winners(30))
    registry.promote(1, 200 * DAY)
    assert registry.promote(1, 300 * DAY).promoted_at == 200 * DAY
    assert len(registry.promotions()) == 1


def test_a_level_that_was_reached_once_is_reached_although_wealth_fell(registry: Registry) -> None:
    register(registry)
    process = registry.bet(1, [*winners(8), (58 * DAY, -0.5, 0.5)])
    assert process.wealth < 20 < process.peak
    assert registry.promote(1, 200 * DAY).promoted_at is not None


def test_who_lost_more_than_his_bound_is_never_promoted(registry: Registry) -> None:
    register(registry)
    registry.bet(1, [*winners(20), (70 * DAY, -0.6, 0.5)])
    with pytest.raises(ClawdError, match="more than its bound"):
        registry.promote(1, 200 * DAY)


def test_what_does_not_exist_is_said_so(registry: Registry) -> None:
    for call in (
        registry.hypothesis,
        registry.evidence,
        lambda k: registry.bet(k, []),
        lambda k: registry.promote(k, 1),
    ):
        with pytest.raises(ClawdError, match="no hypothesis 9"):
            call(9)


# Evidence


def folded(given: list[tuple[int, float, float]]) -> EProcess:
    process = EProcess()
    for _, net_return, bound in given:
        process = process.after(net_return, bound)
    return process


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 40), max_size=6), seed=st.integers(0, 99))
def test_however_bars_come_the_wealth_has_the_same_bits(tmp_path_factory: Any, cuts: list[int], seed: int) -> None:
    path = tmp_path_factory.mktemp("fold") / "ledger.sqlite"
    given_bars = bars(40, seed=seed)
    edges = [0, *sorted(cuts), 40]
    for start, end in pairwise(edges):
        with Registry.open(path) as registry:  # opened anew: nothing is remembered but in the file
            register(registry)
            assert registry.bet(1, given_bars[start:end]) == folded(given_bars[:end])
    with Registry.open(path) as registry:
        assert registry.evidence(1) == folded(given_bars)
        assert [tuple(bar) for bar in registry.bars(1)] == given_bars
        for end in (0, 1, 17, 40):
            assert registry.evidence(1, before=(50 + end) * DAY) == folded(given_bars[:end])


def test_bars_given_again_are_passed_over(registry: Registry) -> None:
    register(registry)
    registry.bet(1, bars(10))
    assert registry.bet(1, bars(12)) == folded(bars(12))
    assert len(registry.bars(1)) == 12
    assert registry.bet(1, []) == folded(bars(12))


def test_infinite_bounds_and_zeros_are_kept(registry: Registry) -> None:
    register(registry)
    given_bars = [(50 * DAY, -0.0, 0.0), (51 * DAY, 0.01, math.inf), (52 * DAY, 5e-324, 1e-300)]
    assert registry.bet(1, given_bars) == folded(given_bars)
    assert registry.bet(1, given_bars) == registry.evidence(1)
    assert [bar.bound for bar in registry.bars(1)] == [0.0, math.inf, 1e-300]


@pytest.mark.parametrize(
    ("refused", "match"),
    [
        ([(49 * DAY, 0.1, 0.5)], "cannot count"),
        ([(59 * DAY, 0.1, 0.5)], "was bet on with"),
        ([(59 * DAY + 1, 0.1, 0.5)], "was passed over"),
        ([(61 * DAY, 0.1, 0.5), (61 * DAY, 0.1, 0.5)], "comes after"),
        ([(62 * DAY, 0.1, 0.5), (61 * DAY, 0.1, 0.5)], "comes after"),
    ],
)
def test_bars_out_of_place_are_refused_with_their_batch(registry: Registry, refused: Any, match: str) -> None:
    register(registry)
    registry.bet(1, bars(11))
    with pytest.raises(ClawdError, match=match):
        registry.bet(1, [*refused, (90 * DAY, 0.1, 0.5)])
    assert registry.evidence(1) == folded(bars(11))
    assert len(registry.bars(1)) == 11


def test_a_bad_number_refuses_the_batch(registry: Registry) -> None:
    register(registry)
    with pytest.raises(ValueError, match="finite"):
        registry.bet(1, [(50 * DAY, 0.1, 0.5), (51 * DAY, math.nan, 0.5)])
    assert registry.bars(1) == ()


def test_evidence_from_other_fractions_is_folded_anew(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    register(registry)
    registry.bet(1, bars(10))
    monkeypatch.setattr("clawd.evidence.eprocess.FRACTIONS", (0.25, 0.5, 1.0, 2.0, 4.0, 6.0))
    assert registry.evidence(1) == folded(bars(10))


# The vault, the seals, the shows


def look(registry: Registry, kind: Any = "vault", content_hash: str = "h1", market: str = MARKET, **other: Any) -> int:
    return registry.look(
        kind, content_hash, market, first_ts=50 * DAY, last_ts=99 * DAY, **({"run": "r1", "at": 100 * DAY} | other)
    )


def test_the_vault_is_opened_once_for_each_hypothesis(registry: Registry) -> None:
    assert look(registry) == 1
    for run in ("r1", "r2", ""):
        with pytest.raises(ClawdError, match="opened for this hypothesis on 1970-04-11 by run r1 and is not opened"):
            look(registry, run=run, at=200 * DAY)
    assert look(registry, content_hash="h2") == 1
    assert look(registry, market="1h BTC,ETH") == 1
    assert len(registry.looks("vault")) == 3
    assert [each.at for each in registry.looks("vault", content_hash="h1", market=MARKET)] == [100 * DAY]


def test_looks_at_the_selection_are_counted(registry: Registry) -> None:
    assert [look(registry, "selection", run=run) for run in ("r1", "r2", "r2")] == [1, 2, 3]
    assert len(registry.looks("selection", run="r2")) == 2
    assert registry.looks("vault") == ()


def test_no_other_kind_of_look_is_known(registry: Registry) -> None:
    with pytest.raises(ClawdError, match="selection or vault"):
        look(registry, "glance")


def test_a_look_and_what_it_gave_are_kept_together_or_not_at_all(registry: Registry) -> None:
    register(registry)
    with pytest.raises(RuntimeError), registry.at_once():
        look(registry)
        registry.bet(1, bars(10))
        raise RuntimeError("killed in the middle")
    assert registry.looks() == ()
    assert registry.bars(1) == ()
    with registry.at_once():
        look(registry)
        registry.bet(1, bars(10))
    assert (len(registry.looks()), len(registry.bars(1))) == (1, 10)


def test_what_goes_wrong_in_the_block_is_not_blamed_on_the_file(registry: Registry) -> None:
    with pytest.raises(FileNotFoundError), registry.at_once():
        Path("/nowhere/at/all").read_bytes()


def test_the_earliest_seal_of_any_instrument_holds(registry: Registry) -> None:
    assert registry.sealed_from(["BTC"]) is None
    registry.seal(["ETH", "BTC"], 60 * DAY, 80 * DAY, 99 * DAY, 100 * DAY, "r1")
    registry.seal(["SOL"], 40 * DAY, 50 * DAY, 99 * DAY, 100 * DAY, "r2")
    assert registry.sealed_from(["BTC"]) == 60 * DAY
    assert registry.sealed_from(["BTC", "SOL", "XRP"]) == 40 * DAY
    assert registry.sealed_from(["XRP"]) is None
    assert [seal.run for seal in registry.seals(["SOL"])] == ["r2"]


def test_the_same_seal_is_set_once(registry: Registry) -> None:
    first = registry.seal(["ETH", "BTC"], 60 * DAY, 80 * DAY, 99 * DAY, 100 * DAY, "r1")
    assert registry.seal(["BTC", "ETH"], 60 * DAY, 80 * DAY, 99 * DAY, 500 * DAY, "r1") == first
    assert registry.seals() == (first,)
    registry.seal(["BTC", "ETH"], 61 * DAY, 80 * DAY, 99 * DAY, 500 * DAY, "r1")
    assert len(registry.seals()) == 2


def test_a_seal_out_of_order_is_refused(registry: Registry) -> None:
    for symbols, periods in (([], (1, 2, 3)), (["BTC"], (2, 1, 3)), (["BTC"], (1, 3, 2))):
        with pytest.raises(ClawdError, match="a selection before a vault"):
            registry.seal(symbols, *periods, 100)
    assert registry.seals() == ()


def test_what_was_shown_is_remembered_by_author_and_instrument(registry: Registry) -> None:
    assert registry.shown_until("person", ["BTC"]) is None
    registry.show("person", ["BTC", "ETH"], 10, 100, "backtest")
    registry.show("person", ["BTC"], 30, 100, "backtest")
    registry.show("person", ["BTC"], 20, 100, "backtest")
    assert registry.shown_until("person", ["BTC"]) == 30
    assert registry.shown_until("person", ["ETH"]) == 10
    assert registry.shown_until("person", ["ETH", "BTC", "SOL"]) == 30
    assert registry.shown_until("evolution", ["BTC"]) is None
    registry.show("", ["ETH"], 25, 100, "vault")
    assert registry.shown_until("evolution", ["ETH"]) == 25
    assert registry.shown_until("person", ["ETH"]) == 25
    assert registry.shown_until("*", ["ETH", "BTC"]) == registry.shown_until("", ["ETH", "BTC"]) == 25


# Nothing is taken back


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM {}",
        "UPDATE {} SET rowid = rowid + 1",
        "INSERT OR REPLACE INTO {0} SELECT * FROM {0}",
    ],
)
@pytest.mark.parametrize("table", ["hypotheses", "promotions", "bets", "seals", "looks", "shows"])
def test_every_table_only_grows(registry: Registry, table: str, statement: str) -> None:
    register(registry)
    registry.bet(1, winners(30))
    registry.promote(1, 200 * DAY)
    registry.seal(["BTC"], 60 * DAY, 80 * DAY, 99 * DAY, 100 * DAY, "r1")
    look(registry)
    registry.show("person", ["BTC"], 10, 100, "backtest")
    if table in ("bets", "shows"):
        statement = statement.replace("rowid = rowid + 1", "ts = ts + 1" if table == "bets" else "until = until - 1")
    before = registry._connection.execute(f"SELECT * FROM {table}").fetchall()
    assert before
    with pytest.raises(sqlite3.IntegrityError):
        registry._connection.execute(statement.format(table))
    assert registry._connection.execute(f"SELECT * FROM {table}").fetchall() == before


HYPOTHESIS = "INSERT INTO hypotheses VALUES ({}, 'h9', 'n', 'a', 'm', 0.0, 0.0, 1, {}, 20.0, 1, '')"


@pytest.mark.parametrize(("number", "promotions"), [(1, 0), (3, 0), (2, 1), (0, 0), ("NULL", 1)])
def test_the_file_itself_refuses_a_number_out_of_order(registry: Registry, number: object, promotions: int) -> None:
    register(registry)
    with pytest.raises(sqlite3.IntegrityError):
        registry._connection.execute(HYPOTHESIS.format(number, promotions))


def test_the_file_itself_refuses_a_second_vault_look_and_an_early_bar(registry: Registry) -> None:
    register(registry)
    look(registry)
    write = registry._connection.execute
    with pytest.raises(sqlite3.IntegrityError, match="once"):
        write("INSERT INTO looks VALUES (NULL, 'vault', 'h1', ?, 1, 2, 'r9', 3)", (MARKET,))
    with pytest.raises(sqlite3.IntegrityError, match="not bet on"):
        write("INSERT INTO bets VALUES (1, ?, 0.1, 0.5, NULL)", (49 * DAY,))


# Several processes

CHILD = """
import sys
from pathlib import Path
from clawd.store.registry import Registry

path, who, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
with Registry.open(path) as registry:
    for number in range(count):
        made = registry.register(
            content_hash=f"{who} {number}" if number % 3 else f"both {number}", name="n", author=who, market="1d BTC",
            fee=0.0, slippage=0.0, at=1, counts_from=1, run=who,
        )
        print(made.number, flush=True)
"""

BETTOR = """
import random, sys
from pathlib import Path
from clawd.store.registry import Registry

chance, number = random.Random(3), 0
with Registry.open(Path(sys.argv[1])) as registry:
    while True:
        bars = []
        for _ in range(7):
            bars.append((number, chance.gauss(0.002, 0.01), chance.uniform(0.3, 1.0)))
            number += 1
        registry.bet(1, bars)
        print(number, flush=True)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_processes_that_register_at_once_get_numbers_without_twins_and_gaps(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    children = [start(CHILD, path, who, 150) for who in ("one", "two")]
    for child in children:
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    outputs = [child.communicate(timeout=60)[0].split() for child in children]
    assert [child.returncode for child in children] == [0, 0]
    with Registry.open(path) as registry:
        assert [each.number for each in registry.hypotheses()] == list(range(1, 251))
    one, two = ({int(number) for number in output} for output in outputs)
    assert len(one) == len(two) == 150
    assert len(one & two) == 50  # every third was the same claim
    assert one | two == set(range(1, 251))
    assert max(one) > min(two) and max(two) > min(one), "they took turns"


def test_a_killed_bettor_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    path, chance = tmp_path / "ledger.sqlite", random.Random(8)
    with Registry.open(path) as registry:
        register(registry, counts_from=0)
    for _ in range(4):
        child = start(BETTOR, path)
        assert child.stdout is not None
        reported = int(child.stdout.readline())
        time.sleep(chance.uniform(0, 0.05))
        child.send_signal(signal.SIGKILL)
        for line in child.communicate()[0].split("\n")[:-1]:
            reported = int(line)
        with Registry.open(path) as registry:
            kept = registry.bars(1)
            assert len(kept) >= reported
            assert len(kept) % 7 == 0
            assert [bar.ts for bar in kept] == list(range(len(kept)))
            assert registry.evidence(1) == folded([tuple(bar) for bar in kept])  # type: ignore[misc]


def test_hypotheses_are_plain_values(registry: Registry) -> None:
    made = register(registry)
    assert replace(made, name="x") != made
