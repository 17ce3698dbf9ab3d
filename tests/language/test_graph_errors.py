"""What is wrong with a node graph is said with the node, the port, and what would be right."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise

import pytest

from clawd.core.errors import ClawdError
from clawd.language.strategy import parse_json

Form = dict[str, list[dict[str, object]]]

GOOD = {
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


def node(form: Form, name: str) -> dict[str, object]:
    return next(entry for entry in form["nodes"] if entry["id"] == name)


def edge(form: Form, to: str, port: str) -> dict[str, object]:
    return next(entry for entry in form["edges"] if (entry["to"], entry["port"]) == (to, port))


WRONG: dict[str, tuple[Callable[[Form], object], str]] = {
    "an unknown operator": (
        lambda form: node(form, "fast").update(op="emma"),
        "node fast: unknown operator 'emma' (did you mean `ema`?)",
    ),
    "no operator": (lambda form: node(form, "fast").pop("op"), "node fast: unknown operator None"),
    "an unknown port": (
        lambda form: edge(form, "above", "y").update(port="z"),
        "node above: `gt` has no port `z` (its ports are x, y)",
    ),
    "a port of a node that has none": (
        lambda form: form["edges"].append({"from": "fast", "to": "price", "port": "x"}),
        "node price: `close` has no port `x` (it has no ports)",
    ),
    "a port connected twice": (
        lambda form: form["edges"].append({"from": "price", "to": "above", "port": "x"}),
        "node above, port x: two edges lead to this port, from fast and from price",
    ),
    "a missing input": (
        lambda form: form["edges"].remove(edge(form, "side", "y")),
        "node side, port y: nothing is connected, and `signal_if` needs a condition here",
    ),
    "a dangling edge": (
        lambda form: edge(form, "fast", "x").update({"from": "prise"}),
        "edges[0]: it leads from `prise`, and there is no such node (did you mean `price`?)",
    ),
    "an edge to nowhere": (
        lambda form: edge(form, "fast", "x").update({"to": "fest"}),
        "edges[0]: it leads to `fest`, and there is no such node (did you mean `fast`?)",
    ),
    "a cycle": (
        lambda form: edge(form, "fast", "x").update({"from": "fast"}),
        "node fast: the edges go round in a circle: fast → fast",
    ),
    "two outputs": (
        lambda form: form["nodes"].append({"id": "other", "op": "high"}),
        "node other: it does not lead to the target sized (connect it or take it out: a strategy has one output)",
    ),
    "a target that is not the last": (
        lambda form: form.update(target="side"),
        "it does not lead to the target side",
    ),
    "a target that is not there": (
        lambda form: form.update(target="sizd"),
        "target: there is no node `sizd` (did you mean `sized`?)",
    ),
    "no target": (lambda form: form.pop("target"), "target: there is no node None"),
    "a target that is no position": (
        lambda form: form.update(nodes=[{"id": "price", "op": "close"}], edges=[], target="price", layout={}),
        "node price: the target must be a position, this is a price (make a position of it with long_short",
    ),
    "wrong units": (
        lambda form: edge(form, "above", "y").update({"from": "size"}),
        "node above, port y (from size): `>` needs the same unit on both sides: the left is a price",
    ),
    "a price where a number is needed": (
        lambda form: edge(form, "kept", "x").update({"from": "price"}),
        "node kept, port x (from price): argument 1 of `clip` must be a pure number, this is a price, divide it by",
    ),
    "a series where a condition is needed": (
        lambda form: edge(form, "below", "x").update({"from": "fast"}),
        "node below, port x (from fast): argument 1 of `not` must be a condition, this is a price, compare it with",
    ),
    "the same id twice": (lambda form: node(form, "slow").update(id="fast"), "node fast: two nodes have this id"),
    "a missing parameter": (
        lambda form: node(form, "fast").pop("parameters"),
        "node fast: `ema` lacks its parameter `w` (a window: a whole number of bars)",
    ),
    "an unknown parameter": (
        lambda form: node(form, "fast").update(parameters={"w": 5, "v": 5}),
        "node fast: `ema` has no parameter `v` (it has w)",
    ),
    "a parameter of what has none": (
        lambda form: node(form, "above").update(parameters={"k": 5}),
        "node above: `gt` has no parameter `k` (it has none)",
    ),
    "a window of nothing": (
        lambda form: node(form, "fast").update(parameters={"w": 0}),
        "node fast: a window is a whole number from 1 to 5,000, not 0",
    ),
    "constants in the wrong order": (
        lambda form: node(form, "kept").update(parameters={"k": 1, "k2": 0}),
        "node kept: `clip` needs the lower constant first",
    ),
    "an unknown key": (
        lambda form: node(form, "fast").update(param={"w": 5}),
        "node fast: unknown key `param` (did you mean `parameters`?)",
    ),
    "an unknown key of an edge": (
        lambda form: form["edges"][0].update(ports="x"),
        "edges[0]: unknown key `ports` (did you mean `port`?)",
    ),
    "a label that is no name": (
        lambda form: node(form, "slow").update(label="the slow one"),
        "label of node slow: `the slow one` is not a name",
    ),
    "a label twice": (lambda form: node(form, "fast").update(label="slow"), "the label `slow` stands twice"),
    "a layout of three": (
        lambda form: form.update(layout={"fast": [1, 2, 3]}),  # type: ignore[dict-item]
        "layout of fast: a position is a list of two numbers",
    ),
    "a key of the tree": (lambda form: form.update(let={}), "unknown key `let`"),
    "no exits": (lambda form: form.pop("exits"), "no position may be naked"),
}


def test_the_graph_is_good() -> None:
    strategy = parse_json(json.dumps(GOOD))
    assert strategy.target.operator == "share_by"
    assert dict(strategy.let) == {
        "gt_1": "ema(close, 5) > slow",
        "slow": "ema(close, 50)",
    }


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_graph_says_which_node_and_port(name: str) -> None:
    change, words = WRONG[name]
    form = json.loads(json.dumps(GOOD))
    change(form)
    with pytest.raises(ClawdError) as caught:
        parse_json(json.dumps(form))
    assert words in str(caught.value)


def test_a_circle_is_shown_in_the_direction_of_its_edges() -> None:
    form = json.loads(json.dumps(GOOD))
    form["nodes"] += [{"id": f"s{i}", "op": "smooth", "parameters": {"w": i + 2}} for i in range(3)]
    form["edges"] += [{"from": f"s{i}", "to": f"s{(i + 1) % 3}", "port": "x"} for i in range(3)]
    with pytest.raises(ClawdError) as caught:
        parse_json(json.dumps(form))
    path = str(caught.value).partition("circle: ")[2].split(" → ")
    assert len(path) == 4 and path[0] == path[-1]
    edges = {(entry["from"], entry["to"]) for entry in form["edges"]}
    assert all(step in edges for step in pairwise(path))
