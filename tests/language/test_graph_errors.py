"""What is wrong with a node graph is said with the node, the port, and what would be right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from clawd.core.errors import ClawdError
from clawd.language.strategy import parse_json

Form = Mapping[str, Any]

GOOD: Form = {
    "clawd": 1,
    "name": "good",
    "nodes": [
        {"id": "price", "op": "close"},
        {"id": "size", "op": "volume"},
        {"id": "fast", "op": "ema", "parameters": {"w": 5}},
        {"id": "slow", "op": "ema", "parameters": {"w": 50}, "label": "slow"},
        {"id": "above", "op": "gt"},
        {"id": "busy", "op": "ts_rank", "parameters": {"w": 20}},
        {"id": "kept", "op": "clip", "parameters": {"k": 0, "k2": 1}},
        {"id": "below", "op": "not"},
        {"id": "side", "op": "signal_if"},
        {"id": "sized", "op": "share_by"},
    ],
    "edges": [
        {"from": "price", "to": "fast", "port": "x"},
        {"from": "price", "to": "slow", "port": "x"},
        {"from": "fast", "to": "above", "port": "x"},
        {"from": "slow", "to": "above", "port": "y"},
        {"from": "size", "to": "busy", "port": "x"},
        {"from": "busy", "to": "kept", "port": "x"},
        {"from": "above", "to": "below", "port": "x"},
        {"from": "above", "to": "side", "port": "x"},
        {"from": "below", "to": "side", "port": "y"},
        {"from": "side", "to": "sized", "port": "x"},
        {"from": "kept", "to": "sized", "port": "y"},
    ],
    "target": "sized",
    "exits": {"stop": {"percent": 10}},
    "layout": {"price": [0, 0], "sized": [400, 20.5]},
}


GONE = object()


def changed(entry: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    """An entry with other keys, without those that are to be gone."""
    return {key: value for key, value in {**entry, **changes}.items() if value is not GONE}


def with_node(form: Form, name: str, changes: Mapping[str, object]) -> Form:
    """The graph with one of its nodes changed."""
    return {**form, "nodes": [changed(entry, changes) if entry["id"] == name else entry for entry in form["nodes"]]}


def with_edge(form: Form, to: str, port: str, changes: Mapping[str, object]) -> Form:
    """The graph with the edge that leads to a port changed, or taken out."""
    place = next(index for index, edge in enumerate(form["edges"]) if (edge["to"], edge["port"]) == (to, port))
    kept = [changed(form["edges"][place], changes)] if changes else []
    return {**form, "edges": [*form["edges"][:place], *kept, *form["edges"][place + 1 :]]}


def with_more(form: Form, part: str, entry: Mapping[str, object]) -> Form:
    """The graph with one more node or edge."""
    return {**form, part: [*form[part], entry]}


def complaint(form: Form) -> str:
    """What is said of a wrong graph."""
    with pytest.raises(ClawdError) as caught:
        parse_json(json.dumps(form))
    return str(caught.value)


def test_the_graph_is_good() -> None:
    strategy = parse_json(json.dumps(GOOD))
    assert strategy.target.operator == "share_by"
    assert dict(strategy.let) == {
        "gt_1": "ema(close, 5) > slow",
        "slow": "ema(close, 50)",
    }


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("fast", {"op": "emma"}, "unknown operator 'emma' (did you mean `ema`?)"),
        ("fast", {"op": GONE}, "unknown operator None"),
        ("slow", {"id": "fast"}, "two nodes have this id"),
        ("fast", {"parameters": GONE}, "`ema` lacks its parameter `w` (a window: a whole number of bars)"),
        ("fast", {"parameters": {"w": 5, "v": 5}}, "`ema` has no parameter `v` (it has w)"),
        ("above", {"parameters": {"k": 5}}, "`gt` has no parameter `k` (it has none)"),
        ("fast", {"parameters": {"w": 0}}, "a window is a whole number from 1 to 5,000, not 0"),
        ("kept", {"parameters": {"k": 1, "k2": 0}}, "`clip` needs the lower constant first"),
        ("fast", {"param": {"w": 5}}, "unknown key `param` (did you mean `parameters`?)"),
    ],
)
def test_a_wrong_node_is_named(name: str, changes: Mapping[str, object], words: str) -> None:
    assert f"node {changes.get('id', name)}: {words}" in complaint(with_node(GOOD, name, changes))


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("the fast one", "label of node fast: `the fast one` is not a name"),
        ("slow", "the label `slow` stands twice"),
    ],
)
def test_a_wrong_label_is_shown(label: str, words: str) -> None:
    assert words in complaint(with_node(GOOD, "fast", {"label": label}))


@pytest.mark.parametrize(
    ("to", "port", "changes", "words"),
    [
        ("above", "y", {"port": "z"}, "node above: `gt` has no port `z` (its ports are x, y)"),
        ("side", "y", {}, "node side, port y: nothing is connected, and `signal_if` needs a condition here"),
        (
            "fast",
            "x",
            {"from": "prise"},
            "edges[0]: it leads from `prise`, and there is no such node (did you mean `price`?)",
        ),
        ("fast", "x", {"to": "fest"}, "edges[0]: it leads to `fest`, and there is no such node (did you mean `fast`?)"),
        ("fast", "x", {"ports": "x"}, "edges[0]: unknown key `ports` (did you mean `port`?)"),
        ("fast", "x", {"from": "fast"}, "node fast: the edges go round in a circle: fast → fast"),
        (
            "above",
            "y",
            {"from": "size"},
            "node above, port y (from size): `>` needs the same unit on both sides: the left is a price",
        ),
        (
            "kept",
            "x",
            {"from": "price"},
            "node kept, port x (from price): argument 1 of `clip` must be a pure number, this is a price, divide it by",
        ),
        (
            "below",
            "x",
            {"from": "fast"},
            "node below, port x (from fast): argument 1 of `not` must be a condition, this is a price, compare it with",
        ),
    ],
)
def test_a_wrong_edge_is_named_with_its_port(to: str, port: str, changes: Mapping[str, object], words: str) -> None:
    assert words in complaint(with_edge(GOOD, to, port, changes))


@pytest.mark.parametrize(
    ("source", "to", "words"),
    [
        ("fast", "price", "node price: `close` has no port `x` (it has no ports)"),
        ("price", "above", "node above, port x: two edges lead to this port, from fast and from price"),
    ],
)
def test_an_edge_too_many_is_named(source: str, to: str, words: str) -> None:
    assert words in complaint(with_more(GOOD, "edges", {"from": source, "to": to, "port": "x"}))


def test_a_node_that_leads_nowhere_is_named() -> None:
    assert (
        "node other: it does not lead to the target sized (connect it or take it out: a strategy has one output)"
    ) in complaint(with_more(GOOD, "nodes", {"id": "other", "op": "high"}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": "side"}, "it does not lead to the target side"),
        ({"target": "sizd"}, "target: there is no node `sizd` (did you mean `sized`?)"),
        ({"target": GONE}, "target: there is no node None"),
        (
            {"nodes": [{"id": "price", "op": "close"}], "edges": [], "target": "price", "layout": {}},
            "node price: the target must be a position, this is a price (make a position of it with long_short",
        ),
        ({"layout": {"fast": [1, 2, 3]}}, "layout of fast: a position is a list of two numbers"),
        ({"let": {}}, "unknown key `let`"),
        ({"exits": GONE}, "no position may be naked"),
    ],
)
def test_what_is_wrong_with_the_whole_is_said(changes: Mapping[str, object], words: str) -> None:
    assert words in complaint(changed(GOOD, changes))


def test_a_circle_is_shown_in_the_direction_of_its_edges() -> None:
    form = GOOD
    for step in range(3):
        form = with_more(form, "nodes", {"id": f"s{step}", "op": "smooth", "parameters": {"w": step + 2}})
        form = with_more(form, "edges", {"from": f"s{step}", "to": f"s{(step + 1) % 3}", "port": "x"})
    path = complaint(form).partition("circle: ")[2].split(" → ")
    assert len(path) == 4 and path[0] == path[-1]
    edges = {(entry["from"], entry["to"]) for entry in form["edges"]}
    assert all(step in edges for step in pairwise(path))
