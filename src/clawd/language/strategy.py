"""A strategy: a program for the wanted position, its exits, and where it came from.

It has three forms that are one thing: text (TOML with expressions), JSON (a tree) and a node graph (JSON with shared
nodes). Each is read back to an equal strategy.
"""

from __future__ import annotations

import hashlib
import json
import re
import reprlib
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clawd.core.clock import duration, parse_duration
from clawd.core.errors import ClawdError, suggestion
from clawd.language.assembly import shown
from clawd.language.builder import build, type_of
from clawd.language.canonical import family_text
from clawd.language.exits import Exits, read_exits
from clawd.language.expression import LARGEST_NUMBER
from clawd.language.graph_form import program_graph, read_graph
from clawd.language.json_form import program_json, read_program
from clawd.language.node import Node, literal, walk
from clawd.language.text_form import MOST_PARTS, check_part_name, toml_value, written
from clawd.language.types import POSITION

LANGUAGE_VERSION = 1
LARGEST_FILE = 256 * 1024
#: JSON says the same in more words.
LARGEST_JSON_FILE = 4 * LARGEST_FILE
_MOST_DOTS = 5_000_000
_LONGEST_TABLE_NAME = 50
_KEYS = ("name", "bar", "universe", "source", "claim", "let", "position", "exits")
_JSON_KEYS = ("clawd", *(key for key in _KEYS if key != "let"))
_GRAPH_KEYS = (*(key for key in _JSON_KEYS if key != "position"), "nodes", "edges", "target", "layout")
_STRING = re.compile(r"\s*[\w-]+\s*=\s*[\"']")


@dataclass(frozen=True, slots=True)
class Strategy:
    """A checked strategy.

    Attributes:
        name: what people call it; not part of its identity.
        target: the program of the wanted exposure, per instrument, in [-1, 1] of the agent's capital.
        exits: how its positions are left.
        bar: duration of its bars in nanoseconds, None where it takes what the market has.
        universe: symbols that it trades, None for the whole market.
        source: the paper or person it came from.
        claim: what it is believed to earn from.
        let: its named parts as written, in order.
        target_text: the target as written.
    """

    name: str
    target: Node
    exits: Exits
    bar: int | None = None
    universe: tuple[str, ...] | None = None
    source: str = ""
    claim: str = ""
    let: Mapping[str, str] = field(default_factory=dict, compare=False)
    target_text: str = field(default="", compare=False)

    @property
    def lookback(self) -> int:
        """Bars of an instrument's own history before it may trade."""
        return max(self.target.lookback, self.exits.lookback)

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical program, exits, bar and universe: equal for strategies that are the same."""
        form = {"position": self.target.text, "exits": self.exits.to_json(), "bar": self.bar}
        return _digest(form if self.universe is None else {**form, "universe": sorted(self.universe)})

    @property
    def family_hash(self) -> str:
        """The same with windows and constants blanked: equal for one idea with different parameters."""
        exits = sorted(self.exits.to_json())
        return _digest({"position": family_text(self.target), "exits": exits})

    def to_json(self) -> dict[str, object]:
        """The JSON form, which :func:`parse_json` reads back to an equal strategy."""
        return {**self._head(), "position": {"target": program_json(self.target)}, "exits": self.exits.to_json()}

    def to_graph(self) -> dict[str, object]:
        """The node graph, which :func:`parse_json` reads back too; its labels are the named parts."""
        return {**self._head(), "exits": self.exits.to_json(), **program_graph(self.target, self._names())}

    def to_toml(self) -> str:
        """The text form, which :func:`parse_toml` reads back: as it was written where that is known."""
        parts, target = dict(self.let), self.target_text
        if not target or build(target, _bound(parts)) != self.target:
            parts, target = written(self.target, self._names())
        head = {key: value for key, value in self._head().items() if key != "clawd"}
        lines = [f"{key} = {toml_value(value)}" for key, value in head.items()]
        if parts:
            values = _bound(parts)
            numbers = {name: value for name, value in values.items() if isinstance(value, float)}
            lines += ["", "[let]", *(f"{name} = {toml_value(numbers.get(name, text))}" for name, text in parts.items())]
        lines += ["", "[position]", f"target = {toml_value(target)}", "", "[exits]"]
        lines += [f"{key} = {toml_value(value)}" for key, value in self.exits.to_json().items()]
        return "\n".join(lines) + "\n"

    def _head(self) -> dict[str, object]:
        form: dict[str, object] = {"clawd": LANGUAGE_VERSION, "name": self.name}
        if self.bar is not None:
            form["bar"] = duration(self.bar)
        if self.universe is not None:
            form["universe"] = list(self.universe)
        form.update({key: value for key, value in (("source", self.source), ("claim", self.claim)) if value})
        return form

    def _names(self) -> dict[str, str]:
        """The names of its parts by canonical text, of those that are in the program."""
        inside = {node.text for node in walk(self.target)}
        names: dict[str, str] = {}
        for name, part in _bound(self.let).items():
            if isinstance(part, Node) and part.text in inside:
                names.setdefault(part.text, name)
        return names


def load_strategy(path: Path) -> Strategy:
    """The strategy in a ``.toml`` or ``.json`` file.

    Raises:
        ClawdError: when the file cannot be read or is not a strategy; it says where.
    """
    try:
        largest = LARGEST_JSON_FILE if path.suffix == ".json" else LARGEST_FILE
        with path.open("rb") as file:
            content = file.read(largest + 1)  # a device has no size, and no end
        if len(content) > largest:
            raise ClawdError(f"the file is larger than {largest // 1024} KiB: not a strategy", where=str(path))
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        raise ClawdError("there is no such file", where=str(path)) from None
    except IsADirectoryError:
        raise ClawdError("this is a folder, not a strategy file", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise ClawdError(
            f"not UTF-8 text (byte {error.start})",
            where=str(path),
            hint="a strategy is a TOML or JSON text file",
        ) from None
    except OSError as error:
        raise ClawdError(f"cannot be read: {error.strerror}", where=str(path)) from None
    try:
        return parse_json(text) if path.suffix == ".json" else parse_toml(text)
    except ClawdError as error:
        raise error.at(str(path)) from None


def parse_toml(text: str) -> Strategy:
    """The strategy that a TOML text states.

    Raises:
        ClawdError: located, when it is not one.
    """
    _check_size(text, LARGEST_FILE)
    _check_dots(text)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ClawdError(f"not TOML: {error}") from None
    except (RecursionError, ValueError) as error:
        raise ClawdError(f"not a strategy: {_why(error)}") from None
    _known_keys(table, _KEYS)
    name = _name(table)
    let = _let(table.get("let", {}))
    target_text = _target_of(table)
    if not isinstance(target_text, str):
        raise ClawdError("the target must be an expression in quotes", where="position.target")
    bindings = _bound(let)
    try:
        target = _position(build(target_text, bindings))
    except ClawdError as error:
        raise error.at("position.target") from None
    return _strategy(name, table, target, let, target_text)


def parse_json(text: str) -> Strategy:
    """The strategy that a JSON text states, as a tree or as a node graph.

    Raises:
        ClawdError: located, when it is not one.
    """
    _check_size(text, LARGEST_JSON_FILE)
    try:
        table = json.loads(text, object_pairs_hook=_without_twins, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise ClawdError(f"not JSON: {error.msg}", where=f"line {error.lineno}, column {error.colno}") from None
    except (RecursionError, ValueError) as error:
        raise ClawdError(f"not a strategy: {_why(error)}") from None
    if not isinstance(table, dict):
        raise ClawdError("a strategy is a JSON object")
    drawn = "nodes" in table
    _known_keys(table, _GRAPH_KEYS if drawn else _JSON_KEYS)
    version = table.get("clawd")
    if type(version) is not int or version != LANGUAGE_VERSION:
        raise ClawdError(
            f"`clawd` must be {LANGUAGE_VERSION}, the version of the language, not {reprlib.repr(version)}"
        )
    name = _name(table)
    if not drawn:
        target = _position(read_program(_target_of(table), "position.target"), "position.target")
        return _strategy(name, table, target, *written(target))
    target, labels = read_graph(table)
    _position(target, f"node {table['target']}")
    return _strategy(name, table, target, *written(target, {part.text: label for label, part in labels.items()}))


def head_problems(table: Mapping[str, object]) -> list[ClawdError]:
    """Everything that is wrong with name, bar, universe, source and claim, one for each."""
    problems = []
    for key in ("name", "bar", "universe", "source", "claim"):
        try:
            match key:
                case "name":
                    _name(table)
                case "bar":
                    _bar(table)
                case "universe":
                    _universe(table)
                case _:
                    _text(table, key, longest=500)
        except ClawdError as error:
            problems.append(error if error.where else error.at(key))
    return problems


def _check_size(text: str, largest: int) -> None:
    if len(text) > largest:
        raise ClawdError(f"not a strategy: longer than {largest:,} characters")


def _check_dots(text: str) -> None:
    """Refuse dotted keys without end: a line costs the TOML parser the square of its key's parts, and every key below a
    table's name the parts of that name. The dots of an expression are no key's."""
    work = 0
    for line in text.split("\n"):
        if _STRING.match(line):
            continue
        dots = line.count(".")
        work += dots**2
        if work > _MOST_DOTS or (dots > _LONGEST_TABLE_NAME and line.lstrip().startswith("[")):
            raise ClawdError("not a strategy: too many dotted keys")


def _why(error: RecursionError | ValueError) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else "a number has too many digits"


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) < len(pairs):
        twin = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ClawdError(f"the key {shown(twin)} stands twice")
    return table


def _no_number(word: str) -> None:
    raise ClawdError(f"{word} is not a number of JSON")


def _known_keys(table: Mapping[str, object], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise ClawdError(
                f"unknown key {shown(key)}",
                hint=suggestion(key, known) or f"one of {', '.join(known)}",
            )


def _target_of(table: Mapping[str, object]) -> object:
    position = table.get("position")
    if not isinstance(position, Mapping) or "target" not in position:
        raise ClawdError("there is no target", where="position", hint='add [position] with target = "..."')
    if extra := [key for key in position if key != "target"]:
        raise ClawdError(f"unknown key {shown(extra[0])}", where="position", hint="only target belongs here")
    return position["target"]


def _position(target: Node | float, where: str | None = None) -> Node:
    if not isinstance(target, Node) or target.type != POSITION:
        raise ClawdError(
            f"the target must be a position, this is {type_of(target)}",
            where=where,
            hint="make a position of it with long_short, long_only or signal_if",
        )
    return target


def _name(table: Mapping[str, object]) -> str:
    name = _text(table, "name", longest=80)
    if not name:
        raise ClawdError("the strategy has no name", hint='add name = "..."')
    return name


def _strategy(
    name: str, table: Mapping[str, object], target: Node, let: Mapping[str, str], target_text: str
) -> Strategy:
    if "exits" not in table:
        raise ClawdError(
            "there are no exits, and no position may be naked",
            hint="add [exits] with stop = { atr = 3, window = 14 }",
        )
    return Strategy(
        name=name,
        target=target,
        exits=read_exits(table["exits"]),
        bar=_bar(table),
        universe=_universe(table),
        source=_text(table, "source", longest=500),
        claim=_text(table, "claim", longest=500),
        let=dict(let),
        target_text=target_text,
    )


def _let(table: object) -> dict[str, str]:
    if not isinstance(table, Mapping):
        raise ClawdError("[let] must be a table of named expressions", where="let")
    if len(table) > MOST_PARTS:
        raise ClawdError(f"{len(table):,} named parts, more than {MOST_PARTS}", where="let")
    parts: dict[str, str] = {}
    for name, value in table.items():
        where = f"let.{shown(name)[1:-1]}"
        check_part_name(name, where)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ClawdError("an expression in quotes or a number is needed", where=where)
        if not isinstance(value, str) and not abs(value) <= LARGEST_NUMBER:
            raise ClawdError(f"a number of at most {LARGEST_NUMBER:g} is needed", where=where)
        parts[name] = value if isinstance(value, str) else literal(value)
    return parts


def _bound(let: Mapping[str, str]) -> dict[str, Node | float]:
    bindings: dict[str, Node | float] = {}
    for name, text in let.items():
        try:
            bindings[name] = build(text, bindings)
        except ClawdError as error:
            raise error.at(f"let.{name}") from None
    return bindings


def _text(table: Mapping[str, object], key: str, longest: int) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or len(value) > longest or not value.replace("\n", " ").isprintable():
        raise ClawdError(f"`{key}` must be a text of at most {longest} printable characters")
    return value.strip()


def _bar(table: Mapping[str, object]) -> int | None:
    if "bar" not in table:
        return None
    value = table["bar"]
    try:
        return parse_duration(value if isinstance(value, str) else reprlib.repr(value))
    except ValueError as error:
        raise ClawdError(str(error), where="bar") from None


def _universe(table: Mapping[str, object]) -> tuple[str, ...] | None:
    if "universe" not in table:
        return None
    symbols = table["universe"]
    if (
        not isinstance(symbols, list)
        or not symbols
        or not all(isinstance(symbol, str) and symbol and symbol.isprintable() for symbol in symbols)
    ):
        raise ClawdError("a list of symbols is needed", where="universe", hint='such as ["BTCUSDT", "ETHUSDT"]')
    if len(set(symbols)) != len(symbols):
        raise ClawdError("a symbol stands twice", where="universe")
    return tuple(symbols)


def _digest(form: Mapping[str, object]) -> str:
    text = json.dumps({"language": LANGUAGE_VERSION, **form}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
