"""Whatever a file holds, it is a strategy or it is refused: in words, at once, and never by a crash."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
import tracemalloc
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.language.strategy import LARGEST_FILE, LARGEST_JSON_FILE, load_strategy, parse_json, parse_toml
from language.random_programs import strategies

LONGEST = 30.0  # seconds of the processor; what it guards against takes minutes, or the memory of the machine
MOST_MEMORY = 60e6  # bytes

EXITS = "[exits]\nstop = { percent = 10 }\n"


def toml(target: str = "long_only(1)", let: str = "", exits: str = EXITS, head: str = 'name = "x"\n') -> str:
    return f"{head}[let]\n{let}\n[position]\ntarget = '{target}'\n{exits}"


def chain(first: str, link: str, count: int) -> str:
    return "\n".join([f"a0 = '{first}'", *(f"a{i + 1} = '{link.replace('@', f'a{i}')}'" for i in range(count))])


def node(target: object) -> str:
    return json.dumps({"clawd": 1, "name": "x", "position": {"target": target}, "exits": {"stop": {"percent": 10}}})


def nested(op: str, depth: int, tail: str = "") -> str:
    inside = '{"op": "close"}'
    for _ in range(depth):
        inside = '{"op": "' + op + '", "args": [' + inside + tail + "]}"
    return '{"clawd": 1, "name": "x", "position": {"target": ' + inside + '}, "exits": {}}'


HOSTILE_TOML = {
    "nothing": "",
    "a megabyte of nothing": " " * 2**20,
    "a megabyte of a comment": "#" * 2**20,
    "a megabyte of a name": 'name = "' + "x" * 2**20 + '"',
    "a quarter of a megabyte of lists": "a = " + "[" * 250_000,
    "lists in lists": "a = " + "[" * 50_000 + "]" * 50_000,
    "tables in tables": "a = " + "{a = " * 50_000,
    "a dotted key without end": "a" + ".a" * 60_000 + " = 1",
    "many dotted keys": "\n".join(f"b{i}" + ".a" * 2_000 + " = 1" for i in range(40)),
    "a table with a dotted name and many keys": "["
    + "a." * 4_000
    + "a]\n"
    + "\n".join(f"b{i} = 1" for i in range(20_000)),
    "many tables": "\n".join(f"[a.b{i}]" for i in range(20_000)),
    "many lists of tables": "[[a]]\n" * 40_000,
    "many keys": "\n".join(f"k{i} = 1" for i in range(20_000)),
    "a key of great length": "x" * 200_000 + " = 1",
    "the same key twice": 'name = "x"\nname = "y"',
    "the same table twice": "[let]\n[let]",
    "a number of 5,000 digits": toml(let="x = " + "9" * 5_000),
    "a number of 400 digits": toml(let="x = " + "9" * 400),
    "a number of 400 digits as a distance": toml(exits=f"[exits]\nstop = {{ percent = {'9' * 400} }}"),
    "a number of 400 digits as a time": toml(exits=EXITS + f"time = {'9' * 400}"),
    "an infinite distance": toml(exits="[exits]\nstop = { percent = inf }"),
    "no number as a distance": toml(exits="[exits]\nstop = { percent = nan }"),
    "an infinite part": toml(let="x = -inf"),
    "a hexadecimal number without end": toml(let="x = 0x" + "f" * 100_000),
    "a sum of 10,000 terms": toml("long_only(" + "+".join(["1"] * 10_000) + ")"),
    "a product of 10,000 terms": toml("long_only(" + "*".join(["close"] * 5_000) + ")"),
    "a thousand brackets": toml("(" * 1_000 + "1" + ")" * 1_000),
    "a thousand minus signs": toml("long_only(" + "-" * 1_000 + "1)"),
    "a thousand nots": toml("signal_if(" + "not " * 1_000 + "close > open, close > open)"),
    "a thousand calls": toml("ema(" * 1_000 + "close" + ", 2)" * 1_000),
    "a macro in a macro in a macro": toml("long_only(" + "rsi(close * " * 12 + "close/close" + ", 2)" * 12 + ")"),
    "an expression of 200,000 characters": toml("long_only(" + "1" * 200_000 + ")"),
    "a chain of 200 parts": toml("long_only(a199 / close)", chain("close", "ema(@, 2)", 199)),
    "a chain of 10,000 parts": toml("long_only(a9999)", chain("close", "@ + 1", 9_999)),
    "parts that double": toml("long_only(a60 / close)", chain("close", "@ + ema(@, 2)", 60)),
    "macros that multiply": toml("long_only(a20 / close)", chain("close", "@ * macd(@, 2, 3, 4)", 20)),
    "a part of itself": toml("long_only(a)", 'a = "a"'),
    "parts of each other": toml("long_only(a)", 'a = "b"\nb = "a"'),
    "a part named as a word": toml("long_only(1)", 'and = "1"'),
    "code": toml('__import__("os").system("true")'),
    "code in a part": toml(let="x = \"exec('1')\""),
    "code in a name": 'name = "{{7*7}}${7*7}"',
    "an escape sequence": 'name = "\\u001b[2J"',
    "a null": 'name = "a\\u0000b"',
    "a raw null": 'name = "a\x00b"',
    "a null in an expression": toml("long_only(1)\x00"),
    "a name of another script": toml("long_only(цена)"),
    "a part of another script": toml(let='"цена" = "close"'),
    "digits of another script": toml("long_only(٣)"),
    "a bar of another script": toml(head='name = "x"\nbar = "³h"\n'),
    "a bar without end": toml(head=f'name = "x"\nbar = "{"9" * 100_000}h"\n'),
    "a date as a name": "name = 1979-05-27",
    "a list as a target": 'name = "x"\n[position]\ntarget = [1]\n' + EXITS,
    "a table as exits": 'name = "x"\n[position]\ntarget = "long_only(1)"\nexits = 1\n',
    "a list of exits": 'name = "x"\nexits = [[1]]\n[position]\ntarget = "long_only(1)"\n',
    "an outside series of great length": toml(f'long_only(ext("{"x" * 30_000}"))'),
    "a universe of 30,000": toml(head='name = "x"\nuniverse = [' + '"A",' * 30_000 + "]\n"),
}

LONG = {"op": "long_only", "args": [{"op": "const", "args": [{"k": 1}]}]}

HOSTILE_JSON = {
    "nothing": "",
    "null": "null",
    "a number": "1",
    "a text": '"x"',
    "a list": "[1, 2]",
    "half an object": '{"clawd": 1, ',
    "lists in lists": "[" * 100_000,
    "objects in objects": '{"a":' * 100_000,
    "900 lists as an operator": node({"op": None}).replace("null", "[" * 900 + "]" * 900),
    "900 lists as a version": '{"clawd": ' + "[" * 900 + "]" * 900 + "}",
    "900 lists as a distance": node(LONG).replace("10", "[" * 900 + "]" * 900),
    "a thousand operators deep": nested("neg", 1_000),
    "200 operators deep": nested("abs", 200),
    "60 operators deep without exits": nested("ema", 60, ', {"w": 2}'),
    "many keys, the last twice": "{" + ",".join(f'"k{i}": 1' for i in range(15_000)) + ',"k14999": 1}',
    "a number of 5,000 digits": '{"clawd": ' + "9" * 5_000 + "}",
    "a number of 400 digits": node({"op": "const", "args": [{"k": 10**400}]}),
    "infinity": '{"clawd": Infinity}',
    "a lone surrogate": '{"clawd": 1, "name": "\\ud800", "position": {}}',
    "a lone surrogate as an operator": node({"op": "\ud800"}),
    "a lone surrogate as a series": node({"op": "long_only", "args": [{"op": "ext", "args": [{"name": "\ud800"}]}]}),
    "code as a series": node({"op": "long_only", "args": [{"op": "ext", "args": [{"name": '") + close + ("'}]}]}),
    "an operator that is a list": node({"op": ["ema"]}),
    "arguments that are an object": node({"op": "ema", "args": {"0": 1}}),
    "arguments that are null": node({"op": "ema", "args": None}),
    "an argument that is a text": node({"op": "long_only", "args": ["close"]}),
    "a parameter that is a program": node({"op": "ema", "args": [{"op": "close"}, {"w": {"op": "close"}}]}),
    "a parameter that says more": node(
        {"op": "long_only", "args": [{"op": "ret", "args": [{"op": "close"}, {"w": 20, "k": 1}]}]}
    ),
    "a parameter of another kind": node(
        {"op": "long_only", "args": [{"op": "ret", "args": [{"op": "close"}, {"k": 20}]}]}
    ),
    "150 operators deep that fold to one": node(
        {
            "op": "long_only",
            "args": [
                json.loads(nested("abs", 150).replace('"close"', '"const", "args": [{"k": 1}]'))["position"]["target"]
            ],
        }
    ),
    "a window that is true": node({"op": "long_only", "args": [{"op": "ret", "args": [{"op": "close"}, {"w": True}]}]}),
    "a window that is a text": node(
        {"op": "long_only", "args": [{"op": "ret", "args": [{"op": "close"}, {"w": "20"}]}]}
    ),
    "a parameter that is true": node({"op": "ema", "args": [{"op": "close"}, {"w": True}]}),
    "a window that is a number": node({"op": "ema", "args": [{"op": "close"}, 20]}),
    "a word instead of a window": node({"op": "ema", "args": [{"op": "close"}, {"name": "20"}]}),
    "a target that is a text": node("long_only(1)"),
    "a target that is a list": node([{"op": "close"}]),
}


def graph(nodes: object, edges: object, target: object = "t", **more: object) -> str:
    form = {
        "clawd": 1,
        "name": "x",
        "nodes": nodes,
        "edges": edges,
        "target": target,
        "exits": {"stop": {"percent": 9}},
    }
    return json.dumps({**form, **more})


def edge(source: object, to: object, port: object = "x") -> dict[str, object]:
    return {"from": source, "to": to, "port": port}


def ladder(op: str, rungs: int, ports: str = "xy") -> str:
    """A graph in which each node is used twice by the next: 2 ** rungs nodes when written out."""
    nodes = [{"id": "0", "op": "close"}, *({"id": str(i + 1), "op": op} for i in range(rungs))]
    edges = [edge(str(i), str(i + 1), port) for i in range(rungs) for port in ports]
    return graph([*nodes, {"id": "t", "op": "long_only"}], [*edges, edge(str(rungs), "t")])


CLOSE, HELD = {"id": "c", "op": "close"}, {"id": "t", "op": "long_only"}
SIMPLE = [{"id": "c", "op": "clock", "parameters": {"name": "hour"}}, HELD]

HOSTILE_GRAPHS = {
    "no nodes": graph([], []),
    "nodes that are an object": graph({"a": 1}, []),
    "nodes that are null": graph(None, []),
    "edges that are null": graph(SIMPLE, None),
    "a ladder of sums": ladder("add", 60),
    "a ladder of conditions": ladder("and", 90),
    "a ladder that folds": ladder("max2", 99),
    "a ladder of macros": ladder("macd", 99, "x").replace('"macd"', '"macd", "parameters": {"w": 2, "w2": 3, "w3": 4}'),
    "a ladder of 5,000 rungs": ladder("neg", 5_000, "x"),
    "20,000 nodes": graph([{"id": str(i), "op": "close"} for i in range(20_000)], []),
    "a million nodes": '{"clawd": 1, "nodes": [' + "{}," * 10**6 + "{}]}",
    "300,000 empty nodes": '{"clawd": 1, "nodes": [' + "{}," * 300_000 + "{}]}",
    "100,000 edges to one port": graph(SIMPLE, []).replace(
        '"edges": []', '"edges": [' + ",".join(['{"from":"c"}'] * 80_000) + "]"
    ),
    "20,000 edges to one port": graph(SIMPLE, [edge("c", "t")] * 20_000),
    "10,000 leaves on a target": graph(
        [{"id": str(i), "op": "close"} for i in range(9_999)] + [HELD], [edge("1", "t")]
    ),
    "a target like 9,000 ids": graph([{"id": "ab" * 30 + str(i), "op": "close"} for i in range(9_000)], [], "ab" * 35),
    "many heavy nodes": graph(
        [{"id": "0", "op": "close"}, *({"id": f"a{i}", "op": "add"} for i in range(10))]
        + [{"id": f"b{i}", "op": "abs"} for i in range(7_000)],
        [edge(f"a{i - 1}" if i else "0", f"a{i}", port) for i in range(10) for port in "xy"]
        + [edge("a9", f"b{i}") for i in range(7_000)],
        "b0",
    ),
    "a node that feeds itself": graph([{"id": "t", "op": "smooth", "parameters": {"w": 3}}], [edge("t", "t")]),
    "a ring of 3,000": graph(
        [{"id": str(i), "op": "abs"} for i in range(3_000)] + [HELD],
        [edge(str(i), str((i + 1) % 3_000)) for i in range(3_000)] + [edge("7", "t")],
    ),
    "an id of great length": graph([{"id": "x" * 100_000, "op": "close"}, HELD], [edge("x" * 100_000, "t")]),
    "an id that is a number": graph([{"id": 1, "op": "close"}, HELD], [edge(1, "t")]),
    "an id that is a list": graph([{"id": [], "op": "close"}, HELD], [edge([], "t")]),
    "an id that moves the cursor": graph([{"id": "\x1b[2J", "op": "close"}, HELD], [edge("\x1b[2J", "t")]),
    "an edge that moves the cursor": graph(SIMPLE, [edge("\x1b[2J", "t")]),
    "a port that moves the cursor": graph(SIMPLE, [edge("c", "t", "\x1b[2J")]),
    "a key that moves the cursor": graph([{**CLOSE, "\x1b[2J": 1}, HELD], []),
    "an operator that is code": graph([{"id": "c", "op": "__import__('os')"}, HELD], [edge("c", "t")]),
    "a name that is code": graph(
        [{"id": "c", "op": "ext", "parameters": {"name": '") + close + ("'}}, HELD], [edge("c", "t")]
    ),
    "parameters that are a list": graph([{**CLOSE, "parameters": [1]}, HELD], [edge("c", "t")]),
    "a window that is true": graph(
        [CLOSE, {"id": "e", "op": "ret", "parameters": {"w": True}}, HELD], [edge("c", "e"), edge("e", "t")]
    ),
    "a window that is a text": graph(
        [CLOSE, {"id": "e", "op": "ret", "parameters": {"w": "20"}}, HELD], [edge("c", "e"), edge("e", "t")]
    ),
    "a window that is half a bar": graph(
        [CLOSE, {"id": "e", "op": "ret", "parameters": {"w": 2.5}}, HELD], [edge("c", "e"), edge("e", "t")]
    ),
    "a window of 400 digits": graph(
        [CLOSE, {"id": "e", "op": "ret", "parameters": {"w": 10**400}}, HELD], [edge("c", "e"), edge("e", "t")]
    ),
    "a constant that is infinite": graph(
        [{"id": "c", "op": "const", "parameters": {"k": float("inf")}}, HELD], [edge("c", "t")]
    ),
    "a layout of nothing": graph(SIMPLE, [edge("c", "t")], layout=None),
    "a layout that is no number": graph(SIMPLE, [edge("c", "t")], layout={"c": [float("nan"), 0]}),
    "a layout of nowhere": graph(SIMPLE, [edge("c", "t")], layout={"c": [10**400, 0]}),
    "a layout of a stranger": graph(SIMPLE, [edge("c", "t")], layout={"z": [0, 0]}),
    "a label that is an operator": graph([{**SIMPLE[0], "label": "ema"}, HELD], [edge("c", "t")]),
    "a label that is a list": graph([{**SIMPLE[0], "label": []}, HELD], [edge("c", "t")]),
    "a target that is a list": graph(SIMPLE, [edge("c", "t")], ["t"]),
    "a target and a position": graph(SIMPLE, [edge("c", "t")], position={"target": {"op": "close"}}),
    "a null in a name": graph(SIMPLE, [edge("c", "t")], name="a\0b"),
    "the same key twice in a node": graph(SIMPLE, [edge("c", "t")]).replace('"op":', '"op": "close", "op":', 1),
}


def refused(text: str, read: object) -> None:
    start = time.process_time()
    with pytest.raises(ClawdError) as caught:
        read(text)  # type: ignore[operator]
    assert time.process_time() - start < LONGEST
    assert str(caught.value)
    assert len(caught.value.what) < 2_000
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("name", HOSTILE_TOML)
def test_a_hostile_toml_file_is_refused_at_once(name: str, tmp_path: Path) -> None:
    refused(HOSTILE_TOML[name], parse_toml)
    path = tmp_path / "hostile.toml"
    path.write_text(HOSTILE_TOML[name])
    refused(str(path), lambda text: load_strategy(Path(text)))


@pytest.mark.parametrize("name", HOSTILE_JSON)
def test_a_hostile_json_file_is_refused_at_once(name: str, tmp_path: Path) -> None:
    refused(HOSTILE_JSON[name], parse_json)


@pytest.mark.parametrize("name", HOSTILE_GRAPHS)
def test_a_hostile_graph_is_refused_at_once(name: str) -> None:
    assert parse_json(graph(SIMPLE, [edge("c", "t")])).name == "x"
    refused(HOSTILE_GRAPHS[name], parse_json)


@pytest.mark.parametrize("name", ["a ladder of sums", "many heavy nodes", "20,000 nodes", "300,000 empty nodes"])
def test_a_hostile_graph_takes_little_memory(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ClawdError):
            parse_json(HOSTILE_GRAPHS[name])
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


def test_the_largest_program_is_written_and_read_in_every_form_at_once() -> None:
    """As many distinct nodes as fit into the bounds."""
    terms = [f"{i} * close" for i in range(2, 850)]
    while len(terms) > 1:
        pairs = [f"({one} + {other})" for one, other in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[2 * len(pairs) :]
    strategy = parse_toml(toml(f"long_only({terms[0]} / open)"))
    assert len(strategy.target.text) > 18_000
    for text in (json.dumps(strategy.to_json()), json.dumps(strategy.to_graph(), indent=1)):
        assert len(text) < LARGEST_JSON_FILE
        start = time.process_time()
        assert parse_json(text) == strategy
        assert time.process_time() - start < LONGEST
    start = time.process_time()
    assert parse_toml(strategy.to_toml()) == strategy
    assert time.process_time() - start < LONGEST


def test_a_file_of_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    with path.open("wb") as file:
        file.truncate(2**30)
    refused(str(path), lambda text: load_strategy(Path(text)))


@pytest.mark.parametrize("name", ["/dev/zero", "x" * 5_000, "/root/../" * 2_000, "/proc/self/mem", "/etc/passwd/x"])
def test_what_is_no_file_is_refused(name: str) -> None:
    refused(name, lambda text: load_strategy(Path(text)))


def test_a_file_just_within_the_bound_is_read(tmp_path: Path) -> None:
    path = tmp_path / "padded.toml"
    text = toml()
    path.write_text(text + "#" + "x" * (LARGEST_FILE - len(text) - 1))
    assert load_strategy(path).name == "x"


def test_two_hundred_parts_of_the_largest_size_take_no_time() -> None:
    doubling = chain("close", "@ + ema(@, 2)", 8)
    heavy = "\n".join(f"b{i} = 'a8 + ema(a8, {i + 2})'" for i in range(150))
    start = time.process_time()
    assert parse_toml(toml("long_only(b149 / close)", f"{doubling}\n{heavy}"))
    assert time.process_time() - start < LONGEST


# What a machine makes up.

fuzzed = settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def accepted_or_refused(text: str, json_too: bool = True) -> None:
    for read in (parse_toml, parse_json) if json_too else (parse_toml,):
        start = time.process_time()
        try:
            read(text).content_hash  # noqa: B018
        except ClawdError as error:
            assert str(error)
        assert time.process_time() - start < LONGEST


@fuzzed
@given(st.binary(max_size=300))
def test_random_bytes(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(ClawdError):
            load_strategy(Path(file.name))
    accepted_or_refused(data.decode("latin-1"))


@fuzzed
@given(st.text(max_size=200))
def test_random_text(text: str) -> None:
    accepted_or_refused(text)
    accepted_or_refused(toml(text.replace("'", "")), json_too=False)


@fuzzed
@given(strategies(), st.randoms(use_true_random=False))
def test_a_valid_file_with_a_few_bytes_changed(text: str, random: Random) -> None:
    data = bytearray(text.encode())
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(data))
        form = random.randrange(4)
        if form == 0:
            del data[at : at + random.randrange(1, 9)]
        elif form == 1:
            data[at:at] = bytes(random.randrange(256) for _ in range(random.randrange(1, 4)))
        elif form == 2:
            data[at] = random.choice(b"\x00\n\"'()[]{}=.,+-*/<>019eEnai#\\")
        else:
            start = random.randrange(len(data))
            data[at:at] = data[start : start + random.randrange(1, 40)]
        if not data:
            return
    accepted_or_refused(data.decode("utf-8", "replace"))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
words = st.sampled_from(["op", "args", "w", "k", "name", "a", "ema", "close", "long_only", "const", "stop", "percent"])
likely = st.recursive(
    anything | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@fuzzed
@given(likely, st.sampled_from(["position", "exits", "target", "whole", "bar", "universe", "name", "clawd"]))
def test_random_json_in_a_likely_place(value: object, place: str) -> None:
    form = json.loads(node(LONG))
    if place == "target":
        form["position"]["target"] = value
    elif place == "whole":
        form = value
    else:
        form[place] = value
    try:
        parse_json(json.dumps(form)).content_hash  # noqa: B018
    except ClawdError as error:
        assert str(error)


@fuzzed
@given(strategies(), likely, st.randoms(use_true_random=False), st.booleans())
def test_a_valid_json_strategy_with_a_part_replaced(text: str, value: object, random: Random, drawn: bool) -> None:
    strategy = parse_toml(text)
    form: object = json.loads(json.dumps(strategy.to_graph() if drawn else strategy.to_json()))
    place = form
    while random.random() < 0.8:
        keys = list(place) if isinstance(place, dict) else list(range(len(place))) if isinstance(place, list) else []
        if not keys:
            break
        key = random.choice(keys)
        if random.random() < 0.3 or not isinstance(place[key], dict | list):  # type: ignore[index]
            place[key] = value  # type: ignore[index]
            break
        place = place[key]  # type: ignore[index]
    try:
        parse_json(json.dumps(form)).family_hash  # noqa: B018
    except ClawdError as error:
        assert str(error)


@fuzzed
@given(strategies(), st.randoms(use_true_random=False), st.booleans())
def test_a_valid_json_file_with_a_few_bytes_changed(text: str, random: Random, drawn: bool) -> None:
    strategy = parse_toml(text)
    data = bytearray(json.dumps(strategy.to_graph() if drawn else strategy.to_json()).encode())
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(data))
        form = random.randrange(4)
        if form == 0:
            del data[at : at + random.randrange(1, 9)]
        elif form == 1:
            data[at] = random.choice(b'\x00"{}[]:,019.-eEnNt\\')
        elif form == 2:
            data[at] = random.randrange(256)
        else:
            start = random.randrange(len(data))
            data[at:at] = data[start : start + random.randrange(1, 60)]
        if not data:
            return
    accepted_or_refused(data.decode("utf-8", "replace"))


@fuzzed
@given(strategies(), st.randoms(use_true_random=False))
def test_a_graph_that_was_rewired(text: str, random: Random) -> None:
    """Edges led elsewhere, operators exchanged, nodes doubled or dropped: a strategy, or a place and a reason."""
    form = json.loads(json.dumps(parse_toml(text).to_graph()))
    for _ in range(random.randrange(1, 4)):
        nodes, edges = form["nodes"], form["edges"]
        one, other = random.choice(nodes), random.choice(nodes)
        change = random.randrange(6)
        if change == 0 and edges:
            random.choice(edges)[random.choice(("from", "to"))] = one["id"]
        elif change == 1 and edges:
            random.choice(edges)["port"] = random.choice("xyzw")
        elif change == 2:
            one["op"], other["op"] = other["op"], one["op"]
        elif change == 3 and len(nodes) > 1:
            nodes.remove(one)
        elif change == 4:
            nodes.append({**one, "id": random.choice(("new", one["id"]))})
        else:
            form["target"] = one["id"]
    try:
        strategy = parse_json(json.dumps(form))
        assert parse_json(json.dumps(strategy.to_graph())) == strategy
    except ClawdError as error:
        assert error.where
