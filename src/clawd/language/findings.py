"""All that is wrong with a strategy at once, each with its place: for who edits one and wants to see every fault.

What :func:`clawd.language.strategy.parse_toml` and :func:`~clawd.language.strategy.parse_json` accept has no problem;
what they refuse has at least one, and where they stop at the first, this goes on.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from clawd.core.errors import ClawdError
from clawd.language.builder import build, type_of
from clawd.language.exits import exit_problems
from clawd.language.expression import parse
from clawd.language.graph_findings import graph_findings, sketch_of_graph
from clawd.language.node import Node, literal
from clawd.language.places import place_in_text
from clawd.language.problem import Problem
from clawd.language.sketch import Sketch, sketch_of, write_sketch
from clawd.language.strategy import Strategy, head_problems, parse_json, parse_toml
from clawd.language.types import POSITION, Type

_JSON_PLACE = re.compile(r"line (\d+), column (\d+)")
_STRANGE = re.compile(r"unknown (?:key|exit) `([\w-]+)`$")
_NAMES = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of a strategy in any of its forms.

    Attributes:
        strategy: None where there is a problem.
        sketch: its blocks as drawn or written; None where they cannot be told.
        problems: everything that is wrong.
        types: what each block yields, by its id, wherever that can be told.
    """

    strategy: Strategy | None
    sketch: Sketch | None
    problems: tuple[Problem, ...] = ()
    types: Mapping[str, Type] = field(default_factory=dict)

    def graph(self) -> dict[str, object] | None:
        """The graph form as it is drawn: macros are kept. None where there is a problem."""
        if self.strategy is None or self.sketch is None:
            return None
        head = {key: value for key, value in self.strategy.to_json().items() if key != "position"}
        return {**head, **self.sketch.to_json()}


def check_text(text: str) -> Checked:
    """What is wrong with a text, with lines and columns; nothing is raised."""
    try:
        return _whole(parse_toml(text))
    except ClawdError as error:
        first = error
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return Checked(None, None, (_toml_problem(first, text),))
    problems = [_placed(text, error) for error in _text_errors(table)]
    known = {(problem.what, problem.where) for problem in problems}
    # What stopped the reader and was not found again: a key too many, a text too long.
    missing = _placed(text, first)
    return Checked(None, None, tuple(problems) if (missing.what, missing.where) in known else (missing, *problems))


def _text_errors(table: Mapping[str, object]) -> list[ClawdError]:
    errors = head_problems(table)
    bound: dict[str, Node | float] = {}
    broken: set[str] = set()
    let = table.get("let", {})
    for name, value in let.items() if isinstance(let, Mapping) else ():
        if not isinstance(value, str):
            if isinstance(value, int | float) and not isinstance(value, bool):
                bound[name] = float(value)
            continue
        found = _expression(value, bound, broken, f"let.{name}")
        if isinstance(found, ClawdError):
            errors.append(found)
        if isinstance(found, Node | float):
            bound[name] = found
        else:
            broken.add(name)
    position = table.get("position")
    target = position.get("target") if isinstance(position, Mapping) else None
    if isinstance(target, str):
        found = _expression(target, bound, broken, "position.target")
        if isinstance(found, ClawdError):
            errors.append(found)
        elif found is not None and (not isinstance(found, Node) or found.type != POSITION):
            what = f"the target must be a position, this is {type_of(found)}"
            hint = "make a position of it with long_short, long_only or signal_if"
            errors.append(ClawdError(what, where="position.target", hint=hint))
    return errors + (exit_problems(table["exits"]) if "exits" in table else [])


def _expression(
    text: str, bound: Mapping[str, Node | float], broken: set[str], where: str
) -> Node | float | ClawdError | None:
    """What an expression comes to, or what is wrong with it; None where only a broken part that it uses is."""
    try:
        return build(text, bound)
    except ClawdError as error:
        if broken & {*_NAMES.findall(text)} and _is_expression(text):
            return None
        return error.at(where)


def _is_expression(text: str) -> bool:
    try:
        parse(text)
    except ClawdError:
        return False
    return True


def _toml_problem(error: ClawdError, text: str) -> Problem:
    found = _JSON_PLACE.search(error.what) or _JSON_PLACE.search(error.where or "")
    what = re.sub(r" \(at .*\)$", "", error.what)
    if "(at end of document)" in error.what:
        lines = text.split("\n")
        return Problem(what, error.hint, line=len(lines), column=len(lines[-1]) + 1)
    if found is None:
        return Problem(what, error.hint, error.where)
    return Problem(what, error.hint, line=int(found.group(1)), column=int(found.group(2)))


def _placed(text: str, error: ClawdError) -> Problem:
    what = error.what.partition("\n")[0]
    where, _, inner = (error.where or "").partition(": ")
    if strange := _STRANGE.match(what):
        line, column = place_in_text(text, f"{where}.{strange.group(1)}".lstrip("."))
    else:
        line, column = place_in_text(text, where, inner)
    return Problem(what, error.hint, where=where or None, line=line, column=column)


def check_json(text: str) -> Checked:
    """What is wrong with a JSON text, a tree or a graph; nothing is raised."""
    try:
        return _whole(parse_json(text))
    except ClawdError as error:
        first = _toml_problem(error, text)
    try:
        table: object = json.loads(text)
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict):
        return Checked(None, None, (first,))
    if isinstance(table.get("nodes"), list):
        return check_graph(table)
    beside = [*head_problems(table), *(exit_problems(table["exits"]) if "exits" in table else [])]
    rest = [problem for problem in map(Problem.of, beside) if problem.what != first.what]
    return Checked(None, None, (first, *rest))


def check_graph(table: Mapping[str, object]) -> Checked:
    """What is wrong with a node graph, with nodes and ports; nothing is raised."""
    types, problems = graph_findings(table)
    sketch = sketch_of_graph(table)
    try:
        strategy = parse_json(json.dumps(table))
    except ClawdError as error:
        rest = [Problem.of(each) for each in (*head_problems(table), *exit_problems(table.get("exits")))]
        return Checked(None, sketch, (*problems, *rest) or (Problem.of(error),), types)
    except (TypeError, ValueError, RecursionError) as error:
        return Checked(None, None, (Problem(f"not a strategy: {error}"),))
    written = write_sketch(sketch) if sketch else None
    if written is not None:
        let = {name: part if isinstance(part, str) else literal(part) for name, part in written[0].items()}
        strategy = replace(strategy, let=let, target_text=written[1])
    return Checked(strategy, sketch, (), types)


def _whole(strategy: Strategy) -> Checked:
    sketch = sketch_of(strategy.let, strategy.target_text)
    if sketch is None:
        return Checked(strategy, None)
    return Checked(strategy, sketch, (), graph_findings(sketch.to_json())[0])
