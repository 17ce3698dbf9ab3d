"""Random programs, mutations and crossover: whatever chance does, a valid strategy comes of it."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck
from hypothesis import strategies as st

from clawd.authors.starter import starter_library
from clawd.core.errors import ClawdError
from clawd.language import grow as growing
from clawd.language.assembly import admits
from clawd.language.builder import build
from clawd.language.crossover import crossover
from clawd.language.exit_choices import optional_exits, random_exits
from clawd.language.grow import grow, random_population
from clawd.language.json_form import program_json, read_program
from clawd.language.mutation import MUTATIONS, mutate, places, put, replaced
from clawd.language.node import Node, walk
from clawd.language.operators import OPERATORS
from clawd.language.strategy import Strategy, parse_json, parse_toml
from clawd.language.types import CONDITION, MONEY, NUMBER, POSITION, PRICE, QUANTITY, Kind, Parameter, Type, Unit
from clawd.language.vocabulary import CONSTANTS, UNTYPED, WINDOWS, Vocabulary
from examples import tried

NAMES = {"ext": ("vix", "mood"), "book": ("imbalance5",), "deriv": ("funding_8h",), "model": ("mu",)}
WIDE = Vocabulary(names=NAMES, instruments=("BTC", "ETH"), groups=("sector",))
GOALS = [POSITION, CONDITION, *(Type(Kind.SERIES, unit) for unit in (NUMBER, PRICE, QUANTITY, MONEY))]

seeds = st.integers(0, 2**32)


def parents(vocabulary: Vocabulary, count: int = 60) -> list[Strategy]:
    return random_population(Random(7), count, vocabulary)


POPULATION = parents(WIDE)


def strategy(target: str, exits: str = "stop = { atr = 3, window = 14 }") -> Strategy:
    return parse_toml(
        f"name = 'x'\nbar = '1h'\nuniverse = ['A', 'B']\n[position]\ntarget = '{target}'\n[exits]\n{exits}\n"
    )


def valid(child: Strategy, vocabulary: Vocabulary) -> None:
    """It could have been written by a person, and is within the bounds."""
    target = child.target
    assert target.type == POSITION
    assert target.size <= vocabulary.largest
    assert target.depth <= vocabulary.deepest
    assert child.exits.stop is not None
    assert read_program(program_json(target), "target").text == target.text  # canonical: built again, it is the same
    assert parse_toml(child.to_toml()) == child
    assert parse_json(json.dumps(child.to_json())) == child
    assert parse_json(json.dumps(child.to_graph())) == child


@tried(
    100,
    300,
    seeds,
    st.sampled_from(GOALS),
    st.integers(1, 9),
    st.integers(1, 40),
    st.booleans(),
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_what_is_grown_has_its_type_and_its_bounds(seed: int, goal: Type, depth: int, nodes: int, full: bool) -> None:
    node = grow(Random(seed), goal, WIDE, depth, nodes, full=full)
    if node is None:
        return
    assert node.type == goal
    assert node.depth <= depth and node.size <= nodes
    assert read_program(program_json(node), "here").text == node.text


@pytest.mark.parametrize("goal", GOALS, ids=str)
def test_where_there_is_room_something_grows(goal: Type) -> None:
    grown = [grow(Random(seed), goal, WIDE, 8, 30) for seed in range(200)]
    assert sum(node is not None for node in grown) > 190
    assert len({node.text for node in grown if node is not None}) > 100


def test_a_unit_that_no_operator_gives_is_not_grown() -> None:
    assert grow(Random(1), Type(Kind.SERIES, Unit(QUANTITY.currency, 7 * QUANTITY.quantity)), WIDE, 9, 90) is None
    assert grow(Random(1), POSITION, WIDE, 1, 1) is None


def test_a_random_program_uses_only_what_it_is_given() -> None:
    narrow = Vocabulary(
        operators=("close", "high", "ema", "sub", "div", "const", "mul", "long_short", "long_only", "asset", "ext"),
        windows=(3, 7),
        constants=(-2.0, 0.5, 4.0),
    )
    for each in random_population(Random(3), 100, narrow):
        for node in walk(each.target):
            assert node.operator in {*narrow.operators, "add", "neg"}  # the difference is a sum
            assert node.operator not in ("asset", "ext")  # nothing that they could name
            if node.operator == "ema":
                assert node.parameters[0] in narrow.windows


def test_units_are_not_mixed_unless_asked_for() -> None:
    assert not UNTYPED & set(Vocabulary().operators)


def test_a_population_is_distinct_has_the_median_size_and_exits() -> None:
    population = random_population(Random(11), 600, WIDE)
    assert len({each.content_hash for each in population}) == 600
    assert len({each.name for each in population}) == 600
    sizes = [each.target.size for each in population]
    assert statistics.median(sizes) == growing.MEDIAN_SIZE == 12
    assert min(sizes) <= 6 and max(sizes) >= 25
    keys = Counter(key for each in population for key in each.exits.to_json())
    assert keys["stop"] == 600
    assert all(60 < keys[key] < 400 for key in optional_exits())
    used = {node.operator for each in population for node in walk(each.target)}
    plain = {name for name in WIDE.operators if OPERATORS[name].expansion is None and name != "sub"}
    assert len(plain - used) <= len(plain) // 20
    for each in population[:100]:
        valid(each, WIDE)


def test_too_small_a_vocabulary_says_so() -> None:
    with pytest.raises(ClawdError, match="of the 50 wanted"):
        random_population(Random(1), 50, Vocabulary(operators=("const", "long_only"), constants=(1.0,), windows=(2,)))


@tried(
    100,
    300,
    seeds,
    st.sampled_from(POPULATION),
    st.sampled_from(MUTATIONS),
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_every_mutation_gives_a_valid_child_that_differs(seed: int, parent: Strategy, kind: str) -> None:
    child = mutate(Random(seed), parent, WIDE, kind)
    if child is None:
        return
    valid(child, WIDE)
    assert child.content_hash != parent.content_hash
    assert (child.name, child.bar, child.universe) == (parent.name, parent.bar, parent.universe)
    if kind == "exits":
        assert child.target == parent.target
    else:
        assert child.exits == parent.exits
    again = mutate(Random(seed), parent, WIDE, kind)
    assert again == child


@tried(
    100,
    300,
    seeds,
    st.sampled_from(POPULATION),
    st.sampled_from(POPULATION),
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_crossover_gives_two_valid_children_that_differ(seed: int, one: Strategy, other: Strategy) -> None:
    children = crossover(Random(seed), one, other, WIDE)
    if children is None:
        return
    for child, parent in zip(children, (one, other), strict=True):
        valid(child, WIDE)
        assert child.target != parent.target
        assert child.exits == parent.exits
    assert crossover(Random(seed), one, other, WIDE) == children


@tried(
    20, 60, seeds, st.integers(8, 20), st.integers(4, 7), derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
def test_the_bounds_hold_over_many_generations(seed: int, largest: int, deepest: int) -> None:
    random = Random(seed)
    tight = replace(WIDE, largest=largest, deepest=deepest)
    each = next(s for s in POPULATION if s.target.size <= largest and s.target.depth <= deepest)
    mate = next(s for s in reversed(POPULATION) if s.target.size <= largest and s.target.depth <= deepest)
    for _ in range(40):
        each = mutate(random, each, tight) or each
        children = crossover(random, each, mate, tight)
        each, mate = children or (each, mate)
        for child in (each, mate):
            assert child.target.size <= largest and child.target.depth <= deepest
    valid(each, tight)
    valid(mate, tight)


def test_most_mutations_find_a_child() -> None:
    for kind in MUTATIONS:
        found = [mutate(Random(seed), parent, WIDE, kind) for seed, parent in enumerate(POPULATION)]
        assert sum(child is not None for child in found) >= (20 if kind == "constant" else 50), kind


@pytest.mark.parametrize("parent", starter_library(), ids=lambda each: each.name)
def test_the_starter_library_can_be_bred(parent: Strategy) -> None:
    random = Random(5)
    for kind in MUTATIONS:
        child = mutate(random, parent, WIDE, kind)
        if child is not None:
            valid(child, WIDE)
            assert child.content_hash != parent.content_hash
            assert not child.source and not child.claim
    assert any(crossover(random, parent, other, WIDE) for other in POPULATION)


def test_a_parent_out_of_bounds_has_only_children_within() -> None:
    large = next(each for each in starter_library() if each.target.size > 40)
    tight = replace(WIDE, largest=20)
    found = [mutate(Random(seed), large, tight, kind) for seed in range(30) for kind in MUTATIONS]
    children = [child for child in found if child is not None]
    assert children
    assert all(child.target.size <= 20 for child in children)


# Each mutation, by hand.


def children(parent: Strategy, kind: str, vocabulary: Vocabulary = WIDE, tries: int = 80) -> set[str]:
    found = [mutate(Random(seed), parent, vocabulary, kind) for seed in range(tries)]
    return {child.target.text for child in found if child is not None}


def test_a_window_moves_one_step_of_the_grid() -> None:
    assert children(strategy("long_only(ret(close, 20))"), "window") == {
        "long_only(ret(close, 14))",
        "long_only(ret(close, 30))",
    }
    assert children(strategy("long_only(ret(close, 25))"), "window") == {
        "long_only(ret(close, 20))",
        "long_only(ret(close, 30))",
    }
    assert children(strategy("long_only(ret(close, 250))"), "window") == {"long_only(ret(close, 180))"}
    assert children(strategy("long_only(ret(close, 400))"), "window") == {"long_only(ret(close, 250))"}
    assert children(strategy("long_only(ret(close, 1))"), "window") == {"long_only(ret(close, 2))"}
    assert children(strategy("long_only(close / open)"), "window") == set()


def test_a_constant_moves_one_step_and_keeps_its_rules() -> None:
    assert children(strategy("long_only(2 * ret(close, 5))"), "constant") == {
        "long_only(mul(1.5, ret(close, 5)))",
        "long_only(mul(3, ret(close, 5)))",
    }
    assert children(strategy("hysteresis(ret(close, 5), 0.5, 0.5)"), "constant") == {
        "hysteresis(ret(close, 5), 0.7, 0.5)",
        "hysteresis(ret(close, 5), 0.5, 0.3)",
    }
    assert children(strategy("gate(long_only(1), close > open, 1)"), "constant") == {
        "gate(long_only(0.8), gt(close, open), 1)",
        "gate(long_only(1.5), gt(close, open), 1)",
        "gate(long_only(1), gt(close, open), 0.8)",
    }
    assert children(strategy("long_only(clip(ret(close, 5), 0, 0.01))"), "constant") == {
        "long_only(clip(ret(close, 5), -0.01, 0.01))",
        "long_only(clip(ret(close, 5), 0, 0.02))",
    }


def test_a_point_changes_one_operator_for_one_of_its_kind() -> None:
    few = replace(
        WIDE, operators=("close", "high", "volume", "ema", "ts_mean", "ret", "div", "long_only", "long_short")
    )
    assert children(strategy("long_only(ema(close, 5) / close)"), "point", few) == {
        "long_only(div(ts_mean(close, 5), close))",
        "long_only(div(ema(high, 5), close))",
        "long_only(div(ema(close, 5), high))",
        "long_short(div(ema(close, 5), close))",
    }
    ranked = strategy("long_only(ts_rank(ema(close, 5), 9))")
    assert children(ranked, "point", replace(few, operators=("close", "ema", "ret", "ts_rank", "long_only"))) == {
        "long_only(ret(ema(close, 5), 9))"  # and not the rank of a return, which is no price
    }
    names = children(strategy('long_only(ext("vix"))'), "point", replace(few, operators=("ext", "long_only")))
    assert names == {'long_only(ext("mood"))'}


def test_hoisting_leaves_a_part_of_what_was_there() -> None:
    assert children(strategy("smooth(gate(long_only(1), close > open, 0), 5)"), "hoist") == {
        "gate(long_only(1), gt(close, open), 0)",
        "long_only(1)",
        "smooth(long_only(1), 5)",
    }
    assert children(strategy("long_only(ts_rank(close * volume, 5))"), "hoist") == set()  # of other units


def test_shrinking_makes_it_smaller() -> None:
    parent = strategy("long_only(squash(ts_zscore(ema(close, 5) / ts_mean(close, 60), 20)))")
    found = children(parent, "shrink")
    assert found
    for text in found:
        node = build(text)
        assert isinstance(node, Node) and node.size < parent.target.size


def test_wrapping_puts_something_around_a_position() -> None:
    found = children(strategy("long_only(ret(close, 5))"), "wrap", tries=200)
    heads = {text.partition("(")[0] for text in found}
    assert heads == {"gate", "smooth", "scale_to_vol", "min_hold", "no_trade_band"}
    assert all("long_only(ret(close, 5))" in text for text in found)


def test_negating_turns_a_sign_or_a_truth() -> None:
    assert children(strategy("gate(long_only(ret(close, 5)), close > open, 0)"), "negate", tries=200) == {
        "gate(long_only(neg(ret(close, 5))), gt(close, open), 0)",
        "gate(long_only(ret(neg(close), 5)), gt(close, open), 0)",
        "gate(long_only(ret(close, 5)), not(gt(close, open)), 0)",
        "gate(long_only(ret(close, 5)), gt(neg(close), open), 0)",
        "gate(long_only(ret(close, 5)), gt(close, neg(open)), 0)",
    }


def test_exits_move_come_and_go_and_the_stop_stays() -> None:
    parent = strategy("long_only(1)", "stop = { atr = 2, window = 14 }\ntime = 30")
    found = [mutate(Random(seed), parent, WIDE, "exits") for seed in range(400)]
    forms = [child.exits.to_json() for child in found if child is not None]
    assert all("stop" in form for form in forms)
    assert any("time" not in form for form in forms)
    assert {"trail", "take", "time", "cooldown"} <= set(optional_exits()) <= {key for form in forms for key in form}
    assert {form["time"] for form in forms if "time" in form} >= {20, 30, 40}
    assert {form["stop"]["atr"] for form in forms} == {1.6, 2.0, 2.5}  # type: ignore[index]
    assert {form["stop"]["window"] for form in forms} == {10, 14, 20}  # type: ignore[index]


def test_crossover_exchanges_parts_of_one_type() -> None:
    one, other = strategy("long_only(ret(close, 5))"), strategy("smooth(long_short(ts_rank(volume, 9)), 4)")
    seen = set()
    for seed in range(100):
        pair = crossover(Random(seed), one, other, WIDE)
        assert pair is not None
        seen.add((pair[0].target.text, pair[1].target.text))
    assert seen == {
        ("long_only(ts_rank(volume, 9))", "smooth(long_short(ret(close, 5)), 4)"),
        ("long_short(ts_rank(volume, 9))", "smooth(long_only(ret(close, 5)), 4)"),
    }


def test_a_place_is_put_where_it_was() -> None:
    target = strategy("gate(long_only(ret(close, 5)), close > open, 0)").target
    for path, node in places(target):
        assert put(target, path, node) == target
        assert replaced(target, path, node, WIDE) is None
    volume = build("volume")
    assert isinstance(volume, Node)
    assert replaced(target, (0, 0, 0), volume, WIDE) is None  # a volume has no return


@pytest.mark.parametrize("name", [name for name in OPERATORS if OPERATORS[name].signature.parameters])
def test_parameters_are_drawn_from_the_grids_and_admitted(name: str) -> None:
    random = Random(2)
    kinds = OPERATORS[name].signature.parameters
    for _ in range(50):
        drawn = WIDE.parameters(random, name)
        assert drawn is not None and admits(name, drawn)
        for kind, value in zip(kinds, drawn, strict=True):
            if kind is Parameter.WINDOW:
                assert value in WINDOWS
            elif kind is Parameter.CONSTANT:
                assert value in CONSTANTS


def test_exits_by_chance_can_be_read_and_always_have_a_stop() -> None:
    found = [random_exits(Random(seed), WIDE) for seed in range(300)]
    assert all(exits.stop is not None for exits in found)
    assert len(set(found)) > 200
