"""Everything that is wrong with a strategy is said at once, each with its place, and nothing that is right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.language.exits import exit_problems, read_exits
from clawd.language.explain import sentence
from clawd.language.findings import check_graph, check_json, check_text
from clawd.language.graph_findings import MOST_PROBLEMS
from clawd.language.problem import Problem
from clawd.language.strategy import parse_json, parse_toml
from language.random_programs import strategies
from language.test_graph_errors import GONE, GOOD, with_edge, with_more, with_node

Form = Mapping[str, Any]
many = settings(max_examples=80, deadline=None, derandomize=True)


def said(form: Form) -> list[tuple[str | None, str | None, str]]:
    return [(problem.node, problem.port or problem.parameter, problem.what) for problem in check_graph(form).problems]


def test_a_good_graph_has_no_problem_and_every_wire_its_unit() -> None:
    checked = check_graph(GOOD)
    assert checked.problems == ()
    assert checked.strategy == parse_json(json.dumps(GOOD))
    words = {name: (str(kind), kind.unit.word) for name, kind in checked.types.items()}
    assert words["fast"] == ("a price", "px")
    assert words["size"] == ("a volume", "qty")
    assert words["above"][0] == "a condition"
    assert words["sized"][0] == "a position"


@pytest.mark.parametrize(
    ("form", "found"),
    [
        (
            with_edge(GOOD, "above", "y", {}),
            [
                ("above", "y", "nothing is connected, and `gt` needs a series here"),
                ("slow", None, "`ema` does not lead to the position that is held"),
            ],
        ),
        (
            with_edge(GOOD, "above", "y", {"from": "size"}),
            [
                ("above", "y", "`>` needs the same unit on both sides: x is a price, y is a volume"),
                ("slow", None, "`ema` does not lead to the position that is held"),
            ],
        ),
        (
            with_node(GOOD, "fast", {"parameters": {"w": 5, "v": 5}}),
            [("fast", None, "`ema` has no parameter `v`")],
        ),
        (
            with_node(GOOD, "fast", {"parameters": GONE}),
            [("fast", "w", "`ema` lacks its parameter `w`")],
        ),
        (
            with_node(GOOD, "fast", {"parameters": {"w": 0}}),
            [("fast", "w", "a window is a whole number from 1 to 5,000, not 0")],
        ),
        (
            with_node(GOOD, "fast", {"parameters": {"w": "x"}}),
            [
                (
                    "fast",
                    "w",
                    "`ema` needs a window: a whole number of bars here, known before it runs, write ema(series, bars)",
                )
            ],
        ),
        (
            with_node(GOOD, "kept", {"parameters": {"k": 1, "k2": 0}}),
            [("kept", None, "`clip` needs the lower constant first")],
        ),
        (
            with_edge(GOOD, "fast", "x", {"from": "above"}),
            [
                ("above", None, "the edges go round in a circle: above → fast → above"),
            ],
        ),
        (
            {**GOOD, "target": ""},
            [(None, None, "no block is the position that the strategy holds")],
        ),
        (
            {**GOOD, "target": "gone"},
            [(None, None, "there is no node `gone`")],
        ),
        (
            {**GOOD, "target": "above"},
            [
                ("above", None, "the target must be a position, this is a condition"),
                *(
                    (name, None, f"`{op}` does not lead to the position that is held")
                    for name, op in (
                        ("size", "volume"), ("busy", "ts_rank"), ("kept", "clip"), ("below", "not"),
                        ("side", "signal_if"), ("sized", "share_by"),
                    )
                ),
            ],
        ),
        (
            with_more(GOOD, "nodes", {"id": "extra", "op": "close"}),
            [("extra", None, "`close` does not lead to the position that is held")],
        ),
        (
            with_more(GOOD, "edges", {"from": "gone", "to": "above", "port": "x"}),
            [(None, None, "it leads from `gone`, and there is no such node")],
        ),
        (
            with_more(GOOD, "edges", {"from": "price", "to": "above", "port": "x"}),
            [("above", "x", "two edges lead to this port, from fast and from price")],
        ),
        (
            with_more(GOOD, "edges", {"from": "price", "to": "above", "port": "w"}),
            [("above", None, "`gt` has no port `w`")],
        ),
        (with_node(GOOD, "fast", {"label": "slow"}), [("slow", "label", "the label `slow` stands twice")]),
        (with_node(GOOD, "fast", {"label": "ema"}), [("fast", "label", "`ema` is an operator and cannot be bound")]),
    ],
)  # fmt: skip
def test_each_kind_of_fault_is_said_at_its_place(form: Form, found: list[tuple[str | None, str | None, str]]) -> None:
    assert sorted(said(form), key=str) == sorted(found, key=str)


def test_a_wrong_operator_does_not_hide_what_else_is_wrong() -> None:
    form = with_node(with_node(GOOD, "fast", {"op": "emma"}), "kept", {"parameters": {"k": 1, "k2": 0}})
    found = said({**form, "name": "", "exits": {"stop": {"percent": 200}, "tim": 3}})
    assert ("fast", None, "unknown operator 'emma'") in found
    assert ("kept", None, "`clip` needs the lower constant first") in found
    assert (None, None, "the strategy has no name") in found
    assert (None, None, "percent must be above 0 and at most 95, not 200") in found
    assert (None, None, "unknown exit `tim`") in found


def test_what_is_wrong_upstream_is_not_said_again_downstream() -> None:
    found = said(with_edge(GOOD, "fast", "x", {}))
    assert found == [("fast", "x", "nothing is connected, and `ema` needs a series here")]


def test_a_fault_beside_another_is_found_though_one_input_is_not_known() -> None:
    form = with_edge(with_edge(GOOD, "side", "x", {}), "side", "y", {"from": "price"})
    assert ("side", "y", "`signal_if` needs a condition here, this is a price") in said(form)


def test_both_inputs_of_a_block_can_be_wrong() -> None:
    form = with_edge(with_edge(GOOD, "side", "x", {"from": "price"}), "side", "y", {"from": "size"})
    wrong = [(port, what) for node, port, what in said(form) if node == "side"]
    assert wrong == [
        ("x", "`signal_if` needs a condition here, this is a price"),
        ("y", "`signal_if` needs a condition here, this is a volume"),
    ]


def test_units_of_sound_parts_are_told_where_others_are_broken() -> None:
    types = check_graph(with_edge(GOOD, "side", "x", {})).types
    assert types["fast"].unit.word == "px"
    assert str(types["side"]) == "a position", "its signature says so whatever comes in"
    assert str(types["sized"]) == "a position"


def test_every_suggestion_is_a_suggestion() -> None:
    form = with_edge(with_node(GOOD, "busy", {"op": "ts_rnak"}), "above", "y", {"from": "size"})
    hints = {problem.hint for problem in check_graph(form).problems}
    assert "did you mean `ts_rank`?" in hints
    assert any(hint and hint.startswith("put a price here") for hint in hints)


def test_no_more_problems_are_listed_than_can_be_read() -> None:
    form = {**GOOD, "nodes": [*GOOD["nodes"], *({"id": f"x{index}", "op": "ema"} for index in range(400))]}
    assert len(check_graph(form).problems) == MOST_PROBLEMS


BREAKS = ("edge", "from", "port", "op", "parameter", "target", "node", "label", "exits", "name")


def broken(form: dict[str, Any], random: Random) -> dict[str, Any]:
    """The graph with one thing changed by chance, to the worse or not."""
    form = json.loads(json.dumps(form))
    nodes, edges = form["nodes"], form["edges"]
    match random.choice(BREAKS):
        case "edge" if edges:
            edges.pop(random.randrange(len(edges)))
        case "from" if edges:
            random.choice(edges)["from"] = random.choice(nodes)["id"]
        case "port" if edges:
            random.choice(edges)["port"] = random.choice("xyzq")
        case "op":
            random.choice(nodes)["op"] = random.choice(("close", "ema", "gt", "where", "gate", "nothing", "macd"))
        case "parameter":
            node = random.choice(nodes)
            node["parameters"] = {"w": random.choice((0, 3, 1e9, "x")), "k": 1}
        case "target":
            form["target"] = random.choice(nodes)["id"]
        case "node" if len(nodes) > 1:
            nodes.pop(random.randrange(len(nodes)))
        case "label":
            random.choice(nodes)["label"] = random.choice(("a", "a", "ema", "1"))
        case "exits":
            form["exits"] = random.choice(({}, {"stop": {"percent": -1}}, {"stop": {"atr": 1, "window": 2}, "x": 1}))
        case "name":
            form["name"] = ""
        case _:
            pass
    return form


@many
@given(strategies(depth=3), st.randoms(use_true_random=False), st.integers(1, 4))
def test_a_graph_has_a_problem_if_and_only_if_it_is_refused(text: str, random: Random, breaks: int) -> None:
    form: dict[str, Any] = check_text(text).graph() or {}
    for _ in range(breaks):
        form = broken(form, random)
    checked = check_graph(form)
    try:
        strategy = parse_json(json.dumps(form))
    except ClawdError:
        assert checked.problems
        assert checked.strategy is None
    else:
        assert checked.problems == ()
        assert checked.strategy == strategy
    known = {node["id"] for node in form["nodes"]}
    assert all(problem.node is None or problem.node in known for problem in checked.problems)
    assert len(set(checked.problems)) == len(checked.problems), "nothing is said twice"


@many
@given(strategies(depth=3), st.data())
def test_a_text_has_a_problem_if_and_only_if_it_is_refused(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    what = data.draw(st.sampled_from(("", "(", ")", "x", "close", "0", " + open", '"', "\n", "é", "]", ",")))
    changed = text[:at] + what + text[at + data.draw(st.integers(0, 3)) :]
    checked = check_text(changed)
    try:
        strategy = parse_toml(changed)
    except ClawdError:
        assert checked.problems
        assert checked.strategy is None
    else:
        assert checked.problems == ()
        assert checked.strategy == strategy
    lines = changed.split("\n")
    for problem in checked.problems:
        if problem.line is not None:
            assert 1 <= problem.line <= len(lines) + 1
            assert problem.column is not None
            assert problem.column >= 1


WRONG = """name = "x"
bar = "fortnight"
colour = 3

[let]
fast = "ema(close, 0)"
slow = 'ema(closs, 3)'
both = "fast + slow"
mood = "ext(\\"vix\\") + clos"

[position]
target = \"\"\"
gate(long_only(1),
  fast > 3 and volume > close, 0)\"\"\"

[exits]
stop = { percent = 200 }
tak = 3
"""


def test_everything_wrong_with_a_text_has_its_line_and_column() -> None:
    found = {(problem.line, problem.column): problem.what for problem in check_text(WRONG).problems}
    assert set(found) == {(2, 7), (3, 10), (6, 20), (7, 13), (9, 24), (17, 8), (18, 7)}
    assert found[7, 13] == "unknown name `closs`, did you mean `close`?"
    assert found[6, 20].startswith("a window is a whole number")
    lines = WRONG.split("\n")
    for (line, column), word in {(6, 20): "0)", (7, 13): "closs", (9, 24): "clos", (17, 8): "{ percent"}.items():
        assert lines[line - 1][column - 1 :].startswith(word)


def test_a_fault_within_a_text_of_several_lines_has_its_own_line() -> None:
    mended = (
        WRONG.replace("ema(close, 0)", "ema(close, 9)").replace("fast > 3", "fast > open").replace("closs", "close")
    )
    (found,) = [problem for problem in check_text(mended).problems if problem.where == "position.target"]
    assert mended.split("\n")[(found.line or 0) - 1][(found.column or 0) - 1 :].startswith("volume > close")


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [('name = "x\n', 1, 10), ("name = 'x'\n[let\n", 2, 5), ("a = 1\na = 2\n", 2, 6)],
)
def test_what_is_no_toml_has_its_line(text: str, line: int, column: int) -> None:
    (found,) = check_text(text).problems
    assert (found.line, found.column) == (line, column)
    assert "at line" not in found.what


def test_what_is_no_json_has_its_line_and_a_wrong_operator_its_path() -> None:
    (found,) = check_json('{\n "clawd": }').problems
    assert (found.line, found.column) == (2, 11)
    form = {"clawd": 1, "name": "x", "position": {"target": {"op": "emma"}}, "exits": {"stop": {"percent": 0}}}
    first, second = check_json(json.dumps(form)).problems
    assert (first.where, first.hint) == ("position.target", "did you mean `ema`?")
    assert second.where == "exits.stop"


def test_a_graph_may_come_as_json() -> None:
    checked = check_json(json.dumps(with_edge(GOOD, "above", "y", {})))
    assert ("above", "y") in {(problem.node, problem.port) for problem in checked.problems}


exits_by_chance = st.dictionaries(
    st.sampled_from(("stop", "trail", "chandelier", "break_even", "take", "time", "cooldown", "stopp")),
    st.sampled_from((3, 0, "x", {"percent": 5}, {"percent": 500}, {"atr": 2, "window": 9}, {"atr": 2}, [], [{}])),
)


@given(exits_by_chance)
def test_exits_have_a_problem_if_and_only_if_they_are_refused_and_each_its_own(table: dict[str, object]) -> None:
    found = exit_problems(table)
    try:
        read_exits(table)
    except ClawdError:
        assert found
    else:
        assert found == []
    places = [error.where for error in found if error.where != "exits"]
    assert len(set(places)) == len(places)


def test_a_place_that_is_a_node_is_told_as_one() -> None:
    assert Problem.of(ClawdError("x", where="node a b, port y (from c)")) == Problem(
        "x", None, "node a b, port y (from c)", "a b", "y"
    )
    assert Problem.of(ClawdError("x", where="target")).node is None


def test_the_sentence_says_what_is_held_its_parts_in_order_and_how_it_is_left() -> None:
    text = (
        'name = "x"\n[let]\ncalm = "ts_std(ret(close, 1), 20) < 0.02"\nunused = "close"\n'
        '[position]\ntarget = "long_only(where(calm, 1, 0))"\n'
        "[exits]\nstop = { percent = 10 }\ntake = { percent = 5 }\ntime = 9\n"
    )
    assert sentence(parse_toml(text)) == (
        "It is long with all of its capital while “calm” is true, and holds nothing otherwise. “calm” is true while the"
        " 20-bar standard deviation of the 1-bar return of the close is below 0.02. Leaves at a stop 10 % from the"
        " entry price, set at entry. It has a profit target and a time limit too."
    )


@many
@given(strategies(depth=3))
def test_every_strategy_has_a_sentence_without_gaps(text: str) -> None:
    words = sentence(parse_toml(text))
    assert words.endswith(".")
    assert "  " not in words
    assert "{" not in words
