"""A strategy's identity, its two file forms, and what its exits say."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given, settings

from clawd.language.exits import Distance
from clawd.language.strategy import Strategy, load_strategy, parse_json, parse_toml
from language.random_programs import strategies, strategy_toml

BASE = """
name = "base"
bar = "1h"
[let]
fast = "ema(close, 20)"
slow = "ema(close, 60)"
[position]
target = "long_short(50 * (fast - slow) / slow)"
[exits]
stop = { atr = 3, window = 14 }
time = 10
"""


def base(*changes: tuple[str, str]) -> Strategy:
    text = BASE
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return parse_toml(text)


SAME_CONTENT = [
    [('name = "base"', 'name = "another"')],
    [('name = "base"', 'name = "base"\nclaim = "it works"\nsource = "me"')],
    [("fast - slow", "ema(close, 20) - slow")],
    [("fast - slow", "-slow + fast")],
    [("[let]", '[let]\nunused = "volume"')],
    [("atr = 3,", "atr = 3.0,")],
    [('bar = "1h"', 'bar = "60m"')],
    [("50 * (fast - slow) / slow", "(fast - slow) * 50 / slow")],
]
SAME_FAMILY = [
    [('"ema(close, 20)"', '"ema(close, 30)"')],
    [("50 *", "10 *")],
    [("atr = 3,", "atr = 2,")],
    [("window = 14", "window = 20")],
    [("{ atr = 3, window = 14 }", "{ percent = 5 }")],
    [("time = 10", "time = 20")],
    [('bar = "1h"', 'bar = "1d"')],
    [('bar = "1h"\n', "")],
    [('name = "base"', 'name = "base"\nuniverse = ["A"]')],
]
OTHER_FAMILY = [
    [('"ema(close, 20)"', '"ema(open, 20)"')],
    [('"ema(close, 20)"', '"rma(close, 20)"')],
    [("fast - slow", "fast + slow")],
    [("long_short(", "long_only(")],
    [("time = 10\n", "")],
    [("time = 10", "time = 10\ntake = { percent = 5 }")],
]


@pytest.mark.parametrize("changes", SAME_CONTENT)
def test_what_does_not_change_what_is_traded_does_not_change_the_hash(changes: list[tuple[str, str]]) -> None:
    assert base(*changes).content_hash == base().content_hash
    assert base(*changes).family_hash == base().family_hash


@pytest.mark.parametrize("changes", SAME_FAMILY)
def test_other_parameters_are_another_strategy_of_one_family(changes: list[tuple[str, str]]) -> None:
    assert base(*changes).content_hash != base().content_hash
    assert base(*changes).family_hash == base().family_hash


@pytest.mark.parametrize("changes", OTHER_FAMILY)
def test_another_idea_is_another_family(changes: list[tuple[str, str]]) -> None:
    assert base(*changes).content_hash != base().content_hash
    assert base(*changes).family_hash != base().family_hash


def test_the_instruments_are_part_of_the_identity_and_their_order_is_not() -> None:
    """The same program on other instruments is another trial."""
    one, other, turned, both = (
        base(('name = "base"', f'name = "base"\nuniverse = {symbols}')).content_hash
        for symbols in ('["A", "B"]', '["A", "C"]', '["B", "A"]', '["A"]')
    )
    assert one == turned
    assert len({one, other, both, base().content_hash}) == 4


def test_a_family_does_not_depend_on_how_its_parameters_sort() -> None:
    """Commutative inputs are sorted by their text, in which 100 comes before 20: the family must not see it."""
    families = {
        base(("fast - slow", f"ema(close, {a}) + ema(open, {b}) + slow")).family_hash
        for a, b in ((20, 100), (100, 20), (9, 10), (3, 3))
    }
    assert len(families) == 1


def test_the_hash_is_that_of_today() -> None:
    """Ledgers on disk hold these: a change of the language that moves them needs a new LANGUAGE_VERSION."""
    assert base().content_hash == "3e4614f9a46dbd8fd31bb44c3000d942506410723e45e124d8d00d384e9810a5"
    assert base().family_hash == "56d0f3576c037f4cf939350e6361dbeb5d0f452ff854e2c08a2d95c13898e94e"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(strategies())
def test_a_strategy_comes_back_from_json_as_it_was(text: str) -> None:
    strategy = parse_toml(text)
    again = parse_json(json.dumps(strategy.to_json()))
    assert again == strategy
    assert hash(again) == hash(strategy)
    assert again.content_hash == strategy.content_hash
    assert again.family_hash == strategy.family_hash
    assert again.lookback == strategy.lookback
    assert again.to_json() == strategy.to_json()


@pytest.mark.parametrize(
    "target",
    [
        "long_only((" + " + ".join(["close"] * 90) + ") / open)",
        "long_only(" + "ema(" * 80 + "close / open" + ", 2)" * 80 + ")",
        "gate(long_only(1), " + "not (close > open and " * 40 + "low > high" + ")" * 40 + ", 0)",
        "long_only(delay(delay(close, 4000), 4000) / close)",
        "long_only(1000000000000000 * 1000000000000000)",
        "long_only(0.1 + 0.2)",
        "long_only(1e-300)",
        "long_only(-0.0)",
        'long_only(ext("a, b) (é"))',
    ],
)
def test_a_strategy_at_the_edge_of_the_language_comes_back_from_json(target: str) -> None:
    strategy = base(('"long_short(50 * (fast - slow) / slow)"', f"'{target}'"))
    again = parse_json(json.dumps(strategy.to_json()))
    assert again == strategy
    assert again.family_hash == strategy.family_hash


def test_a_file_is_read_by_its_suffix(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.toml").write_text(BASE)
    (tmp_path / "a.json").write_text(json.dumps(base().to_json()))
    assert load_strategy(tmp_path / "a.toml") == load_strategy(tmp_path / "a.json")


def test_the_lookback_is_that_of_the_program_or_of_the_exits() -> None:
    assert base().lookback == 240
    assert base(("window = 14", "window = 100")).lookback == 401
    assert base(("{ atr = 3, window = 14 }", "{ percent = 5 }")).exits.lookback == 0


def test_exits_say_their_distances() -> None:
    exits = base(("time = 10", "take = { percent = 4 }\ncooldown = 3")).exits
    assert exits.distances == (Distance(3.0, 14), Distance(4.0, None))
    assert (exits.time, exits.cooldown) == (None, 3)
    assert [str(distance) for distance in exits.distances] == [
        "3 average true ranges of 14 bars",
        "4 % of the entry price",
    ]


@pytest.mark.parametrize("seed", range(30))
def test_the_same_seed_writes_the_same_strategy(seed: int) -> None:
    assert strategy_toml(Random(seed), 3) == strategy_toml(Random(seed), 3)
