"""Every combination of a strategy's parameters."""

from __future__ import annotations

import itertools

import pytest

from clawd.authors.parameter_grid import MOST_COMBINATIONS, parameter_grid, read_values
from clawd.core.errors import ClawdError
from clawd.language.strategy import parse_toml

TEXT = """
name = "two means"
universe = ["A"]
[let]
fast = {fast}
slow = {slow}
spread = "ema(close, fast) - ema(close, slow)"
[position]
target = "long_short(sign(spread))"
[exits]
stop = {{ percent = 10 }}
"""
STRATEGY = parse_toml(TEXT.format(fast=10, slow=50))


def test_each_variant_is_the_strategy_that_its_numbers_would_have_been_written_as() -> None:
    variants = parameter_grid(STRATEGY, {"slow": ("40", "50"), "fast": ("5", "10", "20")})
    assert [tuple(each.values.items()) for each in variants] == [
        (("slow", slow), ("fast", fast)) for slow, fast in itertools.product(("40", "50"), ("5", "10", "20"))
    ]
    for each in variants:
        written = parse_toml(TEXT.format(**each.values))
        assert each.strategy.content_hash == written.content_hash
        assert each.strategy.let == written.let
        assert (each.strategy.universe, each.strategy.exits) == (STRATEGY.universe, STRATEGY.exits)
    assert variants[4].strategy.content_hash == STRATEGY.content_hash
    assert variants[0].strategy.name == "two means (slow=40, fast=5)"
    assert len({each.strategy.family_hash for each in variants}) == 1


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("n=10,20,30", ["10", "20", "30"]),
        (" n = 10 , 0.5 ", ["10", "0.5"]),
        ("n=10:40:10", ["10", "20", "30", "40"]),
        ("n=10:45:10", ["10", "20", "30", "40"]),
        ("n=0.1:0.5:0.1", ["0.1", "0.2", "0.3", "0.4", "0.5"]),
        ("n=-1:1:1,5", ["-1", "0", "1", "5"]),
        ("n=1e1,2.50", ["10", "2.5"]),
        ("n=3:3:1", ["3"]),
    ],
)
def test_values_are_listed_or_span_a_range(text: str, values: list[str]) -> None:
    assert read_values(text) == ("n", tuple(values))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n", "names no parameter"),
        ("=1,2", "names no parameter"),
        ("n=", "names no parameter"),
        ("n=a", "`a` is not a number"),
        ("n=1,,2", "`` is not a number"),
        ("n=nan", "a number of at most"),
        ("n=inf", "a number of at most"),
        ("n=1e400", "a number of at most"),
        ("n=1,2,1.0", "the value 1 stands twice"),
        ("n=1:2", "is not a range"),
        ("n=1:2:0", "is empty"),
        ("n=2:1:1", "is empty"),
        ("n=1:2:-1", "is empty"),
        ("n=0:1:0.000001", "more than 100,000 values"),
    ],
)
def test_values_that_are_none_are_refused(text: str, message: str) -> None:
    with pytest.raises(ClawdError, match=message):
        read_values(text)


def test_only_numbers_under_let_are_parameters() -> None:
    with pytest.raises(ClawdError, match=r"no parameter `fats` \(did you mean `fast`\?\)"):
        parameter_grid(STRATEGY, {"fats": ("1",)})
    with pytest.raises(ClawdError, match="no parameter `spread`"):
        parameter_grid(STRATEGY, {"spread": ("1",)})
    bare = parse_toml('name = "x"\n[position]\ntarget = "long_only(1)"\n[exits]\nstop = { percent = 1 }\n')
    with pytest.raises(ClawdError, match=r"name a number under \[let\]"):
        parameter_grid(bare, {"n": ("1",)})


def test_a_value_that_does_not_fit_is_named() -> None:
    with pytest.raises(ClawdError, match=r"fast=0\.5: "):
        parameter_grid(STRATEGY, {"fast": ("5", "0.5")})


def test_there_is_an_end_to_it() -> None:
    many = tuple(str(number) for number in range(2, 402))
    with pytest.raises(ClawdError, match="160,000 combinations, more than 100,000"):
        parameter_grid(STRATEGY, {"fast": many, "slow": many})
    assert MOST_COMBINATIONS == 100_000
