"""A program as it was drawn: text and graph come to the same strategy, byte for byte, and ids survive an edit."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.authors.starter import find_starter, starter_names
from clawd.core.errors import ClawdError
from clawd.language.findings import Checked, check_graph, check_json, check_text
from clawd.language.graph_findings import blocks_of_graph
from clawd.language.sketch import Block, Sketch, sketch_of, with_ids_of, write_sketch
from clawd.language.strategy import Strategy, parse_json, parse_toml
from language.random_programs import strategies

many = settings(max_examples=80, deadline=None, derandomize=True)


def drawn(checked: Checked) -> dict[str, object]:
    graph = checked.graph()
    assert graph is not None
    return graph


def through_the_graph(text: str) -> Strategy:
    found = check_graph(drawn(check_text(text)))
    assert found.problems == ()
    assert found.strategy is not None
    return found.strategy


@many
@given(strategies(depth=4))
def test_a_text_comes_back_from_its_graph_as_the_same_strategy_and_its_text_then_byte_for_byte(text: str) -> None:
    before = parse_toml(text)
    once = through_the_graph(text)
    assert once == before
    assert (once.content_hash, once.family_hash) == (before.content_hash, before.family_hash)
    settled = through_the_graph(once.to_toml()).to_toml()
    assert through_the_graph(settled).to_toml() == settled


@many
@given(strategies(depth=3))
def test_text_json_and_graph_are_one_canonical_form(text: str) -> None:
    tree = json.dumps(parse_toml(text).to_json())
    of_tree, of_graph = check_json(tree), check_graph(drawn(check_text(text)))
    assert of_tree.strategy is not None
    assert of_graph.strategy is not None
    assert json.dumps(of_tree.strategy.to_json()) == json.dumps(of_graph.strategy.to_json()) == tree


@pytest.mark.parametrize("name", starter_names())
def test_the_starter_library_is_drawn_as_it_is_written(name: str) -> None:
    strategy = find_starter(name)
    again = through_the_graph(strategy.to_toml())
    assert again == strategy
    assert list(again.let.items()) == list(strategy.let.items()), "every part keeps its name, words and place"
    assert again.target_text == strategy.target_text


def text_of(target: str, **let: str) -> str:
    parts = "".join(f"{name} = '{part}'\n" for name, part in let.items())
    return f"name = 'x'\n[let]\n{parts}[position]\ntarget = '{target}'\n[exits]\nstop = {{ percent = 10 }}\n"


def sketch(target: str, **let: str) -> Sketch:
    checked = check_text(text_of(target, **let))
    assert checked.sketch is not None, checked.problems
    return checked.sketch


def operators(found: Sketch) -> list[str]:
    return [block.operator for block in found.ordered()]


def test_macros_differences_and_constants_stand_as_they_were_written() -> None:
    found = sketch("long_only(where(rsi(close, 14) < 30, 1, 0) - 0.5)")
    assert operators(found) == ["const", "close", "rsi", "gt", "const", "const", "where", "const", "sub", "long_only"]


def test_an_equal_part_is_one_block_and_every_constant_is_its_own() -> None:
    found = sketch("long_only(ema(close, 9) / ema(close, 9) * 2 + 2)")
    assert sorted(operators(found)) == sorted(["close", "ema", "div", "const", "mul", "const", "add", "long_only"])


def test_a_named_number_is_one_block_with_its_name_and_a_parameter_its_value() -> None:
    found = sketch("long_only(ema(close, n) / close * half + half)", n="20", half="0.5")
    (named,) = [block for block in found.blocks.values() if block.label == "half"]
    assert (named.operator, named.parameters) == ("const", (0.5,))
    assert next(block for block in found.blocks.values() if block.operator == "ema").parameters == (20,)
    written = write_sketch(found)
    assert written == ({"half": 0.5}, "long_only(ema(close, 20) / close * half + half)")


def test_a_larger_part_that_is_used_twice_gets_a_name() -> None:
    found = Sketch(
        {
            "c": Block("c", "close"),
            "m": Block("m", "ema", (9,), "", {"x": "c"}),
            "d": Block("d", "div", (), "", {"x": "c", "y": "m"}),
            "s": Block("s", "mul", (), "", {"x": "d", "y": "d"}),
            "p": Block("p", "long_only", (), "", {"x": "s"}),
        },
        "p",
    )
    assert write_sketch(found) == ({"div": "close / ema(close, 9)"}, "long_only(div * div)") or write_sketch(found) == (
        {"div_1": "close / ema(close, 9)"},
        "long_only(div_1 * div_1)",
    )


@pytest.mark.parametrize(
    "expression",
    [
        "long_only(close / (open / 2) * 3)",
        "long_only(close / open - (low / high - 1))",
        "long_only(-(close / open))",
        "long_only(-close / open)",
        "long_only(2 - -2)",
        "long_only((close - open) / (high - low))",
        "gate(long_only(1), not (close > open and low > 0), 0)",
        "gate(long_only(1), close > open or open > low and not low > 5 * low, 0)",
        "gate(long_only(1), (close > open or open > low) and low > 5 * high, 0)",
        'long_only(ext("a, b) (é = 1 # x"))',
        "long_only(squash(-2) * (close / open))",
    ],
)
def test_an_expression_is_written_as_a_person_would(expression: str) -> None:
    found = sketch(expression)
    written = write_sketch(found)
    assert written is not None
    parts, target = written
    assert parts == {}
    assert parse_toml(text_of(target)).target == parse_toml(text_of(expression)).target
    assert target == expression


def test_a_sketch_that_would_be_too_long_written_out_is_not_written() -> None:
    blocks = {"n0": Block("n0", "close")}
    for index in range(1, 9):
        blocks[f"n{index}"] = Block(f"n{index}", "add", (), "", {"x": f"n{index - 1}", "y": f"n{index - 1}"})
    parts, _ = write_sketch(Sketch(blocks, "n8")) or ({}, "")
    assert len(parts) == 7, "shared parts are named, so that nothing is written out twice"
    many_parts = {"c": Block("c", "close"), "x": Block("x", "close")}
    for index in range(250):
        many_parts[f"e{index}"] = Block(f"e{index}", "ema", (index + 1,), f"e{index}", {"x": "c"})
        before = f"s{index - 1}" if index else "x"
        many_parts[f"s{index}"] = Block(f"s{index}", "add", (), "", {"x": before, "y": f"e{index}"})
    assert write_sketch(Sketch(many_parts, "s249")) is None


# Ids that survive an edit of the text.


def ids(found: Sketch) -> dict[str, str]:
    return {block.id: block.operator for block in found.blocks.values()}


@many
@given(strategies(depth=3), st.randoms(use_true_random=False))
def test_the_same_text_keeps_every_id_whatever_they_were(text: str, random: Random) -> None:
    found = check_text(text).sketch
    assert found is not None
    names = [f"b{number}" for number in range(len(found.blocks))]
    random.shuffle(names)
    renamed = dict(zip(found.blocks, names, strict=True))
    before = Sketch(
        {
            renamed[block.id]: replace(
                block, id=renamed[block.id], sources={port: renamed[s] for port, s in block.sources.items()}
            )
            for block in found.blocks.values()
        },
        renamed[found.target],
    )
    after = with_ids_of(found, before)
    assert set(after.blocks) == set(before.blocks)
    assert after.target == before.target
    again = with_ids_of(after, before)
    assert again == after


@many
@given(strategies(depth=3), strategies(depth=3))
def test_ids_of_another_text_are_distinct_and_the_program_is_the_same(text: str, other: str) -> None:
    found, before = check_text(text).sketch, check_text(other).sketch
    assert found is not None
    assert before is not None
    after = with_ids_of(found, before)
    assert len(after.blocks) == len(found.blocks)
    assert write_sketch(after) == write_sketch(found)


def test_a_changed_window_and_a_new_gate_leave_the_other_blocks_their_ids() -> None:
    before = sketch("long_only(squash(ema(close, 16) / ema(close, 64) - 1))")
    longer = with_ids_of(sketch("long_only(squash(ema(close, 20) / ema(close, 64) - 1))"), before)
    assert ids(longer) == ids(before)
    gated = with_ids_of(sketch("gate(long_only(squash(ema(close, 16) / ema(close, 64) - 1)), close > open, 0)"), before)
    assert ids(before).items() <= ids(gated).items()
    assert gated.target not in before.blocks


def test_an_operator_that_was_exchanged_keeps_its_place() -> None:
    before = sketch("long_only(squash(ema(close, 16) / close - 1))")
    after = with_ids_of(sketch("long_only(squash(ts_mean(close, 16) / close - 1))"), before)
    (old,) = [name for name, operator in ids(before).items() if operator == "ema"]
    assert ids(after)[old] == "ts_mean"


def test_ids_come_from_a_graph_that_is_broken_as_well() -> None:
    graph = drawn(check_text(text_of("long_only(squash(ema(close, 16) / close - 1))")))
    edges = graph["edges"]
    assert isinstance(edges, list)
    blocks = blocks_of_graph({**graph, "edges": edges[1:], "target": ""})
    after = with_ids_of(sketch("long_only(squash(ema(close, 16) / close - 1))"), Sketch(blocks, ""))
    assert len(set(after.blocks) & set(blocks)) >= len(blocks) - 2


def test_a_sketch_of_two_texts_of_no_limits_is_no_larger_than_a_graph_may_be() -> None:
    assert sketch_of({}, "long_only(1)") is not None
    lines = {f"a{index}": f"a{index - 1} and a{index - 1}" if index else "close > open" for index in range(60)}
    found = check_text(text_of("gate(long_only(1), a59, 0)", **lines))
    assert found.problems == ()
    assert found.sketch is not None
    assert len(found.sketch.blocks) < 100


def test_a_graph_with_a_part_that_cannot_be_a_name_is_refused() -> None:
    with pytest.raises(ClawdError):
        parse_json(json.dumps({**drawn(check_text(text_of("long_only(1)"))), "target": "nothing"}))
