"""A strategy shown in each of its forms, and each form read back."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from cli_world import Clawd

from clawd.authors.starter import find_starter
from clawd.language.strategy import load_strategy

NUMBERS = """\
name = "Numbers"
[let]
length = 20
share = 0.05
least = 1e-7
below = -3
mean = "ema(close, length)"
[position]
target = "long_short(clip(close / mean - 1, below, share) + least)"
[exits]
stop = { percent = 10 }
chandelier = { atr = 3, window = 22 }
break_even = { percent = 2 }
time = 40
"""
ENDINGS = {"--json": "json", "--graph": "json", "--toml": "toml"}


@pytest.mark.parametrize("form", ENDINGS)
@pytest.mark.parametrize("name", ["turtles", "pairs_spread"])
def test_every_form_that_is_shown_can_be_read(clawd: Clawd, place: Path, name: str, form: str) -> None:
    shown = clawd("strategy", "show", name, form)
    assert shown.code == 0 and not shown.err
    path = place / f"again.{ENDINGS[form]}"
    path.write_text(shown.out, encoding="utf-8")
    assert load_strategy(path) == find_starter(name)
    again = clawd("strategy", "show", str(path))
    assert find_starter(name).content_hash in again.out


def test_the_forms_are_what_they_say(clawd: Clawd) -> None:
    graph = json.loads(clawd("strategy", "show", "cross.toml", "--graph").out)
    assert {"nodes", "edges", "target", "layout"} <= set(graph)
    tree = json.loads(clawd("strategy", "show", "cross.toml", "--json").out)
    assert tree["position"]["target"]["op"] == "long_short"
    text = tomllib.loads(clawd("strategy", "show", "cross.toml", "--toml").out)
    assert text["position"]["target"] == "long_short(sign(ema(close, 5) - ema(close, 20)))"


def test_the_numbers_of_a_file_stay_numbers(clawd: Clawd, place: Path) -> None:
    """A sweep, or a person, goes on from what was shown."""
    (place / "numbers.toml").write_text(NUMBERS)
    text = clawd("strategy", "show", "numbers.toml", "--toml").out
    assert tomllib.loads(text)["let"] == {
        "length": 20,
        "share": 0.05,
        "least": 1e-7,
        "below": -3,
        "mean": "ema(close, length)",
    }
    assert "length = 20\n" in text
    (place / "again.toml").write_text(text)
    assert load_strategy(place / "again.toml") == load_strategy(place / "numbers.toml")
    assert clawd("strategy", "show", "again.toml", "--toml").out == text


def test_every_line_begins_in_the_same_column(clawd: Clawd, place: Path) -> None:
    (place / "numbers.toml").write_text(NUMBERS)
    lines = clawd("strategy", "show", "numbers.toml").out.splitlines()
    assert {"name", "target", "stop", "chandelier", "break_even", "time", "lookback", "hash"} <= {
        line.split()[0] for line in lines
    }
    assert {len("".join(re.findall(r"^\w+ +", line))) for line in lines} == {len("chandelier  ")}


def test_one_form_at_a_time(clawd: Clawd) -> None:
    shown = clawd("strategy", "show", "cross.toml", "--json", "--graph")
    assert shown.code == 2
    assert "only one form" in shown.err and not shown.out


def test_a_graph_is_checked_explained_and_its_errors_name_the_node(clawd: Clawd, place: Path) -> None:
    graph = json.loads(clawd("strategy", "show", "cross.toml", "--graph").out)
    (place / "graph.json").write_text(json.dumps(graph))
    assert clawd("strategy", "check", "graph.json").code == 0
    assert "exponential mean of the close" in clawd("strategy", "explain", "graph.json").out
    graph["edges"].pop()
    (place / "graph.json").write_text(json.dumps(graph))
    wrong = clawd("strategy", "check", "graph.json")
    assert wrong.code == 2
    assert f"graph.json: node {graph['target']}, port x: nothing is connected" in " ".join(wrong.err.split())
