"""Text, JSON and node graph are one thing: every way from one form to another comes to the same strategy."""

from __future__ import annotations

import contextlib
import json
import re
import tomllib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import strategies as st

from clawd.authors.starter import find_starter, starter_names
from clawd.core.errors import ClawdError
from clawd.language.builder import build
from clawd.language.graph_form import input_ports, parameter_names, result_port
from clawd.language.json_form import program_json, read_program
from clawd.language.node import Node, walk
from clawd.language.operators import OPERATORS
from clawd.language.strategy import Strategy, load_strategy, parse_json, parse_toml
from clawd.language.text_form import toml_value, written
from examples import tried
from language.random_programs import strategies

FORMS = {
    "written": lambda s: parse_toml(s.to_toml()),
    "text": lambda s: parse_toml(replace(s, let={}, target_text="").to_toml()),
    "json": lambda s: parse_json(json.dumps(s.to_json())),
    "graph": lambda s: parse_json(json.dumps(s.to_graph())),
}
EXITS = "[exits]\nstop = { percent = 10 }\n"


def target(text: str, let: str = "") -> Strategy:
    return parse_toml(f"name = 'x'\n[let]\n{let}\n[position]\ntarget = '{text}'\n{EXITS}")


def same(one: Strategy, other: Strategy) -> None:
    assert other == one
    assert (other.content_hash, other.family_hash) == (one.content_hash, one.family_hash)
    assert other.lookback == one.lookback


@tried(150, 500, strategies(depth=4), st.lists(st.sampled_from(list(FORMS)), min_size=1, max_size=5), derandomize=True)
def test_every_way_through_the_forms_comes_to_the_same_strategy(text: str, way: list[str]) -> None:
    strategy = again = parse_toml(text)
    for form in way:
        again = FORMS[form](again)
        same(strategy, again)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", starter_names())
def test_the_starter_library_comes_back_from_every_form(name: str, form: str) -> None:
    same(find_starter(name), FORMS[form](find_starter(name)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "text",
    [
        "long_only((" + " + ".join(["close"] * 90) + ") / open)",
        "long_only(" + "ema(" * 80 + "close / open" + ", 2)" * 80 + ")",
        "gate(long_only(1), " + "not (close > open and " * 40 + "low > high" + ")" * 40 + ", 0)",
        "gate(long_only(1), " + "(close > open and " * 96 + "low > high" + ")" * 96 + ", 0)",
        "long_only(" + "1 / (" * 95 + "close / open" + ")" * 95 + ")",
        "long_only(" + "-(1 + " * 48 + "close / open" + ")" * 48 + ")",
        "long_only(delay(delay(close, 4000), 4000) / close)",
        "long_only(1000000000000000 * 1000000000000000)",
        "long_only(1000000000000000)",
        "long_only(0.1 + 0.2)",
        "long_only(1e-300)",
        "long_only(-0.0)",
        'long_only(ext("a, b) (é = 1 # x"))',
        "long_only(" + " + ".join(f'ext("{index}{dots}")' for index, dots in enumerate(["." * 70] * 40)) + ")",
        "long_only((" + " + ".join(f"clip(close / open, 0.{i}1, 0.{i}2)" for i in range(600)) + ") / 2)",
    ],
)
def test_a_program_at_the_edge_of_the_language_comes_back_from_every_form(text: str, form: str) -> None:
    try:
        strategy = target(text)
    except ClawdError as error:
        assert "deeper" in str(error) or "longer" in str(error)
        strategy = target(
            "long_only(squash(" + "+".join(f"clip(close / open, 0.{i}1, 0.{i}2)" for i in range(90)) + "))"
        )
    same(strategy, FORMS[form](strategy))


def test_a_name_with_every_kind_of_sign_comes_back_from_text() -> None:
    for word in (
        "a 'b'",
        'a "b"',
        "a 'b' \"c\"",
        "a\\nb",
        "tab and \\u00e9 é 中 🚀",
        "# not a comment",
        "[x]",
        "a = 1",
    ):
        strategy = replace(target("long_only(1)"), name=word, source=word + "\n" + word, claim=word, target_text="")
        same(strategy, parse_toml(strategy.to_toml()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("long_only(add(mul(2, squash(1 - close / open)), 1))", "long_only(2 * squash(1 - close / open) + 1)"),
        ("long_only((close - open) / (high - low))", "long_only((close - open) / (high - low))"),
        ("long_only(close / (open / 2) * 3)", "long_only(3 * (close / (open / 2)))"),
        ("long_only((close * 2 + open) / low)", "long_only((2 * close + open) / low)"),
        ("long_only(-(close / open))", "long_only(-(close / open))"),
        ("long_only(-close / open)", "long_only(-close / open)"),
        ("long_only(close / open - (low / high - 1))", "long_only(close / open - (low / high - 1))"),
        ("long_only(squash(-2) * (close / open))", "long_only(squash(-2) * (close / open))"),
        ("long_only(-2 * (close / open))", "long_only(-2 * (close / open))"),
        (
            "gate(long_only(1), not (close > open and 0 < low), 0)",
            "gate(long_only(1), not (close > open and low > 0), 0)",
        ),
        ("gate(long_only(1), (0 > close or open > low) and not low > high, 0)", None),
        ("gate(long_only(1), close > open or open > low and low > high, 0)", None),
        ("gate(long_only(1), (not low > high), 0)", "gate(long_only(1), not low > high, 0)"),
        ("gate(long_only(1), (0 > close - open), 0)", "gate(long_only(1), close - open < 0, 0)"),
    ],
)
def test_an_expression_is_written_with_the_fewest_brackets(text: str, expected: str | None) -> None:
    node = build(text)
    assert isinstance(node, Node)
    parts, out = written(node)
    assert not parts
    assert build(out) == node
    if expected is not None:
        assert len(out) <= len(expected)
        assert build(expected) == node
    for index, letter in enumerate(out):  # no pair of brackets can be spared
        if letter == "(" and (index == 0 or not out[index - 1].isalnum()):
            depth, end = 0, index
            for end in range(index, len(out)):
                depth += {"(": 1, ")": -1}.get(out[end], 0)
                if depth == 0:
                    break
            spared = out[:index] + out[index + 1 : end] + out[end + 1 :]
            with contextlib.suppress(ClawdError):
                assert build(spared) != node


def test_a_part_that_is_used_twice_is_written_once() -> None:
    strategy = target("long_only(squash(a + ema(a, 3)) / b)", 'a = "ema(close / ts_mean(close, 20), 5)"\nb = "a * 2"')
    parts, text = written(strategy.target)
    assert len(parts) == 1
    assert (text + "".join(parts.values())).count("ts_mean") == 1
    graph = strategy.to_graph()
    assert [node["op"] for node in graph["nodes"]].count("ts_mean") == 1  # type: ignore[union-attr]


def test_a_program_of_many_shared_parts_stays_short_as_text_and_as_a_graph() -> None:
    doubling = "\n".join(["a0 = 'close'", *(f"a{i + 1} = 'a{i} + ema(a{i}, 2)'" for i in range(9))])
    strategy = target("long_only(a9 / close)", doubling)
    assert strategy.target.size > 1_500
    parts, text = written(strategy.target)
    assert len(text) + sum(map(len, parts.values())) < 500
    assert len(strategy.to_graph()["nodes"]) < 25  # type: ignore[arg-type]
    same(strategy, FORMS["text"](strategy))
    same(strategy, FORMS["graph"](strategy))


def test_names_of_parts_travel_as_labels() -> None:
    let = 'fast = "ema(close, 5)"\nslow = "ema(close, 50)"\nunused = "volume"\nlength = 20\ntwin = "ema(close, 5)"'
    strategy = target("long_only((fast - slow) / ts_mean(close, length))", let)
    graph = strategy.to_graph()
    labels = {node["label"]: node["op"] for node in graph["nodes"] if "label" in node}  # type: ignore[union-attr]
    assert labels == {"fast": "ema", "slow": "ema"}
    again = parse_json(json.dumps(graph))
    assert dict(again.let) == {"fast": "ema(close, 5)", "slow": "ema(close, 50)"}
    assert tomllib.loads(again.to_toml())["let"] == dict(again.let)
    assert "fast - slow" in again.target_text


def test_text_comes_back_as_it_was_written_and_not_where_the_program_is_another() -> None:
    strategy = target("long_only(rsi(close, n) / 100)", "n = 14")
    assert "rsi(close, n)" in strategy.to_toml()
    other = replace(strategy, target=target("long_only(close / open)").target)
    assert "close / open" in other.to_toml()
    same(other, parse_toml(other.to_toml()))


@tried(150, 500, strategies(), st.randoms(use_true_random=False), derandomize=True)
def test_moving_and_renaming_nodes_changes_nothing(text: str, random: Random) -> None:
    strategy = parse_toml(text)
    graph = json.loads(json.dumps(strategy.to_graph()))
    names = {node["id"]: f"{random.randrange(10**9)} é {index}" for index, node in enumerate(graph["nodes"])}
    for node in graph["nodes"]:
        node["id"] = names[node["id"]]
    for edge in graph["edges"]:
        edge["from"], edge["to"] = names[edge["from"]], names[edge["to"]]
    graph["target"] = names[graph["target"]]
    graph["layout"] = {names[name]: [random.uniform(-1e6, 1e6), 3] for name in graph["layout"] if random.random() < 0.5}
    random.shuffle(graph["nodes"])
    random.shuffle(graph["edges"])
    same(strategy, parse_json(json.dumps(graph)))


@tried(150, 500, strategies(), derandomize=True)
def test_a_graph_holds_every_part_once_and_its_layout_apart(text: str) -> None:
    strategy = parse_toml(text)
    graph = strategy.to_graph()
    nodes, edges, layout = graph["nodes"], graph["edges"], graph["layout"]
    assert len(nodes) == len({node.text for node in walk(strategy.target)})  # type: ignore[arg-type]
    assert all(set(node) <= {"id", "op", "parameters", "label"} for node in nodes)  # type: ignore[union-attr]
    assert {node["id"] for node in nodes} == set(layout)  # type: ignore[union-attr, call-overload]
    assert len({tuple(place) for place in layout.values()}) == len(nodes)  # type: ignore[union-attr, arg-type]
    for edge in edges:  # type: ignore[union-attr]
        assert layout[edge["from"]][0] < layout[edge["to"]][0]  # type: ignore[index]


def test_a_graph_may_use_macros_and_the_difference() -> None:
    graph = {
        "clawd": 1,
        "name": "x",
        "nodes": [
            {"id": "price", "op": "close"},
            {"id": "strength", "op": "rsi", "parameters": {"w": 14}},
            {"id": "middle", "op": "const", "parameters": {"k": 50}},
            {"id": "distance", "op": "sub", "label": "distance"},
            {"id": "held", "op": "hysteresis", "parameters": {"k": 20, "k2": 5}},
        ],
        "edges": [
            {"from": "price", "to": "strength", "port": "x"},
            {"from": "middle", "to": "distance", "port": "y"},
            {"from": "strength", "to": "distance", "port": "x"},
            {"from": "distance", "to": "held", "port": "x"},
        ],
        "target": "held",
        "exits": {"stop": {"percent": 10}},
    }
    assert parse_json(json.dumps(graph)) == target("hysteresis(rsi(close, 14) - 50, 20, 5)")


def test_a_graph_file_is_read_by_its_nodes(tmp_path) -> None:  # type: ignore[no-untyped-def]
    strategy = find_starter("macd")
    (tmp_path / "graph.json").write_text(json.dumps(strategy.to_graph()))
    same(strategy, load_strategy(tmp_path / "graph.json"))


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=list(OPERATORS))
def test_every_operator_has_typed_ports(operator) -> None:  # type: ignore[no-untyped-def]
    ports = input_ports(operator)
    assert [port.name for port in ports] == list("xyzuv"[: len(operator.signature.inputs)])
    names = parameter_names(operator.name)
    assert len(set(names)) == len(names) == len(operator.signature.parameters)
    words = (*operator.signature.inputs, operator.signature.result)
    for port, word in zip((*ports, result_port(operator)), words, strict=True):
        assert port.kind == {"B": "condition", "P": "position"}.get(word, "series")
        assert bool(port.unit) == (port.kind == "series")


def test_ports_and_parameters_by_hand() -> None:
    assert [(port.kind, port.unit) for port in input_ports(OPERATORS["where"])] == [
        ("condition", ""),
        ("series", "d"),
        ("series", "d"),
    ]
    assert result_port(OPERATORS["div"]).unit == "d/e"
    assert result_port(OPERATORS["ret"]).unit == "num"
    assert parameter_names("clip") == ("k", "k2")
    assert parameter_names("macd") == ("w", "w2", "w3")
    assert parameter_names("asset") == ("a",)
    assert parameter_names("close") == ()


@tried(150, 500, strategies(depth=4), derandomize=True)
def test_a_part_of_a_program_comes_back_from_json_with_its_type(text: str) -> None:
    for node in walk(parse_toml(text).target):
        again = read_program(json.loads(json.dumps(program_json(node))), "here")
        assert again == node
        assert (again.type, again.lookback, again.size, again.depth) == (
            node.type,
            node.lookback,
            node.size,
            node.depth,
        )


words = st.text(st.characters(exclude_categories=["Cs"])) | st.just("\x7f")
anything = st.recursive(
    st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), inner),
    max_leaves=8,
)


@tried(150, 500, anything, derandomize=True)
def test_a_value_is_written_as_toml_reads_it(value: object) -> None:
    assert tomllib.loads(f"x = {toml_value(value)}")["x"] == value


def test_names_grow_in_a_row() -> None:
    """Generated names are never those of operators, nor the same twice."""
    strategy = target("long_only(squash(a) + a + b + squash(b))", 'a = "close / open - 1"\nb = "low / open - 1"')
    parts, _ = written(strategy.target)
    assert len(parts) == 2
    assert not set(parts) & set(OPERATORS)
    assert all(one != other for one, other in pairwise(parts))


def test_the_examples_of_the_documentation_work() -> None:
    text = (Path(__file__).parents[2] / "docs" / "strategies.md").read_text(encoding="utf-8")
    (drawn,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert parse_json(drawn) == replace(target("long_only((close - ema(close, 20)) / close)"), name="above the mean")
    (tree,) = re.findall(r"`(\{\"op\".*?\})`", text)
    assert read_program(json.loads(tree), "here").text == "ema(close, 20)"
    (bred,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, object] = {}
    exec(bred, names)
    assert len(names["population"]) == 100  # type: ignore[arg-type]
